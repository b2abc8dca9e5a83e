"""Reading a PDF with pypdf."""

from __future__ import annotations

import io
import logging
import re
import warnings
from typing import TYPE_CHECKING

from anyfast_nb.simulator.looking.papers import MOST_CHARACTERS, Document, Section, Unreadable, sections_of

if TYPE_CHECKING:
    from pypdf import PdfReader

# Of a longer one all pages are counted, and these are read: pulling text out of a page takes its time.
MOST_PAGES = 400
_SPACES = re.compile(r"[ \t\u00a0]+")


def read_pdf(data: bytes) -> Document:
    """Pages, title, author and text of a PDF.

    Raises:
        Unreadable: it is locked, broken, or no PDF at all.
    """
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is told in the answer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(pypdf.PdfReader(io.BytesIO(data)))
        except (PyPdfError, *_BROKEN) as error:
            raise Unreadable(f"it is no readable PDF ({type(error).__name__})") from None


# What pypdf lets through for a file that is cut or made up, beside its own errors.
_BROKEN = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RecursionError,
    ArithmeticError,
)


def _read(reader: PdfReader) -> Document:
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("it is locked with a password")
    pages = len(reader.pages)
    texts, length = [], 0
    for page in reader.pages[:MOST_PAGES]:
        text = _SPACES.sub(" ", page.extract_text() or "")
        texts.append(text)
        length += len(text)
        if length > MOST_CHARACTERS:
            break
    lines = [line.strip() for text in texts for line in text.splitlines()]
    about = reader.metadata
    return Document(
        kind="PDF",
        pages=pages,
        title=" ".join(str((about.title if about else "") or "").split()),
        author=" ".join(str((about.author if about else "") or "").split()),
        sections=_sections(lines),
        problem="" if any(lines) else "its pages hold no text (they may be scanned pictures)",
    )


def _sections(lines: list[str]) -> tuple[Section, ...]:
    """By numbered headings; without them, by short lines that stand before longer text."""
    found = sections_of(lines)
    if len(found) > 1:
        return found
    marked = [f"# {line}" if _is_heading(lines, at) else line for at, line in enumerate(lines)]
    return sections_of(marked)


def _is_heading(lines: list[str], at: int) -> bool:
    line = lines[at]
    before = lines[at - 1] if at else ""
    after = next((later for later in lines[at + 1 : at + 3] if later), "")
    starts = not before or before[-1:] in ".!?。！？:"
    return bool(
        starts
        and 2 < len(line) <= 60
        and (line[0].isupper() or "\u3400" <= line[0] <= "\u9fff")
        and line[-1] not in ".,;:!?。，；：！？"
        and len(after) > len(line)
    )
