from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from anyfast_nb.ledger.journal import Journal
from anyfast_nb.ledger.rows import Kept
from anyfast_nb.ledger.schema import VERSION
from tests.ledger.conftest import request_row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def journal_in(folder: Path) -> Journal:
    return Journal(folder, ledger_name="ledger.sqlite3")


def test_a_row_waits_and_is_handed_over_once(folder: Path) -> None:
    journal, rows = journal_in(folder), [request_row(title="ä \n 中").record() for _ in range(3)]
    for row in rows:
        journal.append(row)
    journal.close()

    taken: list[Kept] = []
    other = journal_in(folder)
    assert other.pending()
    assert list(other.records()) == [Kept("requests", row) for row in rows]
    other.merge(taken.extend)
    other.merge(taken.extend)

    assert [record for _, record in taken] == rows
    assert not other.pending()


def test_only_this_user_can_read_it(folder: Path) -> None:
    journal = journal_in(folder)
    journal.append(request_row().record())
    journal.close()

    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_torn_line_spoils_only_itself(folder: Path) -> None:
    journal, row = journal_in(folder), request_row().record()
    journal.append(request_row().record())
    (file,) = folder.iterdir()
    with file.open("ab") as raw:
        raw.write(b'\n{"schema": 1, "id": "abc", "ti')
    journal.append(row)
    journal.close()

    found = list(journal.records())
    assert len(found) == 2
    assert found[1].record == row


def test_rows_of_a_later_version_wait_for_it(folder: Path) -> None:
    folder.mkdir()
    file = folder / "ledger.sqlite3.1-a.jsonl"
    known = {"schema": VERSION, **request_row().record()}
    later = {"schema": VERSION + 1, "identity": "x"}
    no_row = {"schema": VERSION, "id": "x"}
    odd = known | {"title": ["a list"]}
    file.write_text("\n".join(json.dumps(line) for line in (known, later, [], no_row, odd)))

    taken: list[Kept] = []
    journal_in(folder).merge(taken.extend)

    assert [record["id"] for _, record in taken] == [known["id"]]
    assert file.exists()


def test_rows_stay_when_they_cannot_be_taken(folder: Path) -> None:
    journal = journal_in(folder)
    journal.append(request_row().record())

    def refuse(records: list[Kept]) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        journal.merge(refuse)
    assert len(list(journal.records())) == 1
    journal.close()


def test_another_ledgers_rows_are_left_alone(folder: Path) -> None:
    other = Journal(folder, ledger_name="other.sqlite3")
    other.append(request_row().record())
    other.close()
    assert not journal_in(folder).pending()


def test_no_row_falls_between_adding_and_merging(folder: Path) -> None:
    rows = [request_row(title=str(number)).record() for number in range(400)]
    taken: dict[object, Kept] = {}
    finished = threading.Event()

    def add() -> None:
        journal = journal_in(folder)
        for row in rows:
            journal.append(row)
        journal.close()
        finished.set()

    adder = threading.Thread(target=add)
    adder.start()
    merger = journal_in(folder)
    merges = 0
    while not finished.is_set() or merger.pending():
        merger.merge(lambda rows: taken.update({kept.record["id"]: kept for kept in rows}))
        merges += 1
    adder.join()

    assert merges > 2
    assert [taken[row["id"]].record for row in rows] == rows
