"""The frames of an MP3 file: how long it sounds.

Source: ISO/IEC 11172-3 and 13818-3, the frame header; the ID3v2 tag header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# kbit/s by index, layer III.
_RATES_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# Samples per second by version bits (0 is 2.5, 2 is 2, 3 is 1).
_SAMPLES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LOOK_BYTES: Final = 64 * 1024  # how much junk may lie between the tag and the first frame


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its length in the file, and in time."""

    size_bytes: int
    duration_s: float


def read_frame(data: bytes, place: int = 0) -> Frame | None:
    """The frame at that place, by its four bytes of header; None if none begins there."""
    if place + 4 > len(data) or data[place] != 0xFF or data[place + 1] & 0xE6 != 0xE2:  # layer III
        return None
    version, rate, samples = (data[place + 1] >> 3) & 3, data[place + 2] >> 4, (data[place + 2] >> 2) & 3
    if version not in _SAMPLES or rate in {0, 15} or samples == 3:
        return None
    is_first = version == 3
    per_second = _SAMPLES[version][samples]
    bits = (_RATES_1 if is_first else _RATES_2)[rate] * 1000
    per_frame = 1152 if is_first else 576
    padding = (data[place + 2] >> 1) & 1
    return Frame(per_frame // 8 * bits // per_second + padding, per_frame / per_second)


def is_frame(head: bytes) -> bool:
    """Whether a file begins with an MP3 frame, and goes on with one as far as can be seen."""
    frame = read_frame(head)
    if frame is None:
        return False
    behind = frame.size_bytes + 4
    return behind > len(head) or read_frame(head, frame.size_bytes) is not None


def mp3_duration_s(data: bytes) -> float | None:
    """How long it sounds, by a walk over all frames; None if there are none."""
    place = _behind_tags(data)
    first = _first_frame(data, place)
    if first is None:
        return None
    place, duration_s = first, 0.0
    while frame := read_frame(data, place):
        duration_s += frame.duration_s
        place += frame.size_bytes
    if _counts_frames(data, first):
        duration_s -= read_duration(data, first)  # the frame that holds the count is silent
    return duration_s or None


def read_duration(data: bytes, place: int) -> float:
    """The length of the frame at that place, in seconds; 0 if there is none."""
    frame = read_frame(data, place)
    return frame.duration_s if frame else 0.0


def _behind_tags(data: bytes) -> int:
    """Where the ID3v2 tags at the beginning end."""
    place = 0
    while data[place : place + 3] == b"ID3" and place + 10 <= len(data):
        a, b, c, d = data[place + 6 : place + 10]  # seven bits each
        footer = 10 if data[place + 5] & 0x10 else 0
        place += 10 + ((a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | (d & 127)) + footer
    return place


def _first_frame(data: bytes, start: int) -> int | None:
    """The first place from which two frames follow each other, or one up to the end."""
    place = data.find(b"\xff", start, start + _LOOK_BYTES)
    while place >= 0:
        if frame := read_frame(data, place):
            behind = place + frame.size_bytes
            if behind + 4 > len(data) or read_frame(data, behind):
                return place
        place = data.find(b"\xff", place + 1, start + _LOOK_BYTES)
    return None


def _counts_frames(data: bytes, place: int) -> bool:
    frame = read_frame(data, place)
    content = data[place : place + frame.size_bytes] if frame else b""
    return b"Xing" in content[:48] or b"Info" in content[:48] or b"VBRI" in content[:48]
