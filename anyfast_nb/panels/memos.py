"""Rows of controls, and the notes of a panel: what goes on, what went wrong, each to be taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from anyfast_nb.panels.board import Board
from anyfast_nb.panels.words import say
from anyfast_nb.render.shelf import note_html


class Memos:
    """Notes by their names.

    Args:
        room: whose words it speaks: asset, jobs, usage.
        on_act: called with what is pressed: ``away:NAME`` takes one off.

    Attributes:
        board: where they stand.
    """

    def __init__(self, room: str, *, on_act: Callable[[str], None]) -> None:
        self._close = say(f"{room}.close")
        self.board = Board(label=say(f"{room}.notes_label"), on_act=on_act)

    def put(self, name: str, lines: Sequence[str], *, kind: str = "", away: bool = True) -> None:
        """Show a note, in place of the one of the same name.

        Args:
            name: its name.
            lines: text.
            kind: ``trouble``, ``going``, or nothing special.
            away: it can be taken off by a button.
        """
        if kind != "going":
            self.board.announce(lines[0])
        self.board.put(
            name, note_html(lines, act=f"away:{name}" if away else "", close=self._close, kind=kind)
        )

    def drop(self, name: str) -> None:
        """Take a note off."""
        self.board.remove(name)


def in_a_row(widgets: Sequence[Any]) -> Any:
    """Controls beside each other, below each other where the page is narrow."""
    made = ipywidgets.HBox(widgets)
    made.add_class("anyfast-bar")
    made.add_class("anyfast-fields")
    return made


def press_button(key: str, press: Callable[[Any], None]) -> Any:
    """A button with the words of a key."""
    made = ipywidgets.Button(description=say(key), layout={"width": "auto"})
    made.on_click(press)
    return made
