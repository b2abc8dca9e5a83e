"""`%anyfast jobs` and `%anyfast resume`: what was asked for, and going on with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.magics.job_options import FILM_KINDS, SORTS, job_options
from anyfast_nb.magics.options import check_name, split
from anyfast_nb.magics.variables import Variables
from anyfast_nb.render.notice import notice, table

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from anyfast_nb.jobs.job import Job
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session

_WHY_CHARS: Final = 80
_TITLE_CHARS: Final = 48
_POSTER_PIXELS: Final = 96
_AGO: Final = re.compile(r"(\d+)\s*([dhm])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}
_COLUMNS: Final = ("id", "when", "kind", "status", "%", "prompt", "tokens", "film")


# --- a list -------------------------------------------------------------------------------


def jobs(session: Session, shell: Any, line: str, *, show: Show) -> None:
    """Show the films of the ledger.

    Raises:
        InputError: an option that is wrong.
        LedgerError: the ledger cannot be read.
    """
    options = job_options("jobs")
    found = options.read(split(line))
    if found.words:
        raise InputError(
            f"%anyfast jobs: {found.words[0]!r} is one word too many",
            hint=f"`%anyfast resume {found.words[0]}` shows one job.",
        )
    _check(found)
    every = [
        job
        for job in session.desk.jobs(
            status=found.status,
            kind=found.kind,
            since=_since(found.since),
            model=found.model,
            notebook=found.notebook,
        )
        if found.text.lower() in job.prompt.lower()
    ]
    if not every:
        show(notice(_nothing(found)))
        return
    listed = sorted(every, key=_KEYS[found.sort])[-found.last if found.last else 0 :]
    show(_table(listed, caption=_caption(every, len(listed))))


def _check(found: argparse.Namespace) -> None:
    for name, known in (("status", [status.value for status in JobStatus]), ("kind", list(FILM_KINDS))):
        for word in getattr(found, name) or ():
            if word not in known:
                raise InputError(
                    f"--{name} {word}: there is none of that name",
                    field=name,
                    hint=f"Write one of {', '.join(known)}.",
                )
    if found.last < 0:
        raise InputError(f"--last {found.last} is below 0", field="last", hint="--last 0 shows all.")


def _since(text: str | None) -> str | timedelta | None:
    """A date as it is; `7d` and `12h` are so long ago."""
    if text is not None and (ago := _AGO.fullmatch(text.strip())):
        return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    return text


_KEYS: Final[dict[str, Callable[[Job], Any]]] = {
    "when": lambda job: job.created_at,
    "kind": lambda job: (job.kind, job.created_at),
    "status": lambda job: (job.status.value, job.created_at),
    "progress": lambda job: (-1 if job.progress is None else job.progress, job.created_at),
    "tokens": lambda job: (-1 if job.tokens is None else job.tokens, job.created_at),
}
assert set(_KEYS) == set(SORTS)


def _nothing(found: argparse.Namespace) -> str:
    narrowed = any((found.status, found.kind, found.since, found.model, found.notebook, found.text))
    return "No job fits." if narrowed else 'No film was asked for yet: %seedance "…" makes one.'


def _caption(every: list[Job], shown: int) -> str:
    counts = Counter(job.status.value for job in every)
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    part = f", the last {shown} shown (--last 0: all)" if shown < len(every) else ""
    return f"{len(every):,} job{'s' if len(every) != 1 else ''}: {told}{part}"


def _table(listed: list[Job], *, caption: str) -> dict[str, Any]:
    return table(
        [_row(job) for job in listed],
        columns=_COLUMNS,
        caption=caption,
        pictures=[_poster(job.file) for job in listed],
    )


def _row(job: Job) -> tuple[Any, ...]:
    title = job.prompt if len(job.prompt) <= _TITLE_CHARS else f"{job.prompt[: _TITLE_CHARS - 1]}…"
    return (
        job.row.short_id,
        f"{job.created_at.astimezone():%Y-%m-%d %H:%M}",
        job.kind,
        job.status.value,
        job.progress,
        " ".join(title.split()),
        job.tokens,
        _result(job),
    )


def _result(job: Job) -> str:
    """Where its film is, or why there is none."""
    if job.file is not None:
        return _near(job.file)
    why = " ".join(job.row.error.split()) if job.status.ends else ""
    return why if len(why) <= _WHY_CHARS else f"{why[: _WHY_CHARS - 1]}…"


def _near(path: Path) -> str:
    """A path from here where it lies below, else the whole."""
    from pathlib import Path

    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except (OSError, ValueError):
        return str(path)


def _poster(path: Path | None) -> tuple[str, bytes] | None:
    if path is None:
        return None
    from anyfast_nb.media.frames import poster

    small = poster(path, longest=_POSTER_PIXELS)
    return None if small is None else (small.media_type, small.data)


# --- going on -----------------------------------------------------------------------------


def resume(session: Session, shell: Any, line: str, *, show: Show) -> None:
    """Go on waiting for a job; without an id, show what can be gone on with.

    Raises:
        InputError: no such job, or options that do not go together.
        AnyFastError: the job failed; or several were resumed, and some failed.
        Interrupted: the user stopped waiting; the jobs go on.
    """
    found = job_options("resume").read(split(line))
    check_name(found.to)
    if len(found.words) > 1 or (found.words and found.all):
        raise InputError(
            f"%anyfast resume: {found.words[-1]!r} is one word too many", hint="Give one ID, or --all."
        )
    if found.wait and found.no_wait:
        raise InputError("--wait and --no-wait exclude each other", field="wait", hint="Give one.")
    if found.task_id is not None:
        job = _adopted(session, shell, found)
    elif found.words:
        job = _job(session, shell, found.words[0])
    elif found.all:
        _resume_all(session, found, show)
        return
    else:
        _show_open(session, show)
        return
    if found.to:
        shell.user_ns[found.to] = job
    _go_on(session, job, found)


def open_jobs(session: Session) -> list[Job]:
    """The jobs that can be resumed: not done, or done and not on this disk."""
    return [job for job in session.desk.jobs() if _is_open(job)]


def _is_open(job: Job) -> bool:
    return not job.status.ends or (job.status is JobStatus.SUCCEEDED and job.file is None)


def _in_doubt(job: Job) -> bool:
    return job.status is JobStatus.SUBMIT_UNKNOWN


def _job(session: Session, shell: Any, word: str) -> Job:
    """The job of an id, or of a variable."""
    from anyfast_nb.jobs.job import Job

    word = Variables(session, shell).text(word)
    value = shell.user_ns.get(word)
    return value if isinstance(value, Job) else session.desk.job(word)


def _show_open(session: Session, show: Show) -> None:
    found = open_jobs(session)
    if not found:
        show(notice("Nothing to resume: every job has ended, and its film is on this disk."))
        return
    how = "`%anyfast resume ID` goes on with one, --all with all"
    if any(map(_in_doubt, found)):
        how += "; one whose reply was lost needs --task-id from the console"
    show(_table(found, caption=f"{how}."))


def _adopted(session: Session, shell: Any, found: argparse.Namespace) -> Job:
    """The job in doubt that gets a task id: the one that is named, or the only one there is."""
    if found.all:
        raise InputError("--task-id belongs to one job, not to --all", field="task_id", hint="Give its ID.")
    if found.words:
        return _job(session, shell, found.words[0]).adopt(found.task_id)
    doubtful = session.desk.jobs(status=JobStatus.SUBMIT_UNKNOWN.value)
    if len(doubtful) != 1:
        which = ", ".join(job.row.short_id for job in doubtful[-5:])
        raise InputError(
            f"--task-id {found.task_id[:40]}: {len(doubtful)} jobs have lost their reply",
            field="task_id",
            hint=f"Say which: %anyfast resume ID --task-id … ({which})" if doubtful else "None needs one.",
        )
    return doubtful[0].adopt(found.task_id)


def _go_on(session: Session, job: Job, found: argparse.Namespace) -> None:
    from anyfast_nb.magics.film import detaching, shown

    with detaching(job):
        shown(session, job, None, found)


async def _follow_all(session: Session, every: list[Job]) -> None:
    """Have all of them asked for from now on, whichever is shown first. On the private loop."""
    for job in every:
        future = session.desk.scheduler.follow(job)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # shown with its job


def _resume_all(session: Session, found: argparse.Namespace, show: Show) -> None:
    """Follow all of them at once, and show one after the other; one that fails stops no other."""
    every = [job for job in open_jobs(session) if not _in_doubt(job)]
    if not every:
        show(notice("Nothing to resume."))
        return
    io_loop().run(_follow_all(session, every))
    failed: list[str] = []
    for job in every:
        try:
            _go_on(session, job, found)
        except AnyFastError as error:
            failed.append(f"{job.row.short_id}: {error.message}")
    if failed:
        raise AnyFastError(
            f"{len(failed)} of {len(every)} jobs did not end with a film",
            hint=failed[0] if len(failed) == 1 else f"{failed[0]}\n`%anyfast jobs` lists all.",
        )
