"""Requests in the ledger: what holds on SQLite and on PostgreSQL, and what holds of the file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anyfast_nb.errors import Billed, LedgerError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk import mounts, sqlite_file
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.rows import ModelTotal
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import held_up, in_file, request_row, rows_of, stored


def test_a_row_is_there_before_its_request_is_sent_and_is_filled_when_it_ends(either: Ledger) -> None:
    row = request_row(
        thread="trip", notebook="a.ipynb", cell="c1", user="anna", session="s1", job="j1", request_hash="0"
    )

    assert either.begin(row) == row.id
    begun = rows_of(either)[row.id]
    cost = either.settle(
        row.id,
        status=Status.TRUNCATED,
        model="doubao-seed-2-0-lite-250821",
        usage=Usage(input_tokens=7, output_tokens=0),
        images=2,
        video_s=1.5,
        duration_s=2.5,
        ttft_s=0.25,
        error="WireCut: the answer broke off",
        error_class="WireCut",
        request_id="req_1",
        attempts=2,
        task_id="t1",
    )

    assert cost is None
    assert begun["status"] == "unfinished"
    assert begun["input_tokens"] is begun["duration_s"] is begun["model_served"] is begun["billed"] is None
    assert begun["title"] == (None if either.shared else "Hello")
    assert (begun["user_name"], begun["session"], begun["job"]) == ("anna", "s1", "j1")
    assert rows_of(either)[row.id] == begun | {
        "status": "truncated",
        "model_served": "doubao-seed-2-0-lite-250821",
        "billed": "yes",
        "input_tokens": 7,
        "output_tokens": 0,
        "images": 2,
        "video_s": 1.5,
        "duration_s": 2.5,
        "ttft_s": 0.25,
        "error": "WireCut: the answer broke off",
        "error_class": "WireCut",
        "request_id": "req_1",
        "attempts": 2,
        "task_id": "t1",
    }


def test_a_row_begun_twice_is_one_row_and_the_first_end_counts(either: Ledger) -> None:
    row = request_row()
    either.begin(row)
    either.settle(row.id, status=Status.INTERRUPTED)
    either.settle(row.id, status=Status.OK)
    either.begin(row)
    either.settle(row.id, status=Status.ERROR)

    assert [kept["status"] for kept in rows_of(either).values()] == ["interrupted"]


def test_what_no_server_can_mean_is_unknown_and_breaks_nothing(either: Ledger, told: list[str]) -> None:
    row = request_row(title="lone \ud800 surrogate \x00", thread="\x00 thread")
    either.begin(row)
    either.settle(
        row.id,
        status=Status.OK,
        usage=Usage(10**30, output_tokens=-1, cached_tokens=3, reasoning_tokens="many"),  # type: ignore[arg-type]
        images=-3,
        duration_s=float("inf"),
        ttft_s=float("nan"),
    )

    kept = rows_of(either)[row.id]
    assert (kept["status"], kept["cached_tokens"], kept["thread"]) == ("ok", 3, " thread")
    unknown = ("input_tokens", "output_tokens", "reasoning_tokens", "duration_s", "ttft_s", "images")
    assert [kept[name] for name in unknown] == [None] * 6
    assert not told


def test_totals_are_summed_by_model_and_never_mix_sources(either: Ledger) -> None:
    def spend(model: str, source: Source, status: Status, usage: Usage) -> None:
        row = request_row(model=model, source=source)
        either.begin(row)
        either.settle(row.id, status=status, usage=usage)

    assert either.totals_by_model() == []
    spend("a", Source.LIVE, Status.OK, Usage(10, 5, 4, 2))
    spend("a", Source.LIVE, Status.ERROR, Usage())
    spend("b", Source.LIVE, Status.OK, Usage(1, 1))
    spend("a", Source.SIMULATED, Status.OK, Usage(100, 50))
    either.begin(request_row(model="c", source=Source.SIMULATED))

    assert either.totals_by_model() == [
        ModelTotal("live", "a", 2, 1, 1, 10, 4, 5, 2),
        ModelTotal("live", "b", 1, 1, 0, 1, None, 1, None),
        ModelTotal("simulated", "a", 1, 1, 0, 100, None, 50, None),
        ModelTotal("simulated", "c", 1, 0, 1, None, None, None, None),
    ]
    assert either.totals_by_model(since="2100-01-01") == []


# --- what it cost -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "given", "kept"),
    [
        (Status.OK, None, "yes"),
        (Status.TRUNCATED, None, "yes"),
        (Status.INTERRUPTED, None, "maybe"),
        (Status.ERROR, None, "maybe"),
        (Status.ERROR, Billed.NO, "no"),
        (Status.ERROR, Billed.YES, "yes"),
    ],
)
def test_a_settled_request_has_its_cost(
    ledger: Ledger, status: Status, given: Billed | None, kept: str
) -> None:
    price = Prices().set("doubao-seed-2.0-lite", currency="USD", input=1, output=2)
    row = request_row()
    ledger.begin(row)
    cost = ledger.settle(row.id, status=status, usage=Usage(1000, 500), billed=given)

    found = rows_of(ledger)[row.id]
    assert found["billed"] == kept
    known = (found["cost_nano"], found["currency"], found["price_version"])
    if kept == "no":
        assert cost is None
        assert known == (None, None, None)
    else:
        assert cost is not None
        assert known == (cost.nano, cost.currency, cost.version) == (2_000_000, "USD", price.version)


def test_without_a_price_or_a_figure_the_cost_is_unknown(ledger: Ledger) -> None:
    Prices().set("priced", currency="USD", input=1, output=2)
    for model, usage in (("other", Usage(1, 2)), ("priced", Usage())):
        row = request_row(model=model)
        ledger.begin(row)
        assert ledger.settle(row.id, status=Status.OK, usage=usage) is None
        assert rows_of(ledger)[row.id]["cost_nano"] is None


def test_a_broken_price_file_is_told_once_and_breaks_nothing(ledger: Ledger, told: list[str]) -> None:
    Prices().path.parent.mkdir(parents=True, exist_ok=True)
    Prices().path.write_text("[[price]\nmodel = 3")
    for _ in range(2):
        row = request_row()
        ledger.begin(row)
        assert ledger.settle(row.id, status=Status.OK, usage=Usage(1, 2)) is None
    assert len(told) == 1
    assert "without their cost" in told[0]
    assert [kept["output_tokens"] for kept in rows_of(ledger).values()] == [2, 2]


# --- journal first ------------------------------------------------------------------------


def test_a_row_is_in_the_journal_first_and_a_reading_takes_it_over(ledger: Ledger, path: Path) -> None:
    row = request_row()
    ledger.begin(row)
    assert not path.exists()
    assert len(list((path.parent / "journal").glob("*.jsonl"))) == 1
    assert list(rows_of(ledger)) == [row.id]
    assert list(in_file(path)) == [row.id]
    assert not list((path.parent / "journal").glob("*.jsonl"))


def test_another_ledger_of_the_same_place_sees_it_at_once(either: Ledger, place: str) -> None:
    row = request_row()
    either.begin(row)
    with Ledger(place) as other:
        assert list(rows_of(other)) == [row.id]
        either.settle(row.id, status=Status.OK)
        assert rows_of(other)[row.id]["status"] == "ok"


def test_a_reading_is_of_one_moment_and_holds_up_nobody(either: Ledger) -> None:
    from sqlalchemy import text

    count = text("SELECT count(*) FROM requests")
    either.begin(request_row())
    with either.reading() as reading:
        assert reading.scalar(count) == 1
        either.begin(request_row())
        either.absorb()
        with either.transaction() as writing:
            assert writing.scalar(count) == 2
        assert reading.scalar(count) == 1
    assert len(rows_of(either)) == 2


def test_a_transaction_that_fails_leaves_nothing(either: Ledger) -> None:
    from sqlalchemy import text

    either.begin(request_row())
    either.absorb()

    def fail() -> None:
        with either.transaction() as connection:
            connection.execute(text("DELETE FROM requests"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(rows_of(either)) == 1


def test_what_is_reserved_is_begun_in_the_store_itself(either: Ledger, path: Path) -> None:
    row = request_row()
    assert either.begin(row, reserved=True) == row.id
    assert not list((either.path.parent / "journal").glob("*.jsonl"))
    either.settle(row.id, status=Status.OK, usage=Usage(1, 2))
    assert rows_of(either)[row.id]["output_tokens"] == 2


def test_what_is_reserved_and_cannot_be_begun_is_not_sent(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.01)
    ledger.open()
    locker = held_up(path)
    with pytest.raises(LedgerError, match="cannot be written: database is locked"):
        ledger.begin(request_row(), reserved=True)
    locker.close()
    assert rows_of(ledger) == {}


def test_adbc_may_read_what_is_all_there(either: Ledger) -> None:
    import adbc_driver_postgresql.dbapi
    import adbc_driver_sqlite.dbapi

    with either.readable() as place:
        assert either.shared or place is None  # there is no file yet
    row = request_row()
    either.begin(row)
    driver = adbc_driver_postgresql if either.shared else adbc_driver_sqlite
    with either.readable() as place:
        assert place is not None
        with driver.dbapi.connect(place) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM requests")
            assert cursor.fetchall() == [(row.id,)]


# --- the file -----------------------------------------------------------------------------


def test_only_this_user_can_read_it(ledger: Ledger, path: Path) -> None:
    old_mask = os.umask(0)
    try:
        ledger.begin(request_row())
        ledger.open()
        ledger.begin(request_row())
    finally:
        os.umask(old_mask)

    files = [item for item in path.parent.rglob("*") if item.is_file()]
    folders = [path.parent, path.parent / "journal"]
    assert len(files) == 5  # the ledger, its log and shared memory, the journal and its lock
    assert {stat.S_IMODE(item.stat().st_mode) for item in files} == {0o600}
    assert {stat.S_IMODE(item.stat().st_mode) for item in folders} == {0o700}


def test_a_file_that_others_could_read_is_closed_to_them(path: Path, ledger: Ledger) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    ledger.open()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_wal_and_synced_on_a_local_disk_and_not_wal_on_a_network(
    path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    def settings(ledger: Ledger) -> tuple[str, int]:
        with ledger.transaction() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            return mode, connection.exec_driver_sql("PRAGMA synchronous").scalar_one()

    with Ledger(path, warn=told.append) as ledger:
        assert settings(ledger) == ("wal", 2)
        assert ledger.advice() == ""
    assert not told
    for module in (mounts, sqlite_file):
        monkeypatch.setattr(module, "is_network", lambda path: True)
    with Ledger(path, warn=told.append) as ledger:
        assert settings(ledger) == ("delete", 2)
        ledger.begin(request_row())
        assert len(rows_of(ledger)) == 1
        assert told == [ledger.advice()]
    assert "local folder" in told[0]
    assert "PostgreSQL" in told[0]


# --- many at once -------------------------------------------------------------------------


def test_threads_share_a_ledger(either: Ledger, told: list[str]) -> None:
    def one(number: int) -> None:
        row = request_row(title=str(number))
        either.begin(row)
        if number % 5 == 0:
            either.totals_by_model()
        either.settle(row.id, status=Status.OK, usage=Usage(number, 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(200)))

    rows = rows_of(either).values()
    assert sorted(row["input_tokens"] for row in rows) == list(range(200))
    assert {row["status"] for row in rows} == {"ok"}
    assert not told


def test_a_fork_writes_by_itself(path: Path) -> None:
    code = f"""
import os
from tests.ledger.conftest import request_row
from anyfast_nb.ledger import Ledger
from anyfast_nb.wire.values import Status

ledger = Ledger({str(path)!r}, warn=print)
before = request_row(title="begun before")
ledger.begin(before)
other = request_row(title="settled before")
ledger.begin(other)
ledger.settle(other.id, status=Status.OK)  # the thread is at work
ledger.open()
parents = ledger._store()
child = os.fork()
ledger.begin(request_row(title="child" if child == 0 else "parent"))
if child == 0:
    ledger.open()
    of_its_own = ledger._store() is not parents
    ledger.close()
    os._exit(0 if of_its_own else 1)
assert os.waitpid(child, 0)[1] == 0
ledger.settle(before.id, status=Status.OK)
ledger.close()
ledger.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {row["title"]: row["status"] for row in stored(path).values()} == {
        "begun before": "ok",
        "settled before": "ok",
        "child": "unfinished",
        "parent": "unfinished",
    }


def test_times_of_any_zone_are_kept_in_utc(either: Ledger) -> None:
    from datetime import timezone

    east = timezone(timedelta(hours=8))
    row = request_row(time=datetime(2026, 11, 1, 8, 0, 0, 1, tzinfo=east))
    either.begin(row)
    day = datetime(2026, 11, 1, tzinfo=UTC)
    assert rows_of(either)[row.id]["time_us"] == int(day.timestamp()) * 10**6 + 1
    assert len(either.totals_by_model(since=day)) == 1
    assert either.totals_by_model(since=day + timedelta(microseconds=2)) == []
