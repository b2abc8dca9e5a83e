"""The jobs of the ledger as a list to look through: read once in a thread, filtered in memory."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.ledger.periods import period
from anyfast_nb.panels.words import say
from anyfast_nb.render.history import JobLine, JobMore
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.session import Session

PAGE: Final = 50
OPEN: Final = "open"  # a word for all states that do not end
_OPEN_WORDS: Final = tuple(status.value for status in JobStatus if not status.ends)
_HIDDEN: Final = frozenset({"content", "prompt", "model", "model_name", "image", "image_list", "image_tail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the list is looked at; "" is any.

    Attributes:
        kind, model, notebook: exactly these.
        status: a status, or ``open``.
        since: a period by its name.
        text: somewhere in the prompt or an id.
    """

    kind: str = ""
    status: str = ""
    model: str = ""
    notebook: str = ""
    since: str = "all"
    text: str = ""

    def fits(self, row: JobRow) -> bool:
        """Is a job among these?"""
        return (
            self.kind in {"", row.kind}
            and (
                not self.status
                or (not row.status.ends if self.status == OPEN else row.status.value == self.status)
            )
            and self.model in {"", row.model}
            and self.notebook in {"", row.notebook}
            and (not self.text or self.text.lower() in words_of(row))
        )

    @property
    def as_magic(self) -> str:
        """The line that lists the same."""
        words = ["%anyfast jobs"]
        words += ["--kind", self.kind] if self.kind else []
        if self.status:
            words += (
                ["--status", self.status]
                if self.status != OPEN
                else [f"--status {one}" for one in _OPEN_WORDS]
            )
        words += ["--model", shlex.quote(self.model)] if self.model else []
        words += ["--notebook", shlex.quote(self.notebook)] if self.notebook else []
        words += ["--text", shlex.quote(self.text)] if self.text else []
        words += ["--since", shlex.quote(self.since)] if self.since not in {"", "all"} else []
        return " ".join(words)


class History:
    """The jobs as the ledger had them when it was asked; from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rows: dict[str, JobRow] = {}  # newest first
        self.known = False

    @property
    def ledger(self) -> Ledger:
        """The ledger of the session."""
        return self._session.gateway.ledger

    def read(self, since: str) -> dict[str, JobRow]:
        """All jobs of a period. It blocks.

        Raises:
            InputError: there is no such period.
            LedgerError: the ledger cannot be read.
        """
        span = period(since.strip() or "all")
        found = self.ledger.jobs(since=span.since)
        return {row.id: row for row in reversed(found) if span.until is None or row.created_at < span.until}

    def changed(self) -> list[JobRow]:
        """What became of jobs that had not ended, and new ones that have not. It blocks."""
        under_way = {row.id: row for row in self.ledger.jobs(status=list(_OPEN_WORDS))}
        gone = [row.id for row in self.rows.values() if not row.status.ends and row.id not in under_way]
        ended = [row for one in gone if (row := self.ledger.job(one)) is not None]
        return [row for row in [*under_way.values(), *ended] if self.rows.get(row.id) != row]

    def settled(self, rows: Iterable[JobRow]) -> list[JobRow]:
        """Those that were being sent by a kernel that is gone, as they are now: in doubt. It blocks."""
        return [
            self._session.desk.job(row.id).row
            for row in rows
            if row.status is JobStatus.SUBMITTING and not self.ledger.maker_lives(row)
        ]

    def put(self, *rows: JobRow) -> None:
        """Take over newer rows; a new one stands in front."""
        for row in rows:
            if row.id in self.rows:
                self.rows[row.id] = row
            else:
                self.rows = {row.id: row, **self.rows}

    def fitting(self, wanted: Wanted) -> list[JobRow]:
        """Those that are looked at, newest first."""
        return [row for row in self.rows.values() if wanted.fits(row)]

    def names(self, field: str) -> list[str]:
        """The values that a column has."""
        return sorted({str(value) for row in list(self.rows.values()) if (value := getattr(row, field))})


def words_of(row: JobRow) -> str:
    """Where a text is looked for, in small letters."""
    return " ".join([row.title, *_texts(row.request), row.id, row.task_id]).lower()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in {"text", "prompt"} and isinstance(inner, str):
                yield inner
            elif isinstance(inner, Mapping | list):
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def film_of(row: JobRow) -> Path | None:
    """The film on this disk."""
    path = Path(row.path) if row.path else None
    return path if path is not None and path.is_file() else None


def may_resume(row: JobRow, film: Path | None) -> bool:
    """Can it be gone on with: not done, or done and not on this disk?"""
    if row.status is JobStatus.SUBMIT_UNKNOWN:
        return False
    return not row.status.ends or (row.status is JobStatus.SUCCEEDED and film is None)


def line_of(row: JobRow, *, picture: str = "", following: bool = False) -> JobLine:
    """A job as a line of the list."""
    film = film_of(row)
    absent = row.status is JobStatus.SUCCEEDED and film is None
    source = "" if row.source is Source.LIVE else say(f"jobs.{row.source.value}")
    facts = (
        f"{row.progress} %" if row.progress is not None and not row.status.ends else "",
        row.kind,
        "" if row.model == row.kind else row.model,
        f"{row.video_s:g} s" if row.video_s else "",
        f"{row.created_at.astimezone():%Y-%m-%d %H:%M}",
        source,
        row.short_id,
    )
    error = row.error if row.status.ends or row.status is JobStatus.SUBMIT_UNKNOWN else ""
    return JobLine(
        id=row.id,
        short=row.short_id,
        status=row.status.value,
        state=say(f"jobs.is_{row.status.value}"),
        title=row.title or row.short_id,
        facts=facts,
        progress=None if row.status.ends or row.status is JobStatus.SUBMIT_UNKNOWN else row.progress,
        error=" ".join(error.split()),
        remark=say("jobs.not_here") if absent else "",
        picture=picture,
        resumes=may_resume(row, film),
        absent=absent,
        playable=film is not None,
        following=following,
    )


def more_of(job: Job, ledger: Ledger) -> JobMore:
    """All about one job. It blocks."""
    row, error = job.row, job.error
    took = "" if row.finished_at is None else f"{(row.finished_at - row.created_at).total_seconds():.0f} s"
    asked = ", ".join(f"{name}={_short(value)}" for name, value in row.request.items() if name not in _HIDDEN)
    facts = (
        (say("jobs.model"), row.model),
        (say("jobs.mode"), row.mode),
        (say("jobs.asked"), asked),
        (say("jobs.tokens"), "" if row.tokens is None else f"{row.tokens:,}"),
        (say("jobs.length"), f"{row.video_s:g} s" if row.video_s else ""),
        (say("jobs.took"), took),
        (say("jobs.job_id"), row.id),
        (say("jobs.task_id"), row.task_id),
        (say("jobs.notebook"), row.notebook or ""),
        (say("jobs.file"), row.path or ""),
        (say("jobs.notes"), "; ".join(row.notes)),
    )
    events = tuple(
        (
            f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}",
            say(f"jobs.is_{event.status.value}")
            + (f" · {event.progress} %" if event.progress is not None else ""),
            event.note or event.raw_status,
        )
        for event in ledger.job_events(row.id)
    )
    trouble = () if error is None else (error.message, *error.hint.splitlines())
    return JobMore(prompt=job.prompt, facts=facts, trouble=trouble, events=events, path=row.path or "")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
