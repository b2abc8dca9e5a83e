"""What of a panel stays in the notebook when its kernel is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.render.style import page

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle


def essence_bundle(bundle: Bundle) -> dict[str, Any]:
    """A bundle whose HTML a living panel above it hides.

    Args:
        bundle: ``text/html`` (safe, and not yet a page) and ``text/plain``.
    """
    return {**bundle, "text/html": page(str(bundle["text/html"]), name="anyfast-essence", style=True)}
