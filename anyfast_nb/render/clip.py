"""A film as an output: a player that also plays after reopening, with a poster and a link where none can.

The player gets the path from the notebook, which every front end resolves; the
poster is inside the page. Sites that strip players show poster and link.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.style import page, quiet
from anyfast_nb.wire.text import without_controls

_WIDEST: Final = 640

Image = tuple[str, bytes]
"""Media type and bytes of a small picture."""


def clip_bundle(
    *,
    path: str,
    place: str,
    poster: Image | None = None,
    size: tuple[int, int] | None = None,
    film: bytes | None = None,
    facts: Iterable[str] = (),
    prompt: str = "",
) -> dict[str, Any]:
    """A film as a mimebundle.

    Args:
        path: where the file lies, for a person.
        place: the path from the notebook, quoted for a URL.
        poster: the first frame, small.
        size: of the film, in pixels; None is unknown.
        film: the film itself, to be put inside; None plays the file at `place`.
        facts: short words about it.
        prompt: what was asked for.

    Returns:
        `text/plain`, a line with the path, and `text/html`.
    """
    facts = [*facts, *([f"{size[0]} × {size[1]}"] if size else [])]
    source = place if film is None else data_uri("video/mp4", film)
    picture = "" if poster is None else data_uri(*poster)
    width = min(size[0], _WIDEST) if size else _WIDEST
    player = (
        f'<video controls preload="metadata" playsinline width="{width}" '
        f'style="max-width:100%;height:auto" src="{escape_attribute(source)}"'
        + (f' poster="{picture}"' if picture else "")
        + f">{_still(place, picture, width, prompt)}</video>\n"
    )
    link = f'<a href="{escape_attribute(place)}">{escape_prose(path)}</a>'
    inner = player + _words(prompt) + quiet(" · ".join([*(escape_prose(fact) for fact in facts), link]))
    return {"text/plain": plain_line("Film", path, facts), "text/html": page(inner, style=True)}


def job_bundle(
    *, name: str, facts: Iterable[str] = (), prompt: str = "", lines: Iterable[str] = ()
) -> dict[str, Any]:
    """A job that has no film yet, or never will: a few lines.

    Args:
        name: what it is called.
        facts: short words about it.
        prompt: what was asked for.
        lines: why it failed, and what to do.
    """
    head = " · ".join([name, *facts])
    lines = [line for line in lines if line]
    told = "".join(f"<div>{escape_prose(line)}</div>\n" for line in lines)
    inner = quiet(escape_prose(head), name="anyfast-note") + _words(prompt) + told
    plain = "\n".join([head, *lines])
    return {"text/plain": without_controls(plain), "text/html": page(inner, style=True)}


def plain_line(name: str, path: str, facts: Iterable[str] = ()) -> str:
    """One line for a terminal: what it is, the facts, the path."""
    return without_controls(" · ".join([name, *facts, path]))


def data_uri(media_type: str, data: bytes) -> str:
    """Bytes as a data URI, which is safe inside an attribute."""
    return f"data:{escape_attribute(media_type)};base64,{base64.b64encode(data).decode('ascii')}"


def _still(place: str, picture: str, width: int, prompt: str) -> str:
    """What shows where no player is: the poster as a link to the film."""
    words = escape_attribute(prompt[:120] or "the film")
    shown = f'<img src="{picture}" alt="{words}" width="{width}">' if picture else escape_prose("the film")
    return f'<a href="{escape_attribute(place)}">{shown}</a>'


def _words(prompt: str) -> str:
    return f"<div>{escape_prose(prompt)}</div>\n" if prompt else ""
