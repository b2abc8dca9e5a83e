from __future__ import annotations

import inspect
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
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.frames.columns import REQUEST_FIELDS
from anyfast_nb.ledger.rows import since_us
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row
from tests.ledger.made import NOON, job, microseconds, record, write

TIME, COUNT, NUMBER, WORD, TEXT = "datetime64[us, UTC]", "Int64", "Float64", "category", "string"
ALL = {
    "time": TIME, "kind": WORD, "source": WORD, "model": WORD, "status": WORD, "title": TEXT,
    "input_tokens": COUNT, "cached_tokens": COUNT, "output_tokens": COUNT, "reasoning_tokens": COUNT,
    "images": COUNT, "video_s": NUMBER, "cost": NUMBER, "currency": WORD, "cost_nano": COUNT,
    "price_version": WORD, "billed": WORD, "duration_s": NUMBER, "ttft_s": NUMBER, "thread": WORD,
    "notebook": WORD, "cell": TEXT, "user": WORD, "session": WORD, "job": TEXT, "task_id": TEXT,
    "request_id": TEXT, "attempts": COUNT, "request_hash": TEXT, "error_class": WORD, "error": TEXT,
    "base_url": WORD, "model_asked": WORD, "model_served": WORD, "id": TEXT,
}  # fmt: skip
NARROW = [
    "time", "kind", "source", "model", "status", "title", "input_tokens", "output_tokens", "cost",
    "currency", "duration_s", "thread", "notebook", "user",
]  # fmt: skip
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


@pytest.mark.parametrize(("columns", "names"), [("all", list(ALL)), ("narrow", NARROW)])
def test_the_columns_and_their_types_are_settled(path: Path, columns: str, names: list[str]) -> None:
    expected = {name: ALL[name] for name in names}
    empty = frame(path=path, columns=columns)  # type: ignore[arg-type]
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == expected
    assert list(empty.columns) == names
    assert len(empty) == 0
    assert not path.exists()

    fill(path)
    full = frame(path=path, columns=columns)  # type: ignore[arg-type]
    assert {name: str(dtype) for name, dtype in full.dtypes.items()} == expected
    assert list(full.columns) == names
    assert list(full["source"].cat.categories) == ["live", "simulated", "replayed"]
    assert list(full["status"].cat.categories) == [str(word) for word in Status]
    pd.testing.assert_series_equal(full.dtypes, pd.concat([full, full], ignore_index=True).dtypes)


def test_every_column_of_the_table_can_be_had() -> None:
    told = {str(field.of.name) for field in REQUEST_FIELDS.values() if hasattr(field.of, "name")}
    assert {column.name for column in REQUESTS.columns} <= told | {"model_asked", "model_served"}


def test_columns_are_chosen_by_name_and_in_that_order(path: Path) -> None:
    fill(path)
    assert list(frame(path=path, columns=["id", "cost", "id", "time"]).columns) == ["id", "cost", "time"]
    assert list(frame(path=path, columns="model").columns) == ["model"]  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no column 'input_token'") as caught:
        frame(path=path, columns=["input_token"])
    assert (caught.value.field, "'input_tokens'" in caught.value.hint) == ("columns", True)


def test_money_is_exact_as_whole_billionths(path: Path) -> None:
    write(path, [record(0, cost_nano=9_007_199_254_740_993, currency="USD"), record(1)])
    table = frame(path=path, columns=["cost", "cost_nano", "currency"])
    assert table["cost_nano"].tolist() == [9_007_199_254_740_993, pd.NA]
    assert table["cost"].tolist() == [9_007_199.254740993, pd.NA]


def test_the_newest_few_are_still_oldest_first(path: Path) -> None:
    write(path, [record(number, title=f"{number}") for number in range(30)])
    assert frame(path=path, limit=3)["title"].tolist() == ["27", "28", "29"]
    assert frame(path=path, limit=100, until=NOON)["title"].tolist() == []
    assert len(frame(path=path, limit=100)) == 30
    assert frame(path=path, limit=2, until=NOON + timedelta(microseconds=5))["title"].tolist() == ["3", "4"]
    with pytest.raises(InputError, match="limit=0"):
        frame(path=path, limit=0)


def test_a_row_that_waits_in_the_journal_is_seen(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(request_row(title="waits"))
        assert not path.exists()
        assert frame(path=path)["title"].tolist() == ["waits"]


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
            begun = frame(path=path, columns="all").iloc[0]
            ledger.settle(
                row.id, status=status, usage=usage, duration_s=duration_s, ttft_s=ttft_s, error=error
            )
        table = frame(path=path, columns="all")

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
    assert days("2026-11-02", until="2026-11-04") == [2, 3]
    assert days(until=datetime(2026, 11, 2, 12, tzinfo=UTC)) == [1]
    assert days(kind="chat", user="nobody") == []


def test_a_span_counts_back_from_now() -> None:
    now = datetime(2026, 11, 8, tzinfo=UTC)
    assert since_us(timedelta(days=7), now=lambda: now) == since_us(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("word", "begins"),
    [
        ("today", "2026-11-05T00:00"),
        ("Yesterday ", "2026-11-04T00:00"),
        ("week", "2026-11-02T00:00"),
        ("month", "2026-11-01T00:00"),
        ("24h", "2026-11-04T15:30"),
        ("7d", "2026-10-29T15:30"),
    ],
)
def test_a_period_has_a_name(word: str, begins: str) -> None:
    now = datetime.fromisoformat("2026-11-05T15:30").astimezone()
    assert since_us(word, now=lambda: now) == since_us(datetime.fromisoformat(begins))
    assert since_us("all") is None


@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize("words", ["last tuesday", "2026-11-01..2026-11-03", ""])
def test_a_wrong_bound_says_what_to_give(field: str, words: str) -> None:
    with pytest.raises(InputError, match=f"{field}={words!r} is not a date") as caught:
        frame(**{field: words})
    assert "2026-11-01" in caught.value.hint
    assert caught.value.field == field


def test_a_bound_of_another_type_is_told_as_well(path: Path) -> None:
    with pytest.raises(InputError, match="since=5 is not a date or time"):
        frame(5, path=path)  # type: ignore[arg-type]


def test_a_model_may_be_called_by_its_alias(path: Path) -> None:
    with Ledger(path) as ledger:
        for model in ("mini", "doubao-seed-2.0-mini", "doubao-seed-2.0-pro"):
            ledger.begin(request_row(model=model))
    assert set(frame(model="mini", path=path)["model"]) == {"mini", "doubao-seed-2.0-mini"}
    assert set(room.by_model(model=["pro"], path=path)["model"]) == {"doubao-seed-2.0-pro"}


def test_any_limit_is_one(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(request_row())
    assert len(frame(limit=10**30, path=path)) == 1


def test_no_signature_shows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help and completion print signatures into notebooks."""
    from anyfast_nb.ledger.classroom.hub import class_hook

    monkeypatch.setenv("ANYFAST_API_KEY", "sk-in-the-environment")
    for found in (*(getattr(room, name) for name in room.__all__), class_hook):
        if callable(found):
            assert "environ(" not in str(inspect.signature(found))


def test_completion_offers_the_charts_alone() -> None:
    assert dir(room.plot) == ["cost", "jobs", "latency", "overview", "tokens"]


def test_the_model_is_the_one_that_served(path: Path) -> None:
    with Ledger(path) as ledger:
        served, asked = request_row(model="pro"), request_row(model="mini")
        for row in (served, asked):
            ledger.begin(row)
        ledger.settle(served.id, status=Status.OK, model="doubao-pro-250101")
    assert sorted(frame(path=path)["model"]) == ["doubao-pro-250101", "mini"]


def test_a_word_of_a_later_version_is_shown(path: Path) -> None:
    write(path, [record(0, status="paused"), record(1, source="dreamt"), record(2)])
    table = frame(path=path)
    assert table["status"].tolist() == ["paused", "ok", "ok"]
    assert table["status"].cat.categories.tolist() == [*(str(word) for word in Status), "paused"]
    assert table["source"].tolist() == ["live", "dreamt", "live"]


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


def test_jobs_are_chosen_like_requests(path: Path) -> None:
    start = microseconds(NOON)
    write(path, [], jobs=[job(number, created_us=start + number, updated_us=start) for number in range(4)])
    other = job(9, created_us=start + 9, updated_us=start, user_name="ada", finished_us=start + 2_500_009)
    write(path, [], jobs=[other])
    table = room.jobs(path=path)
    assert list(table.columns[-2:]) == ["user", "finished"]
    assert table["duration_s"].tolist() == [*[pd.NA] * 4, 2.5]
    assert str(table["user"].dtype) == "category"
    assert room.jobs(path=path, user="ada")["id"].tolist() == [other["id"]]
    until = NOON + timedelta(microseconds=3)
    assert len(room.jobs(NOON + timedelta(microseconds=1), until=until, path=path)) == 2
    assert room.jobs(path=path, notebook="none.ipynb").empty


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "film"}, "Did you mean seedance or kling?"),
        ({"kind": ["chat", "sedream"]}, "Did you mean seedream?"),
        ({"source": "fake"}, "Did you mean simulated?"),
        ({"status": "eror"}, "Did you mean error?"),
        ({"kind": "zzz"}, "There are chat, responses"),
    ],
)
def test_a_word_that_no_row_can_have_is_an_error(path: Path, wrong: dict[str, Any], says: str) -> None:
    for read in (frame, room.by_model, room.jobs) if "status" not in wrong else (frame,):
        with pytest.raises(InputError) as caught:
            read(path=path, **wrong)
        assert caught.value.field == next(iter(wrong))
        assert says in caught.value.hint
