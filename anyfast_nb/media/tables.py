"""Frames of pandas as Markdown tables: a table in a prompt or a document."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from typing import Any, Final

MOST_ROWS: Final = 20
MOST_COLUMNS: Final = 20
_MARKUP: Final = {
    *("a", "abbr", "b", "br", "code", "del", "div", "em", "font", "hr", "i", "img", "ins", "kbd", "li"),
    *("mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "u", "ul"),
}


def table_markdown(
    value: Any, *, max_rows: int | None = MOST_ROWS, max_columns: int | None = MOST_COLUMNS
) -> str | None:
    """A frame, a series or a styled frame as a Markdown table; None for anything else.

    An index that just counts is left out. A styled frame goes in as it looks: its formats, its
    hidden rows and columns, its labels.

    Args:
        value: a DataFrame, a Series or a Styler.
        max_rows: more are counted in a line below the table; None is no limit.
        max_columns: more are counted there too; None is no limit.
    """
    styler = _as_styler(value)
    if styler is not None:
        return _bounded(_styled_rows(styler, max_rows), _styled_shape(styler), max_rows, max_columns)
    frame = as_frame(value)
    if frame is None:
        return None
    shape = frame.shape
    return _bounded(_rows(frame if max_rows is None else frame.head(max_rows)), shape, max_rows, max_columns)


def as_frame(value: Any) -> Any | None:
    """The DataFrame of a frame, a series or a Styler; None for anything else."""
    if "pandas" not in sys.modules:  # a value of pandas cannot be without it
        return None
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, pd.Series):
        return value.to_frame()
    styler = _as_styler(value)
    return None if styler is None else styler.data


def _as_styler(value: Any) -> Any | None:
    module = sys.modules.get("pandas.io.formats.style")  # whoever has a Styler has loaded it
    return value if module is not None and isinstance(value, module.Styler) else None


def _rows(frame: Any) -> list[list[str]]:
    """The cells, the head first."""
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(allow_duplicates=True)
    rows = [[_cell(_column(name)) for name in frame.columns]]
    return rows + [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _column(name: Any) -> Any:
    """Columns of several levels have names of several words."""
    return " / ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else name


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    return " ".join(str(value).replace("|", "\\|").split())


def _bounded(
    rows: list[list[str]], shape: tuple[int, int], max_rows: int | None, max_columns: int | None
) -> str:
    """The table, and a line of how much is missing."""
    head, *body = rows
    if not head:
        return "(a table without columns)"
    labels = len(head) - shape[1]  # columns of the index come on top
    width = len(head) if max_columns is None else min(len(head), labels + max_columns)
    lines = [head[:width], ["---"] * width, *(row[:width] for row in body[:max_rows])]
    missing = [
        f"{count:,} more {word}{'' if count == 1 else 's'}"
        for count, word in ((shape[0] - len(body[:max_rows]), "row"), (len(head) - width, "column"))
        if count > 0
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in lines)
    return f"{table}\n\n… {', '.join(missing)}" if missing else table


# --- styled frames --------------------------------------------------------------------------


def _styled_shape(styler: Any) -> tuple[int, int]:
    rows, columns = styler.data.shape
    hidden_rows, hidden_columns = getattr(styler, "hidden_rows", ()), getattr(styler, "hidden_columns", ())
    return rows - len(hidden_rows), columns - len(hidden_columns)


def _styled_rows(styler: Any, max_rows: int | None) -> list[list[str]]:
    """The cells as a notebook shows them, the head first."""
    import pandas as pd

    reader = _TableReader()
    reader.feed(styler.to_html(sparse_index=False, sparse_columns=False, max_rows=max_rows))
    counts = isinstance(styler.data.index, pd.RangeIndex)
    labels = max((sum(name == "th" for name, _ in row) for row in reader.body), default=0)
    skipped = labels if counts else 0
    heads = [[text for _, text in row][skipped:] for row in reader.head]
    width = max((len(row) for row in heads), default=0)
    merged = [
        " / ".join(text for text in (row[place] if place < len(row) else "" for row in heads) if text)
        for place in range(width)
    ]
    body = [[text for _, text in row][skipped:] for row in reader.body]
    # What pandas leaves out it tells in one row more, of dots.
    return [merged, *(body if max_rows is None else body[:max_rows])]


class _TableReader(HTMLParser):
    """The rows of a table: for each cell its tag and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.head: list[list[tuple[str, str]]] = []
        self.body: list[list[tuple[str, str]]] = []
        self._rows = self.body
        self._cell: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"thead", "tbody"}:
            self._rows = self.head if tag == "thead" else self.body
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"th", "td"}:
            self._cell = (tag, [])
        elif self._cell:
            # Markup is not seen; ``List<int>`` in a cell is no markup.
            self._cell[1].append(" " if tag in _MARKUP else self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self._cell and tag == self._cell[0]:
            text = " ".join("".join(self._cell[1]).replace("|", "\\|").split())
            self._rows[-1].append((tag, text))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell:
            self._cell[1].append(data)
