"""What each Seedance model can do, and the pixels it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.studio import PIXELS

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
ADAPTIVE = "adaptive"
BY_ITSELF = -1  # a duration the model chooses


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented limits of one model.

    Attributes:
        upstream: its name there.
        resolutions: the words it takes.
        shortest, longest: seconds.
        by_itself: whether duration -1 lets it choose.
        ratio: the default.
        audio: whether it makes sound unless told otherwise.
        images, videos, audios: how many references of each kind; 0 images: none at all.
        most_items: of the content array.
        clip_s: length of one reference clip or sound, and of all together.
        clip_bytes: size of one reference clip.
        audio_alone: whether sound may be the only reference.
        text_only, image_only: old models that do one of the two.
        needs_resolution: no default.
        in_prompt: whether ``--rs 720p`` in the prompt counts.
    """

    upstream: str
    resolutions: tuple[str, ...] = ("480p", "720p", "1080p")
    shortest: int = 4
    longest: int = 15
    by_itself: bool = False
    ratio: str = ADAPTIVE
    audio: bool = True
    images: int = 9
    videos: int = 3
    audios: int = 3
    most_items: int = 16
    clip_s: float = 15.0
    clip_bytes: int = 50 * MIB
    audio_alone: bool = False
    text_only: bool = False
    image_only: bool = False
    needs_resolution: bool = False
    in_prompt: bool = False


_V2 = Limits("doubao-seedance-2-0-260128")
_V1 = Limits(
    "doubao-seedance-1-0-pro-250528",
    shortest=2,
    longest=12,
    ratio="16:9",
    audio=False,
    images=0,
    videos=0,
    audios=0,
    in_prompt=True,
)
_FAST = replace(_V2, upstream="doubao-seedance-2-0-fast-260128")
_V15, _V10_FAST = "doubao-seedance-1-5-pro-251215", "doubao-seedance-1-0-pro-fast-251015"
_TEXT, _IMAGE = "doubao-seedance-1-0-lite-t2v-250428", "doubao-seedance-1-0-lite-i2v-250428"

LIMITS: dict[str, Limits] = {
    "seedance": _V2,
    "seedance-2.0": _V2,
    "seedance-fast": _FAST,
    "seedance-2.0-fast": _FAST,
    "seedance-2.0-mini": replace(_V2, upstream="doubao-seedance-2-0-mini-260128"),
    "seedance-2.0-ultra": replace(_V2, resolutions=("720p", "1080p", "2k"), needs_resolution=True),
    "seedance-2.5": Limits(
        "doubao-seedance-2-5-260615",
        longest=30,
        by_itself=True,
        images=30,
        videos=10,
        audios=10,
        most_items=51,
        clip_s=30.0,
        clip_bytes=200 * MIB,
        audio_alone=True,
    ),
    _V15: replace(_V1, upstream=_V15, shortest=4),
    "doubao-seedance-1-0-pro-250528": _V1,
    _V10_FAST: replace(_V1, upstream=_V10_FAST),
    _TEXT: replace(_V1, upstream=_TEXT, text_only=True),
    _IMAGE: replace(_V1, upstream=_IMAGE, image_only=True),
}
# The ultra model is made small and enlarged afterwards: what it is delivered in -> what it is made in.
MADE_IN: dict[str, str] = {"720p": "480p", "1080p": "720p", "2k": "1080p"}


def pixels(resolution: str, ratio: str) -> tuple[int, int]:
    """Width and height of a film."""
    if resolution == "2k":
        width, height = PIXELS["1080p"][ratio]
        return width * 4 // 3 // 2 * 2, height * 4 // 3 // 2 * 2
    return PIXELS[resolution][ratio]


def tokens(width: int, height: int, duration_s: int) -> int:
    """What a film costs: its pixels times its frames, of which there is one at the end too."""
    return width * height * (24 * duration_s + 1) // 1024
