"""Budgets from Python: set, end, and all of them as a pandas frame."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyfast_nb.ledger.budget.values import NANO, TOKENS, Budget, BudgetState, Per, Scope, parse_amount
from anyfast_nb.ledger.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: Final = {
    "id": "string",
    "amount": "Float64",
    "unit": "category",
    "per": "category",
    "scope": "category",
    "hard": "boolean",
    "user": "string",
    "notebook": "string",
    "thread": "string",
    "spent": "Float64",
    "reserved": "Float64",
    "left": "Float64",
    "excess": "Float64",
    "unknown": "Int64",
    "begins": "datetime64[us, UTC]",
    "ends": "datetime64[us, UTC]",
}


def set_budget(
    amount: str,
    *,
    per: Per | str,
    scope: Scope | str = Scope.ALL,
    hard: bool = True,
    zone: str | None = None,
    user: str | None = None,
    path: str | Path | None = None,
) -> Budget:
    """Set a budget; one of the same user, unit, period, scope and hardness gives way to it.

    Args:
        amount: such as ``5 USD`` or ``200k tokens``; the unit is required.
        per: ``day`` (from midnight), ``week`` (from Monday's), ``total`` (all from now on).
        scope: ``all`` together, or each ``user``, ``notebook`` or ``thread``.
        hard: refuse before sending what might go beyond it; else warn.
        zone: whose midnight, an IANA name; by default this system's.
        user: whose requests alone; None is everybody's. In a shared ledger only its owner says so.
        path: another ledger file or URL; by default ``ANYFAST_LEDGER_URL``, else the state folder's.

    Raises:
        InputError: an amount without a unit, or another value that cannot be.
        LedgerError: the ledger cannot be written.

    Example:
        >>> made = set_budget("200k tokens", per="day")
        >>> str(made), budgets()["left"].sum()
        ('200,000 tokens a day', 200000.0)
        >>> end_budget(made)
    """
    number, unit = parse_amount(amount)
    with _ledger(path) as ledger:
        return ledger.set_budget(number, unit, per=per, scope=scope, hard=hard, zone=zone, user=user)


def end_budget(budget: Budget | str, *, path: str | Path | None = None) -> None:
    """Take a budget back.

    Args:
        budget: what `set_budget` gave, or its id.
        path: another ledger.

    Raises:
        InputError: it does not hold.
        NotAllowedError: in a shared ledger, it is not one's own.
    """
    with _ledger(path) as ledger:
        ledger.end_budget(budget.id if isinstance(budget, Budget) else budget)


def budgets(
    *,
    user: str | None = None,
    notebook: str | None = None,
    thread: str | None = None,
    everyone: bool = False,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """How the budgets stand: a row for each, and for each user, notebook or thread of its scope.

    Args:
        user: for whom; None is every user of a ledger of one's own, and oneself in a shared one.
        notebook: in which; None is each that used something.
        thread: of which conversation; None is each that used something.
        everyone: each user of a shared ledger; only its owner is told.
        path: another ledger.

    Returns:
        ``id amount unit per scope hard user notebook thread spent reserved left excess unknown begins
        ends``; amounts in tokens or in units of the currency. ``unknown`` counts requests whose figure
        nobody knows; they are in no sum. ``ends`` is NA for a total.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    import pandas as pd

    with _ledger(path) as ledger:
        states = ledger.budgets(user=user, notebook=notebook, thread=thread, everyone=everyone)
    frame = pd.DataFrame([_row(state) for state in states], columns=list(_COLUMNS))
    return frame.astype(_COLUMNS)


def _row(state: BudgetState) -> dict[str, object]:
    one = state.budget
    parts = 1 if one.unit == TOKENS else NANO
    row: dict[str, object] = {name: getattr(one, name) for name in ("id", "unit", "hard")}
    row |= {"per": one.per.value, "scope": one.scope.value, "amount": one.amount / parts}
    row |= {name: getattr(state, name) / parts for name in ("spent", "reserved", "left", "excess")}
    row |= {name: getattr(state, name) for name in ("notebook", "thread", "unknown", "begins", "ends")}
    return row | {"user": state.user or one.user}


@contextlib.contextmanager
def _ledger(path: str | Path | None) -> Iterator[Ledger]:
    told: list[str] = []
    with Ledger(path, warn=told.append) as ledger:
        yield ledger
    for text in told:
        warnings.warn(text, stacklevel=4)
