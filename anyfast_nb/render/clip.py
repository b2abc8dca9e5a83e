"""A film as an output: a player that also plays after reopening, with a poster and a link where none can.

The player gets the path from the notebook, which every front end resolves; the
poster is inside the page. Sites that strip players show poster and link.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.job_card import fold_html
from anyfast_nb.render.style import page, quiet
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight

_WIDEST: Final = 640
_HIGHEST: Final = 480

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
    preflight: Preflight | None = None,
    remarks: Iterable[str] = (),
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
        preflight: what was known before it was sent; it is folded.
        remarks: lines above it, such as "film of 14:02".

    Returns:
        `text/plain`, a line with the path, and `text/html`.
    """
    facts = [*facts, *([f"{size[0]} × {size[1]}"] if size else [])]
    source = place if film is None else data_uri("video/mp4", film)
    picture = "" if poster is None else data_uri(*poster)
    width = _width(size) if size else _WIDEST
    player = (
        f'<video controls preload="metadata" playsinline width="{width}" '
        f'style="max-width:100%;height:auto" src="{escape_attribute(source)}"'
        + (f' poster="{picture}"' if picture else "")
        + f">{_still(place, picture, width, prompt)}</video>\n"
    )
    link = f'<a href="{escape_attribute(place)}">{escape_prose(path)}</a>'
    above = "".join(quiet(escape_prose(line), name="anyfast-note") for line in remarks)
    foot = quiet(" · ".join([*(escape_prose(fact) for fact in facts), link]))
    inner = above + player + _words(prompt) + foot + fold_html(preflight)
    return {"text/plain": plain_line("Film", path, facts), "text/html": page(inner, style=True)}


def plain_line(name: str, path: str, facts: Iterable[str] = ()) -> str:
    """One line for a terminal: what it is, the facts, the path."""
    return without_controls(" · ".join([name, *facts, path]))


def data_uri(media_type: str, data: bytes) -> str:
    """Bytes as a data URI, which is safe inside an attribute."""
    return f"data:{escape_attribute(media_type)};base64,{base64.b64encode(data).decode('ascii')}"


def _width(size: tuple[int, int]) -> int:
    """How wide a film is shown: never larger than it is, and a tall one not higher than a window."""
    width, height = size
    return min(width, _WIDEST, round(_HIGHEST * width / max(height, 1)))


def _still(place: str, picture: str, width: int, prompt: str) -> str:
    """What shows where no player is: the poster as a link to the film."""
    words = escape_attribute(prompt[:120] or "the film")
    shown = f'<img src="{picture}" alt="{words}" width="{width}">' if picture else escape_prose("the film")
    return f'<a href="{escape_attribute(place)}">{shown}</a>'


def _words(prompt: str) -> str:
    return f'<div class="anyfast-prompt">{escape_prose(prompt)}</div>\n' if prompt else ""
