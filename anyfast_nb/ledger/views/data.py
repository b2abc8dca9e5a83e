"""From the ledger, or a frame of it, to the plain values that charts are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

import pandas as pd

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.frames import requests as frames
from anyfast_nb.ledger.frames import totals
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.ledger.periods import period, zone
from anyfast_nb.ledger.views.shapes import Series, Span, Spread
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.ledger.rows import Names, Since

MOST_NAMES: Final = 8
MOST_JOBS: Final = 60
_MOST_DAYS: Final = 92  # beyond it bars of single days are too thin to see
_ROW_COLUMNS: Final = (
    "time", "kind", "source", "model", "status", "input_tokens", "output_tokens", "cost", "currency",
    "duration_s", "ttft_s",
)  # fmt: skip


class Filters(TypedDict, total=False):
    """What of the ledger a chart is about: as ``frame`` takes them."""

    until: Since
    kind: Names
    model: Names
    source: Names
    thread: Names
    notebook: Names
    user: Names
    path: str | Path | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a chart's figures come from.

    Attributes:
        data: a frame of rows or of totals, or the beginning of a period.
        filters: for the ledger; a frame has been narrowed by whom it belongs to.
        tz: whose days they are; None is this machine's.
        words: the period in words; "" for what was given as a frame or a time.
    """

    data: Any
    filters: Filters
    tz: str | None
    words: str = ""


def wanted(data: Any, filters: Filters, tz: str | None) -> Wanted:
    """Read what a person gave: a frame, the name of a period, a time.

    Raises:
        InputError: filters beside a frame, or a period or zone that there is not.
    """
    zone(tz)
    if isinstance(data, pd.DataFrame):
        given = [name for name, value in filters.items() if value is not None]
        if given:
            raise InputError(
                f"{given[0]} was given beside a frame", field=given[0], hint="Narrow the frame itself."
            )
        return Wanted(data, filters, tz)
    if not isinstance(data, str):
        return Wanted(data, filters, tz)
    try:
        span = period(data, tz=tz)
    except InputError:
        return Wanted(data, filters, tz)  # a time in ISO form, or what the ledger refuses
    narrowed: Filters = filters if span.until is None else {"until": span.until, **filters}
    return Wanted(span.since, narrowed, tz, span.words)


def totals_of(asked: Wanted, *, by: str) -> pd.DataFrame:
    """Totals by day or by model, of every source."""
    data = asked.data
    if isinstance(data, pd.DataFrame):
        if "requests" in data:
            _check_rows(data, (by, "source"))
            return data
        from anyfast_nb.ledger.frames import accessor  # noqa: F401  a frame has it from now on

        _check_rows(data, ("time", "source", "model"))
        return data.anyfast.by_day(tz=asked.tz) if by == "day" else data.anyfast.by_model()
    if by == "day":
        return totals.by_day(data, tz=asked.tz, **asked.filters)
    return totals.by_model(data, **asked.filters)


def rows_of(asked: Wanted) -> pd.DataFrame:
    """The requests themselves."""
    if isinstance(asked.data, pd.DataFrame):
        _check_rows(asked.data, ("source", "model", "duration_s"))
        return asked.data
    return frames.frame(asked.data, columns=_ROW_COLUMNS, **asked.filters)


def jobs_of(asked: Wanted) -> pd.DataFrame:
    """The jobs."""
    if isinstance(asked.data, pd.DataFrame):
        _check_rows(asked.data, ("time", "finished", "status", "source"))
        return asked.data
    if asked.filters.get("thread") is not None:
        raise InputError("jobs know no thread", field="thread", hint="Leave it out, or filter by notebook.")
    fitting: dict[str, Any] = {name: value for name, value in asked.filters.items() if name != "thread"}
    return frames.jobs(asked.data, **fitting)


def _check_rows(data: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in data]
    if missing:
        raise InputError(
            f"the frame has no column {missing[0]!r}", field="data", hint="Give what ledger.frame() gives."
        )


def one_source(table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The rows of one source, live before simulated before replayed: they are never added up."""
    present = {str(name) for name in table["source"].dropna().unique()}
    source = next((word.value for word in Source if word.value in present), "")
    return source, table[table["source"].astype("string") == source]


# --- days and names -----------------------------------------------------------------------


def by_day(table: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> tuple[list[date], list[Series], int]:
    """Sums for each day from the first to the last, 0 where there is nothing; of a long time by week.

    Returns:
        The days, or the Mondays of the weeks; the sums; and how many days each is.
    """
    if table.empty:
        return [], [], 1
    keys = pd.to_datetime(table["day"])
    step = 1 if (keys.max() - keys.min()).days < _MOST_DAYS else 7
    if step == 7:
        keys = keys - pd.to_timedelta(keys.dt.day_of_week, unit="D")
    days = [moment.date() for moment in pd.date_range(keys.min(), keys.max(), freq=f"{step}D")]
    series = []
    for column, name in columns:
        sums = _sums(table[column], keys.dt.date)
        series.append(Series(name, tuple(float(sums.get(day, 0.0)) for day in days)))
    return days, series, step


def by_name(table: pd.DataFrame, columns: Sequence[tuple[str, str]]) -> tuple[list[str], list[Series]]:
    """Sums for the names with the most, and for all others together."""
    if table.empty:
        return [], []
    keys = table["model"].astype("string").fillna("unknown")
    sums = pd.DataFrame({column: _sums(table[column], keys) for column, _ in columns})
    order = sums.sum(axis=1).sort_values(ascending=False, kind="stable")
    sums = sums.loc[order[order > 0].index]
    names = [str(name) for name in sums.index]
    if len(names) > MOST_NAMES:
        rest = sums.iloc[MOST_NAMES:].sum()
        names = [*names[:MOST_NAMES], f"{len(names) - MOST_NAMES:,} others"]
        sums = pd.concat([sums.iloc[:MOST_NAMES], rest.to_frame().T])
    return names, [Series(name, tuple(float(value) for value in sums[column])) for column, name in columns]


def _sums(values: pd.Series, keys: pd.Series) -> pd.Series:
    return values.astype("Float64").fillna(0).astype("float64").groupby(keys.to_numpy()).sum()


# --- durations ----------------------------------------------------------------------------


def durations(rows: pd.DataFrame) -> tuple[list[str], list[tuple[str, list[Spread | None]]]]:
    """How long the models with the most requests took, whole and to the first token."""
    known = rows[rows["duration_s"].notna() & (rows["duration_s"] > 0)]
    if known.empty:
        return [], []
    models = known["model"].astype("string").fillna("unknown")
    counts = models.value_counts()
    names = [str(name) for name in counts.index[:MOST_NAMES]]
    series = []
    for column, name in (("duration_s", "whole request"), ("ttft_s", "to the first token")):
        if column in known:
            values = known[column].astype("Float64")
            spread: list[Spread | None] = [_spread(values[models == model]) for model in names]
            if any(one is not None for one in spread):
                series.append((name, spread))
    return [f"{name} ({counts[name]:,})" for name in names], series


def _spread(values: pd.Series) -> Spread | None:
    known = values.dropna().astype("float64")
    known = known[known > 0]
    if known.empty:
        return None
    return Spread(*(float(one) for one in known.quantile([0.05, 0.25, 0.5, 0.75, 0.95])))


# --- jobs ---------------------------------------------------------------------------------


def spans(table: pd.DataFrame, *, most: int = MOST_JOBS, now: datetime | None = None) -> list[Span]:
    """The newest jobs as stretches of time, oldest first; one that has not ended reaches to now."""
    moment = datetime.now(UTC) if now is None else now
    # Of what may never have been sent nothing goes on that is known of.
    over = {status.value for status in JobStatus if status.ends} | {JobStatus.SUBMIT_UNKNOWN.value}
    made = []
    for row in table.sort_values("time", kind="stable").tail(most).to_dict("records"):
        start = row["time"].to_pydatetime()
        if pd.notna(row["finished"]):
            end = row["finished"].to_pydatetime()
        else:
            end = start if str(row["status"]) in over else max(moment, start)
        title = "" if pd.isna(row.get("title")) else str(row["title"])
        made.append(Span(start, end, str(row["status"]), f"{title or row.get('kind', '')}"))
    return made
