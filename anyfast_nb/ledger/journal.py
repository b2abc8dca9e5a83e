"""The journal: where rows wait that the ledger could not take. One 0600 file per process, a line a row.

A line names its table; one without, from before there were several, is a request's.

A file is locked while a line is added and while it is merged, so that no line
falls between the two. Where there is no ``fcntl``, the system itself refuses to
remove a file that another process holds open.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from anyfast_nb.ledger.rows import Kept, Record, new_id
from anyfast_nb.ledger.schema import TABLES, VERSION, Table

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Journal:
    """The waiting rows of one ledger.

    Args:
        folder: made when first needed, 0700.
        ledger_name: file name of the ledger; each has its own files in the folder.
        token: makes the name of this process's file unique.
    """

    def __init__(self, folder: Path, *, ledger_name: str, token: Callable[[], str] = new_id) -> None:
        self.folder = folder
        self._start = f"{ledger_name}."
        self._token = token
        self._fd: int | None = None

    def append(self, record: Record, *, table: str = "requests") -> None:
        """Add a row of a table; it is on disk when this returns.

        Raises:
            OSError: it cannot be written.
        """
        # The newline in front ends a line that a full disk tore.
        line = f"\n{json.dumps({'schema': VERSION, 'table': table, **record})}\n".encode()
        fd = self._locked_file()
        try:
            if os.write(fd, line) != len(line):
                raise OSError(f"the disk took only a part of a row in {self.folder}")
            os.fsync(fd)
        finally:
            _unlock(fd)

    def pending(self) -> bool:
        """Whether rows wait, of this process or another."""
        return bool(self._files())

    def records(self) -> Iterator[Kept]:
        """The waiting rows; they stay."""
        for path in self._files():
            with contextlib.suppress(OSError):
                yield from _parsed(path.read_bytes())[0]

    def merge(self, store: Callable[[list[Kept]], None]) -> None:
        """Hand the rows of each file to ``store`` and remove the file once it has taken them.

        Raises:
            OSError: a file cannot be read or removed; its rows wait on.
        """
        for path in self._files():
            with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
                _lock(file.fileno())
                records, complete = _parsed(file.read())
                store(records)
                # Rows of a later version stay for a package that knows them.
                if complete:
                    _remove(path)

    def close(self) -> None:
        """Let go of this process's file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _files(self) -> list[Path]:
        try:
            paths = sorted(self.folder.iterdir())
        except OSError:
            return []
        return [path for path in paths if path.name.startswith(self._start) and path.suffix == ".jsonl"]

    def _locked_file(self) -> int:
        while True:
            if self._fd is None:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path = self.folder / f"{self._start}{os.getpid()}-{self._token()}.jsonl"
                self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            _lock(self._fd)
            if os.fstat(self._fd).st_nlink:
                return self._fd
            # Merged and removed since the last line: begin another.
            self.close()


def _parsed(data: bytes) -> tuple[list[Kept], bool]:
    """The rows of a journal file, and whether all of them are known to this version.

    A torn line was never acknowledged: it is passed over, and so is what is no row.
    """
    records: list[Kept] = []
    complete = True
    for line in data.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if not isinstance(found, dict) or not isinstance(found.get("schema"), int):
            continue
        table = TABLES.get(str(found.get("table", "requests")))
        if found["schema"] > VERSION:
            complete = False
        elif table is not None and _is_row(found, table):
            records.append(Kept(table.name, {name: found.get(name) for name in table.columns}))
    return records, complete


def _is_row(found: dict[str, Any], table: Table) -> bool:
    values = [found.get(name) for name in table.columns]
    return all(found.get(name) is not None for name in table.required) and not any(
        isinstance(value, list | dict) for value in values
    )


def _remove(path: Path) -> None:
    # Without fcntl a file that its process still holds open cannot be removed: it
    # stays, and merging it again changes nothing.
    with contextlib.suppress(*([] if fcntl else [PermissionError])):
        path.unlink()


def _lock(fd: int) -> None:
    if fcntl:
        fcntl.flock(fd, fcntl.LOCK_EX)


def _unlock(fd: int) -> None:
    if fcntl:
        fcntl.flock(fd, fcntl.LOCK_UN)
