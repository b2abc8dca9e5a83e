"""The private folder of a running server, and the removal of those that killed servers left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

PREFIX = "anyfast-sim-"
LOCK = ".lock"
# A folder without a lock was never finished, or is of another version: it may be in use.
_STALE_S = 2 * 86_400


class PrivateFolder:
    """A new folder in the folder for temporary files, locked as long as this process lives.

    The lock goes with the process, however it ends: whoever gets it knows that nobody uses the folder.

    Attributes:
        path: the folder, which only its owner may enter.
    """

    def __init__(self) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(self.path / f"{LOCK}.new", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        # It gets its name when it is held: no other process can be quicker.
        (self.path / f"{LOCK}.new").rename(self.path / LOCK)
        self._leave = weakref.finalize(self, _remove, self.path, lock)

    def remove(self) -> None:
        """Remove it with all that is in it; otherwise it goes when the process ends."""
        self._leave()


def sweep() -> None:
    """Remove what servers that were killed have left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid():
                _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        if folder.stat().st_mtime < time.time() - _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)  # its server runs
        return
    _remove(folder, lock)


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
