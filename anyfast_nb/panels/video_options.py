"""Which options a film or picture can have, asked of the builders: what they refuse is not offered.

The candidates are all values that the catalogue names for any model; whether one fits this model and these
media is what the builder of the request says to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.catalog import seedream
from anyfast_nb.catalog.video import kling_families, kling_family, seedance_families, seedance_family
from anyfast_nb.errors import InputError
from anyfast_nb.jobs.desk import family
from anyfast_nb.panels.roles import SINGLE
from anyfast_nb.wire.images import OUTPUT_FORMATS
from anyfast_nb.wire.kling import CAMERAS, MODES, MOVES, RATIOS

MODELS: Final = {"seedance": "video generation", "kling": "video generation", "seedream": "image generation"}
_ADDRESS: Final = "https://example.com/medium"
_LONGEST_S: Final = 60
_FAR: Final = 5  # of a camera's move
_ALL_THE_SAME: Final = frozenset(
    {"resolution", "seed"}
)  # offered although a note says that they may be refused
_NUMBERS: Final = {"seed": (7,), "cfg_scale": (0.5,), "guidance_scale": (5.0,)}

Shape = Mapping[str, int]
"""How many media each argument has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an option.

    Attributes:
        value: of the argument.
        doubtful: the builder sends it with a note.
    """

    value: Any
    doubtful: bool = False


def models(kind: str) -> list[str]:
    """Models of a family, as the catalogue names them."""
    named = [model.id for model in catalog.models() if MODELS[kind] in model.abilities]
    known: dict[str, Callable[[str], object]] = {"seedance": seedance_family, "kling": kling_family}
    return [name for name in named if kind not in known or known[kind](name)]


def offered(kind: str, model: str | None, shape: Shape) -> dict[str, tuple[Choice, ...]]:
    """The values of each option that this model and these media allow; an option without any is left out.

    Args:
        kind: seedance, kling or seedream.
        model: an id or an alias; None is the family's own choice.
        shape: how many media each argument has.

    Example:
        >>> [one.value for one in offered("kling", "kling-v1", {})["duration"]]
        [5, 10]
    """
    return _offered(kind, model, tuple(sorted(shape.items())))


@cache
def _offered(
    kind: str, model: str | None, shape: tuple[tuple[str, int], ...]
) -> dict[str, tuple[Choice, ...]]:
    base, before = _base(kind, model, dict(shape))
    found = {}
    for name, values in _candidates(kind).items():
        choices = []
        for value in values:
            notes = _notes(kind, {**base, name: value}, name)
            doubtful = notes is not None and any(_about(name, note) for note in set(notes) - before)
            if notes is not None and (not doubtful or name in _ALL_THE_SAME):
                choices.append(Choice(value, doubtful))
        if choices:
            found[name] = tuple(choices)
    return found


def _base(kind: str, model: str | None, shape: Shape) -> tuple[dict[str, Any], set[str]]:
    """A request that the builder takes, and its notes; without the media if they cannot be together."""
    base: dict[str, Any] = {} if model is None else {"model": model}
    for media in (_media(shape), {}):
        wanted: dict[str, Any] = {}
        for _ in _candidates(kind):
            try:
                return {**base, **media, **wanted}, set(_build(kind, {**base, **media, **wanted}))
            except InputError as error:
                name, before = _root(error.field), {**base, **media, **wanted}
                fits = (
                    value
                    for value in _candidates(kind).get(name, ())
                    if _notes(kind, {**before, name: value}, name) is not None
                )
                if (found := next(fits, None)) is None:
                    break
                wanted[name] = found
    return base, set()


def _notes(kind: str, arguments: Mapping[str, Any], name: str) -> Sequence[str] | None:
    """The notes of a request; None if this argument is refused."""
    try:
        return _build(kind, arguments)
    except InputError as error:
        return None if _root(error.field) == name else ()


def _build(kind: str, arguments: Mapping[str, Any]) -> Sequence[str]:
    made = family(kind).build(
        "a prompt @image1 @video1 @audio1" if arguments.get("images") else "a prompt", **arguments
    )
    return made.notes


def _about(name: str, note: str) -> bool:
    return re.match(rf"{name}\b", note) is not None


def _root(field: str) -> str:
    return re.split(r"[.\[]", field, maxsplit=1)[0]


def _media(shape: Shape) -> dict[str, Any]:
    return {
        name: _ADDRESS if name in SINGLE else [f"{_ADDRESS}/{at}" for at in range(count)]
        for name, count in shape.items()
        if count
    }


# --- candidates -----------------------------------------------------------------------------


@cache
def _candidates(kind: str) -> dict[str, tuple[Any, ...]]:
    """Every value that any model of this family may take, in the order it is shown."""
    if kind == "seedance":
        families = seedance_families()
        return {
            "duration": (*range(1, _LONGEST_S + 1), -1),
            "ratio": _all(one.ratios for one in families),
            "resolution": tuple(
                sorted(_all((*one.resolutions, *one.disputed) for one in families), key=_size)
            ),
            "audio": (False,),
            "return_last_frame": (True,),
            "watermark": (True,),
            "web_search": (True,),
            "seed": _NUMBERS["seed"],
        }
    if kind == "kling":
        return {
            "duration": _all(
                sorted(one.durations) for one in sorted(kling_families(), key=lambda one: -len(one.durations))
            ),
            "aspect_ratio": RATIOS,
            "mode": MODES,
            "sound": (True,),
            "camera_control": tuple(_cameras()),
            "cfg_scale": _NUMBERS["cfg_scale"],
            "negative_prompt": ("blurred",),
        }
    known = list(dict.fromkeys(seedream.families().values()))
    return {
        "size": (*sorted(_all(one.presets for one in known)), *_all(one.sizes for one in known)),
        "count": tuple(range(2, max(one.group for one in known) + 1)),
        "output_format": OUTPUT_FORMATS,
        "watermark": (True,),
        "web_search": (True,),
        "guidance_scale": _NUMBERS["guidance_scale"],
        "seed": _NUMBERS["seed"],
    }


def _cameras() -> Iterable[dict[str, Any]]:
    """The named movements, and each simple move either way."""
    for kind in CAMERAS:
        if kind != "simple":
            yield {"type": kind}
    for move in MOVES:
        for far in (_FAR, -_FAR):
            yield {"type": "simple", "config": {move: far}}


def _all(several: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(one for some in several for one in some))


def _size(resolution: str) -> int:
    """480p before 2k before 4k."""
    number = int(re.sub(r"\D", "", resolution) or 0)
    return number * 1000 if resolution.endswith("k") else number


def as_key(value: Any) -> str:
    """A value as the key of a choice."""
    return json.dumps(value, sort_keys=True)
