"""Files that come in chunks: each is written to its place on this disk as it comes, never kept in memory."""

from __future__ import annotations

import contextlib
import os
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from anyfast_nb.errors import InputError
from anyfast_nb.panels.words import say

MOST_BYTES: Final = 512 * 1024 * 1024  # no endpoint takes as much; what each does take is checked later
STALE_S: Final = 24 * 3600.0  # what a kernel that is gone has left half done
_UNFIT: Final = re.compile(r"[/\\:*?\"<>|]+")
_STEM_BYTES: Final = 180  # a file system takes 255, a number and the end included
_SUFFIX_CHARS: Final = 12


@dataclass(slots=True)
class _Coming:
    """A file under way."""

    name: str
    size_bytes: int
    part: Path
    file: BinaryIO
    came_bytes: int = 0


class Intake:
    """Takes files into a folder.

    A file that is not whole has a hidden name and goes with `cancel` or `close`; a whole one gets its
    own name, with a number if that is taken by another file.

    Args:
        folder: made when the first file comes.
        clock: seconds since 1970.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._coming: dict[str, _Coming] = {}

    def begin(self, id: str, *, name: str, size_bytes: int) -> None:
        """A file is announced.

        Raises:
            InputError: it is too large.
            OSError: it cannot be written.
        """
        if not 0 <= size_bytes <= MOST_BYTES:
            raise InputError(say("intake.large", limit=f"{MOST_BYTES // 1024**2} MiB"), field="file")
        self.cancel(id)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        part = self.folder / f".{os.urandom(8).hex()}.part"
        self._coming[id] = _Coming(plain_name(name), size_bytes, part, part.open("xb"))

    def take(self, id: str, data: bytes | memoryview, *, offset: int) -> int | None:
        """The next chunk.

        Returns:
            How many bytes have come so far; None for a file that nobody expects (any more).

        Raises:
            InputError: it is not what was announced; what had come is gone.
            OSError: it cannot be written; what had come is gone.
        """
        coming = self._coming.get(id)
        if coming is None:
            return None
        if offset != coming.came_bytes:
            return coming.came_bytes  # one that came twice
        if not len(data) or coming.came_bytes + len(data) > coming.size_bytes:
            self.cancel(id)
            raise InputError(say("intake.changed"), field="file")
        try:
            coming.file.write(data)
            coming.file.flush()
        except OSError:
            self.cancel(id)
            raise
        coming.came_bytes += len(data)
        return coming.came_bytes

    def whole(self, id: str) -> Path | None:
        """The file, if all of it has come: in its place, under its own name.

        Raises:
            OSError: it cannot be put there; what had come is gone.
        """
        coming = self._coming.get(id)
        if coming is None or coming.came_bytes < coming.size_bytes:
            return None
        try:
            coming.file.close()
            place = _placed(coming.part, self.folder / coming.name)
        except OSError:
            self.cancel(id)
            raise
        del self._coming[id]
        return place

    def cancel(self, id: str) -> None:
        """Forget a file that is not whole yet."""
        coming = self._coming.pop(id, None)
        if coming is not None:
            with contextlib.suppress(OSError):
                coming.file.close()
            with contextlib.suppress(OSError):
                coming.part.unlink(missing_ok=True)

    def close(self) -> None:
        """Forget all that is not whole."""
        for name in list(self._coming):
            self.cancel(name)

    def _sweep(self) -> None:
        """Remove what a kernel that is gone has left."""
        for part in self.folder.glob(".????????????????.part"):
            with contextlib.suppress(OSError):
                if self._clock() - part.stat().st_mtime > STALE_S:
                    part.unlink()


def plain_name(name: str) -> str:
    """A name that is one, whatever a page says: no folder, nothing hidden or unseen, not too long.

    Example:
        >>> plain_name("../../.ssh/id_rsa"), plain_name("a:b.PNG"), plain_name("..")
        ('id_rsa', 'a_b.PNG', 'file')
    """
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join("_" if unicodedata.category(char)[0] == "C" else char for char in last)
    stem, dot, suffix = _UNFIT.sub("_", seen).strip(". ").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = stem.encode()[:_STEM_BYTES].decode(errors="ignore").strip()
    return f"{stem or 'file'}{dot}{suffix[:_SUFFIX_CHARS]}"


def _placed(part: Path, wanted: Path) -> Path:
    """Give a file its name; a number is added where another file has it, never anything replaced."""
    number = 1
    place = wanted
    while True:
        try:
            os.link(part, place)
        except FileExistsError:
            number += 1
            place = wanted.with_stem(f"{wanted.stem}-{number}")
        except OSError:  # a file system without links
            if place.exists():
                number += 1
                place = wanted.with_stem(f"{wanted.stem}-{number}")
                continue
            part.rename(place)
            return place
        else:
            part.unlink()
            return place
