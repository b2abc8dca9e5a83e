"""The media of a request, as a person is told of them: no bytes, no addresses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Travel(StrEnum):
    """How a medium gets to the server."""

    INLINE = "inside the request"
    URL = "by its URL"
    ASSET = "as an asset"
    UPLOAD = "uploaded as an asset first"
    REUSED = "as an asset that was uploaded before"


@dataclass(frozen=True, slots=True)
class Input:
    """One medium of a request, as a person is told of it. It holds no bytes and no address.

    Attributes:
        argument: the argument it came by, such as ``images[0]``.
        kind: image, video or audio.
        label: what a person calls it.
        travels: how it gets to the server.
        media_type: such as ``image/png``; "" is unknown.
        size_bytes: of the file; None is unknown.
        width: in pixels; None is unknown.
        height: in pixels; None is unknown.
        duration_s: of a clip or a sound; None is unknown.
        notes: what the server may refuse about it.
    """

    argument: str
    kind: str
    label: str = ""
    travels: Travel = Travel.INLINE
    media_type: str = ""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    notes: tuple[str, ...] = ()
