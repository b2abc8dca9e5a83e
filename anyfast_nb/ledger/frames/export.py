"""A ledger frame as a file for others: CSV without formulas, Parquet with its types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pandas as pd

# What a spreadsheet takes for the beginning of a formula; East Asian ones also in full width.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(frame: pd.DataFrame, path: str | Path, *, excel: bool = False, overwrite: bool = False) -> Path:
    """Write a frame as CSV that a spreadsheet takes for data, not for formulas.

    A text that begins with ``= + - @``, a tab or a line break gets an apostrophe in front: a prompt such
    as ``=HYPERLINK(…)`` stays a text. Numbers stay as they are, times are ISO 8601 in UTC, unknown is
    empty.

    Args:
        frame: of the ledger, or any.
        path: of the file.
        excel: begin with a byte order mark, by which Excel knows UTF-8.
        overwrite: replace a file that is there.

    Returns:
        The path.

    Raises:
        InputError: there is such a file already, or no such folder.

    Example:
        >>> from anyfast_nb.ledger import frame
        >>> to_csv(frame("month"), "requests.csv").read_text().partition(",")[0]
        'time'
    """
    import pandas as pd

    table = _with_names(frame)
    plain = pd.DataFrame({place: _plain(table.iloc[:, place]) for place in range(table.shape[1])})
    with _replacing(path, overwrite=overwrite) as (target, made):
        plain.to_csv(
            made,
            index=False,
            header=[_harmless(str(name)) for name in table.columns],
            encoding="utf-8-sig" if excel else "utf-8",
            errors="replace",
            lineterminator="\r\n",
        )
    return target


def to_parquet(frame: pd.DataFrame, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a frame as Parquet; `pandas.read_parquet` gives it back with its types.

    Args:
        frame: of the ledger, or any.
        path: of the file.
        overwrite: replace a file that is there.

    Returns:
        The path.

    Raises:
        ConfigError: pyarrow is not installed.
        InputError: there is such a file already, or no such folder.

    Example:
        >>> import pandas as pd
        >>> from anyfast_nb.ledger import frame
        >>> written = to_parquet(frame("month"), "requests.parquet")
        >>> pd.read_parquet(written).dtypes[["time", "input_tokens"]].astype(str).to_list()
        ['datetime64[us, UTC]', 'Int64']
    """
    if find_spec("pyarrow") is None:
        raise ConfigError(
            "Parquet needs pyarrow, which is not installed.",
            hint='`%pip install "anyfast-nb[fast]"` installs it; to_csv works without.',
        )
    with _replacing(path, overwrite=overwrite) as (target, made):
        _with_names(frame).to_parquet(made, engine="pyarrow", index=False)
    return target


def _with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with what its index says as columns; bare numbers of rows say nothing."""
    return frame if frame.index.names == [None] else frame.reset_index()


@contextlib.contextmanager
def _replacing(path: str | Path, *, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """Where the file will be, and where it is made: it is there in whole, or not at all."""
    target = Path(path).expanduser()
    if not target.parent.is_dir():
        raise InputError(
            f"There is no folder {target.parent}.", field="path", hint="Make it, or name another."
        )
    if target.exists() and not overwrite:
        raise InputError(
            f"{target} is there already.", field="path", hint="overwrite=True replaces it; or name another."
        )
    made = target.with_name(f".{target.name}.part")
    try:
        yield target, made
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)


def _plain(column: Any) -> Any:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").array
    if pd.api.types.is_datetime64_dtype(dtype):
        days = (column.dropna() == column.dropna().dt.normalize()).all()
        return column.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%S.%f").array
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return column.array
    return column.astype(object).map(_harmless, na_action="ignore").array


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
