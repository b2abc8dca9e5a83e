"""Rows to disk and back: journal first, then the store; trouble never reaches a request."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import ref

from anyfast_nb.errors import AnyFastError, ConfigError, LedgerError
from anyfast_nb.ledger.disk.absorber import WAIT_S, Absorber
from anyfast_nb.ledger.disk.journal import Journal
from anyfast_nb.ledger.disk.leaving import leave
from anyfast_nb.ledger.disk.location import locate
from anyfast_nb.wire.text import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from anyfast_nb.ledger.disk.engine import Store
    from anyfast_nb.ledger.rows import Kept

_log = logging.getLogger("anyfast_nb.ledger")

# After trouble the absorber leaves the store alone for a while.
_REST_S: Final = 30.0
# So long a reading waits while another kernel takes the journal over.
_PATIENCE_S: Final = 5.0
_MANY: Final = 2000


class Durable:
    """Tables whose rows are on disk when they are acknowledged; trouble never reaches the caller.

    Each write is one synced line in this process's journal. A thread takes the
    lines over into the store, a SQLite file or PostgreSQL, a moment later; each
    reading does so first. When the store cannot take them, ``warn`` is told
    once, and they wait. Safe for threads, processes and forks.

    Args:
        place: a path, a ``sqlite:///`` or a ``postgresql://`` URL; by default the ledger of the state folder.
        warn: is told of trouble, once for each kind; perhaps from another thread.
        clock: monotonic seconds.
        wait_s: seconds from a write to its taking over.

    Attributes:
        dialect: ``sqlite`` or ``postgresql``.
        shared: whether others write to it: then no titles and no prompts are kept.
        place: what a person is shown: the path, or the URL without password.
        path: of the file; for PostgreSQL a name in the state folder, beside which journal and locks lie.
    """

    _absorber: Absorber | None
    _at_exit: Callable[[], None] | None
    _loaded: Store | None
    _trouble: Exception

    def __init__(
        self,
        place: str | Path | None = None,
        *,
        warn: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.monotonic,
        wait_s: float = WAIT_S,
    ) -> None:
        self._location = locate(place)
        self.dialect = self._location.dialect
        self.shared = self.dialect == "postgresql"
        self.place = self._location.place
        self.path = self._location.path
        self._warn = warn
        self._clock = clock
        self._wait_s = wait_s
        self._told: set[str] = set()
        self._inherited: list[object] = []
        self._start()

    def open(self) -> None:
        """Open the store ahead of the first reading, and take over what waits in the journal."""
        self._own()
        self._absorb(patience_s=_PATIENCE_S, opens=True)

    def absorb(self) -> None:
        """Take over what waits in the journal now; of trouble ``warn`` is told, and it waits on."""
        self.open()

    def close(self) -> None:
        """Let go of the files; the ledger opens again when it is used.

        What waits is taken over if the store is loaded already; else it waits for the next reading, or
        the end of the process.
        """
        self._own()
        with self._lock:
            absorber, self._absorber = self._absorber, None
        if absorber is not None:
            absorber.stop()
        if self._loaded is not None and self._clock() >= self._rest_until:
            self._absorb(patience_s=0.0)
        elif self._loaded is None and not self.shared:
            leave(self.path, _absorb_at_the_end)
        self._journal.close()
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
            if self._at_exit is not None:
                atexit.unregister(self._at_exit)
                self._at_exit = None

    def __del__(self) -> None:  # of a client that nobody closed: Python would warn of an open database
        with contextlib.suppress(Exception):
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advice(self) -> str:
        """What a person should know about the place; "" if all is well."""
        from anyfast_nb.ledger.disk.mounts import remote_advice

        return "" if self.shared else remote_advice(self.path)

    # --- writing --------------------------------------------------------------------------

    def _write(self, *records: Kept) -> None:
        """Keep records: they are on disk when this returns, or ``warn`` was told that they are lost."""
        self._own()
        try:
            self._journal.append(records)
        except OSError as error:
            self._around_the_journal(records, error)
        else:
            self._heed_the_end()
            if self._absorber is not None:
                self._absorber.wake()

    def _begin_absorbing(self) -> None:
        """From now on what is written is taken over a moment later."""
        with self._lock:
            if self._absorber is None:
                self._absorber = Absorber(self._absorb_quietly, wait_s=self._wait_s)
            self._absorber.wake()

    def _heed_the_end(self) -> None:
        """Be closed when the process ends."""
        with self._lock:
            if self._at_exit is None:
                self._at_exit = partial(_close, ref(self))
                atexit.register(self._at_exit)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What is read and written in it, no other kernel changes meanwhile.

        On PostgreSQL that holds for what is locked in it.

        Raises:
            LedgerError, SQLAlchemyError, sqlite3.Error, OSError: it cannot be written; nothing was.
        """
        self._own()
        self._absorb(patience_s=_PATIENCE_S)
        with self._store().writing() as connection:
            yield connection

    def _around_the_journal(self, records: Iterable[Kept], trouble: OSError) -> None:
        kept = list(records)
        try:
            self._store().put(kept)
        except Exception as error:  # noqa: BLE001  whatever it is: a request goes on
            self._tell(
                "lost",
                f"Requests go on, but are not recorded: the journal {self._journal.folder} cannot be written "
                f"({_reason(trouble)}), nor the ledger {self.place} ({_reason(error)}). "
                "Make the folder writable, or set ANYFAST_HOME to one that is.",
            )

    # --- taking over ----------------------------------------------------------------------

    def _absorb_quietly(self) -> float | None:
        """What the thread does; it says when it wants to try again."""
        rest_s = self._rest_until - self._clock()
        if rest_s > 0:
            return rest_s
        return None if self._absorb(patience_s=0.0) else _REST_S

    def _absorb(self, *, patience_s: float, opens: bool = False) -> bool:
        """Did the store take all that it can?"""
        with self._absorbing:
            if not opens and not self._journal.pending():
                return True
            try:
                store = self._store()
                if opens:
                    store.ready()
                done = self._journal.merge(lambda records: self._put(store, records), patience_s=patience_s)
            except Exception as trouble:  # noqa: BLE001  a broken library too: a request goes on
                self._rest_until = self._clock() + _REST_S
                self._trouble = trouble
                self._tell_of(trouble)
                return False
            self._rest_until = float("-inf")
            self._trouble = TimeoutError("another kernel takes the rows over, and has not ended")
            return done

    def _put(self, store: Store, records: list[Kept]) -> None:
        from sqlalchemy.exc import DataError, IntegrityError

        try:
            for start in range(0, len(records), _MANY):
                store.put(records[start : start + _MANY])
        except (DataError, IntegrityError):
            self._put_singly(store, records)

    def _put_singly(self, store: Store, records: list[Kept]) -> None:
        """One record that no store takes holds up no other."""
        from sqlalchemy.exc import DataError, IntegrityError

        refused: list[Kept] = []
        for kept in records:
            try:
                store.put([kept])
            except (DataError, IntegrityError):
                refused.append(kept)
        if refused:
            path = self._journal.refuse(refused)
            self._tell(
                "refused",
                f"The ledger {self.place} refused {counted(len(refused), 'row')}: kept in {path}.",
            )

    def _tell_of(self, trouble: Exception) -> None:
        from anyfast_nb.ledger.disk.migrations import NewerSchemaError

        if isinstance(trouble, NewerSchemaError):
            text = f"The ledger {self.place} is read, not written: {trouble.message}. {trouble.hint}"
            self._tell("newer", f"{text} New rows wait in {self._journal.folder}.")
            return
        hint = f" {trouble.hint}" if isinstance(trouble, AnyFastError) and trouble.hint else ""
        self._tell(
            "journal",
            f"The ledger {self.place} cannot be written ({_reason(trouble)}).{hint} Requests go on; "
            f"their rows wait in {self._journal.folder} and are merged when it works again.",
        )

    def _tell(self, kind: str, text: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._warn(text)

    # --- reading --------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """All rows as of one moment, those that wait in the journal included. It holds up no writer.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from sqlalchemy.exc import SQLAlchemyError

        self._own()
        try:
            done = self._caught_up()
            # What is written from now on is not asked about, and no reason for a copy.
            waiting = _nothing if done else self._journal.records
            with self._store().reading(waiting) as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._unreadable(error) from error

    @contextlib.contextmanager
    def readable(self) -> Iterator[str | None]:
        """A URL that ADBC may read all rows from, inside; None: take `reading`. It may hold a password.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from sqlalchemy.exc import SQLAlchemyError

        self._own()
        try:
            done = self._caught_up()
            with self._store().readable() if done else contextlib.nullcontext() as found:
                yield found
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._unreadable(error) from error

    def _caught_up(self) -> bool:
        """Is all in the store that was written until now?

        Raises:
            LedgerError: it is not, and the store cannot show the two together.
        """
        there = self.shared or self.path.exists() or self._journal.pending()
        done = not there or self._absorb(patience_s=_PATIENCE_S, opens=True)
        if self.shared and not done and self._journal.pending():
            raise self._unreadable(self._trouble)
        return done

    def _unreadable(self, error: Exception) -> AnyFastError:
        waiting = len(self._journal.records()) if self.shared else 0
        rows = f"{waiting} rows wait" if waiting > 1 else "1 row waits"
        more = f" {rows} in {self._journal.folder}." if waiting else ""
        where = "ANYFAST_LEDGER_URL" if self.shared else "ANYFAST_HOME"
        return self._failure("read", error, more=more, hint=f"set {where} to use another.")

    def _unwritable(self, error: Exception) -> AnyFastError:
        return self._failure("written", error)

    def _failure(self, what: str, error: Exception, *, more: str = "", hint: str = "") -> AnyFastError:
        if isinstance(error, ConfigError):
            return error
        said = _reason(error).rstrip(".")
        about = said if said.startswith("The ledger") else f"The ledger {self.place} cannot be {what}: {said}"
        shown = (
            f"`%anyfast doctor` shows where it is; {hint}" if hint else "`%anyfast doctor` shows where it is."
        )
        own = error.hint if isinstance(error, LedgerError) else ""
        return LedgerError(f"{about}.{more}", hint=own or shown)

    # --- one process, one store -----------------------------------------------------------

    def _start(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._absorbing = threading.RLock()
        self._journal = Journal(self.path.parent / "journal", ledger_name=self.path.name)
        self._absorber = None
        self._loaded = None
        self._at_exit = None
        self._rest_until = float("-inf")
        self._trouble = LedgerError("the ledger is not open")

    def _own(self) -> None:
        if os.getpid() != self._pid:
            # After a fork: SQLite forbids even closing the parent's connection here.
            self._inherited.append((self._loaded, self._journal, self._absorber))
            self._start()

    def _store(self) -> Store:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Store:
        if self.shared:
            from anyfast_nb.ledger.disk.postgres import PostgresStore

            return PostgresStore(self._location)
        from anyfast_nb.ledger.disk.engine import SqliteStore

        return SqliteStore(self.path, tell=self._tell)


def _nothing() -> list[Kept]:
    return []


def _absorb_at_the_end(path: Path) -> None:
    with Durable(path, warn=lambda _: None) as ledger:  # whatever it is, the rows wait on
        ledger.absorb()


def _close(ledger: ref[Any]) -> None:
    """At the kernel's end."""
    found = ledger()
    if found is not None:
        with contextlib.suppress(Exception):
            found.close()


def _reason(error: BaseException) -> str:
    said = getattr(error, "orig", None) or error
    text = said.message if isinstance(said, AnyFastError) else str(said).strip()
    return text.splitlines()[0] if text else type(said).__name__
