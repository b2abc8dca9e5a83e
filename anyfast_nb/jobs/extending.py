"""A film carried on: the request of a job that continues another.

Source: seed 004 (video extension: text and reference videos), wire reference 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import catalog
from anyfast_nb.catalog.video import seedance_family
from anyfast_nb.errors import InputError
from anyfast_nb.jobs.lineage import add_note
from anyfast_nb.wire.prompts import named_media

if TYPE_CHECKING:
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job

_KEPT: Final = {"resolution": "resolution", "generate_audio": "audio", "watermark": "watermark"}
_FRAMES: Final = ("first_frame", "last_frame")


async def extended(job: Job, prompt: str, options: Mapping[str, Any], *, desk: Desk) -> Job:
    """Ask Seedance to carry a job's film on; waits for the film first.

    Args:
        job: whose film it is, of any kind.
        prompt: what happens next.
        options: as of `Client.seedance`; they outweigh what is kept of the job.
        desk: where it is asked for.

    Raises:
        InputError: there is no prompt, or an argument cannot be; nothing was sent.
        AnyFastError: the film did not come, or the new one was refused.
    """
    wish, asked = continued(job, prompt, options)
    made = await desk.film("seedance", wish, asked)
    add_note(made, f"carries on job {job.row.short_id}")
    return made


def continued(job: Job, prompt: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The prompt and the arguments that carry a job's film on.

    The new film has the model, the resolution, the shape and the sound of the old one. The film
    is ``@video1``; a prompt that does not name it is put behind words that do, for the model
    knows from the prompt alone that it shall go on.

    Raises:
        InputError: there is no prompt, or frames are given as well.
    """
    if not isinstance(prompt, str) or not prompt.strip():
        raise InputError("prompt is empty", field="prompt", hint="Say what happens next.")
    for name in _FRAMES:
        if options.get(name) is not None:
            raise InputError(
                f"{name} is given, and a film that is carried on has none",
                field=name,
                hint=f"Leave it out, or begin a film with seedance(…, first_frame=job); {name} goes there.",
            )
    clips = options.get("videos") or ()
    if isinstance(clips, str) or not isinstance(clips, list | tuple):
        raise InputError("videos must be a list", field="videos", hint="Write videos=[…].")
    asked = {**_kept(job), **options, "videos": [job, *clips]}
    names_it = any(one.kind == "video" and one.number == 1 for one in named_media(prompt))
    return prompt if names_it else f"Extend @video1: {prompt.strip()}", asked


def _kept(job: Job) -> dict[str, Any]:
    """What the new film has of the old one."""
    if job.kind != "seedance":
        return {}
    request = job.request
    kept = {name: request[field] for field, name in _KEPT.items() if field in request}
    family = seedance_family(catalog.resolve(job.model))
    if family is None or not family.videos:
        return kept  # a model that takes no clips: the default one does
    kept["model"] = job.model
    if "ratio" in request and not family.adaptive_tasks:  # else it keeps the shape by itself
        kept["ratio"] = request["ratio"]
    return kept
