"""The films of several jobs as one, beside them; it is made once for the same jobs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from anyfast_nb.errors import ConfigError
from anyfast_nb.jobs.folder import write_sidecar

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.media.join import Joined


def join_jobs(jobs: Sequence[Job], *, name: str = "") -> Joined:
    """Join the films of jobs, which are on this disk.

    Args:
        jobs: in their order.
        name: of the storyboard; it is in the name of the file.

    Raises:
        AnyFastError: a film cannot be read, or the new one not be written.
    """
    films = [job.path for job in jobs]
    made_of = hashlib.sha256("\0".join(job.id for job in jobs).encode()).hexdigest()[:8]
    target = films[0].with_name(f"storyboard-{_slug(name)}{made_of}.mp4")
    if (kept := _kept(target)) is not None:
        return kept
    from anyfast_nb.media.join import join

    try:
        joined = join(films, target)
        facts = {
            **asdict(joined),
            "path": target.name,
            "name": name,
            "jobs": [job.id for job in jobs],
            "films": [film.name for film in films],
            "prompts": [job.prompt for job in jobs],
        }
        write_sidecar(target, facts)
    except OSError as error:
        raise ConfigError(
            f"{target.name} cannot be written: {error.strerror or type(error).__name__}",
            hint="Free some space; then run() joins the shots, which are all there.",
        ) from None
    return joined


def facts_of(joined: Joined, shots: int) -> tuple[str, ...]:
    """Short words about a joined film, for its display: how it was made is among them."""
    how = joined.method if not joined.why else f"{joined.method}: {joined.why}"
    return (f"{shots} shots" if shots > 1 else "1 shot", f"{joined.duration_s:.1f} s", how)


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{words}-" if words else ""


def _kept(target: Path) -> Joined | None:
    """What the file beside a joined film says of it; None if there is no such film."""
    if not target.is_file():
        return None
    from anyfast_nb.media.join import Joined

    try:
        kept = json.loads(target.with_suffix(".json").read_text("utf-8"))
        return Joined(
            path=target,
            method=kept["method"],
            why=kept["why"],
            seams_s=tuple(kept["seams_s"]),
            duration_s=kept["duration_s"],
            size=tuple(kept["size"]),
            frames=kept["frames"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
