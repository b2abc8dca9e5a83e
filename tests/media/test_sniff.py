from __future__ import annotations

import gzip
import io
import json
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.media.probe import probe
from anyfast_nb.media.sniff import HEAD_BYTES, Format, Kind, identify, sniff, suffix_of
from tests.media.conftest import CODECS, image_bytes


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
    ],
)
def test_images_are_known_by_their_bytes(format: str, media_type: str) -> None:
    found = sniff(image_bytes(format)[:HEAD_BYTES])
    assert (found.kind, found.media_type) == (Kind.IMAGE, media_type)


def test_an_image_of_a_phone_is_known() -> None:
    # No encoder for HEIC is at hand: the opening box as phones write it.
    for brands in (b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic"):
        assert sniff(b"\0\0\0\x18ftyp" + brands).media_type == "image/heic"


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("webm", "video/webm"),
        ("avi", "video/x-msvideo"),
        ("mkv", "video/x-matroska"),
        ("ts", "video/mp2t"),
    ],
)
def test_clips_are_known_by_their_bytes(kind: str, media_type: str, clip: Callable[..., Path]) -> None:
    assert kind in CODECS
    found = sniff(clip(kind).read_bytes()[:HEAD_BYTES])
    assert (found.kind, found.media_type) == (Kind.VIDEO, media_type)


def sound(format: str, codec: str, sample_format: str = "fltp") -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        stream = container.add_stream(codec, rate=44100)
        silence = np.zeros((1, 1152), dtype="int16" if sample_format == "s16" else "float32")
        frame = av.AudioFrame.from_ndarray(silence, format=sample_format, layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound_file:
        sound_file.setnchannels(1)
        sound_file.setsampwidth(2)
        sound_file.setframerate(8000)
        sound_file.writeframes(bytes(800))
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("a.txt", "a")
    return file.getvalue()


def array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "an SVG drawing"),
        (b"<svg xmlns='x'/>", "an SVG drawing"),
        (archive(), "a ZIP archive"),
        (gzip.compress(b"x", mtime=0), "a gzip archive"),
        (array(), "a saved numpy array"),
        (b"\x7fELF\x02\x01\x01\0", "begins with the bytes 7f 45 4c 46"),
        (b"RIFF\0\0\0\0CDDA", "no known format"),
        ("Straße".encode("latin-1"), "a text that is not in UTF-8"),
        ("Straße".encode("utf-16"), "a text in UTF-16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office file"),
    ],
)
def test_what_is_neither_is_named(data: bytes, name: str) -> None:
    found = sniff(data[:HEAD_BYTES])
    assert found.kind is Kind.OTHER
    assert name in found.name


@pytest.mark.parametrize(
    ("data", "media_type", "name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf", "a PDF document"),
        (b"\n<!DOCTYPE html><html><body>404", "text/html", "a web page"),
        (b"<html><body>", "text/html", "a web page"),
        (b"<?xml version='1.0'?><a/>", "application/xml", "an XML text"),
        (json.dumps({"error": "no"}).encode(), "application/json", "JSON text"),
        (b"{\\rtf1\\ansi hello}", "application/rtf", "an RTF document"),
        ("ein Text über Bilder\n".encode(), "text/plain", "a text"),
        (("ä" * 600).encode()[:HEAD_BYTES], "text/plain", "a text"),
        (b"the wide river", "text/plain", "a text"),
        (b"a tall,WEBP of lies", "text/plain", "a text"),
    ],
)
def test_documents_are_known_by_their_bytes(data: bytes, media_type: str, name: str) -> None:
    assert sniff(data[:HEAD_BYTES]) == Format(Kind.DOCUMENT, media_type, name)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (wav(), "audio/wav"),
        (sound("ipod", "aac"), "audio/mp4"),
        (sound("adts", "aac"), "audio/aac"),
        (sound("flac", "flac", "s16"), "audio/flac"),
        (b"OggS\0\2" + bytes(22) + b"OpusHead", "audio/ogg"),
        (sound("mp3", "libmp3lame"), "audio/mpeg"),
        (b"FORM\0\0\0\0AIFFCOMM", "audio/aiff"),
    ],
)
def test_sounds_are_known_by_their_bytes(data: bytes, media_type: str) -> None:
    found = sniff(data[:HEAD_BYTES])
    assert (found.kind, found.media_type) == (Kind.AUDIO, media_type)


def test_an_mp3_is_known_with_and_without_a_tag() -> None:
    tagged = sound("mp3", "libmp3lame")
    assert tagged.startswith(b"ID3")
    bare = tagged[tagged.index(b"\xff\xfb") :]
    assert sniff(bare[:HEAD_BYTES]) == sniff(tagged[:HEAD_BYTES])


# --- what lies inside ------------------------------------------------------------------------


def packed(*names: str, **contents: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name in names:
            pack.writestr(name, contents.get(name, "x" * 3000))
    return file.getvalue()


@pytest.mark.parametrize(
    ("folder", "name"),
    [("word", "a Word document"), ("xl", "an Excel workbook"), ("ppt", "a PowerPoint presentation")],
)
def test_an_office_document_is_known_by_what_is_packed_in_it(folder: str, name: str) -> None:
    data = packed("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", f"{folder}/main.xml")
    found = identify(io.BytesIO(data), name="wrong.zip")
    assert (found.kind, found.name) == (Kind.DOCUMENT, name)
    cut = identify(io.BytesIO(data[:-40]))
    assert (cut.kind, cut.name) == (Kind.OTHER, "a ZIP archive that is cut off or broken")


def test_another_archive_is_no_document() -> None:
    assert identify(io.BytesIO(packed("word/main.xml"))).name == "a ZIP archive"
    assert identify(io.BytesIO(packed("[Content_Types].xml", "else/x"))).name == "a ZIP archive"


def test_an_open_document_names_itself() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        pack.writestr("content.xml", "<x/>")
    assert identify(file).name == "an OpenDocument spreadsheet"


def test_an_old_document_is_known_by_its_first_stream() -> None:
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    head[30] = 9  # sectors of 512 bytes; the directory is sector 0
    entries = [
        name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", "Workbook", "WordDocument")
    ]
    found = identify(io.BytesIO(bytes(head) + b"".join(entries)))
    assert (found.media_type, found.name) == ("application/vnd.ms-excel", "an old Excel workbook")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.md", "text/markdown"),
        ("A.CSV", "text/csv"),
        ("a.json", "application/json"),
        ("a.txt", "text/plain"),
        ("a", "text/plain"),
        ("a.pdf", "text/plain"),
    ],
)
def test_a_name_tells_texts_apart_and_nothing_else(name: str, media_type: str) -> None:
    assert identify(io.BytesIO(b"a,b\n1,2\n"), name=name).media_type == media_type
    assert identify(io.BytesIO(b"%PDF-1.7"), name=name).media_type == "application/pdf"


# --- any bytes ------------------------------------------------------------------------------

OPENINGS = st.sampled_from(
    [
        b"",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"ID3",
        b"\xff\xfb",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypmp42",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"II*\0",
        b"BM\0\0\0\0\0\0\0\0",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"%PDF-1.4",
        b"{",
    ]
)


@given(OPENINGS, st.binary(max_size=HEAD_BYTES))
def test_any_bytes_have_a_name(opening: bytes, rest: bytes) -> None:
    found = identify(io.BytesIO(opening + rest))
    assert found.name
    if found.kind in {Kind.IMAGE, Kind.VIDEO, Kind.AUDIO}:
        assert found.media_type.startswith(f"{found.kind}/")


@given(OPENINGS, st.binary(max_size=HEAD_BYTES))
def test_any_bytes_are_probed_without_an_error(opening: bytes, rest: bytes) -> None:
    data = opening + rest
    facts = probe(data, identify(io.BytesIO(data)), need_duration=True)
    assert facts.duration_s is None or facts.duration_s >= 0


def test_an_ending_fits_the_content() -> None:
    assert suffix_of("image/png", ".jpg") == ".png"
    assert suffix_of("image/jpeg", ".JPEG") == ".JPEG"
    assert suffix_of("text/plain") == ".txt"
    assert suffix_of("text/plain", ".py") == ".py"
    assert suffix_of("application/zip", ".zip") == ""
