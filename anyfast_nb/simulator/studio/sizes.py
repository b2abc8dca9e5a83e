"""Pixels of a film by resolution and ratio."""

from __future__ import annotations

import math

# The 18 documented sizes. The names of the ratios are nominal: 864x496 is 1.742, not 1.778.
PIXELS: dict[str, dict[str, tuple[int, int]]] = {
    "480p": {
        "16:9": (864, 496),
        "4:3": (752, 560),
        "1:1": (640, 640),
        "3:4": (560, 752),
        "9:16": (496, 864),
        "21:9": (992, 432),
    },
    "720p": {
        "16:9": (1280, 720),
        "4:3": (1112, 834),
        "1:1": (960, 960),
        "3:4": (834, 1112),
        "9:16": (720, 1280),
        "21:9": (1470, 630),
    },
    "1080p": {
        "16:9": (1920, 1080),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1080, 1920),
        "21:9": (2208, 944),
    },
}
RATIOS: dict[str, float] = {
    "16:9": 16 / 9,
    "4:3": 4 / 3,
    "1:1": 1.0,
    "3:4": 3 / 4,
    "9:16": 9 / 16,
    "21:9": 21 / 9,
}


def adaptive_ratio(width: int, height: int) -> str:
    """The ratio that fits an input best: what `adaptive` means.

    Args:
        width: pixels across, positive.
        height: pixels down, positive.

    Example:
        >>> adaptive_ratio(1080, 1920)
        '9:16'
    """
    wanted = math.log(width / height)  # twice as wide is as far off as half as wide
    return min(RATIOS, key=lambda name: abs(math.log(RATIOS[name]) - wanted))
