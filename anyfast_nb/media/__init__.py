"""Local media: an image or a clip, in any form a notebook has it, made ready for a request."""

from __future__ import annotations

from anyfast_nb.media.parts import MediaItem, check_body, image_item, video_item

__all__ = ["MediaItem", "check_body", "image_item", "video_item"]
