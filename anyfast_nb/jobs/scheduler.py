"""When each job is asked for: one clock for all that somebody waits for.

A heap holds the moments of the next questions. One task takes them in order, no
faster than so many requests in a second, whatever the number of jobs; a few
questions and a few downloads run at a time. A thousand jobs cost a thousand
entries of a heap, not a thousand coroutines. One job with many waiting for it is
asked for once. A job that nobody waits for any more is forgotten here, at once.

Everything runs on the loop of whoever follows first, the private one.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from anyfast_nb.errors import AnyFastError, RateLimitError, ServerError
from anyfast_nb.http.failures import limited
from anyfast_nb.jobs.poll import PASSING, Pace
from anyfast_nb.jobs.tempo import Tempo

if TYPE_CHECKING:
    from anyfast_nb.jobs.poll import Turn

OnChange = Callable[[Any], None]

_MOST_QUESTIONS: Final = 8
_MOST_DOWNLOADS: Final = 4
_QUESTION_S: Final = 60.0  # an answer that takes longer is asked for again
_LATE_S: Final = 5.0  # so much longer than wanted somebody waits for a last question


class Next(Enum):
    """What a job needs."""

    ASK = "ask"
    FETCH = "fetch"
    NOTHING = "nothing"


class Followed(Protocol):
    """A job, as far as it is seen from here; private there: whoever holds a job waits for it."""

    def _next(self) -> Next:
        """What it needs now; raises why it ended without a result."""

    def _patience_s(self) -> float:
        """How long one waits for it, unless told otherwise."""

    def _gap_s(self) -> float:
        """Seconds until the next question."""

    async def _ask_once(self, turn: Turn) -> bool:
        """Ask where it stands; `turn` is awaited before each request. Did anything change?"""

    async def _fetch_once(self) -> None:
        """Bring what it made onto this disk."""

    def _told(self, on_change: OnChange) -> None:
        """Call a callback."""

    def _late(self, what: str) -> AnyFastError:
        """The error of a waiting that is over before the job is."""


@dataclass(slots=True, eq=False)
class _Waiter:
    future: asyncio.Future[None]
    until: float
    on_change: OnChange | None
    context: contextvars.Context  # of the cell that waits: there its output goes


@dataclass(slots=True, eq=False)
class _Entry:
    job: Followed
    due: float
    waiters: list[_Waiter] = field(default_factory=list)
    place: int = 0  # its number in the heap; 0 is not there
    task: asyncio.Task[None] | None = None

    def until(self) -> float:
        return min(waiter.until for waiter in self.waiters)


class Scheduler:
    """Asks for jobs and fetches what they made, as long as somebody waits.

    Args:
        pace: clocks, for all jobs here.
        polls_per_s: requests in a second at most; read whenever somebody begins to wait.
    """

    def __init__(self, *, pace: Pace | None = None, polls_per_s: Callable[[], float] | None = None) -> None:
        self.pace = pace or Pace()
        self._per_s = polls_per_s
        self.tempo = Tempo()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reset()

    def _reset(self) -> None:
        self._entries: dict[Followed, _Entry] = {}
        self._heap: list[tuple[float, int, _Entry]] = []
        self._places = 0
        self._runner: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._questions: set[asyncio.Task[None]] = set()
        self._downloads: set[asyncio.Task[None]] = set()
        self._made: deque[_Entry] = deque()
        self._looked_at = float("-inf")

    def __len__(self) -> int:
        """How many jobs are waited for."""
        return len(self._entries)

    # --- waiting for a job ----------------------------------------------------------------

    def follow(
        self, job: Followed, *, timeout_s: float | None = None, on_change: OnChange | None = None
    ) -> asyncio.Future[None]:
        """Wait for a job; for code on the private loop. Cancelling the future ends the waiting alone.

        Args:
            job: any number may wait for it.
            timeout_s: how long at most; by default as the job says.
            on_change: called whenever something changed, in the caller's context.

        Returns:
            Done when its result is on this disk. Its exception is why that will not be:
            `StillRunning` when the time is over.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # the first, or in a forked child
            self._reset()
            self._loop = loop
        if self._per_s is not None:
            self.tempo.per_s = self._per_s()
        now = self.pace.clock()
        until = now + (job._patience_s() if timeout_s is None else timeout_s)
        waiter = _Waiter(loop.create_future(), until, on_change, contextvars.copy_context())
        entry = self._entries.setdefault(job, _Entry(job, due=now))
        entry.waiters.append(waiter)
        waiter.future.add_done_callback(lambda _: self._left(entry, waiter))
        if len(entry.waiters) == 1:
            self._go_on(entry)
        elif entry.place:
            self._queue(entry, min(entry.due, until))
        return waiter.future

    def let_go(self, job: Followed, what: str) -> None:
        """End all waiting for a job, with `StillRunning`; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_go, job, what)

    async def turn(self) -> None:
        """Wait until one more request may leave."""
        now = self.pace.clock()
        wait_s = self.tempo.take(now) - now
        if wait_s > 0:
            await self.pace.sleep(wait_s)

    # --- the heap -------------------------------------------------------------------------

    def _queue(self, entry: _Entry, due: float) -> None:
        self._places += 1
        entry.due, entry.place = due, self._places
        heapq.heappush(self._heap, (due, entry.place, entry))
        if self._runner is None:
            self._runner = self._started(self._run())
        elif self._heap[0][2] is entry:
            self._wake.set()

    def _first(self) -> _Entry | None:
        """The entry that is due first; what has moved or gone is passed over."""
        while self._heap:
            _, place, entry = self._heap[0]
            if entry.place == place:
                return entry
            heapq.heappop(self._heap)
        return None

    async def _run(self) -> None:
        """Take entries as they come due, as long as there are any."""
        try:
            while (entry := self._first()) is not None:
                now = self.pace.clock()
                if len(self._questions) >= _MOST_QUESTIONS:
                    await self._nap(None)
                elif (at := max(entry.due, self.tempo.free_at)) > now:
                    if entry.due <= now:
                        self._look_for_late(now)
                        at = min(at, now + _LATE_S)
                    await self._nap(at - now)
                else:
                    heapq.heappop(self._heap)
                    entry.place = 0
                    self.tempo.take(now)
                    self._begin(entry, self._ask(entry), self._questions)
        except BaseException as error:
            for entry in list(self._entries.values()):
                self._settle(entry, error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._runner = None

    async def _nap(self, seconds: float | None) -> None:
        """Sleep, unless something comes up."""
        self._wake.clear()
        waking = asyncio.ensure_future(self._wake.wait())
        both: set[asyncio.Future[Any]] = {waking}
        if seconds is not None:
            both.add(asyncio.ensure_future(self._slept(seconds)))
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
        for one in done:
            one.result()

    async def _slept(self, seconds: float) -> None:
        await self.pace.sleep(seconds)

    # --- asking and fetching --------------------------------------------------------------

    def _go_on(self, entry: _Entry) -> None:
        """What the job needs next, if anything."""
        try:
            needs = entry.job._next()
        except AnyFastError as error:
            self._settle(entry, error)
            return
        if needs is Next.NOTHING:
            self._settle(entry)
        elif needs is Next.FETCH:
            self._made.append(entry)
            self._fetch_more()
        else:
            now = self.pace.clock()
            first = entry.due <= now and not entry.place and entry.task is None
            self._queue(entry, now if first else min(now + entry.job._gap_s(), entry.until()))

    async def _ask(self, entry: _Entry) -> None:
        changed = False
        try:
            async with limited(_QUESTION_S, f"no answer for {_QUESTION_S:g} s", bills=False):
                changed = await entry.job._ask_once(self._turns())
            self.tempo.ease()
        except PASSING as error:
            if isinstance(error, RateLimitError | ServerError):
                self._slow(error)
        if changed:
            self._tell(entry)
        self._expire(entry, self.pace.clock())
        if entry.waiters and self._open(entry):
            self._go_on(entry)

    def _turns(self) -> Turn:
        """The first turn has been waited for; whoever needs more requests waits again."""
        first = [True]

        async def turn() -> None:
            if first:
                first.clear()
            else:
                await self.turn()

        return turn

    def _slow(self, error: RateLimitError | ServerError) -> None:
        """What one job is told counts for all: it is one gateway."""
        if isinstance(error, RateLimitError) or error.retry_after_s is not None:
            self.tempo.slow(self.pace.clock(), error.retry_after_s, uniform=self.pace.uniform)

    def _fetch_more(self) -> None:
        while self._made and len(self._downloads) < _MOST_DOWNLOADS:
            entry = self._made.popleft()
            if self._open(entry):
                self._begin(entry, self._fetch(entry), self._downloads)

    async def _fetch(self, entry: _Entry) -> None:
        await entry.job._fetch_once()
        self._tell(entry)
        self._settle(entry)

    def _begin(self, entry: _Entry, work: Coroutine[Any, Any, None], kind: set[asyncio.Task[None]]) -> None:
        entry.task = task = self._started(work)
        kind.add(task)

        def ended(_: asyncio.Task[None]) -> None:
            if len(self._questions) == _MOST_QUESTIONS:
                self._wake.set()
            kind.discard(task)
            if entry.task is task:
                entry.task = None
            if not task.cancelled() and (error := task.exception()) is not None:
                self._settle(entry, error)
            elif task.cancelled() and self._open(entry) and not entry.place:
                self._settle(entry, asyncio.CancelledError())
            self._fetch_more()

        task.add_done_callback(ended)

    def _started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._loop is not None
        # A context of its own: it works for all, not for the one who came first.
        return self._loop.create_task(work, context=contextvars.Context())

    # --- those who wait -------------------------------------------------------------------

    def _tell(self, entry: _Entry) -> None:
        for waiter in tuple(entry.waiters):
            if waiter.on_change is not None and not waiter.future.done():
                try:
                    waiter.context.run(entry.job._told, waiter.on_change)
                except BaseException as error:  # noqa: BLE001  his own; the others wait on
                    _resolve(waiter, error)
                    self._leave(entry, waiter)

    def _expire(self, entry: _Entry, now: float) -> None:
        for waiter in tuple(entry.waiters):
            if waiter.until <= now and self._waits(entry):
                _resolve(waiter, entry.job._late("it is still running"))
                self._leave(entry, waiter)

    def _waits(self, entry: _Entry) -> bool:
        """Is it a job that must be waited for?"""
        with suppress(AnyFastError):
            return entry.job._next() is Next.ASK
        return False

    def _look_for_late(self, now: float) -> None:
        """Where questions queue up, nobody waits for his turn much longer than he wanted to wait."""
        if now < self._looked_at + 1:
            return
        self._looked_at = now
        for entry in list(self._entries.values()):
            if entry.place and entry.until() + _LATE_S <= now:
                self._expire(entry, now)

    def _settle(self, entry: _Entry, error: BaseException | None = None) -> None:
        """It is over, for all who wait."""
        self._forget(entry)
        waiters, entry.waiters = entry.waiters, []
        for waiter in waiters:
            _resolve(waiter, error)

    def _let_go(self, job: Followed, what: str) -> None:
        entry = self._entries.get(job)
        if entry is not None:
            self._settle(entry, job._late(what))
            self._stop(entry)

    def _left(self, entry: _Entry, waiter: _Waiter) -> None:
        self._leave(entry, waiter)
        if not entry.waiters:
            self._stop(entry)

    def _leave(self, entry: _Entry, waiter: _Waiter) -> None:
        if waiter in entry.waiters:
            entry.waiters.remove(waiter)
            if not entry.waiters:
                self._forget(entry)

    def _stop(self, entry: _Entry) -> None:
        if entry.task is not None and entry.task is not asyncio.current_task():
            entry.task.cancel()

    def _forget(self, entry: _Entry) -> None:
        if self._open(entry):
            del self._entries[entry.job]
        if entry.place and self._heap[0][2] is entry:
            self._wake.set()
        entry.place = 0

    def _open(self, entry: _Entry) -> bool:
        return self._entries.get(entry.job) is entry


def _resolve(waiter: _Waiter, error: BaseException | None) -> None:
    if waiter.future.done():
        return
    if error is None:
        waiter.future.set_result(None)
    elif isinstance(error, asyncio.CancelledError):
        waiter.future.cancel()
    else:
        waiter.future.set_exception(error)
