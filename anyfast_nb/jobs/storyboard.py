"""A chain of shots: each begins with the last one's last frame, and all of them become one film.

What is made is never paid for again. `run` goes on where it stopped, be it for
an error, an interrupt, or, if the storyboard has a name, the end of the kernel:
each shot is looked for in the ledger before it is asked for.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from anyfast_nb.errors import AnyFastError, Billed, InputError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.jobs.bounds import checked_name
from anyfast_nb.jobs.contact import seams_of
from anyfast_nb.jobs.film import Clip, Still, copied
from anyfast_nb.jobs.joining import facts_of, join_jobs
from anyfast_nb.jobs.lineage import add_note, job_in, lost
from anyfast_nb.jobs.shots import Shot, read_shots
from anyfast_nb.jobs.telling import require_no_callback, tell
from anyfast_nb.ledger.job_rows import JobStatus

if TYPE_CHECKING:
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.media.join import Joined

OnBoard = Callable[["Storyboard"], None]

_FRAME_OF: Final = {"seedance": "first_frame", "kling": "image"}
_INSTEAD_OF_FRAMES: Final = ("images", "videos", "audios")  # a request has frames or references
_LATER: Final = "https://last-frame.invalid/later.png"  # stands for a frame not made yet; never sent
_WORDS: Final = 40


class Storyboard:
    """Shots that follow each other. In a notebook it shows itself: the shots, then the film.

    Args:
        shots: prompts, or `Shot` where one differs.
        desk: where the shots are asked for.
        name: finds the shots again in another kernel, and from another cell.
        kind: ``seedance`` or ``kling``.
        origin: where a wish is the same wish; by default in this kernel.
        common: arguments of every shot, as of `Client.seedance` or `Client.kling`.

    Raises:
        InputError: there is no shot, or the name cannot be.

    Example:
        >>> import anyfast_nb as af
        >>> board = af.Storyboard(
        ...     ["A cat sits down at a piano", "It plays", af.Shot("The hall applauds", cut=True)],
        ...     name="recital", duration=5, ratio="16:9",
        ... )  # doctest: +SKIP
        >>> board.run().film  # doctest: +SKIP
        >>> board.sheet       # the frames at the seams  # doctest: +SKIP
    """

    def __init__(
        self,
        shots: Sequence[str | Shot],
        *,
        desk: Desk,
        name: str = "",
        kind: str = "seedance",
        origin: Origin | None = None,
        **common: Any,
    ) -> None:
        self.shots = read_shots(shots)
        self.name = checked_name(name)
        if kind not in _FRAME_OF:
            raise InputError(
                f"kind is {kind!r}; shots are made by seedance or kling",
                field="kind",
                hint="Leave kind out for seedance.",
            )
        self.kind = kind
        self._common = common
        self._desk = desk
        # A named one is the same from every cell and every kernel; the others are their own.
        self._member = f"storyboard:{self.name or secrets.token_hex(8)}"
        origin = origin or here().of_kernel()
        self._scope = (origin.named(self._member) if self.name else origin).place
        self._takes = [shot.take for shot in self.shots]
        self._jobs: list[Job | None] = [None] * len(self.shots)
        self._running: asyncio.Lock | None = None
        self._checked = False

    # --- running --------------------------------------------------------------------------

    def run(self, *, on_change: OnBoard | None = None) -> Self:
        """Make the shots that are not there yet, one after another, and the film of all. Gives itself.

        Args:
            on_change: called on the client's own thread whenever something changed.

        Raises:
            InputError: a shot's argument is wrong; it is found before the first shot is sent.
            AnyFastError: a shot failed; the error says which. `run` goes on with it.
            Interrupted: on Ctrl-C. What was asked for goes on; `run` finds it again.
        """
        try:
            io_loop().run(self._run(on_change))
        except KeyboardInterrupt:
            raise self._stopped() from None
        return self

    async def run_async(self, *, on_change: OnBoard | None = None) -> Self:
        """Run as `run` does, in any event loop; ``await storyboard`` is the same."""
        await io_loop().wait(self._run(on_change))
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.run_async().__await__()

    def retake(self, number: int) -> Self:
        """Have a shot made anew by the next `run`, and all that begin where it ends. Gives itself.

        Args:
            number: of the shot, the first is 1.

        Raises:
            InputError: there is no such shot.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(self.shots):
            raise InputError(
                f"there is no shot {number!r}", field="number", hint=f"Shots are 1 to {len(self.shots)}."
            )
        self._takes[number - 1] += 1
        self._jobs[number - 1] = None
        for index in range(number, len(self.shots)):
            if not self._is_linked(index):
                break
            self._jobs[index] = None
        return self

    async def _run(self, on_change: OnBoard | None) -> None:
        require_no_callback(self)
        if self._running is None:
            self._running = asyncio.Lock()
        async with self._running:
            if not self._checked:
                await self._check()
            for index in range(len(self.shots)):
                try:
                    await self._make(index, on_change)
                except AnyFastError as error:
                    self._explain(error, index, self._how_to_go_on(error, index))
                    raise
            await asyncio.to_thread(self._join)
            tell(on_change, self)

    async def _check(self) -> None:
        """Find what is wrong with any shot before the first one is paid for."""
        for index, shot in enumerate(self.shots):
            try:
                await self._desk.prepared(self.kind, shot.prompt, self._options(index, _LATER))
            except AnyFastError as error:
                self._explain(error, index, "No shot was sent.")
                raise
        self._checked = True

    async def _make(self, index: int, on_change: OnBoard | None) -> None:
        job = self._jobs[index]
        if job is not None and job.file is not None:
            return
        if job is not None and job.status is JobStatus.SUBMIT_UNKNOWN and job.error is not None:
            raise job.error
        if job is None or lost(job):
            job = await self._asked(index)
            tell(on_change, self)
        await job.wait_async(on_change=lambda _: tell(on_change, self))

    async def _asked(self, index: int) -> Job:
        """The shot's job, found or created; one in doubt is kept as well."""
        before = self._jobs[index - 1] if index else None
        options = self._options(index, before)
        try:
            job = await self._desk.film(
                self.kind,
                self.shots[index].prompt,
                options,
                origin=here().within(self._scope),
                take=self._takes[index],
                reuse=True,
                member=f"{self._member}:{index}",
            )
        except AnyFastError as error:
            self._jobs[index] = job_in(error)
            raise
        self._jobs[index] = job
        if self._is_linked(index) and before is not None:
            add_note(job, f"shot {index + 1}: begins with the last frame of job {before.row.short_id}")
        return job

    def _options(self, index: int, before: Any) -> dict[str, Any]:
        options = {**self._common, **self.shots[index].options}
        if self._is_linked(index):
            options[_FRAME_OF[self.kind]] = before
        if self.kind == "seedance" and index + 1 < len(self.shots) and self._is_linked(index + 1):
            options.setdefault("return_last_frame", True)  # sharper than one out of the film
        return options

    def _is_linked(self, index: int) -> bool:
        """Does this shot begin with the last one's last frame?"""
        shot = self.shots[index]
        own = {_FRAME_OF[self.kind], *_INSTEAD_OF_FRAMES} & set(shot.options)
        return index > 0 and not shot.cut and not own

    # --- what there is --------------------------------------------------------------------

    @property
    def jobs(self) -> list[Job | None]:
        """The job of each shot; None where none was asked for yet."""
        return list(self._jobs)

    @property
    def done(self) -> bool:
        """Is every shot on this disk?"""
        return all(job is not None and job.file is not None for job in self._jobs)

    @property
    def joined(self) -> Joined:
        """The film of all shots and how it was made; waits for shots that were asked for.

        Raises:
            AnyFastError: a shot was not asked for yet, or failed.
        """
        self._films()
        return self._join()

    @property
    def film(self) -> Clip:
        """The film of all shots; waits for shots that were asked for, and creates none."""
        return self._clip(self.joined)

    async def film_async(self) -> Clip:
        """The film, awaited in any event loop; shots that are missing are made."""
        await self.run_async()
        return self._clip(await asyncio.to_thread(self._join))

    @property
    def path(self) -> Path:
        """The file of the film."""
        return self.joined.path

    @property
    def sheet(self) -> Still:
        """The last frame of each shot beside the first of the next: do the seams hold?"""
        return seams_of(self._films(), [f"shot {number}" for number in range(1, len(self.shots) + 1)])

    def save(self, to: str | Path) -> Path:
        """Copy the film to a path or into a folder; gives the new path."""
        return copied(self.path, to)

    def _films(self) -> list[Path]:
        jobs = [job for job in self._jobs if job is not None]
        if len(jobs) < len(self._jobs):
            raise AnyFastError(
                f"{len(jobs)} of {len(self._jobs)} shots were asked for", hint="run() makes the others."
            )
        return [job.path for job in jobs]

    def _clip(self, joined: Joined) -> Clip:
        return Clip(joined.path, facts=facts_of(joined, len(self.shots)))

    def _join(self) -> Joined:
        """Join the films, once: the file is named by the jobs it is made of."""
        self._films()
        return join_jobs([job for job in self._jobs if job is not None], name=self.name)

    # --- words ----------------------------------------------------------------------------

    def _explain(self, error: AnyFastError, index: int, more: str) -> None:
        """Say in an error which shot it is about, and how to go on."""
        words = " ".join(str(self.shots[index].prompt).split())
        words = words if len(words) <= _WORDS else words[: _WORDS - 1] + "…"
        error.message = f"shot {index + 1} of {len(self.shots)} ({words}): {error.message}"
        joint = " " if error.billed is Billed.MAYBE else "\n"  # a notebook shows three lines of an error
        error.hint = f"{error.hint}{joint}{more}" if error.hint else more
        error.partial = self

    def _how_to_go_on(self, error: AnyFastError, index: int) -> str:
        number = index + 1
        if error.billed is Billed.MAYBE:
            return f"Then run() goes on; retake({number}) and run() make the shot anew, and may pay twice."
        if index:
            return f"run() goes on with shot {number}; what is made is not paid for again."
        return "run() begins again."

    def _stopped(self) -> Interrupted:
        made = sum(job is not None and job.file is not None for job in self._jobs)
        return Interrupted(
            f"stopped; {made} of {len(self.shots)} shots are made, what was asked for goes on at AnyFast. "
            "run() goes on where this stopped, and pays for nothing twice",
            partial=self,
        )

    def __repr__(self) -> str:
        made = sum(job is not None and job.file is not None for job in self._jobs)
        name = f" {self.name!r}" if self.name else ""
        return f"<Storyboard{name} {made} of {len(self.shots)} shots>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from anyfast_nb.jobs.posters import poster_of
        from anyfast_nb.render.storyboard import storyboard_bundle  # a storyboard shows itself

        shots = [
            poster_of(job, title=f"shot {index + 1}", words=str(self.shots[index].prompt))
            for index, job in enumerate(self._jobs)
        ]
        film, trouble = None, ""
        if self.done:
            try:
                film = self._clip(self._join())._repr_mimebundle_()
            except AnyFastError as error:
                trouble = error.message
        linked = [self._is_linked(index) for index in range(len(self.shots))]
        return storyboard_bundle(shots, linked=linked, name=self.name, film=film, trouble=trouble)
