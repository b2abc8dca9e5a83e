"""AnyFast in Jupyter: magics, streaming answers, a usage ledger, and a built-in AnyFast.

import anyfast_nb as af
%load_ext anyfast_nb

%%anyfast
Why is the sky blue?

af.last.usage                       # the last answer
af.chat("And at sunset?")           # the same from Python
af.seedance("A cat plays the piano").video   # a film, and af.seedream("A red kite") for pictures
af.Storyboard(["A cat sits down", "It plays"]).run().film   # and af.sweep(…) for variants
af.panel()                          # all of it by mouse: tabs of panels in one cell
af.ledger.frame()                   # every request, as a DataFrame
af.Client(base_url="simulator")     # outside of notebooks
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from anyfast_nb._version import __version__ as __version__

if TYPE_CHECKING:
    from anyfast_nb import errors as errors
    from anyfast_nb import ledger as ledger
    from anyfast_nb.client.faces import AsyncClient as AsyncClient
    from anyfast_nb.client.faces import Client as Client
    from anyfast_nb.jobs.job import Job as Job
    from anyfast_nb.jobs.pictures import Pictures as Pictures
    from anyfast_nb.jobs.shots import Shot as Shot
    from anyfast_nb.magics.generate import kling as kling
    from anyfast_nb.magics.generate import seedance as seedance
    from anyfast_nb.magics.generate import seedream as seedream
    from anyfast_nb.magics.shots import Storyboard as Storyboard
    from anyfast_nb.magics.shots import sweep as sweep
    from anyfast_nb.magics.speak import chat as chat
    from anyfast_nb.panels.asset import AssetPanel as AssetPanel
    from anyfast_nb.panels.chat import ChatPanel as ChatPanel
    from anyfast_nb.panels.deck import panel as panel
    from anyfast_nb.panels.image import ImagePanel as ImagePanel
    from anyfast_nb.panels.jobs import JobsPanel as JobsPanel
    from anyfast_nb.panels.usage import UsagePanel as UsagePanel
    from anyfast_nb.panels.video import VideoPanel as VideoPanel
    from anyfast_nb.wire.values import Answer as Answer

    last: Answer | None

_ROOMS = {
    "Answer": "wire.values",
    "AssetPanel": "panels.asset",
    "AsyncClient": "client.faces",
    "ChatPanel": "panels.chat",
    "Client": "client.faces",
    "ImagePanel": "panels.image",
    "Job": "jobs.job",
    "JobsPanel": "panels.jobs",
    "Pictures": "jobs.pictures",
    "Shot": "jobs.shots",
    "Storyboard": "magics.shots",
    "UsagePanel": "panels.usage",
    "VideoPanel": "panels.video",
    "chat": "magics.speak",
    "kling": "magics.generate",
    "panel": "panels.deck",
    "seedance": "magics.generate",
    "seedream": "magics.generate",
    "sweep": "magics.shots",
}
_MODULES = ("errors", "ledger")

__all__ = [
    "Answer", "AssetPanel", "AsyncClient", "ChatPanel", "Client", "ImagePanel", "Job", "JobsPanel",
    "Pictures", "Shot", "Storyboard", "UsagePanel", "VideoPanel", "__version__", "chat", "errors", "kling",
    "last", "ledger", "panel", "seedance", "seedream", "sweep",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "last":
        return import_module("anyfast_nb.session").session().last
    if name in _ROOMS:
        return getattr(import_module(f"anyfast_nb.{_ROOMS[name]}"), name)
    if name in _MODULES:
        return import_module(f"anyfast_nb.{name}")
    raise AttributeError(f"module 'anyfast_nb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext anyfast_nb`."""
    from anyfast_nb import panels
    from anyfast_nb.magics import extension

    panels.install()
    extension.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext anyfast_nb`."""
    from anyfast_nb import panels
    from anyfast_nb.magics import extension

    panels.remove()
    extension.unload(ipython)
