"""What all desks of the server share, and what a desk is."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from starlette.concurrency import run_in_threadpool

from anyfast_nb.simulator.looking.eyes import Eyes
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.stream import Pacer, Sleep
from anyfast_nb.simulator.triggers import Failures, Triggers

if TYPE_CHECKING:
    from starlette.routing import Route

    from anyfast_nb.simulator.config import Config
    from anyfast_nb.simulator.gate import Activity
    from anyfast_nb.simulator.store import Store


Given = ParamSpec("Given")
Result = TypeVar("Result")

# Megabytes of media are unpacked and measured: more at once would take turns, and fill the memory.
READERS = 4
BAD_WORDS = (
    "The request failed because the input text may contain sensitive information. Simulated on request."
)


class Desk(Protocol):
    """One family of endpoints."""

    def routes(self) -> list[Route]:
        """The routes it answers."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The settings, clocks and counters of one server.

    Attributes:
        config: key, speed and limits.
        activity: the requests that run.
        now: seconds since 1970.
        clock: monotonic seconds.
        sleep: waits that many seconds.
        store: films and pictures behind signed links.
        eyes: look at pictures and clips.
        failures: what was asked to fail some times, and how often it did.
        numbers: of requests, for their ids.
        places: for those who read large requests.
    """

    config: Config
    activity: Activity
    now: Callable[[], float]
    clock: Callable[[], float]
    sleep: Sleep
    store: Store
    eyes: Eyes = field(default_factory=Eyes)
    failures: Failures = field(default_factory=Failures)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READERS))

    async def read(
        self, reader: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Read a request that may hold media: off the loop, and few at a time."""
        async with self.places:
            return await run_in_threadpool(reader, *args, **kwargs)

    @property
    def retry_after_s(self) -> int:
        """What a 429 or 503 asks for."""
        return math.ceil(1 / self.config.speed) if self.config.speed else 0

    def pacer(self, triggers: Triggers) -> Pacer:
        """Lets tokens pass at the server's rate, or at the one asked for by name."""
        rate = self.config.rate_per_s if triggers.rate_per_s is None else triggers.rate_per_s
        return Pacer(rate, clock=self.clock, sleep=self.sleep)

    def check(self, triggers: Triggers, *, authorization: str, prompt: str) -> None:
        """Refuse what shall fail before it begins.

        Raises:
            Refusal: with the status asked for.
        """
        if triggers.echo_key:
            raise Refusal(401, f"Invalid API key provided: {authorization}. Simulated on request.")
        self.failures.check(triggers, key=authorization, prompt=prompt, retry_after_s=self.retry_after_s)

    def review(self, triggers: Triggers) -> None:
        """Refuse a prompt that shall not pass review.

        Raises:
            Refusal: 400.
        """
        if triggers.bad_words:
            raise Refusal(400, BAD_WORDS, code="InputTextSensitiveContentDetected")

    def number(self, digest: bytes) -> tuple[str, int]:
        """A new id of digits and the second it was made."""
        created = self.now()
        return f"02{int(created * 1000):013d}{next(self.numbers):06d}{digest.hex()[:12]}", int(created)
