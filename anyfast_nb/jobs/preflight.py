"""A request seen before it is sent: what it amounts to, what goes with it, what it may cost.

Nothing here asks the server. What only the server decides is left open, and
said in a note; a figure that is given follows from the documented tables.

Source: seed 004 (resolution pixel values), wire reference 5.2, 6.1, 7.1 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.catalog.video import kling_family, output_sizes, seedance_family
from anyfast_nb.errors import InputError
from anyfast_nb.jobs.inputs import Input, Travel
from anyfast_nb.wire.images import image_tokens
from anyfast_nb.wire.images import pixels as pixels_of
from anyfast_nb.wire.pixels import (
    FILM_SECONDS,
    PICTURE_SIDES,
    PLAIN_PICTURE,
    PLAIN_RESOLUTION,
    output_pixels,
    video_tokens,
    whole_number,
)

if TYPE_CHECKING:
    from anyfast_nb.jobs.prepare import Prepared
    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.wire.values import Money

Pixels = tuple[int, int]

MODES: Final[Mapping[str, str]] = {
    "text": "from words",
    "first_frame": "from a first frame",
    "first_last_frame": "from a first frame to a last one",
    "reference": "after references",
    "edit": "an edit of a clip",
    "extend": "a clip, carried on",
    "text2video": "from words",
    "image2video": "from a picture",
    "multi-image2video": "from several pictures",
    "image": "after a picture",
    "images": "after several pictures",
}
CHECKED: Final = "checked: within the documented limits"
UNCHECKED: Final = "not checked here: the server looks at it"
_FRAMES: Final = frozenset({"first_frame", "last_frame", "image", "image_tail"})
_TOLERANCE: Final = 0.025  # ratios are nominal: 480p "16:9" is 1.742


@dataclass(frozen=True, slots=True)
class InputFact:
    """One medium, in words.

    Attributes:
        argument: the argument it came by.
        label: what a person calls it.
        facts: kind, size, length.
        travels: how it gets to the server.
        remarks: what was checked, what will be cropped, what may be refused.
    """

    argument: str
    label: str
    facts: tuple[str, ...]
    travels: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a request amounts to.

    Attributes:
        kind: seedance, kling or seedream.
        model: asked for.
        mode: in words, such as "from a first frame".
        pixels: width and height of what comes; None where the server decides.
        shape: the same as it was asked for, such as ``720p · 16:9``.
        seconds: of the film; None for pictures, or where the model chooses.
        count: pictures, at most; 1 for a film.
        inputs: its media.
        tokens: about how many are billed; None is unknown.
        at_most: tokens that it may use, where somebody has looked; None is unknown.
        cost: what it may cost; None is unknown.
        priced: a price is set for its model; None: nobody has looked.
        notes: what was assumed, and what may be refused.
    """

    kind: str
    model: str
    mode: str
    pixels: Pixels | None = None
    shape: str = ""
    seconds: int | None = None
    count: int = 1
    inputs: tuple[InputFact, ...] = ()
    tokens: int | None = None
    cost: Money | None = None
    priced: bool | None = None
    notes: tuple[str, ...] = ()
    at_most: int | None = None


def preflight(made: Prepared) -> Preflight:
    """What a prepared request amounts to."""
    wish = made.generation
    notes = tuple(dict.fromkeys((*wish.notes, *made.notes)))
    return _of_body(wish.kind, wish.mode, wish.body, made.inputs, notes)


def remembered(row: JobRow) -> Preflight:
    """The same of a job found in the ledger: names and pixels of its media are not kept."""
    return _of_body(row.kind, row.mode, row.request, tuple(_kept_inputs(row)), row.notes)


# --- by family ----------------------------------------------------------------------------


def _of_body(
    kind: str, mode: str, body: Mapping[str, Any], inputs: tuple[Input, ...], notes: tuple[str, ...]
) -> Preflight:
    model = str(body.get("model_name") or body.get("model") or kind)
    seen = Preflight(kind, model, MODES.get(mode, mode), notes=notes)
    if kind == "seedance":
        seen, ratio = _seedance(seen, body, inputs)
    elif kind == "kling":
        seen, ratio = _kling(seen, body)
    else:
        seen, ratio = _seedream(seen, body), None
    return replace(seen, inputs=tuple(_fact(one, ratio) for one in inputs))


def _seedance(
    seen: Preflight, body: Mapping[str, Any], inputs: Iterable[Input]
) -> tuple[Preflight, float | None]:
    family = seedance_family(seen.model)
    plain = "16:9" if family is not None and family.images is None else "adaptive"  # of the first generations
    resolution, asked = str(body.get("resolution") or PLAIN_RESOLUTION), str(body.get("ratio") or plain)
    ratio = asked
    if asked == "adaptive":
        shown = ((one.width, one.height) for one in inputs)
        ratio = next((nearest_ratio(w, h, resolution) for w, h in shown if w and h), "")
    pixels = _documented(resolution, ratio)
    seconds = whole_number(body.get("duration"), FILM_SECONDS)
    tokens = None if pixels is None or seconds is None else video_tokens(*pixels, seconds)
    shape = f"{resolution} · {asked}" + (f" ({ratio})" if ratio and ratio != asked else "")
    seen = replace(seen, pixels=pixels, shape=shape, seconds=seconds, tokens=tokens)
    if asked == "adaptive":
        by = "the first picture or clip" if ratio else "the model: the exact size is known at the end"
        return replace(seen, notes=(*seen.notes, f"the ratio is chosen by {by}")), None
    return seen, None if pixels is None else pixels[0] / pixels[1]


def _kling(seen: Preflight, body: Mapping[str, Any]) -> tuple[Preflight, float | None]:
    family = kling_family(seen.model)
    framed = "image" in body or "image_tail" in body
    follows = framed and not (family is not None and family.ratio_on_image and body.get("aspect_ratio"))
    asked = "the shape of the picture" if follows else str(body.get("aspect_ratio") or "16:9")
    shape = f"{body.get('mode') or 'std'} · {asked}"
    seen = replace(seen, shape=shape, seconds=whole_number(body.get("duration"), FILM_SECONDS))
    seen = replace(seen, notes=(*seen.notes, "exact pixels and tokens are not documented for Kling"))
    return seen, None if follows else _as_number(asked)


def _seedream(seen: Preflight, body: Mapping[str, Any]) -> Preflight:
    shape = str(body.get("size") or PLAIN_PICTURE)
    pixels = pixels_of(shape)
    group = body.get("sequential_image_generation_options")
    count = whole_number(group.get("max_images") if isinstance(group, Mapping) else None, 1) or 1
    side = PICTURE_SIDES.get(shape.upper(), 0)
    area = pixels or ((side, side) if side else None)
    tokens = None if area is None else image_tokens(*area) * count
    notes = seen.notes if pixels else (*seen.notes, f"size {shape}: the model chooses the shape")
    return replace(
        seen,
        pixels=pixels,
        shape="" if pixels else shape,
        count=count,
        tokens=tokens,
        notes=notes,
    )


def nearest_ratio(width: int, height: int, resolution: str = "720p") -> str:
    """The documented ratio that is nearest to a picture's.

    Example:
        >>> nearest_ratio(4000, 3000)
        '4:3'
    """
    sizes = {name: w / h for (of, name), (w, h) in output_sizes().items() if of == resolution}
    sizes = sizes or {name: w / h for (of, name), (w, h) in output_sizes().items() if of == "720p"}
    own = width / height
    return min(sizes, key=lambda name: max(own / sizes[name], sizes[name] / own))


def _documented(resolution: str, ratio: str) -> Pixels | None:
    try:
        return output_pixels(resolution, ratio)
    except InputError:
        return None


def _as_number(ratio: str) -> float | None:
    wide, _, high = ratio.partition(":")
    return int(wide) / int(high) if wide.isdigit() and high.isdigit() and int(high) else None


# --- media --------------------------------------------------------------------------------


def _fact(one: Input, ratio: float | None) -> InputFact:
    facts = (
        one.kind,
        f"{one.width} × {one.height}" if one.width and one.height else "",
        "" if one.duration_s is None else f"{one.duration_s:.1f} s",
        "" if one.size_bytes is None else _size(one.size_bytes),
        one.media_type.partition("/")[2],
    )
    told = tuple(fact for fact in facts if fact)
    return InputFact(one.argument, one.label, told, one.travels.value, tuple(_remarks(one, ratio)))


def _remarks(one: Input, ratio: float | None) -> Iterable[str]:
    if one.argument in _FRAMES and ratio and one.width and one.height:
        own = one.width / one.height
        if max(own / ratio, ratio / own) > 1 + _TOLERANCE:
            yield f"it is {'wider' if own > ratio else 'narrower'} than the film: it will be cropped"
    if one.size_bytes is None:
        yield UNCHECKED
    elif not one.notes:
        yield CHECKED
    yield from one.notes


def _size(size_bytes: int) -> str:
    if size_bytes < 1_000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"


def _kept_inputs(row: JobRow) -> Iterable[Input]:
    """The media of a kept request: a file is known by its hash, its size and its type."""
    for item, argument in row.arguments.items():
        if argument == "prompt":
            continue
        kind = argument.partition("[")[0].rstrip("s")
        kind = kind if kind in {"video", "audio"} else "image"
        found = _at(row.request, item)
        if isinstance(found, Mapping):
            size, media_type = found.get("bytes"), str(found.get("media_type") or "")
            yield Input(argument, kind, media_type=media_type, size_bytes=size)
        elif isinstance(found, str):
            asset = found.startswith("asset://")
            yield Input(argument, kind, travels=Travel.ASSET if asset else Travel.URL)


def _at(body: Mapping[str, Any], item: str) -> Any:
    """What stands at ``content[1]``, ``image_list[0]`` or ``image``: an address, or what is kept of bytes."""
    name, _, rest = item.partition("[")
    found: Any = body.get(name)
    if rest and isinstance(found, list):
        index = int(rest.rstrip("]"))
        found = found[index] if index < len(found) else None
    if not isinstance(found, Mapping) or "sha256" in found:
        return found
    names = ("image_url", "video_url", "audio_url", "image")
    inner = next((found[key] for key in names if key in found), None)
    return inner.get("url") if isinstance(inner, Mapping) and "url" in inner else inner
