"""Every combination of what a sweep varies, and what became of each."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from anyfast_nb.errors import AnyFastError, Billed, InputError, StillRunning
from anyfast_nb.jobs.lineage import lost
from anyfast_nb.ledger.job_rows import JobStatus

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.pictures import Pictures

_LISTS_BY_NATURE: Final = frozenset({"images", "videos", "audios"})
_PLAIN: Final = (str, int, float, bool, type(None))
_LABEL: Final = 60


@dataclass(slots=True)
class Cell:
    """One combination of a sweep.

    Attributes:
        index: its place, from 0.
        values: the varied arguments, as they were given.
        prompt, options: all that is asked for.
        take: another number makes another film of the same wish.
        job: the film's, None before it was asked for.
        pictures: what Seedream made.
        error: why there is nothing, None if nothing went wrong.
    """

    index: int
    values: Mapping[str, Any]
    prompt: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    take: int = 1
    job: Job | None = None
    pictures: Pictures | None = field(default=None, repr=False)
    error: AnyFastError | None = None

    @property
    def made(self) -> bool:
        """Is the result on this disk?"""
        return self.pictures is not None or (self.job is not None and self.job.file is not None)

    @property
    def in_doubt(self) -> bool:
        """Was it sent, and nobody knows whether it was accepted?"""
        if self.job is not None:
            return self.job.status is JobStatus.SUBMIT_UNKNOWN
        return self.error is not None and self.error.billed is not Billed.NO

    @property
    def open(self) -> bool:
        """Is there something to do that pays for nothing twice?"""
        if self.made or self.in_doubt:
            return False
        if self.error is None or isinstance(self.error, StillRunning):
            return True
        return self.job is not None and not lost(self.job)  # it was told its task id, or did not come

    @property
    def failed(self) -> bool:
        """Did it go wrong?"""
        return not self.made and self.error is not None and not isinstance(self.error, StillRunning)

    @property
    def status(self) -> str:
        """In a word."""
        if self.job is not None:
            return self.job.status.value
        if self.pictures is not None:
            return JobStatus.SUCCEEDED.value
        if self.in_doubt:
            return JobStatus.SUBMIT_UNKNOWN.value
        return "not asked for" if self.error is None else JobStatus.FAILED.value

    @property
    def path(self) -> Path | None:
        """The film, or the first picture; None if there is none."""
        if self.pictures is not None:
            return next(iter(self.pictures.paths), None)
        return None if self.job is None else self.job.file

    @property
    def tokens(self) -> int | None:
        """What is billed, where it is known."""
        if self.pictures is not None:
            return self.pictures.usage.output_tokens
        return None if self.job is None else self.job.tokens

    @property
    def trouble(self) -> str:
        """Why there is nothing, "" if nothing went wrong."""
        return "" if self.error is None or self.made else self.error.message

    @property
    def label(self) -> str:
        """What it differs in, such as ``ratio=9:16, seed=2``."""
        return ", ".join(f"{name}={label_of(value)}" for name, value in self.values.items())


def cells_of(prompt: Any, options: Mapping[str, Any], *, most: int) -> tuple[list[Cell], tuple[int, ...]]:
    """Every combination of the arguments that are lists, the prompt first.

    Args:
        prompt: a text, or a list of texts.
        options: a list means that the argument varies; of `images`, `videos` and `audios`, which are
            lists by nature, a list of lists.
        most: combinations at most.

    Returns:
        The combinations, and how many values each argument that varies takes.

    Raises:
        InputError: a list is empty, or there are too many combinations.
    """
    every = {"prompt": prompt, **options}
    choices = {name: found for name, value in every.items() if (found := _choices(name, value)) is not None}
    for name, values in choices.items():
        if not values:
            raise InputError(f"{name} is an empty list", field=name, hint="Give a value, or leave it out.")
    count = 1
    for values in choices.values():
        count *= len(values)
    if count > most:
        sizes = " × ".join(f"{len(values)} {name}" for name, values in choices.items())
        raise InputError(
            f"that makes {count} jobs ({sizes}), and most is {most}",
            field="most",
            hint=f"Vary less, or say most={count}.",
        )
    cells = []
    for index, values in enumerate(itertools.product(*choices.values())):
        varied = dict(zip(choices, values, strict=True))
        asked = {**every, **varied}
        cells.append(Cell(index, varied, asked.pop("prompt"), asked))
    return cells, tuple(len(values) for values in choices.values())


def _choices(name: str, value: Any) -> Sequence[Any] | None:
    """The values an argument takes, None if it does not vary."""
    if not isinstance(value, list | tuple | range):
        return None
    if name in _LISTS_BY_NATURE and not (value and all(isinstance(one, list | tuple) for one in value)):
        return None
    return value


def label_of(value: Any) -> str:
    """A value as a label: words cut short, media by their names; never an address with a signature."""
    if isinstance(value, list | tuple):
        return " + ".join(label_of(one) for one in value) or "none"
    if (row := getattr(value, "row", None)) is not None and hasattr(row, "short_id"):
        return f"job {row.short_id}"
    if _is_address(value):
        parts = urlsplit(value)
        return "data" if parts.scheme == "data" else PurePath(parts.path).name or parts.netloc
    if isinstance(value, os.PathLike):
        return PurePath(os.fspath(value)).name
    if not isinstance(value, _PLAIN):
        return type(value).__name__
    words = " ".join(str(value).split())
    return words if len(words) <= _LABEL else words[: _LABEL - 1] + "…"


def plain(value: Any) -> Any:
    """A value as it stands in a table: numbers and words as they are, media by their names."""
    return value if isinstance(value, _PLAIN) and not _is_address(value) else label_of(value)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and (value[:5].lower() == "data:" or "://" in value[:10])
