"""What one medium is once it is read and checked: `MediaItem`."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePath

from anyfast_nb.media.sniff import Kind, suffix_of

_UNSAFE = re.compile(r"[\x00-\x1f<>:\"/\\|?*]+")


@dataclass(frozen=True, slots=True)
class MediaItem:
    """An image, a clip, a sound or a document as a request carries it.

    Attributes:
        kind: ``image``, ``video``, ``audio`` or ``document``.
        address: an http(s) URL or ``asset://…`` as it was given; "" if the bytes are sent. Never shown.
        data: the bytes that are sent; None for an address. Never shown.
        media_type: such as ``image/png``; "" for an address.
        size_bytes: of the bytes; None for an address.
        width: in pixels, as a person sees the picture; None is unknown.
        height: in pixels; None is unknown.
        duration_s: of a clip or a sound, in seconds; None is unknown.
        fps: frames per second of a clip; None is unknown.
        codec: of a clip's pictures or a sound, such as ``h264`` or ``mp3``; "" is unknown.
        label: what a person calls it: a file name, "PIL image", or the place of a URL.
        notes: a line for each thing that was changed, or that the server may refuse.
    """

    kind: Kind
    address: str = field(default="", repr=False)
    data: bytes | None = field(default=None, repr=False)
    media_type: str = ""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    codec: str = ""
    label: str = ""
    notes: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The address, or a data URI of the bytes (made anew each time, it is a third larger)."""
        return self.address or f"{self._data_head}{self.bare_base64}"

    @property
    def bare_base64(self) -> str:
        """The bytes in base64 without any ``data:`` before them, as Kling wants them; "" for an address."""
        return base64.b64encode(self.data).decode("ascii") if self.data is not None else ""

    @property
    def url_bytes(self) -> int:
        """How long `url` is, without making it."""
        if self.data is None:
            return len(self.address.encode())
        return len(self._data_head) + 4 * -(-len(self.data) // 3)

    @property
    def sha256(self) -> str:
        """The hash of the bytes that are sent, in hex digits; "" for an address."""
        return hashlib.sha256(self.data).hexdigest() if self.data is not None else ""

    @property
    def filename(self) -> str:
        """A file name for an upload: the label, with the ending that fits the content."""
        name = _UNSAFE.sub("_", self.label).strip(" .") or self.kind.value
        suffix = suffix_of(self.media_type, PurePath(name).suffix)
        stem = PurePath(name).stem if suffix else name
        return f"{stem}{suffix}"

    @property
    def note(self) -> str:
        """The notes in one line."""
        return "; ".join(self.notes)

    @property
    def _data_head(self) -> str:
        return f"data:{self.media_type};base64,"
