"""What a job's card tells: everything in plain values, at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from anyfast_nb.jobs.failures import arguments_in
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.jobs.state import JobState
    from anyfast_nb.ledger.job_rows import JobStatus

Usual = tuple[float | None, float | None]
UNKNOWN: Usual = (None, None)


@dataclass(frozen=True, slots=True)
class Card:
    """A job at one moment.

    Attributes:
        id: short.
        kind, model: what makes it.
        status: in the job's own words.
        simulated: the built-in AnyFast makes it.
        progress: percent, as the server says.
        elapsed_s: since it was sent; of an ended job, how long it took.
        usual_s: p50 and p90 of the user's own jobs of this kind, in seconds.
        prompt: what was asked for.
        preflight: what was known before it was sent.
        notes: what was assumed, uploaded or reused.
        trouble: why it ended without a film, or is in doubt, and what to do: a line each.
        arguments: those that the trouble is about.
        absent: it has made its film, which is not on this disk, and nobody fetches it.
    """

    id: str
    kind: str
    status: JobStatus
    model: str = ""
    simulated: bool = False
    progress: int | None = None
    elapsed_s: float = 0.0
    usual_s: Usual = UNKNOWN
    prompt: str = ""
    preflight: Preflight | None = None
    notes: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    absent: bool = False


def card_of(
    job: JobState,
    *,
    preflight: Preflight | None = None,
    usual_s: Usual = UNKNOWN,
    now: datetime | None = None,
) -> Card:
    """A job's card as it is now.

    Args:
        job: any.
        preflight: of its request; by default what the ledger kept of it.
        usual_s: how long such jobs take, p50 and p90.
        now: the moment; aware.
    """
    from anyfast_nb.jobs.preflight import remembered

    row, error = job.row, job.error
    until = row.finished_at or now or datetime.now(UTC)
    return Card(
        row.short_id,
        row.kind,
        row.status,
        model=row.model,
        simulated=row.source is Source.SIMULATED,
        progress=row.progress,
        elapsed_s=max(0.0, (until - row.created_at).total_seconds()),
        usual_s=usual_s,
        prompt=job.prompt,
        preflight=preflight or remembered(row),
        notes=row.notes,
        trouble=() if error is None else (error.message, *error.hint.splitlines()),
        arguments=tuple(arguments_in(row.error, row.arguments)),
        absent=bool(row.path) and job.file is None,
    )
