"""A generation as an object of the notebook: ask, wait, play, and find it again tomorrow.

The truth is the ledger's row; a `Job` is a view on it that can ask the server.
Nothing runs behind its back: the server is asked while somebody waits. An
interrupt ends the waiting, never the job.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from anyfast_nb.errors import InputError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.film import Clip, Still, copied
from anyfast_nb.jobs.follow import Following, OnChange
from anyfast_nb.ledger.job_rows import JobStatus

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
        return self

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
        with self._changing:
            waits = list(self._waits.items())
            self._given_up.update(task for task, _ in waits)
        for task, loop in waits:
            loop.call_soon_threadsafe(task.cancel)
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
        return Clip(self.path, facts=self.facts(), prompt=self.prompt)

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
        from anyfast_nb.render.clip import job_bundle  # a job shows itself

        error = self.error
        return job_bundle(
            name=f"job {self._row.short_id}",
            facts=self.facts(),
            prompt=self.prompt,
            lines=() if error is None else (error.message, *error.hint.splitlines()),
        )
