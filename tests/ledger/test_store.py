from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anyfast_nb.ledger import Ledger, database
from anyfast_nb.ledger.rows import ModelTotal
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row, start_writer, stored


def test_a_row_is_on_disk_before_its_request_is_sent_and_is_filled_when_it_ends(
    ledger: Ledger, path: Path
) -> None:
    row = request_row(thread="trip", notebook="a.ipynb", cell="c1")

    assert ledger.begin(row) == row.id
    begun = stored(path)[row.id]
    ledger.settle(
        row.id,
        status=Status.TRUNCATED,
        model="doubao-seed-2-0-lite-250821",
        usage=Usage(input_tokens=7, output_tokens=0),
        duration_s=2.5,
        ttft_s=0.25,
        error="WireCut: the answer broke off",
        request_id="req_1",
        attempts=2,
    )

    assert begun["status"] == "unfinished"
    assert begun["input_tokens"] is begun["duration_s"] is begun["model_served"] is None
    assert begun["title"] == "Hello"
    assert stored(path)[row.id] == begun | {
        "status": "truncated",
        "model_served": "doubao-seed-2-0-lite-250821",
        "input_tokens": 7,
        "output_tokens": 0,
        "duration_s": 2.5,
        "ttft_s": 0.25,
        "error": "WireCut: the answer broke off",
        "request_id": "req_1",
        "attempts": 2,
    }


def test_a_row_begun_twice_is_one_row_and_the_first_end_counts(ledger: Ledger, path: Path) -> None:
    row = request_row()
    ledger.begin(row)
    ledger.settle(row.id, status=Status.INTERRUPTED)
    ledger.settle(row.id, status=Status.OK)
    ledger.begin(row)
    ledger.settle(row.id, status=Status.ERROR)

    assert [kept["status"] for kept in stored(path).values()] == ["interrupted"]


def test_what_no_server_can_mean_is_unknown_and_breaks_nothing(
    ledger: Ledger, path: Path, told: list[str]
) -> None:
    row = request_row(title="lone \ud800 surrogate \x00")
    ledger.begin(row)
    ledger.settle(
        row.id,
        status=Status.OK,
        usage=Usage(10**30, output_tokens=-1, cached_tokens=3, reasoning_tokens="many"),  # type: ignore[arg-type]
        duration_s=float("inf"),
        ttft_s=float("nan"),
    )

    kept = stored(path)[row.id]
    assert (kept["status"], kept["cached_tokens"]) == ("ok", 3)
    unknown = ("input_tokens", "output_tokens", "reasoning_tokens", "duration_s", "ttft_s")
    assert [kept[name] for name in unknown] == [None] * 5
    assert not told


def test_totals_are_summed_by_model_and_never_mix_sources(ledger: Ledger) -> None:
    def spend(model: str, source: Source, status: Status, usage: Usage) -> None:
        row = request_row(model=model, source=source)
        ledger.begin(row)
        ledger.settle(row.id, status=status, usage=usage)

    spend("a", Source.LIVE, Status.OK, Usage(10, 5, 4, 2))
    spend("a", Source.LIVE, Status.ERROR, Usage())
    spend("b", Source.LIVE, Status.OK, Usage(1, 1))
    spend("a", Source.SIMULATED, Status.OK, Usage(100, 50))
    ledger.begin(request_row(model="c", source=Source.SIMULATED))

    assert ledger.totals_by_model() == [
        ModelTotal("live", "a", 2, 1, 1, 10, 4, 5, 2),
        ModelTotal("live", "b", 1, 1, 0, 1, None, 1, None),
        ModelTotal("simulated", "a", 1, 1, 0, 100, None, 50, None),
        ModelTotal("simulated", "c", 1, 0, 1, None, None, None, None),
    ]
    assert ledger.totals_by_model(since="2100-01-01") == []


def test_only_this_user_can_read_it(ledger: Ledger, path: Path) -> None:
    old_mask = os.umask(0)
    try:
        ledger.begin(request_row())
    finally:
        os.umask(old_mask)

    modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()}
    assert set(modes) == {"ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path, ledger: Ledger) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    ledger.begin(request_row())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_wal_and_synced_on_a_local_disk_and_not_wal_on_a_network(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings() -> tuple[str, int]:
        connection = database.open_writer(path)
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            return mode, connection.execute("PRAGMA synchronous").fetchone()[0]
        finally:
            connection.close()

    assert settings() == ("wal", 2)
    monkeypatch.setattr(database, "is_network", lambda path: True)
    assert settings() == ("delete", 2)


def test_a_disk_that_is_slow_to_sync_is_not_waited_for(path: Path) -> None:
    ticks = iter(range(10_000))
    with Ledger(path, clock=lambda: next(ticks) * 0.003) as ledger:
        levels = []
        for _ in range(6):
            ledger.begin(request_row())
            assert ledger._connection is not None
            levels.append(ledger._connection.execute("PRAGMA synchronous").fetchone()[0])

    assert levels == [2, 2, 2, 2, 1, 1]


# --- many at once -------------------------------------------------------------------------


def test_eight_processes_append_two_thousand_rows_each(path: Path) -> None:
    writers = [start_writer(path, 2000) for _ in range(8)]
    output = [writer.communicate()[0] for writer in writers]

    assert [writer.returncode for writer in writers] == [0] * 8
    assert not [line for text in output for line in text.splitlines() if line.startswith("!")]
    rows = stored(path)
    assert len(rows) == 16_000
    assert sum(row["status"] == "ok" for row in rows.values()) == 8_000
    assert not (path.parent / "journal").exists()


def test_threads_share_a_ledger(ledger: Ledger, path: Path, told: list[str]) -> None:
    def one(number: int) -> None:
        row = request_row(title=str(number))
        ledger.begin(row)
        ledger.totals_by_model()
        ledger.settle(row.id, status=Status.OK, usage=Usage(number, 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(200)))

    assert sorted(row["input_tokens"] for row in stored(path).values()) == list(range(200))
    assert {row["status"] for row in stored(path).values()} == {"ok"}
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
parents = ledger._connection
child = os.fork()
ledger.begin(request_row(title="child" if child == 0 else "parent"))
if child == 0:
    of_its_own = ledger._connection is not parents
    ledger.close()
    os._exit(0 if of_its_own else 1)
assert os.waitpid(child, 0)[1] == 0
ledger.settle(before.id, status=Status.OK)
ledger.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    kept = {row["title"]: row["status"] for row in stored(path).values()}
    assert kept == {"begun before": "ok", "child": "unfinished", "parent": "unfinished"}


@pytest.mark.parametrize("acknowledged", [1, 40, 333])
def test_a_killed_process_loses_no_acknowledged_row(path: Path, acknowledged: int) -> None:
    with start_writer(path, 0) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.kill()
        lines += writer.stdout.readlines()
    said = [line.split() for line in lines if line.endswith("\n")]
    begun = {key for what, key in said if what == "begun"}
    settled = {key for what, key in said if what == "settled"}

    with Ledger(path) as ledger:
        ledger.begin(request_row())
    rows = stored(path)
    connection = sqlite3.connect(path)
    checked = connection.execute("PRAGMA quick_check").fetchone()
    connection.close()

    assert len(said) >= acknowledged
    assert begun <= set(rows)
    assert {rows[key]["status"] for key in settled} <= {"ok"}
    # At most one settled row was not yet acknowledged.
    assert sum(rows[key]["status"] == "unfinished" for key in begun) >= len(begun) - len(settled) - 1
    assert checked == ("ok",)
