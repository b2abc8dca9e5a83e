"""The rules of ``messages``: roles, content parts, and the sizes of what they carry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.problems import Refusal, bad_field
from anyfast_nb.simulator.request import Call, Message, Part, PartKind

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

ROLES = ("system", "user", "assistant", "tool")
LIMITS_MIB = {PartKind.IMAGE: 10, PartKind.VIDEO: 50, PartKind.DOCUMENT: 50}
DETAILS = ("low", "high", "auto")
FPS_LOW, FPS_HIGH = 0.2, 5.0
_RESPONSES_PARTS = {"input_text": "text", "input_image": "image_url", "input_video": "video_url"}


def read_messages(body: Body) -> tuple[Message, ...]:
    """All messages, checked.

    Raises:
        Refusal: 400 with the path of the first part that breaks a rule.
    """
    listed = fields.items(body, "messages")
    if listed is None:
        raise bad_field("messages", "is required", code="missing_parameter")
    if not listed:
        raise bad_field("messages", "must hold at least 1 message")
    return tuple(_message(item, f"messages[{index}]") for index, item in enumerate(listed))


def _message(item: Body, path: str) -> Message:
    fields.needed_string(item, "role", path=path)
    role = fields.choice(item, "role", ROLES, path=path)
    calls = _calls(item, path) if role == "assistant" else ()
    content = item.get("content")
    if content is None and not calls:
        raise bad_field(f"{path}.content", "is required", code="missing_parameter")
    call_id = fields.needed_string(item, "tool_call_id", path=path) if role == "tool" else ""
    return Message(role=role, parts=_parts(content, f"{path}.content"), calls=calls, call_id=call_id)


def _calls(item: Body, path: str) -> tuple[Call, ...]:
    listed = fields.items(item, "tool_calls", path=path) or []
    found = []
    for index, entry in enumerate(listed):
        where = f"{path}.tool_calls[{index}]"
        function = fields.mapping(entry, "function", path=where) or {}
        found.append(
            Call(
                id=fields.string(entry, "id", path=where),
                name=fields.needed_string(function, "name", path=f"{where}.function"),
                arguments=fields.string(function, "arguments", path=f"{where}.function"),
            )
        )
    return tuple(found)


def _parts(content: Any, path: str) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Part(PartKind.TEXT, text=content),)
    if not isinstance(content, list):
        raise bad_field(path, "must be a string or an array of parts", got=content)
    if not content:
        raise bad_field(path, "must hold at least 1 part")
    return tuple(_part(part, f"{path}[{index}]") for index, part in enumerate(content))


def _part(part: Any, path: str) -> Part:
    if not isinstance(part, dict):
        raise bad_field(path, "must be an object", got=part)
    kind = fields.needed_string(part, "type", path=path)
    if kind == "text":
        if part.get("text") is None:
            raise bad_field(f"{path}.text", "is required", code="missing_parameter")
        return Part(PartKind.TEXT, text=fields.string(part, "text", path=path))
    if kind == "image_url":
        inner = _inner(part, kind, path)
        fields.choice(inner, "detail", DETAILS, path=f"{path}.image_url")
        return Part(PartKind.IMAGE, url=_url(inner, PartKind.IMAGE, f"{path}.image_url"))
    if kind == "video_url":
        inner = _inner(part, kind, path)
        fps = fields.number(inner, "fps", low=FPS_LOW, high=FPS_HIGH, path=f"{path}.video_url")
        return Part(
            PartKind.VIDEO,
            url=_url(inner, PartKind.VIDEO, f"{path}.video_url"),
            fps=1.0 if fps is None else fps,
        )
    raise _unknown_part(kind, path)


def _unknown_part(kind: str, path: str) -> Refusal:
    where = f"{path}.type"
    if kind in {"input_file", "file"}:
        return bad_field(where, "must not be a document here: documents go to POST /v1/responses", got=kind)
    if kind in _RESPONSES_PARTS:
        return bad_field(
            where, f"must be {_RESPONSES_PARTS[kind]} in chat (input_… is for /v1/responses)", got=kind
        )
    return bad_field(where, "must be one of text, image_url, video_url", got=kind)


def _inner(part: Body, name: str, path: str) -> Body:
    value = part.get(name)
    where = f"{path}.{name}"
    if value is None:
        raise bad_field(where, "is required", code="missing_parameter")
    if not isinstance(value, dict):
        raise bad_field(where, 'must be an object {"url": "…"} (a bare string is the form of /v1/responses)')
    return value


def _url(inner: Body, kind: PartKind, path: str) -> str:
    return media_url(fields.needed_string(inner, "url", path=path), kind, f"{path}.url")


def media_url(url: str, kind: PartKind, where: str) -> str:
    """A web address or a data URI within the size of its kind.

    Raises:
        Refusal: 400 with the path ``where``.
    """
    url = url.strip()
    if url[:5].lower() != "data:":
        if not re.match(r"https?://[^\s/]", url, re.IGNORECASE):
            raise bad_field(where, "must be an http(s) address or a data:<mime>;base64,… URI")
        return url
    # What a data URI holds is judged by looking at it; only its size is a rule.
    size = _decoded_size(url)
    if size >= LIMITS_MIB[kind] * MIB:
        raise bad_field(
            where, f"must be under {LIMITS_MIB[kind]} MB ({kind.value}), it is {size / MIB:.1f} MB"
        )
    return url


def _decoded_size(url: str) -> int:
    start = url.find(",") + 1
    return (len(url) - start - url[-2:].count("=")) * 3 // 4
