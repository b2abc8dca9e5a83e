"""A film is asked for: once for each press of the button, after a question where a person wants one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.panels.wish import Wish, confirms, looked_at

if TYPE_CHECKING:
    from anyfast_nb.gateway.loop import Running
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.panels.roles import Medium
    from anyfast_nb.session import Session

_SECOND_CLICK_S: Final = 0.8
_MOST_TAKES: Final = 1000


@dataclass(frozen=True, slots=True)
class Errand:
    """One press of the button.

    Attributes:
        wish: what is asked for.
        take: which take of it.
        sure: a person has said that it may use as much.
        another: a take that is there already does not do.
    """

    wish: Wish
    take: int = 1
    sure: bool = False
    another: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a film was made of, to make another one of it.

    Attributes:
        errand: the press of the button.
        media: what was on the shelf.
        model: that was chosen, "" is none.
        options: that were chosen.
    """

    errand: Errand
    media: tuple[Medium, ...]
    model: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of a press.

    Attributes:
        busy: it is on its way, or not any more.
        asks: it may use more than was set: the question.
        made: a job is there; ``reused_from`` says if it was there before.
        failed: why there is none; ``partial`` may be one that is in doubt.
    """

    busy: Callable[[bool], None]
    asks: Callable[[Errand, str], None]
    made: Callable[[Job, Errand], None]
    failed: Callable[[BaseException, Errand], None]


class VideoMaker:
    """Sends one wish at a time.

    Args:
        session: its desk.
        origin: notebook and cell: the same wish from there is the same film.
        told: what is done about it, on the private loop.
        clock: seconds, never going back.
    """

    def __init__(
        self, *, session: Session, origin: Origin, told: Told, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._origin = origin
        self._told = told
        self._clock = clock
        self._running: Running[None] | None = None
        self._began_s = float("-inf")
        self.sending = False

    def make(self, errand: Errand) -> bool:
        """Ask for it, if nothing is on its way; is it on its way now?"""
        if self.sending:
            return False
        self.sending = True
        self._began_s = self._clock()
        self._told.busy(True)
        self._running = io_loop().submit(self._made(errand))
        return True

    def stop(self) -> None:
        """Stop what is on its way; the second half of a double click on Create does not."""
        if self._running is not None and self._clock() - self._began_s > _SECOND_CLICK_S:
            self._running.future.cancel()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing is on its way; for scripts and tests.

        Raises:
            TimeoutError: it still is.
        """
        if self._running is not None and not self._running.ended.wait(timeout_s):
            raise TimeoutError

    async def _made(self, errand: Errand) -> None:
        try:
            question = await self._question(errand)
            if question:
                self._told.asks(errand, question)
                return
            job, errand = await self._job(errand)
            self._told.made(job, errand)
        except asyncio.CancelledError:
            self._told.failed(Interrupted(), errand)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel tells it
            self._told.failed(error, errand)
        finally:
            self.sending = False
            self._told.busy(False)

    async def _question(self, errand: Errand) -> str:
        if errand.sure:
            return ""
        facts = await looked_at(self._session, errand.wish, self._origin)
        return confirms(facts, self._session.settings.confirm_above)

    async def _job(self, errand: Errand) -> tuple[Job, Errand]:
        """The job of the wish; with `another`, of its first take that nobody has asked for."""
        wish, desk = errand.wish, self._session.desk
        for take in range(errand.take, errand.take + _MOST_TAKES):
            job = await desk.film(
                wish.kind, wish.prompt, wish.arguments, origin=self._origin, take=take, reuse=True
            )
            if not errand.another or job.reused_from is None:
                return job, replace(errand, take=take)
        raise AnyFastError(f"there are {_MOST_TAKES} takes of this film", hint="Change the wish.")
