"""What was read in a document, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# A text beyond this is read to here: an answer needs no more, and a small machine holds no more.
MOST_CHARACTERS = 4_000_000
MOST_ROWS = 20_000

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.+?)\s*#*$|^(\d+(?:\.\d+)*\.?\s+[A-Z\u3400-\u9fff].{0,80})$")


class Unreadable(Exception):
    """The bytes are not what they say they are; the text says why."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading ("" before the first one) and the text under it."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document, read.

    Attributes:
        name: of the file, "" if none was sent.
        kind: such as PDF, Word, CSV.
        size_bytes: of the file, 0 if it was not had.
        pages: how many; 0 where the kind has none.
        page_word: what a page is called here: page, slide or sheet.
        title, author: as the file itself states them.
        sections: its text in order.
        names, rows: of its table, if it is one.
        address: the web address it was named by and not had from.
        problem: why it could not be read, "" if it could.
    """

    name: str = ""
    kind: str = ""
    size_bytes: int = 0
    pages: int = 0
    page_word: str = "page"
    title: str = ""
    author: str = ""
    sections: tuple[Section, ...] = ()
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    address: str = ""
    problem: str = ""

    @property
    def text(self) -> str:
        """All it says."""
        return "\n".join(
            part for section in self.sections for part in (section.heading, section.text) if part
        )

    @property
    def headings(self) -> tuple[str, ...]:
        """Its headings in order."""
        return tuple(section.heading for section in self.sections if section.heading)


def unread(name: str, *, address: str) -> Document:
    """A document that was not had."""
    if address:
        return Document(name=name, address=address, problem="it is not reachable from here and was not read")
    return Document(name=name, problem="the data URI does not hold valid base64")


def sections_of(lines: list[str]) -> tuple[Section, ...]:
    """Lines in sections, by Markdown headings and numbered headings."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        heading = _HEADING.match(line)
        if heading:
            found.append(((heading[1] or heading[2]).strip(), []))
        else:
            found[-1][1].append(line)
    joined = (Section(heading, "\n".join(body).strip()) for heading, body in found)
    return tuple(section for section in joined if section.heading or section.text)


def of_rows(rows: list[tuple[str, ...]], kind: str) -> Document:
    """A table as a document; its first row holds the names."""
    names = rows[0] if rows else ()
    width = len(names)
    whole = tuple((*row, *("",) * (width - len(row)))[:width] for row in rows[1 : MOST_ROWS + 1])
    text = "\n".join(", ".join(row) for row in rows)
    return Document(kind=kind, sections=(Section("", text[:MOST_CHARACTERS]),), names=names, rows=whole)
