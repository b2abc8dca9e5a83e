"""The end of a process: rows that its ledgers left in the journal go into their files, if that is quick.

A short program asks once and ends before any store was loaded; without this its
file would come into being with the next reading, and lack the rows until then.
A server is never waited for: what waits for one, the next reading takes over.
"""

from __future__ import annotations

import atexit
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anyfast_nb.ledger.disk.journal import Journal

# So much is taken over in well under a second, SQLAlchemy's loading included.
_MOST_BYTES: Final = 2_000_000
_MOST_S: Final = 1.0

_left: Final[dict[Path, Callable[[Path], None]]] = {}


def leave(path: Path, absorb: Callable[[Path], None]) -> None:
    """A file's ledger was closed before its store was loaded.

    Args:
        path: of the file.
        absorb: takes over what waits for it.
    """
    _left[path] = absorb


@atexit.register
def take_over() -> None:
    """Take over what waits for the files that were left; none is begun after a second."""
    until = time.monotonic() + _MOST_S
    while _left and time.monotonic() < until:
        path, absorb = _left.popitem()  # the last one first: earlier ones may be of a loop over many
        with contextlib.suppress(Exception):
            if 0 < journal_of(path).size_bytes() <= _MOST_BYTES:
                absorb(path)


def journal_of(path: Path) -> Journal:
    """The journal of a file."""
    return Journal(path.parent / "journal", ledger_name=path.name)
