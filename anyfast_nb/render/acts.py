"""The buttons under something on a board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anyfast_nb.render.escape import escape_attribute, escape_prose


@dataclass(frozen=True, slots=True)
class Act:
    """One button.

    Attributes:
        label: on it.
        act: what the board is told, such as ``remove:3``.
        copy: instead, the key of a text that it copies.
        pressed: of a button that is on or off.
        title: what it does, in more words; it is read out instead of the label.
        off: it cannot be pressed now.
    """

    label: str
    act: str = ""
    copy: str = ""
    pressed: bool | None = None
    title: str = ""
    off: bool = False


def acts_html(acts: Iterable[Act]) -> str:
    """The buttons in a row; nothing for none."""
    buttons = "".join(_button(act) for act in acts)
    return f'<div class="anyfast-acts">{buttons}</div>\n' if buttons else ""


def _button(act: Act) -> str:
    what = (
        f'data-copy="{escape_attribute(act.copy)}"' if act.copy else f'data-act="{escape_attribute(act.act)}"'
    )
    pressed = "" if act.pressed is None else f' aria-pressed="{"true" if act.pressed else "false"}"'
    title = (
        f' title="{escape_attribute(act.title)}" aria-label="{escape_attribute(act.title)}"'
        if act.title
        else ""
    )
    off = " disabled" if act.off else ""
    told = f'type="button" class="anyfast-act" {what}{pressed}{title}{off}'
    return f"<button {told}>{escape_prose(act.label)}</button>"
