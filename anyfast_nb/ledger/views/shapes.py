"""The four shapes of the ledger's charts: bars by day, bars by name, spreads, a timeline.

Each takes plain values and axes. Series differ by colour and by hatch or marker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from matplotlib import dates
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from anyfast_nb.ledger.views.charts import SMALL, label, label_chars, legend, short
from anyfast_nb.ledger.views.palette import HATCHES, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

mdates: Any = dates  # it has no types
_LEAST_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Series:
    """Figures of one kind, one for each day or name."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """How some durations are spread, in seconds: the 5th, 25th, 50th, 75th and 95th in a hundred."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


@dataclass(frozen=True, slots=True)
class Span:
    """One job: when it was submitted, when it ended, and how."""

    start: datetime
    end: datetime
    status: str
    name: str


def bars_by_day(
    axes: Axes, palette: Palette, days: Sequence[date], series: Sequence[Series], *, step: int = 1
) -> None:
    """Stacked bars, one for each day, or each week where ``step`` is 7; empty ones keep their place."""
    at = [float(mdates.date2num(day)) for day in days]
    base = [0.0] * len(days)
    for number, one in enumerate(series):
        axes.bar(at, one.values, width=0.8 * step, bottom=base, **_fill(palette, number, one.name))
        base = [low + value for low, value in zip(base, one.values, strict=True)]
    spare = max(_LEAST_DAYS - (at[-1] - at[0] + 1), 0) / 2
    _reach(axes.xaxis, at[0] - 0.6 * step - spare, at[-1] + 0.6 * step + spare)
    _reach(axes.yaxis, 0, max(*base, 1e-9) * 1.08)
    locator = mdates.AutoDateLocator(minticks=2, maxticks=7)
    locator.intervald[mdates.HOURLY] = [24]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    _quieten(axes.xaxis, palette)
    _figures(axes.yaxis)
    if len(series) > 1:
        legend(axes, palette)


def bars_by_name(axes: Axes, palette: Palette, names: Sequence[str], series: Sequence[Series]) -> None:
    """Stacked bars from left to right, the first name on top, each with its sum."""
    at = list(range(len(names)))[::-1]
    base = [0.0] * len(names)
    for number, one in enumerate(series):
        axes.barh(at, one.values, height=0.62, left=base, **_fill(palette, number, one.name))
        base = [low + value for low, value in zip(base, one.values, strict=True)]
    most = max(*base, 1e-9)
    for place, total in zip(at, base, strict=True):
        axes.text(total + most * 0.015, place, short(total), va="center", color=palette.ink, fontsize=SMALL)
    _rows(axes, palette, names, at)
    _reach(axes.xaxis, 0, most * 1.16)
    _figures(axes.xaxis)
    if len(series) > 1:
        legend(axes, palette)


def spreads(
    axes: Axes, palette: Palette, names: Sequence[str], series: Sequence[tuple[str, Sequence[Spread | None]]]
) -> None:
    """For each name and series a thin line, a thick one for its middle half, and a mark at the median."""
    at = list(range(len(names)))[::-1]
    marks, handles = ("o", "D"), []
    for number, (name, values) in enumerate(series):
        colour, mark = palette.series[number], marks[number % len(marks)]
        shift = 0.0 if len(series) == 1 else 0.17 - 0.34 * number
        for place, spread in zip(at, values, strict=True):
            if spread is None:
                continue
            row = [place + shift] * 2
            axes.plot([spread.p5, spread.p95], row, color=colour, linewidth=1.2, linestyle="-")
            axes.plot([spread.p25, spread.p75], row, color=colour, linewidth=5, solid_capstyle="butt")
            axes.plot(spread.p50, row[0], mark, **_ring(colour))
        handles.append(Line2D([], [], color=colour, marker=mark, linewidth=5, label=name, **_ring(colour)))
    axes.set_xscale("log")
    known = [spread for _, values in series for spread in values if spread is not None]
    low, high = min(one.p5 for one in known), max(one.p95 for one in known)
    _reach(axes.xaxis, low / 1.6, max(high * 1.6, low * 4))
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0) if high / low < 100 else (1.0,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _rows(axes, palette, names, at)
    legend(axes, palette, handles=handles)


def _ring(colour: str) -> dict[str, Any]:
    """A white mark with a ring in the series' colour: it stands out of the bar on every ground."""
    return {
        "markersize": 6.5,
        "markerfacecolor": "#ffffff",
        "markeredgecolor": colour,
        "markeredgewidth": 1.8,
    }


_STATUSES: Final[dict[str, tuple[int, str]]] = {
    "succeeded": (2, "o"),
    "failed": (1, "X"),
    "cancelled": (5, "s"),
    "expired": (4, "^"),
    "running": (0, ">"),
    "queued": (0, "<"),
}
_IN_DOUBT: Final = (3, "D")


def timeline(axes: Axes, palette: Palette, spans: Sequence[Span], *, zone: tzinfo | None) -> None:
    """A line for each job from submission to end, the newest on top, with a mark for how it ended."""
    seen: dict[str, Any] = {}
    thick = 5.0 if len(spans) <= 20 else 2.5
    for place, span in enumerate(spans):
        number, mark = _STATUSES.get(span.status, _IN_DOUBT)
        colour = palette.series[number]
        start, end = (float(mdates.date2num(moment)) for moment in (span.start, span.end))
        axes.plot([start, end], [place, place], color=colour, linewidth=thick, solid_capstyle="butt")
        axes.plot([end], [place], mark, color=colour, markersize=thick + 2.5, markeredgecolor="none")
        seen[span.status] = Line2D(
            [], [], color=colour, marker=mark, linewidth=3, markersize=7, markeredgecolor="none",
            label=span.status.replace("_", " "),
        )  # fmt: skip
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    room = max((last - first) * 0.04, timedelta(seconds=20))
    _reach(axes.xaxis, float(mdates.date2num(first - room)), float(mdates.date2num(last + room)))
    locator = mdates.AutoDateLocator(tz=zone, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=zone))
    _quieten(axes.xaxis, palette)
    named = len(spans) <= 20
    _rows(axes, palette, [span.name if named else "" for span in spans], list(range(len(spans))))
    if not named:
        axes.set_yticks([])
    order = [*_STATUSES, *sorted(set(seen) - set(_STATUSES))]
    legend(axes, palette, handles=[seen[status] for status in order if status in seen], wide=True)


def _fill(palette: Palette, number: int, name: str) -> dict[str, Any]:
    """The first series is full; a further one is light and hatched in its colour."""
    colour, hatch = palette.series[number], HATCHES[number]
    if not hatch:
        return {"label": name, "facecolor": colour, "edgecolor": colour, "linewidth": 0}
    return {"label": name, "facecolor": f"{colour}40", "edgecolor": colour, "linewidth": 0.6, "hatch": hatch}


def _figures(axis: Any) -> None:
    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def _rows(axes: Axes, palette: Palette, names: Sequence[str], at: Sequence[int]) -> None:
    chars = label_chars(axes)
    axes.set_yticks(list(at), [label(name, chars=chars) for name in names], parse_math=False)
    if not palette.guest:
        axes.tick_params(axis="y", labelcolor=palette.ink)
    # Few rows stay slim instead of filling the height.
    spare = max(3 - len(names), 0) / 2
    _reach(axes.yaxis, -0.6 - spare, len(names) - 0.4 + spare)


def _quieten(axis: Any, palette: Palette) -> None:
    if not palette.guest:
        axis.get_offset_text().set(color=palette.quiet, fontsize=SMALL)


def _reach(axis: Any, low: float, high: float) -> None:
    """Let an axis go from here to there; one that others share still shows all of theirs."""
    axes, name = axis.axes, axis.axis_name
    sharing = getattr(axes, f"get_shared_{name}_axes")().get_siblings(axes)
    if any(other is not axes and other.has_data() for other in sharing):
        known = sorted(axis.get_view_interval())
        low, high = min(low, known[0]), max(high, known[1])
    getattr(axes, f"set_{name}lim")(low, high)
