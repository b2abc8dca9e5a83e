"""Many writers at once, and writers that are killed: every acknowledged row is there."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anyfast_nb.ledger import Ledger
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.conftest import request_row, rows_of, start_writer, stored

# Lines a writer had said when it was killed.
KILLS = [1, 1, 2, 2, 3, 3, 5, 10, 20, 40, 60, 80, 120, 160, 250, 333, 450, 600, 750, 900]


def test_eight_processes_write_a_thousand_rows_each(path: Path) -> None:
    """The benchmark `ledger_append` does it with five thousand each."""
    writers = [start_writer(path, 1000) for _ in range(8)]
    output = [writer.communicate()[0] for writer in writers]

    assert [writer.returncode for writer in writers] == [0] * 8
    assert not [line for text in output for line in text.splitlines() if line.startswith("!")]
    rows = stored(path)
    assert len(rows) == 8000
    assert sum(row["status"] == "ok" for row in rows.values()) == 4000
    assert not list((path.parent / "journal").glob("*.jsonl"))


def test_killed_writers_lose_no_acknowledged_row(path: Path) -> None:
    begun: set[str] = set()
    settled: set[str] = set()
    for acknowledged in KILLS:
        said = killed_after(acknowledged, path)
        begun |= {key for what, key in said if what == "begun"}
        settled |= {key for what, key in said if what == "settled"}

    rows = stored(path)
    connection = sqlite3.connect(path)
    checked = connection.execute("PRAGMA quick_check").fetchone()
    connection.close()

    assert len(begun) + len(settled) >= sum(KILLS)
    assert begun <= set(rows)
    assert {rows[key]["status"] for key in settled} == {"ok"}
    # Of each writer at most one row was not yet acknowledged, begun or settled.
    assert len(rows) <= len(begun) + len(KILLS)
    assert sum(row["status"] == "ok" for row in rows.values()) <= len(settled) + len(KILLS)
    assert checked == ("ok",)


def killed_after(acknowledged: int, path: Path) -> list[list[str]]:
    """What a writer said until it was killed without warning."""
    with start_writer(path, 0) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.kill()
        lines += writer.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]


def test_thirty_writers_on_postgresql(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    ledgers = []
    for number in range(30):  # each with a home of its own, as on a JupyterHub
        monkeypatch.setenv("ANYFAST_HOME", str(tmp_path / str(number)))
        ledgers.append(Ledger(postgres_url, warn=told.append, wait_s=0.05))
    assert len({ledger.path for ledger in ledgers}) == 30

    def write(ledger: Ledger) -> None:
        with ledger:
            for number in range(300):
                row = request_row(user=ledger.path.parent.name)
                ledger.begin(row)
                if number % 2:
                    ledger.settle(row.id, status=Status.OK, usage=Usage(number, 1))
            ledger.absorb()

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(write, ledgers))

    with Ledger(postgres_url) as reader:
        rows = rows_of(reader).values()
    assert len(rows) == 9000
    assert sum(row["status"] == "ok" for row in rows) == 4500
    assert {row["user_name"] for row in rows} == {str(number) for number in range(30)}
    assert not told


def test_processes_share_a_postgresql_ledger_and_a_home(postgres_url: str) -> None:
    writers = [start_writer(postgres_url, 100) for _ in range(3)]
    output = [writer.communicate()[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 3
    assert not [line for text in output for line in text.splitlines() if line.startswith("!")]
    with Ledger(postgres_url) as ledger:
        assert len(rows_of(ledger)) == 300
