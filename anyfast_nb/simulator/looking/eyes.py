"""From a content part to what was seen of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.looking.fetching import bare_address, bytes_of, decoded
from anyfast_nb.simulator.looking.views import View
from anyfast_nb.simulator.request import Part, PartKind

if TYPE_CHECKING:
    from anyfast_nb.simulator.looking.papers import Document

LONGEST_DOCUMENT_BYTES = 50 * MIB


class Eyes:
    """Looks at media, a few at a time, so that many requests do not fill the memory."""

    def __init__(self, *, at_once: int = 2) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    def look(self, part: Part) -> View:
        """Describe a picture or clip; an address is never fetched, bad data never refused."""
        if part.url[:5].lower() != "data:":
            return View(
                kind=part.kind,
                address=bare_address(part.url),
                fps=part.fps,
                problem="it is not reachable from here, so it is described by its address only",
            )
        data = decoded(part.url)
        if data is None:
            return View(kind=part.kind, fps=part.fps, problem="the data URI does not hold valid base64")
        with self._places:
            return _look_at(data, part)

    def read(self, part: Part) -> Document:
        """Read a document: one that was sent along, or one on this machine; bad data is never refused."""
        from anyfast_nb.simulator.looking.documents import read_document
        from anyfast_nb.simulator.looking.papers import unread

        by_address = part.url[:5].lower() != "data:"
        name = part.name or _file_name(part.url)
        data = bytes_of(part.url, limit_bytes=LONGEST_DOCUMENT_BYTES)
        if data is None:
            return unread(name, address=bare_address(part.url) if by_address else "")
        mime = "" if by_address else part.url[5:].partition(";")[0].partition(",")[0]
        with self._places:
            return read_document(data, name=name, mime=mime)


def _file_name(url: str) -> str:
    if url[:5].lower() == "data:":
        return ""
    return bare_address(url).rstrip("/").rpartition("/")[2][:120]


def _look_at(data: bytes, part: Part) -> View:
    if part.kind is PartKind.IMAGE:
        from anyfast_nb.simulator.looking.pictures import look_at_picture

        return look_at_picture(data)
    from anyfast_nb.simulator.looking.clips import look_at_clip

    return look_at_clip(data, fps=part.fps)
