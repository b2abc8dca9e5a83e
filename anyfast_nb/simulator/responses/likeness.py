"""A request for ``/v1/responses`` in chat's form, so that what is asked alike is answered alike."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

_SAME = ("model", "temperature", "top_p", "thinking", "parallel_tool_calls", "user", "seed")
_TEXTS = {"input_text", "output_text", "refusal"}


def chat_form(body: Body) -> dict[str, Any]:
    """The body, checked before, in the form of ``/v1/chat/completions``; documents by their digest."""
    value = body["input"]
    items = [{"role": "user", "content": value}] if isinstance(value, str) else value
    messages = [_message(item) for item in items if item.get("type") != "reasoning"]
    if body.get("instructions"):
        messages.insert(0, {"role": "system", "content": body["instructions"]})
    found: dict[str, Any] = {key: body[key] for key in _SAME if key in body} | {"messages": messages}
    if "max_output_tokens" in body:
        found["max_tokens"] = body["max_output_tokens"]
    effort = (body.get("reasoning") or {}).get("effort")
    if effort:
        found["reasoning_effort"] = effort
    if "tools" in body:
        found["tools"] = [_tool(tool) for tool in body["tools"] or []]
    if "tool_choice" in body:
        found["tool_choice"] = _choice(body["tool_choice"])
    form = (body.get("text") or {}).get("format")
    if form:
        found["response_format"] = _form(form)
    return found


def _message(item: Body) -> dict[str, Any]:
    kind = item.get("type", "message")
    if kind == "function_call":
        function = {"name": item["name"], "arguments": item.get("arguments", "")}
        call = {"id": item["call_id"], "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
    role = "system" if item["role"] == "developer" else item["role"]
    content = item["content"]
    return {
        "role": role,
        "content": content if isinstance(content, str) else [_part(part) for part in content],
    }


def _part(part: Body) -> dict[str, Any]:
    kind = part["type"]
    if kind in _TEXTS:
        return {"type": "text", "text": part.get("text", part.get("refusal", ""))}
    if kind == "input_file":
        data = str(part.get("file_data") or part.get("file_url"))
        return {
            "type": kind,
            "name": part.get("filename"),
            "digest": hashlib.sha256(data.encode()).hexdigest(),
        }
    name = kind.replace("input_", "") + "_url"
    inner = {"url": part[name], **{key: part[key] for key in ("fps", "detail") if key in part}}
    return {"type": name, name: inner}


def _tool(tool: Body) -> dict[str, Any]:
    inner = {key: value for key, value in tool.items() if key != "type"}
    return {"type": "function", "function": inner}


def _choice(value: Any) -> Any:
    return {"type": "function", "function": {"name": value["name"]}} if isinstance(value, dict) else value


def _form(form: Body) -> dict[str, Any]:
    if form.get("type") != "json_schema":
        return dict(form)
    inner = {key: value for key, value in form.items() if key != "type"}
    return {"type": "json_schema", "json_schema": inner}
