"""Costs of requests that are in the ledger already: by the prices that are set now, each at its own time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from anyfast_nb import catalog
from anyfast_nb.errors import InputError, LedgerError
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.prices.table import Cost, PriceTable, money
from anyfast_nb.ledger.rows import Kept, Names, Record, Since, moment_of, since_us
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import Usage

if TYPE_CHECKING:
    from decimal import Decimal

_BATCH: Final = 5_000
_NOT_ALLOWED: Final = "42501"  # PostgreSQL: insufficient_privilege
_MODEL: Final = func.coalesce(REQUESTS.c.model_served, REQUESTS.c.model_asked)


@dataclass(frozen=True, slots=True)
class Repriced:
    """What a pricing anew did.

    Attributes:
        changed: requests that have a cost now, or another one than before.
        unpriced: requests whose model has no price at their time.
        unknown: requests whose model has one, and whose figures nobody knows.
        nano: the costs of those that changed, by source and currency, in billionths.
    """

    changed: int
    unpriced: int
    unknown: int
    nano: Mapping[tuple[str, str], int] = field(repr=False)

    @property
    def totals(self) -> dict[tuple[str, str], Decimal]:
        """The costs of those that changed, by source and currency. Do not add sources up."""
        return {key: Cost(nano, key[1]).amount for key, nano in self.nano.items()}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        """In a line or a few, for people."""
        sums = ", ".join(
            f"{money(nano)} {currency} {source}" for (source, currency), nano in sorted(self.nano.items())
        )
        lines = [f"{_requests(self.changed)} priced" + (f": {sums}." if sums else ".")]
        if self.unpriced:
            lines.append(
                f"{_requests(self.unpriced)} of models without a price: `%anyfast prices` names them."
            )
        if self.unknown:
            lines.append(f"{_requests(self.unknown)} whose tokens, pictures or seconds are not known.")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Missing:
    """Requests of one model and source that have no cost.

    Attributes:
        kind, source, model: of the requests; the model that served, else the one asked for.
        requests: so many.
        figures: of these, so many whose tokens, pictures or seconds are known.
        priced: has the model a price by now, at the time of the latest?
    """

    kind: str
    source: str
    model: str
    requests: int
    figures: int
    priced: bool


def reprice(
    ledger: Ledger | None = None,
    *,
    since: Since = None,
    model: Names = None,
    everything: bool = False,
    prices: Prices | None = None,
) -> Repriced:
    """Give past requests the costs they have by the prices that are set now.

    A price counts from its ``valid_from`` on, for the time at which a request was sent. What cannot
    be priced keeps what it has.

    Args:
        ledger: by default the user's.
        since: requests from then on; a time, a day, a time span back from now, or ISO text.
        model: of one model or several; ids or aliases.
        everything: also those that have a cost; by default these keep it. In a ledger that is
            shared only its owner may do that.
        prices: by default the user's.

    Raises:
        ConfigError: the prices file is broken.
        InputError: no price is set, or ``since`` is no date or time.
        LedgerError: the ledger cannot be read or written, or ``everything`` of one that is another's.

    Example:
        >>> from anyfast_nb.ledger.prices.book import set_price
        >>> price = set_price("lite", currency="CNY", input="0.5", output=1)
        >>> reprice().changed
        0
    """
    prices = Prices() if prices is None else prices
    table = prices.table()
    if not table.prices:
        raise InputError(
            f"no price is set in {prices.path}",
            hint="%anyfast prices set MODEL input=… output=… currency=USD",
        )
    wanted = _Wanted(since_us(since), _models(model), everything=everything)
    if ledger is not None:
        return _repriced(ledger, wanted, table)
    with Ledger() as own:
        return _repriced(own, wanted, table)


def missing(ledger: Ledger, table: PriceTable) -> list[Missing]:
    """The requests without a cost, by model: live ones first, the most used first.

    Those that are not billed, and those that are not done, want none.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    columns = (REQUESTS.c.kind, REQUESTS.c.source, REQUESTS.c.model_served, REQUESTS.c.model_asked)
    counted = select(
        *columns,
        func.count().label("requests"),
        func.sum(case((_HAS_FIGURES, 1), else_=0)).label("figures"),
        func.max(REQUESTS.c.time_us).label("latest"),
    ).where(_PRICEABLE, REQUESTS.c.cost_nano.is_(None))
    with ledger.reading() as connection:
        rows = connection.execute(counted.group_by(*columns)).mappings().all()
    found: Counter[tuple[str, str, str, bool]] = Counter()
    figures: Counter[tuple[str, str, str, bool]] = Counter()
    for row in rows:
        models = [row["model_served"], row["model_asked"]]
        priced = table.can_price(kind=row["kind"], models=models, at=moment_of(row["latest"]))
        key = (row["kind"], row["source"], models[0] or models[1], priced)
        found[key] += row["requests"]
        figures[key] += int(row["figures"])
    every = [
        Missing(kind, source, model, count, figures[kind, source, model, priced], priced)
        for (kind, source, model, priced), count in found.items()
    ]
    return sorted(every, key=lambda one: (one.source != "live", one.source, -one.requests, one.model))


# --- which rows ---------------------------------------------------------------------------

_KNOWN: Final = [
    REQUESTS.c[name].is_not(None) for name in ("input_tokens", "output_tokens", "images", "video_s")
]
_HAS_FIGURES: Final[ColumnElement[bool]] = or_(*_KNOWN)
_PRICEABLE: Final[ColumnElement[bool]] = and_(
    REQUESTS.c.kind != "asset",
    REQUESTS.c.status != "unfinished",
    or_(REQUESTS.c.billed.is_(None), REQUESTS.c.billed != "no"),
    # Of an error and of a film nothing is known yet, or for ever: most likely it was refused, or is running.
    or_(
        and_(REQUESTS.c.status != "error", REQUESTS.c.kind.not_in(("seedance", "kling"))),
        REQUESTS.c.billed.is_not(None),
        _HAS_FIGURES,
    ),
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which rows are to be priced."""

    since_us: int | None
    models: list[str] | None
    everything: bool

    def batch(self, connection: Connection, last: RowMapping | None) -> Sequence[RowMapping]:
        """The next whole rows behind the last of those before, by time; none at the end."""
        time_us, id = REQUESTS.c.time_us, REQUESTS.c.id  # noqa: A001  the column is called so
        chosen = select(REQUESTS).where(*self._conditions()).order_by(time_us, id).limit(_BATCH)
        if last is not None:
            together = and_(time_us == last["time_us"], id > last["id"])
            chosen = chosen.where(or_(time_us > last["time_us"], together))
        return connection.execute(chosen).mappings().all()

    def _conditions(self) -> list[ColumnElement[bool]]:
        found = [_PRICEABLE]
        if not self.everything:
            found.append(REQUESTS.c.cost_nano.is_(None))
        if self.since_us is not None:
            found.append(REQUESTS.c.time_us >= self.since_us)
        if self.models is not None:
            found.append(_MODEL.in_(self.models))
        return found


def _models(names: Names) -> list[str] | None:
    """The names as they were given, and the ids behind them: rows may have either."""
    if names is None:
        return None
    given = [names] if isinstance(names, str) else list(names)
    return sorted({*given, *map(catalog.resolve, given)})


# --- the work -----------------------------------------------------------------------------


class _Tally:
    """Counts what is done, and hands on the rows that change."""

    def __init__(self, table: PriceTable) -> None:
        self._table = table
        self._changed = self._unpriced = self._unknown = 0
        self._nano: Counter[tuple[str, str]] = Counter()

    def changes(self, rows: Iterable[RowMapping]) -> Iterator[Record]:
        """The rows whose cost is another now, with it."""
        for row in rows:
            models, at = [row["model_served"], row["model_asked"]], moment_of(row["time_us"])
            cost = self._table.cost(
                kind=row["kind"],
                models=models,
                at=at,
                usage=Usage(row["input_tokens"], row["output_tokens"], row["cached_tokens"]),
                images=row["images"],
                video_s=row["video_s"],
            )
            if cost is None:
                priced = self._table.can_price(kind=row["kind"], models=models, at=at)
                self._unknown += priced
                self._unpriced += not priced
                continue
            told: Record = {"cost_nano": cost.nano, "currency": cost.currency, "price_version": cost.version}
            if any(row[name] != value for name, value in told.items()):
                self._changed += 1
                self._nano[row["source"], cost.currency] += cost.nano
                yield {**row, **told}

    def result(self) -> Repriced:
        """What came of it."""
        return Repriced(self._changed, self._unpriced, self._unknown, dict(self._nano))


def _repriced(ledger: Ledger, wanted: _Wanted, table: PriceTable) -> Repriced:
    return _anew(ledger, wanted, table) if wanted.everything else _filled(ledger, wanted, table)


def _filled(ledger: Ledger, wanted: _Wanted, table: PriceTable) -> Repriced:
    """By the way that every row goes: it fills in what is empty, and is open to whoever may write rows."""
    tally, last = _Tally(table), None
    while True:
        # A reading of its own for each batch: none stands in the way of what is written.
        with ledger.reading() as connection:
            rows = wanted.batch(connection, last)
        if not rows:
            return tally.result()
        last = rows[-1]
        if told := [Kept("requests", record) for record in tally.changes(rows)]:
            ledger._write(*told)
            ledger.absorb()


def _anew(ledger: Ledger, wanted: _Wanted, table: PriceTable) -> Repriced:
    tally = _Tally(table)
    names = ("cost_nano", "currency", "price_version")
    change = update(REQUESTS).where(REQUESTS.c.id == bindparam("row_id"))
    change = change.values({name: bindparam(f"new_{name}") for name in names})
    try:
        with ledger.transaction() as connection:
            last = None
            while rows := wanted.batch(connection, last):
                last = rows[-1]
                told: list[dict[str, Any]] = [
                    {"row_id": record["id"]} | {f"new_{name}": record[name] for name in names}
                    for record in tally.changes(rows)
                ]
                if told:
                    connection.execute(change, told)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise _not_changed(ledger, error) from error
    return tally.result()


def _not_changed(ledger: Ledger, error: Exception) -> LedgerError:
    reason = getattr(error, "orig", None) or error
    if getattr(reason, "sqlstate", None) == _NOT_ALLOWED:
        return LedgerError(
            "A cost that is in a shared ledger can be changed by its owner alone; nothing was changed.",
            hint="Without --all (everything=False), requests that have none get theirs.",
        )
    said = (str(reason).splitlines() or [type(reason).__name__])[0]
    return LedgerError(
        f"The costs in the ledger {ledger.place} could not be changed: {said}; all is as it was.",
        hint="`%anyfast doctor` shows where it is.",
    )


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"
