"""A store that cannot take rows: they wait in the journal, one sentence tells of it, no request notices."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk import sqlite_file
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.conftest import FakeClock, held_up, in_file, request_row, rows_of, start_writer, stored


def waiting(path: Path) -> list[Path]:
    return list((path.parent / "journal").glob("*.jsonl"))


def titles(ledger: Ledger) -> list[str]:
    return sorted(row["title"] for row in rows_of(ledger).values())


def test_rows_wait_in_the_journal_and_are_merged_when_the_ledger_works_again(
    ledger: Ledger, path: Path, told: list[str]
) -> None:
    path.mkdir(parents=True)  # what is there is no file
    ended, open_ = request_row(title="ended"), request_row(title="open")
    ledger.begin(ended)
    ledger.absorb()
    ledger.settle(ended.id, status=Status.OK, usage=Usage(5, 6))
    ledger.begin(open_)
    ledger.absorb()

    assert len(told) == 1
    assert str(path) in told[0]
    assert "their rows wait in" in told[0]
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.totals_by_model()
    path.rmdir()
    ledger.settle(open_.id, status=Status.OK)
    ledger.begin(request_row(title="later"))
    ledger.absorb()

    assert {row["title"]: row["status"] for row in in_file(path).values()} == {
        "ended": "ok",
        "open": "ok",
        "later": "unfinished",
    }
    assert in_file(path)[ended.id]["output_tokens"] == 6
    assert not waiting(path)


def test_after_trouble_the_thread_rests_and_a_reading_does_not(
    ledger: Ledger, path: Path, clock: FakeClock
) -> None:
    path.mkdir(parents=True)
    ledger.begin(request_row())
    assert ledger._absorb_quietly() == 30
    path.rmdir()
    clock.now += 10
    assert ledger._absorb_quietly() == 20
    assert not path.exists()
    clock.now += 21
    assert ledger._absorb_quietly() is None
    assert len(in_file(path)) == 1

    ledger.begin(request_row())
    ledger._rest_until = clock.now + 30
    assert len(rows_of(ledger)) == 2


def test_a_locked_ledger_holds_up_no_request_and_a_reading_shows_all(
    path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.01)
    with Ledger(path, warn=told.append) as ledger:
        ledger.begin(request_row(title="before"))
        ledger.absorb()
        locker = held_up(path)
        held = request_row(title="held")
        ledger.begin(held)
        ledger.absorb()
        assert [row["title"] for row in in_file(path).values()] == ["before"]
        assert titles(ledger) == ["before", "held"]
        with ledger.readable() as place:
            assert place is None
        locker.execute("ROLLBACK")
        locker.close()
        ledger.settle(held.id, status=Status.OK)
        assert titles(ledger) == ["before", "held"]

    assert {row["title"]: row["status"] for row in in_file(path).values()} == {
        "before": "unfinished",
        "held": "ok",
    }
    assert len(told) == 1
    assert "locked" in told[0]


def test_a_full_disk_loses_no_acknowledged_row(path: Path) -> None:
    with start_writer(path, 60, file_size_limit=70_000) as writer:
        assert writer.stdout is not None
        lines = writer.stdout.read().splitlines()
    acknowledged = {line.split()[1] for line in lines if line.startswith("begun ")}

    assert len(acknowledged) == 60
    assert waiting(path)
    with Ledger(path) as ledger:
        assert sum(total.requests for total in ledger.totals_by_model()) == 60
        assert sum(total.ok for total in ledger.totals_by_model()) == 30
    assert set(in_file(path)) == acknowledged


def test_a_disk_too_full_for_the_journal_is_gone_around(ledger: Ledger, path: Path, told: list[str]) -> None:
    (path.parent).mkdir(parents=True)
    (path.parent / "journal").write_text("in the way")
    row = request_row()
    ledger.begin(row)
    ledger.settle(row.id, status=Status.OK, usage=Usage(1, 2))
    assert in_file(path)[row.id]["output_tokens"] == 2
    assert not told


@pytest.mark.parametrize("damage", ["not a database at all" * 500, ""])
def test_a_damaged_file_is_kept_aside_and_told(path: Path, told: list[str], damage: str) -> None:
    with Ledger(path) as first:
        for _ in range(50):
            first.begin(request_row())
        first.absorb()
    damaged = damage.encode() or path.read_bytes()[:4096] + os.urandom(8192)
    path.write_bytes(damaged)

    row = request_row()
    with Ledger(path, warn=told.append) as ledger:
        ledger.begin(row)
        assert list(rows_of(ledger)) == [row.id]

    kept = [item for item in path.parent.glob("*.damaged-*") if not item.name.endswith(("-wal", "-shm"))]
    assert len(kept) == 1
    assert kept[0].read_bytes() == damaged
    assert set(in_file(path)) == {row.id}
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

    assert {key: row["status"] for key, row in rows_of(ledger).items()} == {
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
        first.absorb()
        assert sqlite_file.set_aside(path) is None
        second.begin(request_row())

    assert len(stored(path)) == 2
    assert len(told) == 1


def test_a_ledger_of_a_later_version_is_read_and_not_written(path: Path, told: list[str]) -> None:
    with Ledger(path) as old:
        old.begin(request_row(title="old"))
        old.absorb()
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE requests ADD COLUMN colour TEXT")
    connection.execute("INSERT INTO schema_version VALUES (7, 0)")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with Ledger(path, warn=told.append) as ledger:
        assert titles(ledger) == ["old"]
        with ledger.readable() as place:
            assert place is None
        ledger.begin(request_row(title="new"))
        assert titles(ledger) == ["new", "old"]
        assert ledger.totals_by_model()[0].requests == 2
        with pytest.raises(LedgerError, match="schema 7"), ledger.transaction():
            pass

    assert path.read_bytes() == before
    assert "schema 7" in told[0]
    assert "is read, not written" in told[0]
    assert "Update anyfast-nb" in told[0]
    assert len(told) == 1
    assert waiting(path)


def test_a_read_only_folder_is_read_and_breaks_no_request(
    open_folder: Path, told: list[str], read_only: Any
) -> None:
    path = open_folder / "ledger.sqlite3"
    with Ledger(path) as ledger:
        ledger.begin(request_row(title="kept"))
        ledger.absorb()

    with read_only(open_folder), Ledger(path, warn=told.append) as ledger:
        row = request_row(title="lost")
        ledger.begin(row)
        ledger.settle(row.id, status=Status.OK)
        with ledger.readable() as place:
            assert place is None
        found = titles(ledger)

    assert found == ["kept"]
    assert "not recorded" in told[0]
    assert "ANYFAST_HOME" in told[0]
    assert len([text for text in told if "cost" not in text]) == 2  # the other: it is read only


def test_a_ledger_removed_under_a_kernel_is_made_anew(ledger: Ledger, path: Path, told: list[str]) -> None:
    first, second = request_row(), request_row()
    ledger.begin(first)
    ledger.absorb()
    for item in path.parent.iterdir():
        if item.is_file():
            item.unlink()
    ledger.begin(second)
    ledger.settle(first.id, status=Status.OK)

    assert {key: row["status"] for key, row in rows_of(ledger).items()} == {
        second.id: "unfinished",
        first.id: "ok",
    }
    assert not told


def test_a_journal_removed_under_a_kernel_is_made_anew(ledger: Ledger, path: Path, told: list[str]) -> None:
    first, second = request_row(), request_row()
    ledger.begin(first)
    for item in (path.parent / "journal").iterdir():
        item.unlink()
    ledger.begin(second)
    assert list(rows_of(ledger)) == [second.id]
    assert not told


def test_one_row_that_the_store_refuses_holds_up_no_other(
    ledger: Ledger, path: Path, told: list[str]
) -> None:
    ledger.open()
    with ledger.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON requests WHEN NEW.title = 'no' "
            "BEGIN SELECT RAISE(ABORT, 'no such titles'); END"
        )
    for title in ("one", "no", "two"):
        ledger.begin(request_row(title=title))
    assert titles(ledger) == ["one", "two"]
    (kept,) = (path.parent / "journal").glob("*.refused")
    assert '"title": "no"' in kept.read_text()
    assert len(told) == 1
    assert str(kept) in told[0]
    assert not waiting(path)
