from __future__ import annotations

import io
from pathlib import Path

import pytest

from anyfast_nb.errors import AnyFastError
from anyfast_nb.media.frames import last_frame, open_image, picture_size, poster, thumbnail


def film(path: Path, *, frames: int, gop: int) -> Path:
    """A film of which each frame is a little brighter than the one before."""
    import av
    from PIL import Image

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": str(gop)})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(frames):
            grey = number * 255 // max(1, frames - 1)
            out.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 90), (grey,) * 3))))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize(("frames", "gop"), [(1, 24), (20, 24), (120, 24), (120, 250)])
def test_the_last_frame_is_the_last(tmp_path: Path, frames: int, gop: int) -> None:
    from PIL import Image

    found = last_frame(film(tmp_path / "a.mp4", frames=frames, gop=gop))
    with Image.open(io.BytesIO(found)) as image:
        assert (image.format, image.size) == ("PNG", (160, 90))
        brightness = image.convert("L").getpixel((80, 45))
    assert isinstance(brightness, int)
    assert brightness > 250 if frames > 1 else brightness < 5


def test_what_is_no_film_has_no_frames(tmp_path: Path) -> None:
    for name, data in (("a.mp4", b"nonsense" * 100), ("b.mp4", b"")):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(AnyFastError, match="no frame"):
            last_frame(path)
        assert poster(path) is None
        assert thumbnail(path) is None
        assert picture_size(path) is None
    assert poster(tmp_path / "missing.mp4") is None


def test_a_poster_is_small_and_knows_the_film(tmp_path: Path) -> None:
    small = poster(film(tmp_path / "a.mp4", frames=3, gop=24), longest=80)
    assert small is not None
    assert (small.media_type, small.width, small.height) == ("image/jpeg", 160, 90)
    assert small.data.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("mode", "format", "media_type"),
    [
        ("RGB", "PNG", "image/jpeg"), ("RGB", "JPEG", "image/jpeg"), ("RGBA", "PNG", "image/png"),
        ("P", "PNG", "image/jpeg"), ("I;16", "PNG", "image/jpeg"), ("L", "PNG", "image/jpeg"),
    ],
)  # fmt: skip
def test_a_thumbnail_of_any_picture(tmp_path: Path, mode: str, format: str, media_type: str) -> None:
    from PIL import Image

    path = tmp_path / "picture"
    Image.new(mode, (1000, 500)).save(path, format=format)
    small = thumbnail(path, longest=100)
    assert small is not None
    assert (small.media_type, small.width, small.height) == (media_type, 1000, 500)
    with Image.open(io.BytesIO(small.data)) as image:
        assert image.size == (100, 50)
    assert open_image(path).size == picture_size(path) == (1000, 500)
