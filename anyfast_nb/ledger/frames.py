"""The ledger as pandas frames. pandas is imported inside the functions: a request never waits for it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.ledger.queries import FRAME_COLUMNS
from anyfast_nb.ledger.rows import microseconds
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import Source, Status

if TYPE_CHECKING:
    import pandas as pd

    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.ledger.rows import Names, Since

# Known values come first in a category, so that the dtype is the same for every
# frame; a later version's value is added behind.
_FIXED = {"source": [word.value for word in Source], "status": [word.value for word in Status]}
_CATEGORIES = frozenset({"kind", "source", "model", "mode", "status", "currency", "notebook", "thread"})
_INTEGERS = frozenset(
    {"input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "tokens", "progress"}
)
_FLOATS = frozenset({"duration_s", "ttft_s", "cost", "video_s"})
_TIMES = frozenset({"time", "finished"})


def frame(
    since: Since = None,
    *,
    model: Names = None,
    status: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """The requests, one row each, oldest first.

    Args:
        since: a time, a day, a time span back from now, or ISO text; without a zone it is local.
        model: one name or several; the model that served, or was asked for where none answered.
        status: ok, error, interrupted, truncated, submit_unknown, unfinished.
        source: live, simulated, replayed. Do not add them up together.
        thread: names of conversations.
        notebook: paths of notebooks.
        path: another ledger file; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        ``time`` (datetime64[us, UTC]); ``kind source model status currency notebook thread``
        (category); ``input_tokens cached_tokens output_tokens reasoning_tokens`` (Int64);
        ``duration_s ttft_s cost`` (Float64); ``base_url title cell error`` (string). What is
        unknown is NA, never 0. A request that has not ended is ``unfinished``; a generation whose
        answer was lost is ``submit_unknown``: it may be billed.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: ``since`` is no date or time.

    Example:
        >>> table = frame(since="2026-11-01", source="live")
        >>> list(table.columns[:4])
        ['time', 'kind', 'source', 'base_url']
    """
    told: list[str] = []
    with Ledger(path, warn=told.append) as ledger:
        rows = ledger.rows(
            since=since, model=model, status=status, source=source, thread=thread, notebook=notebook
        )
    for text in told:
        warnings.warn(text, stacklevel=2)
    return _typed(rows)


def jobs(
    since: Since = None,
    *,
    kind: Names = None,
    status: Names = None,
    source: Names = None,
    model: Names = None,
    notebook: Names = None,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """The generation jobs, one row each, oldest first.

    Args:
        since: a time, a day, a time span back from now, or ISO text; without a zone it is local.
        kind: seedance, kling; one name or several.
        status: submitting, submit_unknown, queued, running, unknown, succeeded, failed, cancelled, expired.
        source: live, simulated, replayed. Do not add them up together.
        model: as asked for.
        notebook: paths of notebooks.
        path: another ledger file; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        ``time finished`` (datetime64[us, UTC]); ``kind source model mode status notebook``
        (category); ``progress tokens`` (Int64); ``video_s duration_s`` (Float64: of the film, and
        from submission to the end); ``title error_code error path last_frame_path task_id id
        request_hash base_url cell`` (string). What is unknown is NA.

    Raises:
        LedgerError: the ledger cannot be read.
        InputError: ``since`` is no date or time.

    Example:
        >>> table = jobs(status=["queued", "running"])
        >>> list(table.columns[:4])
        ['time', 'kind', 'source', 'model']
    """
    told: list[str] = []
    with Ledger(path, warn=told.append) as ledger:
        found = ledger.jobs(
            since=since, kind=kind, status=status, source=source, model=model, notebook=notebook
        )
    for text in told:
        warnings.warn(text, stacklevel=2)
    return _table(list(_JOB_COLUMNS), [_job_values(row) for row in found], fixed=_FIXED_OF_JOBS)


_JOB_COLUMNS = (
    "time", "kind", "source", "model", "mode", "status", "progress", "title", "tokens", "video_s",
    "duration_s", "error_code", "error", "path", "last_frame_path", "task_id", "id", "request_hash",
    "base_url", "notebook", "cell", "finished",
)  # fmt: skip
_FIXED_OF_JOBS = _FIXED | {"status": [word.value for word in JobStatus], "kind": ["seedance", "kling"]}


def _job_values(row: JobRow) -> tuple[Any, ...]:
    took = None if row.finished_at is None else (row.finished_at - row.created_at).total_seconds()
    own: dict[str, Any] = {
        "time": microseconds(row.created_at),
        "finished": None if row.finished_at is None else microseconds(row.finished_at),
        "source": row.source.value,
        "status": row.status.value,
        "duration_s": took,
    }
    values = (own[name] if name in own else getattr(row, name) for name in _JOB_COLUMNS)
    return tuple(None if value == "" else value for value in values)


def _typed(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return _table(list(FRAME_COLUMNS), rows, fixed=_FIXED)


def _table(names: list[str], rows: list[tuple[Any, ...]], *, fixed: Mapping[str, list[str]]) -> pd.DataFrame:
    import pandas as pd

    by_column = zip(*rows, strict=True) if rows else ((),) * len(names)
    columns = {
        name: _column(name, list(values), fixed.get(name, []))
        for name, values in zip(names, by_column, strict=True)
    }
    return pd.DataFrame(columns)


def _column(name: str, values: list[Any], fixed: list[str]) -> Any:
    import numpy as np
    import pandas as pd

    if name in _TIMES:
        unknown = np.iinfo("int64").min  # what numpy calls no time
        moments = np.array([unknown if value is None else value for value in values], dtype="int64")
        return pd.DatetimeIndex(moments.view("datetime64[us]")).tz_localize("UTC")
    if name in _INTEGERS:
        return pd.array(values, dtype="Int64")
    if name in _FLOATS:
        return pd.array(values, dtype="Float64")
    if name in _CATEGORIES:
        return pd.Categorical(values, categories=fixed + sorted({*values} - {None, *fixed}))
    return pd.array(values, dtype="string")
