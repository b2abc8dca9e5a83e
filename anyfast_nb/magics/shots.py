"""`af.Storyboard` and `af.sweep`: several films from Python, with the notebook's session and its display."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.jobs import storyboard
from anyfast_nb.jobs.sweep import OnSweep, Sweep, sweep_of
from anyfast_nb.magics.generate import _desk
from anyfast_nb.render.live import open_output
from anyfast_nb.render.progress import progress_bundle

if TYPE_CHECKING:
    from anyfast_nb.client.generations import AsyncGenerations, Generations
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.shots import Shot

    AnyClient = Generations | AsyncGenerations


class Storyboard(storyboard.Storyboard):
    """Shots that follow each other; see `anyfast_nb.jobs.storyboard.Storyboard`.

    Each begins with the last one's last frame, and all become one film. `run` makes what is not
    there yet and pays for nothing twice; a name finds the shots again in another kernel.

    Args:
        shots: prompts, or `Shot` where one differs.
        client: asks for them; by default the notebook's session.
        name: finds the shots again.
        kind: ``seedance`` or ``kling``.
        common: arguments of every shot, as of `af.seedance` or `af.kling`.

    Example:
        >>> import anyfast_nb as af
        >>> board = af.Storyboard(
        ...     ["A cat sits down at a piano", "It plays", af.Shot("The hall applauds", cut=True)],
        ...     name="recital", duration=5, ratio="16:9",
        ... )  # doctest: +SKIP
        >>> board.run()        # the shots and the film of all  # doctest: +SKIP
        >>> board.sheet        # the frames at the seams  # doctest: +SKIP
        >>> board.retake(2).run()  # doctest: +SKIP
    """

    def __init__(
        self,
        shots: Sequence[str | Shot],
        *,
        client: AnyClient | None = None,
        name: str = "",
        kind: str = "seedance",
        **common: Any,
    ) -> None:
        desk, origin = _desk_of(client)
        super().__init__(shots, desk=desk, origin=origin, name=name, kind=kind, **common)

    def run(self, *, on_change: storyboard.OnBoard | None = None) -> Self:
        """Run as `anyfast_nb.jobs.storyboard.Storyboard.run` does, and tell in the cell how far it is."""
        if self.done:
            return super().run(on_change=on_change)
        showing = _Showing(self, _of_board)
        with showing:
            super().run(on_change=showing.after(on_change))
        return self


def sweep(
    prompt: Any = "",
    *,
    client: AnyClient | None = None,
    kind: str = "seedance",
    on_change: OnSweep | None = None,
    **options: Any,
) -> Sweep:
    """Make every combination of the arguments that are lists, a few at once, and wait for all.

    Args:
        prompt: a text, or a list of texts.
        client: asks for them; by default the notebook's session.
        kind: ``seedance``, ``kling`` or ``seedream``.
        on_change: called on the client's own thread whenever something changed.
        options: ``at_once`` (4 jobs at the same time), ``most`` (24 jobs at most), ``most_tokens``
            (no more than that, by the documented formula), ``name`` (finds the jobs again in another
            kernel), and the arguments of the kind; one that is a list varies. ``images``, ``videos``
            and ``audios`` vary as lists of lists.

    Returns:
        The sweep; it shows itself. ``.frame() .jobs .failed .retry()``.

    Raises:
        InputError: an argument is wrong, or it is too much; nothing was sent.
        AnyFastError: nothing at all was made, or the key cannot pay for more.
        Interrupted: on Ctrl-C; ``partial`` is the sweep, and its `run` goes on.

    Example:
        >>> import anyfast_nb as af
        >>> af.sweep(
        ...     ["A red kite", "A paper boat"], ratio=["16:9", "9:16"], duration=4,
        ...     resolution="480p", most_tokens=200_000,
        ... )  # doctest: +SKIP
    """
    desk, origin = _desk_of(client)
    swept = sweep_of(prompt, desk=desk, kind=kind, origin=origin, **options)
    showing = _Showing(swept, _of_sweep)
    with showing:
        swept.run(on_change=showing.after(on_change))
    return swept


def _desk_of(client: AnyClient | None) -> tuple[Desk, Origin]:
    return _desk() if client is None else (client.desk(), here().of_kernel())


class _Showing:
    """Tells in the cell how far several jobs are; what fails or is stopped stays on show."""

    def __init__(self, thing: Any, told: Callable[[Any], list[str]]) -> None:
        self._thing = thing
        self._told = told
        self._view = open_output()

    def after(self, on_change: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """A callback that draws after the caller's own."""

        def changed(thing: Any) -> None:
            if on_change is not None:
                on_change(thing)
            head, *lines = self._told(thing)
            self._view.draw(progress_bundle(head, lines), head)

        return changed

    def __enter__(self) -> None:
        head, *lines = self._told(self._thing)
        self._view.draw(progress_bundle(head, lines), head)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._view.settle(self._thing._repr_mimebundle_(), {})
            return
        head, *_lines = self._told(self._thing)
        self._view.settle(progress_bundle(head), {})


def _of_board(board: storyboard.Storyboard) -> list[str]:
    made = sum(job is not None and job.file is not None for job in board.jobs)
    head = " ".join(part for part in ("Storyboard", board.name) if part)
    lines = [f"shot {number} · {_state(job)}" for number, job in enumerate(board.jobs, 1)]
    return [f"{head} · {made} of {len(lines)} shots made", *lines]


def _of_sweep(swept: Sweep) -> list[str]:
    running = sum(job is not None and not job.done for job in swept.jobs)
    parts = [
        " ".join(part for part in ("Sweep", swept.name) if part),
        f"{sum(cell.made for cell in swept.cells)} of {len(swept)} made",
        f"{running} running" if running else "",
        f"{len(swept.failed)} failed" if swept.failed else "",
    ]
    return [" · ".join(part for part in parts if part)]


def _state(job: Job | None) -> str:
    if job is None:
        return "not asked for yet"
    at = "" if job.progress is None or job.done else f" · {job.progress} %"
    return ("made" if job.file is not None else job.status.value) + at
