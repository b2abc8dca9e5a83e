"""Films that differ, encoded anew as one: the size and the rate of the first, every sound at its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from anyfast_nb.media.reel import Reel, no_film

_X264: Final = {"preset": "veryfast", "crf": "18"}
_AAC_BITS: Final = 160_000
_SAMPLES: Final = 1024  # in a frame of sound
_LIMITED: Final = 1


def recode(reels: Sequence[Reel], part: Path) -> tuple[list[Fraction], int]:
    """Encode films one after another.

    Returns:
        Where each ends, in seconds, and the number of frames.
    """
    import av

    rate = reels[0].rate.limit_denominator(1001)
    sounding = next((reel.sound for reel in reels if reel.sound is not None), None)
    ends: list[Fraction] = []
    shown = heard = 0
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        picture: Any = out.add_stream("libx264", rate=rate, options={**_X264, "g": str(max(1, round(rate)))})
        picture.width, picture.height = _even(reels[0].width), _even(reels[0].height)
        picture.pix_fmt = "yuv420p"
        context = picture.codec_context  # or a player takes them for those of another size
        context.color_range, context.color_primaries = _LIMITED, reels[0].colours[1]
        context.color_trc, context.colorspace = reels[0].colours[2:]
        sound: Any = None
        if sounding is not None:
            sound = out.add_stream("aac", rate=sounding.rate, layout="stereo", bit_rate=_AAC_BITS)
        for reel in reels:
            for frame in _frames(reel, rate, picture.width, picture.height):
                frame.pts, frame.time_base = shown, 1 / rate
                frame.pict_type = 0  # the encoder chooses
                out.mux(picture.encode(frame))
                shown += 1
            ends.append(shown / rate)
            if sound is not None and sounding is not None:
                until = round(ends[-1] * sounding.rate)
                for block in _sound_frames(reel, sounding.rate, heard, until):
                    out.mux(sound.encode(block))
                heard = until
        out.mux(picture.encode(None))
        if sound is not None:
            out.mux(sound.encode(None))
    return ends, shown


def _even(length: int) -> int:
    return max(2, length - length % 2)


# --- the picture --------------------------------------------------------------------------


def _frames(reel: Reel, rate: Fraction, width: int, height: int) -> Iterator[Any]:
    """The frames of a film at another rate and size: at each moment the one that is shown then."""
    count = max(1, round(reel.seconds * rate))
    fit, given, number = _Fit(width, height), None, 0
    for time, frame in _decoded(reel):
        while given is not None and number < count and Fraction(number) / rate < time:
            yield fit.of(given)
            number += 1
        given = frame
    if given is None:
        raise no_film(reel.path, ValueError("no frame"))
    while number < count:
        yield fit.of(given)
        number += 1


def _decoded(reel: Reel) -> Iterator[tuple[Fraction, Any]]:
    """Frames with their times, a little early: clocks of other rates round."""
    import av

    early = 1 / reel.rate / 4
    try:
        with av.open(str(reel.path)) as container:
            for frame in container.decode(container.streams.video[0]):
                yield (Fraction(frame.pts or 0) - reel.start) * reel.tick - early, frame
    except av.FFmpegError as error:
        raise no_film(reel.path, error) from None


class _Fit:
    """Brings frames to a size, the whole picture visible, black beside it."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._graph: Any = None
        self._for: tuple[Any, ...] = ()

    def of(self, frame: Any) -> Any:
        """A new frame of that size."""
        key = (frame.width, frame.height, frame.format.name)
        if self._graph is None or self._for != key:
            self._graph, self._for = self._made(frame), key
        self._graph.push(frame)
        return self._graph.pull()

    def _made(self, frame: Any) -> Any:
        import av.filter

        width, height = self._size
        graph: Any = av.filter.Graph()
        steps = [
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
            ),
            graph.add(
                "scale",
                f"{width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:out_range=limited",
            ),
            graph.add("pad", f"{width}:{height}:-1:-1:black"),
            graph.add("setsar", "1"),
            graph.add("format", "yuv420p"),
            graph.add("buffersink"),
        ]
        for one, other in pairwise(steps):
            one.link_to(other)
        graph.configure()
        return graph


# --- the sound ----------------------------------------------------------------------------


def _sound_frames(reel: Reel, rate: int, begin: int, until: int) -> Iterator[Any]:
    """A film's sound as frames of the whole's, exactly as long as its picture."""
    import av
    import numpy as np

    samples = np.zeros((2, until - begin), np.float32)
    if reel.sound is not None:
        for place, block in _heard(reel, rate):
            skip = max(0, -place)
            room = samples[:, place + skip : place + block.shape[1]]
            room += block[:, skip : skip + room.shape[1]]
    for place in range(0, until - begin, _SAMPLES):
        block = np.ascontiguousarray(samples[:, place : place + _SAMPLES])
        frame: Any = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin + place, Fraction(1, rate)
        yield frame


def _heard(reel: Reel, rate: int) -> Iterator[tuple[int, Any]]:
    """Blocks of stereo sound at a rate, each with its place in samples after the first frame."""
    import av

    zero = reel.start * reel.tick
    place: int | None = None
    try:
        with av.open(str(reel.path)) as container:
            resampler: Any = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
            for frame in container.decode(container.streams.audio[0]):
                if place is None:
                    place = round(((frame.time or 0.0) - zero) * rate)
                for block in _blocks(resampler, frame):
                    yield place, block
                    place += block.shape[1]
            for block in _blocks(resampler, None):
                yield place or 0, block
    except av.FFmpegError as error:
        raise no_film(reel.path, error) from None


def _blocks(resampler: Any, frame: Any) -> Iterator[Any]:
    for made in resampler.resample(frame) or []:
        if made is not None:
            yield made.to_ndarray()
