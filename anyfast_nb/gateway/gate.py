"""What a request passes before it is sent: what is allowed in this place, then the budgets.

``ANYFAST_ALLOW`` holds wherever a request goes, so that a lesson behaves the
same with the built-in AnyFast. Budgets are about money: only requests that go
to a real gateway are reserved for, and can be refused.

What is reserved is the worst case. Without a budget the ledger is asked one
cheap question, and nothing else is loaded; with one, the store answers before
the request leaves, in a thread of its own, so that the loop goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from anyfast_nb import catalog
from anyfast_nb.allowed import is_allowed
from anyfast_nb.errors import Billed, LedgerError, NotAllowedError
from anyfast_nb.gateway.forecast import Forecast, verdict
from anyfast_nb.wire.values import Money, Source, Status

if TYPE_CHECKING:
    from datetime import datetime

    from anyfast_nb.gateway.bound import Bound
    from anyfast_nb.ledger.budget.values import Ask
    from anyfast_nb.ledger.prices.book import Cost, Prices
    from anyfast_nb.ledger.rows import RequestRow
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.settings import Settings

T = TypeVar("T")

_WORDS: Final = {
    "chat": "a chat",
    "responses": "a chat",
    "seedream": "a picture",
    "seedance": "a film",
    "kling": "a film",
    "asset": "an upload",
}

# So long the budgets are waited for; a file's lock and a server's own limits are shorter. And so long
# after an interrupt, which must end even if a server never answers.
_PATIENCE_S: Final = 90.0
_LAST_WORDS_S: Final = 5.0

_log = logging.getLogger("anyfast_nb.ledger")


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may go.

    Attributes:
        reserved: its worst case is set aside for it.
        lines: one for each soft budget that it may exceed.
    """

    reserved: bool = False
    lines: tuple[str, ...] = ()


class Gate:
    """The gate of one gateway.

    Args:
        ledger: whose budgets count.
        settings: what is allowed, and where the prices are; None allows all.
        warn: is told of soft budgets where nobody listens to the request.
        shown: what is made through it is shown to a person, with its notes.
    """

    def __init__(
        self,
        ledger: Callable[[], Ledger],
        *,
        settings: Callable[[], Settings] | None = None,
        warn: Callable[[str], None] = _log.warning,
        shown: bool = False,
    ) -> None:
        self._shown = shown
        self._ledger = ledger
        self._settings = settings
        self._warn = warn
        self._kept_prices: Prices | None = None

    # --- what is allowed ------------------------------------------------------------------

    def allow(self, kind: str, model: str) -> None:
        """Refuse what ``ANYFAST_ALLOW`` does not name.

        Args:
            kind: of the request, as the ledger calls it.
            model: an id or an alias.

        Raises:
            NotAllowedError: it says what is allowed, and who says so.
        """
        settings = None if self._settings is None else self._settings()
        if settings is None or settings.allow is None:
            return
        if is_allowed(settings.allow, kind=kind, model=model, resolve=catalog.resolve):
            return
        place = settings.origins.get("allow", "")
        place = "ANYFAST_ALLOW" if place == "environment" else place
        raise NotAllowedError(
            f"{_WORDS.get(kind, kind)} with {model} ({kind}) is not allowed here; nothing was sent",
            hint=f"{place} allows {', '.join(settings.allow)}.",
        )

    # --- budgets --------------------------------------------------------------------------

    def admit(self, row: RequestRow, bound: Callable[[], Bound]) -> Admission:
        """Refuse what is not allowed or has no room in a budget; else set its worst case aside.

        It may read and write the store: not for the loop.

        Args:
            row: of the request; the reservation has its id.
            bound: gives what it may use at most, if that is asked for.

        Raises:
            NotAllowedError: see `allow`.
            BudgetError: a hard budget has no room for it.
            LedgerError: budgets are set, and cannot be read.
        """
        self.allow(row.kind, row.model)
        if not self._is_guarded(row):
            return Admission()
        told = self._ledger().reserve(self._ask(row, bound()))
        return Admission(told.stands, tuple(told))

    def forecast(self, row: RequestRow, bound: Bound, *, budgets: bool = True) -> Forecast:
        """What would be asked of the budgets, and what they would say; nothing is reserved or sent.

        It may read the store: not for the loop.

        Args:
            row: of the request, which is not written.
            bound: what it may use at most.
            budgets: ask them.

        Raises:
            NotAllowedError: see `allow`.
        """
        self.allow(row.kind, row.model)
        ask = self._ask(row, bound)
        cost = ask.cost
        return Forecast(
            bound=bound,
            cost=None if cost is None else Money(cost.nano, cost.currency),
            priced=self._can_price(row.kind, row.model, at=row.time),
            price_line=ask.price_line,
            budgets=verdict(self._ledger(), ask) if budgets and self._is_guarded(row) else (),
        )

    def _ask(self, row: RequestRow, bound: Bound) -> Ask:
        from anyfast_nb.ledger.budget.values import Ask

        cost = self._worst_cost(row.kind, row.model, bound, at=row.time)
        return Ask(
            id=row.id,
            user=row.user,
            notebook=row.notebook,
            thread=row.thread,
            tokens=bound.tokens,
            cost=cost,
            what=f"{_WORDS.get(row.kind, row.kind)} with {row.model}",
            fix=bound.fix,
            price_line=self._price_line(row.kind, row.model, at=row.time) if cost is None else "",
        )

    async def reserve(self, row: RequestRow, bound: Callable[[], Bound]) -> Admission:
        """`admit` off the loop, for what writes more rows before it is sent. On the private loop.

        `begin` follows, or `withdraw`. Errors as of `admit`.
        """
        self.allow(row.kind, row.model)
        if not self._is_guarded(row):
            return Admission()
        return await _whole(lambda: self.admit(row, bound), undo=lambda found: self.withdraw(row, found))

    async def begin(self, row: RequestRow, admission: Admission) -> None:
        """Write the row of a request that may go. On the private loop.

        Raises:
            LedgerError: the worst case is set aside, and the row cannot be written: it does not go.
        """
        if not admission.reserved:
            self._ledger().begin(row)
            return
        await _whole(lambda: self._begun(row, admission), undo=lambda _: self._not_sent(row))

    async def enter(self, row: RequestRow, bound: Callable[[], Bound]) -> Admission:
        """`reserve` and `begin` in one. On the private loop; errors as of both."""
        self.allow(row.kind, row.model)
        if not self._is_guarded(row):
            self._ledger().begin(row)
            return Admission()

        def work() -> Admission:
            admission = self.admit(row, bound)
            self._begun(row, admission)
            return admission

        return await _whole(work, undo=lambda _: self._not_sent(row))

    def withdraw(self, row: RequestRow, admission: Admission) -> None:
        """It will not be sent, and has no row: what was set aside for it is free again."""
        if admission.reserved:
            self._ledger().release(row.id)

    def tell(self, admission: Admission) -> None:
        """Tell of soft budgets where nobody listens to the request itself."""
        for line in admission.lines:
            self._warn(line)

    def noted(self, admission: Admission) -> tuple[str, ...]:
        """The lines of soft budgets as notes of what is made; told as well where nothing shows them."""
        if not self._shown:
            self.tell(admission)
        return admission.lines

    def _is_guarded(self, row: RequestRow) -> bool:
        return row.source is Source.LIVE and row.kind != "asset" and self._ledger().guarded()

    def _begun(self, row: RequestRow, admission: Admission) -> None:
        try:
            self._ledger().begin(row, reserved=admission.reserved)
        except BaseException:
            self.withdraw(row, admission)
            raise

    def _not_sent(self, row: RequestRow) -> None:
        self._ledger().settle(
            row.id, status=Status.INTERRUPTED, error="interrupted before it was sent", billed=Billed.NO
        )

    # --- money ----------------------------------------------------------------------------

    def _can_price(self, kind: str, model: str, *, at: datetime) -> bool:
        """Is there a price that fits? That of tokens is none for a film."""
        return self._prices().table().can_price(kind=kind, models=[model], at=at)

    def _worst_cost(self, kind: str, model: str, bound: Bound, *, at: datetime) -> Cost | None:
        return (
            self._prices()
            .table()
            .bound(
                kind=kind,
                models=[model],
                at=at,
                input_tokens=bound.input_tokens,
                output_tokens=bound.output_tokens,
                images=bound.images,
                video_s=bound.video_s,
            )
        )

    def _price_line(self, kind: str, model: str, *, at: datetime) -> str:
        from anyfast_nb.ledger.prices.book import set_line

        return "" if self._can_price(kind, model, at=at) else set_line(model, kind)

    def _prices(self) -> Prices:
        if self._kept_prices is None:
            from anyfast_nb.ledger.prices.book import Prices, prices_path

            home = None if self._settings is None else self._settings().home
            self._kept_prices = Prices(prices_path(home))
        return self._kept_prices


async def _whole(work: Callable[[], T], *, undo: Callable[[T], None]) -> T:
    """Run it in a thread, which nothing can stop: who is interrupted meanwhile has it undone.

    Raises:
        LedgerError: it has not ended after a long while; it is undone if it ever ends.
    """
    doing = asyncio.ensure_future(asyncio.to_thread(work))

    def undone(done: asyncio.Future[T]) -> None:
        if not done.cancelled() and done.exception() is None:
            undo(done.result())

    try:
        await asyncio.wait({doing}, timeout=_PATIENCE_S)
    except asyncio.CancelledError:
        doing.add_done_callback(undone)
        await asyncio.wait({doing}, timeout=_LAST_WORDS_S)
        raise
    if not doing.done():
        doing.add_done_callback(undone)
        raise LedgerError(
            f"The ledger has not answered for {_PATIENCE_S:.0f} s, and budgets hold: nothing was sent.",
            hint="`%anyfast doctor` shows where it is, and whether it answers.",
        )
    return doing.result()
