from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb import ledger as room
from anyfast_nb.errors import InputError, LedgerError
from anyfast_nb.ledger import Ledger, frame
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row

DTYPES = {
    "time": "datetime64[us, UTC]",
    "kind": "category",
    "source": "category",
    "base_url": "string",
    "model": "category",
    "status": "category",
    "title": "string",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "duration_s": "Float64",
    "ttft_s": "Float64",
    "cost": "Float64",
    "currency": "category",
    "notebook": "category",
    "cell": "string",
    "thread": "category",
    "error": "string",
}
counts = st.none() | st.integers(0, 10**12)
seconds = st.none() | st.floats(0, 1e6)


def fill(path: Path) -> None:
    with Ledger(path) as ledger:
        for number, (model, source) in enumerate(
            [("a", Source.LIVE), ("b", Source.LIVE), ("a", Source.SIMULATED), ("c", Source.REPLAYED)]
        ):
            row = request_row(
                model=model,
                source=source,
                time=datetime(2026, 11, 1 + number, 12, tzinfo=UTC),
                thread="trip" if number % 2 else None,
                notebook=f"{number}.ipynb",
            )
            ledger.begin(row)
            if number < 3:
                ledger.settle(row.id, status=Status.OK, usage=Usage(number, 2 * number))


def test_the_columns_and_their_types_are_settled(path: Path) -> None:
    empty = frame(path=path)
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == DTYPES
    assert list(empty.columns) == list(DTYPES)
    assert len(empty) == 0
    assert not path.exists()

    fill(path)
    full = frame(path=path)
    assert {name: str(dtype) for name, dtype in full.dtypes.items()} == DTYPES
    assert list(full.columns) == list(DTYPES)
    assert list(full["source"].cat.categories) == ["live", "simulated", "replayed"]
    assert list(full["status"].cat.categories) == [str(word) for word in Status]
    pd.testing.assert_series_equal(full.dtypes, pd.concat([full, full], ignore_index=True).dtypes)


def test_the_default_place_is_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANYFAST_HOME", str(tmp_path))
    fill(tmp_path / "ledger.sqlite3")
    assert len(room.frame()) == 4

    monkeypatch.setenv("ANYFAST_LEDGER_URL", f"sqlite:///{tmp_path}/other.db")
    assert len(room.frame()) == 0


@given(
    status=st.sampled_from([status for status in Status if status is not Status.UNFINISHED]),
    usage=st.builds(Usage, counts, counts, counts, counts),
    duration_s=seconds,
    ttft_s=seconds,
    title=st.none() | st.text(st.characters(categories=["L", "N", "Zs"]), max_size=120),
    error=st.none() | st.text(st.characters(categories=["L", "N", "Zs"]), max_size=120),
    thread=st.none() | st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
    moment=st.integers(0, 2**52).map(
        lambda us: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    ),
)
@settings(max_examples=60)
def test_what_goes_in_comes_out_and_unknown_is_na_never_zero(
    status: Status,
    usage: Usage,
    duration_s: float | None,
    ttft_s: float | None,
    title: str | None,
    error: str | None,
    thread: str | None,
    moment: datetime,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        with Ledger(path) as ledger:
            row = request_row(title=title, thread=thread, time=moment)
            ledger.begin(row)
            begun = frame(path=path).iloc[0]
            ledger.settle(
                row.id, status=status, usage=usage, duration_s=duration_s, ttft_s=ttft_s, error=error
            )
        table = frame(path=path)

    unknown = ["input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "duration_s", "ttft_s"]
    assert begun["status"] == "unfinished"
    assert begun[[*unknown, "cost", "currency", "error"]].isna().all()
    expected: dict[str, Any] = {
        "time": moment,
        "status": status,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "duration_s": duration_s,
        "ttft_s": ttft_s,
        "cost": None,
        "currency": None,
        "title": None if title is None else title[:80],
        "thread": thread,
        "error": error,
    }
    found = {name: table[name].iloc[0] for name in expected}
    assert {name: None if pd.isna(value) else value for name, value in found.items()} == expected
    assert table.loc[0, "input_tokens"] is pd.NA or usage.input_tokens is not None


def test_rows_are_chosen(path: Path) -> None:
    fill(path)

    def days(*args: Any, **choice: Any) -> list[int]:
        return list(frame(*args, path=path, **choice)["time"].dt.day)

    assert days() == [1, 2, 3, 4]
    assert days(model="a") == [1, 3]
    assert days(model=["a", "c"]) == [1, 3, 4]
    assert days(model=[]) == []
    assert days(source=Source.LIVE) == [1, 2]
    assert days(status="unfinished") == [4]
    assert days(thread="trip", notebook={"1.ipynb", "2.ipynb"}) == [2]
    assert days("2026-11-03") == [3, 4]
    assert days("2026-11-03T12:00:00.000001+00:00") == [4]
    assert days(date(2026, 11, 2), source="live") == [2]
    assert days(datetime(2026, 11, 4, 13, tzinfo=UTC)) == []
    assert days(pd.Timestamp("2026-11-04", tz="Asia/Shanghai")) == [4]
    assert days(timedelta(days=20_000)) == [1, 2, 3, 4]


def test_a_span_counts_back_from_now(path: Path) -> None:
    from anyfast_nb.ledger.rows import since_us

    now = datetime(2026, 11, 8, tzinfo=UTC)
    assert since_us(timedelta(days=7), now=lambda: now) == since_us(datetime(2026, 11, 1, tzinfo=UTC))


def test_a_wrong_since_says_what_to_give() -> None:
    with pytest.raises(InputError, match="since='last tuesday' is not a date") as caught:
        frame("last tuesday")
    assert "2026-11-01" in caught.value.hint


def test_the_model_is_the_one_that_served(path: Path) -> None:
    with Ledger(path) as ledger:
        served, asked = request_row(model="pro"), request_row(model="mini")
        for row in (served, asked):
            ledger.begin(row)
        ledger.settle(served.id, status=Status.OK, model="doubao-pro-250101")
    assert sorted(frame(path=path)["model"]) == ["doubao-pro-250101", "mini"]


def test_a_status_of_a_later_version_is_shown(path: Path) -> None:
    import sqlite3

    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE requests SET status = 'submit_unknown' WHERE model_asked = 'b'")
    connection.commit()
    connection.close()
    assert list(frame(path=path, model="b")["status"]) == ["submit_unknown"]


def test_what_cannot_be_read_is_a_ledger_error(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(LedgerError, match="cannot be read") as caught:
        frame(path=tmp_path / "folder.db")
    assert str(tmp_path / "folder.db") in caught.value.message


def test_trouble_is_a_warning_for_who_reads(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no ledger" * 1000)
    with pytest.warns(UserWarning, match="was damaged") as caught:
        assert len(frame(path=path)) == 0
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import anyfast_nb.ledger", {"pandas", "numpy", "sqlite3"}),
        (
            "from tests.ledger.writer import main; main(sys.argv[1], 3, 0)",
            {"pandas", "numpy", "sqlalchemy"},
        ),
    ],
)
def test_no_heavy_import_for_a_request(code: str, absent: set[str], path: Path) -> None:
    probe = f"import sys\n{code}\nprint(sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", probe, str(path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
