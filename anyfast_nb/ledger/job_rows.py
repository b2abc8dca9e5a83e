"""Generation jobs in the ledger: a row before the POST, changed as the job goes, and what happened when.

A row never leaves an end: a job that succeeded stays succeeded, whatever an
older record from a journal says. Where its files are may be told later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.durable import Durable
from anyfast_nb.ledger.disk.schema import ENDS
from anyfast_nb.ledger.guard import plain_url, scrub, scrub_values
from anyfast_nb.ledger.rows import (
    Kept,
    Names,
    Record,
    Since,
    kept_count,
    kept_seconds,
    kept_text,
    microseconds,
    moment_of,
    new_id,
)
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping

_TITLE_CHARS: Final = 80
_SHORT: Final = 8
_WORDS: Final = frozenset({"prompt", "negative_prompt", "text"})


class JobStatus(StrEnum):
    """Where a job stands; what the server says in words nobody knows is `UNKNOWN`."""

    SUBMITTING = "submitting"
    SUBMIT_UNKNOWN = "submit_unknown"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def ends(self) -> bool:
        """Will nothing more happen to the job?"""
        return self.value in ENDS


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as the ledger knows it; `dataclasses.replace` makes the next state.

    Attributes:
        id: made here, before the POST; the last eight digits name its files.
        request_row: the ledger's row of that POST.
        kind: seedance or kling.
        create_path: where it was posted.
        poll_paths: where to ask for it, with ``{id}``; the one that worked comes first.
        base_url, key_mark: the gateway, and the fingerprint of the key: another key does not see it.
        source: live, simulated or replayed.
        model, mode: what was asked for.
        title: the prompt's beginning, redacted by the caller.
        request_hash: sha256 of the canonical body.
        request: the body with hashes instead of data.
        arguments: which argument made which item of the body.
        notes: what was assumed, uploaded or reused.
        task_id: the server's, "" before it is known.
        status, raw_status, progress: as last heard; progress in percent.
        error_code, error: why it ended without a result.
        tokens, video_s: what it used, and the length of the film in seconds.
        path, last_frame_path: local files.
        notebook, cell: where it comes from.
        identity, take: which wish this is an attempt at.
        maker: the kernel that sends it; see `JobHistory.maker_lives`.
        user: who asked for it; in a class's ledger the database says it.
        created_at, updated_at, finished_at: aware.
    """

    kind: str
    create_path: str
    base_url: str
    source: Source
    model: str
    request_hash: str
    poll_paths: tuple[str, ...] = ()
    request_row: str | None = None
    key_mark: str | None = None
    mode: str = ""
    title: str = ""
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    task_id: str = ""
    status: JobStatus = JobStatus.SUBMITTING
    raw_status: str = ""
    progress: int | None = None
    error_code: str = ""
    error: str = ""
    tokens: int | None = None
    video_s: float | None = None
    path: str | None = None
    last_frame_path: str | None = None
    notebook: str | None = None
    cell: str | None = None
    identity: str | None = None
    take: int | None = None
    maker: str | None = None
    user: str | None = None
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)
    finished_at: datetime | None = None

    @property
    def short_id(self) -> str:
        """The part of the id that differs: it begins with the time."""
        return self.id[-_SHORT:]

    def record(self) -> Record:
        """The row as it is kept."""
        return {
            "id": self.id,
            "request_row": self.request_row,
            "created_us": microseconds(self.created_at),
            "kind": scrub(self.kind, limit=40),
            "routes": _json({"create": self.create_path, "poll": self.poll_paths}),
            "base_url": plain_url(self.base_url),
            "key_mark": self.key_mark,
            "source": Source(self.source).value,
            "model": scrub(self.model, limit=200),
            "mode": kept_text(self.mode or None),
            "title": kept_text(self.title or None, limit=_TITLE_CHARS),
            "request_hash": self.request_hash,
            "request": _json(self.request),
            "arguments": _json(self.arguments),
            "notes": _json(self.notes),
            "task_id": kept_text(self.task_id or None),
            "status": JobStatus(self.status).value,
            "raw_status": kept_text(self.raw_status or None),
            "progress": kept_count(self.progress),
            "error_code": kept_text(self.error_code or None),
            "error": kept_text(self.error or None),
            "tokens": kept_count(self.tokens),
            "video_s": kept_seconds(self.video_s),
            "path": self.path,
            "last_frame_path": self.last_frame_path,
            "notebook": kept_text(self.notebook),
            "cell": kept_text(self.cell),
            "identity": self.identity,
            "take": self.take,
            "updated_us": microseconds(self.updated_at),
            "finished_us": None if self.finished_at is None else microseconds(self.finished_at),
            "maker": self.maker,
            "user_name": kept_text(self.user),
        }

    def without_words(self) -> JobRow:
        """The same without title and prompt: as it is kept where others can read it."""
        return replace(self, title="", request=_without_words(self.request))

    def event(self, note: str = "") -> JobEvent:
        """That it stands so now, for the list of what happened."""
        return JobEvent(
            job_id=self.id,
            status=self.status,
            raw_status=self.raw_status,
            progress=self.progress,
            note=note,
            time=self.updated_at,
            user=self.user,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """What happened to a job, and when."""

    job_id: str
    status: JobStatus
    raw_status: str = ""
    progress: int | None = None
    note: str = ""
    user: str | None = None
    time: datetime = field(default_factory=_now)
    id: str = field(default_factory=new_id)

    def record(self) -> Record:
        """The event as it is kept."""
        return {
            "id": self.id,
            "job_id": self.job_id,
            "time_us": microseconds(self.time),
            "status": JobStatus(self.status).value,
            "raw_status": kept_text(self.raw_status or None),
            "progress": kept_count(self.progress),
            "note": kept_text(self.note or None),
            "user_name": kept_text(self.user),
        }


class JobTable(Durable):
    """The jobs of a ledger."""

    def begin_job(self, row: JobRow) -> str:
        """Write a job before its request is sent; the row is on disk when this returns.

        Returns:
            The job's id.
        """
        self.update_job(row)
        return row.id

    def update_job(self, row: JobRow, *, event: bool = True, note: str = "") -> None:
        """Write how a job stands now; an end that is in the ledger stays.

        What it used is written into the row of its request as well, as soon as it is known.

        Args:
            row: the whole row.
            event: write down as well that this happened.
            note: a line for the event.
        """
        kept = [Kept("jobs", self._job_record(row))]
        if event or note:
            kept.append(Kept("job_events", row.event(note).record()))
        kept += self._figures_of(row)
        self._write(*kept)

    def job(self, id: str) -> JobRow | None:
        """The job of an id: the whole of it, its last digits (four or more), or the server's task id.

        Raises:
            InputError: several jobs end in these digits.
            LedgerError: the ledger cannot be read.
        """
        from sqlalchemy import or_

        from anyfast_nb.ledger.disk.tables import JOBS

        asked, known = id.strip(), JOBS.c
        same: list[ColumnElement[bool]] = [known.id == asked, known.task_id == asked]
        if len(asked) >= 4 and asked.isalnum():  # so it has none of LIKE's own signs
            same.append(known.id.like(f"%{asked.lower()}"))
        found = self._jobs(or_(*same), newest=None)
        exact = [row for row in found if row.id == asked] or [row for row in found if row.task_id == asked]
        if len(found) > 1 and not exact:
            raise InputError(
                f"several jobs have an id that ends in {asked}", field="id", hint="Give more of its digits."
            )
        found = exact or found
        return found[-1] if found else None

    def jobs(
        self,
        *,
        since: Since = None,
        kind: Names = None,
        status: Names = None,
        source: Names = None,
        model: Names = None,
        notebook: Names = None,
    ) -> list[JobRow]:
        """The jobs, oldest first.

        Args:
            since: see `rows.since_us`.
            kind: seedance, kling; one name or several, None is any; so for all that follow.
            status: see `JobStatus`.
            source: live, simulated, replayed.
            model: as asked for.
            notebook: paths of notebooks.

        Raises:
            LedgerError: the ledger cannot be read.
            InputError: ``since`` is no date or time.
        """
        from anyfast_nb.ledger.disk.selection import chosen
        from anyfast_nb.ledger.disk.tables import JOBS

        known = JOBS.c
        by = {
            known.kind: kind,
            known.status: status,
            known.source: source,
            known.model: model,
            known.notebook: notebook,
        }
        return self._jobs(*chosen(since, by, time=known.created_us), newest=None)

    def job_events(self, id: str) -> list[JobEvent]:
        """What happened to a job, oldest first; ``id`` is the whole one."""
        from sqlalchemy import select

        from anyfast_nb.ledger.disk.tables import JOB_EVENTS

        known = JOB_EVENTS.c
        asked = select(JOB_EVENTS).where(known.job_id == id).order_by(known.time_us, known.id)
        with self.reading() as connection:
            return [
                JobEvent(
                    id=row["id"],
                    job_id=id,
                    time=moment_of(row["time_us"]),
                    status=_status(row["status"]),
                    raw_status=row["raw_status"] or "",
                    progress=row["progress"],
                    note=row["note"] or "",
                    user=row["user_name"],
                )
                for row in connection.execute(asked).mappings()
            ]

    # --- details --------------------------------------------------------------------------

    def _job_record(self, row: JobRow) -> Record:
        return (row.without_words() if self.shared else row).record()

    def _figures_of(self, row: JobRow) -> list[Kept]:
        """What a job adds to the row of its request."""
        return []

    def _jobs(self, *conditions: ColumnElement[bool], newest: int | None) -> list[JobRow]:
        """The jobs that fulfil all conditions, oldest first; of many the newest."""
        from sqlalchemy import select

        from anyfast_nb.ledger.disk.tables import JOBS

        asked = select(JOBS).where(*conditions).order_by(JOBS.c.created_us.desc(), JOBS.c.id.desc())
        with self.reading() as connection:
            rows = connection.execute(asked if newest is None else asked.limit(newest)).mappings().all()
        return [row_of(row) for row in reversed(rows)]


def row_of(row: RowMapping) -> JobRow:
    """A job as it is read."""
    found: dict[str, Any] = dict(row)
    routes = _read_json(found.pop("routes"), {})
    finished_us = found.pop("finished_us")
    texts = ("mode", "title", "task_id", "raw_status", "error_code", "error")
    return JobRow(
        create_path=str(routes.get("create", "")),
        poll_paths=tuple(routes.get("poll", ())),
        created_at=moment_of(found.pop("created_us")),
        updated_at=moment_of(found.pop("updated_us")),
        finished_at=None if finished_us is None else moment_of(finished_us),
        source=Source(found.pop("source")),
        status=_status(found.pop("status")),
        request=_read_json(found.pop("request"), {}),
        arguments=_read_json(found.pop("arguments"), {}),
        notes=tuple(_read_json(found.pop("notes"), [])),
        user=found.pop("user_name"),
        **(found | {name: found[name] or "" for name in texts}),
    )


def _without_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: "" if name in _WORDS and isinstance(inner, str) else _without_words(inner)
            for name, inner in value.items()
        }
    return [_without_words(inner) for inner in value] if isinstance(value, list | tuple) else value


def _status(word: str) -> JobStatus:
    return JobStatus(word) if word in set(JobStatus) else JobStatus.UNKNOWN  # a later version's


def _json(value: Any) -> str:
    return json.dumps(scrub_values(value), ensure_ascii=False)


def _read_json(text: str | None, empty: Any) -> Any:
    try:
        value = json.loads(text or "null")
    except ValueError:
        return empty
    return value if isinstance(value, type(empty)) else empty
