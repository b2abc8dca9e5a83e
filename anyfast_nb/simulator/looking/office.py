"""Reading the files of office programs: a zip archive of XML, in three kinds."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.looking.papers import (
    MOST_CHARACTERS,
    MOST_ROWS,
    Document,
    Section,
    Unreadable,
    of_rows,
    sections_of,
)

# A small archive may unpack to gigabytes; no honest member of one is larger than this.
MOST_MEMBER_BYTES = 64 * MIB
MOST_COLUMNS = 1_000
_KINDS = {"word/document.xml": "Word", "xl/workbook.xml": "spreadsheet", "ppt/presentation.xml": "slides"}
_CELL = re.compile(r"([A-Z]{1,3})\d+")

# What zipfile and the XML parser let through for an archive that is cut or made up.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ElementTree.ParseError,
    KeyError,
    ValueError,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
)


def read_office(data: bytes) -> Document:
    """Text of a .docx, rows of an .xlsx, text of the slides of a .pptx.

    Raises:
        Unreadable: it is another kind of archive, or broken.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = next((kind for name, kind in _KINDS.items() if name in names), "")
            if not kind:
                raise Unreadable("it is an archive, but no .docx, .xlsx or .pptx")
            found = {"Word": _word, "spreadsheet": _spreadsheet, "slides": _slides}[kind](archive)
            title, author = _about(archive)
            return replace(found, kind=kind, title=title, author=author)
    except _BROKEN as error:
        raise Unreadable(f"it is no readable office file ({type(error).__name__})") from None


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    if archive.getinfo(name).file_size > MOST_MEMBER_BYTES:
        raise Unreadable("it unpacks to more than this server reads")
    with archive.open(name) as member:
        text = member.read(MOST_MEMBER_BYTES)
    if b"<!DOCTYPE" in text[:4096] or b"<!ENTITY" in text:
        raise Unreadable("its XML declares entities, which no office program writes")
    return ElementTree.fromstring(text)  # noqa: S314 - entities are refused above


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (found for found in element.iter() if _local(found) == name)


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _about(archive: zipfile.ZipFile) -> tuple[str, str]:
    if "docProps/core.xml" not in archive.namelist():
        return "", ""
    found = {_local(item): " ".join((item.text or "").split()) for item in _xml(archive, "docProps/core.xml")}
    return found.get("title", ""), found.get("creator", "")


def _number(name: str) -> int:
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else 0


def _members(archive: zipfile.ZipFile, pattern: str) -> list[str]:
    return sorted((name for name in archive.namelist() if re.fullmatch(pattern, name)), key=_number)


def _said(element: Element) -> str:
    """The text of a paragraph, with its tabs and breaks; a paragraph inside it is told by itself."""
    if _local(element) == "t":
        return element.text or ""
    said = "".join(_said(inner) for inner in element if _local(inner) != "p")
    return {"tab": "\t", "br": "\n", "cr": "\n"}.get(_local(element), "") + said


def _word(archive: zipfile.ZipFile) -> Document:
    lines = []
    for paragraph in _all(_xml(archive, "word/document.xml"), "p"):
        text = _said(paragraph).strip()
        style = next((_attribute(found, "val") for found in _all(paragraph, "pStyle")), "")
        is_heading = re.match(r"heading|title", style, re.IGNORECASE) and text
        lines.append(f"# {text}" if is_heading else text)
    pages = 0
    if "docProps/app.xml" in archive.namelist():
        stated = next((found.text or "" for found in _all(_xml(archive, "docProps/app.xml"), "Pages")), "")
        pages = int(stated) if stated.isdigit() else 0
    return Document(pages=pages, sections=sections_of("\n".join(lines)[:MOST_CHARACTERS].splitlines()))


def _slides(archive: zipfile.ZipFile) -> Document:
    names = _members(archive, r"ppt/slides/slide\d+\.xml")
    sections = []
    for name in names:
        lines = [" ".join(_said(found).split()) for found in _all(_xml(archive, name), "p")]
        first, *rest = [line for line in lines if line] or [""]
        sections.append(Section(first, "\n".join(rest)))
    return Document(pages=len(names), page_word="slide", sections=tuple(sections))


def _spreadsheet(archive: zipfile.ZipFile) -> Document:
    names = _members(archive, r"xl/worksheets/sheet\d+\.xml")
    shared: list[str] = []
    if "xl/sharedStrings.xml" in archive.namelist():
        shared = [_said(found) for found in _all(_xml(archive, "xl/sharedStrings.xml"), "si")]
    sheets = [_rows(_xml(archive, name), shared) for name in names]
    first = next((rows for rows in sheets if rows), [])
    titles = [_attribute(found, "name") for found in _all(_xml(archive, "xl/workbook.xml"), "sheet")]
    texts = ["\n".join(", ".join(row) for row in rows) for rows in sheets]
    sections = tuple(
        Section(titles[at] if at < len(titles) else "", text[:MOST_CHARACTERS])
        for at, text in enumerate(texts)
    )
    return replace(of_rows(first, "spreadsheet"), sections=sections, pages=len(names), page_word="sheet")


def _rows(sheet: Element, shared: list[str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for row in _all(sheet, "row"):
        cells: dict[int, str] = {}
        for at, cell in enumerate(_all(row, "c")):
            place = _CELL.fullmatch(_attribute(cell, "r"))
            column = _column(place[1]) if place else at
            if column < MOST_COLUMNS:
                cells[column] = _value(cell, shared)
        if any(cells.values()):
            rows.append(tuple(cells.get(at, "") for at in range(max(cells) + 1)))
        if len(rows) > MOST_ROWS:
            break
    return rows


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: Element, shared: list[str]) -> str:
    kind = _attribute(cell, "t")
    if kind == "inlineStr":
        return _said(cell).strip()
    text = next((found.text or "" for found in _all(cell, "v")), "")
    if kind == "s":
        return shared[int(text)].strip() if text.isdigit() and int(text) < len(shared) else ""
    return text.strip()
