"""``frame.anyfast``: the totals of a frame of requests, and its export; there once this is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.frames import export
from anyfast_nb.ledger.frames.folding import FIGURES, Part, totals_of
from anyfast_nb.ledger.frames.totals import QUARTER_US, day_of

_USED: Final = ("input_tokens", "output_tokens", "images", "video_s")
# The columns of a frame that a figure is made of.
_NEEDED: Final = {
    "requests": (),
    "errors": ("status",),
    "cost_nano": ("cost", "currency"),
    "without_usage": ("kind", "billed", *_USED),
    "without_price": ("kind", "billed", "cost"),
}


@pd.api.extensions.register_dataframe_accessor("anyfast")
class FrameAccessor:
    """Totals of a frame of requests, however it was filtered; the same as the ledger's own.

    They are made of the columns that the frame has: one of ``ledger.frame(columns="all")`` gives all
    that `totals.by_model` describes, a narrow one leaves out what it cannot know.

    Example:
        >>> from anyfast_nb.ledger import frame
        >>> table = frame(columns="all")
        >>> list(table[table["status"] == "ok"].anyfast.by_day(tz="UTC").columns[:3])
        ['day', 'source', 'requests']
        >>> list(table.anyfast.cost().columns)
        ['source', 'currency', 'requests', 'cost', 'without_price']
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def by_model(self) -> pd.DataFrame:
        """What each model was used for: the columns of `totals.by_model`.

        Raises:
            InputError: the frame has no column ``model`` or ``source``; so for all that follow.
        """
        return self._by("model")

    def by_day(self, tz: str | tzinfo | None = None) -> pd.DataFrame:
        """What each day was used for, in the zone ``tz``: the columns of `totals.by_day`."""
        turned = day_of(tz)
        self._has("time")
        moments = pd.DatetimeIndex(self._frame["time"]).as_unit("us").asi8
        return self._totals("day", moments // QUARTER_US, turned=turned)

    def by_notebook(self) -> pd.DataFrame:
        """What each notebook used: the columns of `totals.by_notebook`."""
        return self._by("notebook")

    def by_user(self) -> pd.DataFrame:
        """What each user used: the columns of `totals.by_user`."""
        return self._by("user")

    def by_thread(self) -> pd.DataFrame:
        """What each conversation used: the columns of `totals.by_thread`."""
        return self._by("thread")

    def by_kind(self) -> pd.DataFrame:
        """What each kind of request used: the columns of `totals.by_kind`."""
        return self._by("kind")

    def cost(self) -> pd.DataFrame:
        """What it cost: a line for each source and currency.

        Returns:
            ``source currency`` (category); ``requests`` (Int64); ``cost`` (Float64); and, if the frame
            has the columns for it, ``without_price`` (Int64).
        """
        self._has("cost", "currency")
        table = self._totals("everything", np.full(len(self._frame), None))
        wanted = ("source", "currency", "requests", "cost", "without_price")
        return table[[name for name in wanted if name in table.columns]]

    def to_csv(self, path: str | Path, *, excel: bool = False, overwrite: bool = False) -> Path:
        """Write the frame as CSV that a spreadsheet takes for data, not for formulas; see `export.to_csv`."""
        return export.to_csv(self._frame, path, excel=excel, overwrite=overwrite)

    def to_parquet(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the frame as Parquet, types and all; see `export.to_parquet`."""
        return export.to_parquet(self._frame, path, overwrite=overwrite)

    # --- details --------------------------------------------------------------------------

    def _by(self, key: str) -> pd.DataFrame:
        self._has(key)
        return self._totals(key, self._frame[key])

    def _has(self, *names: str) -> None:
        for name in names:
            if name not in self._frame.columns:
                raise InputError(
                    f"The frame has no column {name!r}.",
                    field="columns",
                    hint=f'Make it with ledger.frame(columns="all"), or with {name!r} among its columns.',
                )

    def _totals(self, key: str, keys: Any, *, turned: Callable[[Any], Any] | None = None) -> pd.DataFrame:
        self._has("source")
        figures = self._figures()
        parts = self._parts(keys, figures)
        return totals_of(parts, key=key, turned=turned, told=list(figures))

    def _figures(self) -> dict[str, Any]:
        """For each figure that the frame can tell, what each row adds to it."""
        rows = self._frame
        told = {}
        for name in FIGURES:
            if {*_NEEDED.get(name, (name,))} <= {*rows.columns}:
                made = _MADE.get(name)
                told[name] = rows[name].reset_index(drop=True) if made is None else made(rows)
        return told

    def _parts(self, keys: Any, figures: dict[str, Any]) -> Iterator[Part]:
        rows = self._frame
        own, names = pd.factorize(keys)
        of_source, sources = pd.factorize(rows["source"])
        of_currency, currencies = pd.factorize(rows["currency"]) if "cost_nano" in figures else (-1, [])
        marks = {"key": own, "source": of_source, "currency": of_currency}
        table = pd.DataFrame(marks | {f"figure {name}": column for name, column in figures.items()})
        sums = table.groupby(list(marks), sort=False).sum(min_count=1)
        for place, values in zip(sums.index, sums.itertuples(index=False, name=None), strict=True):
            key, source, currency = place
            yield Part(
                _named(names, key),
                _named(sources, source),
                _named(currencies, currency),
                {
                    name: None if value is pd.NA else value
                    for name, value in zip(figures, values, strict=True)
                },
            )


def _named(names: Any, code: int) -> Any:
    if code < 0:
        return None
    name = names[code]
    return int(name) if isinstance(name, np.integer) else name


def _ones(rows: pd.DataFrame) -> Any:
    return pd.array(np.ones(len(rows), dtype="int64"), dtype="Int64")


def _errors(rows: pd.DataFrame) -> Any:
    return _counted(rows["status"] == "error")


def _nano(rows: pd.DataFrame) -> Any:
    if "cost_nano" in rows.columns:
        return rows["cost_nano"].reset_index(drop=True)
    return (rows["cost"] * 1e9).round().astype("Int64").reset_index(drop=True)


def _without_usage(rows: pd.DataFrame) -> Any:
    return _counted(_counts(rows) & rows[list(_USED)].isna().all(axis=1))


def _without_price(rows: pd.DataFrame) -> Any:
    return _counted(_counts(rows) & rows["cost"].isna())


def _counts(rows: pd.DataFrame) -> Any:
    return (rows["kind"] != "asset") & (rows["billed"] != "no").fillna(True)


def _counted(condition: Any) -> Any:
    return pd.array(np.asarray(condition.fillna(False), dtype="int64"), dtype="Int64")


_MADE: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {
    "requests": _ones,
    "errors": _errors,
    "cost_nano": _nano,
    "without_usage": _without_usage,
    "without_price": _without_price,
}
