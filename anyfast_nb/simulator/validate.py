"""Every rule of ``POST /v1/chat/completions``: bytes in, a typed request or a 400 out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.content import read_messages
from anyfast_nb.simulator.models import check_chat_model
from anyfast_nb.simulator.problems import Refusal, bad_field
from anyfast_nb.simulator.request import ChatRequest, Form, Tool, ToolMode

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

MAX_STOPS = 4
TOOL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
EFFORTS = ("minimal", "low", "medium", "high")
MOST_LEVELS = 100  # of objects and arrays inside each other; no documented request has more than 20


def parse_json(raw: bytes, *, content_type: str) -> Body:
    """The JSON object of a request body.

    Raises:
        Refusal: 400 for another content type, for text that is no JSON, and for JSON that is no object.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(
            400,
            "The request must carry Content-Type: application/json and a JSON body.",
            code="invalid_content_type",
        )
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is not valid JSON: {_where(error)}.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.", code="invalid_json")
    if _is_deep(body):
        raise Refusal(
            400, f"The body is nested too deeply; {MOST_LEVELS} levels are the most.", code="invalid_json"
        )
    return body


def read_chat(body: Body) -> ChatRequest:
    """Check a chat request and give it as typed values.

    Raises:
        Refusal: 400 with the field's path and the allowed range, 404 for an unknown model.
    """
    model = fields.needed_string(body, "model")
    check_chat_model(model)
    messages = read_messages(body)
    _check_sampling(body)
    stream = fields.boolean(body, "stream")
    tools = _tools(body)
    mode, name = read_tool_choice(body, tools, nested=True)
    form, schema = _form(body)
    return ChatRequest(
        model=model,
        messages=messages,
        stream=stream,
        include_usage=_include_usage(body, stream=stream),
        max_tokens=_max_tokens(body),
        stop=_stop(body),
        tools=tools,
        tool_mode=mode,
        tool_name=name,
        parallel_calls=fields.boolean(body, "parallel_tool_calls", default=True),
        form=form,
        schema=schema,
        thinks=_thinks(body),
        body=body,
    )


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _is_deep(body: Body) -> bool:
    """Whether it is so deep that code which calls itself would not come out again."""
    level: list[Any] = [body]
    for _ in range(MOST_LEVELS):
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _check_sampling(body: Body) -> None:
    fields.number(body, "temperature", low=0, high=2)
    fields.number(body, "top_p", low=0, high=1)
    fields.number(body, "frequency_penalty", low=-2, high=2)
    fields.number(body, "presence_penalty", low=-2, high=2)
    fields.integer(body, "seed")
    fields.boolean(body, "logprobs")
    fields.string(body, "user")
    n = fields.integer(body, "n", low=1)
    if n is not None and n > 1:
        raise bad_field("n", "must be 1: this server gives one choice for a request", got=n)


def _max_tokens(body: Body) -> int | None:
    limits = (fields.integer(body, name, low=1) for name in ("max_tokens", "max_completion_tokens"))
    return min((limit for limit in limits if limit is not None), default=None)


def _include_usage(body: Body, *, stream: bool) -> bool:
    options = fields.mapping(body, "stream_options")
    if options is None:
        return False
    if not stream:
        raise bad_field("stream_options", "is allowed only with stream: true")
    return fields.boolean(options, "include_usage", path="stream_options")


def _stop(body: Body) -> tuple[str, ...]:
    value = body.get("stop")
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list):
        raise bad_field("stop", "must be a string or an array of strings", got=value)
    if len(stops) > MAX_STOPS:
        raise bad_field("stop", f"must hold at most {MAX_STOPS} sequences", got=len(stops))
    for index, stop in enumerate(stops):
        if not isinstance(stop, str) or not stop:
            raise bad_field(f"stop[{index}]", "must be a non-empty string", got=stop)
    return tuple(stops)


def _thinks(body: Body) -> bool:
    thinking = fields.mapping(body, "thinking")
    effort = fields.choice(body, "reasoning_effort", EFFORTS)
    word = "enabled"
    if thinking is not None:
        fields.needed_string(thinking, "type", path="thinking")
        word = fields.choice(thinking, "type", ("enabled", "disabled", "auto"), path="thinking")
    return word != "disabled" and effort != "minimal"


def _form(body: Body) -> tuple[Form, Body]:
    value = fields.mapping(body, "response_format")
    if value is None:
        return Form.TEXT, {}
    path = "response_format"
    fields.needed_string(value, "type", path=path)
    form = Form(fields.choice(value, "type", [f.value for f in Form], path=path))
    if form is not Form.SCHEMA:
        return form, {}
    outer = fields.mapping(value, "json_schema", path=path)
    if outer is None:
        raise bad_field("response_format.json_schema", "is required", code="missing_parameter")
    return form, fields.mapping(outer, "schema", path="response_format.json_schema") or {}


def _tools(body: Body) -> tuple[Tool, ...]:
    listed = fields.items(body, "tools") or []
    return tuple(_tool(item, f"tools[{index}]") for index, item in enumerate(listed))


def _tool(item: Body, path: str) -> Tool:
    fields.needed_string(item, "type", path=path)
    fields.choice(item, "type", ("function",), path=path)
    function = fields.mapping(item, "function", path=path)
    if function is None:
        raise bad_field(f"{path}.function", "is required", code="missing_parameter")
    inner = f"{path}.function"
    name = fields.needed_string(function, "name", path=inner)
    if not TOOL_NAME.fullmatch(name):
        raise bad_field(f"{inner}.name", "must be 1 to 64 letters, digits, _, - or .", got=name)
    return Tool(
        name=name,
        description=fields.string(function, "description", path=inner),
        parameters=fields.mapping(function, "parameters", path=inner) or {},
    )


def read_tool_choice(body: Body, tools: tuple[Tool, ...], *, nested: bool) -> tuple[ToolMode, str]:
    """How tools shall be used, and the name of the one that is chosen.

    Args:
        body: of the request.
        tools: those it offers.
        nested: the name stands inside ``function``, as in chat; else beside ``type``, as in Responses.
    """
    value: Any = body.get("tool_choice")
    if value is None:
        return ToolMode.AUTO, ""
    if isinstance(value, str):
        word = fields.choice(body, "tool_choice", ("none", "auto", "required"))
        if not word or (word == "required" and not tools):
            raise bad_field("tool_choice", "must be none, auto or, with tools, required", got=value)
        return ToolMode(word), ""
    name = _chosen_name(value, nested=nested)
    if name not in {tool.name for tool in tools}:
        path = "tool_choice.function.name" if nested else "tool_choice.name"
        raise bad_field(path, "must be the name of one of the tools", got=name)
    return ToolMode.NAMED, name


def _chosen_name(value: Any, *, nested: bool) -> str:
    chosen = value if isinstance(value, dict) and value.get("type") == "function" else {}
    inner = chosen.get("function") if nested else chosen
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        form = '"function": {"name": "…"}' if nested else '"name": "…"'
        raise bad_field("tool_choice", f'must be none, auto, required or {{"type": "function", {form}}}')
    return name
