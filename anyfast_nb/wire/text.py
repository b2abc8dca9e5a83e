"""Text as it comes over the wire: halves of characters, control characters, lines.

Source: RFC 8259, section 8.2: JSON may hold halves of characters.
"""

from __future__ import annotations

import re

_HALVES = re.compile(r"[\ud800-\udfff]")
# Not whitespace a person would type: they break markup, or a terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def mended(text: str) -> str:
    """Text that can be sent: characters that came in two halves are whole again, lone halves replaced."""
    if text.isascii() or not _HALVES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_controls(text: str) -> str:
    """Text without control characters, tab and line ends kept."""
    return _CONTROLS.sub("\ufffd", mended(text))


def one_line(text: str) -> str:
    """Foreign words fit for a message: one line, nothing that moves a cursor."""
    return " ".join(_CONTROLS.sub(" ", mended(text)).split())


def counted(count: int, name: str) -> str:
    """A number of things in words.

    Example:
        >>> counted(1, "request"), counted(1200, "request")
        ('1 request', '1,200 requests')
    """
    return f"{count:,} {name}{'s' if count != 1 else ''}"


class Halves:
    """Mends a stream of pieces: a gateway may cut an emoji between two of its halves."""

    def __init__(self) -> None:
        self._first = ""

    def take(self, piece: str) -> str:
        """The next piece, whole; a first half waits for its second."""
        if not self._first and piece.isascii():
            return piece
        piece = self._first + piece
        self._first = piece[-1] if piece and "\ud800" <= piece[-1] <= "\udbff" else ""
        return mended(piece.removesuffix(self._first) if self._first else piece)
