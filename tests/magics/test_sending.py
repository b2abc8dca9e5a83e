"""A request that is on its way for more than a moment shows that it is."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.preflight import Preflight
from anyfast_nb.magics import sending as room
from anyfast_nb.magics.sending import Sending


class View:
    def __init__(self) -> None:
        self.drawn: list[tuple[str, str]] = []
        self.ends: list[str] = []
        self.seen = threading.Event()

    def draw(self, bundle: Any, line: str) -> None:
        self.drawn.append((bundle["text/plain"], line))
        self.seen.set()

    def settle(self, bundle: Any, metadata: Any) -> None:
        self.ends.append(bundle["text/plain"])


FACTS = Preflight("seedance", "seedance", "from words", (864, 496), 4, tokens=40_594)


def made(view: View) -> Sending:
    return Sending(view, FACTS, where="the built-in AnyFast")


def test_what_takes_long_is_told_before_there_is_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SOON_S", 0)
    view = View()
    sending = made(view)

    async def work() -> str:
        await asyncio.to_thread(view.seen.wait)
        return "job"

    assert io_loop().run(sending.follow(work())) == "job"
    text, line = view.drawn[0]
    assert text.startswith("sending · 0 s: seedance to the built-in AnyFast")
    assert "about 40,594 tokens" in text
    assert line == "sending seedance to the built-in AnyFast"  # once in a terminal: no seconds in it
    assert not view.ends
    sending.stop()
    assert view.ends[0].startswith("stopped after 0 s: seedance")


def test_what_is_sent_at_once_shows_nothing_of_it() -> None:
    view = View()
    sending = made(view)

    async def work() -> str:
        return "job"

    assert io_loop().run(sending.follow(work())) == "job"
    sending.stop()
    assert (view.drawn, view.ends) == ([], [])
