"""What is known of a job: the ledger's row, and every change of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError
from anyfast_nb.jobs import failures
from anyfast_nb.jobs.poll import Pace
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.wire.values import Money, Source, Usage

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway

_NO_REPLY: Final = "the kernel ended before the reply came"
_TOLD: Final = ("status", "raw_status", "progress")


class JobState:
    """A job as the ledger has it. Safe for threads; not for direct use.

    Args:
        row: the ledger's row.
        gateway: whose ledger, and the way to the server.
        prompt: the whole prompt, where it is still known.
        pace: clocks, and how often to ask.
    """

    def __init__(self, row: JobRow, *, gateway: Gateway, prompt: str = "", pace: Pace | None = None) -> None:
        self._row = row
        self._gateway = gateway
        self._prompt = prompt
        self._pace = pace or Pace()
        self._changing = threading.RLock()

    # --- what is known --------------------------------------------------------------------

    @property
    def row(self) -> JobRow:
        """The ledger's row as it is now."""
        return self._row

    @property
    def id(self) -> str:
        """The job's own id: known before it was sent. Its last eight digits name its files."""
        return self._row.id

    @property
    def kind(self) -> str:
        """What makes it: ``seedance`` or ``kling``."""
        return self._row.kind

    @property
    def task_id(self) -> str:
        """The server's id, "" before it is known."""
        return self._row.task_id

    @property
    def status(self) -> JobStatus:
        """Where it stands, as last heard."""
        return self._row.status

    @property
    def done(self) -> bool:
        """Has it ended, well or not?"""
        return self._row.status.ends

    @property
    def progress(self) -> int | None:
        """Percent, as the server says; it proves nothing about success."""
        return self._row.progress

    @property
    def prompt(self) -> str:
        """What was asked for, without secrets."""
        return self._prompt or _prompt_in(self._row.request) or self._row.title

    @property
    def request(self) -> Mapping[str, Any]:
        """The body that was sent, with hashes instead of data, and URLs without their queries."""
        return self._row.request

    @property
    def request_hash(self) -> str:
        """The sha256 of the body: the same wish has the same hash."""
        return self._row.request_hash

    @property
    def mode(self) -> str:
        """What the arguments amounted to: text, first_frame, reference, image2video and so on."""
        return self._row.mode

    @property
    def model(self) -> str:
        """The model asked for."""
        return self._row.model

    @property
    def source(self) -> Source:
        """Who makes it: ``live`` or ``simulated``."""
        return self._row.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, uploaded or reused, and what the server may refuse: a line each."""
        return self._row.notes

    @property
    def tokens(self) -> int | None:
        """What is billed, once the server says."""
        return self._row.tokens

    @property
    def usage(self) -> Usage:
        """The tokens as `Usage`."""
        return Usage(output_tokens=self._row.tokens)

    @property
    def cost(self) -> Money | None:
        """What it cost, by the prices that were set when it ended; None before, and where none was.

        A job that another kernel saw end is looked up in the ledger.
        """
        if not self.done or self._row.source is not Source.LIVE:
            return None
        try:
            return self._gateway.ledger.film_cost(self._row)
        except AnyFastError:
            return None

    @property
    def duration_s(self) -> float | None:
        """The length of the film in seconds, once it is known."""
        return self._row.video_s

    @property
    def created_at(self) -> datetime:
        """When it was sent; aware, UTC."""
        return self._row.created_at

    @property
    def finished_at(self) -> datetime | None:
        """When it ended; None before."""
        return self._row.finished_at

    @property
    def error(self) -> AnyFastError | None:
        """Why it ended without a film; None if it did not."""
        if self._row.status.ends and self._row.status is not JobStatus.SUCCEEDED:
            return failures.job_failed(self._row)
        return self._in_doubt() if self._row.status is JobStatus.SUBMIT_UNKNOWN else None

    @property
    def file(self) -> Path | None:
        """The film on this disk if it is there already; `path` waits for it."""
        path = Path(self._row.path) if self._row.path else None
        return path if path is not None and path.is_file() else None

    # --- changing: every change is in the ledger ------------------------------------------

    def change(self, *, event: bool = True, note: str = "", **changes: Any) -> bool:
        """Change the row, in the ledger as well; did anything change?"""
        with self._changing:
            before = self._row
            if all(getattr(before, name) == value for name, value in changes.items()) and not note:
                return False
            now = max(self._pace.now(), before.updated_at + timedelta(microseconds=1))
            self._row = replace(before, updated_at=now, **changes)
            told = any(getattr(before, name) != getattr(self._row, name) for name in _TOLD)
            self._gateway.ledger.update_job(self._row, event=event and told, note=note)
            return True

    def renew(self, row: JobRow) -> bool:
        """Take over what the ledger knows by now, perhaps from another kernel; did anything change?"""
        with self._changing:
            newer = row.id == self._row.id and row.updated_at > self._row.updated_at
            if newer:
                self._row = row
            return newer

    def doubt(self) -> None:
        """Its kernel ended before the reply came: nobody knows whether it was accepted."""
        if self._row.status is JobStatus.SUBMITTING:
            self.change(status=JobStatus.SUBMIT_UNKNOWN, error=_NO_REPLY)

    def tell(self, note: str) -> None:
        """Write down that something happened, without a change of status."""
        self.change(note=note)

    # --- words ----------------------------------------------------------------------------

    def facts(self) -> tuple[str, ...]:
        """Short words about it, for its display: source, status, length, tokens, cost."""
        row, cost = self._row, self.cost
        told = [
            "" if row.source is Source.LIVE else row.source.value,
            row.kind if row.status is JobStatus.SUCCEEDED else f"{row.kind} · {row.status.value}",
            "" if row.progress is None or row.status.ends else f"{row.progress} %",
            "" if row.model == row.kind else row.model,
            "" if row.video_s is None else f"{row.video_s:g} s",
            "" if row.tokens is None else f"{row.tokens:,} tokens",
            "" if cost is None else cost.brief(),
        ]
        return tuple(word for word in told if word)

    def _in_doubt(self) -> AnyFastError:
        row = self._row
        error = AnyFastError(row.error.rstrip(". ") or _NO_REPLY)
        failures.may_be_billed(
            error,
            id=row.id,
            request_hash=row.request_hash,
            when=f"{row.created_at.astimezone():%Y-%m-%d %H:%M:%S}",
            adopts=True,
        )
        error.sent, error.partial = True, self
        return error


def _prompt_in(request: Mapping[str, Any]) -> str:
    """The words in a body: Kling's ``prompt``, or Seedance's first text item."""
    content = request.get("content")
    items = content if isinstance(content, list) else [{"text": request.get("prompt")}]
    texts = [item.get("text") for item in items if isinstance(item, Mapping)]
    return next((text for text in texts if isinstance(text, str) and text), "")
