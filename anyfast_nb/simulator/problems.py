"""What the server refuses, and how it says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

# status -> (type, code) of the documented envelope
KINDS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "invalid_parameter"),
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "insufficient_user_quota"),
    404: ("invalid_request_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
    408: ("timeout_error", "request_timeout"),
    413: ("invalid_request_error", "request_too_large"),
    421: ("invalid_request_error", "wrong_host"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    500: ("server_error", "internal_server_error"),
    502: ("server_error", "bad_gateway"),
    503: ("server_error", "service_unavailable"),
    504: ("server_error", "gateway_timeout"),
}


class Refusal(Exception):
    """A request this server does not do; it becomes the documented error envelope.

    Attributes:
        status: HTTP status.
        error: the object under ``error``: message, type, code and, for a field, param.
        headers: extra reply headers, such as ``retry-after``.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "",
        code: str = "",
        param: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        usual_type, usual_code = KINDS.get(status, ("api_error", f"http_{status}"))
        self.status = status
        self.headers = dict(headers or {})
        self.error: dict[str, Any] = {
            "message": message,
            "type": type or usual_type,
            "code": code or usual_code,
        }
        if param:
            self.error["param"] = param

    def response(self) -> Response:
        """The refusal as an HTTP reply."""
        body = encoded({"error": self.error})
        return Response(body, self.status, headers=self.headers, media_type="application/json")


def encoded(value: Any) -> bytes:
    """JSON in one line; half a surrogate pair, which JSON lets in, does not let out."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class NoToken(Refusal):
    """No key came at all: the one error whose documented form has neither type nor code."""

    def __init__(self) -> None:
        super().__init__(401, "No token provided")
        self.error = {"message": "No token provided"}


def bad_field(path: str, must: str, *, got: object = None, code: str = "") -> Refusal:
    """A 400 that names the field's path, what it must be, and what came.

    Args:
        path: such as ``messages[0].content[1].video_url.fps``.
        must: the rule, such as ``must be between 0.2 and 5``.
        got: the offending value; only short scalars are repeated.
        code: ``invalid_parameter`` unless given.
    """
    return Refusal(400, f"{path} {must}{_shown(got)}", param=path, code=code)


def _shown(value: object) -> str:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and 0 < len(value) <= 40):
        return f", got {value!r}"
    return "" if value is None else f", got {_kind(value)}"


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a long string" if value else "an empty string"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else type(value).__name__
