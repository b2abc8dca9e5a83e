"""Small things to show: a line, a table. Each as plain text and as safe HTML."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.style import page, quiet, wide

Cell = object
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?")


def notice(text: str) -> dict[str, Any]:
    """One quiet line (or a few) as a mimebundle."""
    lines = "<br>".join(escape_prose(line) for line in text.splitlines())
    return {"text/plain": text, "text/html": page(quiet(lines, name="anyfast-note"), style=True)}


def table(
    rows: Sequence[Sequence[Cell]],
    *,
    columns: Sequence[str] = (),
    caption: str = "",
    pictures: Sequence[tuple[str, bytes] | None] = (),
) -> dict[str, Any]:
    """A small table as a mimebundle.

    Args:
        rows: cells by row; None is shown empty, numbers stand to the right.
        columns: headings; none for a list of names and values.
        caption: a line above.
        pictures: a small one in front of each row, as media type and bytes; None is no picture.

    Returns:
        `text/plain`, aligned by columns, and `text/html`.
    """
    texts = [[_cell_text(cell) for cell in row] for row in rows]
    numeric = [all(_is_number(row[at]) for row in rows) for at in range(len(rows[0]) if rows else 0)]
    return {
        "text/plain": _plain(texts, columns, caption, numeric),
        "text/html": page(_html(texts, columns, caption, numeric, pictures), style=True),
    }


def _is_number(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:,.6g}" if isinstance(cell, float) else str(cell)


def _plain(texts: list[list[str]], columns: Sequence[str], caption: str, numeric: list[bool]) -> str:
    lines = [list(columns), *texts] if columns else texts
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    rows = []
    for line in lines:
        cells = (
            _padded(text, width, right)
            for text, width, right in zip(line, widths, numeric or [False] * len(line), strict=True)
        )
        rows.append("  ".join(cells).rstrip())
    if columns:
        rows.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([caption, *rows] if caption else rows)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _html(
    texts: list[list[str]],
    columns: Sequence[str],
    caption: str,
    numeric: list[bool],
    pictures: Sequence[tuple[str, bytes] | None],
) -> str:
    shown = list(pictures) if any(pictures) else []
    corner = "<th></th>" if shown else ""
    fronts = [f"<td>{_img(one)}</td>" for one in shown] or [""] * len(texts)
    head = f"<thead><tr>{corner}{_row(columns, numeric, 'th')}</tr></thead>" if columns else ""
    rows = zip(fronts, texts, strict=True)
    body = "".join(f"<tr>{front}{_row(row, numeric, 'td')}</tr>" for front, row in rows)
    title = quiet(escape_prose(caption), name="anyfast-note") if caption else ""
    return title + wide(f"<table>{head}<tbody>{body}</tbody></table>")


def _img(picture: tuple[str, bytes] | None) -> str:
    if picture is None:
        return ""
    media_type, data = picture
    source = f"data:{escape_attribute(media_type)};base64,{base64.b64encode(data).decode('ascii')}"
    return f'<img src="{source}" alt="" style="max-width:96px;height:auto">'


def _row(cells: Sequence[str], numeric: list[bool], tag: str) -> str:
    aligned = zip(cells, numeric or [False] * len(cells), strict=True)
    return "".join(
        f'<{tag} style="text-align:{"right" if right else "left"}">{_unbroken(escape_prose(cell))}</{tag}>'
        for cell, right in aligned
    )


def _unbroken(text: str) -> str:
    """No line ends within a date or a time."""
    return _MOMENT.sub(r'<span style="white-space:nowrap">\g<0></span>', text)
