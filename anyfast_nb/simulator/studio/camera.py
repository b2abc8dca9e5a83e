"""What the camera sees at each frame: the scene, a picture that was sent along, or a clip that plays."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from anyfast_nb.simulator.studio.inputs import ClipReader, fill_frame, open_picture, upright
from anyfast_nb.simulator.studio.planes import Planes, planes_of, split
from anyfast_nb.simulator.studio.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image as Picture

    from anyfast_nb.simulator.studio.values import Shot, Still
    from anyfast_nb.simulator.studio.words import Theme

_ZOOM = 0.1  # how far the camera goes into a picture
_REST = 4  # frames for which the last picture stands still
_TEXT_FADE = 14  # frames in which text comes and goes when the picture at that end is given


class Photo:
    """A picture that fills the frame, and the camera's slow way into it."""

    def __init__(self, picture: Picture, width: int, height: int) -> None:
        self._whole = planes_of(fill_frame(picture, width, height))
        self._scaler: Any = av.video.reformatter.VideoReformatter()

    def lay(self, on: Planes, closeness: float) -> None:
        """Fill a frame: 0 is the whole picture, untouched; 1 is the camera at its nearest."""
        width, height = on.width, on.height
        across = round(width / (1 + _ZOOM * closeness) / 2) * 2
        down = round(height / (1 + _ZOOM * closeness) / 2) * 2
        if (across, down) == (width, height):
            on.take(self._whole)
            return
        part = _part(self._whole, (width - across) // 2, (height - down) // 2, across, down)
        scaled = self._scaler.reformat(part, width, height, "yuv420p", interpolation="BILINEAR")
        for under, plane in zip(on.all, split(scaled), strict=True):
            under[...] = plane


class Footage:
    """A clip that plays, scaled and cut to the frame, from the start again when it is over."""

    def __init__(self, data: bytes | None, width: int, height: int, fps: int) -> None:
        self._reader, self._fps = ClipReader(data), fps
        self._size = (width, height)
        self._scaler: Any = av.video.reformatter.VideoReformatter()
        self._timed = self._read()
        self._next = next(self._timed, None)
        self.plays = self._next is not None

    def lay(self, on: Planes, number: int) -> None:
        """Fill a frame with what the clip shows then; numbers only grow."""
        newest = None
        while self._next is not None and self._next[0] <= (number + 0.5) / self._fps:
            newest = self._next[1]
            self._next = next(self._timed, None)
        if newest is not None:
            self._fill(on, newest)

    def _read(self) -> Iterator[tuple[float, Any]]:
        """Every frame with its second, on and on."""
        begin = 0.0
        for _ in itertools.count():
            first, end = None, begin
            for frame in self._reader.frames():
                at = frame.time if frame.time is not None else 0.0
                first = at if first is None else first
                at = max(begin, end, begin + at - first)
                yield at, frame
                end = at + 1 / self._fps
            if first is None:
                return
            begin = end

    def _fill(self, on: Planes, frame: Any) -> None:
        if getattr(frame, "rotation", 0):
            on.take(planes_of(fill_frame(upright(frame), on.width, on.height)))
            return
        larger = max(on.width / frame.width, on.height / frame.height)
        across = max(on.width, round(frame.width * larger / 2) * 2)
        down = max(on.height, round(frame.height * larger / 2) * 2)
        scaled = self._scaler.reformat(
            frame, across, down, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        left, top = (across - on.width) // 4 * 2, (down - on.height) // 4 * 2
        for index, (under, plane) in enumerate(zip(on.all, split(scaled), strict=True)):
            half = 1 if index == 0 else 2
            rows, columns = under.shape
            under[...] = plane[top // half : top // half + rows, left // half : left // half + columns]


class Camera:
    """Decides what each frame of a shot shows, and how strong the text over it is.

    A given first picture is frame 0; the camera goes into it, and it fades to the scene or to the last
    picture, which comes to rest as the last frame.
    """

    def __init__(self, shot: Shot, theme: Theme) -> None:
        self._shot, self._theme, self._last = shot, theme, shot.frames - 1
        size = (shot.width, shot.height)
        self._opening, self._closing = _photo(_opening(shot), size), _photo(_picture(shot.last_frame), size)
        self._footage = Footage(shot.clips[0].data, *size, shot.fps) if shot.edits and shot.clips else None
        if self._footage is not None and not self._footage.plays:
            self._footage = None
        self._stage_set: Scene | None = None  # built when it is first seen: many shots never show it
        self._other = Planes(*size) if self._opening or self._closing else None

    @property
    def plays_clip(self) -> bool:
        """Whether a clip fills the frame."""
        return self._footage is not None

    @property
    def _scene(self) -> Scene:
        if self._stage_set is None:
            shot = self._shot
            self._stage_set = Scene(self._theme, shot.width, shot.height, shot.frames / shot.fps)
        return self._stage_set

    def shoot(self, on: Planes, number: int) -> None:
        """Fill the frame of that number; numbers grow from 0."""
        if self._footage is not None:
            self._footage.lay(on, number)
            return
        share = self._fade(number)
        self._before(on, number, covered=share >= 1)
        if self._other is not None and share > 0:
            self._after(self._other, number)
            on.mix(self._other, share)

    def text(self, number: int) -> float:
        """How visible the text is: 0 where the picture is given."""
        shown = 1.0
        if self._footage is None and self._opening:
            shown = min(shown, number / _TEXT_FADE)
        if self._footage is None and self._closing:
            shown = min(shown, (self._last - number) / _TEXT_FADE)
        return max(0.0, shown)

    def _fade(self, number: int) -> float:
        """From what comes first (0) to what comes last (1)."""
        if not (self._opening or self._closing):
            return 0.0
        if self._last == 0:
            return 0.0 if self._opening else 1.0
        begin, end = (0.55, 0.8) if not self._closing else (0.35, 0.65)
        return _eased((number / self._last - begin) / (end - begin))

    def _before(self, on: Planes, number: int, *, covered: bool) -> None:
        if self._opening is None:
            self._scene.lay(on, number / self._shot.fps)
        elif not covered:
            self._opening.lay(on, _eased(number / max(1, self._last) / 0.8))

    def _after(self, on: Planes, number: int) -> None:
        if self._closing is None:
            self._scene.lay(on, number / self._shot.fps)
        else:
            rest = max(1, self._last - _REST)
            self._closing.lay(on, 1 - _eased((number / rest - 0.2) / 0.8))


def _opening(shot: Shot) -> Picture | None:
    if shot.extends and shot.clips:
        return ClipReader(shot.clips[0].data).last_picture()
    return _picture(shot.first_frame)


def _picture(still: Still | None) -> Picture | None:
    return open_picture(still.data) if still else None


def _photo(picture: Picture | None, size: tuple[int, int]) -> Photo | None:
    return Photo(picture, *size) if picture else None


def _part(planes: Planes, left: int, top: int, width: int, height: int) -> Any:
    """A rectangle of a frame as a frame; at an odd place its colours are half a pixel off, unseen."""
    part: Any = av.VideoFrame(width, height, "yuv420p")
    for index, (plane, source) in enumerate(zip(part.planes, planes.all, strict=True)):
        half = 1 if index == 0 else 2
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = source[
            top // half : top // half + plane.height, left // half : left // half + plane.width
        ]
    return part


def _eased(share: float) -> float:
    """From 0 to 1, gently at both ends."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
