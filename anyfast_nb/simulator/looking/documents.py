"""Reading one document: which kind it is, and what it says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

from anyfast_nb.simulator.looking.papers import (
    MOST_CHARACTERS,
    Document,
    Section,
    Unreadable,
    of_rows,
    sections_of,
)

_TEXT_KINDS = {"md": "Markdown", "markdown": "Markdown", "json": "JSON", "csv": "CSV", "tsv": "TSV"}
_TEXT_KINDS |= {"html": "HTML", "htm": "HTML"}
_MIME_KINDS = {
    "text/markdown": "Markdown",
    "text/csv": "CSV",
    "application/json": "JSON",
    "text/html": "HTML",
}


def read_document(data: bytes, *, name: str = "", mime: str = "") -> Document:
    """Read a document by what its bytes are; never raises for what they hold.

    Args:
        data: the file.
        name: its name, which tells kinds of text apart.
        mime: as the data URI states it.
    """
    base = Document(name=name, size_bytes=len(data))
    try:
        return replace(_reader(data)(data, name, mime), name=name, size_bytes=len(data))
    except Unreadable as error:
        return replace(base, kind=_suffix(name).upper(), problem=str(error))


def _reader(data: bytes) -> Callable[[bytes, str, str], Document]:
    if b"%PDF-" in data[:1024]:
        from anyfast_nb.simulator.looking.pdf import read_pdf

        return lambda data, _name, _mime: read_pdf(data)
    if data[:4] == b"PK\x03\x04":
        from anyfast_nb.simulator.looking.office import read_office

        return lambda data, _name, _mime: read_office(data)
    return _read_text


def _read_text(data: bytes, name: str, mime: str) -> Document:
    text = _decoded(data)
    kind = _TEXT_KINDS.get(_suffix(name)) or _MIME_KINDS.get(mime.lower(), "text")
    if kind == "text" and re.match(r"\s*<(?:!doctype html|html)\b", text, re.IGNORECASE):
        kind = "HTML"
    if kind == "HTML":
        from anyfast_nb.simulator.looking.markup import read_html

        return read_html(text)
    if kind in {"CSV", "TSV"}:
        return _read_rows(text, kind)
    if kind == "JSON":
        return _read_json(text)
    return Document(kind=kind, sections=sections_of(text.splitlines()))


def _decoded(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, else Latin-1 if nothing in it is binary."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")[:MOST_CHARACTERS]
    if b"\0" in data[:8192] or not data:
        raise Unreadable(
            "it is empty" if not data else "the bytes are no text and no kind of document known here"
        )
    try:
        return data.decode("utf-8-sig")[:MOST_CHARACTERS]
    except UnicodeDecodeError:
        return data.decode("latin-1")[:MOST_CHARACTERS]


def _read_rows(text: str, kind: str) -> Document:
    first = text.partition("\n")[0]
    mark = max("\t;,", key=first.count) if kind == "CSV" else "\t"
    try:
        rows = [
            tuple(cell.strip() for cell in row)
            for row in csv.reader(io.StringIO(text), delimiter=mark)
            if row
        ]
    except csv.Error as error:
        raise Unreadable(f"it is no table: {error}") from None
    return of_rows(rows, kind)


def _read_json(text: str) -> Document:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is no valid JSON") from None
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = tuple(dict.fromkeys(str(key) for row in value for key in row))
        rows = [tuple(_cell(row.get(name)) for name in names) for row in value]
        return replace(of_rows([names, *rows], "JSON"), sections=(Section("", text),))
    if isinstance(value, dict):
        sections = (
            Section(str(key), item if isinstance(item, str) else _cell(item)) for key, item in value.items()
        )
        return Document(kind="JSON", sections=tuple(sections))
    return Document(kind="JSON", sections=(Section("", text),))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
