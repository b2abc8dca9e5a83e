from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.media.mp4 import Movie, read_movie


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


@pytest.mark.parametrize("kind", ["mp4", "mov"])
@pytest.mark.parametrize("faststart", [False, True])
def test_length_and_size_are_read_from_the_boxes(
    kind: str, faststart: bool, clip: Callable[..., Path]
) -> None:
    movie = read_movie(clip(kind, frames=25, faststart=faststart).read_bytes())
    assert movie.duration_s == pytest.approx(2.5, abs=0.05)
    assert (movie.width, movie.height, movie.missing_bytes) == (64, 48, 0)
    assert movie.fps == pytest.approx(10, abs=0.1)
    assert (movie.codec, movie.tracks, movie.has_index) == ("h264", ("vide",), True)


@pytest.mark.parametrize("share", [0.95, 0.75])
def test_a_clip_that_is_cut_off_lacks_bytes(share: float, clip: Callable[..., Path]) -> None:
    data = clip(frames=25, faststart=True).read_bytes()
    cut = data[: int(len(data) * share)]
    assert read_movie(cut).missing_bytes == len(data) - len(cut)


def test_long_times_and_long_boxes_are_read() -> None:
    mvhd = box(b"mvhd", b"\x01" + bytes(19) + struct.pack(">IQ", 1000, 5_000_000_000_000) + bytes(80))
    long_box = struct.pack(">I4sQ", 1, b"free", 24) + bytes(8)
    assert read_movie(long_box + box(b"moov", mvhd)).duration_s == 5_000_000_000
    last = struct.pack(">I4s", 0, b"mdat") + bytes(100)
    assert read_movie(box(b"moov", mvhd) + last) == Movie(5_000_000_000, has_index=True)


@pytest.mark.parametrize("duration", [0, 2**32 - 1])
def test_a_length_that_is_not_said_is_unknown(duration: int) -> None:
    mvhd = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, duration) + bytes(80))
    assert read_movie(box(b"moov", mvhd)).duration_s is None


@given(st.binary(max_size=200), st.sampled_from([b"moov", b"mvhd", b"trak", b"tkhd", b"mdat"]))
def test_nonsense_is_read_without_an_error(content: bytes, name: bytes) -> None:
    for data in (content, box(name, content), box(b"moov", box(name, content)), box(b"moov", content)):
        assert read_movie(data).missing_bytes >= 0


@given(st.data())
def test_a_clip_cut_or_garbled_anywhere_is_read_without_an_error(
    clip: Callable[..., Path], data: st.DataObject
) -> None:
    whole = bytearray(clip().read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    assert read_movie(bytes(whole[: data.draw(st.integers(0, len(whole)))])).missing_bytes >= 0
