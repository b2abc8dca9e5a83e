"""The store of a ledger through SQLAlchemy: one interface, for a SQLite file and for PostgreSQL.

Imported with the first row that is taken over, never before a request.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Insert, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, Pool, StaticPool

from anyfast_nb.ledger.disk import sqlite_file
from anyfast_nb.ledger.disk.mounts import remote_advice
from anyfast_nb.ledger.disk.schema import TABLES
from anyfast_nb.ledger.disk.tables import METADATA, upsert

if TYPE_CHECKING:
    from anyfast_nb.ledger.rows import Kept, Record

_BATCH: Final = 500

Tell = Callable[[str, str], None]
"""Hears of something once: its kind, and the sentence."""


class Store(ABC):
    """Where the rows are in the end. Safe for threads; after a fork a child makes its own."""

    @abstractmethod
    def ready(self) -> None:
        """Open, create and migrate it as needed.

        Raises:
            SQLAlchemyError, sqlite3.Error, OSError, LedgerError: it cannot be written.
        """

    @abstractmethod
    def writing(self) -> contextlib.AbstractContextManager[Connection]:
        """One transaction in which nobody else writes what it has read; made ready first.

        Raises:
            SQLAlchemyError, sqlite3.Error, OSError, LedgerError: it cannot be written; nothing was.
        """

    @abstractmethod
    def reading(self, waiting: Callable[[], Iterable[Kept]]) -> contextlib.AbstractContextManager[Connection]:
        """What is stored, as of one moment, and what waits, where the store can show the two together.

        Raises:
            SQLAlchemyError, sqlite3.Error, OSError, LedgerError: it cannot be read.
        """

    @abstractmethod
    def readable(self) -> contextlib.AbstractContextManager[str | None]:
        """A URL for ADBC, None if there is none; it holds inside."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections; it opens again when it is used."""

    def put(self, records: Sequence[Kept]) -> None:
        """Store records for good, all or none; twice is once, and their order says nothing."""
        with self.writing() as connection:
            put(connection, records)


def put(connection: Connection, records: Iterable[Kept]) -> None:
    """Write records into their tables, in the caller's transaction."""
    by_table: dict[str, list[Record]] = {}
    for name, record in records:
        by_table.setdefault(name, []).append(record)
    for name in (known for known in TABLES if known in by_table):
        # By key, so that two writers never wait for each other; of one row the order stays.
        rows = sorted(by_table[name], key=lambda record: str(record[TABLES[name].columns[0]]))
        for start in range(0, len(rows), _BATCH):
            _put(connection, name, rows[start : start + _BATCH])


def _put(connection: Connection, name: str, rows: list[Record]) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(_upsert(name), rows)
    else:
        data = json.dumps(rows).replace("\\u0000", "")  # PostgreSQL takes no NUL
        connection.execute(_call(name), {"rows": data})


@cache
def _upsert(name: str) -> Insert:
    return upsert(METADATA.tables[name], dialect="sqlite")


@cache
def _call(name: str) -> Any:
    return text(f"SELECT anyfast.put_{name}(CAST(:rows AS jsonb))")


class SqliteStore(Store):
    """A file: one connection that writes, under a lock, and a new one for each reading.

    Args:
        path: of the file; made when first written.
        tell: hears what became of a damaged, an older or a remote file.
    """

    def __init__(self, path: Path, *, tell: Tell) -> None:
        self._path = path
        self._tell = tell
        self._lock = threading.RLock()
        self._readers = _engine(lambda: sqlite_file.open_reader(path), pool=NullPool)
        self._writer: Engine | None = None
        self._opened_file: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._log: tuple[int, int] | None = None
        self._size_bytes = 0
        _STORES.add(self)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """See `Store.writing`."""
        with self._lock:
            with self._ready().begin() as connection:
                yield connection
            self._log = self._found_log()

    def put(self, records: Sequence[Kept]) -> None:
        """See `Store.put`; a file that shows itself damaged is set aside, and a new one takes them."""
        try:
            super().put(records)
        except (DBAPIError, sqlite3.Error) as error:
            self._repair(error)
            super().put(records)

    @contextlib.contextmanager
    def reading(self, waiting: Callable[[], Iterable[Kept]]) -> Iterator[Connection]:
        """See `Store.reading`."""
        # What waits is looked at before the file: whatever leaves the journal meanwhile is in the file.
        records = list(waiting())
        alone = self._is_current() and not records
        engine = self._readers if alone else self._copy(records)
        try:
            with engine.begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            with contextlib.suppress(type(error)):
                self._repair(error)
            raise
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def readable(self) -> Iterator[str | None]:
        """See `Store.readable`; it is of a copy, see `sqlite_file.copy_file`."""
        if not self._is_current():
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="anyfast-ledger-", ignore_cleanup_errors=True) as folder:
            copy = Path(folder) / self._path.name
            found: str | None = f"{copy.as_uri()}?mode=ro"
            try:
                sqlite_file.copy_file(self._path, copy)
            except (sqlite3.Error, OSError):  # no room for it, perhaps: there is another way to read
                found = None
            yield found

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            if self._writer is not None:
                self._writer.dispose()
                self._writer = None
            if self._opened_file is not None:
                self._opened_file.close()  # an engine that was never used does not know it
                self._opened_file = None

    def holds(self, path: Path) -> bool:
        """Has it that file open?"""
        return self._writer is not None and sqlite_file.identity(path)[0] == self._identity

    def hold(self) -> None:
        """Let go of the file, and of all that is done with it, until `go_on`: a fork comes."""
        self._lock.acquire()
        self.close()

    def go_on(self) -> None:
        """After `hold`."""
        self._lock.release()

    def ready(self) -> None:
        """See `Store.ready`; a damaged file is set aside."""
        with self._lock:
            self._ready()

    def _ready(self) -> Engine:
        found, size_bytes = sqlite_file.identity(self._path)
        if found != self._identity or size_bytes < self._size_bytes or self._found_log() != self._log:
            self.close()  # removed, replaced or cut off under us: what went there now would be lost
        self._size_bytes = size_bytes
        if self._writer is None:
            connection = self._opened_file = self._opened()
            self._writer = _engine(lambda: connection, begin="BEGIN IMMEDIATE")
            self._identity, self._size_bytes = sqlite_file.identity(self._path)
            self._log = self._found_log()
            if advice := remote_advice(self._path):
                self._tell("network", advice)
        return self._writer

    def _found_log(self) -> tuple[int, int] | None:
        """Which log is there: where our locks were taken from us, another kernel may have removed ours."""
        return sqlite_file.identity(self._path.with_name(f"{self._path.name}-wal"))[0]

    def _opened(self) -> sqlite3.Connection:
        def tell(words: str) -> None:
            self._tell("migrated", words)

        try:
            return sqlite_file.open_writer(self._path, tell=tell)
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return sqlite_file.open_writer(self._path, tell=tell)

    def _is_current(self) -> bool:
        """Is there a file with all the tables? One that is damaged is set aside."""
        try:
            return self._path.exists() and sqlite_file.is_current(self._path)
        except sqlite3.DatabaseError as error:
            self._repair(error)
            return False

    def _repair(self, error: Exception) -> None:
        with self._lock:
            self.close()
            self._set_aside(error)

    def _set_aside(self, error: Exception) -> None:
        """Put a damaged file away, or raise ``error`` if that is not what it says."""
        said = error.orig if isinstance(error, DBAPIError) else error
        if not sqlite_file.is_damage(said):
            raise error
        kept = sqlite_file.set_aside(self._path)
        if kept is not None:
            words = f"The ledger {self._path} was damaged. It is kept as {kept}; a new one was begun."
            self._tell(f"damaged {kept}", words)

    def _copy(self, records: list[Kept]) -> Engine:
        copied = sqlite_file.open_copy(self._path)
        memory = _engine(lambda: copied)
        with memory.begin() as connection:
            put(connection, records)
        return memory


_STORES: Final[WeakSet[SqliteStore]] = WeakSet()
_HELD: Final[list[SqliteStore]] = []


def is_open_here(path: Path) -> bool:
    """Has this process that SQLite file open? Then nothing but SQLite itself may open it; see `copy_file`."""
    return any(store.holds(path) for store in list(_STORES))


def _before_fork() -> None:
    # SQLite takes what a child inherits for its own, locks included: the child would write without any.
    for store in list(_STORES):
        store.hold()
        _HELD.append(store)


def _after_fork() -> None:
    while _HELD:
        _HELD.pop().go_on()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def _engine(
    opened: Callable[[], sqlite3.Connection], *, begin: str = "BEGIN", pool: type[Pool] = StaticPool
) -> Engine:
    """An engine over connections in autocommit mode: its transactions begin as ``begin`` says."""
    # Python's own BEGIN is deferred: read, then write in such a one may fail whatever the patience.
    engine = create_engine("sqlite://", creator=opened, poolclass=pool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
