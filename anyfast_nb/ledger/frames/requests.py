"""The ledger as pandas frames. pandas is imported inside the functions: a request never waits for it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import select

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.tables import JOBS, REQUESTS
from anyfast_nb.ledger.frames.choice import Choice
from anyfast_nb.ledger.frames.columns import FILE, JOB_FIELDS, chosen
from anyfast_nb.ledger.frames.handed_in import opened
from anyfast_nb.ledger.frames.scan import scan

if TYPE_CHECKING:
    import pandas as pd

    from anyfast_nb.ledger.rows import Names, Since

_FEW: Final = 10_000
_MOST: Final = 2**63 - 1  # as far as a database counts


def frame(
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
    columns: Literal["narrow", "all"] | Sequence[str] = "narrow",
    limit: int | None = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """The requests, one row each, oldest first.

    Args:
        since: ``today``, ``yesterday``, ``week`` (from Monday), ``month``, ``24h``, ``7d``, a time, a day,
            a time span back from now, or ISO text; without a zone it is local.
        until: the end, said in the same ways; it is not part of the period.
        kind: chat, responses, seedream, seedance, kling, asset; one name or several, as in all that follow.
        model: the model that served, or was asked for where none answered.
        status: ok, error, interrupted, truncated, submit_unknown, unfinished.
        source: live, simulated, replayed. Do not add them up together.
        thread: names of conversations.
        notebook: paths of notebooks.
        user: names of users.
        columns: ``narrow`` is what a person looks at, ``all`` is everything; or names, in the order wanted.
        limit: only the newest so many.
        source_files: ledgers that were handed in, as paths or patterns such as ``hand-in/*/ledger.db``
            (``**`` for any depth), instead of one's own. They are read and never changed; a request that
            is in two of them is one row.
        path: another ledger, a file or a URL; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        Narrow: ``time`` (datetime64[us, UTC]); ``kind source model status`` (category); ``title``
        (string); ``input_tokens output_tokens`` (Int64); ``cost`` (Float64) and its ``currency``
        (category); ``duration_s`` (Float64); ``thread notebook user`` (category).

        All, in this order: ``time``; ``kind source model status`` (category); ``title`` (string);
        ``input_tokens cached_tokens output_tokens reasoning_tokens images`` (Int64); ``video_s cost``
        (Float64); ``currency`` (category); ``cost_nano`` (Int64: the cost in billionths, exactly);
        ``price_version billed`` (category); ``duration_s ttft_s`` (Float64); ``thread notebook``
        (category); ``cell`` (string); ``user session`` (category); ``job task_id request_id`` (string);
        ``attempts`` (Int64); ``request_hash`` (string); ``error_class`` (category); ``error`` (string);
        ``base_url model_asked model_served`` (category); ``id`` (string).

        With ``source_files`` also ``file`` (category), the last. What is unknown is NA, never 0. Input
        includes cached tokens, output includes reasoning. A request that has not ended is
        ``unfinished``; a generation whose answer was lost is ``submit_unknown``: it may be billed.
        The frame has an accessor, ``.anyfast``: totals and export.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: ``since`` is no date or time, there is no such column, or no file fits the patterns.

    Example:
        >>> table = frame("2026-11-01", until="today", source="live")
        >>> list(table.columns[:5])
        ['time', 'kind', 'source', 'model', 'status']
        >>> frame("7d", columns=["time", "cost", "cost_nano"]).dtypes.astype(str).to_list()
        ['datetime64[us, UTC]', 'Float64', 'Int64']
    """
    fields = chosen(columns)
    if source_files is not None:
        fields.append(FILE)
    choice = Choice(since, until, {
        "kind": kind, "model": model, "status": status, "source": source, "thread": thread,
        "notebook": notebook, "user": user,
    })  # fmt: skip
    told: list[str] = []
    row = REQUESTS.c
    statement = choice.of_requests(select(*(field.of.label(field.name) for field in fields)))
    if limit is not None:
        if limit < 1:
            raise InputError(
                f"limit={limit!r} asks for no row.", field="limit", hint="Give 1 or more, or None."
            )
        newest = choice.of_requests(select(row.id)).order_by(row.time_us.desc(), row.id.desc())
        newest = newest.limit(min(limit, _MOST))
        statement = select(*(field.of.label(field.name) for field in fields)).where(row.id.in_(newest))
    with opened(path, source_files, warn=told.append) as ledger:
        found = scan(
            ledger, statement.order_by(row.time_us, row.id), fields, few=limit is not None and limit <= _FEW
        )
    for text in told:
        warnings.warn(text, stacklevel=2)
    from anyfast_nb.ledger.frames import accessor  # noqa: F401  from now on a frame has it

    return found


def jobs(
    since: Since = None,
    *,
    until: Since = None,
    kind: Names = None,
    status: Names = None,
    source: Names = None,
    model: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """The generation jobs, one row each, oldest first.

    Args:
        since: ``today``, ``yesterday``, ``week`` (from Monday), ``month``, ``24h``, ``7d``, a time, a day,
            a time span back from now, or ISO text; without a zone it is local.
        until: the end, said in the same ways; it is not part of the period.
        kind: seedance, kling; one name or several, as in all that follow.
        status: submitting, submit_unknown, queued, running, unknown, succeeded, failed, cancelled, expired.
        source: live, simulated, replayed. Do not add them up together.
        model: as asked for.
        notebook: paths of notebooks.
        user: names of users.
        source_files: ledgers that were handed in, as in `frame`.
        path: another ledger, a file or a URL; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        ``time finished`` (datetime64[us, UTC], the first and the last column); ``kind source model mode
        status notebook user`` (category); ``progress tokens`` (Int64); ``video_s duration_s`` (Float64:
        of the film, and from submission to the end); ``title error_code error path last_frame_path
        task_id id request_hash base_url cell`` (string). What is unknown is NA.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: ``since`` is no date or time, or no file fits the patterns.

    Example:
        >>> table = jobs(status=["queued", "running"])
        >>> list(table.columns[:4])
        ['time', 'kind', 'source', 'model']
    """
    fields = [*JOB_FIELDS.values(), *([] if source_files is None else [FILE])]
    choice = Choice(since, until, {
        "kind": kind, "status": status, "source": source, "model": model, "notebook": notebook, "user": user,
    })  # fmt: skip
    told: list[str] = []
    statement = choice.of_jobs(select(*(field.of.label(field.name) for field in fields)))
    with opened(path, source_files, warn=told.append) as ledger:
        # Jobs are few.
        found = scan(ledger, statement.order_by(JOBS.c.created_us, JOBS.c.id), fields, few=True)
    for text in told:
        warnings.warn(text, stacklevel=2)
    return found
