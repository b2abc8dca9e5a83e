"""Rows to disk and back: one connection a process, a journal for trouble, and readers of their own."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger import database
from anyfast_nb.ledger.journal import Journal
from anyfast_nb.ledger.location import ledger_path
from anyfast_nb.ledger.rows import Kept, Record
from anyfast_nb.ledger.schema import TABLES

_log = logging.getLogger("anyfast_nb.ledger")

_TROUBLES = (sqlite3.Error, OSError, LedgerError)
# After trouble the rows go straight to the journal for a while: a request must
# not wait for a locked or unreachable file again and again.
_REST_S = 30.0
_SLOW_S = 0.002
_SLOW_WRITES = 5


class Durable:
    """Tables whose rows are on disk when they are acknowledged; trouble never reaches the caller.

    Each write is one SQLite transaction. When the file cannot take it, the row
    goes to the journal beside it, ``warn`` is told once, and the row is merged
    when the file works again. Safe for threads, processes and forks.

    Args:
        place: a path or a ``sqlite:///`` URL; by default the ledger of the state folder.
        warn: is told of trouble, once for each kind.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        place: str | Path | None = None,
        *,
        warn: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = ledger_path(place)
        self._warn = warn
        self._clock = clock
        self._told: set[str] = set()
        self._inherited: list[object] = []
        self._start()

    def open(self) -> None:
        """Open the file ahead of the first request, and merge what waits in the journal."""
        with self._held(), contextlib.suppress(*_TROUBLES):
            self._connected()

    def close(self) -> None:
        """Let go of the files; the ledger opens again when it is used."""
        with self._held():
            self._disconnect()
            self._journal.close()

    def __del__(self) -> None:  # of a client that nobody closed: Python would warn of an open database
        with contextlib.suppress(Exception):
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- one process, one connection ------------------------------------------------------

    def _start(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._journal = Journal(self.path.parent / "journal", ledger_name=self.path.name)
        self._rest_until = float("-inf")
        self._trouble: Exception = LedgerError("the ledger is not open")
        self._slow_writes = 0

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        if os.getpid() != self._pid:
            # After a fork: SQLite forbids even closing the parent's connection here.
            self._inherited.append((self._connection, self._journal))
            self._start()
        with self._lock:
            yield

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity != _identity(self.path):
            # Removed or replaced under us: what went there now would be lost.
            self._disconnect()
        if self._connection is None:
            if self._clock() < self._rest_until:
                raise self._trouble
            try:
                self._connection = self._opened()
            except _TROUBLES as trouble:
                self._rest(trouble)
                raise
            self._identity = _identity(self.path)
            self._merge(self._connection)
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        try:
            return database.open_writer(self.path)
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return database.open_writer(self.path)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rest(self, trouble: Exception) -> None:
        self._disconnect()
        self._trouble = trouble
        self._rest_until = self._clock() + _REST_S

    # --- writing --------------------------------------------------------------------------

    def _write(self, record: Record, *, table: str = "requests") -> None:
        kept = Kept(table, record)
        with self._held():
            try:
                self._store(kept)
            except _TROUBLES as trouble:
                self._to_journal(kept, trouble)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """What is read and written in it, no other kernel changes meanwhile.

        Raises:
            sqlite3.Error, OSError, LedgerError: the file cannot take it; nothing was written.
        """
        with self._held():
            connection = self._connected()
            if self._journal.pending():
                self._merge(connection)
            connection.execute("BEGIN IMMEDIATE")  # a deferred one may fail when it comes to write
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def _store(self, kept: Kept) -> None:
        connection = self._connected()
        try:
            self._upsert(connection, kept)
        except sqlite3.Error as error:
            self._recover(error)
            self._upsert(self._connected(), kept)

    def _recover(self, error: sqlite3.Error) -> None:
        try:
            self._disconnect()
            self._set_aside(error)
        except _TROUBLES as trouble:
            self._rest(trouble)
            raise

    def _upsert(self, connection: sqlite3.Connection, kept: Kept) -> None:
        started = self._clock()
        connection.execute(TABLES[kept.table].upsert, kept.record)
        took_s = self._clock() - started
        # On a disk that is slow to sync, a row still survives the death of the
        # process at once; only a power cut could take the last ones.
        self._slow_writes = self._slow_writes + 1 if took_s > _SLOW_S else 0
        if self._slow_writes == _SLOW_WRITES and _is_wal(connection):
            connection.execute("PRAGMA synchronous = NORMAL")

    def _to_journal(self, kept: Kept, trouble: Exception) -> None:
        try:
            self._journal.append(kept.record, table=kept.table)
        except OSError as error:
            self._tell(
                "lost",
                f"Requests go on, but are not recorded: the ledger {self.path} cannot be written "
                f"({_reason(trouble)}), nor the journal {self._journal.folder} ({_reason(error)}). "
                "Make the folder writable, or set ANYFAST_HOME to one that is.",
            )
        else:
            self._tell(
                "journal",
                f"The ledger {self.path} cannot be written ({_reason(trouble)}). Requests go on; "
                f"their rows wait in {self._journal.folder} and are merged when it works again.",
            )

    def _merge(self, connection: sqlite3.Connection) -> None:
        def store(records: list[Kept]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            try:
                database.put(connection, records)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

        try:
            self._journal.merge(store)
        except _TROUBLES as trouble:
            self._tell(
                "merge",
                f"Rows in {self._journal.folder} could not be merged into the ledger yet "
                f"({_reason(trouble)}); they are kept and shown.",
            )

    def _set_aside(self, error: sqlite3.Error) -> None:
        """Put a damaged file away, or raise ``error`` if that is not what it says."""
        if not database.is_damage(error):
            raise error
        kept = database.set_aside(self.path)
        if kept is not None:
            text = f"The ledger {self.path} was damaged. It is kept as {kept}; a new one was begun."
            self._tell(f"damaged {kept}", text)

    def _tell(self, kind: str, text: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._warn(text)

    # --- reading --------------------------------------------------------------------------

    def _read(self, statement: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._reader() as reader:
                return reader.execute(statement, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"The ledger {self.path} cannot be read: {_reason(error)}.",
                hint="`%anyfast doctor` shows where it is; set ANYFAST_HOME to use another folder.",
            ) from error

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        # A connection of its own: a long reading holds up no request.
        if self.path.exists() or self._journal.pending():
            self._catch_up()
        if self._journal.pending() or not self.path.exists() or database.is_older(self.path):
            reader = database.in_memory(self.path, self._journal.records())
        else:
            reader = database.open_reader(self.path)
        try:
            yield reader
        finally:
            reader.close()

    def _catch_up(self) -> None:
        with self._held():
            try:
                connection = self._connected()
            except database.NewerSchemaError as newer:
                text = f"The ledger {self.path} is read, not written: {newer.message}. {newer.hint}"
                self._tell("newer", text)
            except _TROUBLES:
                return
            else:
                # Opening has merged already; it may have been open, and rows came since.
                if self._journal.pending():
                    self._merge(connection)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_wal(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
