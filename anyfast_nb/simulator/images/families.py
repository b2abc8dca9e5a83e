"""What each Seedream family takes, and the pixels behind a size."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

K = 1024
SMALLEST, LARGEST = K * K, (4 * K) ** 2
# The sizes the page of 5.0 lists.
_SQUARE = ((2048, 2048), (3072, 3072))
_WIDE = (
    (2304, 1728),
    (2848, 1600),
    (2496, 1664),
    (3136, 1344),
    (3456, 2592),
    (4096, 2304),
    (3744, 2496),
    (4704, 2016),
)
_TALL = ((1728, 2304), (1600, 2848), (1664, 2496), (2592, 3456), (2304, 4096), (2496, 3744))
LISTED = tuple(f"{width}x{height}" for width, height in (*_SQUARE, *_WIDE, *_TALL))
MOST_TOGETHER = 15
_RATIO = re.compile(r"\b(\d{1,2})\s?[:：]\s?(\d{1,2})\b")
_RATIOS = {(1, 1), (4, 3), (3, 4), (16, 9), (9, 16), (3, 2), (2, 3), (21, 9)}


@dataclass(frozen=True, slots=True)
class Family:
    """One family of models.

    Attributes:
        name: as in its models' ids.
        presets: words for a size; the model then chooses the shape.
        least, most: pixels of a picture.
        listed: the sizes its page lists; a strict server takes no other.
        references: how many pictures may be sent along.
        groups: several pictures for one request.
        streams: pictures come one by one.
        formats: ``output_format`` may be chosen.
        searches: takes the tool ``web_search``.
        guided: takes ``guidance_scale``.
    """

    name: str
    presets: tuple[str, ...] = ()
    least: int = SMALLEST
    most: int = LARGEST
    listed: tuple[str, ...] = ()
    references: int = 14
    groups: bool = True
    streams: bool = True
    formats: bool = False
    searches: bool = False
    guided: bool = False


_THREE = Family(
    "3.0", least=512 * 512, most=4 * K * K, references=0, groups=False, streams=False, guided=True
)
_FOUR = Family("4.0", presets=("1K", "2K", "4K"))
_FOUR_FIVE = Family("4.5", presets=("2K", "4K"), least=2560 * 1440)
_FIVE = Family("5.0", presets=("2K", "3K", "4K"), listed=LISTED, formats=True, searches=True)
_FIVE_PRO = Family(
    "5.0-pro",
    presets=("1K", "2K"),
    references=10,
    groups=False,
    streams=False,
    formats=True,
    searches=True,
)


def family_of(model: str) -> Family:
    """The family of a model's id."""
    name = model.removeprefix("doubao-").removeprefix("seedream-")
    for start, family in (("3-0", _THREE), ("4-0", _FOUR), ("4-5", _FOUR_FIVE), ("5-0-pro", _FIVE_PRO)):
        if name.startswith(start):
            return family
    return _FIVE


def preset_pixels(word: str, prompt: str) -> tuple[int, int]:
    """Width and height for a preset: a square, or the shape the prompt names, such as 16:9."""
    side = int(word[0]) * K
    found = _RATIO.search(prompt)
    ratio = (int(found[1]), int(found[2])) if found else (1, 1)
    if ratio not in _RATIOS:
        return side, side
    root = math.sqrt(ratio[0] / ratio[1])
    return int(side * root) // 16 * 16, int(side / root) // 16 * 16
