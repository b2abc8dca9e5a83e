"""How fast questions may follow each other: so many in a second, and slower when the gateway says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MOST_REST_S: Final = 120.0


class Tempo:
    """Evenly spaced requests, none saved up: after a rest they do not come in a heap.

    Attributes:
        per_s: requests in a second at most.
        free_at: when the next one may leave, by the caller's clock.
    """

    def __init__(self, per_s: float = 5.0) -> None:
        self.per_s = per_s
        self.free_at = float("-inf")
        self._refusals = 0

    def take(self, now: float) -> float:
        """Take the next place; gives the moment at which it may leave."""
        at = max(now, self.free_at)
        self.free_at = at + 1 / self.per_s
        return at

    def slow(self, now: float, asked_s: float | None, *, uniform: Callable[[float, float], float]) -> None:
        """Rest, as long as the gateway asked for; else longer with each refusal in a row."""
        self._refusals += 1
        rest_s = 2.0 ** min(self._refusals, 6) if asked_s is None else asked_s
        self.free_at = max(self.free_at, now + min(uniform(rest_s, 1.1 * rest_s), _MOST_REST_S))

    def ease(self) -> None:
        """The gateway answers again."""
        self._refusals = 0
