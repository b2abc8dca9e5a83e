"""The life of a task, by the clock: NOT_START, QUEUED, IN_PROGRESS, then SUCCESS or FAILURE."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.faults import JobFaults

MOST_TASKS = 10_000
# Of a clip's length: 5 s take 20 s at speed 1. A real one takes minutes.
SECONDS_EACH = 4.0
_QUEUED_FROM, _BEGUN_FROM = 0.05, 0.2
_STARTED_PROGRESS = 50


class Stage(StrEnum):
    """Where a task is, in the gateway's words."""

    NOT_START = "NOT_START"
    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"

    @property
    def ends(self) -> bool:
        """Whether it is over."""
        return self in {Stage.SUCCESS, Stage.FAILURE}

    @property
    def started(self) -> bool:
        """Whether the upstream works or has worked on it."""
        return self not in {Stage.NOT_START, Stage.QUEUED}


@dataclass(slots=True)
class Job:
    """One accepted task.

    Attributes:
        id: by which it is polled.
        upstream_id: the upstream's own.
        family: "seedance" or "kling".
        model: as it was asked for.
        action: the gateway's word for what it does; for Kling the route it was created by.
        key_mark: whose it is.
        created_at: seconds since 1970.
        queue_s, making_s: how long it waits and how long it is made, speed reckoned in.
        faults: what its prompt asked to go wrong.
        film, original, last_frame: names in the store, "" for none.
        request_id: of the create call.
        facts: what the finished task tells of its film.
        polls: how often it was asked for.
        links: how often it told links.
        refused: how many polls were refused on request.
    """

    id: str
    upstream_id: str
    family: str
    model: str
    action: str
    key_mark: str
    created_at: float
    queue_s: float
    making_s: float
    faults: JobFaults
    film: str
    request_id: str
    original: str = ""
    last_frame: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    polls: int = 0
    links: int = 0
    refused: int = 0

    @property
    def started_at(self) -> float:
        """When the upstream begins with it."""
        return self.created_at + self.queue_s

    @property
    def finished_at(self) -> float:
        """When it is over."""
        return self.started_at + self.making_s


@dataclass(frozen=True, slots=True)
class Seen:
    """A task at one poll: its stage and its progress in percent."""

    stage: Stage
    progress: int


def lengths(duration_s: float, *, speed: float, queue_s: float = 0.0) -> tuple[float, float]:
    """Seconds in the queue and seconds of making; both 0 at speed 0."""
    if not speed:
        return 0.0, 0.0
    whole = duration_s * SECONDS_EACH
    return (whole * _BEGUN_FROM + queue_s) / speed, whole * (1 - _BEGUN_FROM) / speed


def seen(job: Job, now: float) -> Seen:
    """Where a task is; polls are counted by the shelf."""
    elapsed = now - job.created_at
    if 0 < job.polls <= job.faults.polls_unfinished:
        return _held_back(job.polls, left=job.faults.polls_unfinished - job.polls)
    if elapsed < job.queue_s * _QUEUED_FROM / _BEGUN_FROM:
        return Seen(Stage.NOT_START, 0)
    if elapsed < job.queue_s:
        return Seen(Stage.QUEUED, 10)
    if job.faults.stuck:
        return Seen(Stage.IN_PROGRESS, _STARTED_PROGRESS)
    if elapsed < job.queue_s + job.making_s:
        done = (elapsed - job.queue_s) / job.making_s
        return Seen(Stage.IN_PROGRESS, min(99, _STARTED_PROGRESS + int(done * 50)))
    failed = job.faults.moderated or job.faults.fails
    return Seen(Stage.FAILURE if failed else Stage.SUCCESS, 100)


def _held_back(polls: int, *, left: int) -> Seen:
    if not left or polls > 2:
        return Seen(Stage.IN_PROGRESS, _STARTED_PROGRESS)
    return Seen(Stage.NOT_START, 0) if polls == 1 else Seen(Stage.QUEUED, 10)


def key_mark(authorization: str) -> str:
    """Tells two keys apart without keeping either."""
    return hashlib.sha256(b"task-owner\0" + authorization.encode("utf-8", "replace")).hexdigest()[:16]


class Shelf:
    """All tasks of one server, the oldest forgotten beyond a number, and how many were accepted."""

    def __init__(self, *, most: int = MOST_TASKS) -> None:
        self._most = most
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self.accepted: dict[str, int] = {"seedance": 0, "kling": 0}

    def add(self, job: Job) -> None:
        """Accept a task."""
        with self._lock:
            self.accepted[job.family] += 1
            self._jobs[job.id] = job
            while len(self._jobs) > self._most:
                self._jobs.popitem(last=False)

    def find(self, id: str, *, key_mark: str) -> Job | None:
        """A task of that key, None if there is none."""
        job = self._jobs.get(id)
        return job if job is not None and job.key_mark == key_mark else None

    def polled(self, job: Job) -> None:
        """Count a poll."""
        with self._lock:
            job.polls += 1

    def refuses(self, job: Job) -> bool:
        """Whether this poll is one of those that shall fail; counts it if so."""
        faults = job.faults
        with self._lock:
            if not faults.poll_status or (faults.poll_times and job.refused >= faults.poll_times):
                return False
            job.refused += 1
            return True

    def links_told(self, job: Job) -> int:
        """Count a reply that tells links; how many came before it."""
        with self._lock:
            job.links += 1
            return job.links - 1

    def newest(self, *, most: int = 100) -> list[Job]:
        """The latest tasks, newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))[:most]
