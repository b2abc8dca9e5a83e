"""What tests of budgets share: rows as they may be in a ledger, and a zone where it is about noon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert

from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.budget.values import Ask
from anyfast_nb.ledger.disk.tables import BUDGETS, REQUESTS, RESERVATIONS
from anyfast_nb.ledger.prices.table import Cost
from anyfast_nb.ledger.rows import microseconds, new_id


def noon_zone(now: datetime) -> str:
    """A zone in which it is about noon, so that no midnight comes between two lines of a test."""
    ahead = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}"  # their signs are turned round


def request_record(**changes: Any) -> dict[str, Any]:
    """A row of `requests`."""
    record = {
        "id": new_id(),
        "time_us": microseconds(datetime.now(UTC)),
        "kind": "chat",
        "source": "live",
        "base_url": "https://www.anyfast.ai/v1",
        "model_asked": "doubao-seed-2.0-lite",
        "status": "unfinished",
    }
    return record | changes


def reservation_record(**changes: Any) -> dict[str, Any]:
    """A row of `reservations`, which does not expire soon."""
    now = datetime.now(UTC)
    times = {"time_us": microseconds(now), "expires_us": microseconds(now + timedelta(minutes=15))}
    return {"id": new_id()} | times | changes


def fill(
    ledger: Ledger, *, requests: list[dict[str, Any]] = (), reservations: list[dict[str, Any]] = ()
) -> None:  # type: ignore[assignment]
    """Put rows into the store as they are, past all that would mend them."""
    with ledger.transaction() as connection:
        for table, rows in ((REQUESTS, requests), (RESERVATIONS, reservations)):
            for row in rows:
                connection.execute(insert(table).values(**row))


def empty(ledger: Ledger) -> None:
    """Take all budgets and rows away."""
    with ledger.transaction() as connection:
        for table in (REQUESTS, RESERVATIONS, BUDGETS):
            connection.execute(delete(table))
    ledger._hint.unlink(missing_ok=True)  # that a hard one was set here


def ask(*, tokens: int | None = None, usd: str | None = None, **changes: Any) -> Ask:
    """What a request asks for; `usd` is in billionths."""
    cost = None if usd is None else Cost(int(usd), "USD", "p1")
    return Ask(**({"id": new_id(), "tokens": tokens, "cost": cost, "what": "a chat with pro"} | changes))
