"""From a content part to what was seen of it."""

from __future__ import annotations

import base64
import binascii
import threading

from anyfast_nb.simulator.looking.views import View
from anyfast_nb.simulator.request import Part, PartKind


class Eyes:
    """Looks at media, a few at a time, so that many requests do not fill the memory."""

    def __init__(self, *, at_once: int = 2) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    def look(self, part: Part) -> View:
        """Describe a picture or clip; an address is never fetched, bad data never refused."""
        if part.url[:5].lower() != "data:":
            return View(
                kind=part.kind,
                address=_bare_address(part.url),
                fps=part.fps,
                problem="it is not reachable from here, so it is described by its address only",
            )
        data = _decode(part.url)
        if data is None:
            return View(kind=part.kind, fps=part.fps, problem="the data URI does not hold valid base64")
        with self._places:
            return _look_at(data, part)


def _look_at(data: bytes, part: Part) -> View:
    if part.kind is PartKind.IMAGE:
        from anyfast_nb.simulator.looking.pictures import look_at_picture

        return look_at_picture(data)
    from anyfast_nb.simulator.looking.clips import look_at_clip

    return look_at_clip(data, fps=part.fps)


def _decode(url: str) -> bytes | None:
    head, comma, payload = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return None
    packed = "".join(payload.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _bare_address(url: str) -> str:
    """The address without its query, which may carry a signature."""
    return url.partition("?")[0].partition("#")[0][:200]
