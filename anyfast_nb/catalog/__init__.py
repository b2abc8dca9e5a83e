"""Facts about models, as data with a source for each, and look-up with close matches.

The catalogue never decides whether a model exists: the gateway serves many
more than the vendor's pages name. It completes, resolves aliases, and offers
"did you mean" after the server has refused an id.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its id, short names, what it is for, what it can do, who says so."""

    id: str
    aliases: tuple[str, ...]
    about: str
    abilities: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A documented range, bounds included; None is unbounded."""

    source: str
    min: float | None = None
    max: float | None = None
    default: float | None = None
    value: int | None = None
    max_items: int | None = None
    note: str = ""


@cache
def _data() -> dict[str, Any]:
    text = files(__package__).joinpath("models.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@cache
def models() -> tuple[Model, ...]:
    """All models of the vendor's pages, in their order."""
    return tuple(
        Model(
            id=entry["id"],
            aliases=tuple(entry["aliases"]),
            about=entry["about"],
            abilities=tuple(entry["abilities"]),
            sources=tuple(entry["sources"]),
        )
        for entry in _data()["models"]
    )


@cache
def limit(name: str) -> Limit:
    """The documented range of one parameter, such as ``temperature``."""
    return Limit(**_data()["limits"][name])


@cache
def aliases() -> dict[str, str]:
    """Short name -> model id: ``pro`` -> ``doubao-seed-2.0-pro``."""
    return {alias: model.id for model in models() for alias in model.aliases}


def resolve(name: str) -> str:
    """The id behind an alias; any other name is itself."""
    return aliases().get(name, name)


def names(*, ability: str | None = None) -> list[str]:
    """Aliases, then ids: what completion offers.

    Args:
        ability: only models that can do this, such as ``chat`` or ``video generation``.
    """
    able = [model for model in models() if ability is None or ability in model.abilities]
    return [*(alias for model in able for alias in model.aliases), *(model.id for model in able)]


def close_to(name: str, *, among: Iterable[str] | None = None) -> list[str]:
    """Up to three names like `name`, nearest first, among `among` or all names."""
    pool = list(names() if among is None else among)
    by_lower = {entry.lower(): entry for entry in pool}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return [by_lower[entry] for entry in near]
