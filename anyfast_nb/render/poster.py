"""A film as a small poster with a few words below it; one that is not there says why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from anyfast_nb.render.clip import Image, data_uri
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.style import LINE_COLOUR, quiet
from anyfast_nb.wire.text import without_controls

WIDTH: Final = 200


@dataclass(frozen=True, slots=True)
class Poster:
    """One film among several.

    Attributes:
        title: what it is called.
        words: what was asked for.
        state: how far it is.
        image: its first frame, small.
        path: where its file lies, "" if there is none.
        place: the path from the notebook, quoted for a URL: a click opens the film there.
        error: why there is none.
    """

    title: str
    words: str = ""
    state: str = ""
    image: Image | None = field(default=None, repr=False)
    path: str = ""
    place: str = ""
    error: str = ""


def poster_html(poster: Poster, *, width: int = WIDTH, before: str = "") -> str:
    """A poster as a figure.

    Args:
        poster: what it shows.
        width: in pixels, at most.
        before: safe HTML before its title.
    """
    if poster.image is not None:
        words = escape_attribute((poster.words or poster.title)[:120])
        box = (
            f'<img src="{data_uri(*poster.image)}" alt="{words}" title="{escape_attribute(poster.path)}" '
            f'style="width:{width}px;max-width:100%;height:auto">'
        )
        box = f'<a href="{escape_attribute(poster.place)}">{box}</a>' if poster.place else box
    else:
        told = poster.error or poster.state
        box = (
            f'<div style="border:1px dashed {LINE_COLOUR};padding:.8em;min-height:{width // 3}px;'
            f'width:{width}px;max-width:100%;box-sizing:border-box">{escape_prose(told)}</div>'
        )
    head = escape_prose(" · ".join(part for part in (poster.title, poster.state) if part))
    words = f"<div>{escape_prose(poster.words)}</div>\n" if poster.words else ""
    below = quiet(before + head) + words
    return f'<figure style="margin:0;width:{width}px;max-width:100%">{box}{below}</figure>\n'


def poster_line(poster: Poster) -> str:
    """A poster as one line for a terminal."""
    parts = [poster.title, poster.words[:60], poster.state, poster.error or poster.path]
    return without_controls(" · ".join(" ".join(part.split()) for part in parts if part))
