"""What a request cost, as its row is settled; a broken price file costs nobody a request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError
from anyfast_nb.ledger.disk.durable import Durable
from anyfast_nb.ledger.rows import Record, moment_of

if TYPE_CHECKING:
    from anyfast_nb.ledger.prices.book import Cost, Prices
    from anyfast_nb.wire.values import Usage


class Pricing(Durable):
    """The prices of the user, applied to rows."""

    _prices: Prices | None = None

    def _cost(self, record: Record, *, usage: Usage) -> Cost | None:
        """What the request of a row cost; None if no price or no figure is known."""
        at: datetime = moment_of(int(record["time_us"] or 0))
        try:
            if self._prices is None:
                from anyfast_nb.ledger.prices.book import Prices

                self._prices = Prices()
            models: list[Any] = [name for name in (record["model_served"], record["model_asked"]) if name]
            images: Any = record["images"]
            video_s: Any = record["video_s"]
            return self._prices.table().cost(
                kind=str(record["kind"]), models=models, at=at, usage=usage, images=images, video_s=video_s
            )
        except (AnyFastError, OSError, ValueError, ArithmeticError) as error:
            said = f"{error.message}. {error.hint}" if isinstance(error, AnyFastError) else str(error)
            self._tell("prices", f"Requests go on, without their cost: {said}")
            return None


def costing(cost: Cost | None) -> Record:
    """A cost as columns of a row."""
    if cost is None:
        return {"cost_nano": None, "currency": None, "price_version": None}
    return {"cost_nano": cost.nano, "currency": cost.currency, "price_version": cost.version}
