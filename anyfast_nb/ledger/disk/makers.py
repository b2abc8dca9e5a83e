"""Which kernels are alive: each that makes jobs holds a lock on a file of its own, until it ends.

A lock goes with its process, however that ends; a process id may be another's tomorrow,
or on another machine that shares the folder.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from anyfast_nb.ledger.rows import new_id

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = ".alive"


class Makers:
    """The lock files of one folder.

    Args:
        folder: made when first needed, 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._token = ""
        self._fd: int | None = None
        self._pid = 0

    def own(self) -> str:
        """The name of this kernel, alive from now on; "" where no lock can be had."""
        if self._fd is None or self._pid != os.getpid():  # a forked child is another kernel
            with contextlib.suppress(OSError):
                self._begin()
        return self._token

    def lives(self, name: str | None) -> bool:
        """Is the kernel of that name still there?"""
        if not name or not name.isalnum():
            return False
        try:
            file = os.open(self._folder / f"{name}{_SUFFIX}", os.O_RDWR)
        except OSError:
            return False
        try:
            return not _locked(file)
        finally:
            _unlocked(file)

    def close(self) -> None:
        """Let go of the lock, and remove the file."""
        if self._fd is not None and self._pid == os.getpid():
            os.close(self._fd)
            with contextlib.suppress(OSError):
                (self._folder / f"{self._token}{_SUFFIX}").unlink()
        self._fd, self._token = None, ""

    def _begin(self) -> None:
        self._token, self._fd, self._pid = "", None, os.getpid()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        token = new_id()
        fd = os.open(self._folder / f"{token}{_SUFFIX}", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if not _locked(fd) or not os.fstat(fd).st_nlink:
            # Another kernel swept it between the two: that one saw nobody, and so nobody relied on it.
            os.close(fd)
            return
        self._token, self._fd = token, fd

    def _sweep(self) -> None:
        """Remove what kernels left that were killed."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if not self.lives(path.stem):
                with contextlib.suppress(OSError):
                    path.unlink()


def _unlocked(fd: int) -> None:
    """Let go of a lock, if it is ours, and close: closing alone leaves it to a child forked meanwhile."""
    with contextlib.suppress(OSError):
        if fcntl:
            fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


def _locked(fd: int) -> bool:
    """Take the lock, unless somebody has it; it goes with the file's closing."""
    try:
        if fcntl:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
