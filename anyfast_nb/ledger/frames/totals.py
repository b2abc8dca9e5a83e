"""What requests add up to: by model, day, notebook, user, thread and kind. The database does the sums."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.frames.choice import Choice
from anyfast_nb.ledger.frames.columns import REQUEST_FIELDS
from anyfast_nb.ledger.frames.handed_in import opened
from anyfast_nb.ledger.periods import zone

if TYPE_CHECKING:
    import pandas as pd

    from anyfast_nb.ledger.frames.folding import Part
    from anyfast_nb.ledger.rows import Names, Since

QUARTER_US: Final = 900_000_000
"""A quarter of an hour: zones are whole quarters away from UTC, so days of any zone are made of them."""


def by_model(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each model was used for.

    Args:
        since: ``today``, ``yesterday``, ``week`` (from Monday), ``month``, ``24h``, ``7d``, a time, a day,
            a time span back from now, or ISO text; without a zone it is local.
        until: the end, said in the same ways; it is not part of the period.
        kind: chat, responses, seedream, seedance, kling, asset; one name or several, as in all that follow.
        model: the model that served, or was asked for where none answered.
        status: ok, error, interrupted, truncated, submit_unknown, unfinished.
        source: live, simulated, replayed.
        thread: names of conversations.
        notebook: paths of notebooks.
        user: names of users.
        source_files: ledgers that were handed in, as in `frames.frame`.
        path: another ledger, a file or a URL; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        A line for each model, source and currency: live first, and the most used model. ``model source``
        (category); ``requests errors input_tokens cached_tokens output_tokens reasoning_tokens images``
        (Int64); ``video_s cost`` (Float64); ``currency`` (category); ``without_usage without_price``
        (Int64). Costs of two currencies are never added up. A sum is of what is known, and NA where
        nothing is. ``without_usage`` counts requests of which nothing is known to be used, neither
        tokens nor pictures nor film, ``without_price`` those whose cost is unknown: so "12 requests
        without a price" is ``table["without_price"].sum()``. A request that was surely not billed, and
        the keeping of assets, which has no price, count in neither. Requests without a cost stand in the
        line of the currency that the others of that model and source have, if it is only one.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: ``since`` is no date or time, or no file fits the patterns.

    Example:
        >>> table = by_model("week", source="live")
        >>> list(table.columns[:4])
        ['model', 'source', 'requests', 'errors']
        >>> int(table["without_price"].sum())
        0
    """
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("model", choice, source_files, path)


def by_day(  # noqa: D417  the others are those of by_model
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    tz: str | tzinfo | None = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each day was used for; days on which nothing was sent have no line.

    What is not said here is as in `by_model`.

    Args:
        tz: whose days: an IANA name such as ``Asia/Shanghai``; by default this machine's zone. A day has
            23 or 25 hours where the clock is changed.

    Returns:
        As `by_model`, with ``day`` (datetime64[us], its midnight, without a zone) as the first column,
        the earliest day first.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: there is no such zone; and as in `by_model`.

    Example:
        >>> table = by_day("month", tz="Asia/Shanghai")
        >>> str(table.dtypes["day"])
        'datetime64[us]'
    """
    days = day_of(tz)
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("day", choice, source_files, path, turned=days)


def by_notebook(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each notebook used.

    The arguments are those of `by_model`.

    Returns:
        As `by_model`, with ``notebook`` (category) as the first column.
        ``notebook`` is NA for what was sent from elsewhere.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: as in `by_model`.

    Example:
        >>> by_notebook("today").columns[0]
        'notebook'
    """
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("notebook", choice, source_files, path)


def by_user(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each user used.

    The arguments are those of `by_model`.

    Returns:
        As `by_model`, with ``user`` (category) as the first column.
        ``user`` is NA where nobody said who it was.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: as in `by_model`.

    Example:
        >>> by_user("today").columns[0]
        'user'
    """
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("user", choice, source_files, path)


def by_thread(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each conversation used.

    The arguments are those of `by_model`.

    Returns:
        As `by_model`, with ``thread`` (category) as the first column.
        ``thread`` is NA for what was sent outside of one.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: as in `by_model`.

    Example:
        >>> by_thread("today").columns[0]
        'thread'
    """
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("thread", choice, source_files, path)


def by_kind(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """What each kind of request used: chat, responses, seedream, seedance, kling, asset.

    The arguments are those of `by_model`.

    Returns:
        As `by_model`, with ``kind`` (category) as the first column.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: as in `by_model`.

    Example:
        >>> by_kind("today").columns[0]
        'kind'
    """
    choice = _choice(since, until, kind, model, status, source, thread, notebook, user)
    return _totals("kind", choice, source_files, path)


def day_of(tz: str | tzinfo | None) -> Callable[[int], Any]:
    """What turns a quarter of an hour, counted from 1970 in UTC, into its calendar day in a zone.

    Args:
        tz: an IANA name; None is this machine's own zone.

    Raises:
        InputError: there is no such zone.
    """
    from anyfast_nb.ledger.frames.folding import calendar

    return calendar(tz if isinstance(tz, tzinfo) else zone(tz))


# --- details ------------------------------------------------------------------------------------


def _choice(since: Since, until: Since, *names: Names) -> Choice:
    told = ("kind", "model", "status", "source", "thread", "notebook", "user")
    return Choice(since, until, dict(zip(told, names, strict=True)))


def _totals(
    key: str,
    choice: Choice,
    source_files: str | Path | Iterable[str | Path] | None,
    path: str | Path | None,
    *,
    turned: Callable[[Any], Any] | None = None,
) -> pd.DataFrame:
    from anyfast_nb.ledger.frames.folding import totals_of

    told: list[str] = []
    with opened(path, source_files, warn=told.append) as ledger, ledger.reading() as connection:
        parts = [_part(row) for row in connection.execute(_statement(key, choice))]
    for text in told:
        warnings.warn(text, stacklevel=3)
    return totals_of(parts, key=key, turned=turned)


def _part(row: Any) -> Part:
    from anyfast_nb.ledger.frames.folding import FIGURES, Part

    key, source, currency, *figures = row
    return Part(key, source, currency, dict(zip(FIGURES, figures, strict=True)))


def _statement(key: str, choice: Choice) -> Any:
    row = REQUESTS.c
    of = row.time_us // QUARTER_US if key == "day" else REQUEST_FIELDS[key].of
    counted = and_(row.kind != "asset", or_(row.billed.is_(None), row.billed != "no"))
    used = (row.input_tokens, row.output_tokens, row.images, row.video_s)
    figures = (
        func.count(),
        _how_many(row.status == "error"),
        *(func.sum(row[name]) for name in (
            "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images", "video_s",
            "cost_nano",
        )),
        _how_many(and_(counted, *(column.is_(None) for column in used))),
        _how_many(and_(counted, row.cost_nano.is_(None))),
    )  # fmt: skip
    by = (of.label("key"), row.source, row.currency)
    return choice.of_requests(select(*by, *figures)).group_by("key", row.source, row.currency)


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))
