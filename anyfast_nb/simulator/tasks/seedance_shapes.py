"""Seedance tasks as each generation of the service tells them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.tasks.life import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyfast_nb.simulator.tasks.ids import Ids
    from anyfast_nb.simulator.tasks.life import Job, Seen

MODERATED = ("OutputVideoSensitiveContentDetected", "The generated video did not pass review.")
FAILED = ("InternalServiceError", "The service encountered an unexpected internal error.")
_ARK_WORDS = {
    Stage.NOT_START: "queued",
    Stage.QUEUED: "queued",
    Stage.IN_PROGRESS: "running",
    Stage.SUCCESS: "succeeded",
    Stage.FAILURE: "failed",
}
_FLAT_WORDS = {Stage.SUCCESS: "completed", Stage.FAILURE: "failed"}
_OLDEST_WORDS = {
    Stage.NOT_START: "submitted",
    Stage.QUEUED: "submitted",
    Stage.IN_PROGRESS: "processing",
    Stage.SUCCESS: "succeeded",
    Stage.FAILURE: "failed",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of what a finished task made, "" for none."""

    film: str = ""
    original: str = ""
    last_frame: str = ""


def new_id(profile: Profile, ids: Ids, upstream_id: str) -> str:
    """The id by which a new task is polled."""
    if profile is Profile.CURRENT:
        return ids.asyntask()
    if profile is Profile.FLAT:
        return ids.flat()
    return upstream_id if profile is Profile.ARK else ids.oldest()


def created(job: Job, profile: Profile) -> dict[str, Any]:
    """The reply to create."""
    at = int(job.created_at)
    if profile is Profile.ARK:
        return {"id": job.id}
    if profile is Profile.FLAT:
        return {"id": job.id, "model": job.model, "status": "processing", "created_at": at}
    if profile is Profile.OLDEST:
        return {"id": job.id, "status": "submitted", "created_at": _iso(job.created_at)}
    return {
        "id": job.id,
        "task_id": job.id,
        "object": "video",
        "model": job.model,
        "status": "",
        "progress": 0,
        "created_at": at,
    }


def polled(job: Job, seen: Seen, links: Links, profile: Profile) -> dict[str, Any]:
    """The reply to a poll."""
    if profile is Profile.ARK:
        return upstream(job, seen, links) | _odd(job, seen)
    if profile is Profile.FLAT:
        return _flat(job, seen, links) | _odd(job, seen)
    if profile is Profile.OLDEST:
        return _oldest(job, seen, links) | _odd(job, seen)
    return {"code": "success", "message": "", "data": _current(job, seen, links)}


def outer_status(job: Job, seen: Seen, word: str) -> str:
    """The status the gateway tells, unless the prompt asked for another."""
    if job.faults.inner_only:
        return ""
    return str(_odd(job, seen).get("status", word))


def _odd(job: Job, seen: Seen) -> dict[str, str]:
    if seen.stage.ends or job.faults.odd_word is None:
        return {}
    return {"status": job.faults.odd_word}


def failure(job: Job) -> tuple[str, str]:
    """Code and sentence of a task that fails."""
    return MODERATED if job.faults.moderated else FAILED


def fail_reason(job: Job, seen: Seen, links: Links) -> str:
    """What the gateway tells about the end: a document for what the upstream's review refused."""
    if seen.stage is Stage.FAILURE:
        code, message = failure(job)
        if not job.faults.moderated:
            return message
        return json.dumps({"error": {"code": code, "message": message}})
    return links.film if seen.stage is Stage.SUCCESS and job.faults.reason_url else ""


def _current(job: Job, seen: Seen, links: Links) -> dict[str, Any]:
    body: dict[str, Any] = {
        "task_id": job.id,
        "action": job.action,
        "status": outer_status(job, seen, seen.stage.value),
        "fail_reason": fail_reason(job, seen, links),
        **times(job, seen),
        "progress": f"{seen.progress}%",
        "request_id": job.request_id,
        "data": upstream(job, seen, links) if seen.stage.started else None,
    }
    if seen.stage is Stage.SUCCESS:
        body["result_url"] = links.film
        if links.original:
            body["original_result_url"] = links.original
    return body


def times(job: Job, seen: Seen) -> dict[str, int]:
    """When it was submitted, begun and finished; 0 for what is not yet."""
    return {
        "submit_time": int(job.created_at),
        "start_time": int(job.started_at) if seen.stage.started else 0,
        "finish_time": int(job.finished_at) if seen.stage.ends else 0,
    }


def upstream(job: Job, seen: Seen, links: Links) -> dict[str, Any]:
    """The task as the upstream tells it, which is also the inner object of the current shape."""
    body: dict[str, Any] = {
        "id": job.upstream_id,
        "model": job.facts["model"],
        "status": _ARK_WORDS[seen.stage],
        "created_at": int(job.created_at),
        "updated_at": int(job.finished_at if seen.stage.ends else job.started_at),
    }
    if seen.stage is Stage.FAILURE:
        code, message = failure(job)
        return body | {"error": {"code": code, "message": message}}
    if seen.stage is not Stage.SUCCESS:
        return body
    content = {"video_url": links.film}
    if links.last_frame:
        content["last_frame_url"] = links.last_frame
    return body | {"content": content} | _told(job.facts)


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "model"}


def _flat(job: Job, seen: Seen, links: Links) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": job.id,
        "model": job.model,
        "status": _FLAT_WORDS.get(seen.stage, "processing"),
        "created_at": int(job.created_at),
    }
    return body | _outcome(job, seen, links)


def _oldest(job: Job, seen: Seen, links: Links) -> dict[str, Any]:
    body = {"id": job.id, "status": _OLDEST_WORDS[seen.stage], "created_at": _iso(job.created_at)}
    return body | _outcome(job, seen, links)


def _outcome(job: Job, seen: Seen, links: Links) -> dict[str, Any]:
    if seen.stage is Stage.SUCCESS:
        return {"video_url": links.film}
    if seen.stage is Stage.FAILURE:
        code, message = failure(job)
        return {"error": {"code": code, "message": message}}
    return {}


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
