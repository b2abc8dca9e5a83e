"""What is chosen of a table, and rows of it, in the words of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anyfast_nb.ledger.rows import since_us

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from anyfast_nb.ledger.rows import Names, Since


def chosen(since: Since, by: Mapping[Any, Names], *, time: ColumnElement[int]) -> list[ColumnElement[bool]]:
    """The conditions of a reading.

    Args:
        since: see `rows.since_us`.
        by: a column, and the name or names it may have; None is any.
        time: the column that `since` is about.
    """
    start = since_us(since)
    conditions: list[ColumnElement[bool]] = [] if start is None else [time >= start]
    for column, wanted in by.items():
        if wanted is not None:
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            conditions.append(column.in_([str(name) for name in names]))
    return conditions
