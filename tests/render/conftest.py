"""A front end that keeps what it is sent, and a clock that is told the time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from anyfast_nb.render.stream import StreamView
from anyfast_nb.wire.values import Event

# What the protocol adds to a message's content: header, parent header, signature, topic.
ENVELOPE_BYTES = 800


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Screen:
    """Outputs as a front end keeps them: in order, by display id, cleared when or before the next comes."""

    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    most_outputs: int = 0
    broken: bool = False
    _clear_next: bool = False

    def display(self, bundle: Mapping[str, Any], metadata: Mapping[str, Any], display_id: str) -> None:
        self._count("display", bundle, metadata)
        if self._clear_next:
            self._empty()
        assert display_id not in self.outputs, "a second output by the same id"
        self._set(display_id, bundle, metadata)

    def update(self, bundle: Mapping[str, Any], metadata: Mapping[str, Any], display_id: str) -> None:
        self._count("update", bundle, metadata)
        assert display_id in self.outputs, "an update of nothing"
        self._set(display_id, bundle, metadata)

    def clear(self, wait: bool) -> None:
        self._count("clear", {}, {})
        self._clear_next = wait
        if not wait:
            self._empty()

    def html(self) -> str:
        """All outputs' HTML, top to bottom."""
        return "\n".join(bundle["text/html"] for bundle in self.outputs.values())

    def plain(self) -> list[str]:
        """All outputs' plain text, top to bottom."""
        return [bundle["text/plain"] for bundle in self.outputs.values()]

    def _set(self, display_id: str, bundle: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        self.outputs[display_id] = bundle
        self.metadata[display_id] = metadata
        self.most_outputs = max(self.most_outputs, len(self.outputs))

    def _empty(self) -> None:
        self._clear_next = False
        self.outputs.clear()
        self.metadata.clear()

    def _count(self, kind: str, bundle: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        if self.broken:
            raise OSError("the front end is gone")
        self.messages.append(kind)
        content = json.dumps({"data": bundle, "metadata": metadata}, ensure_ascii=False)
        self.sent_bytes += len(content.encode()) + ENVELOPE_BYTES


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def show(screen: Screen, clock: Clock) -> Callable[..., StreamView]:
    """A streaming display on the screen; options as StreamView takes them."""
    names = count()

    def make(**options: Any) -> StreamView:
        given = {"model": "doubao-seed", "owns_cell": True} | options
        return StreamView(screen, clock=clock, new_id=lambda: f"view{next(names)}", **given)

    return make


@pytest.fixture
def play(clock: Clock) -> Callable[..., None]:
    """Feeds events at a rate, ticking in between as the driver does."""

    def run(view: StreamView, events: list[Event], *, per_s: float) -> None:
        next_tick_s = clock.now_s
        for event in events:
            clock.now_s += 1 / per_s
            view.feed(event)
            if clock.now_s >= next_tick_s:
                view.tick()
                next_tick_s = clock.now_s + 0.03

    return run
