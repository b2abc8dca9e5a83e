"""A file that is still being written: ``<name>.part``, and beside it what is needed to go on later.

The name itself appears when all bytes are there and on disk, in one step. What
an earlier run left is taken up again if the server still has the same file:
``<name>.part.json`` keeps its tag and size, and a hash of where it came from
(never the link, which is a secret).

All of this blocks; it is called from one worker thread.

Source: RFC 9110, section 8.8 (what tells that a file is the same).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import InputError

_MOST_NOTE_BYTES: Final = 4096
_PIECE: Final = 1 << 20
_MOST_OPENINGS: Final = 20
_CLOSES_FIRST: Final = os.name == "nt"  # Windows renames and deletes no open file
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which bytes these are.

    Attributes:
        source: hash of the link without its query, which is signed anew each time.
        tag: the server's ETag or Last-Modified; "" if the file cannot be told from another.
        size_bytes: of the whole file; None is unknown.
    """

    source: str
    tag: str = ""
    size_bytes: int | None = None


def source_of(url: str) -> str:
    """The hash of a link without its query."""
    return hashlib.sha256(url.partition("?")[0].encode("utf-8", "replace")).hexdigest()


class BusyError(InputError):
    """Another kernel, or another download of this one, is writing the same file."""


class Partial:
    """The file on its way to `to`.

    Args:
        to: the final path, in a folder that exists. A file there is replaced at the end.
    """

    def __init__(self, to: Path) -> None:
        self.to = to
        self.path = to.with_name(f"{to.name}.part")
        self.origin: Origin | None = None
        self.size_bytes = 0
        self._note = to.with_name(f"{to.name}.part.json")
        self._file = -1
        self._full = False
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what is there, in hex digits."""
        return self._hash.hexdigest()

    def open(self) -> None:
        """Open, or take up what an earlier run left.

        Raises:
            BusyError: another one is at it.
            InputError: the place cannot be written to, or leads elsewhere by a symbolic link.
        """
        if not self.to.parent.is_dir():
            raise _unusable(self.to.parent, "is no folder")
        for path in (self.to, self.path, self._note):
            _check_plain(path)
        with self._explained():
            self._take_hold()
            self.origin = self._read_note()
            if self.origin is None:
                self.start_over(None)
            else:
                self._take_up()

    def start_over(self, origin: Origin | None) -> None:
        """Forget what is there; what comes now is of `origin`."""
        with self._explained():
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        self._full = False
        self.size_bytes, self._hash, self.origin = 0, hashlib.sha256(), origin
        if origin is None:
            self._note.unlink(missing_ok=True)
        else:
            self._write_note(origin)

    def append(self, chunk: bytes) -> None:
        """Write a chunk at the end: all of it, or none where the disk is full. After that nothing fits."""
        with self._explained():
            if self._full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left = memoryview(chunk)
            try:
                while left:
                    left = left[os.write(self._file, left) :]
            except OSError:
                self._full = True
                os.ftruncate(self._file, self.size_bytes)
                os.lseek(self._file, self.size_bytes, os.SEEK_SET)
                raise
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def head(self, length: int = 512) -> bytes:
        """The first bytes."""
        with self._explained(), self.path.open("rb") as file:
            return file.read(length)

    def publish(self) -> None:
        """Everything is there: on disk first, then under its name."""
        _check_plain(self.to)
        with self._explained():
            os.fsync(self._file)
            if _CLOSES_FIRST:
                self.close()
            # Still locked: another download must not take up, and cut, what is about to get its name.
            self.path.replace(self.to)
            self._note.unlink(missing_ok=True)
            self.close()
            _sync_folder(self.to.parent)

    def discard(self) -> None:
        """Nothing of this is of use."""
        if _CLOSES_FIRST:
            self.close()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go; what is there stays for the next time, an empty file does not."""
        if self._file < 0:
            return
        if self.size_bytes == 0:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
                self._note.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1

    # --- details --------------------------------------------------------------------------

    def _take_up(self) -> None:
        self.size_bytes = 0
        while piece := os.read(self._file, _PIECE):
            self._hash.update(piece)
            self.size_bytes += len(piece)

    def _take_hold(self) -> None:
        """Open and lock the file of that name.

        Another download may give its name away, or delete it, between the two: then once more.
        """
        for _ in range(_MOST_OPENINGS):
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666)
            self._lock()
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file), self.path.lstat()):
                    return
            os.close(self._file)
            self._file = -1
        raise self._busy()

    def _busy(self) -> BusyError:
        return BusyError(
            f"{self.to.name} is being downloaded already",
            field="to",
            hint="Wait for it, or choose another name.",
        )

    def _lock(self) -> None:
        """One writer: two kernels that fetch the same file must not mix their bytes."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            self._file = -1
            raise self._busy() from None
        except OSError:  # a file system without locks
            return

    def _read_note(self) -> Origin | None:
        try:
            file = os.open(self._note, os.O_RDONLY | _NO_LINK)
        except OSError:
            return None
        try:
            said: Any = json.loads(os.read(file, _MOST_NOTE_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        finally:
            os.close(file)
        return _origin(said) if isinstance(said, Mapping) else None

    def _write_note(self, origin: Origin) -> None:
        with self._explained():
            file = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK, 0o600)
            try:
                os.write(file, json.dumps(asdict(origin)).encode())
            finally:
                os.close(file)

    @contextlib.contextmanager
    def _explained(self) -> Any:
        try:
            yield
        except OSError as error:
            why = (
                "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be written: {error.strerror}"
            )
            raise _unusable(self.path, why) from None


def _origin(said: Mapping[str, Any]) -> Origin | None:
    source, tag, size = said.get("source"), said.get("tag"), said.get("size_bytes")
    if not isinstance(source, str) or not isinstance(tag, str) or not isinstance(size, int | None):
        return None
    return Origin(source, tag, size)


def _check_plain(path: Path) -> None:
    """Nothing there, or a plain file: no link to elsewhere, no folder, no device."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, f"cannot be looked at: {error.strerror}") from None
    if stat.S_ISLNK(mode):
        raise _unusable(path, "is a symbolic link")
    if not stat.S_ISREG(mode):
        raise _unusable(path, "is no plain file")


def _sync_folder(folder: Path) -> None:
    """The new name is on disk too, where a system can do that."""
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _unusable(path: Path, why: str) -> InputError:
    return InputError(f"{path.name or path} {why}", field="to", hint="Choose another file name or folder.")
