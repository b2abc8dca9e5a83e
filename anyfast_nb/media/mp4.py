"""What the boxes of an MP4 or MOV file say: length, picture size, and whether the file is whole.

Source: ISO/IEC 14496-12, boxes ``moov``, ``mvhd``, ``trak`` and ``tkhd``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Movie:
    """What the header of a clip says; None is unknown.

    Attributes:
        duration_s: length in seconds.
        width, height: of the first picture track, in pixels.
        missing_bytes: how many bytes the last box lacks: more than 0 is a file cut off.
    """

    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    missing_bytes: int = 0


def read_movie(data: bytes) -> Movie:
    """Read the boxes of ``data``, without decoding anything."""
    duration_s = size = None
    missing_bytes = 0
    for name, start, end in _boxes(data, 0, len(data)):
        missing_bytes = max(0, end - len(data))
        if name == b"moov":
            for inner, inner_start, inner_end in _boxes(data, start, min(end, len(data))):
                if inner == b"mvhd":
                    duration_s = _duration_s(data[inner_start:inner_end])
                elif inner == b"trak":
                    size = size or _picture_size(data, inner_start, inner_end)
    width, height = size or (None, None)
    return Movie(duration_s, width, height, missing_bytes)


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


def _duration_s(mvhd: bytes) -> float | None:
    layout, offset, unknown = (">IQ", 20, 2**64 - 1) if mvhd[:1] == b"\x01" else (">II", 12, 2**32 - 1)
    if len(mvhd) < offset + struct.calcsize(layout):
        return None
    timescale, duration = struct.unpack_from(layout, mvhd, offset)
    # A clip in fragments says 0 here, one of unknown length the largest number.
    return duration / timescale if timescale and duration not in {0, unknown} else None


def _picture_size(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    for name, inner_start, inner_end in _boxes(data, start, min(end, len(data))):
        # The last eight bytes are width and height in 16.16; a sound track has none.
        if name == b"tkhd" and inner_start + 8 <= inner_end <= len(data):
            width, height = struct.unpack_from(">II", data, inner_end - 8)
            if width and height:
                return width >> 16, height >> 16
    return None
