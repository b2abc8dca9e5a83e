"""Measuring what was sent along never raises and says what is really there."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anyfast_nb.simulator.studio import Kind, Measured, Shot, adaptive_ratio, film, measure
from tests.simulator.studio.conftest import encoded, quarters, wav


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("measure") / "clip.mp4"
    film(Shot("a cat", 320, 180, 3), path)
    return path.read_bytes()


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "gif", "bmp"])
def test_a_picture(format: str) -> None:
    assert measure(encoded(quarters(120, 80), format)) == Measured(Kind.IMAGE, format, 120, 80)


def test_a_picture_on_its_side() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    quarters(120, 80).save(out, "JPEG", exif=exif)
    assert measure(out.getvalue()) == Measured(Kind.IMAGE, "jpeg", 80, 120)


def test_a_clip(clip: bytes) -> None:
    assert measure(clip) == Measured(Kind.CLIP, "h264", 320, 180, 3.0, 24.0, has_audio=True)


def test_a_clip_cut_short_is_as_long_as_its_frames(clip: bytes) -> None:
    cut = measure(clip[: len(clip) // 2])
    assert cut is not None
    assert 0 < cut.duration_s < 2.5


def test_a_silent_clip(tmp_path: Path) -> None:
    film(Shot("a cat", 320, 180, 1, audio=False), tmp_path / "x.mp4")
    found = measure((tmp_path / "x.mp4").read_bytes())
    assert found is not None
    assert not found.has_audio


def test_a_sound() -> None:
    found = measure(wav(2.5, 440))
    assert found == Measured(Kind.SOUND, "pcm_s16le", duration_s=2.5, has_audio=True)


def test_a_sound_with_a_cover_is_no_clip() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as container:
        track = container.add_stream("mp3", rate=44_100, layout="stereo")
        samples = np.zeros((2, 44_100), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = 44_100
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    found = measure(out.getvalue())
    assert found is not None
    assert (found.kind, found.format) == (Kind.SOUND, "mp3")
    assert found.duration_s == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"<html></html>" * 100, bytes(range(256)) * 50, b"\x89PNG\r\n\x1a\n", b"RIFF____WAVE"]
)
def test_anything_else_is_nothing(data: bytes) -> None:
    assert measure(data) is None


@given(data=st.binary(max_size=300), at=st.integers(0, 400))
def test_it_never_raises(data: bytes, at: int) -> None:
    picture = encoded(quarters(20, 20))
    measure(data)
    measure(picture[:at] + data + picture[at + len(data) :])


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1920, 1080), "16:9"), ((1080, 1920), "9:16"), ((1000, 1000), "1:1"), ((800, 600), "4:3"),
        ((600, 800), "3:4"), ((2560, 1080), "21:9"), ((6000, 300), "21:9"), ((300, 6000), "9:16"),
        ((1100, 1000), "1:1"), ((3000, 2000), "4:3"),
    ],
)  # fmt: skip
def test_adaptive_takes_the_nearest_ratio(size: tuple[int, int], ratio: str) -> None:
    assert adaptive_ratio(*size) == ratio
