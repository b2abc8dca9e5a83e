"""A grid of pictures that fills as they come: a frame for each one to come, in one output."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.jobs.pictures import Pictures, shown
from anyfast_nb.render.job_card import span
from anyfast_nb.render.pictures import Shown, pictures_bundle

if TYPE_CHECKING:
    from anyfast_nb.jobs.pictures import Picture
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.render.live import Live

_TICK_S: Final = 0.5
_SELDOM_S: Final = 10
_SMALL: Final = 320  # pixels of the copies that are drawn again and again


class Easel:
    """The pictures of one request while they are made.

    Args:
        view: where they are shown.
        prompt: what was asked for.
        count: how many may come.
        preflight: of the request.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        view: Live,
        *,
        prompt: str,
        count: Any,
        preflight: Preflight | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._view = view
        self._prompt = prompt
        self._count = count if isinstance(count, int) and count > 1 else 1
        self._preflight = preflight
        self._clock = clock
        self._began_s = clock()
        self._came: dict[int, Picture] = {}
        self._small: dict[int, Shown] = {}  # a copy is made once
        self.draw()

    def add(self, picture: Picture) -> None:
        """One came, or failed; it is drawn at the next tick."""
        self._came[picture.index] = picture

    def pictures(self) -> Pictures:
        """Those that have come, in order."""
        return Pictures(tuple(self._came[index] for index in sorted(self._came)), prompt=self._prompt)

    async def follow(self, work: Coroutine[Any, Any, Pictures]) -> Pictures:
        """Wait for all of them, and redraw meanwhile. On the private loop."""
        ticking = asyncio.create_task(self._tick())
        try:
            return await work
        finally:
            ticking.cancel()

    def draw(self) -> None:
        """Show what has come, with a frame for each that has not."""
        came = len(self._came)
        status = f"{came} of {self._count}" if self._count > 1 else "1 picture"
        passed_s = self._clock() - self._began_s
        if came:  # what is drawn holds pictures now: not each second
            passed_s -= passed_s % _SELDOM_S
        status = f"seedream · {status} · {span(passed_s)}"
        figures = [self._figure(index) for index in range(max(self._count, max(self._came, default=0) + 1))]
        bundle = pictures_bundle(figures, prompt=self._prompt, status=status)
        self._view.draw(bundle, f"seedream · {came} of {self._count}")

    def finish(self, pictures: Pictures) -> None:
        """The pictures for good."""
        facts = {
            "id": pictures.id,
            "model": pictures.model,
            "source": pictures.source.value,
            "tokens": pictures.usage.output_tokens,
            "duration_s": round(self._clock() - self._began_s, 3),
        }
        known = () if self._preflight is None else self._preflight.notes
        bundle = pictures_bundle(
            [shown(picture) for picture in pictures],
            prompt=self._prompt,
            facts=pictures.facts(),
            notes=[note for note in pictures.notes if note not in known],
            preflight=self._preflight,
        )
        self._view.settle(bundle, {"anyfast": facts})

    def stop(self, why: str) -> None:
        """No more will come: those that came stay."""
        pictures = self.pictures()
        status = f"{why} · {len(pictures.made)} of {self._count} came"
        figures = [shown(picture) for picture in pictures]
        self._view.settle(pictures_bundle(figures, prompt=self._prompt, status=status), {})

    def _figure(self, index: int) -> Shown:
        picture = self._came.get(index)
        if picture is None:
            return Shown(pending=True)
        if index not in self._small:
            self._small[index] = shown(picture, longest=_SMALL)
        return self._small[index]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            await asyncio.to_thread(self.draw)
