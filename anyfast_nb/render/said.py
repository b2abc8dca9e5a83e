"""What stands on a chat's board beside the answers: messages, buttons, errors, totals; and its essence."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.answer import answer_bundle, answer_plain
from anyfast_nb.render.escape import escape, escape_attribute, escape_prose
from anyfast_nb.render.style import STYLE

if TYPE_CHECKING:
    from anyfast_nb.wire.values import Answer

_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that went with a message.

    Attributes:
        name: what it is called.
        picture: a small one, as media type and bytes; None is no picture.
    """

    name: str
    picture: tuple[str, bytes] | None = None


def said_html(text: str, chips: Iterable[Chip] = ()) -> str:
    """A person's message, as it was written, and what went with it."""
    attached = "".join(_chip_html(chip) for chip in chips)
    row = f'<div class="anyfast-went">{attached}</div>' if attached else ""
    words = f'<div class="anyfast-words">{escape_prose(text)}</div>' if text.strip() else ""
    return f'<div class="anyfast-said">{words}{row}</div>'


def _chip_html(chip: Chip) -> str:
    name = escape_prose(chip.name)
    if chip.picture is None:
        return f'<span class="anyfast-mini">{name}</span>'
    kind, data = chip.picture
    source = f"data:{escape_attribute(kind)};base64,{base64.b64encode(data).decode('ascii')}"
    image = f'<img src="{source}" alt="{escape_attribute(chip.name)}">'
    return f'<figure class="anyfast-mini">{image}<figcaption>{name}</figcaption></figure>'


def error_html(lines: Sequence[str], acts: Iterable[Act] = ()) -> str:
    """What went wrong, and what to do next; what stands in backticks is code."""
    shown = "".join(f"<div>{_with_code(line)}</div>" for line in lines)
    return f'<div class="anyfast-error">{shown}{acts_html(acts)}</div>'


def _with_code(line: str) -> str:
    parts = _CODE.split(line)
    return "".join(
        f"<code>{escape(part)}</code>" if number % 2 else escape_prose(part)
        for number, part in enumerate(parts)
    )


def line_html(text: str) -> str:
    """A quiet line."""
    return f'<div class="anyfast-line">{escape_prose(text)}</div>'


def answer_html(answer: Answer, *, footer: Any = "full") -> str:
    """A finished answer as a piece of a board, where its sheet stands once for all."""
    return str(answer_bundle(answer, footer=footer)["text/html"]).replace(STYLE, "")


def talk_bundle(
    turns: Sequence[tuple[str, Sequence[Chip], Answer]],
    *,
    title: str,
    left_out: str = "",
    footer: Any = "full",
) -> dict[str, Any]:
    """Questions and answers as they stay in a notebook.

    Args:
        turns: what was said, what went with it, and the answer, oldest first.
        title: above all.
        left_out: a line about what is not shown, "" if all is.
        footer: how much the line under each answer tells.
    """
    heads = [title, left_out] if left_out else [title]
    html = "".join(line_html(head) for head in heads) + "".join(
        _lasting(said_html(text, chips)) + answer_html(answer, footer=footer) for text, chips, answer in turns
    )
    plain = [f"> {text}\n\n{answer_plain(answer)}" for text, _, answer in turns]
    return {"text/html": html, "text/plain": "\n\n".join([*heads, *plain])}


def _lasting(html: str) -> str:
    """With the little style that it needs where no panel has brought its sheet."""
    edge = "border-left:3px solid var(--jp-brand-color1,#1976d2);padding:2px 10px;margin:12px 0 6px"
    styled = html.replace('<div class="anyfast-said">', f'<div class="anyfast-said" style="{edge}">', 1)
    styled = styled.replace('<div class="anyfast-words">', '<div style="white-space:pre-wrap">', 1)
    return styled.replace("<img ", '<img style="max-height:96px;width:auto" ')
