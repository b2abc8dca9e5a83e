"""What is said of pictures: the body of a plain reply, and the events of a streamed one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator.config import Profile

if TYPE_CHECKING:
    from anyfast_nb.simulator.images.plan import Item, Plan

NAME = "image_generation"


def body(plan: Plan, told: list[dict[str, Any]], profile: Profile) -> dict[str, Any]:
    """The whole reply, in the shape of a profile.

    Args:
        plan: what was made.
        told: for each picture its link or bytes, or its error.
        profile: the older pages tell neither model nor size, and count tokens in other words.
    """
    usage = plan.usage()
    if profile in {Profile.FLAT, Profile.OLDEST}:
        total = usage["total_tokens"]
        older = {"total_tokens": total}
        if profile is Profile.FLAT:
            older = {
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "total_tokens": total,
                "output_tokens": total,
            }
        data = [{key: value for key, value in item.items() if key != "size"} for item in told]
        return {"created": plan.created, "data": data, "usage": older}
    return {"model": plan.asked.model, "created": plan.created, "data": told, "usage": usage}


def event(plan: Plan, item: Item, told: dict[str, Any], *, now: int) -> dict[str, Any]:
    """The event of one picture."""
    kind = "partial_failed" if item.error else "partial_succeeded"
    return _head(plan, kind, now) | {"image_index": item.index} | told


def completed(plan: Plan, *, now: int) -> dict[str, Any]:
    """The event after the last picture."""
    return _head(plan, "completed", now) | {"usage": plan.usage()}


def _head(plan: Plan, kind: str, now: int) -> dict[str, Any]:
    return {"type": f"{NAME}.{kind}", "model": plan.asked.model, "created": now}
