"""The line under a streaming answer: what is going on, in a few words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from anyfast_nb.wire.values import Retrying, Source

# UTF-8 bytes: roughly right for English and for Chinese alike.
BYTES_PER_TOKEN = 4


@dataclass(slots=True)
class Progress:
    """What the status line tells of a request under way.

    Attributes:
        model: who answers.
        source: said first, unless live.
        started_s: when the request began, on the view's clock.
        first_s: when the first text or reasoning came.
        size_bytes: UTF-8 bytes so far, thought included.
        retry: the try that is waited for, and until when.
    """

    model: str
    source: Source
    started_s: float
    first_s: float | None = None
    size_bytes: int = 0
    retry: tuple[Retrying, float] | None = field(default=None)

    def count(self, text: str, now_s: float) -> None:
        """Note that text came."""
        self.retry = None
        if self.first_s is None:
            self.first_s = now_s
        self.size_bytes += len(text.encode(errors="replace"))

    def line(self, now_s: float) -> str:
        """The status as text."""
        if self.retry:
            event, at_s = self.retry
            wait_s = max(0, math.ceil(at_s - now_s))
            return f"{event.reason} · next try in {wait_s} s ({event.attempt} of {event.attempts})"
        parts = ["" if self.source is Source.LIVE else str(self.source), self.model, *self._speed(now_s)]
        return " · ".join(part for part in parts if part)

    def _speed(self, now_s: float) -> list[str]:
        elapsed = f"{int(now_s - self.started_s)} s"
        if self.first_s is None:
            return [f"waiting {elapsed}"]
        streamed_s = now_s - self.first_s
        speed = (
            [f"about {self.size_bytes / BYTES_PER_TOKEN / streamed_s:,.0f} tokens/s"]
            if streamed_s >= 0.5
            else []
        )
        return [f"first token after {self.first_s - self.started_s:.1f} s", elapsed, *speed]
