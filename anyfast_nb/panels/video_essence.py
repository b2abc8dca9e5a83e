"""What of the films stays in the notebook: the last ones, playable, and a table of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from anyfast_nb.panels.words import say
from anyfast_nb.render.notice import notice, table
from anyfast_nb.render.style import STYLE

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.panels.video_queue import VideoQueue
    from anyfast_nb.render.publish import Bundle

_FILMS: Final = 3
_ROWS: Final = 20


def films_bundle(jobs: Sequence[Job], queue: VideoQueue) -> Bundle:
    """The films of a panel as static ``text/html`` and ``text/plain``.

    Args:
        jobs: newest first.
        queue: knows how they are said to stand.
    """
    if not jobs:
        return _plain(notice(say("video.none")))
    there = [job for job in jobs if job.file is not None][:_FILMS]
    bundles = [job.video._repr_mimebundle_() for job in there]
    others = [job for job in jobs if job not in there][:_ROWS]
    if others:
        rows = []
        for job in others:
            card = queue.queued(job)
            rows.append((card.title, " · ".join((card.status, *card.told)), card.prompt[:120]))
        columns = [say("video.col.film"), say("video.col.status"), say("video.col.prompt")]
        bundles.append(table(rows, columns=columns))
    return {
        "text/plain": "\n".join(str(one["text/plain"]) for one in bundles),
        "text/html": "\n".join(str(one["text/html"]).replace(STYLE, "") for one in bundles),
    }


def _plain(bundle: Bundle) -> Bundle:
    return {name: str(text).replace(STYLE, "") for name, text in bundle.items()}
