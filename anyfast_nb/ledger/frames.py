"""The ledger as pandas frames. pandas is imported inside the functions: a request never waits for it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyfast_nb.ledger.queries import FRAME_COLUMNS
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import Source, Status

if TYPE_CHECKING:
    import pandas as pd

    from anyfast_nb.ledger.rows import Names, Since

# Known values come first in a category, so that the dtype is the same for every
# frame; a later version's value is added behind.
_FIXED = {"source": [word.value for word in Source], "status": [word.value for word in Status]}
_CATEGORIES = frozenset({"kind", "source", "model", "status", "currency", "notebook", "thread"})
_INTEGERS = frozenset({"input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"})
_FLOATS = frozenset({"duration_s", "ttft_s", "cost"})


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
        status: ok, error, interrupted, truncated, unfinished.
        source: live, simulated, replayed. Do not add them up together.
        thread: names of conversations.
        notebook: paths of notebooks.
        path: another ledger file; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Returns:
        ``time`` (datetime64[us, UTC]); ``kind source model status currency notebook thread``
        (category); ``input_tokens cached_tokens output_tokens reasoning_tokens`` (Int64);
        ``duration_s ttft_s cost`` (Float64); ``base_url title cell error`` (string). What is
        unknown is NA, never 0. A request that has not ended is ``unfinished``.

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


def _typed(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    by_column = zip(*rows, strict=True) if rows else ((),) * len(FRAME_COLUMNS)
    columns = {
        name: _column(name, list(values)) for name, values in zip(FRAME_COLUMNS, by_column, strict=True)
    }
    return pd.DataFrame(columns)


def _column(name: str, values: list[Any]) -> Any:
    import numpy as np
    import pandas as pd

    if name == "time":
        moments = np.array(values, dtype="int64").view("datetime64[us]")
        return pd.DatetimeIndex(moments).tz_localize("UTC")
    if name in _INTEGERS:
        return pd.array(values, dtype="Int64")
    if name in _FLOATS:
        return pd.array(values, dtype="Float64")
    if name in _CATEGORIES:
        fixed = _FIXED.get(name, [])
        return pd.Categorical(values, categories=fixed + sorted({*values} - {None, *fixed}))
    return pd.array(values, dtype="string")
