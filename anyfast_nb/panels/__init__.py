"""Live views for notebooks: what goes on after its cell has ended, as an ipywidget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.render import live

if TYPE_CHECKING:
    from anyfast_nb.render.live import Live
    from anyfast_nb.render.publish import KernelPublisher


def install() -> None:
    """Let jobs that nobody waits for show themselves in a live card."""
    live.open_live = _open


def remove() -> None:
    """Take it back."""
    live.open_live = None


def _open(publisher: KernelPublisher) -> Live:
    from anyfast_nb.panels.job_card import LiveCard  # ipywidgets is not loaded before it is needed

    return LiveCard(publisher)
