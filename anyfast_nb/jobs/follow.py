"""Following a job on the private loop: ask, pause, ask again, fetch what it made."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from anyfast_nb.errors import AnyFastError, ConfigError, InputError, NotFoundError, StillRunning
from anyfast_nb.jobs import failures
from anyfast_nb.jobs.fetch import fetch_film, fetch_last_frame
from anyfast_nb.jobs.folder import open_folder
from anyfast_nb.jobs.poll import Pace, Turn, advanced, ask, deadline_s
from anyfast_nb.jobs.scheduler import Next, OnChange, Scheduler
from anyfast_nb.jobs.state import JobState
from anyfast_nb.ledger.guard import plain_url
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.http.transport import Transport
    from anyfast_nb.wire.tasks import Task

_HEARD: Final = (
    "status", "raw_status", "progress", "error_code", "error", "tokens", "video_s", "finished_at",
)  # fmt: skip


# The jobs whose callbacks are running in this context.
_TELLING: ContextVar[frozenset[str]] = ContextVar("_TELLING", default=frozenset())


class Following(JobState):
    """A job that can be asked for and waited for, one question at a time. Not for direct use.

    Args:
        scheduler: asks for it; one of its own unless told otherwise.
    """

    def __init__(
        self,
        row: JobRow,
        *,
        gateway: Gateway,
        prompt: str = "",
        pace: Pace | None = None,
        scheduler: Scheduler | None = None,
    ) -> None:
        super().__init__(row, gateway=gateway, prompt=prompt, pace=pace)
        self._scheduler = scheduler or Scheduler(pace=self._pace)
        self._asking: asyncio.Lock | None = None
        self._task: Task | None = None  # the last reply with its links: they are never stored
        self._beside = Path.cwd()
        self._cards: list[Event] = []  # each set when a card that shows this job has ended

    async def _followed(self, timeout_s: float | None, on_change: OnChange | None) -> None:
        """Wait to the end; `cancel` ends it from anywhere."""
        self._require_no_callback()
        await self._scheduler.follow(self, timeout_s=timeout_s, on_change=on_change)

    # --- what the scheduler sees: see `scheduler.Followed` --------------------------------

    def _next(self) -> Next:
        """What the job needs before its film is on this disk.

        Raises:
            StatusError: it ended without one.
        """
        if self.file is not None:
            return Next.NOTHING
        self._require_no_failure()
        return Next.FETCH if self._row.status is JobStatus.SUCCEEDED else Next.ASK

    def _patience_s(self) -> float:
        """How long one waits for it, unless told otherwise."""
        return deadline_s(_seconds(self._row))

    def _gap_s(self) -> float:
        """Seconds until the next question."""
        return self._pace.gap_s((self._pace.now() - self._row.created_at).total_seconds())

    async def _ask_once(self, turn: Turn) -> bool:
        """Ask where it stands; did anything change?

        Raises:
            AnyFastError: see `poll.ask`; or nobody knows whether it was accepted.
        """
        async with self._alone():
            if self._row.status.ends:
                return False
            if not self._row.task_id:
                return self._looked_up()
            return await self._ask(await self._transport(), turn)

    async def _fetch_once(self) -> None:
        """Bring the film onto this disk.

        Raises:
            AnyFastError: it did not come.
        """
        async with self._alone():
            if self.file is None:
                await self._fetch(await self._transport())

    def _told(self, on_change: OnChange) -> None:
        """Call a callback with this job."""
        before = _TELLING.set(_TELLING.get() | {self.id})
        try:
            on_change(self)
        finally:
            _TELLING.reset(before)

    def _late(self, what: str) -> StillRunning:
        """The error of a waiting that is over before the job is."""
        row = self._row
        at = "" if row.progress is None else f", at {row.progress} %"
        error = StillRunning(
            f"job {row.short_id}: {what} ({row.status.value}{at}); it is not lost",
            hint=f"Wait again: job.wait(), or client.job({row.short_id!r}).wait() in another kernel.",
        )
        error.partial = self
        return error

    # --- asking ---------------------------------------------------------------------------

    def _looked_up(self) -> bool:
        """A job whose task id is not known here: its kernel may live, and have it by now.

        Raises:
            AnyFastError: nobody knows whether it was accepted.
        """
        ledger = self._gateway.ledger
        found = ledger.job(self.id)
        changed = found is not None and self.renew(found)
        if self._row.task_id or self._row.status.ends:
            return changed
        if self._row.status is JobStatus.SUBMITTING and ledger.maker_lives(self._row):
            return changed
        self.doubt()
        raise self._in_doubt()

    def _require_no_failure(self) -> None:
        if self._row.status.ends and self._row.status is not JobStatus.SUCCEEDED:
            error = failures.job_failed(self._row)
            error.partial = self
            raise error

    async def _fetch(self, transport: Transport) -> None:
        try:
            await self._fetched(transport)
        except NotFoundError as error:
            raise failures.film_gone(self._row, error) from None

    async def _fetched(self, transport: Transport) -> None:
        if self._task is None:  # found again: the link was never stored
            await self._ask(transport)
        assert self._task is not None
        settings = self._gateway.settings()
        folder = open_folder(settings.media_dir, home=settings.home, beside=self._beside)
        if folder.note and folder.note not in self._row.notes:
            self.change(notes=(*self._row.notes, folder.note), event=False)
        film = await fetch_film(
            self._row,
            self._task,
            transport=transport,
            folder=folder,
            refresh=lambda: self._fresh_link(transport),
            pace=self._pace,
        )
        self.change(path=str(film), note="downloaded")
        if self._task.last_frame_url:  # its link will not live long
            with suppress(AnyFastError):
                await self._fetch_last_frame(film, transport)

    async def _fresh_link(self, transport: Transport) -> str:
        """Ask once more: the reply of a task that succeeded holds a link signed anew."""
        self.tell("the link had expired: asked for a fresh one")
        await self._ask(transport)
        return "" if self._task is None else self._task.url

    async def _fetch_last_frame(self, film: Path, transport: Transport | None) -> None:
        task = self._task if transport is not None else None
        path = await fetch_last_frame(self._row, task, film=film, transport=transport, pace=self._pace)
        self.change(last_frame_path=str(path), event=False)

    def _require_no_callback(self) -> None:
        """Who waits for a job inside its own `on_change` would wait for ever."""
        if self.id in _TELLING.get():
            raise InputError(
                f"job {self._row.short_id} is waited for inside its own on_change",
                field="on_change",
                hint="Look at job.status, job.progress and job.file there.",
            )

    async def _poll(self) -> None:
        self._require_no_callback()
        async with self._alone():
            if not self._row.status.ends and (self._row.task_id or not self._looked_up()):
                await self._scheduler.turn()
                await self._ask(await self._transport())

    async def _ask(self, transport: Transport, turn: Turn | None = None) -> bool:
        try:
            task, row = await ask(transport, self._row, now=self._pace.now(), turn=turn)
        except NotFoundError as error:
            self.tell(f"not found: {error.code or error.status}")
            raise
        self._task = task
        row = advanced(row, task, redact=transport.redact, now=self._pace.now())
        self.change(poll_paths=row.poll_paths, event=False)  # where it is found is no news
        return self.change(**{name: getattr(row, name) for name in _HEARD})

    def _alone(self) -> asyncio.Lock:
        """One question at a time, however many wait; made on the loop that asks."""
        if self._asking is None:
            self._asking = asyncio.Lock()
        return self._asking

    async def _transport(self) -> Transport:
        """The way to the gateway that has this job.

        Raises:
            ConfigError: the client goes to another gateway.
            AnyFastError: nobody knows whether the job was accepted.
        """
        if not self._row.task_id:
            raise self._in_doubt()
        transport = await self._gateway.connection.transport()
        here = plain_url(transport.endpoint.base_url)
        if here != self._row.base_url and not (
            self._row.source is Source.SIMULATED and transport.endpoint.simulated
        ):
            raise ConfigError(
                f"job {self._row.short_id} is at {self._row.base_url}, and this client goes to {here}",
                hint=f"Client(base_url={self._row.base_url!r}).job({self._row.short_id!r}) reaches it.",
            )
        return transport


def _seconds(row: JobRow) -> float | None:
    asked = row.request.get("duration")
    try:
        return float(asked) if asked is not None else row.video_s
    except (TypeError, ValueError):
        return row.video_s
