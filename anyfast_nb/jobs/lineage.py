"""Which job a job comes from, and what became of one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from anyfast_nb.ledger.job_rows import JobStatus

if TYPE_CHECKING:
    from anyfast_nb.errors import AnyFastError
    from anyfast_nb.jobs.job import Job


def add_note(job: Job, line: str) -> None:
    """Write a line into a job's notes, once."""
    if line not in job.notes:
        job.change(notes=(*job.notes, line), event=False)


def lost(job: Job) -> bool:
    """Has it ended without a film?"""
    return job.status.ends and job.status is not JobStatus.SUCCEEDED


def job_in(error: AnyFastError) -> Job | None:
    """The job that an error of its creation is about: refused, or in doubt; None if it was never sent."""
    from anyfast_nb.jobs.follow import Following

    return cast("Job", error.partial) if isinstance(error.partial, Following) else None
