"""Replies about a video task, created or polled, in any of the shapes in circulation.

The gateway's pages come in three generations, and relays add their own: a
task in ``{"code", "message", "data"}`` (the deployed one), flat, the
provider's own object, OpenAI's, Alibaba's, Kling's with one to three ``data``
around it. One reader takes them all, by the table of places each fact has.

Source: seed 004 (workflow, notes), wire reference 6.3 to 6.5, 7.1 and 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from anyfast_nb.errors import ProtocolError
from anyfast_nb.wire.plain import flag, integer, link, moment, number, percent, word
from anyfast_nb.wire.problems import read_problem
from anyfast_nb.wire.text import one_line

_MAX_REASON: Final = 16_384  # of a failure's reason that is JSON in a string
_REASON_CHARS: Final = 400
_WELL: Final = frozenset({"", "0", "200", "success", "succeed", "succeeded", "ok"})  # an envelope's good news
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}")
_BARE_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


class TaskStatus(StrEnum):
    """Where a task stands; a word nobody knows is `UNKNOWN`, and the task keeps it."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def ends(self) -> bool:
        """Will nothing more happen to the task?"""
        return self in _ENDS


_ENDS = frozenset({TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.EXPIRED})
WORDS: Final[dict[TaskStatus, tuple[str, ...]]] = {  # normalised: upper case, _ for - and space
    TaskStatus.QUEUED: (
        "NOT_START", "SUBMITTED", "QUEUED", "QUEUEING", "QUEUING", "PENDING", "CREATED", "WAITING",
    ),
    TaskStatus.RUNNING: ("IN_PROGRESS", "PROCESSING", "RUNNING", "GENERATING"),
    TaskStatus.SUCCEEDED: ("SUCCESS", "SUCCEEDED", "SUCCEED", "COMPLETED", "COMPLETE", "DONE", "FINISHED"),
    TaskStatus.FAILED: ("FAILURE", "FAILED", "FAIL", "ERROR", "REJECTED", "ABORTED"),
    TaskStatus.CANCELLED: ("CANCELLED", "CANCELED"),
    TaskStatus.EXPIRED: ("EXPIRED", "TIMEOUT"),
}  # fmt: skip
_STATUS_OF: Final = {spelling: status for status, spellings in WORDS.items() for spelling in spellings}


@dataclass(frozen=True, slots=True)
class Task:
    """One reply about a task, created or polled.

    Attributes:
        id: opaque, "" if none was found.
        status: where it stands.
        raw_status: the server's own word for it, "" if it said none.
        progress: percent, 0 to 100; it proves nothing about success.
        url: where the result is, signed; "" unless the task succeeded.
        last_frame_url: the last frame, where it was asked for.
        original_url: of 2.0 Ultra, the result before it was enlarged.
        error_code: why it ended without a result, "" otherwise.
        error_message: the same in words, one line, not redacted.
        model: the model that works, as the server names it.
        action: what the gateway calls the work, such as ``referenceGenerate``.
        request_id: for the vendor's support.
        duration_s: of the result, in seconds.
        fps: of the result.
        ratio: of the result.
        resolution: of the result; where it was enlarged, the larger one.
        seed: the one that was used.
        audio: whether sound was asked for.
        tokens: what is billed, where the server says.
        submitted_at: when the task was taken.
        started_at: when the work began.
        finished_at: when it ended.
        raw: the whole body.
    """

    id: str
    status: TaskStatus
    raw_status: str = ""
    progress: int | None = None
    url: str = field(default="", repr=False)
    last_frame_url: str = field(default="", repr=False)
    original_url: str = field(default="", repr=False)
    error_code: str = ""
    error_message: str = ""
    model: str = ""
    action: str = ""
    request_id: str = ""
    duration_s: float | None = None
    fps: float | None = None
    ratio: str = ""
    resolution: str = ""
    seed: int | None = None
    audio: bool | None = None
    tokens: int | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# --- where each fact may stand, in order of preference --------------------------------------
# Every place is written out: a search for "url" at large would find a reference image.

_URLS: Final = (
    "data.result_url",
    "data.data.content.video_url",
    "data.data.output.video_url",
    "data.data.data.task_result.videos.0.url",
    "data.data.task_result.videos.0.url",
    "data.task_result.videos.0.url",
    "data.content.video_url",
    "content.video_url",
    "data.output.video_url",
    "output.video_url",
    "task_result.videos.0.url",
    "data.data.video_url",
    "data.video_url",
    "video_url",
    "data.data.metadata.url",
    "data.metadata.url",
    "metadata.url",
    "result_url",
    "data.url",
    "url",
)
_LAST_FRAMES: Final = (
    "data.data.content.last_frame_url",
    "data.content.last_frame_url",
    "content.last_frame_url",
)
_ORIGINALS: Final = ("data.original_result_url", "original_result_url")
_REASONS: Final = (
    "data.fail_reason",
    "fail_reason",
    "data.data.error",
    "data.data.output",  # Alibaba's holds code and message
    "data.data.data.task_status_msg",
    "data.data.task_status_msg",
    "data.task_status_msg",
    "task_status_msg",
    "data.error",
    "error",
    "data.data",
    "data",
    "",
)


# --- reading --------------------------------------------------------------------------------


def read_task(body: Mapping[str, Any]) -> Task:
    """A poll reply as a task.

    Args:
        body: of any of the shapes; whether it is an error instead of a task is for
            `wire.problems.is_problem` to say, and `is_task` decides where both could be.

    Raises:
        ProtocolError: the body is no JSON object.
    """
    _object(body)
    layers = _layers(body)
    status, raw_status = _status(layers)
    if not raw_status:
        if _first_link(body, _URLS):  # a result and no word about it
            status = TaskStatus.SUCCEEDED
        elif not _id(layers) and not _says_status(layers):
            status = TaskStatus.UNKNOWN  # nothing of a task in it: not even a place for a status
    return _task(body, layers, status, raw_status)


def read_created(body: Mapping[str, Any]) -> Task:
    """A create reply as a task; no status, or an empty one, is queued.

    Raises:
        ProtocolError: the body is no JSON object.
    """
    _object(body)
    layers = _layers(body)
    return _task(body, layers, *_status(layers), id=_id(layers) or _bare_id(body))


def is_task(body: Any) -> bool:
    """Does a body hold a task: an id, and a status that is known?

    A task that failed may carry ``error`` beside its status, as a plain error does: this tells
    the two apart.
    """
    if not isinstance(body, Mapping):
        return False
    layers = _layers(body)
    status, raw_status = _status(layers)
    return bool(_id(layers) and raw_status) and status is not TaskStatus.UNKNOWN


def _object(body: Any) -> None:
    if not isinstance(body, Mapping):
        raise ProtocolError(
            f"the reply about a task is {type(body).__name__}, not a JSON object",
            hint="Ask again; check the base URL if it stays so.",
        )


def _layers(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The task's own object first, then what lies in it, then what is wrapped around it."""
    inside = [body]
    while len(inside) <= 3 and isinstance(inner := inside[-1].get("data"), Mapping):
        inside.append(inner)
    named = any(word(body.get(name)) for name in ("task_id", "id"))
    wrapped = len(inside) > 1 and ("code" in body or not named)
    return [*inside[1:], body] if wrapped else inside


def _task(
    body: Mapping[str, Any],
    layers: list[Mapping[str, Any]],
    status: TaskStatus,
    raw_status: str,
    *,
    id: str | None = None,
) -> Task:
    done = status is TaskStatus.SUCCEEDED
    code, message = _failure(body) if status.ends and not done else ("", "")
    return Task(
        id=_id(layers) if id is None else id,
        status=status,
        raw_status=raw_status,
        progress=_first(layers, percent, "progress"),
        url=_first_link(body, (*_URLS, "data.fail_reason", "fail_reason")) if done else "",
        last_frame_url=_first_link(body, _LAST_FRAMES) if done else "",
        original_url=_first_link(body, _ORIGINALS) if done else "",
        error_code=code,
        error_message=message,
        model=_first(layers, word, "model", "model_name") or "",
        action=_first(layers, word, "action") or "",
        request_id=_first(layers, word, "request_id") or "",
        duration_s=_first(layers, number, "task_result.videos.0.duration", "duration", "seconds"),
        fps=_first(layers, number, "framespersecond", "fps"),
        ratio=_first(layers, word, "ratio") or "",
        resolution=_first(layers, word, "super_resolution", "resolution") or "",
        seed=_first(layers, integer, "seed"),
        audio=_first(layers, flag, "generate_audio"),
        tokens=_first(layers, integer, "usage.completion_tokens", "usage.total_tokens"),
        submitted_at=_first(layers, moment, "submit_time", "created_at"),
        started_at=_first(layers, moment, "start_time"),
        finished_at=_first(layers, moment, "finish_time", "completed_at", *(["updated_at"] * status.ends)),
        raw=body,
    )


def _status(layers: list[Mapping[str, Any]]) -> tuple[TaskStatus, str]:
    """The outermost word that is known; else the outermost word at all; else queued."""
    spoken = [raw for layer in layers for raw in _spoken(layer) if raw]
    for raw in spoken:
        if status := _STATUS_OF.get(re.sub(r"[-\s]+", "_", raw.upper())):
            return status, raw
    return (TaskStatus.UNKNOWN, spoken[0]) if spoken else (TaskStatus.QUEUED, "")


def _spoken(layer: Mapping[str, Any]) -> Iterator[str]:
    for place in ("status", "task_status", "output.task_status"):
        value = _at(layer, place)
        if isinstance(value, str):
            yield word(value)


def _says_status(layers: list[Mapping[str, Any]]) -> bool:
    return any("status" in layer or "task_status" in layer for layer in layers)


def _id(layers: list[Mapping[str, Any]]) -> str:
    """The task's own id; that of the provider's task inside comes after."""
    names = ("task_id", "id", "taskId", "Id")
    return next((found for layer in layers for name in names if (found := word(layer.get(name)))), "")


def _bare_id(body: Mapping[str, Any]) -> str:
    """Older gateways put the id itself in ``data``."""
    found = word(body.get("data"))
    return found if word(body.get("code")).lower() in _WELL and _ID.fullmatch(found) else ""


def _failure(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and words of a failure; each from the first place that has one."""
    found = [_reason(_at(body, place)) for place in _REASONS]
    code = next((code for code, _ in found if code), "")
    return code, next((message for _, message in found if message), "")


def _reason(value: Any, *, depth: int = 0) -> tuple[str, str]:
    if isinstance(value, str):
        if _BARE_LINK.fullmatch(value.strip()):  # a legacy copy of the result's address: no reason
            return "", ""
        if len(value) > _MAX_REASON:
            return "", one_line(value[:_REASON_CHARS])
        problem = read_problem(value)
        return problem.code, problem.message
    if not isinstance(value, Mapping) or depth > 3:
        return "", ""
    if value.get("error"):
        return _reason(value["error"], depth=depth + 1)
    code = word(value.get("code"))
    inner, message = _reason(value.get("message"), depth=depth + 1)
    return (
        inner or ("" if code.lower() in _WELL else code),
        "" if message.lower() in _WELL else message,
    )


# --- places ---------------------------------------------------------------------------------


def _at(value: Any, place: str) -> Any:
    """What stands at a dotted place, None if nothing does; the empty place is the value itself."""
    for step in place.split(".") if place else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif step == "0" and isinstance(value, list) and value:
            value = value[0]
        else:
            return None
    return value


def _first(layers: list[Mapping[str, Any]], read: Callable[[Any], Any], *places: str) -> Any:
    """The first place, over all layers, where `read` finds something."""
    for place in places:
        for layer in layers:
            found = read(_at(layer, place))
            if found not in (None, ""):
                return found
    return None


def _first_link(body: Mapping[str, Any], places: tuple[str, ...]) -> str:
    return next((found for place in places if (found := link(_at(body, place)))), "")
