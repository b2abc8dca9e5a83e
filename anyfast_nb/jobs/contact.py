"""Contact sheets beside the films they are of; each is made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import ConfigError, InputError
from anyfast_nb.jobs.film import Still
from anyfast_nb.jobs.folder import write_whole

FRAMES: Final = 6
_MOST: Final = 64


def checked_count(n: Any) -> int:
    """How many frames a sheet shows.

    Raises:
        InputError: that is no number from 1 to 64.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MOST:
        raise InputError(f"n is {n!r}; a contact sheet has 1 to {_MOST} frames", field="n")
    return n


def frames_of(film: Path, n: int = FRAMES) -> Still:
    """A contact sheet of a film, as ``<stem>-frames.png`` beside it.

    Args:
        film: the file.
        n: how many frames; another number than 6 is in the name.

    Raises:
        InputError: `n` cannot be.
        AnyFastError: the film cannot be read, or the sheet not be written.
    """
    from anyfast_nb.media.contact import frames_sheet

    number = "" if checked_count(n) == FRAMES else f"-{n}"
    return _made(film.with_name(f"{film.stem}-frames{number}.png"), lambda: frames_sheet(film, n))


def seams_of(films: Sequence[Path], names: Sequence[str]) -> Still:
    """The last frame of each film beside the first of the next, beside the first film.

    Raises:
        InputError: there are fewer than two films.
        AnyFastError: a film cannot be read, or the sheet not be written.
    """
    from anyfast_nb.media.contact import seams_sheet

    if len(films) < 2:
        raise InputError("a single film has no seams", field="shots", hint="job.frames() shows its frames.")
    made_of = hashlib.sha256("\0".join([*(film.name for film in films), *names]).encode()).hexdigest()[:8]
    return _made(films[0].with_name(f"seams-{made_of}.png"), lambda: seams_sheet(films, names))


def _made(target: Path, make: Callable[[], bytes]) -> Still:
    if not target.is_file():
        try:
            write_whole(target, make())
        except OSError as error:
            raise ConfigError(
                f"{target.name} cannot be written: {error.strerror or type(error).__name__}",
                hint="Free some space, or copy the film elsewhere with job.save().",
            ) from None
    return Still(target)
