"""A conversation in chat's form, or already in Responses form, to the items of ``input``.

Source: seed 000 (Responses API), seed 002 (input), wire reference 4.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks
from anyfast_nb.wire.conversation import (
    DETAILS,
    DOCUMENT,
    ROLES,
    check_content,
    check_document,
    check_listed,
    check_part,
    words,
)

_ROLES: Final = (*ROLES, "developer")
_KINDS: Final = (  # of parts, in the order they are told in a refusal
    "input_text", "input_image", "input_video", "input_file", "output_text", "refusal",
)  # fmt: skip
_CHAT_KINDS: Final = ("text", "image_url", "video_url")
# What only chat's form has: it becomes items of its own, or stays at home.
_CHAT_KEYS: Final = {"content", "tool_calls", "tool_call_id", "reasoning_content", "function_call"}


def response_input(messages: str | Sequence[Mapping[str, Any]]) -> str | list[dict[str, Any]]:
    """The ``input`` of a request.

    Args:
        messages: a text; messages in chat's form; items in Responses form; or both mixed.

    Returns:
        A plain string for one plain question, else a list of items.

    Raises:
        InputError: names the item and what is wrong in it.

    Example:
        >>> response_input([{"role": "user", "content": "Hello!"}])
        'Hello!'
    """
    if isinstance(messages, str):
        return checks.text("input", messages)
    listed = check_listed("messages", messages)
    items = [item for i, message in enumerate(listed) for item in _items(f"messages[{i}]", message)]
    if len(items) == 1 and set(items[0]) == {"role", "content"} and items[0]["role"] == "user":
        content = items[0]["content"]
        return content if isinstance(content, str) else items
    return items


def is_response_item(message: Any) -> bool:
    """Is this in a form that only the Responses API has?"""
    if not isinstance(message, Mapping):
        return False
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    kinds = [part.get("type") for part in parts if isinstance(part, Mapping)]
    return message.get("type", "message") != "message" or any(kind in _KINDS for kind in kinds)


def _items(field: str, message: Any) -> list[dict[str, Any]]:
    if not isinstance(message, Mapping):
        raise InputError(f"{field} must be a mapping with role and content", field=field)
    kind = message.get("type")
    if kind is not None and kind != "message":
        return [_own(field, message, kind)]
    role = checks.one_of(f"{field}.role", message.get("role"), allowed=_ROLES)
    check_content(f"{field}.content", message.get("content"))
    if role == "tool":
        return [_output_of(field, message)]
    calls = [_call(f"{field}.tool_calls[{i}]", call) for i, call in enumerate(_calls(field, message))]
    return [*_message(field, message, role, optional=bool(calls)), *calls]


def _own(field: str, item: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """An item that is in Responses form already; kinds we do not know are the server's affair."""
    checks.text(f"{field}.type", kind)
    if kind in {"function_call", "function_call_output"}:
        checks.text(f"{field}.call_id", item.get("call_id"))
    if kind == "function_call":
        checks.text(f"{field}.name", item.get("name"))
    if kind == "function_call_output" and not isinstance(item.get("output"), str | list):
        raise InputError(f"{field}.output must be text", field=f"{field}.output")
    return dict(item)


# --- messages -----------------------------------------------------------------------------


def _message(field: str, message: Mapping[str, Any], role: str, *, optional: bool) -> list[dict[str, Any]]:
    """The message without its calls; none if it says nothing and may."""
    content = message.get("content")
    if not content and optional:
        return []
    if not content and (content is None or role == "user"):
        raise InputError(f"{field}.content is empty; give a prompt", field=f"{field}.content")
    kept = {key: value for key, value in message.items() if key not in _CHAT_KEYS}
    if not isinstance(content, str):
        content = [_part(f"{field}.content[{i}]", part, role) for i, part in enumerate(content)]
    return [{**kept, "content": content}]


def _part(field: str, part: Any, role: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind not in _CHAT_KINDS:
        checks.one_of(f"{field}.type", kind, allowed=(*_KINDS, *_CHAT_KINDS))
        return _checked(field, part, kind)
    check_part(field, part)
    if kind == "text":
        return {"type": "output_text" if role == "assistant" else "input_text", "text": part["text"]}
    # An object in chat, a string here; what stood inside stands beside it.
    inner = dict(part[kind])
    return {"type": f"input_{kind.removesuffix('_url')}", kind: inner.pop("url"), **inner}


def _checked(field: str, part: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """A part that is in Responses form already."""
    if kind in {"input_text", "output_text"} and not isinstance(part.get("text"), str):
        raise InputError(f"{field}.text must be text", field=f"{field}.text")
    if kind == DOCUMENT:
        check_document(field, part)
    if kind in {"input_image", "input_video"} and not part.get("file_id"):
        _check_place(field, part, f"{kind.removeprefix('input_')}_url")
    if part.get("detail") is not None:
        checks.one_of(f"{field}.detail", part["detail"], allowed=DETAILS)
    if part.get("fps") is not None:
        checks.in_range(f"{field}.fps", part["fps"], name="fps")
    return dict(part)


def _check_place(field: str, part: Mapping[str, Any], name: str) -> None:
    if isinstance(part.get(name), Mapping):  # never shown: it may be a signed URL or a whole file
        raise InputError(
            f"{field}.{name} is an object; in {part['type']} it is the URL itself",
            field=f"{field}.{name}",
            hint=f'Write "{name}": "https://…", or the {name} part of chat.',
        )
    checks.text(f"{field}.{name}", part.get(name))


# --- tools --------------------------------------------------------------------------------


def _calls(field: str, message: Mapping[str, Any]) -> Sequence[Any]:
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list | tuple):
        raise InputError(f"{field}.tool_calls must be a list", field=f"{field}.tool_calls")
    return calls or ()


def _call(field: str, call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise InputError(f"{field} must have an id and a function", field=field)
    arguments = function.get("arguments")
    return {
        "type": "function_call",
        "call_id": checks.text(f"{field}.id", call.get("id")),
        "name": checks.text(f"{field}.function.name", function.get("name")),
        "arguments": json.dumps(arguments) if isinstance(arguments, Mapping) else str(arguments or "{}"),
    }


def _output_of(field: str, message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if content is None:
        raise InputError(f"{field}.content is empty; give the function's result", field=f"{field}.content")
    return {
        "type": "function_call_output",
        "call_id": checks.text(f"{field}.tool_call_id", message.get("tool_call_id")),
        "output": words(content),
    }
