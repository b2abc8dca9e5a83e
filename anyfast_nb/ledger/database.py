"""The SQLite file itself: opening, migrating, reading beside writers, setting a damaged one aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger.mounts import is_network
from anyfast_nb.ledger.schema import MIGRATIONS, TABLES, VERSION

if TYPE_CHECKING:
    from anyfast_nb.ledger.rows import Kept

_PATIENCE_S = 5.0


class NewerSchemaError(LedgerError):
    """The ledger was written by a later version of this package: it is read, never written."""


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the ledger for writing; create and migrate it as needed.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
        NewerSchemaError: it belongs to a later version.
    """
    _prepare_file(path)
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        # First, so that a damaged or newer file stays as it is.
        migrate(connection)
        set_journal_mode(connection, "DELETE" if is_network(path) else "WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open an existing ledger for reading only."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
    try:
        _version(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise
        # In a folder that cannot be written SQLite finds no place for its shared
        # memory. Nobody else writes there either.
        return sqlite3.connect(address + "&immutable=1", uri=True, isolation_level=None)
    except BaseException:
        connection.close()
        raise
    return connection


def in_memory(path: Path, records: Iterable[Kept]) -> sqlite3.Connection:
    """A copy of the ledger with ``records`` merged in, for when they cannot be written to the file."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    migrate(memory)
    memory.execute("BEGIN")
    if path.exists():
        disk = open_reader(path)
        try:
            _copy(disk, memory)
        finally:
            disk.close()
    put(memory, records)
    memory.execute("COMMIT")
    return memory


def put(connection: sqlite3.Connection, records: Iterable[Kept]) -> None:
    """Write records into their tables."""
    for table, record in records:
        connection.execute(TABLES[table].upsert, record)


def is_older(path: Path) -> bool:
    """Whether the file has a schema older than this version's: its newer tables are not there."""
    reader = open_reader(path)
    try:
        return _version(reader) < VERSION
    finally:
        reader.close()


def _copy(disk: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    """All rows of a file of any version, as far as its columns are known here."""
    for table in TABLES.values():
        there = {row[1] for row in disk.execute(f"PRAGMA table_info({table.name})")}
        columns = [name for name in table.columns if name in there]
        if columns:
            empty = dict.fromkeys(table.columns)
            found = disk.execute(f"SELECT {', '.join(columns)} FROM {table.name}")  # noqa: S608
            rows = (empty | dict(zip(columns, row, strict=True)) for row in found)
            memory.executemany(table.upsert, rows)


def migrate(connection: sqlite3.Connection, *, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring the tables to the version of ``migrations``; forward only.

    Raises:
        NewerSchemaError: the ledger is already beyond it.
    """
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _move_forward(connection, migrations)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _move_forward(connection: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...]) -> None:
    # Read again under the lock: another kernel may have migrated meanwhile.
    version = _version(connection)
    if version > len(migrations):
        raise NewerSchemaError(
            f"it has schema {version}, and this version of anyfast-nb knows {len(migrations)}",
            hint="Update anyfast-nb.",
        )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, time_us INTEGER)"
    )
    for number, statements in enumerate(migrations[version:], start=version + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_version VALUES (?, ?)", (number, time.time_ns() // 1000))


def set_journal_mode(
    connection: sqlite3.Connection,
    mode: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Set SQLite's journal mode, waiting for other kernels that open the ledger at the same moment."""
    deadline = clock() + _PATIENCE_S
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            # The busy timeout does not cover a change of mode.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or clock() > deadline:
                raise
            sleep(0.01)
        else:
            return


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is no database, or a broken one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def set_aside(path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Path | None:
    """Move a damaged ledger aside and keep it; None if the file at ``path`` is in order.

    It is looked at afresh: another kernel may have put a new one there already.
    """
    try:
        reader = open_reader(path)
        try:
            if reader.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                return None
        finally:
            reader.close()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    kept = path.with_name(f"{path.name}.damaged-{now():%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.replace(kept.with_name(kept.name + suffix))
    return kept


def _version(connection: sqlite3.Connection) -> int:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
    if known is None:
        return 0
    return int(connection.execute("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetchone()[0])


def _prepare_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Only a file that did not exist is opened here: closing any other would
        # drop the locks that SQLite holds on it in this process.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)
