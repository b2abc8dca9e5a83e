from __future__ import annotations

import base64
import doctest
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.media import MediaItem, check_body, image_item, parts, video_item
from anyfast_nb.media.parts import MB
from tests.media.conftest import image_bytes, picture

mpl.use("agg")


def opened(item: MediaItem) -> Image.Image:
    """The picture as the server decodes it."""
    head, _, rest = item.url.partition(",")
    assert head == f"data:{item.media_type};base64"
    data = base64.b64decode(rest)
    assert len(data) == item.size_bytes
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def refused(make: Callable[[], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        make()
    error = caught.value
    assert error.hint
    assert len(error.lines()) <= 3
    assert ";base64," not in str(error)
    return error


def test_the_example_runs() -> None:
    result = doctest.testmod(parts)
    assert (result.attempted, result.failed) == (3, 0)


# --- every form an image has --------------------------------------------------------------


def test_a_url_is_passed_on_and_never_shown() -> None:
    url = "https://bucket.example.cn/pictures/cat.png?X-Tos-Signature=5ec2e7"
    item = image_item(f" {url}\n")
    assert item.url == url
    assert item.label == "cat.png on bucket.example.cn"
    assert item.size_bytes is item.width is item.duration_s is None
    assert "5ec2e7" not in repr(item)
    assert video_item("HTTP://host.cn/").label == "host.cn"


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_path_is_read_whatever_its_name_says(tmp_path: Path, as_type: Any) -> None:
    path = tmp_path / "wrong name, really.jpg"
    path.write_bytes(image_bytes("PNG"))
    item = image_item(as_type(path))
    assert (item.kind, item.media_type, item.label) == ("image", "image/png", path.name)
    assert (item.width, item.height) == (40, 30) == opened(item).size
    assert base64.b64encode(path.read_bytes()).decode() in item.url
    assert "base64" not in repr(item)
    assert "iVBOR" not in f"{item} {item!r}"


def test_the_home_sign_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cat.gif").write_bytes(image_bytes("GIF"))
    assert image_item("~/cat.gif").media_type == "image/gif"


@pytest.mark.parametrize("as_type", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_and_files_are_taken(as_type: Any) -> None:
    item = image_item(as_type(image_bytes("WEBP")))
    assert (item.media_type, item.width) == ("image/webp", 40)


def test_an_open_file_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "cat.bmp"
    path.write_bytes(image_bytes("BMP"))
    with path.open("rb") as file:
        assert image_item(file).label == "cat.bmp"
        assert "seek(0)" in refused(lambda: image_item(file)).hint
    with path.open(encoding="latin-1") as file:
        assert "open as text" in refused(lambda: image_item(file)).message


def test_a_data_uri_is_checked_like_a_file() -> None:
    uri = f"data:image/jpeg;base64,{base64.b64encode(image_bytes('PNG')).decode()}"
    item = image_item(uri)
    assert (item.media_type, item.label) == ("image/png", "data URI")
    assert "cannot be read" in refused(lambda: image_item("data:image/png;base64,ä")).message
    assert "a text" in refused(lambda: image_item("data:text/plain,hello%20you")).message


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "I;16"])
def test_a_pil_image_of_any_mode_becomes_png(mode: str) -> None:
    item = image_item(picture(mode=mode))
    assert (item.media_type, item.width, item.height, item.label) == ("image/png", 40, 30, "PIL image")
    assert opened(item).size == (40, 30)


def test_a_pil_image_keeps_its_pixels() -> None:
    image = picture(mode="RGBA")
    assert opened(image_item(image)).tobytes() == image.tobytes()


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 1), (30, 40, 3), (30, 40, 4)])
def test_an_array_becomes_the_picture_it_is(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype="uint8")
    item = image_item(pixels)
    assert (item.width, item.height) == (40, 30)
    assert item.label == f"array {' x '.join(map(str, shape))}"
    assert np.array_equal(np.asarray(opened(item)), pixels.squeeze())
    assert np.array_equal(np.asarray(opened(image_item(pixels / 255))), pixels.squeeze())
    assert np.array_equal(np.asarray(opened(image_item((pixels / 255).astype("float32")))), pixels.squeeze())


def test_an_array_of_booleans_is_black_and_white() -> None:
    assert np.asarray(opened(image_item(np.array([[True, False]])))).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((5, 30, 40, 3), "uint8"), "5 x 30 x 40 x 3"),
        (np.zeros((30, 40, 2), "uint8"), "30 x 40 x 2"),
        (np.zeros((0, 40), "uint8"), "0 x 40"),
        (np.zeros(7, "uint8"), "shape 7"),
        (np.array(7, "uint8"), "shape ()"),
        (np.zeros((3, 4), "int64"), "int64"),
        (np.array([["a"]], dtype=object), "object"),
        (np.array([[0.0, 255.0]]), "from 0 to 255"),
        (np.array([[-0.5, 1.0]]), "from -0.5 to 1"),
        (np.array([[0.0, np.nan]]), "nan"),
    ],
)
def test_an_array_that_is_no_image_says_why(array: Any, said: str) -> None:
    assert said in refused(lambda: image_item(array)).message


def test_a_figure_its_axes_and_its_parts_become_a_picture() -> None:
    figure = Figure(figsize=(4, 3), dpi=50)
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.plot([1, 2, 3])
    for value in (figure, axes, left, axes.lines[0], right):
        item = image_item(value)
        assert (item.width, item.height, item.label) == (200, 150, "figure")
    assert opened(image_item(figure)).convert("L").getextrema()[0] < 100

    from matplotlib.lines import Line2D

    assert "in no figure" in refused(lambda: image_item(Line2D([0], [1]))).message


def test_a_picture_that_pil_cannot_read_has_an_unknown_size() -> None:
    item = image_item(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    assert (item.media_type, item.width, item.height) == ("image/heic", None, None)


# --- clips ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_a_clip_has_a_length_and_a_size(kind: str, clip: Callable[..., Path]) -> None:
    item = video_item(str(clip(kind)))
    assert item.kind == "video"
    assert item.duration_s == pytest.approx(1.5, abs=0.05)
    assert (item.width, item.height, item.label) == (64, 48, f"clip.{kind}")
    assert item.size_bytes == clip(kind).stat().st_size
    assert item.url.startswith(f"data:{item.media_type};base64,")


@pytest.mark.parametrize("kind", ["webm", "avi"])
def test_a_clip_of_another_kind_has_an_unknown_length(kind: str, clip: Callable[..., Path]) -> None:
    item = video_item(clip(kind).read_bytes(), label="mine")
    assert item.duration_s is item.width is None
    assert item.label == "mine"


def test_a_clip_that_is_cut_off_is_refused(clip: Callable[..., Path]) -> None:
    data = clip(faststart=True).read_bytes()
    error = refused(lambda: video_item(data[:-100], label="clip.mp4"))
    assert error.message == "clip.mp4 is cut off: 100 bytes of it are missing."


# --- refusals -------------------------------------------------------------------------------


def test_one_for_the_other_is_told(tmp_path: Path, clip: Callable[..., Path]) -> None:
    error = refused(lambda: image_item(clip()))
    assert str(error) == "clip.mp4 is an MP4 clip, not an image.\nGive it as a video."
    picture_file = tmp_path / "cat.mp4"
    picture_file.write_bytes(image_bytes("PNG"))
    assert refused(lambda: video_item(picture_file)).message == "cat.mp4 is a PNG image, not a video."
    assert refused(lambda: video_item(picture())).message == "An object of type Image is not a video."


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("page.png", b"<!doctype html><h1>404", "page.png is a web page, not an image."),
        ("a.pdf", b"%PDF-1.7", "a.pdf is a PDF document, not an image."),
        ("none.png", b"", "none.png is empty (0 bytes), not an image."),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert refused(lambda: image_item(tmp_path / name)).message == said


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "skyline.png").write_bytes(image_bytes("PNG"))
    error = refused(lambda: image_item(tmp_path / "skylin.png"))
    assert str(tmp_path / "skylin.png") in error.message
    assert error.hint == "Did you mean skyline.png?"
    assert str(tmp_path) in refused(lambda: image_item(tmp_path / "zzz")).hint
    assert "no folder" in refused(lambda: image_item(tmp_path / "none" / "x.png")).hint


@pytest.mark.parametrize("path", ["x" * 5000, "nul\0byte", "~nobody-of-that-name/x.png"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    error = refused(lambda: image_item(path))
    assert len(error.message) < 300


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refused(lambda: image_item(tmp_path)).message


@pytest.mark.parametrize("url", ["ftp://host/x.png", "file:///x.png", "asset://a", "https://", "http://[x"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    refused(lambda: image_item(url))


@pytest.mark.parametrize("value", [None, 7, [1], {"url": "x"}, object()])
def test_another_object_is_refused(value: Any) -> None:
    assert type(value).__name__ in refused(lambda: image_item(value)).message
    assert "open file." in refused(lambda: video_item(value)).hint


# --- sizes ----------------------------------------------------------------------------------


def test_an_image_must_be_below_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    start = image_bytes("PNG")
    path.write_bytes(start + bytes(10 * MB - len(start)))
    error = refused(lambda: image_item(path))
    assert error.message == (
        "large.png has 10.0 MB (10,485,760 bytes); an image must be below 10 MB (10,485,760 bytes)."
    )
    assert "thumbnail" in error.hint
    path.write_bytes(start + bytes(10 * MB - len(start) - 1))
    assert image_item(path).size_bytes == 10 * MB - 1


def test_a_large_file_is_refused_unread(tmp_path: Path, clip: Callable[..., Path]) -> None:
    path = tmp_path / "huge.mp4"
    path.write_bytes(clip().read_bytes())
    with path.open("r+b") as file:
        file.truncate(10**12)  # a sparse file: reading it would end the test
    assert "1,000,000,000,000 bytes" in refused(lambda: video_item(path)).message


def test_base64_grows_and_the_body_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "long.avi"
    start = b"RIFF\0\0\0\0AVI LIST"
    path.write_bytes(start + bytes(49 * MB - len(start)))
    item = video_item(path)
    error = refused(lambda: check_body([item]))
    assert "long.avi: 49.0 MB (51,380,224 bytes)" in error.message
    assert "65.3 MB" in error.message
    assert "below 64 MB (67,108,864 bytes)" in error.message

    path.write_bytes(start + bytes(47 * MB - len(start)))
    item = video_item(path)
    check_body([item, image_item("https://host.cn/x.png")])
    refused(lambda: check_body([item, image_item(image_bytes("PNG")), item]))
    refused(lambda: check_body([item], other_bytes=2 * MB))


# --- imports --------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_without_need(clip: Callable[..., Path]) -> None:
    code = """
import sys
from anyfast_nb.media import image_item, video_item
image_item("https://host.cn/x.png")
video_item(sys.argv[1])
try:
    image_item(object())
except ValueError:
    pass
print(sorted({"PIL", "numpy", "matplotlib", "av"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip())],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
