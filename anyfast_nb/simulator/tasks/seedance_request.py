"""A Seedance request, checked and with its references resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.media import Found
    from anyfast_nb.simulator.tasks.seedance_models import Limits


class ItemKind(StrEnum):
    """What a content item holds."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Mode(StrEnum):
    """What is asked for."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FIRST_LAST = "first_last_frame"
    REFERENCE = "reference"
    EDIT = "edit"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class Item:
    """One content item that is no text.

    Attributes:
        index: in the content array.
        kind: image, video or audio.
        role: as given or, where it is clear, as meant.
        path: of its address, for messages.
        url: http(s), data or asset.
        found: the bytes behind it.
    """

    index: int
    kind: ItemKind
    role: str
    path: str
    url: str = field(repr=False)
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class SeedanceRequest:
    """Everything ``POST /v1/video/generations`` was asked.

    Attributes:
        prompt: with its words for faults.
        items: in the order of the content array.
        resolution: as delivered.
        ratio: never adaptive.
        duration_s: whole seconds.
        seed: -1 was turned into a number.
        digest: the same for the same request.
    """

    model: str
    limits: Limits
    prompt: str
    items: tuple[Item, ...]
    mode: Mode
    resolution: str
    ratio: str
    duration_s: int
    audio: bool
    watermark: bool
    return_last_frame: bool
    web_search: bool
    seed: int
    service_tier: str
    draft: bool
    digest: bytes = field(repr=False)

    def of(self, kind: ItemKind, role: str = "") -> tuple[Item, ...]:
        """The items of a kind, and of a role if one is given."""
        return tuple(i for i in self.items if i.kind is kind and role in {"", i.role})

    @property
    def action(self) -> str:
        """The gateway's word for the mode."""
        if self.mode is Mode.FIRST_LAST:
            return "firstTailGenerate"
        if self.mode in {Mode.TEXT, Mode.FIRST_FRAME}:
            return "generate"
        only_images = all(item.kind is ItemKind.IMAGE for item in self.items)
        return "referenceGenerate" if only_images else "omniGenerate"
