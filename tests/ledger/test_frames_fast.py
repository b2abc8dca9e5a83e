"""Through Arrow or through Python: one frame."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from anyfast_nb.ledger import frame
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.frames import scan
from tests.ledger.made import many, microseconds, record, write

ROWS = 3000  # more than the first batch that a driver takes its types from


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    """The same frame by both ways; fails if the fast way was not gone."""
    fast = scan._fast

    def both(*args: Any, **choice: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        came: list[bool] = []

        def watched(*asked: Any) -> Any:
            found = fast(*asked)
            came.append(found is not None)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(scan, "_fast", watched)
            patch.setattr(scan, "_WORTH", -1)
            quick = frame(*args, **choice)
            assert came == [True]
            patch.setattr(scan, "is_fast", lambda dialect: False)
            plain = frame(*args, **choice)
            assert came == [True]
        return quick, plain

    return both


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> str:
    return str(path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert [type(dtype) for dtype in one.dtypes] == [type(dtype) for dtype in other.dtypes]
    for name, dtype in one.dtypes.items():
        assert dtype == other.dtypes[name], name


def test_both_ways_give_the_same_frame_dtype_for_dtype(place: str, ways: Callable[..., Any]) -> None:
    rows = many(ROWS)
    write(place, rows)
    quick, plain = ways(path=place, columns="all")
    same(quick, plain)

    assert len(quick) == ROWS
    for name in ("input_tokens", "images", "video_s", "error", "title", "cost_nano", "user_name"):
        column = "user" if name == "user_name" else name
        found = [None if pd.isna(value) else value for value in quick[column]]
        assert found == [row[name] for row in rows], name
    assert [microseconds(moment) for moment in quick["time"]] == [row["time_us"] for row in rows]
    narrow = ways(path=place)
    same(*narrow)
    same(narrow[0], quick[list(narrow[0].columns)])


@pytest.mark.parametrize(
    "choice",
    [
        {"model": ["mini", "doubao-pro-250101"], "since": "2026-11-02", "until": "2026-11-03"},
        {"source": "live", "since": "2026-11-02"},
        {"thread": "o'clock; \\ -- $1 ? %s :x"},
        {"status": []},
        {"user": "ada", "kind": ["chat"], "notebook": ["0.ipynb", "1.ipynb"], "limit": 20_000},
    ],
)
def test_conditions_mean_the_same_by_both_ways(
    place: str, ways: Callable[..., Any], choice: dict[str, Any]
) -> None:
    strange = record(9_999, thread="o'clock; \\ -- $1 ? %s :x", title="odd")
    write(place, [*many(400), strange])
    quick, plain = ways(path=place, columns="all", **choice)
    same(quick, plain)
    everything = frame(path=place, columns="all")
    assert len(quick) < len(everything)
    for name in ("model", "source", "thread", "status", "user", "kind", "notebook"):
        if name in choice:
            wanted = [choice[name]] if isinstance(choice[name], str) else choice[name]
            assert set(quick[name]) <= set(wanted)
    if choice.get("thread"):
        assert list(quick["title"]) == ["odd"]


def test_an_empty_ledger_by_both_ways(place: str, ways: Callable[..., Any]) -> None:
    write(place, [])
    same(*ways(path=place, columns="all"))


def test_values_are_never_written_into_the_statement() -> None:
    statement = select(REQUESTS.c.id).where(REQUESTS.c.thread.in_(["a'b", "c"]), REQUESTS.c.time_us >= 5)
    text, values = scan.compiled(statement, dialect="sqlite")
    assert values == ("a'b", "c", 5)
    assert text.count("?") == 3
    text, values = scan.compiled(statement, dialect="postgresql")
    assert [values[int(number) - 1] for number in re.findall(r"\$(\d+)", text)] == ["a'b", "c", 5]


def test_what_the_fast_way_cannot_read_the_other_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import adbc_driver_sqlite.dbapi

    write(path, many(10))
    expected = frame(path=path, columns="all")
    calls: list[str] = []
    connect = adbc_driver_sqlite.dbapi.connect

    def broken(place: str) -> Any:
        calls.append(place)
        return connect("file:/nowhere/at/all?mode=ro")

    monkeypatch.setattr(adbc_driver_sqlite.dbapi, "connect", broken)
    monkeypatch.setattr(scan, "_WORTH", 0)
    same(frame(path=path, columns="all"), expected)
    assert len(calls) == 1


def test_without_the_extra_nothing_of_it_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, many(10))
    expected = frame(path=path)
    find = scan.find_spec
    monkeypatch.setattr(scan, "find_spec", lambda name: None if "adbc" in name else find(name))
    monkeypatch.setattr(scan, "import_module", lambda name: pytest.fail(f"{name} was imported"))
    assert not scan.is_fast("sqlite")
    same(frame(path=path), expected)


def test_few_rows_are_not_worth_another_library(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_WORTH", 9)
    came: list[int] = []
    fast = scan._fast
    monkeypatch.setattr(scan, "_fast", lambda *asked: came.append(1) or fast(*asked))
    write(path, many(9))
    assert (len(frame(path=path)), came) == (9, [])
    write(path, [record(number=9)])
    assert (len(frame(path=path)), came) == (10, [1])


# In a process of its own: what this one has read before would hide it.
LIVING = """
import sys
from pathlib import Path
from anyfast_nb.ledger import frame
from anyfast_nb.ledger.frames import scan

def virtual_mb():
    return int(Path("/proc/self/statm").read_text().split()[0]) * 4096 / 1e6

frame(path=sys.argv[1], columns="all", until="2000-01-01")  # what is loaded does not count
came, fast = [], scan._fast
scan._fast = lambda *asked: came.append(fast(*asked)) or came[-1]
scan._WORTH = -1
frame(path=sys.argv[1], columns="all", until="2000-01-01")
before = virtual_mb()
table = frame(path=sys.argv[1], columns="all")
assert len(came) == 2 and came[-1] is table
print(len(table), virtual_mb() - before)
"""


def test_a_living_frame_holds_no_more_memory_than_its_rows_take(path: Path) -> None:
    """Virtual memory too: a fork, as of `!ls` in a notebook, is refused where a process has too much."""
    write(path, many(50_000))
    done = subprocess.run(
        [sys.executable, "-c", LIVING, str(path)], capture_output=True, text=True, check=True
    )
    rows, grown_mb = done.stdout.split()
    assert int(rows) == 50_000
    assert float(grown_mb) < 1000
