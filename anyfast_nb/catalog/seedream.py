"""What each family of Seedream models can do, as data with its sources.

A family is found by the beginning of a model's id, the longest that fits, so
that a newer date behind it changes nothing. An id of no family has no limits
here: the gateway decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from anyfast_nb.catalog import _data, resolve


@dataclass(frozen=True, slots=True)
class Family:
    """The limits of one family; None is no limit known.

    Attributes:
        name: such as ``4.5``.
        presets: words that `size` takes besides width x height.
        area: least and most pixels of a size.
        ratio: least and most width by height.
        references: how many reference images, at most.
        together: references and pictures, at most.
        group: pictures of one request, at most.
        streams: pictures come one by one as they are done.
        guidance: takes ``guidance_scale``.
        output_format: takes ``output_format``.
        web_search: may search the web.
        sizes: the sizes its page lists, empty where it lists none; others may work.
        sources: who says so.
    """

    name: str
    presets: tuple[str, ...]
    area: tuple[int | None, int | None]
    ratio: tuple[float | None, float | None]
    references: int
    together: int
    group: int
    streams: bool
    guidance: bool
    output_format: bool
    web_search: bool
    sizes: tuple[str, ...]
    sources: tuple[str, ...]


@cache
def families() -> dict[str, Family]:
    """Each family by the beginnings of its models' ids."""
    found: dict[str, Family] = {}
    entries: dict[str, dict[str, Any]] = _data()["seedream"]["families"]
    for name, entry in entries.items():
        facts: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        family = Family(name=name, **{key: value for key, value in facts.items() if key != "ids"})
        found |= dict.fromkeys(facts["ids"], family)
    return found


def family_of(model: str) -> Family | None:
    """The family of a model id or alias, None if it is of none that is known."""
    name = resolve(model).lower()
    fits = [start for start in families() if name == start or name.startswith(f"{start}-")]
    return families()[max(fits, key=len)] if fits else None


def default_model() -> str:
    """The model where none is asked for: documented for words alone and for references."""
    return str(_data()["seedream"]["default"]["model"])
