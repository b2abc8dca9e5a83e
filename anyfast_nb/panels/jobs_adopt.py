"""A field for the task id of a job whose reply was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from anyfast_nb.panels.words import say


class Adopting:
    """Asks for a task id, where a job needs one.

    Args:
        on_adopt: called with the job's id and the task id.

    Attributes:
        box: what is shown.
        id: of the job that is asked about, "" is none.
    """

    def __init__(self, *, on_adopt: Callable[[str, str], None]) -> None:
        self.id = ""
        self._on_adopt = on_adopt
        self._what = ipywidgets.Label()
        self._text = ipywidgets.Text(
            description=say("jobs.task_id"),
            placeholder=say("jobs.task_hint"),
            layout={"width": "auto", "flex": "1 1 16em", "min_width": "12em"},
        )
        go = ipywidgets.Button(description=say("jobs.adopt"), layout={"width": "auto"})
        go.on_click(self._pressed)
        row = ipywidgets.HBox([self._text, go])
        row.add_class("anyfast-bar")
        row.add_class("anyfast-fields")
        self.box = ipywidgets.VBox([self._what, row])
        self.show("", "")

    def show(self, id: str, short: str) -> None:
        """Ask about a job; "" asks about none.

        Args:
            id: the whole one.
            short: its end.
        """
        self.id = id
        self._what.value = say("jobs.adopt_what", id=short) if id else ""
        self.box.layout.display = "flex" if id else "none"

    def _pressed(self, _: Any) -> None:
        self._on_adopt(self.id, str(self._text.value))
        self._text.value = ""
