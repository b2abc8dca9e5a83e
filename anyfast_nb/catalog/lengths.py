"""How many tokens a chat model reads and writes at most, as data with its sources.

A model that no pattern names has no entry: how much it may use is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from anyfast_nb.catalog import _data, resolve


@dataclass(frozen=True, slots=True)
class Lengths:
    """The documented lengths of some models, in tokens; None is not documented.

    Attributes:
        match: patterns of model ids.
        input: most tokens of all that a request gives to read.
        output: most tokens of an answer, thought included.
        sources: who says so.
        note: how the sources put it.
    """

    match: tuple[str, ...]
    input: int | None
    output: int | None
    sources: tuple[str, ...]
    note: str = ""


@cache
def all_lengths() -> tuple[Lengths, ...]:
    """All entries; the first one whose pattern fits a model is the model's."""
    return tuple(
        Lengths(**entry | {"match": tuple(entry["match"]), "sources": tuple(entry["sources"])})
        for entry in _data()["lengths"]
    )


def lengths_of(model: str) -> Lengths | None:
    """The lengths of a model id or alias, None if nobody documents them.

    Example:
        >>> lengths_of("pro").output
        131072
    """
    name = resolve(model).lower()
    return next((one for one in all_lengths() if any(fnmatchcase(name, p) for p in one.match)), None)
