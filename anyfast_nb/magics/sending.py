"""While a request is on its way: a card, as soon as that takes longer than a moment.

A large picture is uploaded first, a busy server is asked again, an asset may not
have arrived: until the job has its card, nobody should look at nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyfast_nb.render.job_card import span
from anyfast_nb.render.preflight import preflight_bundle

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.render.live import Live

T = TypeVar("T")

_SOON_S: Final = 1.0
_TICK_S: Final = 0.5


class Sending:
    """A request that is not a job yet, and the view that will show the job.

    Args:
        view: where it is shown.
        preflight: what the request amounts to.
        where: its destination, in words.
        clock: seconds, never going back.
    """

    def __init__(
        self, view: Live, preflight: Preflight, *, where: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._view = view
        self._preflight = preflight
        self._where = where
        self._clock = clock
        self._began_s = clock()
        self._shown = False

    async def follow(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the job, and tell how long that takes. On the private loop."""
        ticking = asyncio.create_task(self._tick())
        try:
            return await work
        finally:
            ticking.cancel()

    def stop(self) -> None:
        """There will be no job: a card that was shown says no more that it is sent. The error follows."""
        if self._shown:
            self._view.settle(self._bundle("stopped after"), {})

    async def _tick(self) -> None:
        await asyncio.sleep(_SOON_S)
        while True:
            self._shown = True
            head = f"sending {self._preflight.kind} to {self._where}"
            await asyncio.to_thread(self._view.draw, self._bundle("sending ·"), head)
            await asyncio.sleep(_TICK_S)

    def _bundle(self, word: str) -> dict[str, Any]:
        passed = span(self._clock() - self._began_s)
        return preflight_bundle(self._preflight, where=self._where, state=f"{word} {passed}")
