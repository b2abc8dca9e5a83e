"""What requests add up to, from parts that were added up already: by the database, or by pandas.

Both give the same parts, so both give the same totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from anyfast_nb.wire.values import Source

FIGURES: Final = (
    "requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images",
    "video_s", "cost_nano", "without_usage", "without_price",
)  # fmt: skip
"""What a part holds, after its key, source and currency."""

_ORDER: Final = (
    "requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images",
    "video_s", "cost", "currency", "without_usage", "without_price",
)  # fmt: skip
_SOURCES: Final = tuple(word.value for word in Source)

_Key = tuple[Any, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Some requests, added up.

    Attributes:
        key: what they have in common, such as a model; None is unknown.
        source: live, simulated or replayed.
        currency: of the cost; None where there is no cost.
        figures: the values of `FIGURES` that are told, by their names; None where no request knows.
    """

    key: Any
    source: str | None
    currency: str | None
    figures: dict[str, Any]


def calendar(zone: tzinfo | None) -> Callable[[int], np.datetime64]:
    """What turns a quarter of an hour, counted from 1970 in UTC, into its calendar day.

    Args:
        zone: whose days; None is this machine's own zone.
    """

    @cache
    def day(quarter: int) -> np.datetime64:
        return np.datetime64(datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).date(), "D")

    return day


def totals_of(
    parts: Iterable[Part],
    *,
    key: str,
    turned: Callable[[Any], Any] | None = None,
    told: Sequence[str] = FIGURES,
) -> pd.DataFrame:
    """The frame of totals: a line for each key, source and currency.

    Requests without a cost stand with the others of their key and source, unless those cost money in
    several currencies: then they have a line of their own, without a currency.

    Args:
        parts: in any order, any number for a key.
        key: the name of its column.
        turned: makes a line's key of a part's.
        told: the figures that the parts hold; the others are no columns.
    """
    lines: dict[_Key, dict[str, Any]] = {}
    for part in parts:
        name = part.key if turned is None else turned(part.key)
        _add(lines.setdefault((name, part.source, part.currency), {}), part.figures)
    lines = _unpriced_with_the_others(lines)
    by_time = key == "day"
    ordered = sorted(lines.items(), key=lambda line: _place(*line, by_time=by_time))
    return _frame(key, ordered, told=told)


def _add(line: dict[str, Any], figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        before = line.get(name)
        line[name] = value if before is None else before if value is None else before + value


def _unpriced_with_the_others(lines: dict[_Key, dict[str, Any]]) -> dict[_Key, dict[str, Any]]:
    currencies: dict[tuple[Any, str | None], list[str]] = {}
    for name, source, currency in lines:
        if currency is not None:
            currencies.setdefault((name, source), []).append(currency)
    joined: dict[_Key, dict[str, Any]] = {}
    for (name, source, currency), figures in lines.items():
        own = currencies.get((name, source), [])
        word = own[0] if currency is None and len(own) == 1 else currency
        _add(joined.setdefault((name, source, word), {}), figures)
    return joined


def _place(key: _Key, figures: dict[str, Any], *, by_time: bool) -> tuple[Any, ...]:
    name, source, currency = key
    of_source = _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)
    last = (name is None, "" if name is None else name, currency is None, currency or "")
    if by_time:
        return (name, of_source, currency is None, currency or "")
    return (of_source, source or "", -figures["requests"], *last)


def _frame(key: str, lines: Sequence[tuple[_Key, dict[str, Any]]], *, told: Sequence[str]) -> pd.DataFrame:
    names = [name for (name, _, _), _ in lines]
    columns: dict[str, Any] = {
        key: pd.DatetimeIndex(np.array(names, dtype="datetime64[us]")) if key == "day" else _words(names),
        "source": _words([source for (_, source, _), _ in lines], known=_SOURCES),
    }
    for name in _ORDER:
        if name == "currency":
            if "cost_nano" in told:
                columns[name] = _words([currency for (_, _, currency), _ in lines])
        elif (value_of := "cost_nano" if name == "cost" else name) in told:
            columns[name] = _numbers(name, [figures.get(value_of) for _, figures in lines])
    return pd.DataFrame(columns)


def _words(words: list[str | None], *, known: tuple[str, ...] = ()) -> pd.Categorical:
    others = sorted({word for word in words if word is not None} - {*known})
    return pd.Categorical(words, categories=pd.Index([*known, *others], dtype="str"))


def _numbers(name: str, values: list[Any]) -> Any:
    unknown = np.array([value is None for value in values], dtype=bool)
    if name in {"cost", "video_s"}:
        numbers = np.array([0 if value is None else float(value) for value in values], dtype="float64")
        return pd.arrays.FloatingArray(numbers / 1e9 if name == "cost" else numbers, unknown)
    whole = np.array([0 if value is None else int(value) for value in values], dtype="int64")
    return pd.arrays.IntegerArray(whole, unknown)
