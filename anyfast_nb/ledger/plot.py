"""Charts of the ledger, in matplotlib: ``tokens``, ``cost``, ``latency``, ``jobs``, ``overview``.

Each takes a period (``"week"``, a date), the filters of ``frame``, or a frame,
and shows one source: live requests where there are any. Without ``ax`` it
gives a figure of its own that shows itself and stays in the notebook; with it
the axes, whose look, title and labels stay as they are. pyplot, its backend
and rcParams are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Unpack

import pandas as pd
from matplotlib.axes import Axes

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.periods import zone
from anyfast_nb.ledger.views import data as chart_data
from anyfast_nb.ledger.views import shapes as chart_shapes
from anyfast_nb.ledger.views.charts import (
    Chart,
    dress,
    finish,
    guest_palette,
    name_axis,
    note,
    palette_of,
    say,
    sheet,
    short,
    texts_of,
)
from anyfast_nb.ledger.views.data import Filters, Wanted
from anyfast_nb.ledger.views.palette import Palette, Theme
from anyfast_nb.wire.text import counted

__all__ = ["cost", "jobs", "latency", "overview", "tokens"]


def __dir__() -> list[str]:
    return sorted(__all__)  # what completion offers


By = Literal["day", "model"]
_BYS: Final = ("day", "model")
_WIDTH: Final = 7.6
_HEIGHT: Final = 3.0
_PANEL_HEIGHT: Final = 2.7
_PANEL_JOBS: Final = 12
_TOKENS: Final = (("input_tokens", "in"), ("output_tokens", "out"))


def tokens(
    data: Any = None,
    *,
    by: By = "day",
    theme: Theme = "auto",
    ax: Axes | None = None,
    tz: str | None = None,
    **filters: Unpack[Filters],
) -> Chart | Axes:
    """Tokens in and out, by day or by model.

    Args:
        data: a period such as ``week``, ``24h`` or ``2026-11-01``, a time, a frame of requests, or totals
            as ``by_day`` and ``by_model`` give them; by default everything.
        by: day, or model (the eight with the most, and all others together).
        theme: light, dark, or auto: no background, and colours that read on both.
        ax: axes to draw on; they keep their look, and their title if they have one.
        tz: whose days they are, such as ``Asia/Shanghai``; by default this machine's.
        filters: until, kind, model, source, thread, notebook, user, path, as in ``frame``.

    Returns:
        A figure that shows itself, or ``ax``.

    Raises:
        InputError: a theme, period, zone or word of `by` that there is not.
        LedgerError: the ledger cannot be read.

    Example:
        >>> type(tokens("all", by="model")).__name__
        'Chart'
    """
    asked = _asked(data, by, filters, tz)
    return _drawn(lambda axes, palette: _tokens(axes, palette, asked, by), theme, ax)


def cost(
    data: Any = None,
    *,
    by: By = "day",
    currency: str | None = None,
    theme: Theme = "auto",
    ax: Axes | None = None,
    tz: str | None = None,
    **filters: Unpack[Filters],
) -> Chart | Axes:
    """What it cost, by day or by model, in one currency; only live requests cost money.

    Args:
        data: as in `tokens`.
        by: day or model.
        currency: which one; by default that of the most requests.
        theme: as in `tokens`.
        ax: axes to draw on.
        tz: whose days they are.
        filters: as in `tokens`.

    Returns:
        A figure that shows itself, or ``ax``. Requests without a price are counted, not guessed.

    Raises:
        InputError: a theme, period, zone or word of `by` that there is not.
        LedgerError: the ledger cannot be read.
    """
    asked = _asked(data, by, filters, tz)
    return _drawn(lambda axes, palette: _cost(axes, palette, asked, by, currency), theme, ax)


def latency(
    data: Any = None,
    *,
    theme: Theme = "auto",
    ax: Axes | None = None,
    **filters: Unpack[Filters],
) -> Chart | Axes:
    """How long requests took by model, whole and to the first token, on a logarithmic axis.

    Args:
        data: as in `tokens`, but no totals.
        theme: as in `tokens`.
        ax: axes to draw on.
        filters: as in `tokens`.

    Returns:
        A figure that shows itself, or ``ax``: for each of the eight models with the most requests a mark
        at the median, a thick line for the middle half, a thin one from the 5th to the 95th in a hundred.

    Raises:
        InputError: a theme or period that there is not.
        LedgerError: the ledger cannot be read.
    """
    asked = chart_data.wanted(data, filters, None)
    return _drawn(lambda axes, palette: _latency(axes, palette, asked), theme, ax)


def jobs(
    data: Any = None,
    *,
    theme: Theme = "auto",
    ax: Axes | None = None,
    tz: str | None = None,
    **filters: Unpack[Filters],
) -> Chart | Axes:
    """The newest jobs on a line of time, from submission to end, with how they ended.

    Args:
        data: a period or time, or a frame as ``ledger.jobs()`` gives it.
        theme: as in `tokens`.
        ax: axes to draw on.
        tz: whose time the axis shows.
        filters: as in `tokens`; jobs know no thread.

    Returns:
        A figure that shows itself, or ``ax``. What has not ended reaches to now.

    Raises:
        InputError: a theme, period or zone that there is not.
        LedgerError: the ledger cannot be read.
    """
    asked = chart_data.wanted(data, filters, tz)
    table = chart_data.jobs_of(asked)
    shown = min(len(chart_data.one_source(table)[1]), chart_data.MOST_JOBS)
    height = min(max(1.4 + 0.26 * shown, 2.2), 7.0)
    return _drawn(lambda axes, palette: _jobs(axes, palette, asked, table), theme, ax, height=height)


def overview(
    data: Any = None,
    *,
    theme: Theme = "auto",
    tz: str | None = None,
    **filters: Unpack[Filters],
) -> Chart:
    """Tokens and cost by day and by model, how long requests took, and the jobs, in small charts.

    Args:
        data: a period such as ``week``, or a time; by default everything.
        theme: as in `tokens`.
        tz: whose days they are.
        filters: as in `tokens`.

    Returns:
        A figure that shows itself. Without any cost its charts are left out, and so are jobs.

    Raises:
        InputError: a theme, period or zone that there is not, or a frame: it has not all of this.
        LedgerError: the ledger cannot be read.
    """
    if isinstance(data, pd.DataFrame):
        raise InputError(
            "an overview needs the ledger", field="data", hint="plot.tokens(frame) draws a frame."
        )
    asked = chart_data.wanted(data, filters, tz)
    palette = palette_of(theme)
    rows = _panels(asked)
    figure = sheet(palette, width=_WIDTH, height=_PANEL_HEIGHT * len(rows))
    # Each row is a figure of its own: long names in one leave the others their width.
    strips = figure.subfigures(len(rows), 1, squeeze=False, facecolor="none")[:, 0]
    says = []
    for strip, row in zip(strips, rows, strict=True):
        places = strip.subplots(1, len(row), squeeze=False)[0]
        says += [draw(axes, palette) for axes, draw in zip(places, row, strict=True)]
    figure.says = " ".join(says)
    finish(figure)
    return figure


Draw = Callable[[Axes, Palette], str]


def _panels(asked: Wanted) -> list[list[Draw]]:
    """The small charts, in rows of one or two."""
    days, models = (chart_data.totals_of(asked, by=by) for by in _BYS)
    both = ((days, "day"), (models, "model"))
    made = [[_of_totals(_tokens, asked, table, by) for table, by in both]]
    if not _priced(days).empty:
        made.append([_of_totals(_cost, asked, table, by) for table, by in both])
    made.append([lambda axes, palette: _latency(axes, palette, asked)])
    if asked.filters.get("thread") is not None:
        return made  # jobs know none
    table = chart_data.jobs_of(asked)
    if not table.empty:
        made.append([lambda axes, palette: _jobs(axes, palette, asked, table, most=_PANEL_JOBS)])
    return made


def _of_totals(draw: Callable[..., str], asked: Wanted, table: pd.DataFrame, by: str) -> Draw:
    again = Wanted(table, {}, asked.tz)
    return lambda axes, palette: draw(axes, palette, again, by, noted=False)


def _asked(data: Any, by: str, filters: Filters, tz: str | None) -> Wanted:
    if by not in _BYS:
        raise InputError(f"by={by!r} is nothing to draw by", field="by", hint="Write by='day' or by='model'.")
    return chart_data.wanted(data, filters, tz)


def _drawn(draw: Draw, theme: str, axes: Axes | None, *, height: float = _HEIGHT) -> Chart | Axes:
    """Draw on a figure of its own, or on axes that somebody brought."""
    if axes is not None:
        theirs = texts_of(axes)
        draw(axes, guest_palette(theme))
        finish(axes, theirs=theirs)
        return axes
    palette = palette_of(theme)
    figure = sheet(palette, width=_WIDTH, height=height)
    figure.says = draw(figure.add_subplot(), palette)
    finish(figure)
    return figure


# --- each of them -------------------------------------------------------------------------


def _tokens(axes: Axes, palette: Palette, asked: Wanted, by: str, *, noted: bool = True) -> str:
    source, table = chart_data.one_source(chart_data.totals_of(asked, by=by))
    title = _title(f"Tokens by {by}", source)
    unknown = int(table["without_usage"].sum())
    left_out = _left_out(unknown, "without known usage")
    made = _Bars(title, _TOKENS, "tokens", left_out, noted)
    return _bars(axes, palette, table, by, made)


def _cost(
    axes: Axes, palette: Palette, asked: Wanted, by: str, currency: str | None = None, *, noted: bool = True
) -> str:
    table = chart_data.totals_of(asked, by=by)
    priced, live = _priced(table), table[table["source"] == "live"]
    counts = priced.groupby(priced["currency"].astype("string"))["requests"].sum()
    chosen = currency or ("" if counts.empty else str(counts.idxmax()))
    own = priced[priced["currency"].astype("string") == chosen]
    others = sorted(set(map(str, counts.index)) - {chosen})
    unpriced = int(live["without_price"].sum())
    told = [_left_out(unpriced, "without a price")] if unpriced else []
    told += [f"Not in it: {', '.join(others)}."] if others else []
    title = _title(f"Cost by {by}", chosen)
    made = _Bars(title, (("cost", chosen or "cost"),), chosen, " ".join(told), noted)
    return _bars(axes, palette, own, by, made)


def _priced(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["source"] == "live") & table["cost"].notna() & table["currency"].notna()]


@dataclass(frozen=True, slots=True)
class _Bars:
    """What bars are about: the columns with what they are called, their unit, what is not in them."""

    title: str
    columns: tuple[tuple[str, str], ...]
    unit: str
    left_out: str
    noted: bool


def _bars(axes: Axes, palette: Palette, table: pd.DataFrame, by: str, made: _Bars) -> str:
    title, step = made.title, 1
    if by == "day":
        days, series, step = chart_data.by_day(table, made.columns)
        title = title if step == 1 else title.replace("by day", "by week")
    else:
        names, series = chart_data.by_name(table, made.columns)
    explained = len(made.columns) > 1
    dress(axes, palette, title=title, grid="y" if by == "day" else "x", explained=explained)
    sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    if not any(sums):
        say(axes, palette, "nothing here yet")
        return f"{title}: nothing. {made.left_out}".rstrip()
    if by == "day":
        chart_shapes.bars_by_day(axes, palette, days, series, step=step)
        name_axis(axes, palette, y=made.unit)
        most = max(range(len(sums)), key=sums.__getitem__)
        when = "on" if step == 1 else "in the week from"
        span = f"{days[0]} to {days[-1]}, most {when} {days[most]} ({short(sums[most])})"
    else:
        chart_shapes.bars_by_name(axes, palette, names, series)
        name_axis(axes, palette, x=made.unit)
        span = f"most for {names[0]} ({short(sums[0])})"
    if made.left_out and made.noted:
        note(axes, palette, made.left_out)
    said = f"{title}: {short(sum(sums))} {made.unit} in all, {span}."
    return f"{said} {made.left_out}".rstrip()


def _latency(axes: Axes, palette: Palette, asked: Wanted) -> str:
    source, rows = chart_data.one_source(chart_data.rows_of(asked))
    names, series = chart_data.durations(rows)
    title = _title("Time of a request by model", source)
    dress(axes, palette, title=title, grid="x")
    if not series:
        say(axes, palette, "nothing here yet")
        return f"{title}: nothing."
    chart_shapes.spreads(axes, palette, names, series)
    name_axis(axes, palette, x="seconds, logarithmic")
    told = [
        f"{name} {'; '.join(f'{of} {one.p50:.2g} s' for of, one in zip(names, values, strict=True) if one)}"
        for name, values in series
    ]
    return f"{title}, median: {', '.join(told)}."


def _jobs(
    axes: Axes, palette: Palette, asked: Wanted, table: pd.DataFrame, *, most: int = chart_data.MOST_JOBS
) -> str:
    source, own = chart_data.one_source(table)
    where = zone(asked.tz)
    spans = chart_data.spans(own, most=most)
    left = len(own) - len(spans)
    title = _title("Jobs", source, f"the newest {len(spans)} of {len(own):,}" if left else "")
    dress(axes, palette, title=title, grid="x")
    if not spans:
        say(axes, palette, "nothing here yet")
        return f"{title}: none."
    chart_shapes.timeline(axes, palette, spans, zone=where)
    name_axis(axes, palette, x=f"from submission to end, {asked.tz or 'local time'}")
    counts = own["status"].astype("string").value_counts()
    return f"{title}: {', '.join(f'{count:,} {status}' for status, count in counts.items() if count)}."


def _left_out(count: int, what: str) -> str:
    return f"{counted(count, 'request')} {what} {'is' if count == 1 else 'are'} not in it." if count else ""


def _title(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
