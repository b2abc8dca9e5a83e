"""How budgets stand: the sums of a SQLite ledger, and what a PostgreSQL ledger's functions say, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, or_, select, true

from anyfast_nb.ledger.budget.sums import standing, sums
from anyfast_nb.ledger.budget.values import Ask, Budget, BudgetState, Scope, Standing
from anyfast_nb.ledger.budget.windows import window
from anyfast_nb.ledger.disk.tables import BUDGETS
from anyfast_nb.ledger.rows import kept_text, microseconds, moment_of

Who = Mapping[str, str | None]
"""The user, the notebook and the thread that are asked about."""


def who(*, user: str | None, notebook: str | None, thread: str | None) -> dict[str, str | None]:
    """Who asks, in the words that the ledger keeps."""
    return {"user": kept_text(user), "notebook": kept_text(notebook), "thread": kept_text(thread)}


def wish(ask: Ask) -> dict[str, Any]:
    """What is asked for, as `reserve` takes it."""
    cost = ask.cost
    return {
        "id": ask.id,
        **who(user=ask.user, notebook=ask.notebook, thread=ask.thread),
        "tokens": ask.tokens,
        "cost_nano": None if cost is None else cost.nano,
        "currency": None if cost is None else cost.currency,
    }


def states_here(
    connection: Connection,
    asker: Who,
    *,
    now: datetime,
    any_user: bool = False,
    any_notebook: bool = False,
    any_thread: bool = False,
) -> list[BudgetState]:
    """All budgets that apply in a SQLite ledger, with their sums; at least one state for each.

    Args:
        connection: to the ledger.
        asker: whose amounts.
        now: aware.
        any_user: those of every user, a state each.
        any_notebook: of every notebook.
        any_thread: of every thread.
    """
    row = BUDGETS.c
    mine = true() if any_user else or_(row.user_name.is_(None), row.user_name == asker["user"])
    held = select(BUDGETS).where(row.ended_us.is_(None), mine).order_by(row.created_us, row.id)
    if not any_thread and asker["thread"] is None:
        held = held.where(row.scope != Scope.THREAD.value)
    states = []
    statement = _sums()
    for found in map(dict, connection.execute(held).mappings().all()):
        budget = Budget.of(found)
        period = window(budget.per, zone=budget.zone, created_us=found["created_us"], now=now)
        values = {"begins_us": period[0], "moment_us": microseconds(now), "unit": budget.unit}
        values |= {"scope": budget.scope.value, "owner": budget.user, **asker}
        values |= {"any_user": any_user, "any_notebook": any_notebook, "any_thread": any_thread}
        lines = [dict(line) for line in connection.execute(statement, values).mappings()]
        states += _states(budget, period, lines, asker)
    return states


@cache
def _sums() -> Select[Any]:
    return sums()  # building it takes longer than carrying it out


def states_told(found: Sequence[Mapping[str, Any]], asker: Who) -> list[BudgetState]:
    """The same from what a function of a PostgreSQL ledger says."""
    return [
        state
        for one in found
        for state in _states(
            Budget.of(one["budget"]),
            (one["begins_us"], one["ends_us"]),
            one["lines"],
            {**asker, "user": one["user"]},
        )
    ]


def _states(
    budget: Budget, period: tuple[int, int | None], lines: Sequence[Mapping[str, Any]], asker: Who
) -> list[BudgetState]:
    if lines:
        return [BudgetState.of(budget, period, line) for line in lines]
    nothing = {"user_name": asker["user"], "notebook": asker["notebook"], "thread": asker["thread"]}
    return [BudgetState.of(budget, period, nothing)]


def unsettled_here(connection: Connection, *, user: str | None, since_us: int) -> list[dict[str, Any]]:
    """The reservations that stand in a SQLite ledger although their request was sent."""
    values = {"user": user, "any_user": user is None, "begins_us": since_us}
    return [dict(row) for row in connection.execute(standing(), values).mappings()]


def unsettled_told(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Standing]:
    """The same as values."""
    return [
        Standing(
            id=row["id"],
            age=now - moment_of(int(row["time_us"])),
            user=row["user_name"],
            kind=row["kind"],
            model=row["model"],
            status=row["status"],
            tokens=row["tokens"],
            cost_nano=row["cost_nano"],
            currency=row["currency"],
            reserved_at=moment_of(int(row["time_us"])),
            under_way=bool(row.get("under_way")),
        )
        for row in rows
    ]
