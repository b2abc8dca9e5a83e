"""One output that is drawn again while something goes on, and then stays as it is.

In a notebook it is one output of the cell; in a terminal lines are printed as
things change; plain Python shows nothing. A view that outlives its cell is
opened through `open_live`, which the panels set inside a kernel.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO
from uuid import uuid4

from anyfast_nb.render.view import running_shell
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle, KernelPublisher, Publisher

LEAST_S: Final = 0.5  # between two draws

_log = logging.getLogger(__name__)


class Live(Protocol):
    """What a job or a group of pictures shows itself on; for any thread."""

    def draw(self, bundle: Bundle, line: str) -> None:
        """Show a state; too soon after another one, it waits for the next call.

        Args:
            bundle: what a notebook shows.
            line: what a terminal prints, if it differs from the last one.
        """

    def settle(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        """Show the end, for good."""


open_live: Callable[[KernelPublisher], Live] | None = None
"""Opens a view that goes on after its cell has ended; set by the panels."""


class OutputView:
    """One output of the running cell.

    Args:
        publisher: where it goes.
        clock: seconds, never going back.
        new_id: gives a name that no other output of the page has.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: f"anyfast-{uuid4().hex[:12]}",
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._id = new_id()
        self._shown: Bundle | None = None
        self._at_s = 0.0
        self._settled = False
        self._drawing = threading.Lock()  # the end may come from another thread than the last draw

    def draw(self, bundle: Bundle, line: str) -> None:
        """Show a state in the output's place; after the end nothing is drawn."""
        with self._drawing:
            now_s = self._clock()
            soon = self._shown is not None and now_s - self._at_s < LEAST_S
            if self._settled or soon or bundle == self._shown:
                return
            self._put(bundle, {})
            self._at_s = now_s

    def settle(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        """Show the end in the output's place."""
        with self._drawing:
            self._settled = True
            self._put(bundle, metadata)

    def _put(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        put = self._publisher.display if self._shown is None else self._publisher.update
        try:
            put(bundle, metadata, self._id)
        except Exception:  # noqa: BLE001 - the job goes on whatever becomes of its display
            _log.debug("drawing failed", exc_info=True)
        self._shown = bundle


class LineView:
    """Lines in a terminal.

    Args:
        stream: where to print; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._last = ""

    def draw(self, bundle: Bundle, line: str) -> None:
        """Print the line if it says something new."""
        if line and line != self._last:
            self._write(line)
            self._last = line

    def settle(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        """Print the end as text."""
        self._write(str(bundle["text/plain"]))

    def _write(self, text: str) -> None:
        self._stream.write(f"{without_controls(text)}\n")
        self._stream.flush()


class NoView:
    """Shows nothing: a program reads the job it gets."""

    def draw(self, bundle: Bundle, line: str) -> None:
        """Nothing."""

    def settle(self, bundle: Bundle, metadata: Mapping[str, Any]) -> None:
        """Nothing."""


def open_output(*, outlives: bool = False) -> Live:
    """The view for the place this runs in. Call it on the thread that runs the cell.

    Args:
        outlives: it is drawn after the cell has ended as well.
    """
    shell = running_shell()
    if shell is None:
        return NoView()
    if getattr(shell, "kernel", None) is None:
        return LineView()
    from anyfast_nb.render.publish import KernelPublisher

    publisher = KernelPublisher(shell.display_pub)
    if outlives and open_live is not None:
        return open_live(publisher)
    return OutputView(publisher)
