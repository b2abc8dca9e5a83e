"""Jobs as small posters: a picture where there is one, else how far it is, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.jobs.film import as_shown
from anyfast_nb.ledger.job_rows import JobStatus

if TYPE_CHECKING:
    from pathlib import Path

    from anyfast_nb.jobs.grid import Cell
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.render.poster import Poster

_LONGEST = 320


def poster_of(job: Job | None, *, title: str, words: str = "", error: str = "") -> Poster:
    """A job as a poster.

    Args:
        job: None was not asked for yet.
        title: what it is called.
        words: what was asked for.
        error: why there is no job, or none that counts.
    """
    from anyfast_nb.render.poster import Poster  # jobs show themselves together

    if job is None:
        return Poster(title, words, "failed" if error else "not asked for yet", error=error)
    state, told = job.status.value, job.error
    if job.status is JobStatus.SUBMIT_UNKNOWN:
        state = "in doubt"
    elif job.progress is not None and not job.done:
        state = f"{state} · {job.progress} %"
    elif job.file is not None:
        state = " · ".join([f"{job.duration_s:g} s"] if job.duration_s else ["made"])
    return Poster(
        title,
        words,
        state,
        image=None if job.file is None else _picture(job.file),
        **_where(job.file),
        error=told.message if told is not None else error,
    )


def poster_of_cell(cell: Cell) -> Poster:
    """A combination of a sweep as a poster."""
    if cell.pictures is None:
        return poster_of(cell.job, title=cell.label, error=cell.trouble)
    from anyfast_nb.media.frames import thumbnail
    from anyfast_nb.render.poster import Poster

    made = len(cell.pictures.made)
    small = None if cell.path is None else thumbnail(cell.path, longest=_LONGEST)
    return Poster(
        cell.label,
        state="1 picture" if made == 1 else f"{made} pictures",
        image=None if small is None else (small.media_type, small.data),
        **_where(cell.path),
    )


def _where(file: Path | None) -> dict[str, str]:
    """The path as the notebook tells of it, and where its page finds the file."""
    path, place = ("", "") if file is None else as_shown(file)
    return {"path": path, "place": place}


def _picture(film: Path) -> Any:
    from anyfast_nb.media.frames import poster

    small = poster(film, longest=_LONGEST)
    return None if small is None else (small.media_type, small.data)
