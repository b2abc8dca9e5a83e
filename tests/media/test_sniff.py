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

from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff
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


def sound(format: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        stream = container.add_stream(codec, rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype="float32"), format="fltp", layout="mono")
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
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\n<!DOCTYPE html><html><body>404", "a web page"),
        (b"<html><body>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "an SVG drawing"),
        (b"<svg xmlns='x'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><a/>", "an XML text"),
        (json.dumps({"error": "no"}).encode(), "JSON text"),
        ("ein Text über Bilder\n".encode(), "a text"),
        (("ä" * 600).encode()[:HEAD_BYTES], "a text"),
        (b"the wide river", "a text"),
        (b"a tall,WEBP of lies", "a text"),
        (archive(), "a ZIP archive"),
        (gzip.compress(b"x"), "a gzip archive"),
        (wav(), "a sound file"),
        (sound("ipod", "aac"), "a sound file"),
        (array(), "a saved numpy array"),
        (b"\x7fELF\x02\x01\x01\0", "begins with the bytes 7f 45 4c 46"),
        (b"RIFF\0\0\0\0CDDA", "no known format"),
    ],
)
def test_what_is_neither_is_named(data: bytes, name: str) -> None:
    found = sniff(data[:HEAD_BYTES])
    assert found.kind is Kind.OTHER
    assert name in found.name


@given(st.binary(max_size=HEAD_BYTES))
def test_any_bytes_have_a_name(head: bytes) -> None:
    found = sniff(head)
    assert found.name
    assert found.kind is Kind.OTHER or found.media_type.startswith(f"{found.kind}/")
