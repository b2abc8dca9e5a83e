"""A picture made to fit keeps its shape, its uprightness and its transparency."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from anyfast_nb.errors import InputError
from anyfast_nb.media import LIMITS, Kind, MediaItem, Use, media_item
from anyfast_nb.media.limits import Limits, Span, Verdict
from anyfast_nb.media.shrink import shrunk
from anyfast_nb.media.sniff import identify
from tests.media.conftest import image_bytes, picture

IMAGE_USES = [use for use in Use if use.kind is Kind.IMAGE]


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype="uint8")
    return Image.fromarray(pixels)


def file_of(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def sent(item: MediaItem) -> Image.Image:
    assert item.data is not None
    image = Image.open(io.BytesIO(item.data))
    image.load()
    return image


def assert_within(use: Use, item: MediaItem) -> None:
    limits = LIMITS[use]
    assert item.width is not None
    assert item.height is not None
    assert limits.size_bytes.verdict(item.size_bytes or 0) is Verdict.FITS
    assert not limits.media_types or item.media_type in limits.media_types
    for span, value in (
        (limits.side, item.width),
        (limits.side, item.height),
        (limits.ratio, item.width / item.height),
        (limits.area, item.width * item.height),
    ):
        assert span is None or span.verdict(value) is not Verdict.REFUSED
    upright = ImageOps.exif_transpose(sent(item))  # what was not touched keeps the camera's note
    assert upright is not None
    assert upright.size == (item.width, item.height)


def test_what_fits_is_sent_as_it_is() -> None:
    data = image_bytes("PNG", width=400, height=300)
    for use in IMAGE_USES:
        item = media_item(data, use=use, downscale=True)
        assert (item.data, item.note) == (data, "")


def test_too_many_pixels_become_fewer() -> None:
    data = file_of(picture(6400, 4800), "JPEG")
    item = media_item(data, use=Use.SEEDANCE_IMAGE, downscale=True)
    assert (item.width, item.height, item.media_type) == (6000, 4500, "image/jpeg")
    assert item.note == "downscaled from 6400 x 4800 to 6000 x 4500"


def test_too_many_bytes_become_fewer() -> None:
    data = file_of(noise(2200, 1700), "PNG")
    item = media_item(data, use=Use.CHAT_IMAGE, downscale=True, label="photo.png")
    assert (item.width, item.height, item.media_type) == (2200, 1700, "image/jpeg")
    assert item.note == "sent as JPEG; it was a PNG image"
    assert_within(Use.CHAT_IMAGE, item)


def test_many_bytes_of_many_pixels_have_4096_on_the_longer_side() -> None:
    start = image_bytes("PNG", width=6400, height=4800)
    item = media_item(start + bytes(10 * 1024 * 1024), use=Use.CHAT_IMAGE, downscale=True)
    assert "downscaled from 6400 x 4800 to 4096 x 3072" in item.notes


def test_a_see_through_picture_stays_so() -> None:
    item = media_item(file_of(noise(2000, 1500, 4), "PNG"), use=Use.CHAT_IMAGE, downscale=True)
    assert item.media_type == "image/png"
    assert sent(item).mode == "RGBA"
    assert item.width is not None
    assert item.width < 2000
    assert_within(Use.CHAT_IMAGE, item)


def test_a_picture_that_only_could_be_see_through_becomes_jpeg() -> None:
    image = picture(400, 300).convert("RGBA")
    item = media_item(file_of(image, "WEBP"), use=Use.KLING_IMAGE, downscale=True)
    assert item.media_type == "image/jpeg"


def test_a_turned_photo_is_sent_upright() -> None:
    image = Image.new("RGB", (400, 300), "white")
    image.paste("black", (0, 0, 400, 150))  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it to the right: the upper half comes to the right
    item = media_item(file_of(image, "WEBP", exif=exif), use=Use.KLING_IMAGE, downscale=True)
    upright = sent(item)
    assert (item.width, item.height) == upright.size == (300, 400)
    left, right = upright.getpixel((20, 200)), upright.getpixel((280, 200))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > 200
    assert right[0] < 50
    assert 0x0112 not in upright.getexif()


def test_sixteen_bits_keep_their_greys() -> None:
    deep = Image.fromarray((np.full((300, 400), 128 * 257)).astype("uint16"))
    start = file_of(deep, "TIFF")
    item = media_item(start, use=Use.KLING_IMAGE, downscale=True)
    grey = sent(item).getpixel((10, 10))
    assert isinstance(grey, tuple)
    assert 125 <= grey[0] <= 131


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_every_mode_is_converted(mode: str) -> None:
    data = file_of(picture(400, 300, mode=mode), "TIFF")
    assert media_item(data, use=Use.KLING_IMAGE, downscale=True).media_type == "image/jpeg"


def test_of_a_moving_picture_the_first_frame_is_sent() -> None:
    frames = [Image.new("RGB", (400, 300), colour) for colour in ("red", "blue")]
    data = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    first = sent(media_item(data, use=Use.KLING_IMAGE, downscale=True)).getpixel((9, 9))
    assert isinstance(first, tuple)
    assert first[0] > 200


def test_nothing_is_scaled_up_and_no_shape_is_changed() -> None:
    for size, said in (((200, 300), "never scaled up"), ((3000, 400), "does not change the ratio")):
        with pytest.raises(InputError) as caught:
            media_item(file_of(picture(*size), "WEBP"), use=Use.KLING_IMAGE, downscale=True)
        assert said in caught.value.hint


def test_what_cannot_be_made_to_fit_is_refused() -> None:
    limits = Limits(Kind.IMAGE, "an image for a stamp", "a test", Span(1, 200), side=Span(100, 400))
    data = file_of(noise(300, 300), "PNG")
    with pytest.raises(InputError, match="cannot be made small enough for an image for a stamp"):
        shrunk(data, identify(io.BytesIO(data)), limits, "noise", too_many_bytes=True)


def test_a_broken_picture_is_refused() -> None:
    data = file_of(noise(400, 300), "BMP")
    with pytest.raises(InputError, match="cannot be decoded: OSError"):
        media_item(data[:2000], use=Use.KLING_IMAGE, downscale=True)


@settings(max_examples=25)
@given(
    st.integers(300, 1200),
    st.floats(0.4, 2.5),
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF"]),
    st.sampled_from(["RGB", "RGBA", "L"]),
    st.integers(1, 8),
)
def test_every_result_is_within_its_limits(
    short: int, ratio: float, format: str, mode: str, orientation: int
) -> None:
    size = (short, int(short / ratio)) if ratio < 1 else (int(short * ratio), short)
    if not 0.4 <= size[0] / size[1] <= 2.5:
        size = (short, short)
    image = picture(*size, mode="RGB" if format in {"JPEG", "BMP"} else mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} if format in {"PNG", "JPEG", "WEBP"} else {}
    tight = Limits(
        Kind.IMAGE,
        "an image",
        "a test",
        size_bytes=Span(1, 20_000),
        side=Span(30, 777),
        ratio=Span(0.4, 2.5),
        area=Span(0, 400_000),
    )
    data = file_of(image, format, **options)
    done = shrunk(data, identify(io.BytesIO(data)), tight, "x", too_many_bytes=True)
    new = Image.open(io.BytesIO(done.data))
    assert len(done.data) <= 20_000
    assert max(new.size) <= 777
    assert new.width * new.height <= 400_000
    assert 0.4 <= new.width / new.height <= 2.5
    for use in IMAGE_USES:
        assert_within(use, media_item(data, use=use, downscale=True))
