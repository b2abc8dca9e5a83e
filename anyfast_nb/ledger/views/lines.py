"""Totals of the ledger as the lines of a table: sources apart, the small ones together, sums kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from anyfast_nb.wire.text import counted
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyfast_nb.render.usage import UsageLine, UsageSection

Took = Mapping[tuple[str, Any], tuple[float, int]]
"""Seconds and number of the requests of each source and key."""

_MOST_LINES: Final = 30
_PRICES: Final = "`%anyfast prices set MODEL input=… output=… currency=…` sets it"


def share_of(table: pd.DataFrame) -> str:
    """What shares are shares of: tokens, or requests where none are known."""
    known = _sum(table, "input_tokens") or _sum(table, "output_tokens")
    return "tokens" if known else "requests"


def sections(table: pd.DataFrame, *, by: str, took: Took | None = None) -> tuple[UsageSection, ...]:
    """The lines of each source, and what they add up to: the frame's own sums.

    Args:
        table: totals, as ``by_model`` and its kin give them.
        by: what its keys are.
        took: how long the requests of each source and key took.
    """
    from anyfast_nb.render.usage import UsageSection

    weigh = _weigher(table)
    made = []
    for source in (word.value for word in Source):
        own = table[table["source"] == source]
        if own.empty:
            continue
        whole = weigh(own)
        lines = [
            replace(
                _line(name, part, share=_share(weigh(part), whole)),
                mean_s=_mean(took, source, {_name(key, by) for key in part[by]}, by),
            )
            for name, part in _parts(own, by, weigh)
        ]
        total = replace(_line("total", own), mean_s=_mean(took, source, None, by))
        made.append(UsageSection(source, tuple(lines), total))
    return tuple(made)


def _weigher(table: pd.DataFrame) -> Callable[[pd.DataFrame], int | None]:
    """What of some lines their share is counted by; None is unknown."""
    if share_of(table) == "requests":
        return lambda part: int(part["requests"].sum())
    return _tokens


def _tokens(part: pd.DataFrame) -> int | None:
    sums = [_sum(part, name) for name in ("input_tokens", "output_tokens")]
    known = [one for one in sums if one is not None]
    return sum(known) if known else None


def _share(weight: int | None, whole: int | None) -> float | None:
    return None if weight is None or not whole else weight / whole


def _parts(
    own: pd.DataFrame, by: str, weigh: Callable[[pd.DataFrame], int | None]
) -> list[tuple[str, pd.DataFrame]]:
    """What each line is about: days in their order, all else by weight; the smallest, or oldest, as one."""
    names = pd.Series([_name(key, by) for key in own[by]], index=own.index, dtype="object")
    parts = list(own.groupby(names, sort=True))
    if by != "day":
        parts.sort(key=lambda part: (-(weigh(part[1]) or 0), -int(part[1]["requests"].sum()), part[0]))
    if len(parts) <= _MOST_LINES:
        return parts
    shown = parts[-_MOST_LINES + 1 :] if by == "day" else parts[: _MOST_LINES - 1]
    left = own[~names.isin([name for name, _ in shown])]
    count = len(parts) - len(shown)
    if by == "day":
        return [(f"{count:,} days before", left), *shown]
    return [*shown, (f"{count:,} others", left)]


def _name(key: Any, by: str) -> str:
    if pd.isna(key) or not str(key):
        return f"no {by}" if by in {"notebook", "thread"} else "unknown"
    return str(key)[:10] if by == "day" else str(key)


def _mean(took: Took | None, source: str, names: set[str] | None, by: str) -> float | None:
    """Seconds of a request of these names, on average; of all, without names."""
    fitting = [
        sums for (of, key), sums in (took or {}).items()
        if of == source and (names is None or _name(key, by) in names)
    ]  # fmt: skip
    count = sum(sums[1] for sums in fitting)
    return sum(sums[0] for sums in fitting) / count if count else None


def _line(name: str, part: pd.DataFrame, *, share: float | None = None) -> UsageLine:
    from anyfast_nb.render.usage import UsageLine

    live = part["source"].iloc[0] == Source.LIVE.value
    return UsageLine(
        name=name,
        requests=int(part["requests"].sum()),
        errors=int(part["errors"].sum()),
        input_tokens=_sum(part, "input_tokens"),
        cached_tokens=_sum(part, "cached_tokens"),
        output_tokens=_sum(part, "output_tokens"),
        reasoning_tokens=_sum(part, "reasoning_tokens"),
        images=_sum(part, "images"),
        video_s=_total(part, "video_s"),
        costs=_costs(part) if live else (),
        unpriced=int(part["without_price"].sum()) if live else 0,
        share=share,
    )


def _sum(part: pd.DataFrame, column: str) -> int | None:
    """The sum of what is known; None where nothing is."""
    total = _total(part, column)
    return None if total is None else int(total)


def _total(part: pd.DataFrame, column: str) -> float | None:
    known = part[column].dropna()
    return None if known.empty else known.sum()


def _costs(part: pd.DataFrame) -> tuple[tuple[str, float], ...]:
    known = part[part["cost"].notna() & part["currency"].notna()]
    sums = known.groupby(known["currency"].astype("string"))["cost"].sum()
    return tuple((str(currency), float(amount)) for currency, amount in sums.items())


# --- what stands below --------------------------------------------------------------------


def notes(table: pd.DataFrame) -> list[str]:
    """What is not in the sums: a line for costs, a line for tokens."""
    live = table[table["source"] == Source.LIVE.value]
    unpriced, unknown = int(live["without_price"].sum()), int(table["without_usage"].sum())
    lines = []
    if unpriced:
        lines.append(f"{counted(unpriced, 'request')} without a price · {_PRICES}")
    if unknown:
        lines.append(f"{counted(unknown, 'request')} without known usage: not in the sums")
    return lines
