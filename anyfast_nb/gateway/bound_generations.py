"""What a film or pictures may use at most: by the documented sizes and lengths.

Seedance is billed by pixels and frames. Where the server chooses, the largest
documented choice counts: of an adaptive ratio, of a length that is left to
the model, of parameters that stand in the prompt, which older models obey. A
clip that goes with it may count as well, nobody says how: its longest length
is added. Ultra is enlarged at the end, and tells the tokens of both sizes:
they are added too.

Kling tells no tokens: a budget in tokens does not see it; one in money does.

Source: seed 004 (resolution pixel values), wire reference 5.2, 6.1, 6.2, 7.1 and 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from anyfast_nb.catalog.seedream import Family, families, family_of
from anyfast_nb.catalog.video import SeedanceFamily, output_sizes, seedance_family
from anyfast_nb.gateway.bound import Bound
from anyfast_nb.wire.images import pixels as pixels_of
from anyfast_nb.wire.pixels import (
    FILM_SECONDS,
    FPS,
    PICTURE_SIDES,
    PLAIN_RESOLUTION,
    largest_output,
    whole_number,
)

_SIZE: Final = '--resolution 720p --ratio 16:9 (resolution="720p", ratio="16:9")'
_LENGTH: Final = "--duration 5 (duration=5)"
_SQUARES: Final = (2048, 1920, 1024, 512)  # 1920 is the least that newer models take
_ONE: Final = "--count 1 (count=1)"
_SEEDREAM: Final = "-m doubao-seedream-5-0-260128, or another Seedream model"
_MOST_PICTURES: Final = 15  # of one request, for any model
_NEAR: Final = 1.05  # a preset's shapes differ in area by less
_OWN_FRAMES_S: Final = 0.05  # a film has one frame more than its seconds: 5.041 s

# Parameters in the words of a prompt, as the oldest pages have them: "… --rs 720p --dur 5".
_IN_WORDS: Final = re.compile(r"--(?:rs|resolution|rt|ratio|dur|duration|fps|framespersecond|frames|nf)\b")


def generation_bound(kind: str, body: Mapping[str, Any]) -> Bound:
    """The bound of a request for a film or for pictures.

    Args:
        kind: seedance, kling or seedream.
        body: checked, as it is sent.

    Example:
        >>> made = {"model": "seedance", "resolution": "720p", "ratio": "16:9", "duration": 5}
        >>> generation_bound("seedance", made).output_tokens
        108900
    """
    if kind == "seedance":
        return _seedance(body)
    return _kling(body) if kind == "kling" else _seedream(body)


# --- films --------------------------------------------------------------------------------


def _seedance(body: Mapping[str, Any]) -> Bound:
    family = seedance_family(str(body.get("model") or ""))
    resolution = None if family is None else PLAIN_RESOLUTION
    resolution = str(body.get("resolution") or resolution or "").strip().lower()
    seconds = _seconds(body, family)
    if _speaks_of_parameters(body):
        resolution, seconds = _largest(family), None if family is None else float(family.duration_max)
    area = _area(resolution, body.get("ratio"))
    clips_s = _clips_s(body, family)
    if area is None or seconds is None or clips_s is None:
        missing = [_SIZE] * (area is None) + [_LENGTH] * (seconds is None)
        film_s = None if seconds is None else seconds + _OWN_FRAMES_S
        return Bound(0, None, 0, film_s, fix=" ".join(missing))
    tokens = _film_tokens(area, seconds + clips_s)
    if family is not None and "2k" in family.resolutions:  # Ultra
        tokens *= 2
    return Bound(0, tokens, 0, seconds + _OWN_FRAMES_S, fix=f"{_SIZE} {_LENGTH}")


def _seconds(body: Mapping[str, Any], family: SeedanceFamily | None) -> float | None:
    if body.get("frames") is not None:
        frames = whole_number(body["frames"], None)
        return None if frames is None else frames / FPS
    asked = body.get("duration")
    if asked is None:
        return None if family is None else FILM_SECONDS
    found = whole_number(asked, None)
    if found is None and family is not None:  # the model chooses
        return family.duration_max
    return found


def _area(resolution: str, ratio: Any) -> int | None:
    """Pixels of the film; of the largest shape where the ratio is left open."""
    size = output_sizes().get((resolution, str(ratio or "").strip())) or largest_output(resolution)
    return None if size is None else size[0] * size[1]


def _largest(family: SeedanceFamily | None) -> str:
    known = [] if family is None else [*family.resolutions, *family.disputed]
    return next((name for name in ("4k", "2k", "1080p", "720p", "480p") if name in known), "")


def _clips_s(body: Mapping[str, Any], family: SeedanceFamily | None) -> float | None:
    """The longest that the clips among the references may be; None where nobody says."""
    clips = sum(1 for item in _items(body) if item.get("type") == "video_url")
    if not clips:
        return 0
    if family is None:
        return None
    # Of the first references all together are at most as long as a film; later ones each.
    return family.duration_max * (clips if family.auto_duration else 1)


def _film_tokens(area: int, seconds: float) -> int:
    """As `wire.pixels.video_tokens`, rounded up."""
    frames = round(FPS * seconds) + 1
    return -(-area * frames // 1024)


def _speaks_of_parameters(body: Mapping[str, Any]) -> bool:
    return any(_IN_WORDS.search(str(item.get("text") or "")) for item in _items(body))


def _items(body: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    content = body.get("content")
    if isinstance(content, list | tuple):
        yield from (item for item in content if isinstance(item, Mapping))


def _kling(body: Mapping[str, Any]) -> Bound:
    seconds = whole_number(body.get("duration"), FILM_SECONDS)
    if seconds is None or body.get("video_list"):  # a clip that is changed keeps its own length
        return Bound(0, 0, 0, None, fix=_LENGTH if seconds is None else "")
    return Bound(0, 0, 0, seconds + _OWN_FRAMES_S, fix=_LENGTH)


# --- pictures -----------------------------------------------------------------------------


def _seedream(body: Mapping[str, Any]) -> Bound:
    family = family_of(str(body.get("model") or ""))
    count = _pictures(body, most=_MOST_PICTURES if family is None else family.group)
    if family is None:
        return Bound(0, None, count, 0, fix=_SEEDREAM)
    area = _picture_area(str(body.get("size") or "2K"))
    tokens = None if area is None or count is None else count * -(-area // 256)
    return Bound(0, tokens, count, 0, fix=_smaller(family, area, count))


def _smaller(family: Family, area: int | None, count: int | None) -> str:
    """The options that make it smaller than it is, or give a bound where there is none."""
    least = family.area[0] or 0
    fits = (side for side in _SQUARES if side * side >= least and (area is None or side * side < area))
    sizes = [f'--size {side}x{side} (size="{side}x{side}")' for side in fits][:1]
    return " ".join(sizes + [_ONE] * (count is None or count > 1))


def _pictures(body: Mapping[str, Any], *, most: int) -> int | None:
    """How many pictures may come: a group's own bound, or the OpenAI field that some models heed."""
    group = 1
    if body.get("sequential_image_generation", "disabled") != "disabled":
        options = body.get("sequential_image_generation_options")
        asked = options.get("max_images") if isinstance(options, Mapping) else None
        group = whole_number(asked, most) or most
    others = whole_number(body.get("n"), 1)
    return None if others is None else max(group, others)


def _picture_area(size: str) -> int | None:
    """Pixels of a picture; of a preset, those of its largest documented shape."""
    if exact := pixels_of(size):
        return exact[0] * exact[1]
    side = PICTURE_SIDES.get(size.strip().upper())
    if side is None:
        return None
    listed = (pixels_of(shape) for family in families().values() for shape in family.sizes)
    areas = [w * h for w, h in (one for one in listed if one is not None)]
    return max([side * side, *(area for area in areas if area <= side * side * _NEAR)])
