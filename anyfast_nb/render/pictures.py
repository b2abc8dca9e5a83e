"""Pictures as an output: small copies side by side, each with its path; what failed says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from anyfast_nb.render.clip import Image, data_uri, plain_line
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.style import LINE_COLOUR, page, quiet

_WIDEST: Final = 480
_IN_A_GROUP: Final = 260


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture as it is shown.

    Attributes:
        path: where the file lies, "" if there is none.
        image: a small copy.
        size: of the picture itself, in pixels.
        error: why there is no picture.
    """

    path: str = ""
    image: Image | None = field(default=None, repr=False)
    size: tuple[int, int] | None = None
    error: str = ""


def pictures_bundle(
    pictures: Sequence[Shown], *, prompt: str = "", facts: Iterable[str] = ()
) -> dict[str, Any]:
    """Pictures as a mimebundle.

    Args:
        pictures: in their order, those that failed included.
        prompt: what was asked for.
        facts: short words about all of them.

    Returns:
        `text/plain`, a line for each picture, and `text/html`.
    """
    facts = list(facts)
    width = _WIDEST if len(pictures) == 1 else _IN_A_GROUP
    figures = "".join(_figure(picture, width, prompt) for picture in pictures)
    words = f"<div>{escape_prose(prompt)}</div>\n" if prompt else ""
    foot = quiet(escape_prose(" · ".join(facts))) if facts else ""
    inner = f'<div style="display:flex;flex-wrap:wrap;gap:12px">\n{figures}</div>\n{words}{foot}'
    plain = "\n".join(_plain(picture) for picture in pictures)
    return {"text/plain": plain, "text/html": page(inner, style=True)}


def _figure(picture: Shown, width: int, prompt: str) -> str:
    size = f"{picture.size[0]} × {picture.size[1]} · " if picture.size else ""
    if picture.error:
        box = (
            f'<div style="border:1px dashed {LINE_COLOUR};padding:1em;width:{width}px;max-width:100%;'
            f'box-sizing:border-box">{escape_prose(f"failed: {picture.error}")}</div>'
        )
    elif picture.image is None:
        box = quiet(escape_prose("it cannot be shown here"))
    else:
        words = escape_attribute(prompt[:120] or "a picture")
        box = (
            f'<img src="{data_uri(*picture.image)}" alt="{words}" '
            f'style="width:{width}px;max-width:100%;height:auto">'
        )
    caption = quiet(escape_prose(size + picture.path)) if picture.path else ""
    return f'<figure style="margin:0;max-width:{width}px">{box}{caption}</figure>\n'


def _plain(picture: Shown) -> str:
    if picture.error:
        return plain_line("Picture", f"failed: {picture.error}")
    return plain_line(
        "Picture", picture.path, [f"{picture.size[0]} × {picture.size[1]}"] if picture.size else []
    )
