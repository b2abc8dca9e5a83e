"""What is read from the ledger: the columns of a frame, totals, and conditions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.ledger.rows import since_us

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyfast_nb.ledger.rows import Names, Since

MODEL = "COALESCE(model_served, model_asked)"

# What a generation used is known when its job ends, long after its request.
OUTPUT = """COALESCE(output_tokens, CASE WHEN kind IN ('seedance', 'kling')
    THEN (SELECT jobs.tokens FROM jobs WHERE jobs.request_row = requests.id) END)"""

FRAME_COLUMNS = {
    "time": "time_us",
    "kind": "kind",
    "source": "source",
    "base_url": "base_url",
    "model": MODEL,
    "status": "status",
    "title": "title",
    "input_tokens": "input_tokens",
    "cached_tokens": "cached_tokens",
    "output_tokens": OUTPUT,
    "reasoning_tokens": "reasoning_tokens",
    "duration_s": "duration_s",
    "ttft_s": "ttft_s",
    "cost": "cost_nano / 1e9",
    "currency": "currency",
    "notebook": "notebook",
    "cell": "cell",
    "thread": "thread",
    "error": "error",
}
"""The columns of ``frame()`` in their order, each with where it comes from."""

SELECT_ROWS = f"SELECT {', '.join(FRAME_COLUMNS.values())} FROM requests"  # noqa: S608

SELECT_TOTALS = f"""
    SELECT source, {MODEL}, COUNT(*), SUM(status = 'ok'),
           SUM(input_tokens IS NULL AND {OUTPUT} IS NULL),
           SUM(input_tokens), SUM(cached_tokens), SUM({OUTPUT}), SUM(reasoning_tokens)
    FROM requests
"""  # noqa: S608


def where(since: Since, by: Mapping[str, Names], *, time: str = "time_us") -> tuple[str, list[str | int]]:
    """The WHERE clause of a reading, "" for all rows, and its values.

    Args:
        since: see `since_us`.
        by: an expression of the table, and the name or names it may have; None is any.
        time: the column of the table that `since` is about.
    """
    conditions: list[str] = []
    values: list[str | int] = []
    start = since_us(since)
    if start is not None:
        conditions.append(f"{time} >= ?")
        values.append(start)
    for column, wanted in by.items():
        if wanted is not None:
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            conditions.append(f"{column} IN ({', '.join('?' * len(names))})")
            values.extend(names)
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values
