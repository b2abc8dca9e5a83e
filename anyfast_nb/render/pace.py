"""How often to draw: as often as an eye can use, and no more bytes than a browser can lay out."""

from __future__ import annotations

# A front end needs about 10 ms for each kB it lays out again, and must stay idle most of the time.
# A long answer is read later than it comes: it may be drawn in larger steps.
SHORT_CHARS = 8_000
SHORT_LEAST_S, LONG_LEAST_S = 0.08, 0.125
SHORT_BYTES_PER_S, LONG_BYTES_PER_S = 32_000, 20_000


class Pace:
    """Says when the next draw is due, from the size of the last one.

    Args:
        least_s: the shortest time between two draws.
    """

    def __init__(self, *, least_s: float = SHORT_LEAST_S) -> None:
        self._least_s = least_s
        self._next_s = float("-inf")
        self._last_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether what is new may be drawn."""
        return now_s >= self._next_s

    def stale(self, now_s: float) -> bool:
        """Whether the seconds on display have changed though nothing is new."""
        return now_s >= max(self._next_s, self._last_s + 1)

    def drawn(self, now_s: float, *, size_bytes: int, shown_chars: int = 0) -> None:
        """Count a draw.

        Args:
            now_s: when it was made.
            size_bytes: what it sent.
            shown_chars: the length of the answer so far.
        """
        short = shown_chars < SHORT_CHARS
        least_s = self._least_s if short else max(self._least_s, LONG_LEAST_S)
        self._last_s = now_s
        self._next_s = now_s + max(least_s, size_bytes / (SHORT_BYTES_PER_S if short else LONG_BYTES_PER_S))
