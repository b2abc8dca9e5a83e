"""A growing Markdown text, cut where later text cannot change what came before.

A cut is made before a line that follows a blank line and starts at the margin,
unless a fence, a block of raw HTML or a list is still open there. Cuts depend
on the text alone, never on how it arrived, so what was drawn while streaming
and what is saved at the end are the same blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A code block longer than this is cut at a line end: each redraw of an open block costs its whole length.
MAX_OPEN_CODE_CHARS = 3_000

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_RAW_HTML = re.compile(
    r" {0,3}<(?:(script|pre|style|textarea)\b|(!--)|(\?)|(!\[CDATA\[)|(![A-Z]))", re.IGNORECASE
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANKS = " \t\v\f\r"  # and no others: a no-break space is text
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A finished part of the text.

    Attributes:
        text: the part as it came; the parts joined are the text.
        opens: the fence line to put before it, for the later pieces of a long code block.
        closes: the fence line to put after it, for all but the last piece.
    """

    text: str
    opens: str = ""
    closes: str = ""

    @property
    def source(self) -> str:
        """Markdown that shows this part by itself."""
        return f"{self.opens}{self.text}{self.closes}"


def has_references(text: str) -> bool:
    """Whether the text defines links by name: then no block can be rendered without the others."""
    return "]:" in text and _REFERENCE.search(text) is not None


def definitions(text: str) -> list[str]:
    """The lines that define links by name."""
    return [line for line in text.split("\n") if _REFERENCE.match(line)]


class Splitter:
    r"""Cuts a growing text into finished blocks and a tail.

    Example:
        >>> splitter = Splitter()
        >>> [block.text for block in splitter.feed("One.\n\nTwo")]
        ['One.\n\n']
        >>> splitter.tail.source
        'Two'
    """

    def __init__(self) -> None:
        self._open = ""  # the unfinished block: whole lines
        self._line = ""  # and the line still being written
        self._after_blank = False
        self._in_list = False
        self._fence = ""  # the mark that opened a fence, such as "```"
        self._fence_line = ""
        self._opens = ""
        self._raw_end = ""  # what ends an open block of raw HTML

    @property
    def tail(self) -> Block:
        """What is not finished yet."""
        return Block(self._open + self._line, self._opens)

    def feed(self, text: str) -> list[Block]:
        """Add text; gives the blocks that are finished by it."""
        blocks: list[Block] = []
        *lines, rest = (self._line + text).split("\n")
        for line in lines:
            self._take_line(line + "\n", blocks)
        self._line = rest
        # A line that cannot be the next item of a list need not be waited for.
        if rest and rest[0] not in "-*+0123456789" and self._may_cut(rest):
            self._cut(blocks)
        return blocks

    def _take_line(self, line: str, blocks: list[Block]) -> None:
        if self._may_cut(line):
            self._cut(blocks)
        self._open += line
        for part in _LINE_END.split(line[:-1]):
            self._read(part)
        if self._fence and len(self._open) > MAX_OPEN_CODE_CHARS:
            self._cut_code(blocks)

    def _may_cut(self, line: str) -> bool:
        if not self._after_blank or self._fence or self._raw_end or line[0] in _BLANKS or line == "\n":
            return False
        return not (self._in_list and _LIST_ITEM.match(line))

    def _read(self, line: str) -> None:
        """Note what a line opens or closes."""
        self._after_blank = not line.strip(_BLANKS)
        if self._fence:
            if _closes(line, self._fence):
                self._fence = ""
        elif self._raw_end:
            if self._raw_end in line.lower():
                self._raw_end = ""
        elif fence := _FENCE.match(line):
            self._fence, self._fence_line = fence.group(1), line + "\n"
        elif _LIST_ITEM.match(line):
            self._in_list = True
        elif raw := _RAW_HTML.match(line):
            end = _raw_end(raw)
            self._raw_end = "" if end in line[raw.end() :].lower() else end

    def _cut(self, blocks: list[Block]) -> None:
        blocks.append(Block(self._open, self._opens))
        self._open, self._opens, self._in_list, self._after_blank = "", "", False, False

    def _cut_code(self, blocks: list[Block]) -> None:
        blocks.append(Block(self._open, self._opens, self._fence + "\n"))
        self._open, self._opens = "", self._fence_line


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" \t")
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and not line.startswith("    ")


def _raw_end(opening: re.Match[str]) -> str:
    tag, comment, instruction, cdata, _ = opening.groups()
    if tag:
        return f"</{tag.lower()}>"
    return "-->" if comment else "?>" if instruction else "]]>" if cdata else ">"


class LineSplitter:
    """The same for text that is shown as it is: any line end will do."""

    def __init__(self) -> None:
        self._open = ""

    @property
    def tail(self) -> Block:
        """What is not finished yet."""
        return Block(self._open)

    def feed(self, text: str) -> list[Block]:
        """Add text; gives the whole lines."""
        lines, end, self._open = (self._open + text).rpartition("\n")
        return [Block(lines + end)] if end else []
