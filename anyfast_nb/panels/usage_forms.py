"""What a person fills in on the usage panel: a budget, a price. Both are closed until somebody wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import ipywidgets

from anyfast_nb.ledger.budget.values import Per, Scope
from anyfast_nb.panels.memos import in_a_row
from anyfast_nb.panels.usage_figures import PRICED
from anyfast_nb.panels.words import say

_SMALL: Final = {"width": "auto", "flex": "1 1 13em", "min_width": "12em"}
_HINTS: Final = {
    "input": "usage.per_million", "output": "usage.per_million", "image": "usage.per_image",
    "video_second": "usage.per_second",
}  # fmt: skip


class BudgetForm:
    """Amount, period, scope, and what happens beyond it.

    Args:
        on_set: called with amount, per, scope and hard.

    Attributes:
        toggle: opens the box.
        box: the form.
    """

    def __init__(self, *, on_set: Callable[[str, str, str, bool], None]) -> None:
        self._amount = _text("amount", "usage.amount_hint")
        self._per = _chooser("per", [(say(f"usage.per_{one.value}"), one.value) for one in Per])
        self._scope = _chooser("scope", [(say(f"usage.scope_{one.value}"), one.value) for one in Scope])
        self._hard = _chooser("hard", [(say("usage.hard_yes"), True), (say("usage.hard_no"), False)])
        go = ipywidgets.Button(description=say("usage.set_budget"), layout={"width": "auto"})
        go.on_click(
            lambda _: on_set(self._amount.value, self._per.value, self._scope.value, self._hard.value)
        )
        self.box = in_a_row([self._amount, self._per, self._scope, self._hard, go])
        self.toggle = _toggle("usage.edit_budget", self.box)

    def clear(self) -> None:
        """It was set."""
        self._amount.value = ""
        self.toggle.value = False


class PriceForm:
    """A model, a currency, and what costs how much.

    Args:
        on_set: called with model, currency and the prices by name, as they were written.

    Attributes:
        toggle: opens the box; it counts the requests without a price.
        box: the form.
    """

    def __init__(self, *, on_set: Callable[[str, str, dict[str, str]], None]) -> None:
        self._model = _text("model", "")
        self._currency = _text("currency", "usage.currency_hint")
        self._prices = {name: _text(name, _HINTS[name]) for name in PRICED}
        go = ipywidgets.Button(description=say("usage.set_price"), layout={"width": "auto"})
        go.on_click(
            lambda _: on_set(
                self._model.value,
                self._currency.value,
                {name: text.value for name, text in self._prices.items()},
            )
        )
        self.box = in_a_row([self._model, self._currency, *self._prices.values(), go])
        self.toggle = _toggle("usage.edit_prices", self.box)

    @property
    def is_open(self) -> bool:
        """Is it shown?"""
        return bool(self.toggle.value)

    def ask(self, model: str) -> None:
        """Open it for a model."""
        self._model.value = model
        self.toggle.value = True

    def count(self, without: int) -> None:
        """Say how many requests have no price."""
        word = say("usage.edit_prices")
        self.toggle.description = (
            f"{word} ({say('usage.without_price', count=f'{without:,}')})" if without else word
        )

    def clear(self) -> None:
        """It was set."""
        for text in (self._model, *self._prices.values()):
            text.value = ""


def _text(name: str, hint: str) -> Any:
    return ipywidgets.Text(
        description=say(f"usage.{name}"),
        placeholder=say(hint) if hint else "",
        layout=ipywidgets.Layout(**_SMALL),
    )


def _chooser(name: str, options: Sequence[tuple[str, Any]]) -> Any:
    return ipywidgets.Dropdown(
        options=options, description=say(f"usage.{name}"), layout=ipywidgets.Layout(**_SMALL)
    )


def _toggle(key: str, box: Any) -> Any:
    made = ipywidgets.ToggleButton(description=say(key), layout={"width": "auto"})
    box.layout.display = "none"

    def open_or_close(change: Any) -> None:
        box.layout.display = "flex" if change["new"] else "none"

    made.observe(open_or_close, "value")
    return made
