"""The result of a job onto this disk: the film, what is known of it beside it, and its last frame.

Source: seed 004 (download links), wire reference 6.7.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from anyfast_nb.errors import AnyFastError, ConfigError, InputError, ProtocolError
from anyfast_nb.http.download import BusyError, Downloaded, Refresh, download
from anyfast_nb.jobs.folder import stem_of, write_sidecar, write_whole
from anyfast_nb.jobs.record import kept_values

if TYPE_CHECKING:
    from anyfast_nb.http.transport import Transport
    from anyfast_nb.jobs.folder import MediaFolder
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.wire.tasks import Task


_MOST_TURNS: Final = 200
_ROOM: Final = "Free some space or set media_dir (ANYFAST_MEDIA_DIR); then job.wait() fetches it again."


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
    target = folder.file(stem_of(row.kind, row.created_at, row.id), ".mp4")
    if (there := await asyncio.to_thread(_there, target)) is not None:
        await asyncio.to_thread(_describe, row, task, there, transport.redact)
        return there.path
    if not task.url:
        raise ProtocolError(
            f"job {row.short_id} succeeded, but the reply names no film",
            hint="Ask again: job.wait(). The request id may help the vendor's support.",
        )
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
        except BusyError:  # another kernel is fetching it
            pass
        except InputError as error:
            raise ConfigError(error.message, hint=_ROOM) from None
        except ProtocolError as error:  # a page, or a part of a film
            error.hint = "Nothing was billed for this, and no file was made: job.wait() fetches it again."
            raise
        await pace.sleep(pace.first_s)
        if target.exists():
            return target
    else:
        raise _busy(row)
    await asyncio.to_thread(_describe, row, task, found, transport.redact)
    return found.path


async def fetch_last_frame(
    row: JobRow, task: Task | None, *, film: Path, transport: Transport | None, pace: Pace
) -> Path:
    """The last frame as a file beside the film: from its link, or out of the film itself."""
    target = film.with_name(f"{film.stem}-last.png")
    if task is not None and task.last_frame_url and transport is not None:
        try:
            found = await download(
                task.last_frame_url,
                to=target,
                kind="image",
                own_origin=transport.endpoint.base_url,
                check=picture_type,
                sleep=pace.sleep,
                uniform=pace.uniform,
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


def _there(target: Path) -> Downloaded | None:
    """A film that has its name already, from a kernel that was killed before it could say so."""
    try:
        if target.is_symlink():
            return None
        media_type = film_type(target)
        with target.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Downloaded(target, target.stat().st_size, sha256, media_type)
    except (OSError, ValueError):
        return None


def film_type(path: Path) -> str:
    """The media type of a film that is whole.

    Raises:
        ValueError: it is no film, or a part of one.
    """
    from anyfast_nb.media.mp4 import read_movie
    from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff

    # Mapped, not read: a film may be larger than the memory.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        data = cast("bytes", mapped)
        found = sniff(data[:HEAD_BYTES])
        if found.kind is not Kind.VIDEO:
            raise ValueError(f"it is {found.name}")
        movie = read_movie(data)
    if movie.missing_bytes:
        raise ValueError(f"{movie.missing_bytes:,} bytes are missing")
    if not movie.has_index:
        raise ValueError("its index is missing")
    return found.media_type


def picture_type(path: Path) -> str:
    """The media type of a picture that is whole: it is decoded once.

    Raises:
        ValueError: it is no picture, or a part of one.
    """
    from anyfast_nb.media.frames import open_image, picture_size
    from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff

    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
    if found.kind is not Kind.IMAGE:
        raise ValueError(f"it is {found.name}")
    if picture_size(path) is None:
        raise ValueError("it cannot be read")
    try:
        open_image(path)
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error) as error:
        raise ValueError(str(error)) from None
    return found.media_type


def write_picture(b64: str, folder: MediaFolder, stem: str) -> Path:
    """A picture that came as base64, as a file under the ending that its content asks for.

    Raises:
        ValueError: it is no picture.
        OSError: it cannot be written.
    """
    from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff, suffix_of

    data = base64.b64decode(b64)
    found = sniff(data[:HEAD_BYTES])
    if found.kind is not Kind.IMAGE:
        raise ValueError(f"what came is {found.name}")
    path = folder.file(stem, suffix_of(found.media_type, ".jpeg"))
    write_whole(path, data)
    return path


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
        hint=_ROOM,
    )
