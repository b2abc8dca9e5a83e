"""Work that a panel has done elsewhere: the kernel's own thread goes on, and what goes wrong is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyfast_nb.gateway.gateway import io_loop

if TYPE_CHECKING:
    from anyfast_nb.panels.board import Board

T = TypeVar("T")

_WATCH: Final = "watch"
_PATIENCE_S: Final = 1800.0
_GROWTH: Final = 1.25
_MOST_GAP_S: Final = 15.0


class Errands:
    """Runs a panel's work on the private loop, or in a thread of it.

    Args:
        tell: shows what went wrong.
    """

    def __init__(self, tell: Callable[[BaseException], None]) -> None:
        self._tell = tell
        self._newest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._running: dict[Any, str] = {}
        self._watching: set[str] = set()
        self._closed = False

    def run(
        self,
        work: Coroutine[Any, Any, T],
        then: Callable[[T], None] = lambda _: None,
        *,
        key: str = "",
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Do some work on the private loop; gives back at once.

        Args:
            work: a coroutine.
            then: called with what it gives, on that loop's thread; it must be quick.
            key: of work with the same key, only the newest is heard.
            failed: told instead of the panel.
        """
        with self._lock:
            if self._closed:
                work.close()
                return
            number = self._newest[key] = self._newest.get(key, 0) + 1

        async def careful() -> None:
            try:
                found = await work
                if self._counts(key, number):
                    then(found)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the panel tells it
                if self._counts(key, number):
                    (failed or self._tell)(error)

        running = io_loop().submit(careful())
        self._running[running] = key
        running.future.add_done_callback(lambda _: self._running.pop(running, None))

    def read(
        self,
        work: Callable[[], T],
        then: Callable[[T], None] = lambda _: None,
        *,
        key: str = "",
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """The same for work that blocks: it is done in a thread."""
        self.run(asyncio.to_thread(work), then, key=key, failed=failed)

    def watch(
        self, key: str, *, wanted: Callable[[], bool], look: Callable[[], Awaitable[bool]], gap_s: float
    ) -> None:
        """Look again and again as long as it is wanted; what is watched already is not watched twice.

        Args:
            key: what is watched.
            wanted: asked before each look.
            look: what is done then; did anything change?
            gap_s: seconds between two looks; they grow as long as nothing changes.
        """
        with self._lock:
            if key in self._watching or self._closed:
                return
            self._watching.add(key)

        async def going() -> None:
            pause_s, passed_s = gap_s, 0.0
            try:
                while wanted() and not self._closed and passed_s < _PATIENCE_S:
                    await asyncio.sleep(pause_s)
                    passed_s += pause_s
                    pause_s = min(pause_s * _GROWTH, _MOST_GAP_S)
                    if await look():
                        pause_s = gap_s
            finally:
                self._watching.discard(key)

        self.run(going(), key=f"{_WATCH} {key}")

    def rest(self, timeout_s: float = 60.0) -> bool:
        """Wait until nothing is under way but watching; was that in time? Not for the private loop."""
        end = time.monotonic() + timeout_s
        while going := [one for one, key in list(self._running.items()) if not key.startswith(_WATCH)]:
            if not going[0].ended.wait(max(0.0, end - time.monotonic())):
                return False
            self._running.pop(going[0], None)
        return True

    def close(self) -> None:
        """Stop all of it."""
        with self._lock:
            self._closed = True
        for running in list(self._running):
            running.future.cancel()

    def _counts(self, key: str, number: int) -> bool:
        return not self._closed and (not key or self._newest.get(key) == number)


def drawn(board: Board, pieces: Mapping[str, str]) -> None:
    """Put these pieces and no others on a board; of those that are there, only what differs is sent."""
    there = board.pieces
    if list(there) != list(pieces):
        board.show(pieces)
        return
    for name, html in pieces.items():
        board.put(name, html)
