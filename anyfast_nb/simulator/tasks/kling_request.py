"""A Kling request, checked and with its pictures resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.media import Found

RATIOS = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "std": {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (960, 960)},
    "pro": {"16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1440, 1440)},
}


class Action(StrEnum):
    """The last part of the create route."""

    TEXT = "text2video"
    IMAGE = "image2video"
    IMAGES = "multi-image2video"
    OMNI = "omni-video"

    @property
    def polled_as(self) -> str:
        """The action under which such a task is polled: multi-image under image, omni under text."""
        return {"multi-image2video": "image2video", "omni-video": "text2video"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True)
class KlingRequest:
    """Everything ``POST /kling/v1/videos/{action}`` was asked.

    Attributes:
        prompt: with its words for faults; the shots of a multi-shot film joined.
        mode: std or pro.
        ratio: such as 16:9; "" when the film follows a picture.
        first, last: pictures it begins and ends with.
        images, clips: references.
        external_id: the client's own name for the task.
        digest: the same for the same request.
    """

    action: Action
    model: str
    prompt: str
    mode: str
    ratio: str
    duration_s: int
    sound: bool
    watermark: bool
    external_id: str
    digest: bytes = field(repr=False)
    first: Found | None = None
    last: Found | None = None
    images: tuple[Found, ...] = ()
    clips: tuple[Found, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Pixels: those of the mode and ratio, or those of the mode in the shape of the picture."""
        if self.ratio:
            return SIZES[self.mode][self.ratio]
        lead = self.first or self.last
        measured = lead.measured if lead is not None else None
        if measured is None or not measured.width or not measured.height:
            return SIZES[self.mode]["16:9"]
        width, height = SIZES[self.mode]["16:9"]
        scale = (width * height / (measured.width * measured.height)) ** 0.5
        return _even(measured.width * scale), _even(measured.height * scale)


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)
