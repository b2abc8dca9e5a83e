"""The result of a job onto this disk: the film, what is known of it beside it, and its last frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, ConfigError, InputError, ProtocolError
from anyfast_nb.http.download import Downloaded, Refresh, download
from anyfast_nb.jobs.folder import stem_of, write_sidecar, write_whole
from anyfast_nb.jobs.record import kept_values

if TYPE_CHECKING:
    from anyfast_nb.http.transport import Transport
    from anyfast_nb.jobs.folder import MediaFolder
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.wire.tasks import Task


_MOST_TURNS: Final = 200


async def fetch_film(
    row: JobRow,
    task: Task,
    *,
    transport: Transport,
    folder: MediaFolder,
    refresh: Refresh,
    pace: Pace,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Download a film and write its JSON file.

    Args:
        row: the job, succeeded.
        task: the reply that holds the link.
        transport: of the gateway.
        folder: where it goes.
        refresh: gives a fresh link if this one has expired.
        pace: how to wait between two tries.
        on_progress: told bytes so far and in all.

    Raises:
        AnyFastError: no link, or the film did not come; it can be fetched again.
    """
    if not task.url:
        raise ProtocolError(
            f"job {row.short_id} succeeded, but the reply names no film",
            hint="Ask again: job.wait(). The request id may help the vendor's support.",
        )
    target = folder.file(stem_of(row.kind, row.created_at, row.id), ".mp4")
    for _ in range(_MOST_TURNS):
        try:
            found = await download(
                task.url,
                to=target,
                kind="video",
                own_origin=transport.endpoint.base_url,
                refresh=refresh,
                check=film_type,
                on_progress=on_progress,
                sleep=pace.sleep,
                uniform=pace.uniform,
            )
            break
        except InputError:
            if not target.with_name(f"{target.name}.part").exists():
                raise
        await pace.sleep(pace.first_s)  # another kernel is fetching it
        if target.exists():
            return target
    else:
        raise _busy(row)
    await asyncio.to_thread(_describe, row, task, found, transport.redact)
    return found.path


async def fetch_last_frame(
    row: JobRow, task: Task | None, *, film: Path, transport: Transport | None
) -> Path:
    """The last frame as a file beside the film: from its link, or out of the film itself."""
    target = film.with_name(f"{film.stem}-last.png")
    if task is not None and task.last_frame_url and transport is not None:
        try:
            found = await download(
                task.last_frame_url, to=target, kind="image", own_origin=transport.endpoint.base_url
            )
        except AnyFastError:
            pass  # the film itself holds it too
        else:
            return named_by_content(found)
    await asyncio.to_thread(_extract, film, target)
    return target


def named_by_content(found: Downloaded) -> Path:
    """The file under the ending that its content asks for."""
    from anyfast_nb.media.sniff import suffix_of

    suffix = suffix_of(found.media_type, found.path.suffix)
    if not suffix or suffix == found.path.suffix:
        return found.path
    return found.path.replace(found.path.with_suffix(suffix))


def film_type(path: Path) -> str:
    """The media type of a film that is whole.

    Raises:
        ValueError: it is no film, or a part of one.
    """
    from anyfast_nb.media.mp4 import read_movie
    from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff

    data = path.read_bytes()
    found = sniff(data[:HEAD_BYTES])
    if found.kind is not Kind.VIDEO:
        raise ValueError(f"it is {found.name}")
    if missing := read_movie(data).missing_bytes:
        raise ValueError(f"{missing:,} bytes are missing")
    return found.media_type


def _describe(row: JobRow, task: Task, found: Downloaded, redact: Callable[[str], str]) -> None:
    facts = {
        "job": row.id,
        "kind": row.kind,
        "mode": row.mode,
        "model": row.model,
        "source": row.source.value,
        "base_url": row.base_url,
        "task_id": row.task_id,
        "created_at": row.created_at.isoformat(),
        "finished_at": None if row.finished_at is None else row.finished_at.isoformat(),
        "request_hash": row.request_hash,
        "request": row.request,
        "notes": list(row.notes),
        "usage": {"tokens": row.tokens, "video_s": row.video_s},
        "response": kept_values(task.raw, redact=redact),
        "file": file_facts(found),
    }
    try:
        write_sidecar(found.path, kept_values(facts, redact=redact))
    except OSError as error:
        raise _unwritable(found.path, error) from None


def file_facts(found: Downloaded) -> dict[str, Any]:
    """What a JSON file says of the file it lies beside."""
    return {
        "name": found.path.name,
        "bytes": found.size_bytes,
        "sha256": found.sha256,
        "media_type": found.media_type,
    }


def _extract(film: Path, target: Path) -> None:
    from anyfast_nb.media.frames import last_frame

    try:
        write_whole(target, last_frame(film))
    except OSError as error:
        raise _unwritable(target, error) from None


def _busy(row: JobRow) -> AnyFastError:
    return ConfigError(
        f"the film of job {row.short_id} is being downloaded by another kernel, and does not come",
        hint="Stop that one, then job.wait() here.",
    )


def _unwritable(path: Path, error: OSError) -> AnyFastError:
    return ConfigError(
        f"{path.name} cannot be written: {error.strerror or type(error).__name__}",
        hint="Free some space or set media_dir (ANYFAST_MEDIA_DIR); then job.wait() fetches it again.",
    )
