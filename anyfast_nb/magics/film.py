"""`%seedance`, `%kling` and `%seedream`: a line to a film that plays below it, or to pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError, InputError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.gateway.whence import here
from anyfast_nb.magics.generation_options import generation_options, plain_arguments
from anyfast_nb.magics.media_options import given_words, media_arguments
from anyfast_nb.magics.options import check_name, line_prompt, split
from anyfast_nb.magics.sending import Sending
from anyfast_nb.magics.spoken import in_the_lines_words
from anyfast_nb.magics.variables import Variables
from anyfast_nb.render.live import open_output
from anyfast_nb.render.notice import notice

if TYPE_CHECKING:
    import argparse

    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.pictures import Pictures
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.render.live import Live
    from anyfast_nb.session import Session


def film(session: Session, shell: Any, kind: str, line: str, cell: str | None, *, show: Show) -> Job | None:
    """Make a film, and show it.

    Args:
        session: gateway, desk, settings.
        shell: the running one.
        kind: seedance or kling.
        line: options, and the prompt if there is no cell.
        cell: the prompt.
        show: shows a bundle.

    Returns:
        The job; None after a dry run.

    Raises:
        InputError: a wrong option; nothing was sent.
        AnyFastError: refused or failed, or nobody knows.
        Interrupted: the user stopped it; the job goes on.
    """
    asked = Asked(session, shell, kind, line, cell)
    found = asked.options
    _check_take(found)
    with in_the_lines_words(kind, asked.given, model=found.model or ""):
        facts = asked.looked_at()
        if found.dry_run:
            show_preflight(facts, session, show)
            return None
        if not found.yes:
            _confirm(facts, asked.at_most, session.settings.confirm_above)
        tell(show, session.simulator_notice(), *asked.notes)
        view = open_output(outlives=not waits(session, found))
        job = _created(asked, shell, Sending(view, facts, where=session.destination()))
        with detaching(job):
            if found.to:
                shell.user_ns[found.to] = job  # at once: what interrupts the waiting does not take it away
            if job.reused_from:
                tell(show, job.reused_from.note)
            shown(session, job, facts, found, view=view)
    return job


def pictures(session: Session, shell: Any, line: str, cell: str | None, *, show: Show) -> Pictures | None:
    """Make pictures, and show each in its place as it comes; arguments as of `film`.

    Returns:
        The pictures; None after a dry run.

    Raises:
        InputError: a wrong option; nothing was sent.
        AnyFastError: refused or failed; pictures that had come stay on show.
        Interrupted: the user stopped it; pictures that had come stay on show.
    """
    from anyfast_nb.magics.watch import watch_pictures

    asked = Asked(session, shell, "seedream", line, cell)
    with in_the_lines_words("seedream", asked.given, model=asked.options.model or ""):
        facts = asked.looked_at()
        if asked.options.dry_run:
            show_preflight(facts, session, show)
            return None
        if not asked.options.yes:
            _confirm(facts, asked.at_most, session.settings.confirm_above)
        tell(show, session.simulator_notice(), *asked.notes)
        made = watch_pictures(session, asked.prompt, asked.arguments, origin=here(shell), preflight=facts)
    if asked.options.to:
        shell.user_ns[asked.options.to] = made
    return made


class Asked:
    """A line of one of the three magics, read: what is wanted, in arguments.

    Attributes:
        session: whose desk is asked.
        kind: of the magic.
        options: as they were read.
        given: what stands on the line for arguments that take several media.
        prompt: with its variables put in.
        arguments: for the desk.
        notes: a line for each thing that was put in.
        at_most: tokens that it may use, once it was looked at; None: nobody knows.

    Raises:
        InputError: a wrong option, or a prompt that cannot be read.
    """

    def __init__(self, session: Session, shell: Any, kind: str, line: str, cell: str | None) -> None:
        self.kind = kind
        self.at_most: int | None = None
        self.options = found = generation_options(kind).read(split(line))
        self.given = given_words(kind, found)
        check_name(found.to)
        variables = Variables(session, shell, on=not found.no_vars)
        self.session = session
        arguments = plain_arguments(kind, found)
        with in_the_lines_words(kind, self.given):
            arguments |= media_arguments(kind, found, variables, session)
        if getattr(found, "negative_prompt", None) is not None:
            arguments["negative_prompt"] = variables.text(found.negative_prompt)
        written = _prompt(found, line, cell, kind=kind, has_media=bool(found_media(arguments)))
        self.prompt = variables.text(written)
        self._origin = here(shell)
        self.arguments: Mapping[str, Any] = arguments
        self.notes = tuple(variables.notes)

    def looked_at(self) -> Preflight:
        """What the request amounts to, what it may cost, and what budgets say; nothing is sent."""
        from anyfast_nb.jobs.preflight import preflight

        work = self.session.desk.prepared(self.kind, self.prompt, self.arguments)
        try:
            made = io_loop().run(work)
        except Interrupted:
            raise Interrupted("stopped; nothing was sent") from None
        body, asks = made.generation.body, bool(self.options.dry_run)
        told = self.session.gateway.forecast(self.kind, body, origin=self._origin, budgets=asks)
        self.at_most = told.bound.tokens
        facts = preflight(made)
        return replace(facts, cost=told.cost, priced=told.priced, notes=(*facts.notes, *told.budgets))


def found_media(arguments: Mapping[str, Any]) -> list[str]:
    """The arguments that hold media."""
    names = ("first_frame", "last_frame", "images", "videos", "audios", "image", "image_tail")
    return [name for name in names if name in arguments]


def tell(show: Show, *lines: str | None) -> None:
    """Show lines above the result, if there are any."""
    if text := "\n".join(line for line in lines if line):
        show(notice(text))


def show_preflight(facts: Preflight, session: Session, show: Show) -> None:
    """What `--dry-run` shows."""
    from anyfast_nb.render.preflight import preflight_bundle

    show(preflight_bundle(facts, where=session.destination()))


# --- inside -------------------------------------------------------------------------------


def _prompt(found: argparse.Namespace, line: str, cell: str | None, *, kind: str, has_media: bool) -> str:
    if cell is None:
        if not found.words and has_media:
            return ""  # the media may say it all; if not, the builder says so
        return line_prompt(found.words, line, magic=f"%{kind}")
    if found.words:
        raise InputError(
            f"the prompt is the cell's body, not {found.words[0]!r} on the line",
            hint="Put the words below the first line.",
        )
    return cell.strip("\n")


def _check_take(found: argparse.Namespace) -> None:
    if found.take is not None and found.take < 1:
        raise InputError(
            f"--take {found.take}: takes are counted from 1", field="take", hint="Nothing was sent."
        )


def _confirm(facts: Preflight, at_most: int | None, most: int | None) -> None:
    """Refuse what would use more than the user has set; no question: nobody may be there to answer."""
    # Where the model chooses the size, its largest counts.
    about, tokens = ("up to", at_most) if facts.tokens is None else ("about", facts.tokens)
    if most is None or tokens is None or tokens <= most:
        return
    raise InputError(
        f"{about} {tokens:,} tokens, more than confirm_above={most:,}; nothing was sent",
        field="confirm_above",
        hint="Add --yes to go on.",
    )


def _created(asked: Asked, shell: Any, sending: Sending) -> Job:
    """The job of this line: found again if the cell was run before, else created."""
    work = asked.session.desk.film(
        asked.kind,
        asked.prompt,
        asked.arguments,
        origin=here(shell),
        take=asked.options.take or 1,
        reuse=True,
    )
    try:
        return io_loop().run(sending.follow(work))
    except KeyboardInterrupt:
        sending.stop()
        raise Interrupted(
            f"stopped while {asked.kind} was asked for a film; it may have been accepted and billed: "
            "`%anyfast jobs` shows it if it was sent"
        ) from None
    except AnyFastError:
        sending.stop()
        raise


@contextmanager
def detaching(job: Job) -> Iterator[None]:
    """Whenever it is stopped from now on, the job is there, and goes on."""
    from anyfast_nb.magics.watch import detached

    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:  # before the waiting began, or after it ended
        raise detached(job) from None


def waits(session: Session, found: argparse.Namespace) -> bool:
    """Does the line wait for its film?"""
    return bool(found.wait or (session.settings.wait and not found.no_wait))


def shown(
    session: Session,
    job: Job,
    facts: Preflight | None,
    found: argparse.Namespace,
    *,
    view: Live | None = None,
) -> None:
    """Wait for the film and leave it, or leave a live card: all display of jobs goes through here."""
    from anyfast_nb.magics.watch import attach, watch

    show = watch if waits(session, found) else attach
    show(session, job, preflight=facts, embed=found.embed, view=view)
