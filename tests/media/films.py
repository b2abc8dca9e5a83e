"""Films whose picture flashes and whose sound clicks at known times, and what measures them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

CLICK_S = 0.03


def flashing_film(
    path: Path,
    *,
    frames: int = 48,
    flashes: tuple[int, ...] = (6, 40),
    rate: int = 24,
    size: tuple[int, int] = (160, 96),
    sound: bool = True,
    samples_s: float | None = None,
    audio_rate: int = 44100,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
    first_grey: int = 40,
) -> Path:
    """A grey film that is white for one frame, and clicks, at each of the given frames.

    Args:
        samples_s: how long the sound is; by default as long as the picture.
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        video: Any = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", **(options or {})})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio: Any = out.add_stream("aac", rate=audio_rate, layout=layout) if sound else None
        for number in range(frames):
            grey = 255 if number in flashes else first_grey
            pixels = np.full((size[1], size[0], 3), grey, np.uint8)
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(video.encode(None))
        if audio is not None:
            count = round((frames / rate if samples_s is None else samples_s) * audio_rate)
            channels = 1 if layout == "mono" else 2
            samples = np.zeros((channels, count), np.float32)
            tone = np.sin(np.arange(round(CLICK_S * audio_rate)) * 2 * np.pi * 1500 / audio_rate) * 0.8
            for flash in flashes:
                place = round(flash / rate * audio_rate)
                room = samples[:, place : place + tone.size]
                room += tone[: room.shape[1]].astype(np.float32)
            for place in range(0, count, 1024):
                block = np.ascontiguousarray(samples[:, place : place + 1024])
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
                frame.sample_rate, frame.pts = audio_rate, place
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def flashes_of(path: Path) -> list[float]:
    """When the picture is white, in seconds."""
    with av.open(str(path)) as container:
        return [
            float(frame.time)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray")[:, frame.width // 2].mean() > 150 and frame.time is not None
        ]


def loudness_of(path: Path) -> tuple[list[float], list[float]]:
    """Times and loudness of the sound, a value for each 2 ms, by the clock of the file."""
    times: list[float] = []
    values: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray()).max(axis=0)
            step = max(1, frame.sample_rate // 500)
            for place in range(0, samples.size, step):
                times.append(float(frame.time or 0.0) + place / frame.sample_rate)
                values.append(float(samples[place : place + step].max()))
    return times, values


def clicks_of(path: Path) -> list[float]:
    """When clicks begin, in seconds."""
    found: list[float] = []
    for time, value in zip(*loudness_of(path), strict=True):
        if value > 0.3 and (not found or time - found[-1] > 3 * CLICK_S):
            found.append(time)
    return found


def packets_of(path: Path, kind: str) -> list[tuple[int, int, int, bytes]]:
    """Time of showing, time of decoding, length and bytes of every packet."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        return [
            (packet.pts, packet.dts, packet.duration or 0, bytes(packet))
            for packet in container.demux(stream)
            if packet.pts is not None and packet.dts is not None
        ]


def seconds_of(path: Path, kind: str) -> float:
    """How long a stream is, from the film's beginning to its last packet's end."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        tick = Fraction(stream.time_base or 1)
    return float(max(pts + length for pts, _, length, _ in packets_of(path, kind)) * tick)
