from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.ledger.disk.journal import Journal
from anyfast_nb.ledger.disk.schema import VERSION
from anyfast_nb.ledger.rows import Kept
from tests.ledger.conftest import request_row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def journal_in(folder: Path) -> Journal:
    return Journal(folder, ledger_name="ledger.sqlite3")


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    made = journal_in(folder)
    yield made
    made.close()


def kept(**changes: Any) -> Kept:
    return Kept("requests", request_row(**changes).record())


def ids(rows: list[Kept]) -> set[object]:
    return {row.record["id"] for row in rows}


def lines_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix == ".jsonl"]


def test_a_row_waits_and_is_handed_over_once(folder: Path, journal: Journal) -> None:
    rows = [kept(title="ä \n 中") for _ in range(3)]
    journal.append(rows[:1])
    journal.append(rows[1:])

    taken: list[Kept] = []
    other = journal_in(folder)
    assert other.pending()
    assert other.records() == rows
    assert other.merge(taken.extend)
    assert other.merge(taken.extend)

    assert taken == rows
    assert not other.pending()
    assert not lines_in(folder)


def test_only_this_user_can_read_it(folder: Path, journal: Journal) -> None:
    journal.append([kept()])
    journal.refuse([kept()])
    journal.merge(lambda rows: None)
    journal.append([kept()])

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_torn_line_spoils_only_itself(folder: Path, journal: Journal) -> None:
    row = kept()
    journal.append([kept()])
    (file,) = lines_in(folder)
    with file.open("ab") as raw:
        raw.write(b'\n{"schema": 1, "id": "abc", "ti')
    journal.append([row])

    found = journal.records()
    assert len(found) == 2
    assert found[1] == row


def test_rows_of_a_later_version_wait_for_it_and_nothing_else_waits_for_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    known = {"schema": VERSION, **request_row().record()}
    later = known | {"schema": VERSION + 1, "id": "later", "identity": "x"}
    no_row = {"schema": VERSION, "id": "x"}
    odd = known | {"title": ["a list"]}
    file = folder / "ledger.sqlite3.1-a.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in (known, later, [], no_row, odd)))

    taken: list[Kept] = []
    journal_in(folder).merge(taken.extend)

    assert [record["id"] for _, record in taken] == [known["id"]]
    assert not journal_in(folder).pending()
    (kept_file,) = lines_in(folder)
    assert json.loads(kept_file.read_text()) == later
    monkeypatch.setattr("anyfast_nb.ledger.disk.journal.VERSION", VERSION + 1)
    journal_in(folder).merge(taken.extend)
    assert [record["id"] for _, record in taken] == [known["id"], "later"]
    assert not lines_in(folder)


def test_rows_stay_when_they_cannot_be_taken(folder: Path, journal: Journal) -> None:
    first, second = kept(), kept()
    journal.append([first])

    def refuse(records: list[Kept]) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        journal.merge(refuse)
    journal.append([second])
    assert ids(journal.records()) == ids([first, second])
    taken: list[Kept] = []
    journal.merge(taken.extend)
    assert ids(taken) == ids([first, second])


def test_another_ledgers_rows_are_left_alone(folder: Path) -> None:
    for name in ("other.sqlite3", "ledger.sqlite3.old"):
        other = Journal(folder, ledger_name=name)
        other.append([kept()])
        other.close()
    assert not journal_in(folder).pending()


def test_who_writes_never_waits_for_the_store(folder: Path, journal: Journal) -> None:
    first, second, third = kept(), kept(), kept()
    other = journal_in(folder)
    journal.append([first])
    other.append([second])

    def slow(records: list[Kept]) -> None:
        # While the store is at work, with the lock of all that take over:
        journal.append([third])
        other.append([third])
        assert not journal_in(folder).merge(pytest.fail)

    journal.merge(slow)
    assert ids(journal.records()) == {third.record["id"]}
    other.close()


def test_what_a_killed_absorber_had_in_hand_is_taken_by_the_next(folder: Path, journal: Journal) -> None:
    row = kept()
    journal.append([row])
    journal.close()
    code = (
        "import os, signal, sys, pathlib\n"
        "from anyfast_nb.ledger.disk.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), ledger_name='ledger.sqlite3')\n"
        "journal.merge(lambda rows: os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)])
    assert done.returncode == -9
    assert journal.records() == [row]
    taken: list[Kept] = []
    assert journal.merge(taken.extend)
    assert taken == [row]


def test_no_row_falls_between_adding_and_merging(folder: Path) -> None:
    rows = [kept(title=str(number)) for number in range(400)]
    taken: dict[object, Kept] = {}
    seen_at_once: list[int] = []
    finished = threading.Event()

    def add() -> None:
        journal = journal_in(folder)
        for row in rows:
            journal.append([row])
        journal.close()
        finished.set()

    adder = threading.Thread(target=add)
    adder.start()
    merger, reader = journal_in(folder), journal_in(folder)
    while not finished.is_set() or merger.pending():
        merger.merge(lambda rows: taken.update({one.record["id"]: one for one in rows}))
        seen_at_once.append(len(reader.records()))
    adder.join()

    assert len(seen_at_once) > 2
    assert [taken[row.record["id"]] for row in rows] == rows
