"""Kling tasks as the gateway wraps them, and as Kling itself tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.tasks.life import Stage
from anyfast_nb.simulator.tasks.seedance_shapes import outer_status, times

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.life import Job, Seen

RISK = "Failure to pass the risk control system"
INTERNAL = "Service internal error"
_OUTER = {
    Stage.NOT_START: "SUBMITTED",
    Stage.QUEUED: "SUBMITTED",
    Stage.IN_PROGRESS: "PROCESSING",
    Stage.SUCCESS: "SUCCESS",
    Stage.FAILURE: "FAILED",
}
_INNER = {
    Stage.NOT_START: "submitted",
    Stage.QUEUED: "submitted",
    Stage.IN_PROGRESS: "processing",
    Stage.SUCCESS: "succeed",
    Stage.FAILURE: "failed",
}


def created(job: Job, profile: Profile) -> dict[str, Any]:
    """The reply to create: the gateway's, or Kling's own where tasks are passed through."""
    if profile is not Profile.CURRENT:
        data: dict[str, Any] = {"task_id": job.id, "task_status": "submitted", **_info(job)}
        at = int(job.created_at * 1000)
        return _envelope(job, data | {"created_at": at, "updated_at": at})
    return {
        "id": job.id,
        "task_id": job.id,
        "object": "video",
        "model": job.model,
        "status": "",
        "progress": 0,
        "created_at": int(job.created_at),
    }


def polled(job: Job, seen: Seen, film: str, profile: Profile) -> dict[str, Any]:
    """The reply to a poll: three times ``data``, or Kling's own once."""
    if profile is not Profile.CURRENT:
        return _native(job, seen, film)
    reason = film if job.faults.reason_url else ""
    if seen.stage is Stage.FAILURE:
        reason = failure(job)
    return {
        "code": "success",
        "message": "",
        "data": {
            "task_id": job.id,
            "action": f"/kling/v1/videos/{job.action}_POST",
            "status": outer_status(job, seen, _OUTER[seen.stage]),
            "fail_reason": reason,
            **times(job, seen),
            "progress": f"{seen.progress}%",
            "data": _native(job, seen, film) if seen.stage.started else None,
        },
    }


def failure(job: Job) -> str:
    """Why it failed."""
    return RISK if job.faults.moderated else INTERNAL


def _native(job: Job, seen: Seen, film: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "task_id": job.id,
        "task_status": _INNER[seen.stage],
        "task_status_msg": failure(job) if seen.stage is Stage.FAILURE else "",
        **_info(job),
        "created_at": int(job.created_at * 1000),
        "updated_at": int((job.finished_at if seen.stage.ends else job.started_at) * 1000),
    }
    if seen.stage is Stage.SUCCESS:
        video = {"id": job.facts["film_id"], "url": film, "duration": job.facts["duration"]}
        data["task_result"] = {"videos": [video]}
    return _envelope(job, data)


def _info(job: Job) -> dict[str, Any]:
    external = job.facts["external_task_id"]
    return {"task_info": {"external_task_id": external}} if external else {}


def _envelope(job: Job, data: dict[str, Any]) -> dict[str, Any]:
    return {"code": 0, "message": "SUCCEED", "request_id": job.request_id, "data": data}
