from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.ledger import Ledger, database
from anyfast_nb.ledger.schema import COLUMNS, MIGRATIONS, REQUIRED
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.conftest import FakeClock, request_row, start_writer, stored


def test_rows_wait_in_the_journal_and_are_merged_when_the_ledger_works_again(
    ledger: Ledger, path: Path, told: list[str], clock: FakeClock
) -> None:
    path.mkdir(parents=True)  # what is there is no file
    ended, open_ = request_row(title="ended"), request_row(title="open")
    ledger.begin(ended)
    ledger.settle(ended.id, status=Status.OK, usage=Usage(5, 6))
    ledger.begin(open_)

    assert len(told) == 1
    assert str(path) in told[0]
    assert "journal" in told[0]
    path.rmdir()
    ledger.settle(open_.id, status=Status.OK)  # too early: it still rests
    assert not path.exists()
    clock.now += 31
    later = request_row(title="later")
    ledger.begin(later)

    assert {row["title"]: row["status"] for row in stored(path).values()} == {
        "ended": "ok",
        "open": "ok",
        "later": "unfinished",
    }
    assert stored(path)[ended.id]["output_tokens"] == 6
    assert list((path.parent / "journal").iterdir()) == []


def test_reading_merges_what_waits(path: Path, ledger: Ledger) -> None:
    path.mkdir(parents=True)
    row = request_row()
    ledger.begin(row)
    path.rmdir()

    with Ledger(path) as other:
        assert len(other.rows()) == 1
    assert set(stored(path)) == {row.id}


def test_a_locked_ledger_holds_up_one_request_and_not_the_next(
    path: Path, told: list[str], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE_S", 0.01)
    with Ledger(path, warn=told.append, clock=clock) as ledger:
        ledger.begin(request_row(title="before"))
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        held = request_row(title="held")
        ledger.begin(held)
        locker.execute("ROLLBACK")
        locker.close()
        ledger.settle(held.id, status=Status.OK)
        before_rest = {row["title"] for row in stored(path).values()}
        clock.now += 31
        ledger.begin(request_row(title="after"))

    assert before_rest == {"before"}
    assert {row["title"]: row["status"] for row in stored(path).values()} == {
        "before": "unfinished",
        "held": "ok",
        "after": "unfinished",
    }
    assert len(told) == 1
    assert "locked" in told[0]


def test_a_full_disk_loses_no_acknowledged_row(path: Path) -> None:
    with start_writer(path, 60, file_size_limit=100_000) as writer:
        assert writer.stdout is not None
        lines = writer.stdout.read().splitlines()
    acknowledged = {line.split()[1] for line in lines if line.startswith("begun ")}
    troubles = [line for line in lines if line.startswith("!")]

    assert len(acknowledged) == 60
    assert len(troubles) == 1
    assert "their rows wait in" in troubles[0]
    assert list((path.parent / "journal").iterdir())
    with Ledger(path) as ledger:
        assert len(ledger.rows()) == 60
        assert sum(total.ok for total in ledger.totals_by_model()) == 30
    assert set(stored(path)) == acknowledged


@pytest.mark.parametrize("damage", ["not a database at all" * 500, ""])
def test_a_damaged_file_is_kept_aside_and_told(path: Path, told: list[str], damage: str) -> None:
    with Ledger(path) as first:
        for _ in range(50):
            first.begin(request_row())
    damaged = damage.encode() or path.read_bytes()[:4096] + os.urandom(8192)
    path.write_bytes(damaged)

    with Ledger(path, warn=told.append) as ledger:
        row = request_row()
        ledger.begin(row)

    kept = [item for item in path.parent.glob("*.damaged-*") if not item.name.endswith(("-wal", "-shm"))]
    assert len(kept) == 1
    assert kept[0].read_bytes() == damaged
    assert set(stored(path)) == {row.id}
    assert len(told) == 1
    assert str(kept[0]) in told[0]


def test_a_file_damaged_while_it_is_open_takes_the_row_after_all(
    ledger: Ledger, path: Path, told: list[str]
) -> None:
    first, second = request_row(), request_row()
    ledger.begin(first)
    ledger.close()
    ledger.open()
    with path.open("r+b") as file:
        file.truncate(100)
    ledger.begin(second)
    ledger.settle(first.id, status=Status.OK)

    assert {key: row["status"] for key, row in stored(path).items()} == {
        first.id: "ok",
        second.id: "unfinished",
    }
    assert [text for text in told if "damaged" in text] == told
    assert len(told) == 1


def test_two_kernels_move_a_damaged_file_only_once(path: Path, told: list[str]) -> None:
    path.parent.mkdir()
    path.write_bytes(b"nonsense" * 1000)
    with Ledger(path, warn=told.append) as first, Ledger(path, warn=told.append) as second:
        first.begin(request_row())
        assert database.set_aside(path) is None
        second.begin(request_row())

    assert len(stored(path)) == 2
    assert len(told) == 1


def test_a_ledger_of_a_later_version_is_read_and_not_written(path: Path, told: list[str]) -> None:
    with Ledger(path) as old:
        old.begin(request_row(title="old"))
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE requests ADD COLUMN colour TEXT")
    connection.execute("INSERT INTO schema_version VALUES (7, 0)")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with Ledger(path, warn=told.append) as ledger:
        ledger.begin(request_row(title="new"))
        titles = [row[6] for row in ledger.rows()]

    assert titles == ["old", "new"]
    assert path.read_bytes() == before
    assert "schema 7" in told[0]
    assert "is read, not written" in told[1]
    assert "Update anyfast-nb" in told[1]
    assert len(told) == 2
    assert list((path.parent / "journal").iterdir())


def test_a_read_only_folder_is_read_and_breaks_no_request(
    open_folder: Path, told: list[str], read_only: Any
) -> None:
    path = open_folder / "ledger.sqlite3"
    with Ledger(path) as ledger:
        ledger.begin(request_row(title="kept"))

    with read_only(open_folder), Ledger(path, warn=told.append) as ledger:
        row = request_row(title="lost")
        ledger.begin(row)
        ledger.settle(row.id, status=Status.OK)
        titles = [found[6] for found in ledger.rows()]

    assert titles == ["kept"]
    assert len(told) == 1
    assert "not recorded" in told[0]
    assert "ANYFAST_HOME" in told[0]


def test_a_ledger_removed_under_a_kernel_is_made_anew(ledger: Ledger, path: Path, told: list[str]) -> None:
    first, second = request_row(), request_row()
    ledger.begin(first)
    for item in path.parent.iterdir():
        item.unlink()
    ledger.begin(second)
    ledger.settle(first.id, status=Status.OK)

    assert {key: row["status"] for key, row in stored(path).items()} == {
        second.id: "unfinished",
        first.id: "ok",
    }
    assert not told


def test_an_older_ledger_is_migrated_forward_once(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    database.migrate(connection)
    now = len(MIGRATIONS)
    longer = (*MIGRATIONS, ("ALTER TABLE requests ADD COLUMN colour TEXT",))
    database.migrate(connection, migrations=longer)
    database.migrate(connection, migrations=longer)

    table = connection.execute("PRAGMA table_info(requests)").fetchall()
    columns = [row[1] for row in table]
    versions = [row[0] for row in connection.execute("SELECT version FROM schema_version")]
    assert columns[:-1] == list(COLUMNS)
    assert {row[1] for row in table if row[3] or row[5]} == set(REQUIRED)
    assert columns[-1] == "colour"
    assert versions == [*range(1, now + 2)]
    with pytest.raises(database.NewerSchemaError):
        database.migrate(connection)
    connection.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    database.migrate(connection)
    broken = (*MIGRATIONS, ("ALTER TABLE requests ADD COLUMN colour TEXT", "no sql"))
    with pytest.raises(sqlite3.OperationalError):
        database.migrate(connection, migrations=broken)

    assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(requests)")]
    database.migrate(connection)
    connection.close()
