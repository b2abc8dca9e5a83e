"""A sweep as an output: posters in a table labelled by what varies; what failed says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.poster import Poster, poster_html, poster_line
from anyfast_nb.render.style import page, quiet

_MOST_COLUMNS: Final = 6
_WIDTH: Final = 180


def sweep_bundle(
    posters: Sequence[Poster],
    *,
    varied: Sequence[str],
    labels: Sequence[Sequence[str]],
    columns: int,
    head: str,
    facts: Iterable[str] = (),
) -> dict[str, Any]:
    """A sweep as a mimebundle.

    Args:
        posters: of every combination, in order.
        varied: the names of what varies.
        labels: for each combination, its values as words.
        columns: how many values the last one takes; 0 makes no table.
        head: what it is called.
        facts: short words about all of them.

    Returns:
        `text/plain`, a line for each, and `text/html`.
    """
    facts = list(facts)
    is_table = 0 < columns <= _MOST_COLUMNS
    body = _table(posters, varied, labels, columns) if is_table else _row(posters)
    inner = quiet(escape_prose(head), name="anyfast-note") + body
    inner += quiet(escape_prose(" · ".join(facts))) if facts else ""
    lines = [" · ".join([head, *facts]), *(poster_line(poster) for poster in posters)]
    return {"text/plain": "\n".join(lines), "text/html": page(inner, style=True)}


def _row(posters: Sequence[Poster]) -> str:
    figures = "".join(poster_html(poster, width=_WIDTH) for poster in posters)
    return f'<div style="display:flex;flex-wrap:wrap;gap:12px">\n{figures}</div>\n'


def _table(
    posters: Sequence[Poster], varied: Sequence[str], labels: Sequence[Sequence[str]], columns: int
) -> str:
    """Rows by all that varies but the last, columns by the last."""
    heads = "".join(f"<th>{escape_prose(f'{varied[-1]}={label[-1]}')}</th>" for label in labels[:columns])
    rows = []
    for start in range(0, len(posters), columns):
        named = zip(varied[:-1], labels[start][:-1], strict=True)
        head = "<br>".join(escape_prose(f"{name}={value}") for name, value in named)
        cells = "".join(
            f"<td>{poster_html(replace(poster, title=''), width=_WIDTH)}</td>"
            for poster in posters[start : start + columns]
        )
        rows.append(f"<tr><th>{head}</th>{cells}</tr>\n")
    return f"<table>\n<tr><th></th>{heads}</tr>\n{''.join(rows)}</table>\n"
