"""What a downloaded file is, told by its first bytes: a film, a picture, or a page that says no.

Source: the formats' own specifications; wire reference 5.3 (decide by the first bytes).
"""

from __future__ import annotations

from typing import Final

_OPENINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_BOM: Final = b"\xef\xbb\xbf"


def media_type_of(head: bytes) -> str:
    """The media type of a film or picture, "" for anything else."""
    for opening, media_type in _OPENINGS:
        if head.startswith(opening):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    return ""


def page_in(head: bytes) -> str:
    """What a text is that came instead, in words; "" for bytes that may be a file."""
    text = head.removeprefix(_BOM).lstrip()[:256].lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
    if text.startswith(b"<"):
        return "an XML message"
    if text.startswith((b"{", b"[")):
        return "a JSON message"
    return ""
