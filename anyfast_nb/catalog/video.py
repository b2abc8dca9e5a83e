"""What the video models take, by family, as data with a source for each.

Where sources contradict each other the fact is *disputed*: the builders send
it, with a note. A model that no pattern names has no family: its limits are
unknown, and the server decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class SeedanceFamily:
    """Models of one generation of Seedance. A count of None is not documented.

    Attributes:
        name: for messages.
        match: patterns of model ids.
        resolutions: that all sources name.
        disputed: resolution -> who names it and who does not.
        resolution_required: the server has no default.
        ratios: width to height, or adaptive.
        duration_min: seconds.
        duration_max: seconds.
        auto_duration: −1 lets the model choose.
        images: most reference images.
        videos: most reference videos.
        audios: most reference sounds.
        items: most items of a request, the text included.
        audio_alone: sounds may be the only references.
        adaptive_tasks: frames, edits and extensions keep the ratio they come with.
        sources: who says so.
    """

    name: str
    match: tuple[str, ...]
    resolutions: tuple[str, ...]
    disputed: Mapping[str, str]
    resolution_required: bool
    ratios: tuple[str, ...]
    duration_min: int
    duration_max: int
    auto_duration: bool
    images: int | None
    videos: int | None
    audios: int | None
    items: int | None
    audio_alone: bool
    adaptive_tasks: bool
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KlingFamily:
    """Models of one generation of Kling.

    Attributes:
        name: for messages.
        match: patterns of model ids.
        durations: seconds, for one prompt or one image.
        cfg_scale: it is heeded.
        sound: the model can make sound.
        ratio_on_image: the aspect ratio counts beside an image as well.
        tail_needs_pro: a last image needs mode pro.
        sources: who says so.
    """

    name: str
    match: tuple[str, ...]
    durations: tuple[int, ...]
    cfg_scale: bool
    sound: bool
    ratio_on_image: bool
    tail_needs_pro: bool
    sources: tuple[str, ...]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files(__package__).joinpath("video.json").read_text("utf-8"))
    return data


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}


@cache
def seedance_families() -> tuple[SeedanceFamily, ...]:
    """All families; the first one whose pattern fits a model is the model's."""
    return tuple(SeedanceFamily(**_frozen(entry)) for entry in _data()["seedance"])


@cache
def kling_families() -> tuple[KlingFamily, ...]:
    """All families; the first one whose pattern fits a model is the model's."""
    return tuple(KlingFamily(**_frozen(entry)) for entry in _data()["kling"])


def seedance_family(model: str) -> SeedanceFamily | None:
    """The family of a model id, None if nobody documents it."""
    return next((one for one in seedance_families() if _fits(model, one.match)), None)


def kling_family(model: str) -> KlingFamily | None:
    """The family of a model id, None if nobody documents it."""
    return next((one for one in kling_families() if _fits(model, one.match)), None)


def _fits(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model.lower(), pattern) for pattern in patterns)


@cache
def output_sizes() -> dict[tuple[str, str], tuple[int, int]]:
    """(resolution, ratio) -> (width, height) of Seedance's videos, in pixels."""
    sizes = _data()["pixels"]["sizes"]
    return {
        (resolution, ratio): (width, height)
        for resolution, row in sizes.items()
        for ratio, (width, height) in row.items()
    }
