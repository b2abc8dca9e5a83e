"""The media of a request as small cards, what is wrong with something, and what a request amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.clip import Image, data_uri
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.style import page

_SIGNS = {"video": "▶", "audio": "♪", "image": "▣"}


@dataclass(frozen=True, slots=True)
class InputCard:
    """One medium.

    Attributes:
        name: of the file, variable or address.
        kind: image, video or audio.
        role: what it is for, in words.
        called: how the prompt names it, such as ``@image1``; "" is not at all.
        image: a small picture of it.
        facts: kind, size, length.
        remarks: what was checked, what may be refused.
        trouble: what is wrong with it.
        roles: buttons that give it another role.
        acts: the other buttons.
    """

    name: str
    kind: str
    role: str
    called: str = ""
    image: Image | None = field(default=None, repr=False)
    facts: Sequence[str] = ()
    remarks: Sequence[str] = ()
    trouble: Sequence[str] = ()
    roles: Sequence[Act] = ()
    acts: Sequence[Act] = ()


def input_html(card: InputCard) -> str:
    """A medium as safe HTML."""
    if card.image is None:
        sign = _SIGNS.get(card.kind, "▣")
        box = f'<div class="anyfast-nopicture" aria-hidden="true">{sign}</div>'
    else:
        box = f'<img src="{data_uri(*card.image)}" alt="{escape_attribute(card.name)}">'
    called = f" <code>{escape_prose(card.called)}</code>" if card.called else ""
    head = f"<div><b>{escape_prose(card.role)}</b>{called}</div>\n"
    name = (
        f'<div class="anyfast-name" title="{escape_attribute(card.name)}">{escape_prose(card.name)}</div>\n'
    )
    facts = _quiet(" · ".join(card.facts))
    remarks = "".join(_quiet(remark) for remark in card.remarks)
    inner = head + name + facts + remarks + wrong_html(card.trouble)
    buttons = acts_html(card.roles if len(card.roles) > 1 else ()) + acts_html(card.acts)
    return f'<div class="anyfast-input">{box}<div class="anyfast-about">{inner}{buttons}</div></div>'


def wrong_html(lines: Sequence[str]) -> str:
    """What is wrong, and what to do; nothing for no lines."""
    inner = "".join(f"<div>{escape_prose(line)}</div>" for line in lines)
    return f'<div class="anyfast-wrong">{inner}</div>' if inner else ""


def rows_of_facts_html(
    head: str, rows: Sequence[tuple[str, str]], *, notes: Sequence[str] = (), acts: Sequence[Act] = ()
) -> str:
    """What a request amounts to.

    Args:
        head: the mode, in a line.
        rows: names and values.
        notes: what was assumed, and what may be refused.
        acts: buttons below.
    """
    cells = "".join(
        f"<span><small>{escape_prose(name)}</small> {escape_prose(value)}</span>" for name, value in rows
    )
    facts = f'<div class="anyfast-figures">{cells}</div>\n' if cells else ""
    small = "".join(_quiet(note) for note in notes)
    return page(f'<div class="anyfast-mode">{escape_prose(head)}</div>\n{facts}{small}{acts_html(acts)}')


def line_html(text: str, *, acts: Sequence[Act] = (), quiet: bool = False) -> str:
    """A line with buttons: a question, or that something was there already."""
    name = "anyfast-fine" if quiet or not text else "anyfast-told"
    lines = "".join(f"<div>{escape_prose(line)}</div>" for line in text.splitlines())
    return f'<div class="{name}">{lines}{acts_html(acts)}</div>'


def _quiet(text: str) -> str:
    return f'<div class="anyfast-fine">{escape_prose(text)}</div>\n' if text else ""
