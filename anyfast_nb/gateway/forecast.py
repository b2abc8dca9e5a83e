"""What a request may use, and what the budgets would say, told without sending or reserving anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from anyfast_nb.errors import AnyFastError

if TYPE_CHECKING:
    from anyfast_nb.gateway.bound import Bound
    from anyfast_nb.ledger.budget.values import Ask, BudgetState
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.wire.values import Money

_SCOPES: Final = ("user", "notebook", "thread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is known of a request before it is sent.

    Attributes:
        bound: what it may use at most.
        cost: what it may cost at most; None where no price is set, or nobody can say.
        priced: a price is set for its model.
        price_line: the line that sets one.
        budgets: what budgets say to it, a line each; none where they have room.
    """

    bound: Bound
    cost: Money | None = None
    priced: bool = False
    price_line: str = ""
    budgets: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The same for a person, a line each."""
        return [f"at most {', '.join(self._figures())}", *self.budgets]

    def _figures(self) -> Iterable[str]:
        bound = self.bound
        if bound.tokens is None:
            yield "nobody knows how many tokens" + (f": {bound.fix} gives a bound" if bound.fix else "")
        elif bound.tokens:
            yield f"{bound.input_tokens:,} tokens in and {bound.output_tokens:,} out"
        if self.cost is not None:
            yield self.cost.brief()
        elif not self.priced:
            yield f"no price set ({self.price_line})" if self.price_line else "no price set"


def verdict(ledger: Ledger, ask: Ask) -> tuple[str, ...]:
    """What the budgets would say to a request: nothing is reserved.

    Returns:
        A line for the hard budget that refuses it, else one for each soft one that it may exceed.
    """
    from anyfast_nb.ledger.budget.verdict import refusal, warnings

    try:
        found = ledger.budgets(user=ask.user, notebook=ask.notebook, thread=ask.thread)
    except AnyFastError as error:
        return (f"budgets cannot be read: {error.message}",)
    states = [state for state in found if _is_about(state, ask)]
    if (refused := refusal(ask, states, shared=ledger.shared)) is not None:
        return (f"a budget refuses it: {refused.message} {refused.hint}".rstrip(),)
    return tuple(warnings(ask, states))


def _is_about(state: BudgetState, ask: Ask) -> bool:
    scope = state.budget.scope.value
    return scope not in _SCOPES or getattr(state, scope) == getattr(ask, scope)
