"""What the studio is asked for and what it finds out, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

FPS = 24


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that was sent along: its bytes (None: it could not be reached) and what to call it."""

    data: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was sent along: its bytes (None: it could not be reached) and what to call it."""

    data: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that was sent along: its bytes (None: it could not be reached) and what to call it."""

    data: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class Shot:
    """One film to make.

    Attributes:
        prompt: what it shows; its words choose colours and shapes, and it is written in the picture.
        width, height: pixels, both even.
        duration_s: seconds; the film has ``round(duration_s * fps)`` frames.
        fps: frames per second.
        audio: whether it has a sound track, which is never silent.
        first_frame, last_frame: pictures the film begins and ends with, pixel for pixel.
        images, clips, sounds: references, shown in a strip and mixed into the sound.
        extends: begin at the last frame of the first clip and carry on.
        edits: play the first clip, with the image references shown in it.
        watermark: a larger "simulated" mark.
        seed: another seed is another composition of the same words.
        caption: one line about the request, such as "720p · 16:9 · 5 s".
    """

    prompt: str
    width: int
    height: int
    duration_s: float
    fps: int = FPS
    audio: bool = True
    first_frame: Still | None = None
    last_frame: Still | None = None
    images: tuple[Still, ...] = ()
    clips: tuple[Clip, ...] = ()
    sounds: tuple[Sound, ...] = ()
    extends: bool = False
    edits: bool = False
    watermark: bool = False
    seed: int = 0
    caption: str = ""

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return max(1, round(self.duration_s * self.fps))


@dataclass(frozen=True, slots=True)
class Art:
    """One picture to make.

    Attributes:
        prompt: what it shows; its words choose colours and shapes, and it is written in the picture.
        width, height: pixels.
        references: pictures that were sent along, shown in it.
        watermark: a larger "simulated" mark.
        seed: another seed is another composition of the same words.
        index, count: which picture of a sequence this is, from 0.
        format: of the encoded bytes.
    """

    prompt: str
    width: int
    height: int
    references: tuple[Still, ...] = ()
    watermark: bool = False
    seed: int = 0
    index: int = 0
    count: int = 1
    format: Literal["jpeg", "png"] = "jpeg"


class Kind(StrEnum):
    """What sent-along bytes turned out to be."""

    IMAGE = "image"
    CLIP = "clip"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Measured:
    """An input, measured: pixels are 0 for a sound, seconds and rate 0 for an image.

    Attributes:
        kind: image, clip or sound.
        format: such as png, jpeg, h264 or mp3.
        width, height: pixels, as displayed.
        duration_s: by the packets that are really there.
        fps: frames per second of a clip.
        has_audio: whether a clip or sound can be heard.
    """

    kind: Kind
    format: str
    width: int = 0
    height: int = 0
    duration_s: float = 0.0
    fps: float = 0.0
    has_audio: bool = False
