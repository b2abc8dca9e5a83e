"""The controls of a chat: which thread, which model, the system prompt, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import ipywidgets

from anyfast_nb import catalog
from anyfast_nb.errors import InputError
from anyfast_nb.gateway.prompt import APIS, REASONING
from anyfast_nb.panels.words import say

_ABILITIES: Final = {
    "reasoning": "chat.can_reason",
    "image input": "chat.can_see",
    "video input": "chat.can_watch",
    "documents": "chat.can_read",
    "tools": "chat.can_call",
    "web search": "chat.can_search",
}
_NUMBERS: Final = {"temperature": float, "top_p": float, "max_tokens": int}
_MOST_SERVED: Final = 400


class Controls:
    """The widgets, and what is chosen with them.

    Args:
        model: chosen at first.
        system: of the system prompt at first.
        default_system: of the settings.
        on_model: called when another model is chosen.
        on_thread: called with the name of a thread that is chosen.

    Attributes:
        threads: chooses the thread.
        model: chooses the model.
        details: what is closed at first.
    """

    def __init__(
        self,
        *,
        model: str,
        system: str,
        default_system: str,
        on_model: Callable[[], None],
        on_thread: Callable[[str], None],
    ) -> None:
        wide = ipywidgets.Layout(width="auto", flex="1 1 14em", min_width="12em")
        small = ipywidgets.Layout(width="auto", flex="1 1 11em", min_width="10em")
        self._naming = False
        self.threads = ipywidgets.Dropdown(description=say("chat.thread"), layout=wide)
        self._on_thread = on_thread
        self.threads.observe(self._chosen, "value")
        self.model = ipywidgets.Combobox(
            value=model,
            options=catalog.names(ability="chat"),
            description=say("chat.model"),
            placeholder=say("chat.model_hint"),
            layout=wide,
        )
        self.model.observe(lambda _: on_model(), "value")
        self._system = ipywidgets.Textarea(
            value=system,
            description=say("chat.system"),
            placeholder=default_system or say("chat.system_hint"),
            rows=2,
            layout=ipywidgets.Layout(width="100%"),
        )
        hint = say("chat.default")
        self._numbers = {
            name: ipywidgets.Text(placeholder=hint, description=say(f"chat.{name}"), layout=small)
            for name in _NUMBERS
        }
        self._reasoning = ipywidgets.Dropdown(
            options=[(hint, ""), *((_reasoning(word), word) for word in REASONING)],
            description=say("chat.reasoning"),
            layout=small,
        )
        self._api = ipywidgets.Dropdown(
            options=[(say("chat.api_auto") if word == "auto" else word, word) for word in APIS],
            description=say("chat.api"),
            layout=small,
        )
        row = ipywidgets.HBox([*self._numbers.values(), self._reasoning, self._api])
        row.add_class("anyfast-bar")
        self.details = ipywidgets.VBox([self._system, row])
        self.details.add_class("anyfast-details")
        self.open(on=False)

    def _chosen(self, change: Any) -> None:
        if not self._naming:
            self._on_thread(change["new"])

    # --- what is chosen -------------------------------------------------------------------

    def options(self) -> dict[str, Any]:
        """As arguments of a chat; what is left alone is not among them.

        Raises:
            InputError: a number that is none.
        """
        found: dict[str, Any] = {"model": self.model.value.strip() or None}
        if self._system.value.strip():
            found["system"] = self._system.value
        for name, kind in _NUMBERS.items():
            text = self._numbers[name].value.strip()
            if text:
                found[name] = _number(text, kind, self._numbers[name].description)
        found["reasoning"] = self._reasoning.value or None  # a choice of None would be shown as no choice
        found["api"] = None if self._api.value == "auto" else self._api.value
        return {name: value for name, value in found.items() if value is not None}

    def about_model(self) -> str:
        """The chosen model and what it can do, in words; "" for one the catalogue does not know."""
        wanted = catalog.resolve(self.model.value.strip())
        known = next((one for one in catalog.models() if one.id == wanted), None)
        if known is None:
            return say("chat.unknown_model") if wanted else ""
        able = [say(_ABILITIES[one]) for one in known.abilities if one in _ABILITIES]
        return f"{known.about} · {', '.join(able)}" if able else known.about

    # --- what is shown --------------------------------------------------------------------

    def open(self, *, on: bool) -> None:
        """Show the details, or close them."""
        self.details.layout.display = "flex" if on else "none"

    @property
    def is_open(self) -> bool:
        """Are the details shown?"""
        return bool(self.details.layout.display != "none")

    def name_threads(self, names: Sequence[str], chosen: str) -> None:
        """The threads there are, and the one that is shown."""
        listed = names if chosen in names else sorted([*names, chosen])
        if tuple(listed) != tuple(self.threads.options):
            self._naming = True  # new options choose the first of them for a moment
            self.threads.options = tuple(listed)
            self._naming = False
        self.threads.value = chosen

    def offer(self, served: Sequence[str]) -> None:
        """Offer what the gateway lists, beside what the catalogue knows."""
        known = catalog.names(ability="chat")
        others = {model.id for model in catalog.models()} - set(known)  # pictures and films
        more = sorted({one for one in served if one not in known and one not in others})
        self.model.options = (*known, *more[:_MOST_SERVED])

    def rest(self, *, on: bool) -> None:
        """While an answer comes the thread cannot be changed."""
        self.threads.disabled = on


def _reasoning(word: str) -> str:
    return say("chat.reasoning_off") if word == "off" else word


def _number(text: str, kind: type, name: str) -> float | int:
    try:
        return kind(text.replace(",", "."))  # type: ignore[no-any-return]
    except ValueError:
        raise InputError(say("chat.no_number", name=name, text=text[:40]), field=name) from None
