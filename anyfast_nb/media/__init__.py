"""Local media: anything a person has, made ready for the endpoint that takes it, and checked first."""

from __future__ import annotations

from anyfast_nb.media.item import MediaItem
from anyfast_nb.media.limits import LIMITS, Limits, Use
from anyfast_nb.media.parts import check_body, image_item, media_item, video_item
from anyfast_nb.media.sniff import Kind
from anyfast_nb.media.tables import table_markdown

__all__ = [
    "LIMITS",
    "Kind",
    "Limits",
    "MediaItem",
    "Use",
    "check_body",
    "image_item",
    "media_item",
    "table_markdown",
    "video_item",
]
