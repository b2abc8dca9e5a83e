"""Pictures as an output: small copies side by side, each with its path; what failed says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.render.clip import Image, data_uri, plain_line
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.job_card import fold_html
from anyfast_nb.render.style import LINE_COLOUR, page, quiet
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight

_WIDEST: Final = 480
_IN_A_GROUP: Final = 260


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture as it is shown.

    Attributes:
        path: where the file lies, for a person; "" if there is none.
        image: a small copy.
        size: of the picture itself, in pixels.
        error: why there is no picture.
        pending: it has not come yet.
        place: the path from the notebook, quoted for a URL; "" is no link.
    """

    path: str = ""
    image: Image | None = field(default=None, repr=False)
    size: tuple[int, int] | None = None
    error: str = ""
    pending: bool = False
    place: str = ""


def pictures_bundle(
    pictures: Sequence[Shown],
    *,
    prompt: str = "",
    facts: Iterable[str] = (),
    status: str = "",
    notes: Iterable[str] = (),
    preflight: Preflight | None = None,
) -> dict[str, Any]:
    """Pictures as a mimebundle.

    Args:
        pictures: in their order, those that failed included.
        prompt: what was asked for.
        facts: short words about all of them.
        status: how far it is, above them, while they are made.
        notes: lines below.
        preflight: what was known before it was sent; it is folded.

    Returns:
        `text/plain`, a line for each picture, and `text/html`.
    """
    facts = list(facts)
    width = _WIDEST if len(pictures) == 1 else _IN_A_GROUP
    figures = "".join(_figure(picture, width, prompt) for picture in pictures)
    words = f'<div class="anyfast-prompt">{escape_prose(prompt)}</div>\n' if prompt else ""
    foot = quiet(escape_prose(" · ".join(facts))) if facts else ""
    lines = "<br>".join(escape_prose(note) for note in notes)
    head = quiet(escape_prose(status), name="anyfast-note") if status else ""
    grid = f'<div style="display:flex;flex-wrap:wrap;gap:12px">\n{figures}</div>\n'
    inner = head + grid + words + foot + (quiet(lines) if lines else "") + fold_html(preflight)
    plain = "\n".join([*([status] if status else []), *(_plain(picture) for picture in pictures)])
    return {"text/plain": without_controls(plain), "text/html": page(inner, style=True)}


def _figure(picture: Shown, width: int, prompt: str) -> str:
    size = f"{picture.size[0]} × {picture.size[1]}" if picture.size else ""
    if picture.pending:
        box = _box("…", width, filled=True)
    elif picture.error:
        box = _box(f"failed: {picture.error}", width)
    elif picture.image is None:
        box = quiet(escape_prose("it cannot be shown here"))
    else:
        words = escape_attribute(prompt[:120] or "a picture")
        box = (
            f'<img src="{data_uri(*picture.image)}" alt="{words}" '
            f'style="width:{width}px;max-width:100%;height:auto">'
        )
        box = f'<a href="{escape_attribute(picture.place)}">{box}</a>' if picture.place else box
    name = escape_prose(picture.path.rpartition("/")[2] if picture.place else picture.path)
    link = f'<a href="{escape_attribute(picture.place)}">{name}</a>' if picture.place else name
    caption = "<br>".join(word for word in (size, link) if word)
    style = f"margin:0;width:{width}px;max-width:100%;overflow-wrap:anywhere"
    return f'<figure style="{style}">{box}{quiet(caption) if caption else ""}</figure>\n'


def _box(text: str, width: int, *, filled: bool = False) -> str:
    """A frame where a picture would be."""
    shape = "aspect-ratio:1;display:flex;align-items:center;justify-content:center;background:#8881;"
    line = "solid" if filled else "dashed"
    return (
        f'<div style="{shape if filled else ""}border:1px {line} {LINE_COLOUR};padding:1em;width:{width}px;'
        f'max-width:100%;box-sizing:border-box">{escape_prose(text)}</div>'
    )


def _plain(picture: Shown) -> str:
    if picture.pending:
        return plain_line("Picture", "…")
    if picture.error:
        return plain_line("Picture", f"failed: {picture.error}")
    return plain_line(
        "Picture", picture.path, [f"{picture.size[0]} × {picture.size[1]}"] if picture.size else []
    )
