"""A storyboard as an output: its shots in a row, then the film of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.poster import Poster, poster_html, poster_line
from anyfast_nb.render.style import page, quiet


def storyboard_bundle(
    shots: Sequence[Poster],
    *,
    linked: Sequence[bool],
    name: str = "",
    film: Mapping[str, Any] | None = None,
    trouble: str = "",
) -> dict[str, Any]:
    """A storyboard as a mimebundle.

    Args:
        shots: in their order.
        linked: for each, whether it begins with the last one's last frame.
        name: of the storyboard.
        film: the film of all, as a bundle.
        trouble: why there is none, where there should be.

    Returns:
        `text/plain`, a line for each shot, and `text/html`.
    """
    figures = "".join(
        poster_html(shot, before="→ " if link else "") for shot, link in zip(shots, linked, strict=True)
    )
    head = " ".join(part for part in ("Storyboard", name) if part)
    row = f'<div style="display:flex;flex-wrap:wrap;gap:12px;margin-bottom:1em">\n{figures}</div>\n'
    told = f"<div>{escape_prose(trouble)}</div>\n" if trouble else ""
    inner = quiet(escape_prose(head), name="anyfast-note") + row + told
    lines = [head, *(poster_line(shot) for shot in shots), *([trouble] if trouble else [])]
    if film is not None:
        lines.append(str(film.get("text/plain", "")))
        inner += str(film.get("text/html", ""))
    return {"text/plain": "\n".join(lines), "text/html": page(inner, style=film is None)}
