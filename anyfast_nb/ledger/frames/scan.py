"""A statement over the ledger, carried out and handed over as a typed frame.

With the extra ``fast`` the rows come as Arrow, straight from the database's own
library; without it as Python values, a chunk at a time. The frame is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection, Select

    from anyfast_nb.ledger.frames.columns import Field

_log = logging.getLogger("anyfast_nb.ledger")

_CHUNK: Final = 20_000
# From so many rows on the other library is worth its loading and, of a file, its copy.
_WORTH: Final = 20_000
_DRIVERS: Final = {"sqlite": "adbc_driver_sqlite", "postgresql": "adbc_driver_postgresql"}
# And how they mark a value: ? and $1.
_SPEECH: Final[dict[str, tuple[Any, str]]] = {
    "sqlite": (sqlite, "qmark"),
    "postgresql": (postgresql, "numeric_dollar"),
}
# SQLite's takes the types of the columns from the first batch, and a later row may say what those left
# empty: so there is one batch. Room for all its rows is set aside in each column, and stays with the frame:
# it is their number, and a few more that may come between the count and the reading.
_BATCH: Final = "adbc.sqlite.query.batch_rows"
_SPARE: Final = 1000


class Readable(Protocol):
    """What a statement can be carried out on."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees every row."""

    def readable(self) -> AbstractContextManager[str | None]:
        """An address for another library to read from inside, where one may."""


def scan(
    ledger: Readable, statement: Select[Any], fields: Sequence[Field], *, few: bool = False
) -> pd.DataFrame:
    """Carry out a statement.

    Args:
        ledger: where.
        statement: selects ``fields``, in that order.
        fields: the columns of the frame.
        few: only some rows are asked for, and another library is not worth its loading.
    """
    if not few and is_fast(ledger.dialect) and (count := _counted(ledger, statement)) > _WORTH:
        with ledger.readable() as place:
            found = None if place is None else _fast(place, statement, fields, ledger.dialect, count)
        if found is not None:
            return found
    return _by_chunks(ledger, statement, fields)


def _counted(ledger: Readable, statement: Select[Any]) -> int:
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    with ledger.reading() as connection:
        return int(connection.execute(counted).scalar_one())


def is_fast(dialect: str) -> bool:
    """Whether what the fast path needs is installed."""
    return all(find_spec(name) is not None for name in ("pyarrow", "adbc_driver_manager", _DRIVERS[dialect]))


def compiled(statement: Select[Any], *, dialect: str) -> tuple[str, tuple[Any, ...]]:
    """A statement as text and its values by position, as ADBC takes them."""
    speech, marks = _SPEECH[dialect]
    made = statement.compile(
        dialect=speech.dialect(paramstyle=marks), compile_kwargs={"render_postcompile": True}
    )
    values = made.construct_params()
    return str(made), tuple(values[name] for name in made.positiontup or ())


def _fast(
    place: str, statement: Select[Any], fields: Sequence[Field], dialect: str, count: int
) -> pd.DataFrame | None:
    from anyfast_nb.ledger.frames import typed

    manager, arrow = import_module("adbc_driver_manager"), import_module("pyarrow")
    connect = import_module(f"{_DRIVERS[dialect]}.dbapi").connect
    text, values = compiled(statement, dialect=dialect)
    try:
        with connect(place) as connection, connection.cursor() as cursor:
            if dialect == "sqlite":
                cursor.adbc_statement.set_options(**{_BATCH: str(count + _SPARE)})
            cursor.execute(text, values or None)
            return typed.from_arrow(fields, cursor.fetch_arrow_table())
    except (manager.Error, arrow.ArrowInvalid, OSError) as error:
        # The way is faster, not better: whatever it cannot do, the other can, or says why not.
        _log.debug("The ledger is read without ADBC: %s", type(error).__name__)
        return None


def _by_chunks(ledger: Readable, statement: Select[Any], fields: Sequence[Field]) -> pd.DataFrame:
    from anyfast_nb.ledger.frames import typed

    with ledger.reading() as connection:
        result = connection.execution_options(stream_results=True).execute(statement)
        chunks: Iterator[Sequence[Sequence[Any]]] = result.partitions(_CHUNK)
        return typed.from_chunks(fields, chunks)
