"""How tests use the panels about assets, jobs and usage: a session of their own, what a person presses."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.session import Session, session


def own_session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """The kernel's session, new; `let_go` ends it."""
    monkeypatch.setenv("ANYFAST_LANGUAGE", "en")
    session.cache_clear()
    return session()


def let_go(own: Session) -> None:
    """Close its connection, and forget it."""
    io_loop().run(own.gateway.close())
    session.cache_clear()


def eventually(holds: Callable[[], Any], *, within_s: float = 20) -> Any:
    """What holds in the end; the panel's work is done on other threads."""
    rest, end = threading.Event(), time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        rest.wait(0.02)
    return found


def text_of(board: Any) -> str:
    """What a person reads on a board."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", " ".join(board.pieces.values()))).split())


def acts(board: Any) -> list[str]:
    """What can be pressed there."""
    return re.findall(r'data-act="([^"]+)"', " ".join(board.pieces.values()))


def press(board: Any, act: str) -> None:
    """Press a button of a board; it must be there."""
    assert act in acts(board), f"no button {act}: {acts(board)}"
    board._heard(board, {"kind": "act", "act": act}, [])


def rested(panel: Any) -> None:
    """Wait until the panel has nothing more to do."""
    assert panel._errands.rest(60)


def widget(panel: Any, word: str) -> Any:
    """The control with this label."""
    waiting = [panel]
    while waiting:
        one = waiting.pop()
        if getattr(one, "description", None) == word:
            return one
        waiting += getattr(one, "children", ())
    raise AssertionError(f"no control is called {word!r}")


def copied(board: Any, key: str) -> str:
    """What a copying button gives."""
    assert f'data-copy="{key}"' in " ".join(board.pieces.values())
    found: str = board._text_of(key)
    return found
