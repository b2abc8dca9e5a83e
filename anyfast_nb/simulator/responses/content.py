"""The rules of ``input``: a string, or messages, tool calls and their outputs in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.content import DETAILS, FPS_HIGH, FPS_LOW, media_url
from anyfast_nb.simulator.problems import Refusal, bad_field
from anyfast_nb.simulator.request import Call, Message, Part, PartKind

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

ROLES = ("system", "developer", "user", "assistant")
PARTS = ("input_text", "input_image", "input_video", "input_file")
_CHAT_PARTS = {
    "text": "input_text",
    "image_url": "input_image",
    "video_url": "input_video",
    "file": "input_file",
}


def read_input(body: Body) -> tuple[Message, ...]:
    """All of ``input`` as messages, checked; calls in a row become one message, as in chat.

    Raises:
        Refusal: 400 with the path of the first part that breaks a rule.
    """
    value = body.get("input")
    if value is None:
        where = " (messages is the form of /v1/chat/completions)" if "messages" in body else ""
        raise bad_field("input", f"is required{where}", code="missing_parameter")
    if isinstance(value, str):
        fields.needed_string(body, "input")
        return (Message("user", (Part(PartKind.TEXT, text=value),)),)
    if not isinstance(value, list):
        raise bad_field("input", "must be a string or an array of items", got=value)
    listed = fields.items(body, "input") or []
    if not listed:
        raise bad_field("input", "must hold at least 1 item")
    found: list[Message] = []
    for index, item in enumerate(listed):
        message = _item(item, f"input[{index}]")
        if message is None:
            continue
        before = found[-1] if found else None
        if message.calls and before is not None and before.role == "assistant":
            found[-1] = Message("assistant", before.parts, (*before.calls, *message.calls))
        else:
            found.append(message)
    if not found:
        raise bad_field("input", "must hold at least 1 message")
    return tuple(found)


def _item(item: Body, path: str) -> Message | None:
    """One item; None for an earlier chain of thought, which is not read again."""
    kind = fields.string(item, "type", default="message", path=path)
    if kind == "message":
        return _message(item, path)
    if kind == "function_call":
        call = Call(
            id=fields.needed_string(item, "call_id", path=path),
            name=fields.needed_string(item, "name", path=path),
            arguments=fields.string(item, "arguments", path=path),
        )
        return Message("assistant", calls=(call,))
    if kind == "function_call_output":
        call_id = fields.needed_string(item, "call_id", path=path)
        return Message("tool", _output(item, path), call_id=call_id)
    if kind == "reasoning":
        return None
    if kind == "item_reference":
        raise bad_field(f"{path}.type", "must not refer to an earlier item: this server keeps none", got=kind)
    allowed = "message, function_call, function_call_output, reasoning"
    raise bad_field(f"{path}.type", f"must be one of {allowed}", got=kind)


def _output(item: Body, path: str) -> tuple[Part, ...]:
    value = item.get("output")
    where = f"{path}.output"
    if value is None:
        raise bad_field(where, "is required", code="missing_parameter")
    if isinstance(value, str):
        return (Part(PartKind.TEXT, text=value),)
    return _parts(value, where, said=False)


def _message(item: Body, path: str) -> Message:
    fields.needed_string(item, "role", path=path)
    role = fields.choice(item, "role", ROLES, path=path)
    where = f"{path}.content"
    content = item.get("content")
    if content is None:
        raise bad_field(where, "is required", code="missing_parameter")
    if isinstance(content, str):
        parts: tuple[Part, ...] = (Part(PartKind.TEXT, text=content),)
    else:
        parts = _parts(content, where, said=role == "assistant")
    return Message("system" if role == "developer" else role, parts)


def _parts(content: Any, path: str, *, said: bool) -> tuple[Part, ...]:
    if not isinstance(content, list):
        raise bad_field(path, "must be a string or an array of parts", got=content)
    if not content:
        raise bad_field(path, "must hold at least 1 part")
    return tuple(_part(part, f"{path}[{index}]", said=said) for index, part in enumerate(content))


def _part(part: Any, path: str, *, said: bool) -> Part:
    if not isinstance(part, dict):
        raise bad_field(path, "must be an object", got=part)
    kind = fields.needed_string(part, "type", path=path)
    if kind == "input_text" or (said and kind == "output_text"):
        return Part(PartKind.TEXT, text=_text(part, "text", path))
    if said and kind == "refusal":
        return Part(PartKind.TEXT, text=_text(part, "refusal", path))
    if kind == "input_image":
        fields.choice(part, "detail", DETAILS, path=path)
        return Part(PartKind.IMAGE, url=_url(part, "image_url", PartKind.IMAGE, path))
    if kind == "input_video":
        fps = fields.number(part, "fps", low=FPS_LOW, high=FPS_HIGH, path=path)
        url = _url(part, "video_url", PartKind.VIDEO, path)
        return Part(PartKind.VIDEO, url=url, fps=1.0 if fps is None else fps)
    if kind == "input_file":
        return _file(part, path)
    raise _unknown_part(kind, path)


def _text(part: Body, name: str, path: str) -> str:
    if part.get(name) is None:
        raise bad_field(f"{path}.{name}", "is required", code="missing_parameter")
    return fields.string(part, name, path=path)


def _url(part: Body, name: str, kind: PartKind, path: str) -> str:
    where = f"{path}.{name}"
    if isinstance(part.get(name), dict):
        raise bad_field(where, 'must be a string (an object {"url": "…"} is the form of chat)')
    return media_url(fields.needed_string(part, name, path=path), kind, where)


def _file(part: Body, path: str) -> Part:
    by_url, by_data = part.get("file_url") is not None, part.get("file_data") is not None
    if by_url and by_data:
        raise bad_field(f"{path}.file_url", "must not come together with file_data")
    if part.get("file_id") is not None and not (by_url or by_data):
        raise bad_field(f"{path}.file_id", "must be file_url or file_data: this server keeps no files")
    if by_url:
        where = f"{path}.file_url"
        url = media_url(fields.needed_string(part, "file_url", path=path), PartKind.DOCUMENT, where)
        if url[:5].lower() == "data:":
            raise bad_field(where, "must be an http(s) address; a data URI goes into file_data")
        return Part(PartKind.DOCUMENT, url=url, name=fields.string(part, "filename", path=path))
    where = f"{path}.file_data"
    url = media_url(fields.needed_string(part, "file_data", path=path), PartKind.DOCUMENT, where)
    if url[:5].lower() != "data:":
        raise bad_field(where, "must be a data:<mime>;base64,… URI; an address goes into file_url")
    return Part(PartKind.DOCUMENT, url=url, name=fields.needed_string(part, "filename", path=path))


def _unknown_part(kind: str, path: str) -> Refusal:
    where = f"{path}.type"
    if kind in _CHAT_PARTS:
        return bad_field(where, f"must be {_CHAT_PARTS[kind]} in /v1/responses", got=kind)
    return bad_field(where, f"must be one of {', '.join(PARTS)}", got=kind)
