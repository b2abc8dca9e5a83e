"""Whether the budgets have room for a request, and what a person is told about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anyfast_nb.errors import BudgetError
from anyfast_nb.ledger.budget.values import TOKENS, Ask, BudgetState, Per, Scope, amount_text

_LOOK: Final = "`%anyfast budget` shows it"


def fits(ask: Ask, states: Sequence[BudgetState]) -> bool:
    """Whether every hard budget has room for the worst case of a request."""
    return all(_room(ask, state) for state in states if state.budget.hard)


def _room(ask: Ask, state: BudgetState) -> bool:
    worst = ask.worst(state.budget.unit)
    return worst is not None and worst <= state.left


def refusal(ask: Ask, states: Sequence[BudgetState], *, shared: bool = False) -> BudgetError | None:
    """What the first hard budget without room says; None if all have room.

    Args:
        ask: what was asked for.
        states: of all budgets that it counts against.
        shared: the ledger is a class's: a budget that is not one's own is its owner's to change.
    """
    for state in states:
        if state.budget.hard and not _room(ask, state):
            return _refused(ask, state, _look(state, shared=shared))
    return None


def warnings(ask: Ask, states: Sequence[BudgetState]) -> list[str]:
    """One line for each soft budget that this request exceeds, or may."""
    return [line for state in states if not state.budget.hard and (line := _warning(ask, state))]


def _warning(ask: Ask, state: BudgetState) -> str:
    budget, worst = state.budget, ask.worst(state.budget.unit)
    if state.left <= 0:
        over = f", {budget.said(state.excess)} more than it" if state.excess else ""
        return f"The budget of {_named(state)} is used up{over}; {_used(state)}.{_when(state)}"
    if worst is None or worst <= state.left:
        return ""
    return (
        f"{_capital(ask.what)} may take up to {budget.said(worst)}, and the budget of {_named(state)} "
        f"has {budget.said(state.left)} left.{_when(state)}"
    )


# --- refusals -----------------------------------------------------------------------------


def _refused(ask: Ask, state: BudgetState, look: str) -> BudgetError:
    budget, worst = state.budget, ask.worst(state.budget.unit)
    if worst is None:
        return _without_bound(ask, state, look)
    if state.left < 0 or (state.left == 0 and worst):
        excess = f", {budget.said(state.excess)} more than it" if state.excess else ""
        return BudgetError(
            f"The budget of {_named(state)} is used up{excess}; {ask.what} was not sent.",
            hint=f"{_capital(_used(state))}.{_when(state)} {look}.",
        )
    return BudgetError(
        f"The budget of {_named(state)} has {budget.said(state.left)} left; {ask.what} may take up to "
        f"{budget.said(worst)} and was not sent.",
        hint=f"{_smaller(ask)}{_when(state)} {look}.".strip(),
    )


def _without_bound(ask: Ask, state: BudgetState, look: str) -> BudgetError:
    unit = state.budget.unit
    if unit != TOKENS and ask.cost is not None:
        return BudgetError(
            f"The budget of {_named(state)} cannot be compared with {ask.what}, whose price is in "
            f"{ask.cost.currency}: no exchange rate is assumed, and it was not sent.",
            hint=f"Set its price in {unit} (%anyfast prices set), or a budget in {ask.cost.currency}. "
            f"{look}.",
        )
    if unit != TOKENS and _has_no_price(ask):
        return BudgetError(
            f"No price in {unit} is known for {ask.what}, and the budget of {_named(state)} is hard: "
            "it was not sent.",
            hint=_priced_in(ask.price_line, unit),
        )
    fix = f"What gives a bound: {ask.fix}" if ask.fix else f"A soft budget (--soft) warns; {look}"
    return BudgetError(
        f"Nobody can say how much {ask.what} takes at most, and the budget of {_named(state)} is hard: "
        "it was not sent.",
        hint=f"{fix}.",
    )


def _has_no_price(ask: Ask) -> bool:
    """Is it the price that is missing, and not a bound?"""
    return bool(ask.price_line) or ask.tokens is not None or not ask.fix


def _priced_in(line: str, unit: str) -> str:
    """The line that sets the price, in the budget's currency: another would not help."""
    if not line:
        return f"Set it: %anyfast prices set MODEL input=… output=… currency={unit}"
    return f"Set it: {line.rpartition('currency=')[0]}currency={unit}" if "currency=" in line else line


# --- words --------------------------------------------------------------------------------


def _named(state: BudgetState) -> str:
    budget = state.budget
    whose = {
        Scope.ALL: f"of {budget.user}" if budget.user else "",
        Scope.USER: f"for {state.user}" if state.user else "for each user",
        Scope.NOTEBOOK: f"for {state.notebook or 'an unknown notebook'}",
        Scope.THREAD: f"for thread {state.thread}",
    }[budget.scope]
    period = "in total" if budget.per is Per.TOTAL else f"a {budget.per.value}"
    return f"{budget.said(budget.amount)} {period} {whose}".rstrip()


def _used(state: BudgetState) -> str:
    """What was used, without the unit said twice."""
    unit = state.budget.unit
    if not state.reserved:
        return f"{amount_text(state.spent, unit)} were used"
    spent = amount_text(state.spent, unit).partition(" ")[0]
    return f"{spent} spent and {amount_text(state.reserved, unit)} reserved by requests without an end"


def _when(state: BudgetState) -> str:
    return f" It begins anew at {state.anew}." if state.ends else ""


def _smaller(ask: Ask) -> str:
    return f"What makes it smaller: {ask.fix}." if ask.fix else "A smaller request may fit."


def _look(state: BudgetState, *, shared: bool) -> str:
    if shared and state.budget.user is None:
        return f"{_LOOK}. It is the class's: the owner of the ledger set it, and can change it"
    return f"{_LOOK}, `%anyfast budget end N` ends it"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
