"""A card that lives on after its cell: one HTML widget, and a static output in its place at the end.

A widget goes on after the page is reloaded, and is lost with its kernel; a
static output is neither drawn again after a reload nor ever lost. So what
changes is in the widget, and what stays replaces it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import ipywidgets

from anyfast_nb.render.live import LEAST_S

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle, KernelPublisher

_VIEW: Final = "application/vnd.jupyter.widget-view+json"


class LiveCard:
    """One widget whose text is replaced; it holds escaped HTML of ours alone.

    Args:
        publisher: of the cell; its messages are sent inside that cell, from any thread.
        clock: seconds, never going back.
    """

    def __init__(self, publisher: KernelPublisher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._publisher = publisher
        self._clock = clock
        self._id = f"anyfast-{uuid4().hex[:12]}"
        self._widget: Any = None
        self._reference: dict[str, Any] = {}
        self._at_s = 0.0
        self._settled = False
        self._drawing = threading.Lock()

    def draw(self, bundle: Bundle, line: str) -> None:
        """Show a state; a front end without widgets keeps the first one until the end."""
        html, now_s = bundle["text/html"], self._clock()
        with self._drawing:
            if self._settled:
                return
            if self._widget is None:
                self._publisher.in_cell(self._open, html)
                self._publisher.display({**bundle, _VIEW: self._reference}, {}, self._id)
            elif self._widget.value == html or now_s - self._at_s < LEAST_S:
                return
            else:
                self._publisher.in_cell(setattr, self._widget, "value", html)
            self._at_s = now_s

    def settle(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        """Put the static output in the widget's place, then close the widget."""
        with self._drawing:
            self._settled = True
            if self._widget is None:
                self._publisher.display(bundle, metadata, self._id)
                return
            self._publisher.update_later(bundle, metadata, self._id)
            self._publisher.in_cell(self._widget.close)

    def _open(self, html: str) -> None:
        widget = self._widget = ipywidgets.HTML(value=html)
        self._reference = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
