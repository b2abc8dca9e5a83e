"""A medium for a request: from a URL, a file, bytes, or an object of the notebook, and checked.

Source: seeds 000 (file size limits) and 004 (content items); of each limit, `anyfast_nb.media.limits`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media.checks import Finding, check_kind, findings, limit_text, size_text
from anyfast_nb.media.item import MediaItem
from anyfast_nb.media.limits import BODY_LIMIT, LIMITS, MB, Limits, Use, Verdict
from anyfast_nb.media.probe import Probe, probe
from anyfast_nb.media.shrink import shrunk
from anyfast_nb.media.sniff import Format, Kind, identify
from anyfast_nb.media.source import address, content, unwrapped

__all__ = ["BODY_LIMIT", "MB", "MediaItem", "check_body", "image_item", "media_item", "video_item"]

_MOST_BYTES: Final = 512 * MB  # are read at all, whatever is asked for
_HEADER_BYTES: Final = 16 * MB  # a picture's size stands somewhere in these


def media_item(
    value: Any, *, use: Use, label: str = "", downscale: bool = False, strict: bool = True
) -> MediaItem:
    """Anything a person has, as the part of a request that takes it.

    Args:
        value: an http(s) URL (passed on as it is), ``asset://id`` (for Seedance), a path, a data
            URI, bytes, an open binary file, an object of ``IPython.display``; for an image also a
            PIL image, a numpy array (height x width, or x 3 or 4; uint8, or floats from 0 to 1), a
            matplotlib figure, axes or part of them, what ``df.plot()`` gives, and any object that
            shows itself as PNG. What it is, is told by its content and never by its name.
        use: what it is for; see `anyfast_nb.media.limits`.
        label: what it is called in messages; by default its file name or kind.
        downscale: make an image fit: fewer pixels, JPEG or PNG, upright. It is never scaled up
            and never cropped. `MediaItem.note` tells what was done.
        strict: False sends what lies outside the limits all the same, and notes it. What is of
            another kind is refused in any case.

    Raises:
        InputError: it is of another kind, outside a limit, cut off, or not there.

    Example:
        >>> media_item("https://example.com/pictures/cat.png?signature=5ec2e7", use=Use.KLING_IMAGE).label
        'cat.png on example.com'
        >>> media_item("Asset://asset-20260427-x", use=Use.SEEDANCE_IMAGE).url
        'asset://asset-20260427-x'

    Source: of each limit, see `anyfast_nb.media.limits.LIMITS`.
    """
    limits = LIMITS[Use(use)]
    if isinstance(value, MediaItem):
        label = label or value.label
        value = value.address if value.data is None else value.data
    value = unwrapped(value)
    found = address(value, kind=limits.kind, by_asset=limits.by_asset)
    if found is not None:
        return MediaItem(limits.kind, found[0], label=label or found[1])
    desk = _Desk(limits, downscale=downscale, strict=strict)
    data, name = content(value, kind=limits.kind, look=desk.look, label=label)
    return desk.item(data, name, label or name)


def image_item(value: Any, *, label: str = "", downscale: bool = False) -> MediaItem:
    """An image for chat: `media_item` with ``Use.CHAT_IMAGE``.

    Raises:
        InputError: it is no image, 10 MB or more, or not there.

    Example:
        >>> image_item("https://example.com/pictures/cat.png?signature=5ec2e7").label
        'cat.png on example.com'

    Source: AnyFast's chat page, "File size limits".
    """
    return media_item(value, use=Use.CHAT_IMAGE, label=label, downscale=downscale)


def video_item(value: Any, *, label: str = "") -> MediaItem:
    """A clip for chat: `media_item` with ``Use.CHAT_VIDEO``.

    Raises:
        InputError: it is no video, 50 MB or more, cut off, or not there.

    Source: AnyFast's chat page, "File size limits".
    """
    return media_item(value, use=Use.CHAT_VIDEO, label=label)


def check_body(items: Iterable[MediaItem], *, other_bytes: int = 0) -> None:
    """Refuse a request whose body would be 64 MB or more.

    Args:
        items: everything the request carries.
        other_bytes: size of the rest of the body.

    Raises:
        InputError: with the size of the files, and of the body they make.
    """
    sent = [item for item in items if item.data is not None]
    body_bytes = other_bytes + sum(item.url_bytes for item in sent)
    if body_bytes < BODY_LIMIT:
        return
    names = ", ".join(item.label for item in sent)
    raw_bytes = sum(item.size_bytes or 0 for item in sent)
    fewer = (
        "make it smaller (below"
        if len(sent) == 1
        else "send fewer files, or make them smaller (together below"
    )
    raise InputError(
        f"{names}: {size_text(raw_bytes)} grow by a third in base64, "
        f"to a request of {size_text(body_bytes)}; it must be below {limit_text(BODY_LIMIT)}.",
        hint=f"Give an http(s) URL instead of the file, or {fewer} 48 MB).",
    )


class _Desk:
    """Where the bytes of one medium are looked at: what is it, does it fit, what becomes of it."""

    def __init__(self, limits: Limits, *, downscale: bool, strict: bool) -> None:
        self._limits = limits
        self._downscale = downscale and limits.kind is Kind.IMAGE
        self._strict = strict

    def look(self, file: BinaryIO, size_bytes: int, label: str) -> None:
        """Refuse an opened file before it is read."""
        found = identify(file, name=label)
        check_kind(found, self._limits, label)
        if size_bytes <= _MOST_BYTES and (self._downscale or not self._strict):
            return
        if self._limits.size_bytes.verdict(size_bytes) is Verdict.REFUSED or size_bytes > _MOST_BYTES:
            facts = Probe()
            if found.kind is Kind.IMAGE:
                facts = probe(file.read(_HEADER_BYTES), found)
            raise _refusal(findings(self._limits, found, facts, size_bytes, label))

    def item(self, data: bytes, name: str, label: str) -> MediaItem:
        """The medium, checked."""
        found, facts, every = self._examined(data, name, label)
        notes: tuple[str, ...] = ()
        if self._downscale and any(one.curable for one in every):
            incurable = [one for one in every if one.refused and not one.curable]
            if incurable and self._strict:
                raise _refusal(incurable)
            too_many_bytes = self._limits.size_bytes.verdict(len(data)) is not Verdict.FITS
            done = shrunk(data, found, self._limits, label, too_many_bytes=too_many_bytes)
            data, notes = done.data, done.notes
            found, facts, every = self._examined(data, name, label)
        if self._strict and any(one.refused for one in every):
            raise _refusal(every)
        return MediaItem(
            self._limits.kind,
            "",
            data,
            found.media_type,
            len(data),
            facts.width,
            facts.height,
            facts.duration_s,
            facts.fps,
            facts.codec,
            label,
            (*notes, *(one.text.rstrip(".") for one in every)),
        )

    def _examined(self, data: bytes, name: str, label: str) -> tuple[Format, Probe, list[Finding]]:
        found = identify(io.BytesIO(data), name=name)
        check_kind(found, self._limits, label)
        facts = probe(data, found, need_duration=self._limits.duration_s is not None)
        every = findings(self._limits, found, facts, len(data), label)
        if facts.broken:
            again = "Save it as UTF-8." if "UTF-8" in facts.broken else "Download or save it again."
            every.insert(0, Finding(True, f"{label} is {facts.broken}.", again))
        return found, facts, every


def _refusal(every: list[Finding]) -> InputError:
    first = next(one for one in every if one.refused)
    return InputError(first.text, hint=first.hint)
