"""Panels hear when a cell has ended: it may have gone on with a thread, or made a variable."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol
from weakref import WeakSet

from anyfast_nb.render.view import running_shell


class Listens(Protocol):
    """What wants to know."""

    def refresh(self) -> None:
        """Look again; quick where nothing has changed."""


_listening: WeakSet[Any] = WeakSet()
_shells: WeakSet[Any] = WeakSet()


def listen(panel: Listens) -> None:
    """From now on `panel.refresh()` is called after each cell, and when another panel says `changed`."""
    _listening.add(panel)
    shell = running_shell()
    if shell is not None and shell not in _shells:
        shell.events.register("post_run_cell", _after_cell)
        _shells.add(shell)


def changed(by: Listens) -> None:
    """Tell all others that something that panels share is different now."""
    for panel in list(_listening):
        if panel is not by:
            with contextlib.suppress(Exception):  # one panel's fault is not another's
                panel.refresh()


def _after_cell(_: Any) -> None:
    for panel in list(_listening):
        with contextlib.suppress(Exception):
            panel.refresh()
