"""Values of the ledger as typed pandas columns, from Python chunks or from Arrow: the same either way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from anyfast_nb.ledger.frames.columns import Field, Type

if TYPE_CHECKING:
    import pyarrow as pa

_NO_TIME: Final = np.iinfo("int64").min  # what numpy calls no time
_NANO: Final = 1e9


def from_chunks(fields: Sequence[Field], chunks: Iterable[Sequence[Sequence[Any]]]) -> pd.DataFrame:
    """A frame from rows that come in chunks; of each chunk only its typed columns are kept.

    Args:
        fields: the columns, in the order of a row's values.
        chunks: some rows each.
    """
    columns: list[_Column] = [_MAKERS[field.type](field) for field in fields]
    for chunk in chunks:
        for column, values in zip(columns, zip(*chunk, strict=True), strict=True):
            objects = np.empty(len(values), dtype=object)
            objects[:] = values
            column.add(objects)
    return _frame(fields, [column.finished() for column in columns])


def from_arrow(fields: Sequence[Field], table: pa.Table) -> pd.DataFrame:
    """The same frame from an Arrow table.

    Raises:
        pyarrow.ArrowInvalid: a column holds what its type cannot, or a text that is none.
    """
    table.validate(full=True)
    waiting = table.columns[::-1]
    del table  # each column is let go of as soon as it is turned
    return _frame(fields, [_turned(field, waiting.pop()) for field in fields])


def _frame(fields: Sequence[Field], columns: list[Any]) -> pd.DataFrame:
    named = {field.name: column for field, column in zip(fields, columns, strict=True)}
    return pd.DataFrame(named, copy=False)


# --- from Python ----------------------------------------------------------------------------------


class _Column(ABC):
    def __init__(self, field: Field) -> None:
        self._field = field
        self._parts: list[Any] = []

    @abstractmethod
    def add(self, values: np.ndarray) -> None:
        """Take a chunk."""

    @abstractmethod
    def finished(self) -> Any:
        """All of it, as pandas has it."""


class _Numbers(_Column):
    dtype = "int64"

    def add(self, values: np.ndarray) -> None:
        unknown = values == None  # noqa: E711  element by element
        values[unknown] = 0
        self._parts.append((values.astype(self.dtype), unknown))

    def _joined(self) -> tuple[np.ndarray, np.ndarray]:
        if not self._parts:
            return np.empty(0, dtype=self.dtype), np.empty(0, dtype=bool)
        numbers, unknown = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        self._parts.clear()
        return numbers, unknown.astype(bool)


class _Counts(_Numbers):
    def finished(self) -> Any:
        return pd.arrays.IntegerArray(*self._joined())


class _Floats(_Numbers):
    dtype = "float64"

    def finished(self) -> Any:
        return pd.arrays.FloatingArray(*self._joined())


class _Money(_Numbers):
    def finished(self) -> Any:
        nano, unknown = self._joined()
        return pd.arrays.FloatingArray(nano / _NANO, unknown)


class _Times(_Numbers):
    def finished(self) -> Any:
        moments, unknown = self._joined()
        moments[unknown] = _NO_TIME
        return _times(moments)


class _Texts(_Column):
    def add(self, values: np.ndarray) -> None:
        self._parts.append(pd.Series(values, dtype=pd.StringDtype()))

    def finished(self) -> Any:
        if not self._parts:
            return pd.array([], dtype=pd.StringDtype())
        return pd.concat(self._parts, ignore_index=True).array


class _Categories(_Column):
    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._codes: dict[str, int] = {}

    def add(self, values: np.ndarray) -> None:
        codes, words = pd.factorize(values)
        own = np.array(
            [self._codes.setdefault(word, len(self._codes)) for word in words] + [-1], dtype="int32"
        )
        self._parts.append(own[codes])  # -1, the unknown, is the last of them

    def finished(self) -> Any:
        codes = np.concatenate([np.empty(0, dtype="int32"), *self._parts])
        return _categorical(self._field, list(self._codes), codes)


_MAKERS: Final[dict[Type, Callable[[Field], _Column]]] = {
    Type.TIME: _Times,
    Type.COUNT: _Counts,
    Type.NUMBER: _Floats,
    Type.MONEY: _Money,
    Type.CATEGORY: _Categories,
    Type.TEXT: _Texts,
}


# --- from Arrow -----------------------------------------------------------------------------------


def _turned(field: Field, column: pa.ChunkedArray) -> Any:
    import pyarrow as pa

    if field.type is Type.NUMBER:
        return pd.Float64Dtype().__from_arrow__(column.cast(pa.float64()))
    if field.type is Type.COUNT:
        return pd.Int64Dtype().__from_arrow__(column.cast(pa.int64()))
    if field.type is Type.MONEY:
        nano = pd.Int64Dtype().__from_arrow__(column.cast(pa.int64()))
        return nano / _NANO
    if field.type is Type.TIME:
        return _times(column.cast(pa.int64()).fill_null(int(_NO_TIME)).to_numpy())
    texts = column.cast(pa.string())
    if field.type is Type.TEXT:
        return pd.StringDtype().__from_arrow__(texts)
    encoded = texts.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _categorical(field, encoded.dictionary.to_pylist(), codes)


# --- both -----------------------------------------------------------------------------------------


def _times(moments: np.ndarray) -> Any:
    return pd.DatetimeIndex(moments.view("datetime64[us]")).tz_localize("UTC")


def _categorical(field: Field, words: list[str], codes: np.ndarray) -> Any:
    others = sorted({*words} - {*field.known})
    categories = pd.Index([*field.known, *others], dtype="str")  # also where there are none
    places = np.array([*categories.get_indexer(words), -1], dtype="int64") if words else np.array([-1])
    return pd.Categorical.from_codes(places[codes], categories=categories)
