"""Plausible tokens: about four characters each, one for each Chinese, Japanese or Korean sign."""

from __future__ import annotations

import re

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
# A token is found from its own beginning only, so cutting a text between two tokens changes neither.
_TOKEN = re.compile(rf"[{CJK}]|[^{CJK}]{{1,4}}")

PER_MESSAGE = 4
IMAGE_UNKNOWN = 256
IMAGE_LIMIT = 5_120


def split(text: str) -> list[str]:
    """The tokens of a text; joined they are the text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text is, without holding them all."""
    return sum(1 for _ in _TOKEN.finditer(text))


def of_image(width: int, height: int) -> int:
    """Tokens of a picture: one for 256 pixels, as if larger ones were scaled down first."""
    if not width or not height:
        return IMAGE_UNKNOWN
    return max(1, min(IMAGE_LIMIT, width * height // 256))


def of_video(width: int, height: int, *, frames: int) -> int:
    """Tokens of a clip: its frames are looked at smaller than pictures are."""
    per_frame = min(640, max(64, width * height // 1024)) if width and height else 64
    return per_frame * max(1, frames)
