"""Pictures of a panel: a grid with a frame for each one to come, and buttons under those that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.inputs import wrong_html


@dataclass(frozen=True, slots=True)
class Framed:
    """One picture.

    Attributes:
        medium: the board's name of what is shown; "" is nothing yet.
        size: of the picture in pixels.
        path: where its file is.
        error: why there is none.
        acts: buttons.
        large: it is shown as wide as the panel.
    """

    medium: str = ""
    size: tuple[int, int] | None = None
    path: str = ""
    error: str = ""
    acts: Sequence[Act] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pictures of one request.

    Attributes:
        title: who makes them, and how far it is.
        prompt: what was asked for.
        pictures: in their order.
        waiting: words in a frame whose picture has not come.
        trouble: why there are not all, and what to do.
        notes: what was assumed.
        acts: buttons for all of them.
    """

    title: str
    prompt: str
    pictures: Sequence[Framed]
    waiting: str = "…"
    trouble: Sequence[str] = ()
    notes: Sequence[str] = ()
    acts: Sequence[Act] = ()


def sheet_html(sheet: Sheet) -> str:
    """The pictures of one request as safe HTML."""
    head = f'<div class="anyfast-fine">{escape_prose(sheet.title)}</div>\n'
    words = f'<div class="anyfast-prompt">{escape_prose(sheet.prompt)}</div>\n'
    grid = "".join(_figure(one, sheet) for one in sheet.pictures)
    notes = "".join(f'<div class="anyfast-fine">{escape_prose(note)}</div>\n' for note in sheet.notes)
    below = wrong_html(sheet.trouble) + notes + acts_html(sheet.acts)
    one = " anyfast-grid-one" if len(sheet.pictures) == 1 else ""
    return f'<div class="anyfast-sheet">{head}{words}<div class="anyfast-grid{one}">{grid}</div>{below}</div>'


def _figure(one: Framed, sheet: Sheet) -> str:
    shape = f' style="aspect-ratio:{one.size[0]}/{one.size[1]}"' if one.size else ""
    if one.error:
        box = wrong_html([one.error])
    elif not one.medium:
        box = f'<div class="anyfast-nopicture">{escape_prose(sheet.waiting)}</div>'
    else:
        alt = escape_attribute(sheet.prompt[:120] or one.path)
        box = f'<img data-medium="{escape_attribute(one.medium)}" alt="{alt}"{shape}>'
    size = f"{one.size[0]} × {one.size[1]}" if one.size else ""
    facts = " · ".join(part for part in (size, one.path.rpartition("/")[2]) if part)
    caption = (
        f'<figcaption title="{escape_attribute(one.path)}">{escape_prose(facts)}</figcaption>'
        if facts
        else ""
    )
    name = ' class="anyfast-large"' if one.large else ""
    return f"<figure{name}>{box}{caption}{acts_html(one.acts)}</figure>"
