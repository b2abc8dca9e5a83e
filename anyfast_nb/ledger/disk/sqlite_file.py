"""The SQLite file itself: opening, migrating with a backup, reading beside writers, setting aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from anyfast_nb.ledger.disk.migrations import migrate, version_of
from anyfast_nb.ledger.disk.mounts import is_network
from anyfast_nb.ledger.disk.schema import VERSION

PATIENCE_S = 5.0
"""So long a connection waits for the lock of another."""


def open_writer(path: Path, *, tell: Callable[[str], None] = lambda text: None) -> sqlite3.Connection:
    """Open the ledger for writing; create and migrate it as needed.

    Args:
        path: of the file.
        tell: hears where the backup of a migrated file is.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
        NewerSchemaError: it belongs to a later version.
    """
    _prepare_file(path)
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        # First, so that a damaged or newer file stays as it is.
        if 0 < version_of(connection) < VERSION:
            tell(
                f"The ledger {path} is brought to schema {VERSION}; as it was it is kept as {_backup(path)}."
            )
        migrate(connection)
        set_journal_mode(connection, "DELETE" if is_network(path) else "WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open an existing ledger for reading only."""
    connection = _reading(f"{path.resolve().as_uri()}?mode=ro")
    try:
        version_of(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise
        # In a folder that cannot be written SQLite finds no place for its shared
        # memory. Nobody else writes there either.
        return _reading(f"{path.resolve().as_uri()}?mode=ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def open_copy(path: Path) -> sqlite3.Connection:
    """A copy of the ledger in memory, of this version: for records that the file cannot take."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        if path.exists():
            with contextlib.closing(open_reader(path)) as disk:
                disk.backup(memory)
        if version_of(memory) < VERSION:
            migrate(memory)
    except BaseException:
        memory.close()
        raise
    return memory


def copy_file(path: Path, target: Path) -> None:
    """A copy of an existing ledger as a new file: for whoever must not open the ledger itself.

    Another library in this process that opens the ledger's file takes our locks away when it closes it:
    so the system wants it, for all of a process at once. Another kernel then takes itself for the last one
    and removes the log that we go on writing to.

    Args:
        path: of the ledger.
        target: is made.

    Raises:
        sqlite3.Error, OSError: it cannot be read, or there is no room.
    """
    _prepare_file(target)
    with (
        contextlib.closing(open_reader(path)) as disk,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")  # it is read once
        disk.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def is_current(path: Path) -> bool:
    """Whether the file has all the tables of this version; a later one has them too."""
    with contextlib.closing(open_reader(path)) as reader:
        return version_of(reader) >= VERSION


def identity(path: Path) -> tuple[tuple[int, int] | None, int]:
    """Which file is at a path, None is none, and its size in bytes."""
    try:
        found = path.stat()
    except OSError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size


def set_journal_mode(
    connection: sqlite3.Connection,
    mode: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Set SQLite's journal mode, waiting for other kernels that open the ledger at the same moment."""
    deadline = clock() + PATIENCE_S
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


def is_damage(error: BaseException | None) -> bool:
    """Whether an error says that the file is no database, or a broken one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def set_aside(path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Path | None:
    """Move a damaged ledger aside and keep it; None if the file at ``path`` is in order.

    It is looked at afresh: another kernel may have put a new one there already.
    """
    try:
        with contextlib.closing(open_reader(path)) as reader:
            if reader.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                return None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    kept = path.with_name(f"{path.name}.damaged-{now():%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.replace(kept.with_name(kept.name + suffix))
    return kept


def _reading(address: str) -> sqlite3.Connection:
    return sqlite3.connect(
        address, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
    )


def _backup(path: Path) -> Path:
    """A copy of the file as it is, made by SQLite itself: what is in its log comes along."""
    kept = path.with_name(f"{path.name}.before-v{VERSION}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    partial = kept.with_name(f".{kept.name}.partial")
    _prepare_file(partial)
    try:
        with (
            contextlib.closing(open_reader(path)) as disk,
            contextlib.closing(sqlite3.connect(partial)) as copy,
        ):
            disk.backup(copy)
        partial.replace(kept)
    finally:
        partial.unlink(missing_ok=True)
    return kept


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
