"""What of a panel stays in the notebook when its kernel is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.style import page

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle


def essence_bundle(bundle: Bundle) -> dict[str, Any]:
    """A bundle whose HTML a living panel above it hides.

    Args:
        bundle: ``text/html`` (safe, and not yet a page) and ``text/plain``.
    """
    return {**bundle, "text/html": page(str(bundle["text/html"]), name="anyfast-essence", style=True)}


def together(named: Iterable[tuple[str, Bundle]]) -> dict[str, Any]:
    """Several essences, one below the other, each with its name."""
    every = list(named)
    html = "".join(f"<h4>{escape_prose(name)}</h4>{bundle['text/html']}" for name, bundle in every)
    plain = "\n\n".join(f"{name}\n{bundle['text/plain']}" for name, bundle in every)
    return {"text/plain": plain, "text/html": html}
