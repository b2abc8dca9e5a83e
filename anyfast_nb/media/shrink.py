"""A picture made to fit: fewer pixels, another format, upright; never more pixels, never another shape."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media.checks import format_names, pixels_text
from anyfast_nb.media.limits import Limits, Verdict
from anyfast_nb.media.probe import is_turned, opened

if TYPE_CHECKING:
    from anyfast_nb.media.sniff import Format

LONGEST_SIDE: Final = 4096  # where no limit of pixels is documented and the bytes are too many
MOST_PIXELS: Final = 300_000_000  # to be decoded here: about 1 GB of memory
_JPEG_SIDE: Final = 65_000  # the format ends at 65,535
_STEPS: Final = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.12, 0.06)
_QUALITIES: Final = (92, 85, 75)
_SIXTEEN_BITS: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The new file, and what was done."""

    data: bytes
    notes: tuple[str, ...]


def shrunk(data: bytes, found: Format, limits: Limits, label: str, *, too_many_bytes: bool) -> Shrunk:
    """The picture as JPEG, or as PNG if it is see-through, within the limits.

    Args:
        data: the file.
        found: its format.
        limits: what it is for.
        label: what a message calls it.
        too_many_bytes: its bytes are the reason (then fewer pixels are taken at once).

    Raises:
        InputError: it cannot be read here, or it cannot be made to fit.
    """
    image = opened(data, found.media_type)
    if image is None:
        raise InputError(f"{label} is {found.name} that cannot be read here.", hint=_unreadable(found))
    before = image.size[::-1] if is_turned(image) else image.size
    if before[0] * before[1] > MOST_PIXELS:
        raise InputError(
            f"{label} has {pixels_text(*before)}, too many to be made smaller here.",
            hint=f"Save it with at most {MOST_PIXELS // 1_000_000} million pixels.",
        )
    largest = _largest(before, limits, too_many_bytes=too_many_bytes)
    picture, profile = _decoded(image, largest, label)
    for size in _sizes(largest, limits):
        scaled = picture if picture.size == size else _resized(picture, size)
        for file in _files(scaled, profile):
            if limits.size_bytes.verdict(len(file)) is Verdict.FITS:
                return Shrunk(file, _notes(before, size, found, file))
    raise InputError(
        f"{label} has {pixels_text(*before)} and cannot be made small enough for {limits.word}.",
        hint="Crop it, or save it as JPEG without transparency.",
    )


def _unreadable(found: Format) -> str:
    if found.media_type == "image/heic":
        return "Save it as JPEG; or install pillow-heif and call pillow_heif.register_heif_opener() first."
    return f"Save it as {format_names(('image/jpeg', 'image/png'))}."


def _largest(before: tuple[int, int], limits: Limits, *, too_many_bytes: bool) -> tuple[int, int]:
    """The most pixels that may be sent."""
    longest = float(_JPEG_SIDE)
    if limits.side and limits.side.high < longest:
        longest = limits.side.high
    elif too_many_bytes:
        longest = LONGEST_SIDE
    factor = min(1.0, longest / max(before))
    if limits.area:
        factor = min(factor, (limits.area.high / (before[0] * before[1])) ** 0.5)
    size = _scaled(before, factor)
    while limits.area and size[0] * size[1] > limits.area.high:  # the shorter side was rounded up
        size = _scaled(size, 1 - 1 / max(size))
    return size


def _scaled(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Both sides smaller. Both round down, but the shorter never below its share.

    A shorter side rounded down would make the ratio more extreme, and perhaps too extreme.
    """
    if factor >= 1:
        return size
    width, height = size
    longer = max(1, int(max(size) * factor))
    shorter = max(1, -(-min(size) * longer // max(size)))
    return (longer, shorter) if width >= height else (shorter, longer)


def _sizes(largest: tuple[int, int], limits: Limits) -> Iterator[tuple[int, int]]:
    least = limits.side.low if limits.side else 1
    for step in _STEPS:
        size = _scaled(largest, step)
        if step == 1 or min(size) >= least:
            yield size


def _decoded(image: Any, target: tuple[int, int], label: str) -> tuple[Any, bytes | None]:
    """The first frame, upright, as RGB or RGBA; and its colour profile if that still holds."""
    from PIL import ImageOps

    try:
        # A JPEG can be decoded at half or a quarter of its size, in as much less time and memory.
        image.draft(None, (max(target), max(target)))
        profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} else None
        image.load()
        upright = ImageOps.exif_transpose(image)
        return _plain(upright), profile
    except Exception as error:  # noqa: BLE001 - a decoder fails in many ways on broken bytes
        raise InputError(
            f"{label} cannot be decoded: {type(error).__name__}.", hint="Save it again, or give another one."
        ) from None


def _plain(image: Any) -> Any:
    if image.mode in _SIXTEEN_BITS:
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            return image
    return image.convert("RGB")


def _resized(picture: Any, size: tuple[int, int]) -> Any:
    from PIL import Image

    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _files(picture: Any, profile: bytes | None) -> Iterator[bytes]:
    if picture.mode == "RGBA":
        yield _saved(picture, "PNG", icc_profile=profile)
        return
    for quality in _QUALITIES:
        yield _saved(picture, "JPEG", quality=quality, icc_profile=profile)


def _saved(picture: Any, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format=format, **options)
    return file.getvalue()


def _notes(before: tuple[int, int], after: tuple[int, int], found: Format, file: bytes) -> tuple[str, ...]:
    is_png = file.startswith(b"\x89PNG")
    notes = []
    if after != before:
        notes.append(f"downscaled from {before[0]} x {before[1]} to {after[0]} x {after[1]}")
    if found.media_type != ("image/png" if is_png else "image/jpeg"):
        notes.append(f"sent as {'PNG' if is_png else 'JPEG'}; it was {found.name}")
    elif after == before:
        notes.append(f"saved anew as {'PNG' if is_png else 'JPEG'} with {len(file):,} bytes")
    return tuple(notes)
