"""Server-sent events: bytes in any split to events, with a bound on the line.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html,
section "Interpreting an event stream", cited at each branch.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from anyfast_nb.errors import ProtocolError

CHAT_LINE_BYTES: Final = 1_000_000
IMAGE_LINE_BYTES: Final = 64_000_000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its name ("message" if unnamed), its data, the last id seen."""

    event: str
    data: str
    id: str


class Decoder:
    """Feeds on chunks, gives events; keeps what is not complete yet.

    Args:
        max_line_bytes: a longer line is a broken or hostile server.
    """

    def __init__(self, *, max_line_bytes: int = CHAT_LINE_BYTES) -> None:
        self._max = max_line_bytes
        self._buffer = bytearray()
        self._scanned = 0  # no line end before this place, so a long line is read once
        self._after_cr = False
        self._started = False
        self._event = ""
        self._data: list[str] = []
        self._data_bytes = 0
        self._id = ""

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Take one chunk of any size; give the events that it completes."""
        if self._after_cr and chunk:  # the line ended at the CR; a LF now belongs to it
            chunk, self._after_cr = chunk.removeprefix(b"\n"), False
        self._buffer += chunk
        if not self._started and not self._past_bom():
            return
        begin = 0
        while match := _LINE_END.search(self._buffer, max(begin, self._scanned)):
            line = bytes(self._buffer[begin : match.start()])
            begin = self._scanned = match.end()
            self._after_cr = match.group() == b"\r" and begin == len(self._buffer)
            self._check(len(line))
            if (event := self._line(line)) is not None:
                yield event
        del self._buffer[:begin]
        self._scanned = len(self._buffer)
        self._check(len(self._buffer))

    def _past_bom(self) -> bool:
        if len(self._buffer) < len(_BOM) and _BOM.startswith(bytes(self._buffer)):
            return False
        if self._buffer.startswith(_BOM):  # "one leading U+FEFF must be ignored"
            del self._buffer[: len(_BOM)]
        self._started = True
        return True

    def _check(self, size: int) -> None:
        if size > self._max:
            raise ProtocolError(
                f"the server sent a line of more than {self._max:,} bytes in its event stream",
                hint="Sent, and may be billed. Check that the base URL is an AnyFast gateway.",
            )

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if not line:  # "if the line is empty: dispatch the event"
            return self._dispatch()
        if line.startswith(b":"):  # "if the line starts with a colon: ignore the line"
            return None
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")  # one space only
        if name == b"data":
            self._data.append(text)
            self._data_bytes += len(value) + 1  # with its LF: empty lines fill the memory too
            self._check(self._data_bytes)
        elif name == b"event":
            self._event = text
        elif name == b"id" and "\0" not in text:  # an id with U+0000 is ignored
            self._id = text
        return None  # "retry" is for a client that reconnects; any other field is ignored

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._data_bytes = [], "", 0
        if not data:  # "if the data buffer is an empty string: return" (before its last LF is cut)
            return None
        return ServerSentEvent(event or "message", "\n".join(data), self._id)


def decode(chunks: Iterable[bytes], *, max_line_bytes: int = CHAT_LINE_BYTES) -> Iterator[ServerSentEvent]:
    r"""Events of an event stream.

    Args:
        chunks: bytes, split anywhere.
        max_line_bytes: bound on one line and on one event's data.

    Raises:
        ProtocolError: a line is longer than the bound.

    Example:
        >>> [event.data for event in decode([b"data: a", b"b\n\n"])]
        ['ab']
    """
    decoder = Decoder(max_line_bytes=max_line_bytes)
    for chunk in chunks:
        yield from decoder.feed(chunk)  # "if the file ends in the middle of an event, it is not dispatched"


async def adecode(
    chunks: AsyncIterable[bytes], *, max_line_bytes: int = CHAT_LINE_BYTES
) -> AsyncIterator[ServerSentEvent]:
    """The same as `decode`, from an asynchronous source."""
    decoder = Decoder(max_line_bytes=max_line_bytes)
    async for chunk in chunks:
        for event in decoder.feed(chunk):
            yield event
