from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

CODECS = {
    "mp4": "libx264",
    "mov": "libx264",
    "webm": "libvpx",
    "avi": "mpeg4",
    "mkv": "libx264",
    "ts": "libx264",
}


def picture(width: int = 40, height: int = 30, *, mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


def image_bytes(format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture(**options).save(file, format=format)
    return file.getvalue()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A real clip of 64 x 48 pixels at 10 frames per second, made once for each kind."""
    made: dict[tuple[str, int, bool], Path] = {}

    def make(kind: str = "mp4", *, frames: int = 15, faststart: bool = False) -> Path:
        key = (kind, frames, faststart)
        if key not in made:
            path = tmp_path_factory.mktemp("clips") / f"clip.{kind}"
            made[key] = encode_clip(path, kind, frames, faststart)
        return made[key]

    return make


def encode_clip(path: Path, kind: str, frames: int, faststart: bool) -> Path:
    container_format = {"mkv": "matroska", "ts": "mpegts"}.get(kind, kind)
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", format=container_format, options=options) as container:
        stream = container.add_stream(CODECS[kind], rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            pixels = np.full((48, 64, 3), number * 8 % 256, dtype="uint8")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path
