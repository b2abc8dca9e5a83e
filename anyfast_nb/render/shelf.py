"""Assets on a shelf: a card for each, with its state and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.notice import table
from anyfast_nb.wire.assets import AssetStatus

if TYPE_CHECKING:
    from anyfast_nb.wire.assets import Asset

Say = Callable[..., str]
"""The words of a key."""

_STATES: Final = {
    AssetStatus.ACTIVE: "asset.active",
    AssetStatus.PENDING: "asset.pending",
    AssetStatus.FAILED: "asset.broken",
}
_SIGNS: Final = {"Image": "▧", "Video": "▶", "Audio": "♪"}
_MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Shelved:
    """An asset as it is shown.

    Attributes:
        asset: what the server knows.
        group: its group's name.
        picture: the name of a small copy on the board, "" is none.
        sure: deleting it was pressed once.
    """

    asset: Asset
    group: str = ""
    picture: str = ""
    sure: bool = False


def card_html(shelved: Shelved, *, say: Say) -> str:
    """An asset as a card with buttons."""
    asset = shelved.asset
    name = escape_attribute(asset.name or asset.id)
    if shelved.picture:
        picture = f'<img data-medium="{escape_attribute(shelved.picture)}" alt="">'
    else:
        picture = f'<span aria-hidden="true">{_SIGNS.get(asset.type, "◇")}</span>'
    state = state_html(asset.status.value, _state(asset, say))
    facts = [_type(asset, say), shelved.group, when(asset)]
    about = escape_prose(" · ".join(fact for fact in facts if fact))
    why = f'<div class="anyfast-fault">{escape_prose(asset.error)}</div>' if asset.error else ""
    key = escape_attribute(asset.id)
    use = [button(f"use:{key}", say("asset.use"), of=name)] if asset.usable else []
    delete = say("asset.sure" if shelved.sure else "asset.delete")
    acts = [
        *use,
        copy_button(f"asset:{key}", say("asset.copy"), of=name),
        button(f"delete:{key}", delete, of=name, pressed=shelved.sure),
    ]
    return (
        f'<div class="anyfast-card"><div class="anyfast-tile">{picture}</div>'
        f'<div class="anyfast-head-words">{escape_prose(asset.name or asset.id)}</div>'
        f'<div class="anyfast-soft">{state} {about}</div>{why}'
        f'<div class="anyfast-acts">{"".join(acts)}</div></div>'
    )


def button(act: str, text: str, *, of: str = "", pressed: bool = False) -> str:
    """A button of a board.

    Args:
        act: what it does; safe in an attribute.
        text: on it.
        of: what it is about, for those who do not see where it stands; safe in an attribute.
        pressed: it was pressed once and asks whether one is sure.
    """
    label = f' aria-label="{escape_attribute(text)}: {of}"' if of else ""
    sure = " anyfast-sure" if pressed else ""
    words = escape_prose(text)
    return f'<button type="button" class="anyfast-act{sure}" data-act="{act}"{label}>{words}</button>'


def copy_button(key: str, text: str, *, of: str = "") -> str:
    """A button that copies.

    Args:
        key: of the text; safe in an attribute.
        text: on it.
        of: what it is about; safe in an attribute.
    """
    label = f' aria-label="{escape_attribute(text)}: {of}"' if of else ""
    return f'<button type="button" class="anyfast-act" data-copy="{key}"{label}>{escape_prose(text)}</button>'


def state_html(status: str, word: str) -> str:
    """Where something stands: a word with a sign beside it."""
    return f'<span class="anyfast-mark anyfast-is-{escape_attribute(status)}">{escape_prose(word)}</span>'


def note_html(lines: Sequence[str], *, act: str = "", close: str = "", kind: str = "") -> str:
    """A note of a few lines; with a button that takes it away.

    Args:
        lines: text; the first one stands out in what is told of trouble.
        act: of the button, "" is none.
        close: what the button is called.
        kind: ``trouble``, ``going``, or nothing special.
    """
    text = "<br>".join(escape_prose(line) for line in lines if line)
    away = (
        f'<button type="button" class="anyfast-act anyfast-away" data-act="{escape_attribute(act)}" '
        f'aria-label="{escape_attribute(close)}">×</button>'
        if act
        else ""
    )
    name = f"anyfast-memo anyfast-memo-{kind}" if kind else "anyfast-memo"
    return f'<div class="{name}"><div>{text}</div>{away}</div>'


def line_html(text: str) -> str:
    """A quiet line."""
    return f'<div class="anyfast-soft">{escape_prose(text)}</div>'


def caption_html(text: str, *, copies: str) -> str:
    """A quiet line, and a button that copies the magic that lists the same."""
    return (
        f'<div class="anyfast-pager"><span class="anyfast-soft">{escape_prose(text)}</span>'
        f"{copy_button('list:', copies)}</div>"
    )


def when(asset: Asset) -> str:
    """When it was made, in local time."""
    return "" if asset.created_at is None else f"{asset.created_at.astimezone():%Y-%m-%d %H:%M}"


def shelf_bundle(
    shelved: Iterable[Shelved], *, caption: str, say: Say, pictures: Sequence[tuple[str, bytes] | None] = ()
) -> dict[str, str]:
    """The assets as a table that stays: `text/plain` and `text/html`."""
    rows = [
        (
            one.asset.reference,
            one.asset.name,
            _type(one.asset, say),
            one.group,
            _state(one.asset, say),
            when(one.asset),
        )
        for one in shelved
    ][:_MOST_ROWS]
    return table(rows, caption=caption, pictures=list(pictures)[:_MOST_ROWS])


def _state(asset: Asset, say: Say) -> str:
    return say(_STATES[asset.status])


def _type(asset: Asset, say: Say) -> str:
    return say(f"asset.{asset.type.lower()}") if asset.type in _SIGNS else asset.type
