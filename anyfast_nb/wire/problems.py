"""Twelve shapes of error in circulation, read into one tree of exceptions.

Source: seed 003 (error handling), wire reference 2.1 to 2.3. The shapes:
``{"error": {...}}`` with or without type and code, ``{"error": "text"}``,
``{"code", "message", "data"}`` whose message may be JSON in a string, a
terminal task with ``fail_reason``, Volcengine's ``ResponseMetadata.Error``,
errors inside a 200, Kling's numeric codes, HTML, nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from anyfast_nb.errors import (
    AuthenticationError,
    BadRequestError,
    Billed,
    ModelNotFoundError,
    ModerationError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
    StatusError,
)
from anyfast_nb.wire.text import one_line

_MAX_DEPTH: Final = 5
_MAX_BODY: Final = 65_536
_MAX_JSON: Final = 16_384  # of JSON in a string inside
_RAW_CHARS: Final = 400
_REQUEST_ID = re.compile(r"\s?\(request id:\s{0,9}([\w-]+)\)", re.IGNORECASE)
_BRACKETED = re.compile(r"\[([A-Za-z]\w*(?:\.\w+)+)\]")  # "upstream_error: [NotFound.group_id] The …"
_MODERATION = re.compile(
    r"SensitiveContent|content_filter|moderation|FaceMismatch|risk control", re.IGNORECASE
)
_KLING_NUMBER = re.compile(r"\(code (1\d{3})\)")  # of Kling's codes, inside the gateway's words
_QUOTA = re.compile(
    r"insufficient[_ ](user[_ ])?quota|insufficient[_ ]balance|quota.{0,20}(used up|exhausted)"
    r"|RemainQuota|额度.{0,8}(用尽|不足)|arrears|余额不足",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model_not_found|no available channel for model|ModelNotOpen", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a server said went wrong, from whichever shape it came in."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    request_id: str = ""


# --- reading ------------------------------------------------------------------------------


def read_problem(body: str) -> Problem:
    """Find message, code, type, param and request id in an error body of any shape."""
    found = list(_walk(_json(body, limit=_MAX_BODY), depth=0))
    request_id = next((p.request_id for p in found if p.request_id), "")
    if not any(p.message or p.code for p in found):
        return Problem(message=one_line(_words_of(body)), request_id=request_id)
    # The innermost entry is the most specific: it stands last in the walk.
    message = one_line(next((p.message for p in reversed(found) if p.message), ""))
    if match := _REQUEST_ID.search(message):
        request_id = request_id or match.group(1)
    bracketed = _BRACKETED.search(message)
    return Problem(
        message=message,
        code=next((p.code for p in reversed(found) if p.code), bracketed.group(1) if bracketed else ""),
        type=next((p.type for p in reversed(found) if p.type), ""),
        param=next((p.param for p in reversed(found) if p.param), ""),
        request_id=request_id,
    )


def is_problem(body: object) -> bool:
    """Does a 200 body (or a stream's frame) hold an error instead of an answer?"""
    if not isinstance(body, Mapping) or body.get("object") == "response":
        return False  # a response tells its own end, and may hold an answer beside its error
    metadata = body.get("ResponseMetadata")
    if body.get("error") or (isinstance(metadata, Mapping) and metadata.get("Error")):
        return True
    # {"code", "message", "data": null}; the wrapper of a task that goes well has data, and "success" or 0
    failed = body.get("code") not in (None, "", "success", 0, 200) or body.get("success") is False
    return failed and isinstance(body.get("message"), str) and not body.get("data") and "choices" not in body


def _walk(value: object, *, depth: int) -> Iterator[Problem]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        inner = _json(value)
        if inner is not None:
            yield from _walk(inner, depth=depth + 1)
        elif value.strip():
            yield Problem(message=value.strip())
    elif isinstance(value, Mapping):
        yield from _walk_mapping(value, depth)


def _walk_mapping(value: Mapping[str, Any], depth: int) -> Iterator[Problem]:
    message = value.get("message") or value.get("Message")
    plain = message.strip() if isinstance(message, str) and _json(message) is None else ""
    yield Problem(
        message=plain,
        code=_word(value.get("code") or value.get("Code")),
        type=_word(value.get("type")),
        param=_word(value.get("param")),
        request_id=_word(value.get("request_id") or value.get("RequestId")),
    )
    for name in ("ResponseMetadata", "Error", "error", "data", "fail_reason", "message"):
        inner = value.get(name)
        if name != "message" or not plain:
            yield from _walk(inner, depth=depth + 1)


def _word(value: object) -> str:
    word = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "" if word == "success" else word  # a task wrapper's code, beside a failure inside


def _json(text: object, *, limit: int = _MAX_JSON) -> Any:
    """A JSON object in a string, or None."""
    if not isinstance(text, str) or len(text) > limit or not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _words_of(body: str) -> str:
    """What a person can read in a body that is no error of AnyFast's."""
    body = body[:4096]
    if "<html" in body.lower() or "<!doctype" in body.lower():
        title = re.search(r"<title>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        heading = re.search(r"<h1>(.*?)</h1>", body, re.IGNORECASE | re.DOTALL)
        words = re.sub(r"\s+", " ", (title or heading).group(1)).strip() if title or heading else "no title"  # type: ignore[union-attr]
        return f"a web page ({words[:80]})"
    return body.strip()[:_RAW_CHARS]


# --- classifying --------------------------------------------------------------------------


def to_error(problem: Problem, *, status: int, bills: bool = True) -> StatusError:
    """The exception for a problem; texts must be redacted before they come here.

    Args:
        problem: what the server said.
        status: the HTTP status, 0 for an error inside an answer: the work had begun by then.
        bills: whether the call is one that costs money.
    """
    cls = _class_of(problem, status)
    said = _REQUEST_ID.sub("", problem.message).rstrip(". ") or problem.code or "no words"
    maybe = bills and (status == 0 or (cls is ServerError and status != 503))
    error = cls(
        f"{status or 'in the answer:'} {_TITLES[cls]}: {said[:_RAW_CHARS]}",
        status=status or 200,
        code=problem.code,
        type=problem.type,
        param=problem.param,
        request_id=problem.request_id,
        raw_message=problem.message,
        hint=("Sent, and may be billed: it was not repeated by itself. " if maybe else "Not billed. ")
        + (_ABSENT if cls is NotFoundError and problem.code.startswith("NotFound.") else _HINTS[cls])
        + (f" (request id {problem.request_id})" if problem.request_id else ""),
    )
    error.billed = Billed.MAYBE if maybe else Billed.NO
    error.retryable = cls.retryable and not maybe
    return error


def _class_of(problem: Problem, status: int) -> type[StatusError]:
    words = f"{problem.code} {problem.type} {problem.message}"
    number = _KLING_NUMBER.search(problem.message)
    if found := _BY_CODE.get(number[1] if number else problem.code):
        return found
    if _NO_MODEL.search(words):
        return ModelNotFoundError
    if _QUOTA.search(words):  # reported as 401, 403 or 429: the words decide
        return QuotaError
    if _MODERATION.search(problem.code) or (status in {0, 200, 400, 403, 451} and _MODERATION.search(words)):
        return ModerationError
    if status < 400:
        return _class_by_words(words)
    return _BY_STATUS.get(status, ServerError if status >= 500 else BadRequestError)


def _class_by_words(words: str) -> type[StatusError]:
    """An error inside a 200 or a stream has no status of its own."""
    lowered = words.lower()
    if "invalid_api_key" in lowered or "authentication" in lowered:
        return AuthenticationError
    if "rate_limit" in lowered or "ratelimit" in lowered:
        return RateLimitError
    if "notfound" in lowered or "not found" in lowered:
        return NotFoundError
    return BadRequestError if "invalid" in lowered or "missing" in lowered else ServerError


_BY_CODE: Final[dict[str, type[StatusError]]] = {  # Kling's: account in arrears, pack used up, content
    "1101": QuotaError,
    "1102": QuotaError,
    "1300": ModerationError,
    "1301": ModerationError,
}
_BY_STATUS: Final[dict[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    429: RateLimitError,
}
_TITLES: Final[dict[type[StatusError], str]] = {
    BadRequestError: "the request was refused",
    ModerationError: "the content was refused",
    AuthenticationError: "the key was refused",
    PermissionDeniedError: "not permitted",
    QuotaError: "no credit left",
    NotFoundError: "not found",
    ModelNotFoundError: "unknown model",
    RateLimitError: "too many requests",
    ServerError: "the server failed",
}
_ABSENT: Final = "Is the id right? Each key sees its own alone: it may be deleted, or another key's."
_HINTS: Final[dict[type[StatusError], str]] = {
    BadRequestError: "Change the request; repeating it gives the same answer.",
    ModerationError: "Change the words or the media that the message names.",
    AuthenticationError: "Check the key: `%anyfast login`, or ANYFAST_API_KEY.",
    PermissionDeniedError: "This key may not do this; see the console.",
    QuotaError: "Top up in the console, or use another key.",
    NotFoundError: "Check the base URL: `%anyfast doctor`.",
    ModelNotFoundError: "`%anyfast models` lists what this key can use.",
    RateLimitError: "Wait a little, then run it again.",
    ServerError: "Try again later.",
}
