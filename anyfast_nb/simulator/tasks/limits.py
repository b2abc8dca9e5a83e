"""The rules for what media hold: pixels, seconds, bytes, formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.studio import Kind
from anyfast_nb.simulator.tasks.media import kind_word

if TYPE_CHECKING:
    from collections.abc import Collection

    from anyfast_nb.simulator.tasks.media import Found

IMAGE_BYTES, SOUND_BYTES = 30 * MIB, 15 * MIB
LEAST_SIDE, MOST_SIDE = 300, 6000
LEAST_RATIO, MOST_RATIO = 0.4, 2.5
LEAST_S = 2.0
SLACK_S = 0.2  # an encoder's last frame


def check_kind(found: Found, wanted: Kind, *, path: str) -> None:
    """Refuse bytes that are not what they are sent as.

    Raises:
        Refusal: 400.
    """
    if found.measured is None:
        raise bad_field(path, f"is in no {kind_word(wanted)} format that is supported")
    if found.measured.kind is not wanted:
        raise bad_field(path, f"must be of type {kind_word(wanted)}, it is {kind_word(found.measured.kind)}")


def check_image(
    found: Found, *, path: str, most_bytes: int = IMAGE_BYTES, formats: Collection[str] = ()
) -> None:
    """Refuse a picture that is too large, too small or too long for its width.

    Args:
        found: it has bytes.
        path: of the field, for the message.
        most_bytes: it must be smaller.
        formats: the only ones that will do; none is any picture.

    Raises:
        Refusal: 400.
    """
    if found.container == "heic" and not formats:
        _check_size(found, path=path, most_bytes=most_bytes)
        return  # only its size can be told here
    check_kind(found, Kind.IMAGE, path=path)
    assert found.measured is not None
    if formats and found.measured.format not in formats:
        raise bad_field(path, f"must be {' or '.join(formats)}", got=found.measured.format)
    width, height = found.measured.width, found.measured.height
    if found.size_bytes >= most_bytes:
        raise bad_field(path, f"must be under {most_bytes // MIB} MB, it is {found.size_bytes / MIB:.1f} MB")
    if min(width, height) < LEAST_SIDE or max(width, height) > MOST_SIDE:
        word = "PixelCountTooSmall" if min(width, height) < LEAST_SIDE else "PixelCountTooLarge"
        raise bad_field(
            path,
            f"must have {LEAST_SIDE} to {MOST_SIDE} pixels on each side, it is {width}x{height} ({word})",
        )
    if not LEAST_RATIO <= width / height <= MOST_RATIO:
        raise bad_field(
            path,
            f"must have a ratio of width to height from {LEAST_RATIO:g} to {MOST_RATIO:g}, "
            f"it is {width / height:.2f}",
        )


def check_clip(found: Found, *, path: str, longest_s: float, most_bytes: int) -> None:
    """Refuse a clip that is no mp4 or mov, too large, too short or too long.

    Raises:
        Refusal: 400.
    """
    check_kind(found, Kind.CLIP, path=path)
    if found.container not in {"mp4", "mov"}:
        raise bad_field(path, "must be mp4 or mov")
    _check_size(found, path=path, most_bytes=most_bytes)
    _check_length(found, path=path, longest_s=longest_s)


def check_sound(found: Found, *, path: str, longest_s: float) -> None:
    """Refuse a sound that is no wav or mp3, too large, too short or too long.

    Raises:
        Refusal: 400.
    """
    check_kind(found, Kind.SOUND, path=path)
    if found.container not in {"wav", "mp3"}:
        raise bad_field(path, "must be wav or mp3")
    _check_size(found, path=path, most_bytes=SOUND_BYTES)
    _check_length(found, path=path, longest_s=longest_s)


def _check_size(found: Found, *, path: str, most_bytes: int) -> None:
    if found.size_bytes > most_bytes:
        raise bad_field(
            path, f"must be at most {most_bytes // MIB} MB, it is {found.size_bytes / MIB:.1f} MB"
        )


def _check_length(found: Found, *, path: str, longest_s: float) -> None:
    assert found.measured is not None
    length_s = found.measured.duration_s
    if not LEAST_S - SLACK_S <= length_s <= longest_s + SLACK_S:
        raise bad_field(path, f"must be {LEAST_S:g} to {longest_s:g} s long, it is {length_s:.1f} s")
