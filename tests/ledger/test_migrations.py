"""Ledgers of earlier versions: brought forward, with a backup, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.migrations import STEPS, NewerSchemaError, migrate, version_of
from anyfast_nb.ledger.disk.schema import TABLES, VERSION
from anyfast_nb.ledger.disk.tables import METADATA
from tests.ledger.conftest import in_file, request_row, rows_of, stored
from tests.ledger.test_jobs import job_row

OLDER = [1, 2, 3]


def older(path: Path, version: int) -> dict[str, dict[str, dict[str, Any]]]:
    """A ledger as an earlier version left it, its last rows still in SQLite's own log; all of its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, steps=STEPS[:version])
    connection.execute("PRAGMA journal_mode = WAL")
    records: dict[str, list[dict[str, Any]]] = {
        "requests": [dict(request_row(title=f"old {number}").record()) for number in range(3)]
    }
    if version > 1:
        asked = records["requests"][0]
        job = job_row(request_row=asked["id"], task_id="t1", tokens=108_900, video_s=5.0)
        records["jobs"] = [dict(job.record())]
        records["job_events"] = [dict(job.event().record())]
        asset = dict.fromkeys(TABLES["assets"].columns, "x") | {"created_us": 1}
        records["assets"] = [asset]
        records["forgotten_assets"] = [{"asset_id": "y", "time_us": 2}]
    kept: dict[str, dict[str, dict[str, Any]]] = {}
    for table, rows in records.items():
        known = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for row in rows:
            old = {name: row[name] for name in known}
            marks = ", ".join("?" * len(old))
            connection.execute(f"INSERT INTO {table} ({', '.join(old)}) VALUES ({marks})", [*old.values()])
            kept.setdefault(table, {})[str(old[known[0]])] = old
    # Left as a killed kernel leaves it: not closed, so the log is not merged into the file.
    LEFT_OPEN.append(connection)
    return kept


LEFT_OPEN: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    while LEFT_OPEN:
        LEFT_OPEN.pop().close()


@pytest.mark.parametrize("version", OLDER)
def test_an_older_ledger_is_brought_forward_and_nothing_is_lost(
    path: Path, told: list[str], version: int
) -> None:
    before = older(path, version)
    with Ledger(path, warn=told.append) as ledger:
        ledger.begin(request_row(title="new"))
        after = {table: rows_of(ledger, table) for table in before}
        fresh = [row for row in after["requests"].values() if row["title"] == "new"]
        assert len(fresh) == 1
        assert len(after["requests"]) == 4
        for table, rows in before.items():
            for key, row in rows.items():
                figures = {"output_tokens"} if table == "requests" else set()
                assert {name: after[table][key][name] for name in row.keys() - figures} == {
                    name: row[name] for name in row.keys() - figures
                }
        assert ledger.jobs() == [] if version == 1 else len(ledger.jobs()) == 1

    (backup,) = path.parent.glob(f"ledger.sqlite3.before-v{VERSION}-*")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert len(told) == 1
    assert str(backup) in told[0]
    with contextlib.closing(sqlite3.connect(backup)) as old:
        assert version_of(old) == version
        assert old.execute("PRAGMA quick_check").fetchone() == ("ok",)
        for table, rows in before.items():
            assert old.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (len(rows),)


@pytest.mark.parametrize("version", [2, 3])
def test_what_a_film_used_moves_into_the_row_of_its_request(path: Path, version: int) -> None:
    before = older(path, version)
    with Ledger(path, warn=lambda text: None) as ledger:
        (job,) = ledger.jobs()
        asked = rows_of(ledger)[str(job.request_row)]
        assert (asked["output_tokens"], asked["video_s"], asked["job"]) == (108_900, 5.0, job.id)
        others = [row for key, row in rows_of(ledger).items() if key != job.request_row]
        assert {(row["output_tokens"], row["video_s"], row["job"]) for row in others} == {(None, None, None)}
        assert sum(total.output_tokens or 0 for total in ledger.totals_by_model()) == 108_900
    assert str(job.id) in before["jobs"]


@pytest.mark.parametrize("version", [0, *OLDER])
def test_every_way_ends_at_the_same_tables(tmp_path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        if version:
            migrate(connection, steps=STEPS[:version])
        migrate(connection)
        migrate(connection)
        for table in METADATA.sorted_tables:
            found = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
            required = {column.name for column in table.columns if not column.nullable}
            assert {row[1] for row in found} == {column.name for column in table.columns}
            assert {row[1] for row in found if row[3] or row[5]} == required
            listed = connection.execute(f"PRAGMA index_list({table.name})").fetchall()
            indexes = {row[1] for row in listed if row[3] == "c"}
            assert indexes == {str(index.name) for index in table.indexes}
        versions = [row[0] for row in connection.execute("SELECT version FROM schema_version ORDER BY 1")]
        assert versions == [*range(1, VERSION + 1)]


def test_the_names_are_those_of_the_tables() -> None:
    for name, table in TABLES.items():
        columns = METADATA.tables[name].columns
        assert table.columns == tuple(column.name for column in columns)
        assert table.required == tuple(column.name for column in columns if not column.nullable)
    assert len(STEPS) == VERSION


def test_a_step_further_is_taken_once_and_no_way_leads_back(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        migrate(connection)
        longer = (*STEPS, ("ALTER TABLE requests ADD COLUMN colour TEXT",))
        migrate(connection, steps=longer)
        migrate(connection, steps=longer)
        assert version_of(connection) == VERSION + 1
        with pytest.raises(NewerSchemaError, match="the ledger has schema"):
            migrate(connection)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as connection:
        migrate(connection)
        broken = (*STEPS, ("ALTER TABLE requests ADD COLUMN colour TEXT", "no sql"))
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, steps=broken)

        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(requests)")]
        assert version_of(connection) == VERSION


def test_a_new_ledger_needs_no_backup(ledger: Ledger, path: Path, told: list[str]) -> None:
    ledger.begin(request_row())
    ledger.absorb()
    assert not list(path.parent.glob("*before*"))
    assert not told


@pytest.mark.parametrize("version", OLDER)
def test_an_older_ledger_that_cannot_be_written_is_read(
    open_folder: Path, told: list[str], read_only: Any, version: int
) -> None:
    path = open_folder / "ledger.sqlite3"
    older(path, version)
    LEFT_OPEN.pop().close()
    with read_only(open_folder), Ledger(path, warn=told.append) as ledger:
        assert ledger.totals_by_model()[0].requests == 3
        assert len(ledger.jobs()) == (version > 1)
        with ledger.readable() as place:
            assert place is None
    assert not list(open_folder.glob("*before*"))


def test_an_older_kernels_journal_is_merged(path: Path) -> None:
    old = {name: value for name, value in request_row(title="waits").record().items() if value is not None}
    folder = path.parent / "journal"
    folder.mkdir(parents=True)
    line = json.dumps({"schema": 1, **old})
    (folder / "ledger.sqlite3.1-a.jsonl").write_text(f"\n{line}\n")
    assert stored(path)[str(old["id"])]["title"] == "waits"
    assert not list(folder.glob("*.jsonl"))
    assert len(in_file(path)) == 1
