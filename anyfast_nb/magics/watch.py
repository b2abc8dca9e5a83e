"""Waiting where a person looks: a card that tells how far a job is, and then the film in its place.

`watch` waits, and is what a line does by default: Run All goes on when the
film is there. `attach` returns at once and leaves a card that lives. Either
leaves one static output.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.card import UNKNOWN, Usual, card_of
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.render.job_card import card_bundle, status_line
from anyfast_nb.render.live import LineView, NoView, open_output

if TYPE_CHECKING:
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.pictures import Pictures
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.render.live import Live
    from anyfast_nb.session import Session

_TICK_S: Final = 0.5

_log = logging.getLogger(__name__)


def watch(
    session: Session,
    job: Job,
    *,
    preflight: Preflight | None = None,
    embed: bool = False,
    view: Live | None = None,
) -> Job:
    """Wait for a film with its card in the cell, and leave the film.

    Args:
        session: whose ledger knows how long such jobs take.
        job: accepted by the server.
        preflight: of its request; it stays with the film, folded.
        embed: put the film itself into the output.
        view: where it is shown; a new output by default.

    Returns:
        The job itself.

    Raises:
        StillRunning: the time is over; the job goes on, and the card says how to come back.
        AnyFastError: it failed; the error says why, below the card.
        Interrupted: on Ctrl-C; the job goes on, and the card says so.
    """
    watching = Watching(session, job, view or open_output(), preflight=preflight, embed=embed)
    try:
        watching.draw()
        io_loop().run(watching.follow())
    except KeyboardInterrupt:
        watching.leave()
        raise detached(job) from None
    except AnyFastError:
        watching.leave(told=True)
        raise
    finally:
        job.let_cards_end()
    watching.finish()
    return job


def detached(job: Job) -> Interrupted:
    """What is said when a person stops the waiting: the job goes on."""
    if job.done:
        return Interrupted(f"stopped; job {job.row.short_id} has ended", partial=job)
    return Interrupted(
        f"job {job.row.short_id} is still running · `%anyfast resume {job.row.short_id}`", partial=job
    )


def watch_pictures(
    session: Session,
    prompt: str,
    options: Mapping[str, Any],
    *,
    origin: Origin | None = None,
    preflight: Preflight | None = None,
) -> Pictures:
    """Make pictures, with a grid in the cell that fills as they come, and leave the grid.

    Args:
        session: gateway and desk.
        prompt: what to show.
        options: see `anyfast_nb.client.generations.SeedreamOptions`.
        origin: notebook and cell, for the ledger.
        preflight: of the request; it stays with the pictures, folded.

    Raises:
        AnyFastError: refused or failed; pictures that had come stay on show.
        Interrupted: on Ctrl-C; pictures that had come stay on show.
    """
    from anyfast_nb.magics.easel import Easel

    easel = Easel(open_output(), prompt=prompt, count=options.get("count"), preflight=preflight)
    work = session.desk.pictures(prompt, options, origin=origin, on_picture=easel.add)
    try:
        pictures = io_loop().run(easel.follow(work))
    except KeyboardInterrupt:
        easel.stop("stopped; they may be billed")
        raise Interrupted(
            "stopped while pictures were made; they may be billed. "
            "Those that had come are in the media folder",
            partial=easel.pictures(),
        ) from None
    except AnyFastError:
        easel.stop("failed")
        raise
    easel.finish(pictures)
    return pictures


def attach(
    session: Session,
    job: Job,
    *,
    preflight: Preflight | None = None,
    embed: bool = False,
    view: Live | None = None,
) -> Event:
    """Leave a card that lives while the job does, and becomes the film; returns at once.

    A terminal gets one line: nothing is printed there later by itself. Arguments as of `watch`.

    Returns:
        Set once the card shows how the job ended.
    """
    view = view or open_output(outlives=True)
    watching = Watching(session, job, view, preflight=preflight, embed=embed)
    watching.draw()
    if isinstance(view, LineView | NoView):
        return Event()
    ended = io_loop().submit(watching.to_the_end()).ended
    job.shown_by(ended)
    return ended


class Watching:
    """One job, and the view that shows it.

    Args:
        session: whose ledger knows how long such jobs take.
        job: any.
        view: where it is shown.
        preflight: of its request; by default what the ledger kept.
        embed: put the film itself into the output.
    """

    def __init__(
        self, session: Session, job: Job, view: Live, *, preflight: Preflight | None = None, embed: bool
    ) -> None:
        self._job = job
        self._view = view
        self._preflight = preflight
        self._embed = embed
        self._usual = _usual(session, job)

    def draw(self) -> None:
        """Show the job as it is now; a film that is here already is shown at the end alone."""
        if self._job.file is not None:
            return
        card = card_of(self._job, preflight=self._preflight, usual_s=self._usual)
        self._view.draw(card_bundle(card), status_line(card))

    async def follow(self) -> None:
        """Wait, and redraw meanwhile. On the private loop."""
        ticking = asyncio.create_task(self._tick())
        try:
            await self._job.wait_async()
        finally:
            ticking.cancel()

    async def to_the_end(self) -> None:
        """Wait and show how it ended; nobody is there to be told of an error but the card."""
        try:
            await self.follow()
        except AnyFastError:
            await asyncio.to_thread(self.leave)
        except asyncio.CancelledError:
            self.leave()
            raise
        else:
            await asyncio.to_thread(self.finish)

    def leave(self, *, told: bool = False) -> None:
        """No film, or not yet: the card stays, and says what to do.

        Args:
            told: the reason follows as the cell's error; once is enough.
        """
        card = card_of(self._job, preflight=self._preflight, usual_s=self._usual)
        card = replace(card, absent=self._job.status is JobStatus.SUCCEEDED)
        if told:
            card = replace(card, trouble=())
        alive = not self._job.done and self._job.status is not JobStatus.SUBMIT_UNKNOWN
        remark = "still running; nobody waits in this cell any more" if alive else ""
        self._view.settle(card_bundle(card, remark=remark), self._metadata())

    def finish(self) -> None:
        """The film in the card's place."""
        clip = replace(self._job.video, embed=self._embed)
        if self._preflight is not None:
            known = self._preflight.notes
            news = tuple(note for note in self._job.notes if note not in known)  # such as where it lies
            clip = replace(clip, preflight=self._preflight, remarks=news)
        self._view.settle(clip._repr_mimebundle_(), self._metadata())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                self.draw()
            except Exception:  # noqa: BLE001 - the job goes on whatever becomes of its display
                _log.debug("drawing failed", exc_info=True)

    def _metadata(self) -> dict[str, Any]:
        """What changes from run to run is kept beside what is shown."""
        row = self._job.row
        took = None if row.finished_at is None else (row.finished_at - row.created_at).total_seconds()
        facts = {
            "job": row.id,
            "task_id": row.task_id,
            "kind": row.kind,
            "model": row.model,
            "source": row.source.value,
            "status": row.status.value,
            "tokens": row.tokens,
            "duration_s": None if took is None else round(took, 3),
        }
        return {"anyfast": {name: fact for name, fact in facts.items() if fact not in (None, "")}}


def _usual(session: Session, job: Job) -> Usual:
    """How long the user's own jobs like this one took; unknown is no reason to fail."""
    try:
        return session.gateway.ledger.job_durations(job.kind, like=job.row)
    except AnyFastError:
        return UNKNOWN
