"""Buttons on a board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anyfast_nb.render.escape import escape_attribute, escape_prose


@dataclass(frozen=True, slots=True)
class Act:
    """One button.

    Attributes:
        label: what stands on it.
        act: what the board is told, such as ``remove:3``.
        copy: instead, the key of a text that it copies.
        pressed: of a button that is on or off.
        open: of one that opens something: is it open?
        title: what it does, where the label alone does not say; a mere sign is read out by it.
        off: it cannot be pressed now.
        quiet: without a border.
    """

    label: str
    act: str = ""
    copy: str = ""
    pressed: bool | None = None
    open: bool | None = None
    title: str = ""
    off: bool = False
    quiet: bool = False


def acts_html(acts: Iterable[Act], *, label: str = "") -> str:
    """The buttons in a row; nothing for none.

    Args:
        acts: from left to right.
        label: what the row is for, for those who do not see it.
    """
    buttons = "".join(map(_button, acts))
    named = f' role="group" aria-label="{escape_attribute(label)}"' if label else ""
    return f'<div class="anyfast-acts"{named}>{buttons}</div>\n' if buttons else ""


def _button(act: Act) -> str:
    is_sign = not any(letter.isalnum() for letter in act.label)
    told = {
        "class": "anyfast-act anyfast-quiet" if act.quiet else "anyfast-act",
        "data-copy": act.copy,
        "data-act": "" if act.copy else act.act,
        "aria-pressed": _word(act.pressed),
        "aria-expanded": _word(act.open),
        "title": act.title,
        "aria-label": act.title if is_sign else "",
        "disabled": "disabled" if act.off else "",
    }
    attributes = "".join(f' {name}="{escape_attribute(value)}"' for name, value in told.items() if value)
    return f'<button type="button"{attributes}>{escape_prose(act.label)}</button>'


def _word(state: bool | None) -> str:
    return "" if state is None else str(state).lower()
