"""Frames as YUV planes, and patches laid over them: what a film is drawn with.

H.264 keeps brightness (Y) at full and colour (U, V) at half resolution. Drawing straight into these
planes saves the conversion of every frame. Colours follow BT.709, limited range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as Picture

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]
Rgb = tuple[int, int, int]

WHITE = 235  # of limited range; black is 16
_OPAQUE = 256  # weights are 0..256, so that 255 * 256 still fits 16 bits and >> 8 divides


class Planes:
    """One frame: ``y``, ``u`` and ``v`` are views into one buffer as FFmpeg wants it."""

    __slots__ = ("buffer", "height", "scratch", "u", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise ValueError(f"a frame of {width}x{height}: both sides must be positive and even")
        self.width, self.height = width, height
        self.buffer: Bytes = np.empty((height * 3 // 2, width), np.uint8)
        flat, area = self.buffer.reshape(-1), width * height
        self.y = flat[:area].reshape(height, width)
        self.u = flat[area : area + area // 4].reshape(height // 2, width // 2)
        self.v = flat[area + area // 4 :].reshape(height // 2, width // 2)
        self.scratch: Words = np.empty(area, np.uint16)

    @property
    def all(self) -> tuple[Bytes, Bytes, Bytes]:
        """Y, U and V."""
        return self.y, self.u, self.v

    def frame(self) -> Any:
        """A copy as PyAV's frame."""
        frame = av.VideoFrame.from_ndarray(self.buffer, format="yuv420p")
        frame.colorspace, frame.color_range = 1, 1  # BT.709, limited
        return frame

    def take(self, other: Planes) -> None:
        """Become a copy of another frame of the same size."""
        np.copyto(self.buffer, other.buffer)

    def mix(self, other: Planes, share: float) -> None:
        """Fade towards another frame of the same size: 0 keeps this one, 1 is the other."""
        weight = round(_clip01(share) * _OPAQUE)
        if weight == _OPAQUE:
            self.take(other)
        elif weight:
            for ours, theirs in zip(self.all, other.all, strict=True):
                mine = self._room(ours.shape)
                np.copyto(mine, theirs)
                mine *= np.uint16(weight)
                blend(ours, mine, np.uint16(_OPAQUE - weight), np.empty_like(mine))

    def _room(self, shape: tuple[int, ...]) -> Words:
        return self.scratch[: shape[0] * shape[1]].reshape(shape)

    def rgb(self) -> Picture:
        """As Pillow's picture."""
        made: Picture = self.frame().to_image()
        return made


def planes_of(picture: Picture) -> Planes:
    """A picture with even sides as planes."""
    planes = Planes(*picture.size)
    for mine, theirs in zip(planes.all, yuv_of(np.asarray(picture.convert("RGB"))), strict=True):
        mine[...] = theirs
    return planes


def yuv_of(rgb: Bytes, *, size: tuple[int, int] | None = None) -> tuple[Bytes, Bytes, Bytes]:
    """Y, U and V of an RGB array with even sides, scaled to a size on the way if one is given."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    width, height = size or (frame.width, frame.height)
    return split(frame.reformat(width, height, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"))


def split(frame: Any) -> tuple[Bytes, Bytes, Bytes]:
    """Y, U and V of a PyAV frame in yuv420p, without its padding."""
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        found.append(rows[:, : plane.width])
    return found[0], found[1], found[2]


def yuv(rgb: Rgb) -> tuple[int, int, int]:
    """One colour."""
    red, green, blue = (channel / 255 for channel in rgb)
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 * y),
        round(128 + 224 * (blue - y) / 1.8556),
        round(128 + 224 * (red - y) / 1.5748),
    )


def blend(under: Bytes, over: Words, rest: Words | np.uint16, room: Words) -> None:
    """``under = (under * rest + over) / 256`` where ``over`` is already multiplied by its weight."""
    np.copyto(room, under)
    room *= rest
    room += over
    room >>= 8
    np.copyto(under, room, casting="unsafe")


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A picture with transparency, ready to be laid over planes; its sides are even.

    Attributes:
        width, height: pixels of the picture it was made of.
        left, top: where in it the part begins that is not wholly transparent; only that part is kept.
        over: Y, U and V, each times its weight (0..256).
        rest: 256 minus the weight, for Y and for U and V.
    """

    width: int
    height: int
    left: int
    top: int
    over: tuple[Words, Words, Words]
    rest: tuple[Words, Words]

    def lay(self, on: Planes, x: float, y: float, *, opacity: float = 1.0) -> None:
        """Lay it over a frame with its top left corner at x, y; what stands out is cut off."""
        left, top = round(x) + self.left, round(y) + self.top
        strength = round(_clip01(opacity) * _OPAQUE)
        if not strength:
            return
        for index, under in enumerate(on.all):
            half = 1 if index == 0 else 2
            at_x, at_y = left // half, top // half
            rows, columns = under.shape
            over, rest = self.over[index], self.rest[min(index, 1)]
            y0, y1 = max(0, -at_y), min(over.shape[0], rows - at_y)
            x0, x1 = max(0, -at_x), min(over.shape[1], columns - at_x)
            if y0 >= y1 or x0 >= x1:
                continue
            over, rest = over[y0:y1, x0:x1], rest[y0:y1, x0:x1]
            if strength < _OPAQUE:
                over, rest = _faded(over, rest, strength)
            target = under[at_y + y0 : at_y + y1, at_x + x0 : at_x + x1]
            blend(target, over, rest, on.scratch[: over.size].reshape(over.shape))


def patch_of(picture: Picture) -> Patch:
    """A patch of an RGBA picture."""
    return patches_of([picture])[0]


def patches_of(pictures: Sequence[Picture]) -> list[Patch]:
    """Patches of RGBA pictures of one size, converted in one go: much cheaper than one by one."""
    stack = np.concatenate([_even_rgba(picture) for picture in pictures])
    planes = yuv_of(stack[:, :, :3])
    weight = stack[:, :, 3].astype(np.uint16)
    weight += weight >> 7  # 255 becomes 256
    tall = stack.shape[0] // len(pictures)
    return [_patch(planes, weight, number * tall, tall) for number in range(len(pictures))]


def _even_rgba(picture: Picture) -> Bytes:
    """Its pixels; an odd side grows by one transparent pixel."""
    rgba = np.asarray(picture if picture.mode == "RGBA" else picture.convert("RGBA"))
    odd_y, odd_x = rgba.shape[0] % 2, rgba.shape[1] % 2
    return np.pad(rgba, ((0, odd_y), (0, odd_x), (0, 0))) if odd_y or odd_x else rgba


def _patch(planes: tuple[Bytes, Bytes, Bytes], weights: Words, at: int, tall: int) -> Patch:
    """The part of a stack of pictures that shows something of one of them."""
    weight = weights[at : at + tall]
    rows, columns = np.flatnonzero(weight.any(axis=1)), np.flatnonzero(weight.any(axis=0))
    top, bottom = _span(rows)
    left, right = _span(columns)
    weight = weight[top:bottom, left:right]
    quarter = quartered(weight)
    y = planes[0][at + top : at + bottom, left:right] * weight
    half = slice((at + top) // 2, (at + bottom) // 2), slice(left // 2, right // 2)
    return Patch(
        width=weights.shape[1],
        height=tall,
        left=left,
        top=top,
        over=(y, planes[1][half] * quarter, planes[2][half] * quarter),
        rest=(rest_of(weight), rest_of(quarter)),
    )


def quartered(weight: Words) -> Words:
    """Weights at half resolution: the mean of each four."""
    total = weight[::2, ::2] + weight[1::2, ::2]
    total += weight[::2, 1::2]
    total += weight[1::2, 1::2]
    total >>= 2
    return total


def _span(filled: npt.NDArray[np.intp]) -> tuple[int, int]:
    """From the first to the last, on even borders; a little of what shows nothing."""
    if not filled.size:
        return 0, 2
    return int(filled[0]) // 2 * 2, int(filled[-1]) // 2 * 2 + 2


def _faded(over: Words, rest: Words, strength: int) -> tuple[Words, Words]:
    # In 32 bits: a weighted value times a strength leaves 16.
    dimmed = (over.astype(np.uint32) * strength >> 8).astype(np.uint16)
    weight = ((_OPAQUE - rest).astype(np.uint32) * strength >> 8).astype(np.uint16)
    return dimmed, rest_of(weight)


def rest_of(weight: Words) -> Words:
    """What a weight leaves of what is below."""
    return np.subtract(np.uint16(_OPAQUE), weight, dtype=np.uint16)


def _clip01(value: float) -> float:
    return min(1.0, max(0.0, value))
