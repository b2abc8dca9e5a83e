"""Asking for a job: at which path, how often, and what an answer changes.

No trouble of the network ends a job, and neither does a status that nobody
knows: the server is asked again, at growing gaps. A deadline ends the waiting,
never the job.

Source: wire reference 6.4 to 6.6 and 7.2.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from anyfast_nb.errors import (
    AnyFastError,
    BadRequestError,
    ConnectFailed,
    ModerationError,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)
from anyfast_nb.http.transport import Call
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.wire.tasks import Task, TaskStatus, read_task

if TYPE_CHECKING:
    from anyfast_nb.http.transport import Transport

PASSING: Final = (RateLimitError, ServerError, ConnectFailed, ReadTimedOut, WireCut)
"""Troubles after which the same question is asked again."""

Turn = Callable[[], Awaitable[None]]
"""Awaited before a request: its turn has come."""

_GRACE_S: Final = 60.0  # so long a new task may not be known everywhere


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a job is asked for, and the clocks behind it.

    Attributes:
        first_s: the gap at the beginning.
        most_s: the largest gap.
        grows: how much of the time that has passed the gap becomes.
        jitter: how far a gap may differ, as a part of it, so that many jobs spread out.
        sleep, uniform, clock, now: waiting, chance, monotonic seconds, the time.
    """

    first_s: float = 3.0
    most_s: float = 15.0
    grows: float = 0.06
    jitter: float = 0.2
    sleep: Callable[[float], Awaitable[Any]] = field(default=asyncio.sleep, repr=False)
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)

    def gap_s(self, elapsed_s: float) -> float:
        """Seconds until the next question, for a job of that age."""
        gap = self.first_s + max(0.0, elapsed_s) * self.grows
        gap *= self.uniform(1 - self.jitter, 1 + self.jitter)
        return min(max(gap, self.first_s), self.most_s)


def deadline_s(video_s: float | None) -> float:
    """How long one wait takes at most: by the length of the film, ten to twenty minutes."""
    return min(1200.0, max(600.0, 30 * (video_s or 0)))


async def ask(
    transport: Transport, row: JobRow, *, now: datetime, turn: Turn | None = None
) -> tuple[Task, JobRow]:
    """Ask once where a job stands.

    Args:
        transport: of the gateway that has the job.
        row: the job.
        now: how old the job is depends on it.
        turn: awaited before each request; then no request is repeated here, for whoever counts them repeats
            them himself.

    Returns:
        The reply, and the row with the path that worked in front.

    Raises:
        NotFoundError: no path knows the task.
        AnyFastError: the question could not be asked; see `PASSING`.
    """
    missing: AnyFastError | None = None
    for template in row.poll_paths:
        path = template.replace("{id}", quote(row.task_id, safe=""))
        try:
            if turn is not None:
                await turn()
            task = read_task(await transport.json(Call("GET", path, attempts=None if turn is None else 1)))
        except (NotFoundError, BadRequestError, ProtocolError) as error:
            if isinstance(error, ModerationError):
                raise
            missing = error
            continue
        if task.status is TaskStatus.UNKNOWN and not task.raw_status and not task.id:
            continue  # JSON, but nothing of a task in it
        others = [other for other in row.poll_paths if other != template]
        return task, replace(row, poll_paths=(template, *others))
    if (now - row.created_at).total_seconds() < _GRACE_S:
        raise ServerError(
            f"job {row.short_id} is not known to the gateway yet",
            status=404,
            hint="It was created a moment ago: ask again.",
        ) from None
    raise _unknown(row, transport, missing)


def advanced(row: JobRow, task: Task, *, redact: Callable[[str], str], now: datetime) -> JobRow:
    """The row after a reply; how a job ended stays."""
    if row.status.ends:
        return row
    status = JobStatus(task.status.value)
    return replace(
        row,
        status=status,
        raw_status=redact(task.raw_status)[:100],
        progress=row.progress if task.progress is None else task.progress,
        error_code=redact(task.error_code)[:200],
        error=redact(task.error_message),
        tokens=row.tokens if task.tokens is None else task.tokens,
        video_s=row.video_s if task.duration_s is None else task.duration_s,
        # The server's clock may differ from ours: nothing ends before it began.
        finished_at=max(task.finished_at or now, row.created_at) if status.ends else None,
    )


def _unknown(row: JobRow, transport: Transport, missing: AnyFastError | None) -> NotFoundError:
    other_key = row.key_mark not in {None, transport.endpoint.api_key.mark()}
    why = (
        "It was made with another key, and only that key sees it."
        if other_key
        else "Tasks are forgotten after some days, and only the key that made one sees it."
    )
    error = NotFoundError(
        f"the gateway knows no task {transport.redact(row.task_id)} (job {row.short_id})",
        status=getattr(missing, "status", 404),
        code=getattr(missing, "code", ""),
        request_id=getattr(missing, "request_id", ""),
        hint=why,
    )
    error.__cause__ = None
    return error
