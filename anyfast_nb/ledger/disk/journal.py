"""The journal: the ledger's first place. One 0600 file per process, a line a record, on disk when it is told.

A line names its table; one without, from before there were several, is a
request's. To be taken over into the store a file is first renamed, under a
lock that lasts no longer than that: writers begin another file and never wait
for the store. Taking over is done by one process at a time. Where there is no
``fcntl``, the system itself refuses to rename or remove a file that another
process holds open: it stays, and taking it over again changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from anyfast_nb.ledger.disk.schema import TABLES, VERSION, Table
from anyfast_nb.ledger.rows import Kept, new_id

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_ENDING: Final = re.compile(r"\d+-\w+(?:\.v(?P<version>\d+))?(?:\.taken)?\.jsonl")
_TICK_S: Final = 0.01
_LISTINGS: Final = 20
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync


class Journal:
    """The waiting records of one ledger. Safe for threads and processes.

    Args:
        folder: made when first needed, 0700.
        ledger_name: file name of the ledger; each has its own files in the folder.
        token: makes the names of files unique.
    """

    def __init__(self, folder: Path, *, ledger_name: str, token: Callable[[], str] = new_id) -> None:
        self.folder = folder
        self._start = f"{ledger_name}."
        self._token = token
        self._guard = threading.Lock()
        self._fd: int | None = None
        self._path = folder

    # --- writing --------------------------------------------------------------------------

    def append(self, records: Sequence[Kept]) -> None:
        """Add records; they are on disk when this returns.

        Raises:
            OSError: they cannot be written.
        """
        # The newline in front ends a line that a full disk tore.
        lines = [json.dumps({"schema": VERSION, "table": kept.table, **kept.record}) for kept in records]
        data = ("\n" + "\n".join(lines) + "\n").encode()
        with self._guard:
            fd = self._locked_file()
            try:
                if os.write(fd, data) != len(data):
                    raise OSError(f"the disk took only a part of a row in {self.folder}")
                _sync(fd)
            finally:
                _unlock(fd)

    def close(self) -> None:
        """Let go of this process's file."""
        with self._guard:
            self._let_go()

    # --- reading --------------------------------------------------------------------------

    def pending(self) -> bool:
        """Whether records wait, of this process or another."""
        return bool(self._files())

    def size_bytes(self) -> int:
        """How much waits."""
        return sum(path.stat().st_size for path in self._files())

    def records(self) -> list[Kept]:
        """The waiting records; they stay."""
        for _ in range(_LISTINGS):
            found: list[Kept] = []
            try:
                for path in self._files():
                    found += parsed(path.read_bytes())[0]
            except FileNotFoundError:
                continue  # renamed or taken over since it was listed: look again
            except OSError:
                break
            return found
        return [kept for path in self._files() for kept in _read(path)]

    # --- taking over ----------------------------------------------------------------------

    def merge(self, store: Callable[[list[Kept]], None], *, patience_s: float = 0.0) -> bool:
        """Hand the records of each file to ``store`` and remove the file once it has taken them.

        Args:
            store: keeps the records for good, or raises.
            patience_s: how long to wait while another process does the same.

        Returns:
            False if another process still does it.

        Raises:
            OSError: a file cannot be read or removed; its records wait on.
        """
        if not self.pending():
            return True
        with self._alone(patience_s) as alone:
            if alone:
                for path in self._files():
                    with contextlib.suppress(FileNotFoundError):
                        self._take(path, store)
            return alone

    def refuse(self, records: Sequence[Kept]) -> Path:
        """Keep records that no store takes, apart from those that wait.

        Returns:
            The file; it is never read again by itself.

        Raises:
            OSError: it cannot be written.
        """
        path = self.folder / f"{self._start}refused"
        lines = (json.dumps({"schema": VERSION, "table": kept.table, **kept.record}) for kept in records)
        _write(path, "".join(f"{line}\n" for line in lines), flags=os.O_APPEND)
        return path

    # --- details --------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        """Those with records that this version can take."""
        try:
            paths = sorted(self.folder.iterdir())
        except OSError:
            return []
        found = []
        for path in paths:
            name = path.name
            ending = _ENDING.fullmatch(name, len(self._start)) if name.startswith(self._start) else None
            if ending and int(ending["version"] or 0) <= VERSION:
                found.append(path)
        return found

    def _locked_file(self) -> int:
        while True:
            if self._fd is None:
                for folder in (self.folder.parent, self.folder):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._path = self.folder / f"{self._start}{os.getpid()}-{self._token()}.jsonl"
                self._fd = os.open(
                    self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | _BINARY, 0o600
                )
                _sync_folder(self.folder)
            _lock(self._fd)
            if _same(self._fd, self._path):
                return self._fd
            # Taken over since the last line: begin another.
            self._let_go()

    def _let_go(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take(self, path: Path, store: Callable[[list[Kept]], None]) -> None:
        path = self._renamed(path)
        records, later = parsed(path.read_bytes())
        if records:
            store(records)
        for version, lines in later.items():
            # They stay for a package that knows them.
            kept = self.folder / f"{self._start}{os.getpid()}-{self._token()}.v{version}.jsonl"
            _write(kept, "".join(f"{line}\n" for line in lines))
        # Without fcntl a file that its process still holds open cannot be removed.
        with contextlib.suppress(*([] if fcntl else [PermissionError])):
            path.unlink()

    def _renamed(self, path: Path) -> Path:
        """The file under a name that no writer adds to."""
        if path.stem.endswith(".taken"):
            return path
        with self._guard:
            if path == self._path:
                self._let_go()
        taken = path.with_name(f"{path.stem}.taken.jsonl")
        fd = os.open(path, os.O_RDWR | _BINARY)
        try:
            _lock(fd)  # a line that is being written is first written to its end
            if fcntl:
                path.rename(taken)
                return taken
        finally:
            _release(fd)
        try:
            path.rename(taken)
        except PermissionError:
            return path
        return taken

    @contextlib.contextmanager
    def _alone(self, patience_s: float) -> Iterator[bool]:
        fd = os.open(self.folder / f"{self._start}lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield _lock_soon(fd, patience_s)
        finally:
            _release(fd)


def parsed(data: bytes) -> tuple[list[Kept], dict[int, list[str]]]:
    """The records of a journal file, and by version the lines that only a later package knows.

    A torn line was never acknowledged: it is passed over, and so is what is no record.
    """
    records: list[Kept] = []
    later: dict[int, list[str]] = {}
    for line in data.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(found, dict) or not isinstance(found.get("schema"), int):
            continue
        table = TABLES.get(str(found.get("table", "requests")))
        if found["schema"] > VERSION:
            later.setdefault(found["schema"], []).append(json.dumps(found))
        elif table is not None and _is_record(found, table):
            records.append(Kept(table.name, {name: found.get(name) for name in table.columns}))
    return records, later


def _read(path: Path) -> list[Kept]:
    try:
        return parsed(path.read_bytes())[0]
    except OSError:
        return []


def _is_record(found: dict[str, Any], table: Table) -> bool:
    values = [found.get(name) for name in table.columns]
    return all(found.get(name) is not None for name in table.required) and not any(
        isinstance(value, list | dict) for value in values
    )


def _write(path: Path, text: str, *, flags: int = os.O_EXCL) -> None:
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | _BINARY | flags, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(fd)


def _same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """That a new file is there outlives a power cut too."""
    with contextlib.suppress(OSError):  # Windows opens no folder
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _lock(fd: int) -> None:
    if fcntl:
        fcntl.flock(fd, fcntl.LOCK_EX)


def _unlock(fd: int) -> None:
    if fcntl:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _release(fd: int) -> None:
    """Unlock and close: closing alone leaves the lock to a child that was forked meanwhile."""
    with contextlib.suppress(OSError):
        _unlock(fd)
    os.close(fd)


def _lock_soon(fd: int, patience_s: float) -> bool:
    """Take the lock, waiting for it a while; it goes with the file's closing."""
    deadline = time.monotonic() + patience_s
    while fcntl:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_TICK_S)
        else:
            break
    return True


_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
