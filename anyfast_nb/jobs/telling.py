"""Callbacks of what makes several jobs; who runs it inside its own callback would wait for ever."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from anyfast_nb.errors import InputError

_TELLING: ContextVar[frozenset[int]] = ContextVar("_TELLING", default=frozenset())


def tell(on_change: Callable[[Any], None] | None, thing: Any) -> None:
    """Call a callback with a thing, if there is one."""
    if on_change is None:
        return
    before = _TELLING.set(_TELLING.get() | {id(thing)})
    try:
        on_change(thing)
    finally:
        _TELLING.reset(before)


def require_no_callback(thing: Any) -> None:
    """Refuse to run a thing inside its own callback.

    Raises:
        InputError: it is told of a change right now.
    """
    if id(thing) in _TELLING.get():
        raise InputError(
            "it is run inside its own on_change",
            field="on_change",
            hint="Look at its jobs there, and run it afterwards.",
        )
