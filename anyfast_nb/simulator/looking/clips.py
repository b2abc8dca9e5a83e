"""Looking at one clip with PyAV."""

from __future__ import annotations

import io
import math
from typing import Any

from anyfast_nb.simulator.looking.colours import main_colours
from anyfast_nb.simulator.looking.views import Moment, View
from anyfast_nb.simulator.request import PartKind

# FFmpeg opens nearly anything as "video", a PNG and a web page too: only real clip formats count.
CONTAINERS = frozenset({"mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv"})
LOOKS = 8


def look_at_clip(data: bytes, *, fps: float) -> View:
    """Length, pixel size, frames at ``fps`` and colours over time; never raises for what the bytes hold."""
    import av

    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            if not CONTAINERS & set(container.format.name.split(",")) or not container.streams.video:
                return _unreadable(data, fps, "the data is no clip in a known format")
            return _measure(container, len(data), fps=fps)
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        return _unreadable(data, fps, f"the data is no readable clip ({type(error).__name__})")


def frames_seen(duration_s: float, *, fps: float) -> int:
    """How many frames a model looks at: one at the start and one each 1/fps seconds."""
    return max(1, math.ceil(duration_s * fps - 1e-6))


def _unreadable(data: bytes, fps: float, problem: str) -> View:
    return View(kind=PartKind.VIDEO, size_bytes=len(data), fps=fps, problem=problem)


def _measure(container: Any, size_bytes: int, *, fps: float) -> View:
    stream = container.streams.video[0]
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    stated_s = float(container.duration or 0) / 1_000_000
    duration_s = _real_length(container, stream)
    whole = duration_s > 0
    return View(
        kind=PartKind.VIDEO,
        size_bytes=size_bytes,
        format=str(stream.codec_context.name),
        width=int(stream.codec_context.width),
        height=int(stream.codec_context.height),
        duration_s=duration_s,
        stated_s=stated_s,
        frame_rate=rate,
        fps=fps,
        frames=frames_seen(duration_s, fps=fps) if whole else 0,
        moments=_moments(container, stream, duration_s) if whole else (),
        has_audio=bool(container.streams.audio),
        problem="" if whole else "its header is whole, but no frame is in it",
    )


def _real_length(container: Any, stream: Any) -> float:
    """Seconds by the packets that are there: a file cut short still states its full length."""
    import av

    end, start = 0.0, None
    try:
        for packet in container.demux(stream):
            if packet.pts is None or packet.size == 0:
                continue
            at = float(packet.pts * packet.time_base)
            start = at if start is None else min(start, at)
            end = max(end, at + float((packet.duration or 0) * packet.time_base))
    except (av.FFmpegError, OSError, ValueError):
        pass  # what was read until here counts
    return round(max(0.0, end - (start or 0.0)), 3)


def _moments(container: Any, stream: Any, duration_s: float) -> tuple[Moment, ...]:
    step = duration_s / LOOKS
    found: list[Moment] = []
    for index in range(LOOKS):
        colour = _colour_at(container, stream, (index + 0.5) * step)
        if not colour:
            continue
        end = round((index + 1) * step, 2)
        if found and found[-1].colour == colour:
            found[-1] = Moment(found[-1].start_s, end, colour)
        else:
            found.append(Moment(round(index * step, 2), end, colour))
    return tuple(found)


def _colour_at(container: Any, stream: Any, second: float) -> str:
    """Main colour of the frame shown at a second, "" where none can be decoded."""
    import av

    start = float((stream.start_time or 0) * stream.time_base)
    try:
        container.seek(int((start + second) / float(stream.time_base)), stream=stream, backward=True)
        frame = None
        for frame in container.decode(stream):
            if frame.time is not None and frame.time + 1e-6 >= start + second:
                break
        if frame is None:
            return ""
        small = frame.reformat(width=64, height=64, format="rgb24").to_image()
    except (av.FFmpegError, OSError, ValueError):
        return ""
    return main_colours(small, most=1)[0].name
