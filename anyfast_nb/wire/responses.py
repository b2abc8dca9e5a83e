"""POST /v1/responses: arguments to a request body. Replies are read by `wire.response_events`.

Source: seed 002 (reference), seed 000 (guide), wire reference 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.wire import checks
from anyfast_nb.wire.chat import EFFORTS, THINKING
from anyfast_nb.wire.response_items import response_input
from anyfast_nb.wire.tools import flat

PATH: Final = "/v1/responses"
SUMMARIES: Final = ("auto", "concise", "detailed")
_OWN: Final = {
    "model", "input", "max_output_tokens", "temperature", "top_p", "tools", "tool_choice", "reasoning",
    "thinking", "text", "stream",
}  # fmt: skip


def build_responses(
    messages: str | Sequence[Mapping[str, Any]],
    *,
    model: str,
    max_output_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    tool_choice: str | Mapping[str, Any] | None = None,
    reasoning: str | Mapping[str, Any] | None = None,
    thinking: str | None = None,
    response_format: Mapping[str, Any] | None = None,
    stream: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The request body, checked against the documented ranges.

    Args:
        messages: a text; messages in chat's form, documents among their parts; or items in
            Responses form (``function_call_output`` and the like), which are sent as they are.
        model: an id or an alias of the catalogue; the id itself is never checked.
        max_output_tokens: at least 1; reasoning counts.
        temperature: 0 to 2.
        top_p: 0 to 1.
        tools: functions the model may ask for, nested (chat's form) or flat.
        tool_choice: none, auto, required, or one function.
        reasoning: minimal, low, medium or high, or ``{"effort": …, "summary": …}``.
        thinking: enabled, disabled or auto; the upstream's own, not on AnyFast's page.
        response_format: in chat's form, such as ``{"type": "json_object"}``; sent as ``text.format``.
        stream: ask for server-sent events; None leaves it to the server, which does not stream.
        extra: fields that this builder does not know, passed through as they are
            (``instructions``, ``previous_response_id``, ``store`` …).

    Raises:
        InputError: names the field and the allowed range.

    Example:
        >>> build_responses("Hello!", model="pro")
        {'model': 'doubao-seed-2.0-pro', 'input': 'Hello!'}
    """
    body: dict[str, Any] = {
        "model": catalog.resolve(checks.text("model", model).strip()),
        "input": response_input(messages),
    }
    if max_output_tokens is not None:
        body["max_output_tokens"] = checks.in_range("max_output_tokens", max_output_tokens, whole=True)
    if temperature is not None:
        body["temperature"] = checks.in_range("temperature", temperature)
    if top_p is not None:
        body["top_p"] = checks.in_range("top_p", top_p)
    body |= flat(tools, tool_choice)
    if reasoning is not None:
        body["reasoning"] = _reasoning(reasoning)
    if thinking is not None:
        body["thinking"] = {"type": checks.one_of("thinking", thinking, allowed=THINKING)}
    if response_format is not None:
        body["text"] = {"format": _format(response_format)}
    if stream is not None:
        body["stream"] = bool(stream)
    return body | checks.others(extra, own=_OWN)


def _reasoning(reasoning: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(reasoning, Mapping):
        return {"effort": checks.one_of("reasoning", reasoning, allowed=EFFORTS)}
    if reasoning.get("effort") is not None:
        checks.one_of("reasoning.effort", reasoning["effort"], allowed=EFFORTS)
    if reasoning.get("summary") is not None:
        checks.one_of("reasoning.summary", reasoning["summary"], allowed=SUMMARIES)
    return dict(reasoning)


def _format(response_format: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema lies in a box of its own in chat, and open here."""
    found = checks.mapping("response_format", response_format)
    schema = found.pop("json_schema", None)
    return {**found, **schema} if isinstance(schema, Mapping) else found
