"""What every display of a request can do, and which one fits where the code runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

from anyfast_nb.wire.values import Answer, Event, Source

if TYPE_CHECKING:
    from anyfast_nb.render.answer import Footer


class View(Protocol):
    """What a request shows itself on; all calls come from one thread."""

    def note(self, text: str) -> None:
        """A line above the answer, never part of its text."""

    def feed(self, event: Event) -> None:
        """Something came."""

    def tick(self) -> None:
        """Time has passed; call it about every 30 ms."""

    def finish(self, answer: Answer) -> None:
        """The request is over: show the answer, whole or partial, for good."""

    def fail(self, error: BaseException, partial: Answer | None = None) -> None:
        """The request failed: what had come stays, marked."""


def open_view(
    *,
    model: str,
    owns_cell: bool,
    footer: Footer = "full",
    source: Source = Source.LIVE,
    plain: bool = False,
    runs_tools: bool = False,
) -> View:
    """The display for the place this runs in.

    Call it on the thread that runs the cell: the output goes to that cell.

    Args:
        model: the model asked for.
        owns_cell: True if the cell holds nothing but this answer.
        footer: how much the last line tells.
        source: said first unless live.
        plain: show the text as it is instead of rendering its Markdown.
        runs_tools: functions it asks for will be run.

    Returns:
        A live display in a notebook, plain text in a terminal IPython, and a
        view that shows nothing in plain Python.
    """
    from anyfast_nb.render.terminal import SilentView, TerminalView

    shell = running_shell()
    if shell is None:
        return SilentView()
    if getattr(shell, "kernel", None) is None:
        return TerminalView(footer=footer)
    from anyfast_nb.render.publish import KernelPublisher
    from anyfast_nb.render.stream import StreamView

    publisher = KernelPublisher(shell.display_pub)
    return StreamView(
        publisher,
        model=model,
        footer=footer,
        owns_cell=owns_cell,
        source=source,
        plain=plain,
        runs_tools=runs_tools,
    )


def running_shell() -> Any:
    """The running IPython, if there is one; nothing is imported to find out."""
    module = sys.modules.get("IPython.core.getipython")
    return module.get_ipython() if module else None
