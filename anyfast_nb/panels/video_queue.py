"""The films of a panel: being made, made, failed. One board, the newest first, the rest on demand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError
from anyfast_nb.jobs.card import UNKNOWN, Card, Usual, card_of
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.media_words import near
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.inputs import line_html
from anyfast_nb.render.job_card import span, usual_words
from anyfast_nb.render.queue import Queued, queued_html

if TYPE_CHECKING:
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.media.frames import Thumbnail
    from anyfast_nb.panels.errands import Errands
    from anyfast_nb.panels.wish import Wish
    from anyfast_nb.session import Session

SHOWN: Final = 50
_TICK_S: Final = 0.5
_POSTER: Final = 480
_MORE: Final = "more"
_LOOK: Final = "look"
_log = logging.getLogger(__name__)


class VideoQueue:
    """Jobs on a board, each a card.

    Args:
        session: whose desk has the jobs.
        origin: notebook and cell of the panel.
        errands: waits for the jobs.
        on_act: called with the verb of a pressed button and its job.
        on_end: called when a job has ended, on the private loop.
        text_of: gives what a copy button copies, by verb and job.
    """

    def __init__(
        self,
        *,
        session: Session,
        origin: Origin,
        errands: Errands,
        on_act: Callable[[str, Job], None],
        on_end: Callable[[Job], None],
        text_of: Callable[[str, Job], str],
    ) -> None:
        self._session = session
        self._origin = origin
        self._errands = errands
        self._on_act = on_act
        self._on_end = on_end
        self._text_of = text_of
        self.jobs: dict[str, Job] = {}  # newest first
        self.wishes: dict[str, Wish] = {}
        self._followed: set[str] = set()
        self._usual: dict[str, Usual] = {}
        self._posters: dict[str, Thumbnail | None] = {}
        self._shown = SHOWN
        self._ticking = False
        self._closed = False
        self.board = Board(label=say("video.queue"), on_act=self._acted, text_of=self._copied)
        self.draw()

    # --- what is in it ----------------------------------------------------------------------

    def add(self, job: Job, wish: Wish | None = None) -> None:
        """A job at the top, watched to its end."""
        self.jobs = {job.id: job, **{key: one for key, one in self.jobs.items() if key != job.id}}
        if wish is not None:
            self.wishes[job.id] = wish
        self.draw()
        self.follow(job)

    def look(self) -> None:
        """Find the jobs that belong here: those of this cell, and all that this kernel is waiting for."""
        self._errands.read(self._found, self._merged, key="jobs")

    def _found(self) -> list[Job]:
        own = self._session.gateway.ledger.maker()
        return [job for job in self._session.desk.jobs() if self._is_here(job, own)]

    def _is_here(self, job: Job, own: str) -> bool:
        row, origin = job.row, self._origin
        of_cell = origin.cell is not None and (row.notebook, row.cell) == (origin.notebook, origin.cell)
        return of_cell or (bool(own) and row.maker == own and not row.status.ends)

    def _merged(self, found: Iterable[Job]) -> None:
        every = {job.id: job for job in found} | self.jobs
        newest = sorted(every.values(), key=lambda job: job.row.created_at, reverse=True)
        self.jobs = {job.id: job for job in newest}
        self.draw()
        for job in newest[: self._shown]:
            self.follow(job)

    def follow(self, job: Job) -> None:
        """Wait for a job as long as that makes sense."""
        waits = job.status is not JobStatus.SUBMIT_UNKNOWN and (
            not job.done or (job.status is JobStatus.SUCCEEDED and job.file is None)
        )
        if job.file is not None and job.id not in self._posters:
            self._errands.read(lambda: _poster(job), lambda _: self._put(job))
        if waits and job.id not in self._followed:
            self._followed.add(job.id)
            self._errands.run(self._to_the_end(job), failed=lambda _: None)
            self._tick()

    async def _to_the_end(self, job: Job) -> None:
        self._usual[job.id] = await asyncio.to_thread(self._how_long, job)
        try:
            with suppress(AnyFastError):  # its card tells it
                await job.wait_async()
            if job.file is not None:
                self._posters[job.id] = await asyncio.to_thread(_poster, job)
        finally:
            self._followed.discard(job.id)
        self._put(job)
        done = job.file is not None
        if job.done or done:
            word = "done" if done else "failed"
            self.board.announce(say(f"video.announce.{word}", job=job.row.short_id))
        self._on_end(job)

    def _how_long(self, job: Job) -> Usual:
        with suppress(AnyFastError):
            return self._session.gateway.ledger.job_durations(job.kind, like=job.row)
        return UNKNOWN

    def close(self) -> None:
        """Draw no more; the jobs go on."""
        self._closed = True

    # --- drawing ----------------------------------------------------------------------------

    def draw(self) -> None:
        """Show the newest."""
        shown = list(self.jobs.values())[: self._shown]
        pieces = {f"job:{job.id}": self._html(job) for job in shown}
        if not shown:
            pieces["none"] = line_html(say("video.empty"), quiet=True)
        if (left := len(self.jobs) - len(shown)) > 0:
            more = Act(say("video.more", n=min(left, SHOWN)), f"{_MORE}:")
            pieces[_MORE] = line_html("", acts=[more])
        pieces[_LOOK] = line_html("", acts=[Act(say("video.refresh"), f"{_LOOK}:")])
        there = self.board.pieces
        if list(there) == list(pieces):
            for name, html in pieces.items():
                self.board.put(name, html)
        elif shown and list(there) == [name for name in pieces if name != f"job:{shown[0].id}"]:
            self.board.put(
                f"job:{shown[0].id}", pieces[f"job:{shown[0].id}"], after=""
            )  # the others stay as they are
        else:
            self.board.show(pieces)

    def card(self, job: Job) -> Card:
        """A job in plain values, as it is now."""
        return card_of(job, usual_s=self._usual.get(job.id, UNKNOWN))

    def _put(self, job: Job) -> None:
        if f"job:{job.id}" in self.board.pieces:
            self.board.put(f"job:{job.id}", self._html(job))

    def _tick(self) -> None:
        if not self._ticking and not self._closed:
            self._ticking = True
            self._errands.run(self._ticks(), key="tick")

    async def _ticks(self) -> None:
        try:
            while self._followed and not self._closed:
                await asyncio.sleep(_TICK_S)
                for key in list(self._followed):
                    if (job := self.jobs.get(key)) is not None:
                        self._put(job)
        finally:
            self._ticking = False

    def _html(self, job: Job) -> str:
        return queued_html(self.queued(job))

    def queued(self, job: Job) -> Queued:
        """A job as its card shows it."""
        card, file = self.card(job), job.file
        small = self._posters.get(job.id)
        fetching = job.status is JobStatus.SUCCEEDED and file is None
        state = card.status.value
        if fetching:
            state = "fetching" if job.id in self._followed else "absent"
        model = "" if card.model in {"", card.kind} else card.model
        head = (
            say("video.simulated") if card.simulated else "",
            card.kind,
            model,
            say("video.job", id=card.id),
        )
        return Queued(
            title=" · ".join(word for word in head if word),
            status=say(f"video.status.{state}"),
            prompt=card.prompt,
            told=_told(job, card),
            progress=card.progress if job.status in _MOVING else None,
            trouble=card.trouble,
            notes=[*card.notes, *([str(near(file))] if file else [])],
            film="" if file is None else self.board.medium(file),
            size=None if small is None else (small.width, small.height),
            poster=None if small is None else (small.media_type, small.data),
            acts=self._acts(job),
            ended=job.done,
        )

    def _acts(self, job: Job) -> list[Act]:
        key = job.id
        acts = []
        if job.file is not None:
            acts.append(Act(say("video.act.next"), f"next:{key}"))
            acts += [Act(say(f"video.act.{verb}"), f"{verb}:{key}") for verb in ("extend", "reference")]
            acts.append(Act(say("video.act.path"), copy=f"path:{key}"))
        elif job.status is JobStatus.SUBMIT_UNKNOWN:
            acts.append(Act(say("video.act.adopt"), f"adopt:{key}"))
        elif key in self._followed:
            acts.append(Act(say("video.act.wait"), f"wait:{key}"))
        elif not job.done or job.status is JobStatus.SUCCEEDED:
            acts.append(Act(say("video.act.again"), f"again:{key}"))
        if key in self.wishes:
            acts.append(Act(say("video.act.reuse"), f"reuse:{key}"))
            acts += [Act(say(f"video.act.{verb}"), copy=f"{verb}:{key}") for verb in ("magic", "python")]
        return acts

    # --- what a person presses --------------------------------------------------------------

    def _acted(self, act: str) -> None:
        verb, _, key = act.partition(":")
        if verb == _LOOK:
            self.look()
        elif verb == _MORE:
            self._shown += SHOWN
            self._merged([])
        elif (job := self.jobs.get(key)) is not None:
            self._on_act(verb, job)

    def _copied(self, key: str) -> str:
        verb, _, rest = key.partition(":")
        job = self.jobs.get(rest)
        return "" if job is None else self._text_of(verb, job)


_MOVING: Final = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.UNKNOWN)


def _told(job: Job, card: Card) -> list[str]:
    row = job.row
    if job.status is JobStatus.SUBMIT_UNKNOWN:
        return []
    if not job.done:
        percent = [] if card.progress is None else [f"{card.progress} %"]
        return [*percent, span(card.elapsed_s), *usual_words(card)]
    told = [say("video.after", time=span(card.elapsed_s))]
    if row.video_s is not None:
        told.append(say("option.seconds", n=f"{row.video_s:g}"))
    if row.tokens is not None:
        told.append(say("video.tokens", n=f"{row.tokens:,}"))
    return told


def _poster(job: Job) -> Any:
    from anyfast_nb.media.frames import poster

    return None if job.file is None else poster(Path(job.file), longest=_POSTER)
