"""Buttons that work while a cell runs, as far as Jupyter lets them.

JupyterLab sends what widgets say to a shell of its own beside the one that runs cells. From ipykernel
7.4 on, such a message goes back to the shell that last wrote to the widget, which a running cell holds.
Asking for the message's own shell again is all that is needed; a kernel that knows no such
question is left as it is.
"""

from __future__ import annotations

from typing import Any, Final

_QUESTION: Final = "_reply_subshell_for"


def reachable_while_busy(widget: Any) -> None:
    """Let this widget, and all in it, hear the page while a cell runs."""
    seen: set[int] = set()
    waiting = [widget]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        comm = getattr(one, "comm", None)
        if comm is not None and callable(getattr(type(comm), _QUESTION, None)):
            setattr(comm, _QUESTION, _its_own)
        waiting += getattr(one, "children", ())


def _its_own(data: Any, default: str | None) -> str | None:
    """The shell that the page chose."""
    return default
