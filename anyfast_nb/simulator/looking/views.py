"""What was seen of one picture or clip, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyfast_nb.simulator.request import PartKind


@dataclass(frozen=True, slots=True)
class Colour:
    """One named colour of a picture: its share of the area (0 to 1) and its mean as ``#rrggbb``."""

    name: str
    share: float
    hex: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The main colour of a clip from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    colour: str


@dataclass(frozen=True, slots=True)
class View:
    """One picture or clip, measured.

    Attributes:
        kind: image or video.
        address: the web address, "" for data that was sent along.
        size_bytes: of the decoded data, 0 if unknown.
        format: such as PNG or h264.
        width, height: pixels, 0 if unknown.
        colours: the main colours, largest share first.
        halves: colour of the left, right, top and bottom half, or () if they are alike.
        duration_s: length of a clip by the frames that are really there.
        stated_s: length its header states.
        frame_rate: frames per second of the file.
        fps: frames per second the client asked the model to look at.
        frames: how many frames that gives.
        moments: colours over time.
        has_audio: whether a clip carries sound.
        problem: why it could not be looked at, "" if it could.
    """

    kind: PartKind
    address: str = ""
    size_bytes: int = 0
    format: str = ""
    width: int = 0
    height: int = 0
    colours: tuple[Colour, ...] = ()
    halves: tuple[str, ...] = ()
    duration_s: float = 0.0
    stated_s: float = 0.0
    frame_rate: float = 0.0
    fps: float = 0.0
    frames: int = 0
    moments: tuple[Moment, ...] = ()
    has_audio: bool = False
    problem: str = ""
