"""Each use against its limits: what fits, what is noted, what is refused and how it is said."""

from __future__ import annotations

import base64
import doctest
import hashlib
import io
import struct
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.media import LIMITS, Kind, MediaItem, Use, check_body, media_item, sniff
from anyfast_nb.media.limits import MB, Span, Verdict
from tests.media.conftest import image_bytes

IMAGE_USES = [use for use in Use if use.kind is Kind.IMAGE]


def refused(value: Any, use: Use, **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        media_item(value, use=use, **options)
    error = caught.value
    assert error.hint
    assert len(error.lines()) <= 3
    assert ";base64," not in str(error)
    return error


def film(path: Path, *, frames: int, rate: int = 24, codec: str = "libx264", **options: str) -> Path:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            pixels = np.full((48, 64, 3), number % 256, dtype="uint8")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    made: dict[tuple[Any, ...], Path] = {}

    def make(seconds: float = 3, *, rate: int = 24, kind: str = "mp4", **options: str) -> Path:
        key = (seconds, rate, kind, *options.items())
        if key not in made:
            path = tmp_path_factory.mktemp("films") / f"film.{kind}"
            made[key] = film(path, frames=round(seconds * rate), rate=rate, **options)
        return made[key]

    return make


def wav(seconds: float, *, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(2 * round(seconds * rate)))
    return file.getvalue()


def mp3(seconds: float, *, rate: int = 44100, bits: int = 64_000) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate)
        stream.bit_rate = bits
        for _ in range(round(seconds * rate / 1152)):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1152), dtype="float32"), format="fltp", layout="mono"
            )
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


# --- the table --------------------------------------------------------------------------------


def test_every_use_has_limits_with_a_source() -> None:
    assert set(LIMITS) == set(Use)
    for use, limits in LIMITS.items():
        assert limits.source
        assert limits.word.split()[0] in {"a", "an"}
        assert use.value.endswith(use.kind) or use.value.startswith(use.kind)


def test_the_examples_run() -> None:
    for module in (sniff,):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("span", "value", "verdict"),
    [
        (Span(2, 15), 2, Verdict.FITS),
        (Span(2, 15), 15, Verdict.FITS),
        (Span(2, 15), 1.99, Verdict.REFUSED),
        (Span(2, 15, below=True), 15, Verdict.REFUSED),
        (Span(2, 15, perhaps=15.2), 15.2, Verdict.DOUBTFUL),
        (Span(2, 15, perhaps=15.2), 15.21, Verdict.REFUSED),
        (Span(2, 15, perhaps=15.2), 1, Verdict.REFUSED),
        (Span(2, 15, firm=False), 99, Verdict.DOUBTFUL),
    ],
)
def test_a_span_judges(span: Span, value: float, verdict: Verdict) -> None:
    assert span.verdict(value) is verdict


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize("use", list(Use))
def test_a_url_is_passed_on_for_every_use(use: Use) -> None:
    item = media_item(" https://host.cn/a/b.bin?sig=5ec2e7 ", use=use)
    assert item.url == "https://host.cn/a/b.bin?sig=5ec2e7"
    assert (item.kind, item.data, item.sha256, item.bare_base64) == (use.kind, None, "", "")
    assert "5ec2e7" not in repr(item)
    assert item.url_bytes == len(item.url)


@pytest.mark.parametrize("use", list(Use))
def test_an_asset_is_an_address_for_seedance_alone(use: Use) -> None:
    if use.name.startswith("SEEDANCE"):
        item = media_item("Asset://asset-2026_x.1", use=use)
        assert (item.url, item.label) == ("asset://asset-2026_x.1", "asset-2026_x.1")
        assert "names no asset" in refused("asset://", use).message
        assert "names no asset" in refused("asset://a b", use).message
    else:
        assert "asset://" in refused("asset://asset-1", use).message


# --- what is sent -----------------------------------------------------------------------------


def test_an_item_has_what_an_upload_needs() -> None:
    data = image_bytes("PNG", width=400, height=300)
    item = media_item(data, use=Use.KLING_IMAGE, label="my cat: 1/2.jpg")
    assert item.data == data
    assert item.sha256 == hashlib.sha256(data).hexdigest()
    assert base64.b64decode(item.bare_base64, validate=True) == data
    assert item.url == f"data:image/png;base64,{item.bare_base64}"
    assert item.url_bytes == len(item.url)
    assert item.filename == "my cat_ 1_2.png"
    assert (item.note, item.notes) == ("", ())
    assert "iVBOR" not in repr(item)
    assert len(repr(item)) < 400


def test_an_item_may_be_given_again() -> None:
    data = image_bytes("PNG", width=400, height=300)
    first = media_item(data, use=Use.CHAT_IMAGE, label="cat")
    again = media_item(first, use=Use.KLING_IMAGE)
    assert (again.data, again.label) == (data, "cat")
    small = media_item(image_bytes("PNG"), use=Use.CHAT_IMAGE, label="cat")
    assert "cat has 40 x 30 pixels" in refused(small, Use.KLING_IMAGE).message
    url = media_item("https://host.cn/x.png", use=Use.CHAT_IMAGE)
    assert media_item(url, use=Use.SEEDREAM_IMAGE).url == url.url


def test_a_file_name_has_an_ending_and_no_signs_of_a_path() -> None:
    item = MediaItem(Kind.IMAGE, data=b"x", media_type="image/jpeg", label="PIL image")
    assert item.filename == "PIL image.jpg"
    assert MediaItem(Kind.VIDEO, data=b"x", label="../..").filename == "_"
    assert MediaItem(Kind.VIDEO, data=b"x").filename == "video"


# --- images -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "size", "said"),
    [
        (Use.SEEDANCE_IMAGE, (299, 400), "299 x 400 pixels; an image for Seedance must have 300 to 6,000"),
        (Use.SEEDANCE_IMAGE, (6001, 3000), "6,001 x 3,000 pixels; an image for Seedance must have 300 to"),
        (
            Use.SEEDANCE_IMAGE,
            (300, 751),
            "a ratio of 0.399; an image for Seedance must have a ratio of 0.4 to",
        ),
        (Use.KLING_IMAGE, (299, 300), "299 x 300 pixels; an image for Kling must have at least 300 pixels"),
        (Use.KLING_IMAGE, (1000, 399), "a ratio of 2.51"),
        (Use.ASSET_IMAGE, (751, 300), "a ratio of 2.5"),
    ],
)
def test_pixels_outside_are_refused_with_the_numbers(use: Use, size: tuple[int, int], said: str) -> None:
    data = image_bytes("PNG", width=size[0], height=size[1])
    assert said in refused(data, use).message
    assert f"{size[0]:,} x {size[1]:,}" in media_item(data, use=use, strict=False).note


@pytest.mark.parametrize(
    ("use", "size"),
    [
        (Use.SEEDANCE_IMAGE, (300, 750)),
        (Use.SEEDANCE_IMAGE, (750, 300)),
        (Use.SEEDANCE_IMAGE, (6000, 2400)),
        (Use.KLING_IMAGE, (300, 300)),
        (Use.KLING_IMAGE, (6100, 2500)),
        (Use.SEEDREAM_IMAGE, (20, 30)),
        (Use.CHAT_IMAGE, (1, 1)),
    ],
)
def test_pixels_at_the_edge_fit(use: Use, size: tuple[int, int]) -> None:
    item = media_item(image_bytes("PNG", width=size[0], height=size[1]), use=use)
    assert ((item.width, item.height), item.note) == (size, "")


def test_a_turned_photo_has_the_size_that_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (400, 300)).save(file, "JPEG", exif=exif)
    item = media_item(file.getvalue(), use=Use.KLING_IMAGE)
    assert (item.width, item.height) == (300, 400)


def test_a_format_of_no_use_is_refused_and_converted(tmp_path: Path) -> None:
    path = tmp_path / "cat.webp"
    path.write_bytes(image_bytes("WEBP", width=400, height=300))
    error = refused(path, Use.KLING_IMAGE)
    assert error.message == "cat.webp is a WebP image; an image for Kling must be JPEG or PNG."
    assert "downscale=True" in error.hint
    item = media_item(path, use=Use.KLING_IMAGE, downscale=True)
    assert (item.media_type, item.width, item.height) == ("image/jpeg", 400, 300)
    assert (item.note, item.filename) == ("sent as JPEG; it was a WebP image", "cat.jpg")


def test_a_format_that_is_not_documented_is_noted() -> None:
    item = media_item(image_bytes("WEBP", width=400, height=300), use=Use.SEEDREAM_IMAGE)
    assert "JPEG or PNG" in item.note
    assert "may be refused" in item.note


def test_a_phone_s_picture_has_a_size_without_a_decoder() -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), name) + content

    tile, whole = (box(b"ispe", bytes(4) + struct.pack(">II", *size)) for size in ((512, 512), (4032, 3024)))
    meta = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", tile + whole)))
    data = box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta + box(b"mdat", bytes(50))
    item = media_item(data, use=Use.SEEDANCE_IMAGE)
    assert (item.media_type, item.width, item.height, item.note) == ("image/heic", 4032, 3024, "")
    error = refused(data, Use.KLING_IMAGE, downscale=True)
    assert "HEIC" in error.message
    assert "pillow-heif" in error.hint
    unknown = media_item(box(b"ftyp", b"heic\0\0\0\0mif1heic"), use=Use.SEEDANCE_IMAGE)
    assert "could not be read" in unknown.note


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_is_cut_off_is_refused(format: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "an end inside the header: \xff\xd9"
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format, **({"exif": exif} if format == "JPEG" else {}))
    data = file.getvalue()
    assert media_item(data, use=Use.SEEDANCE_IMAGE).note == ""
    assert "is cut off" in refused(data[: len(data) // 2], Use.SEEDANCE_IMAGE).message
    assert "is cut off" in media_item(data[: len(data) // 2], use=Use.SEEDANCE_IMAGE, strict=False).note


def test_kling_takes_ten_megabytes_and_chat_takes_less(tmp_path: Path) -> None:
    start = image_bytes("PNG", width=400, height=300)
    path = tmp_path / "large.png"
    path.write_bytes(start + bytes(10 * MB - len(start)))
    assert media_item(path, use=Use.KLING_IMAGE).size_bytes == 10 * MB
    assert "below 10 MB" in refused(path, Use.SEEDREAM_IMAGE).message
    path.write_bytes(start + bytes(10 * MB - len(start) + 1))
    assert (
        "an image for Kling must be at most 10 MB (10,485,760 bytes)"
        in refused(path, Use.KLING_IMAGE).message
    )
    assert "must be at most 10 MB" in media_item(path, use=Use.KLING_IMAGE, strict=False).note


def test_a_large_picture_is_refused_with_its_pixels(tmp_path: Path) -> None:
    start = image_bytes("PNG", width=3000, height=2000)
    path = tmp_path / "photo.png"
    path.write_bytes(start + bytes(12 * MB - len(start)))
    for value in (path, path.read_bytes()):
        error = refused(value, Use.CHAT_IMAGE)
        assert "has 3,000 x 2,000 pixels and 12.0 MB (12,582,912 bytes)" in error.message
        assert "Pass downscale=True (or --downscale)" in error.hint


# --- clips ------------------------------------------------------------------------------------


def test_a_clip_tells_all_its_header_says(films: Callable[..., Path]) -> None:
    item = media_item(films(3), use=Use.ASSET_VIDEO)
    assert (item.duration_s, item.fps, item.codec) == (pytest.approx(3), pytest.approx(24), "h264")
    assert (item.media_type, item.width, item.height, item.note) == ("video/mp4", 64, 48, "")


def test_a_clip_is_the_one_medium_that_seedance_documents_by_address_only() -> None:
    assert [use for use in Use if LIMITS[use].inline_note] == [Use.SEEDANCE_VIDEO]


@pytest.mark.parametrize("use", [Use.SEEDANCE_VIDEO, Use.ASSET_VIDEO])
def test_a_clip_too_short_is_refused(use: Use, films: Callable[..., Path]) -> None:
    error = refused(films(1), use)
    assert "film.mp4 lasts 1 s" in error.message
    assert "2 to 15 s" in error.message
    assert error.hint == "Give a longer one."


def test_a_clip_too_long_is_refused_by_seedance_and_noted_by_assets(films: Callable[..., Path]) -> None:
    path = films(16)
    error = refused(path, Use.SEEDANCE_VIDEO)
    assert "film.mp4 lasts 16 s; a clip for Seedance must last 2 to 15 s." in error.message
    assert "-t 15" in error.hint
    assert "lasts 16 s" in media_item(path, use=Use.SEEDANCE_VIDEO, strict=False).note
    # Clients in use upload up to 30 s as an asset.
    assert (
        "16 s; a video asset must last 2 to 15 s: it may be refused"
        in media_item(path, use=Use.ASSET_VIDEO).note
    )
    assert "lasts 31 s" in refused(films(31), Use.ASSET_VIDEO).message


def test_the_frame_rate_of_an_asset_is_checked(films: Callable[..., Path]) -> None:
    path = films(3, rate=10)
    error = refused(path, Use.ASSET_VIDEO)
    assert "has 10 frames per second; a video asset must have 24 to 60" in error.message
    # A local clip for Seedance becomes such an asset.
    assert "has 10 frames per second" in refused(path, Use.SEEDANCE_VIDEO).message
    assert "10 frames per second" in media_item(path, use=Use.SEEDANCE_VIDEO, strict=False).note


def test_other_containers_and_codecs(films: Callable[..., Path], clip: Callable[..., Path]) -> None:
    assert media_item(films(3, kind="mov"), use=Use.ASSET_VIDEO).media_type == "video/quicktime"
    error = refused(clip("webm"), Use.SEEDANCE_VIDEO)
    assert error.message == "clip.webm is a WebM clip; a clip for Seedance must be MP4 or MOV."
    assert error.hint == "Save it as MP4 or MOV."
    assert "coded as mpeg4" in media_item(films(3, codec="mpeg4"), use=Use.ASSET_VIDEO).note


def test_a_clip_in_fragments_has_a_length(films: Callable[..., Path]) -> None:
    path = films(3, movflags="frag_keyframe+empty_moov")
    item = media_item(path, use=Use.ASSET_VIDEO)
    assert (item.duration_s, item.fps) == (pytest.approx(3, abs=0.1), pytest.approx(24, abs=0.5))


@pytest.mark.parametrize("name", ["page.mp4", "still.mp4", "tune.mp4"])
def test_what_only_calls_itself_a_clip_is_refused(name: str, tmp_path: Path) -> None:
    content = {"page": b"<!doctype html><title>404", "still": image_bytes("PNG"), "tune": wav(3)}
    path = tmp_path / name
    path.write_bytes(content[name[: name.index(".")]])
    error = refused(path, Use.SEEDANCE_VIDEO)
    assert "not a video" in error.message
    assert "not a video" in refused(path, Use.SEEDANCE_VIDEO, strict=False).message
    if name == "page.mp4":
        assert error.hint == "A download that failed often leaves a page. Give MP4 or MOV."


def test_a_clip_that_is_cut_off_is_found(films: Callable[..., Path]) -> None:
    fast = films(3, movflags="faststart").read_bytes()
    assert "bytes of it are missing" in refused(fast[: int(len(fast) * 0.46)], Use.SEEDANCE_VIDEO).message
    plain = films(3).read_bytes()
    index = plain.index(b"moov") - 4
    assert "its index (the box moov) is missing" in refused(plain[:index], Use.ASSET_VIDEO).message


def test_a_sound_in_a_clip_s_container_is_no_clip() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype="float32"), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert "is a sound without pictures" in refused(file.getvalue(), Use.CHAT_VIDEO).message


def test_a_large_asset_is_noted_and_a_very_large_one_refused_unread(
    tmp_path: Path, films: Callable[..., Path]
) -> None:
    path = tmp_path / "long.mp4"
    path.write_bytes(films(3).read_bytes())
    with path.open("r+b") as file:
        file.truncate(10**12)
    error = refused(path, Use.ASSET_VIDEO)
    assert "a video asset must be at most 200 MB (209,715,200 bytes)" in error.message
    assert "1,000,000,000,000 bytes" in refused(path, Use.ASSET_VIDEO, strict=False).message
    data = films(3).read_bytes()
    free = struct.pack(">I4s", 60 * MB, b"free") + bytes(60 * MB - 8)
    assert "below 50 MB (52,428,800 bytes) is documented" in media_item(data + free, use=Use.ASSET_VIDEO).note
    assert "must be below 50 MB" in refused(data + free, Use.SEEDANCE_VIDEO).message


def test_one_file_alone_may_be_too_much_for_a_body(films: Callable[..., Path]) -> None:
    data = films(3).read_bytes()
    free = struct.pack(">I4s", 49 * MB, b"free") + bytes(49 * MB - 8)
    item = media_item(data + free, use=Use.CHAT_VIDEO, label="talk.mp4")
    with pytest.raises(InputError) as caught:
        check_body([item])
    assert "talk.mp4: 49.0 MB (" in caught.value.message
    assert "to a request of 65.3 MB (" in caught.value.message
    assert "below 64 MB" in caught.value.message
    assert "make it smaller (below 48 MB)" in caught.value.hint


# --- sounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [Use.SEEDANCE_AUDIO, Use.ASSET_AUDIO])
def test_the_length_of_a_sound_is_checked(use: Use) -> None:
    for data, media_type, codec in ((wav(2), "audio/wav", "pcm"), (mp3(5), "audio/mpeg", "mp3")):
        item = media_item(data, use=use)
        assert (item.kind, item.media_type, item.codec, item.note) == ("audio", media_type, codec, "")
    assert "lasts 1.9 s" in refused(wav(1.9), use).message
    assert "lasts 15.3 s" in refused(wav(15.3), use).message
    assert "lasts 15.1 s" in media_item(wav(15.1), use=use).note


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("with_tag", [True, False])
def test_an_mp3_lasts_as_long_as_its_frames(rate: int, with_tag: bool) -> None:
    data = mp3(4, rate=rate, bits=32_000)
    if not with_tag:
        data = data[10 + sum(byte << 7 * (3 - place) for place, byte in enumerate(data[6:10])) :]
        assert data[0] == 0xFF
    item = media_item(data, use=Use.SEEDANCE_AUDIO)
    assert item.duration_s == pytest.approx(4, abs=0.2)


def test_a_picture_in_the_tag_is_no_sound() -> None:
    picture = image_bytes("JPEG", width=300, height=300)
    size = len(picture)
    tag = b"ID3\4\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + picture
    assert media_item(tag + mp3(3), use=Use.SEEDANCE_AUDIO).duration_s == pytest.approx(3, abs=0.2)
    assert "is no MP3: there is no sound in it" in refused(tag, Use.SEEDANCE_AUDIO).message


def test_a_sound_that_is_cut_off_or_still_open() -> None:
    data = wav(4)
    assert "is cut off: 8,000 bytes" in refused(data[:-8000], Use.SEEDANCE_AUDIO).message
    place = data.index(b"data") + 4
    for unknown in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        recorded = data[:place] + unknown + data[place + 4 :]
        assert media_item(recorded, use=Use.SEEDANCE_AUDIO).duration_s == pytest.approx(4)


def test_other_sounds_are_refused_by_their_names() -> None:
    error = refused(b"fLaC" + bytes(100), Use.SEEDANCE_AUDIO)
    assert error.message == "bytes is a FLAC sound; a sound for Seedance must be WAV or MP3."
    assert error.hint == "Save it as WAV or MP3."
    assert "Give it as a sound" in refused(wav(3), Use.SEEDANCE_IMAGE).hint
    assert "sound" not in refused(wav(3), Use.CHAT_IMAGE).hint  # a chat takes none
    assert "An object of type list is not a sound" in refused([1], Use.SEEDANCE_AUDIO).message


# --- documents --------------------------------------------------------------------------------


def test_a_pdf_is_a_document(tmp_path: Path) -> None:
    path = tmp_path / "paper.txt"
    path.write_bytes(b"%PDF-1.7\n1 0 obj\n%%EOF\n")
    item = media_item(path, use=Use.DOCUMENT)
    assert (item.kind, item.media_type, item.note) == ("document", "application/pdf", "")
    assert item.filename == "paper.pdf"
    path.write_bytes(b"%PDF-1.7\n1 0 obj\n")
    assert "paper.txt is cut off" in refused(path, Use.DOCUMENT).message


def test_a_text_is_a_document_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name,town\nÅsa,Malmö\n", encoding="utf-8")
    item = media_item(path, use=Use.DOCUMENT)
    assert (item.media_type, item.filename) == ("text/csv", "table.csv")
    assert "documented is PDF" in item.note
    path.write_text("a,b\n" * 400 + "Malmö", encoding="latin-1")
    error = refused(path, Use.DOCUMENT)
    assert "not in UTF-8 (byte 0xf6 at 1,604)" in error.message
    assert error.hint == "Save it as UTF-8."


def test_a_large_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    with path.open("r+b") as file:
        file.truncate(50 * MB)
    error = refused(path, Use.DOCUMENT)
    assert "book.pdf has 50.0 MB (52,428,800 bytes); a document must be below 50 MB" in error.message
    assert "Split it" in error.hint


def test_a_picture_is_no_document() -> None:
    assert refused(image_bytes("PNG"), Use.DOCUMENT).hint == "Give it as an image."
    assert refused(b"%PDF-1.7 %%EOF", Use.CHAT_IMAGE).hint == "Give it as a document."


# --- any bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize("use", IMAGE_USES)
def test_every_image_use_takes_a_plain_photo(use: Use) -> None:
    assert media_item(image_bytes("JPEG", width=800, height=600), use=use).note == ""


SAMPLES = [
    *((image_bytes(kind, width=64, height=48), Use.SEEDANCE_IMAGE) for kind in ("PNG", "JPEG", "WEBP")),
    *((image_bytes(kind, width=64, height=48), Use.SEEDREAM_IMAGE) for kind in ("GIF", "BMP", "TIFF")),
    (image_bytes("AVIF", width=64, height=48), Use.CHAT_IMAGE),
    (wav(0.1), Use.SEEDANCE_AUDIO),
    (mp3(0.3), Use.ASSET_AUDIO),
    (b"%PDF-1.7\n1 0 obj\n%%EOF\n", Use.DOCUMENT),
]


def survives(data: bytes, use: Use) -> None:
    for strict in (True, False):
        with suppress(InputError):
            item = media_item(data, use=use, downscale=True, strict=strict)
            assert item.size_bytes == len(item.data or b"")
            assert item.media_type


@given(st.sampled_from(SAMPLES), st.data())
def test_a_garbled_or_cut_file_is_refused_or_sent_and_nothing_else(
    sample: tuple[bytes, Use], data: st.DataObject
) -> None:
    garbled = bytearray(sample[0])
    for place in data.draw(st.lists(st.integers(0, len(garbled) - 1), max_size=4)):
        garbled[place] = data.draw(st.integers(0, 255))
    survives(bytes(garbled[: data.draw(st.integers(0, len(garbled)))]), sample[1])


@given(st.data())
def test_a_garbled_clip_is_refused_or_sent_and_nothing_else(
    films: Callable[..., Path], data: st.DataObject
) -> None:
    whole = films(0.25, movflags=data.draw(st.sampled_from(["faststart", "frag_keyframe+empty_moov"])))
    garbled = bytearray(whole.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(garbled) - 1), max_size=4)):
        garbled[place] = data.draw(st.integers(0, 255))
    survives(bytes(garbled[: data.draw(st.integers(0, len(garbled)))]), Use.ASSET_VIDEO)


@given(st.binary(max_size=300), st.sampled_from(list(Use)))
def test_any_bytes_are_refused_or_sent_and_nothing_else(data: bytes, use: Use) -> None:
    survives(data, use)


@pytest.mark.parametrize("use", [Use.SEEDANCE_IMAGE, Use.KLING_IMAGE, Use.SEEDREAM_IMAGE, Use.ASSET_IMAGE])
def test_where_no_documents_go_nobody_is_told_to_give_one(use: Use) -> None:
    error = refused(b"%PDF-1.7\n%", use)
    assert "is a PDF document, not an image" in error.message
    assert "JPEG" in error.hint
    assert "document" not in error.hint
