"""Pictures, clips and sounds to send along, and a look at what was made."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from anyfast_nb.simulator.studio import Shot, film

Pixels = npt.NDArray[np.uint8]


def encoded(image: Image.Image, format: str = "PNG") -> bytes:
    """A picture as a file's bytes."""
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def quarters(width: int, height: int) -> Image.Image:
    """Four plain quarters: red, green, blue, yellow."""
    image = Image.new("RGB", (width, height), (200, 40, 40))
    image.paste((40, 160, 60), (width // 2, 0, width, height // 2))
    image.paste((40, 70, 200), (0, height // 2, width // 2, height))
    image.paste((230, 210, 60), (width // 2, height // 2, width, height))
    return image


def wav(seconds: float, pitch: float, *, rate: int = 22_050) -> bytes:
    """A tone, mono, 16 bit."""
    out = io.BytesIO()
    tone = np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * pitch / rate) * 12_000
    with av.open(out, "w", format="wav") as container:
        track = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return out.getvalue()


def far_apart(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two pictures, 0 to 255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A film, decoded."""

    path: Path
    frames: list[Pixels]
    duration_s: float
    rate: float
    codecs: tuple[str, ...]
    pixel_format: str
    samples: npt.NDArray[np.float32] | None

    def loudness(self) -> float:
        """Root mean square of the sound."""
        assert self.samples is not None
        return float(np.sqrt(np.mean(np.square(self.samples))))

    def strength(self, pitch: float) -> float:
        """How much of a pitch the sound holds, against its loudest."""
        assert self.samples is not None
        spectrum = np.abs(np.fft.rfft(self.samples.mean(axis=0)))
        at = round(pitch * self.samples.shape[1] / 44_100)
        return float(spectrum[at - 3 : at + 4].max() / spectrum.max())


def watch(path: Path) -> Made:
    """Decode a whole film."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        codecs = tuple(stream.codec_context.name for stream in container.streams)
        frames, sound = [], []
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                frames.append(frame.to_ndarray(format="rgb24"))
            else:
                sound.append(frame.to_ndarray())
        return Made(
            path=path,
            frames=frames,
            duration_s=container.duration / 1_000_000,
            rate=float(video.average_rate),
            codecs=codecs,
            pixel_format=str(video.codec_context.pix_fmt),
            samples=np.concatenate(sound, axis=1) if sound else None,
        )


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Shot], Made]:
    """Make a film and watch it."""

    def made(shot: Shot) -> Made:
        path = tmp_path / "film.mp4"
        film(shot, path)
        return watch(path)

    return made
