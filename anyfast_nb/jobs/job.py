"""A generation as an object of the notebook: ask, wait, play, and find it again tomorrow.

The truth is the ledger's row; a `Job` is a view on it that can ask the server.
Nothing runs behind its back: the server is asked while somebody waits. An
interrupt ends the waiting, never the job.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.film import Clip, Still, copied
from anyfast_nb.jobs.follow import Following
from anyfast_nb.ledger.job_rows import JobStatus

if TYPE_CHECKING:
    from threading import Event

    from anyfast_nb.jobs.identity import Reused
    from anyfast_nb.jobs.scheduler import OnChange

_LAST_DRAW_S: Final = 3.0
_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}")


class Job(Following):
    """A film that is being made, or was. Made by `Client.seedance`, `Client.kling`, `Client.job`.

    In a notebook it shows itself: how far it is, then a player. ``path``,
    ``video`` and ``last_frame`` wait by themselves; ``await job`` waits too.

    Example:
        >>> import anyfast_nb as af
        >>> client = af.Client(base_url="simulator")
        >>> job = client.seedance("A cat plays the piano", duration=4)  # doctest: +SKIP
        >>> job.wait().path.suffix  # doctest: +SKIP
        '.mp4'
    """

    reused_from: Reused | None = None
    """Set where a call gave a job that was there already, instead of making one; its ``note`` says so."""

    # --- asking and waiting ---------------------------------------------------------------

    def poll(self) -> Job:
        """Ask the server once where it stands (bills nothing). Gives the job itself.

        Raises:
            AnyFastError: the question could not be asked, or nobody knows whether the job exists.
        """
        io_loop().run(self._poll())
        return self

    def wait(self, timeout_s: float | None = None, *, on_change: OnChange | None = None) -> Job:
        """Wait until the film is on this disk. Gives the job itself.

        Args:
            timeout_s: how long at most; by default ten minutes, or more for a long film.
            on_change: called on the client's own thread whenever something changed.

        Raises:
            StillRunning: the time is over. The job goes on; wait again.
            StatusError: it failed; `ModerationError` if its content was refused.
            Interrupted: on Ctrl-C. The job goes on; ``partial`` is the job.
        """
        try:
            io_loop().run(self._followed(timeout_s, on_change))
        except KeyboardInterrupt:
            raise self._detached() from None
        finally:
            self.let_cards_end()
        return self

    def shown_by(self, card_ended: Event) -> None:
        """A card shows this job until `card_ended` is set."""
        self._cards.append(card_ended)

    def let_cards_end(self) -> None:
        """Give the cards of a job that has ended a moment for their last draw.

        It goes out in the name of the cell that runs now: after that cell nobody listens.
        """
        if self.done and not io_loop().is_here():
            while self._cards:
                self._cards.pop().wait(_LAST_DRAW_S)

    async def wait_async(self, timeout_s: float | None = None, *, on_change: OnChange | None = None) -> Job:
        """Wait as `wait` does, in any event loop; ``await job`` is the same."""
        await io_loop().wait(self._followed(timeout_s, on_change))
        return self

    def __await__(self) -> Generator[Any, None, Job]:
        return self.wait_async().__await__()

    def cancel(self) -> str:
        """Stop waiting for it, wherever somebody waits. The job itself goes on.

        Returns:
            A line that says so: AnyFast documents no way to cancel a job.
        """
        self._scheduler.let_go(self, "the waiting was stopped by cancel()")
        if self.done:
            return f"Job {self._row.short_id} has ended already: {self.status.value}."
        return (
            f"Nobody waits for job {self._row.short_id} any more. The job itself goes on and is billed: "
            f"AnyFast documents no way to cancel one. client.job({self._row.short_id!r}).wait() waits again."
        )

    def adopt(self, task_id: str) -> Job:
        """Tell a job whose reply was lost the task id that the console shows, and go on with it.

        Args:
            task_id: such as ``asyntask_…``.

        Raises:
            InputError: this job has a task id, or that is none.
        """
        task_id = task_id.strip()
        if not _TASK_ID.fullmatch(task_id):
            raise InputError("that is no task id", field="task_id", hint="Copy it from the console.")
        if self._row.task_id or self._row.status.ends:
            raise InputError(
                f"job {self._row.short_id} is {self._row.status.value} and needs no task id",
                field="task_id",
                hint="Only a job whose reply was lost takes one.",
            )
        self.change(task_id=task_id, status=JobStatus.QUEUED, error="", note="task id given by hand")
        return self

    # --- the result -----------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The film on this disk; waits for it if need be."""
        return self.file or Path(self.wait().row.path or "")

    @property
    def video(self) -> Clip:
        """The film as an object that plays in a notebook; waits for it if need be."""
        from anyfast_nb.jobs.preflight import remembered

        path = self.path
        return Clip(path, facts=self.facts(), prompt=self.prompt, preflight=remembered(self._row))

    @property
    def last_frame(self) -> Still:
        """The film's last frame as a picture on this disk; waits for the film if need be."""
        if (known := self._known_last_frame()) is None:
            film = self.path
            if (known := self._known_last_frame()) is None:  # it may have come with the film
                io_loop().run(self._fetch_last_frame(film, None))
                known = Path(self._row.last_frame_path or "")
        return Still(known)

    async def last_frame_async(self) -> Still:
        """The last frame, awaited in any event loop."""
        if (known := self._known_last_frame()) is None:
            film = (await self.wait_async()).path
            if (known := self._known_last_frame()) is None:
                await io_loop().wait(self._fetch_last_frame(film, None))
                known = Path(self._row.last_frame_path or "")
        return Still(known)

    def _known_last_frame(self) -> Path | None:
        path = Path(self._row.last_frame_path) if self._row.last_frame_path else None
        return path if path is not None and path.is_file() else None

    def frames(self, n: int = 6) -> Still:
        """A contact sheet: so many frames with their times, kept beside the film; waits for it if need be."""
        from anyfast_nb.jobs.contact import checked_count, frames_of

        checked_count(n)  # before it waits
        return frames_of(self.path, n)

    def extend(self, prompt: str, **options: Any) -> Job:
        """Have Seedance carry this film on: a new job, as soon as it is accepted.

        The film goes along as ``@video1``; the new one has its model, resolution, shape and sound.

        Args:
            prompt: what happens next.
            options: as of `Client.seedance`.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: this film did not come, or the new one was refused.
            Interrupted: on Ctrl-C; the new job may have been accepted.
        """
        try:
            return io_loop().run(self._extended(prompt, options))
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped while job {self._row.short_id} was carried on; the new one may have been accepted "
                "and billed: client.jobs(status='submit_unknown') shows it if it was sent",
                partial=self,
            ) from None

    async def extend_async(self, prompt: str, **options: Any) -> Job:
        """Have Seedance carry this film on, in any event loop."""
        return await io_loop().wait(self._extended(prompt, options))

    async def _extended(self, prompt: str, options: dict[str, Any]) -> Job:
        from anyfast_nb.jobs.desk import Desk
        from anyfast_nb.jobs.extending import extended

        desk = Desk(self._gateway, pace=self._pace, scheduler=self._scheduler)
        return await extended(self, prompt, options, desk=desk)

    def save(self, to: str | Path) -> Path:
        """Copy the film to a path or into a folder; waits for it if need be. Gives the new path."""
        return copied(self.path, to)

    def _detached(self) -> Interrupted:
        row = self._row
        if row.status.ends:
            return Interrupted(f"stopped; job {row.short_id} has ended ({row.status.value})", partial=self)
        return Interrupted(
            f"stopped waiting; job {row.short_id} goes on at AnyFast. "
            f"job.wait() waits again, client.job({row.short_id!r}) finds it in another kernel",
            partial=self,
        )

    def __repr__(self) -> str:
        row = self._row
        at = "" if row.progress is None or row.status.ends else f" {row.progress} %"
        where = f" {row.path}" if row.path else ""
        return f"<Job {row.short_id} {row.kind} {row.status.value}{at}{where}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self.file is not None:
            return self.video._repr_mimebundle_(include, exclude)
        from anyfast_nb.jobs.card import card_of
        from anyfast_nb.render.job_card import card_bundle  # a job shows itself

        alive = not self.done and self._row.status is not JobStatus.SUBMIT_UNKNOWN
        remark = "as it was when this was shown; job.wait() waits for the film" if alive else ""
        return card_bundle(card_of(self), remark=remark)
