"""The same wish with varied arguments: a grid of jobs, a few at once, compared side by side.

One that fails does not stop the others. What is made is never paid for again:
`run` goes on after an interrupt, `retry` makes anew what failed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from anyfast_nb.errors import (
    AnyFastError,
    AuthenticationError,
    Billed,
    ConfigError,
    InputError,
    Interrupted,
    PermissionDeniedError,
)
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.jobs.bounds import checked_name, positive, total
from anyfast_nb.jobs.grid import Cell, cells_of, label_of, plain
from anyfast_nb.jobs.lineage import job_in, lost
from anyfast_nb.jobs.telling import require_no_callback, tell

if TYPE_CHECKING:
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job

OnSweep = Callable[["Sweep"], None]

AT_ONCE: Final = 4
MOST: Final = 24
_KINDS: Final = ("seedance", "kling", "seedream")
_FOR_ALL: Final = (AuthenticationError, PermissionDeniedError, ConfigError)  # no other cell would fare better


class Sweep:
    """A grid of jobs. In a notebook it shows itself: a poster for each, labelled by what varies.

    Args:
        kind: ``seedance``, ``kling`` or ``seedream``.
        prompt: a text, or a list of texts.
        options: arguments of the kind; one that is a list varies.
        desk: where the jobs are asked for.
        name: finds the jobs again in another kernel, and from another cell.
        at_once: jobs that are made at the same time.
        most: jobs at most.
        most_tokens: tokens at most, as estimated from the documented formula.
        origin: where a wish is the same wish; by default in this kernel.

    Raises:
        InputError: there are too many combinations, or none.
    """

    def __init__(
        self,
        kind: str,
        prompt: Any,
        options: Mapping[str, Any],
        *,
        desk: Desk,
        name: str = "",
        at_once: int = AT_ONCE,
        most: int = MOST,
        most_tokens: int | None = None,
        origin: Origin | None = None,
    ) -> None:
        if kind not in _KINDS:
            raise InputError(
                f"kind is {kind!r}", field="kind", hint="It is seedance, kling or seedream; quote it."
            )
        self.kind = kind
        self.name = checked_name(name)
        self._at_once, self._most_tokens = positive("at_once", at_once), most_tokens
        if most_tokens is not None:
            positive("most_tokens", most_tokens)
        self._cells, self._shape = cells_of(prompt, options, most=positive("most", most))
        self._desk = desk
        self._member = f"sweep:{self.name or secrets.token_hex(8)}"
        origin = origin or here().of_kernel()
        self._scope = (origin.named(self._member) if self.name else origin).place
        self._running: asyncio.Lock | None = None
        self._estimate: int | None = None
        self._checked = False

    # --- running --------------------------------------------------------------------------

    def run(self, *, on_change: OnSweep | None = None) -> Self:
        """Make what was not asked for yet, and wait for all. Gives itself.

        Args:
            on_change: called on the client's own thread whenever something changed.

        Raises:
            InputError: an argument is wrong, or the estimate is too high; nothing was sent.
            AnyFastError: nothing at all was made, or the key cannot pay for more. ``partial`` is
                the sweep.
            Interrupted: on Ctrl-C. What was asked for goes on; `run` finds it again.
        """
        try:
            io_loop().run(self._run(on_change))
        except KeyboardInterrupt:
            raise self._stopped() from None
        return self

    async def run_async(self, *, on_change: OnSweep | None = None) -> Self:
        """Run as `run` does, in any event loop; ``await sweep`` is the same."""
        await io_loop().wait(self._run(on_change))
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.run_async().__await__()

    def retry(self, *, doubtful: bool = False, on_change: OnSweep | None = None) -> Self:
        """Make anew what failed; what is made stays. Gives itself.

        Args:
            doubtful: also what may have been accepted without a reply: it may be paid for twice.
            on_change: as of `run`.
        """
        self._reopen(doubtful)
        return self.run(on_change=on_change)

    async def retry_async(self, *, doubtful: bool = False, on_change: OnSweep | None = None) -> Self:
        """Make anew what failed, in any event loop."""
        self._reopen(doubtful)
        return await self.run_async(on_change=on_change)

    def _reopen(self, doubtful: bool) -> None:
        for cell in self._cells:
            if cell.made or (cell.in_doubt and not doubtful):
                continue
            if cell.in_doubt:
                cell.take, cell.job = cell.take + 1, None
            elif cell.job is not None and lost(cell.job):
                cell.job = None
            cell.error = None

    async def _run(self, on_change: OnSweep | None) -> None:
        require_no_callback(self)
        if self._running is None:
            self._running = asyncio.Lock()
        async with self._running:
            if not self._checked:
                await self._check()
            gate, stop = asyncio.Semaphore(self._at_once), asyncio.Event()
            waiting = [cell for cell in self._cells if cell.open]
            try:
                async with asyncio.TaskGroup() as group:
                    for cell in waiting:
                        group.create_task(self._one(cell, gate, stop, on_change))
            except BaseExceptionGroup as several:  # such as of a callback: as it was raised
                raise several.exceptions[0] from None
            self._require_anything()

    async def _one(
        self, cell: Cell, gate: asyncio.Semaphore, stop: asyncio.Event, on_change: OnSweep | None
    ) -> None:
        async with gate:
            if stop.is_set():
                return
            try:
                await self._make(cell, on_change)
            except AnyFastError as error:
                cell.error = error
                if isinstance(error, _FOR_ALL):
                    stop.set()
            else:
                cell.error = None
            tell(on_change, self)

    async def _make(self, cell: Cell, on_change: OnSweep | None) -> None:
        if self.kind == "seedream":
            await self._draw(cell)
            return
        if cell.job is None:
            try:
                cell.job = await self._desk.film(
                    self.kind,
                    cell.prompt,
                    cell.options,
                    origin=here().within(self._scope),
                    take=cell.take,
                    reuse=True,
                    member=f"{self._member}:{cell.index}",
                )
            except AnyFastError as error:
                cell.job = job_in(error)
                raise
            tell(on_change, self)
        await cell.job.wait_async(on_change=lambda _: tell(on_change, self))

    async def _draw(self, cell: Cell) -> None:
        """Pictures come in one exchange: an interrupted one may be billed, and is not sent again."""
        try:
            cell.pictures = await self._desk.pictures(cell.prompt, cell.options)
        except asyncio.CancelledError:
            cell.error = AnyFastError("stopped while pictures were made; they may be billed")
            cell.error.billed = Billed.MAYBE
            raise

    async def _check(self) -> None:
        """Find every wrong argument, and what it may cost, before anything is sent."""
        from anyfast_nb.jobs.preflight import preflight

        estimates: list[int | None] = []
        for cell in self._cells:
            try:
                made = await self._desk.prepared(self.kind, cell.prompt, cell.options)
            except AnyFastError as error:
                if cell.label:
                    error.message = f"{cell.label}: {error.message}"
                error.hint = f"{error.hint}\nNothing was sent." if error.hint else "Nothing was sent."
                raise
            estimates.append(preflight(made).tokens)
        self._estimate = total(estimates, most=self._most_tokens)
        self._checked = True

    def _require_anything(self) -> None:
        """A sweep that made nothing is an error, and so is one that the key could not pay for."""
        failed = self.failed
        stopped = next((cell.error for cell in failed if isinstance(cell.error, _FOR_ALL)), None)
        made = sum(cell.made for cell in self._cells)
        if stopped is not None:
            words = f"the sweep stopped with {made} of {len(self._cells)} made"
        elif len(failed) == len(self._cells):
            words = "nothing was made" if len(failed) > 1 else ""
        else:
            return
        error = stopped or failed[0].error
        assert error is not None
        if words:
            error.message = f"{words}: {error.message}"
        error.partial = self
        raise error

    # --- what there is --------------------------------------------------------------------

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination with what became of it, in order."""
        return tuple(self._cells)

    @property
    def jobs(self) -> list[Job | None]:
        """The job of each combination; None where none was asked for."""
        return [cell.job for cell in self._cells]

    @property
    def failed(self) -> list[Cell]:
        """The combinations that went wrong, those in doubt included; each has its error."""
        return [cell for cell in self._cells if cell.failed]

    @property
    def done(self) -> bool:
        """Is every combination on this disk?"""
        return all(cell.made for cell in self._cells)

    @property
    def varied(self) -> tuple[str, ...]:
        """The arguments that vary."""
        return tuple(self._cells[0].values)

    @property
    def tokens(self) -> int:
        """What is billed, as far as it is known."""
        return sum(cell.tokens or 0 for cell in self._cells)

    @property
    def estimate(self) -> int | None:
        """The tokens of all as estimated before they were sent; None is unknown."""
        return self._estimate

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, index: int) -> Cell:
        return self._cells[index]

    def frame(self) -> Any:
        """All combinations as a pandas DataFrame: what varies, status, path, tokens, error, job."""
        import pandas as pd

        rows = [
            {name: plain(value) for name, value in cell.values.items()}
            | {
                "status": cell.status,
                "path": None if cell.path is None else str(cell.path),
                "tokens": cell.tokens,
                "error": cell.trouble or None,
                "job": None if cell.job is None else cell.job.row.short_id,
            }
            for cell in self._cells
        ]
        return pd.DataFrame(rows).astype({"tokens": "Int64"})

    # --- words ----------------------------------------------------------------------------

    def _stopped(self) -> Interrupted:
        made = sum(cell.made for cell in self._cells)
        return Interrupted(
            f"stopped; {made} of {len(self._cells)} are made, what was asked for goes on at AnyFast. "
            "run() goes on where this stopped, and pays for nothing twice",
            partial=self,
        )

    def _facts(self) -> list[str]:
        failed, doubtful = self.failed, sum(cell.in_doubt for cell in self._cells)
        told = [
            f"{sum(cell.made for cell in self._cells)} of {len(self._cells)} made",
            f"{len(failed) - doubtful} failed: retry() makes them anew" if len(failed) > doubtful else "",
            f"{doubtful} in doubt" if doubtful else "",
            f"{self.tokens:,} tokens" if self.tokens else "",
        ]
        return [word for word in told if word]

    def __repr__(self) -> str:
        return f"<Sweep {self.kind} of {' × '.join(self.varied) or 'one'}: {' · '.join(self._facts())}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from anyfast_nb.jobs.posters import poster_of_cell
        from anyfast_nb.render.sweep import sweep_bundle  # a sweep shows itself

        head = " · ".join(part for part in ("Sweep", self.name, self.kind) if part)
        return sweep_bundle(
            [poster_of_cell(cell) for cell in self._cells],
            varied=self.varied,
            columns=self._shape[-1] if len(self._shape) > 1 else 0,
            labels=[[label_of(value) for value in cell.values.values()] for cell in self._cells],
            head=head,
            facts=self._facts(),
        )


def sweep_of(
    prompt: Any = "", *, desk: Desk, kind: str = "seedance", origin: Origin | None = None, **options: Any
) -> Sweep:
    """A sweep that does not run yet.

    Args:
        prompt: a text, or a list of texts.
        desk: where the jobs are asked for.
        kind: ``seedance``, ``kling`` or ``seedream``.
        origin: where a wish is the same wish; by default in this kernel.
        options: those of `Sweep` (name, at_once, most, most_tokens), and arguments of the kind; one
            that is a list varies. `images`, `videos` and `audios` vary as lists of lists.

    Raises:
        InputError: there are too many combinations, or none.
    """
    own = {name: options.pop(name) for name in ("name", "at_once", "most", "most_tokens") if name in options}
    return Sweep(kind, prompt, options, desk=desk, origin=origin, **own)
