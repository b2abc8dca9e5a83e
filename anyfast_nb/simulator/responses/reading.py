"""Every rule of ``POST /v1/responses``: a body in, a typed request or a 400 out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.models import check_response_model
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.request import ChatRequest, Form, Message, Part, PartKind, Tool
from anyfast_nb.simulator.responses.content import read_input
from anyfast_nb.simulator.responses.likeness import chat_form
from anyfast_nb.simulator.validate import EFFORTS, TOOL_NAME, read_tool_choice

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

SUMMARIES = ("auto", "concise", "detailed")
# What the pages of AnyFast and of its upstream name; a field that is none of them does nothing.
KNOWN = frozenset(
    {
        "model",
        "input",
        "stream",
        "temperature",
        "top_p",
        "max_output_tokens",
        "reasoning",
        "thinking",
        "instructions",
        "previous_response_id",
        "store",
        "expire_at",
        "caching",
        "text",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_tool_calls",
        "service_tier",
        "user",
        "metadata",
        "include",
        "truncation",
        "seed",
    }
)


def read_response_request(body: Body, *, strict: bool) -> ChatRequest:
    """Check a request and give it as the typed values the teacher of chat answers.

    Args:
        body: as it came.
        strict: whether what would silently do nothing is refused.

    Raises:
        Refusal: 400 with the field's path and the allowed range, 404 for an unknown model.
    """
    model = fields.needed_string(body, "model")
    check_response_model(model)
    messages = read_input(body)
    instructions = fields.string(body, "instructions")
    if instructions:
        messages = (Message("system", (Part(PartKind.TEXT, text=instructions),)), *messages)
    _check_numbers(body)
    if strict:
        _check_strictly(body)
    tools = _tools(body)
    mode, name = read_tool_choice(body, tools, nested=False)
    form, schema = _form(body)
    return ChatRequest(
        model=model,
        messages=messages,
        stream=fields.boolean(body, "stream"),
        max_tokens=fields.integer(body, "max_output_tokens", low=1),
        tools=tools,
        tool_mode=mode,
        tool_name=name,
        parallel_calls=fields.boolean(body, "parallel_tool_calls", default=True),
        form=form,
        schema=schema,
        thinks=_thinks(body),
        body=body,
        likeness=chat_form(body),
    )


def _check_numbers(body: Body) -> None:
    fields.number(body, "temperature", low=0, high=2)
    fields.number(body, "top_p", low=0, high=1)
    fields.integer(body, "max_tool_calls", low=1)
    fields.integer(body, "seed")
    fields.boolean(body, "store")
    fields.string(body, "user")
    fields.string(body, "previous_response_id")
    fields.mapping(body, "metadata")


def _check_strictly(body: Body) -> None:
    if body.get("previous_response_id"):
        raise bad_field(
            "previous_response_id",
            "is not supported: this server keeps no responses; send the whole conversation in input",
        )
    fields.only(body, KNOWN)


def _thinks(body: Body) -> bool:
    thinking = fields.mapping(body, "thinking")
    reasoning = fields.mapping(body, "reasoning") or {}
    effort = fields.choice(reasoning, "effort", EFFORTS, path="reasoning")
    fields.choice(reasoning, "summary", SUMMARIES, path="reasoning")
    word = "enabled"
    if thinking is not None:
        fields.needed_string(thinking, "type", path="thinking")
        word = fields.choice(thinking, "type", ("enabled", "disabled", "auto"), path="thinking")
    return word != "disabled" and effort != "minimal"


def _form(body: Body) -> tuple[Form, Body]:
    text = fields.mapping(body, "text") or {}
    value = fields.mapping(text, "format", path="text")
    if value is None:
        return Form.TEXT, {}
    path = "text.format"
    fields.needed_string(value, "type", path=path)
    form = Form(fields.choice(value, "type", [f.value for f in Form], path=path))
    if form is not Form.SCHEMA:
        return form, {}
    # Here the schema stands beside the type; in chat it stands in an object of its own.
    schema = fields.mapping(value, "schema", path=path)
    if schema is None:
        raise bad_field(f"{path}.schema", "is required", code="missing_parameter")
    return form, schema


def _tools(body: Body) -> tuple[Tool, ...]:
    listed = fields.items(body, "tools") or []
    return tuple(_tool(item, f"tools[{index}]") for index, item in enumerate(listed))


def _tool(item: Body, path: str) -> Tool:
    fields.needed_string(item, "type", path=path)
    fields.choice(item, "type", ("function",), path=path)
    if isinstance(item.get("function"), dict):
        raise bad_field(
            f"{path}.function", "must not be an object of its own: name and parameters stand beside type"
        )
    name = fields.needed_string(item, "name", path=path)
    if not TOOL_NAME.fullmatch(name):
        raise bad_field(f"{path}.name", "must be 1 to 64 letters, digits, _, - or .", got=name)
    return Tool(
        name=name,
        description=fields.string(item, "description", path=path),
        parameters=fields.mapping(item, "parameters", path=path) or {},
    )
