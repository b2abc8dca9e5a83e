"""How task calls refuse: the gateway in its own words, the upstream's answer as JSON inside a string."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.problems import Refusal, encoded


class TaskRefusal(Refusal):
    """A task call the gateway itself refuses: ``{"code", "message", "data": null}``.

    Attributes:
        code: such as ``invalid_request`` or ``task_not_exist``.
        message: plain text.
    """

    def __init__(self, status: int, message: str, *, code: str, param: str = "") -> None:
        super().__init__(status, message, code=code, param=param)
        self.code = code
        self.message = message

    def told(self, profile: Profile) -> Response:
        """The refusal in the shape of a profile: the older pages know the common envelope only."""
        if profile is not Profile.CURRENT:
            return super().response()
        return self.response()

    def response(self) -> Response:
        """The refusal in the current shape."""
        return _reply({"code": self.code, "message": self.message, "data": None}, self.status)


class ArkRefusal(TaskRefusal):
    """A task the upstream refuses; the gateway passes its answer on inside a string."""

    def __init__(
        self, message: str, *, code: str = "InvalidParameter", param: str = "", status: int = 400
    ) -> None:
        super().__init__(status, message, code="fail_to_fetch_task")
        self.ark = {"code": code, "message": message, "param": param, "type": "BadRequest"}

    def told(self, profile: Profile) -> Response:
        """The refusal in the shape of a profile: passed through, the string is the body."""
        return self.response() if profile is Profile.CURRENT else _reply({"error": self.ark}, self.status)

    def response(self) -> Response:
        """The refusal in the current shape."""
        inner = encoded({"error": self.ark}).decode()
        return _reply({"code": self.code, "message": inner, "data": None}, self.status)


def kling_refusal(message: str, *, number: int = 1201) -> TaskRefusal:
    """What Kling refuses: the gateway keeps the sentence, and the number inside it."""
    return TaskRefusal(400, f"{message} (code {number})", code="task_failed")


def task_not_exist(profile: Profile) -> TaskRefusal:
    """There is no such task, or it is not yours: 400 from the gateway, 404 on the older pages."""
    if profile is Profile.CURRENT:
        return TaskRefusal(400, "task_not_exist", code="task_not_exist")
    if profile is Profile.ARK:
        return ArkRefusal("The specified task is not found.", code="NotFound", status=404)
    return TaskRefusal(404, "The task does not exist.", code="task_not_exist")


@contextlib.contextmanager
def gateway_terms() -> Iterator[None]:
    """Turns a 400 about a body or field into the gateway's own refusal."""
    try:
        yield
    except TaskRefusal:
        raise
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        raise TaskRefusal(400, str(refusal), code="invalid_request") from refusal


@contextlib.contextmanager
def kling_terms() -> Iterator[None]:
    """Turns a 400 about a field into Kling's refusal as the gateway tells it."""
    try:
        yield
    except TaskRefusal:
        raise
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        raise kling_refusal(str(refusal)) from refusal


@contextlib.contextmanager
def ark_terms() -> Iterator[None]:
    """Turns a 400 about a field into the upstream's refusal."""
    try:
        yield
    except TaskRefusal:
        raise
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        missing = refusal.error["code"] == "missing_parameter"
        raise ArkRefusal(
            f"The request is not valid: {str(refusal).rstrip('.')}.",
            code="MissingParameter" if missing else "InvalidParameter",
            param=str(refusal.error.get("param", "")),
        ) from refusal


def _reply(body: dict[str, Any], status: int) -> Response:
    return Response(encoded(body), status, media_type="application/json")
