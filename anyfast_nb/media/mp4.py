"""What the boxes of an MP4, MOV or HEIC file say: length, picture size, rate, codec, and whether it is whole.

Source: ISO/IEC 14496-12, boxes ``moov``, ``mvhd``, ``trak``, ``tkhd``, ``mdia``, ``stsd``,
``stts``; ISO/IEC 23008-12, box ``ispe``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CODECS: Final = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"av01": "av1",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"mp4v": "mpeg4",
    b"jpeg": "mjpeg",
    b"apch": "prores",
    b"apcn": "prores",
    b"apcs": "prores",
    b"apco": "prores",
    b"ap4h": "prores",
}
_MOST_RUNS: Final = 1_000_000  # of equal frame lengths; a garbled count says more
_VIDEO_TRACK, _SOUND_TRACK = b"vide", b"soun"


@dataclass(frozen=True, slots=True)
class Movie:
    """What the header of a clip says; None and "" are unknown.

    Attributes:
        duration_s: length in seconds.
        width, height: of the first picture track, in pixels.
        missing_bytes: how many bytes the last box lacks: more than 0 is a file cut off.
        fps: frames per second of the first picture track.
        codec: of the first picture track, such as ``h264``.
        tracks: the kinds of tracks: ``vide``, ``soun``.
        has_index: the box that tells all this is there.
    """

    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    missing_bytes: int = 0
    fps: float | None = None
    codec: str = ""
    tracks: tuple[str, ...] = ()
    has_index: bool = False


@dataclass(frozen=True, slots=True)
class _Track:
    kind: bytes = b""
    size: tuple[int, int] | None = None
    fps: float | None = None
    codec: str = ""


def read_movie(data: bytes) -> Movie:
    """Read the boxes of ``data``, without decoding anything."""
    duration_s: float | None = None
    missing_bytes = 0
    tracks: list[_Track] = []
    has_index = False
    for name, start, end in _boxes(data, 0, len(data)):
        missing_bytes = max(0, end - len(data))
        if name == b"moov":
            has_index = True
            for inner, inner_start, inner_end in _boxes(data, start, min(end, len(data))):
                if inner == b"mvhd":
                    duration_s = _duration_s(data[inner_start:inner_end])
                elif inner == b"trak":
                    tracks.append(_track(data, inner_start, min(inner_end, len(data))))
    pictures = next((track for track in tracks if track.size), _Track())
    width, height = pictures.size or (None, None)
    return Movie(
        duration_s,
        width,
        height,
        missing_bytes,
        pictures.fps,
        pictures.codec,
        tuple(track.kind.decode("latin-1") for track in tracks if track.kind in {_VIDEO_TRACK, _SOUND_TRACK}),
        has_index,
    )


def read_still(data: bytes) -> tuple[int, int] | None:
    """Width and height of an HEIC or AVIF image, by the largest picture its header names.

    The picture of a phone is put together of tiles; each tile has a smaller entry of its own.
    """
    found = [
        struct.unpack_from(">II", data, start + 4)
        for start, end in _deep(data, (b"meta", b"iprp", b"ipco", b"ispe"))
        if start + 12 <= end
    ]
    sizes = [(width, height) for width, height in found if width and height]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box; the last end may lie behind the data."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield name, start + header, start + size
        start += size


def _deep(
    data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None
) -> Iterator[tuple[int, int]]:
    """Start and end of each box at that path; the end never lies behind the data."""
    last = len(data) if end is None else end
    for name, inner_start, inner_end in _boxes(data, start, last):
        if name != path[0]:
            continue
        there = min(inner_end, len(data))
        if len(path) == 1:
            yield inner_start, there
        else:
            # `meta` is the one box on our paths whose children come behind a version of four bytes.
            yield from _deep(data, path[1:], inner_start + 4 * (name == b"meta"), there)


def _first(data: bytes, path: tuple[bytes, ...], start: int, end: int) -> bytes:
    """The content of the first box at that path; nothing if there is none."""
    place = next(_deep(data, path, start, end), None)
    return data[place[0] : place[1]] if place else b""


def _track(data: bytes, start: int, end: int) -> _Track:
    kind = _first(data, (b"mdia", b"hdlr"), start, end)[8:12]
    stsd = _first(data, (b"mdia", b"minf", b"stbl", b"stsd"), start, end)
    code = stsd[12:16]
    return _Track(
        kind,
        _picture_size(data, start, end),
        _rate(
            _first(data, (b"mdia", b"mdhd"), start, end),
            _first(data, (b"mdia", b"minf", b"stbl", b"stts"), start, end),
        ),
        _CODECS.get(code, code.decode("latin-1").strip() if code.isalnum() else ""),
    )


def _duration_s(mvhd: bytes) -> float | None:
    found = _clock(mvhd)
    if found is None:
        return None
    timescale, duration = found
    # A clip in fragments says 0 here, one of unknown length the largest number.
    unknown = 2**64 - 1 if mvhd[:1] == b"\x01" else 2**32 - 1
    return duration / timescale if timescale and duration not in {0, unknown} else None


def _clock(header: bytes) -> tuple[int, int] | None:
    """Ticks per second and ticks, of an ``mvhd`` or ``mdhd``."""
    layout, offset = (">IQ", 20) if header[:1] == b"\x01" else (">II", 12)
    if len(header) < offset + struct.calcsize(layout):
        return None
    timescale, duration = struct.unpack_from(layout, header, offset)
    return timescale, duration


def _rate(mdhd: bytes, stts: bytes) -> float | None:
    """Frames per second on average, by the table of how long each frame stays."""
    clock = _clock(mdhd)
    if clock is None or len(stts) < 8:
        return None
    (count,) = struct.unpack_from(">I", stts, 4)
    frames = ticks = 0
    for place in range(8, min(len(stts) - 7, 8 + 8 * min(count, _MOST_RUNS)), 8):
        number, length = struct.unpack_from(">II", stts, place)
        frames += number
        ticks += number * length
    return frames * clock[0] / ticks if frames and ticks and clock[0] else None


def _picture_size(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    for name, inner_start, inner_end in _boxes(data, start, end):
        # The last eight bytes are width and height in 16.16; a sound track has none.
        if name == b"tkhd" and inner_start + 8 <= inner_end <= len(data):
            width, height = struct.unpack_from(">II", data, inner_end - 8)
            if width and height:
                return width >> 16, height >> 16
    return None
