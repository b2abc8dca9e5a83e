"""A chart as an output: a picture that stays, and what it says in a sentence."""

from __future__ import annotations

import base64
from typing import Any, Final

from anyfast_nb.render.escape import escape_attribute
from anyfast_nb.render.style import page
from anyfast_nb.wire.text import without_controls

# In a narrow page it shrinks so far; then it scrolls, as tables do: letters stay letters.
_LEAST: Final = 0.7


def chart_bundle(png: bytes, *, says: str, width: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A chart as a mimebundle and its metadata.

    Args:
        png: the picture.
        says: what it says, for those who cannot see it.
        width: pixels it is shown at, at most; the picture itself may have more.

    Returns:
        `text/html` with the sentence as the picture's other text, the picture by itself for what
        cannot show HTML, and the sentence as `text/plain`.
    """
    says = " ".join(without_controls(says).split())
    data = base64.b64encode(png).decode("ascii")
    image = (
        f'<img src="data:image/png;base64,{data}" alt="{escape_attribute(says)}" width="{width}" '
        f'style="max-width:100%;min-width:{round(width * _LEAST)}px;height:auto">'
    )
    bundle = {"text/plain": says, "text/html": page(image), "image/png": data}
    return bundle, {"image/png": {"width": width, "alt": says}}
