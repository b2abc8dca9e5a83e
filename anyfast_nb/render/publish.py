"""Where outputs go: a tiny protocol, and the one for a Jupyter kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from typing import Any, Protocol

Bundle = Mapping[str, Any]


class Publisher(Protocol):
    """What a streaming display needs from a front end."""

    def display(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        """Add an output below the others."""

    def update(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        """Replace an output in its place."""

    def clear(self, wait: bool) -> None:
        """Remove the cell's outputs; with ``wait`` when the next one comes."""


class KernelPublisher:
    """Sends outputs to the cell that was running when this was made, from any thread.

    Args:
        display_pub: IPython's publisher; by default that of the running shell.
    """

    def __init__(self, display_pub: Any = None) -> None:
        if display_pub is None:
            from IPython.core.interactiveshell import InteractiveShell

            display_pub = InteractiveShell.instance().display_pub
        self._pub = display_pub
        # ipykernel keeps the cell an output belongs to in a context variable.
        self._context = copy_context()

    def display(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        self._publish(bundle, metadata, display_id, update=False)

    def update(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        self._publish(bundle, metadata, display_id, update=True)

    def update_later(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        """Replace an output after its cell has ended.

        It is sent in the name of the newest cell: programs that run notebooks hear no other one. A
        page finds the output by its id.
        """
        Context().run(self._send, bundle, metadata, display_id, update=True)

    def clear(self, wait: bool) -> None:
        self.in_cell(self._pub.clear_output, wait=wait)

    def _publish(self, bundle: Bundle, metadata: Bundle, display_id: str, *, update: bool) -> None:
        self.in_cell(self._send, bundle, metadata, display_id, update=update)

    def _send(self, bundle: Bundle, metadata: Bundle, display_id: str, *, update: bool) -> None:
        transient = {"display_id": display_id}
        self._pub.publish(dict(bundle), dict(metadata), transient=transient, update=update)

    def in_cell(self, call: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Call something whose messages belong to that cell."""
        self._context.run(call, *args, **options)
