"""POST /v1/chat/completions: arguments to a body, bodies and stream chunks to an `Answer`.

Source: seed 001 (reference), seed 000 (guide), wire reference 3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks
from anyfast_nb.wire.conversation import (
    ROLES,
    check_content,
    check_listed,
    check_part,
    image_part,
    is_document,
    prompt_of,
    text_of,
    text_part,
    user_message,
    video_part,
    words,
)
from anyfast_nb.wire.text import Halves, mended
from anyfast_nb.wire.tools import nested
from anyfast_nb.wire.usage import read_usage
from anyfast_nb.wire.values import Answer, Status, ToolCall

__all__ = [
    "EFFORTS", "PATH", "THINKING", "ChatReader", "build_chat", "image_part", "prompt_of", "read_chat",
    "text_of", "text_part", "user_message", "video_part",
]  # fmt: skip

PATH: Final = "/v1/chat/completions"
EFFORTS: Final = ("minimal", "low", "medium", "high")
THINKING: Final = ("enabled", "disabled", "auto")
_OWN: Final = {
    "model", "messages", "max_tokens", "temperature", "top_p", "stop", "stream", "stream_options",
    "tools", "tool_choice", "thinking", "reasoning_effort", "response_format",
}  # fmt: skip


# --- building -----------------------------------------------------------------------------


def build_chat(
    messages: Sequence[Mapping[str, Any]],
    *,
    model: str,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    stop: str | Sequence[str] | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    tool_choice: str | Mapping[str, Any] | None = None,
    thinking: str | None = None,
    reasoning_effort: str | None = None,
    response_format: Mapping[str, Any] | None = None,
    stream: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The request body, checked against the documented ranges.

    Args:
        messages: at least one ``{"role", "content"}``.
        model: an id or an alias of the catalogue; the id itself is never checked.
        max_tokens: at least 1.
        temperature: 0 to 2.
        top_p: 0 to 1.
        stop: one to four texts that end the answer.
        tools: functions the model may ask for, nested or flat.
        tool_choice: none, auto, required, or one function.
        thinking: enabled, disabled or auto.
        reasoning_effort: minimal, low, medium or high.
        response_format: such as ``{"type": "json_object"}``.
        stream: ask for server-sent events, with usage at their end.
        extra: fields that this builder does not know, passed through as they are.

    Raises:
        InputError: names the field and the allowed range.
    """
    body: dict[str, Any] = {
        "model": catalog.resolve(checks.text("model", model).strip()),
        "messages": [
            _message(f"messages[{i}]", message)
            for i, message in enumerate(check_listed("messages", messages))
        ],
    }
    if max_tokens is not None:
        body["max_tokens"] = checks.in_range("max_tokens", max_tokens, whole=True)
    if temperature is not None:
        body["temperature"] = checks.in_range("temperature", temperature)
    if top_p is not None:
        body["top_p"] = checks.in_range("top_p", top_p)
    body |= _stop(stop) | nested(tools, tool_choice) | _reasoning(thinking, reasoning_effort)
    if response_format is not None:
        body["response_format"] = checks.mapping("response_format", response_format)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body | checks.others(extra, own=_OWN)


def _message(field: str, message: Any) -> dict[str, Any]:
    if not isinstance(message, Mapping):
        raise InputError(f"{field} must be a mapping with role and content", field=field)
    checks.one_of(f"{field}.role", message.get("role"), allowed=ROLES)
    content = message.get("content")
    check_content(f"{field}.content", content)
    for i, part in enumerate(content if isinstance(content, list | tuple) else ()):
        _part(f"{field}.content[{i}]", part)
    if not content and (content is None or message["role"] == "user") and not message.get("tool_calls"):
        raise InputError(f"{field}.content is empty; give a prompt", field=f"{field}.content")
    return dict(message)


def _part(field: str, part: Any) -> None:
    if is_document(part):
        raise InputError(
            f"{field} is a document; chat takes text, images and videos",
            field=field,
            hint='Documents (files=[…], --file) go through the Responses API: say api="responses", '
            "or leave api alone.",
        )
    check_part(field, part)


def _stop(stop: str | Sequence[str] | None) -> dict[str, Any]:
    if stop is None:
        return {}
    most = catalog.limit("stop").max_items or 0
    if not isinstance(stop, str | list | tuple):
        raise InputError(f"stop must be a text, or a list of 1 to {most} texts", field="stop")
    texts = [stop] if isinstance(stop, str) else list(stop)
    if not 1 <= len(texts) <= most or not all(isinstance(text, str) and text for text in texts):
        raise InputError(
            f"stop holds {len(texts)} entries; allowed is 1 to {most} texts that are not empty", field="stop"
        )
    return {"stop": texts}


def _reasoning(thinking: str | None, effort: str | None) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if thinking is not None:
        out["thinking"] = {"type": checks.one_of("thinking", thinking, allowed=THINKING)}
    if effort is not None:
        out["reasoning_effort"] = checks.one_of("reasoning_effort", effort, allowed=EFFORTS)
    return out


# --- reading ------------------------------------------------------------------------------


def read_chat(body: Mapping[str, Any]) -> Answer:
    """A plain reply as an answer; absent fields stay empty or None."""
    stream = ChatReader(model="")
    stream.read(body, piece="message")
    return stream.answer()


class ChatReader:
    """Collects the chunks of one stream; says what each one added.

    Attributes:
        finished: a finish reason has come.
    """

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._id = ""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._finish = ""
        self._usage: Any = None
        self._index: Any = None
        self._halves = (Halves(), Halves())  # of reasoning and of text
        self._last: dict[str, Any] = {}

    @property
    def finished(self) -> bool:
        """Has the server said why it stopped?"""
        return bool(self._finish)

    @property
    def begun(self) -> bool:
        """Has any part of an answer come?"""
        return self._index is not None

    @property
    def model(self) -> str:
        """The model that serves, as far as is known."""
        return self._model

    @property
    def id(self) -> str:
        """The server's id of this completion, "" until it comes."""
        return self._id

    def read(self, body: Mapping[str, Any], *, piece: str = "delta") -> tuple[str, str, list[int]]:
        """Take one chunk; give the new reasoning, the new text, and the tool calls it touched."""
        self._id = str(body.get("id") or self._id)
        self._model = str(body.get("model") or self._model)
        if isinstance(body.get("usage"), Mapping):  # cumulative where it comes often: the last one counts
            self._usage = body["usage"]
        self._last |= {key: body[key] for key in ("created", "service_tier") if body.get(key) is not None}
        choice = self._choice(body.get("choices"))
        self._finish = str(choice.get("finish_reason") or self._finish)
        delta = choice.get(piece)
        if not isinstance(delta, Mapping):
            return "", "", []
        reasoning = self._halves[0].take(_str(delta.get("reasoning_content") or delta.get("reasoning")))
        text = self._halves[1].take(words(delta.get("content")))
        if reasoning:
            self._reasoning.append(reasoning)
        if text:
            self._text.append(text)
        return reasoning, text, self._take_calls(delta.get("tool_calls"))

    def _choice(self, choices: Any) -> Mapping[str, Any]:
        """The first answer's part of a chunk; the usage chunk has none, nor have those of other answers."""
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping):
                index = choice.get("index") or 0
                self._index = index if self._index is None else self._index
                if index == self._index:
                    return choice
        return {}

    def _take_calls(self, calls: Any) -> list[int]:
        touched = []
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, Mapping):
                touched.append(index := self._index_of(call))
                self._calls.setdefault(index, _Call()).add(call)
        return touched

    def _index_of(self, call: Mapping[str, Any]) -> int:
        """By index; where a server leaves it out, by id; a piece without both goes on with the last call."""
        if isinstance(call.get("index"), int):
            return int(call["index"])
        for index, known in self._calls.items():
            if call.get("id") and known.id == call["id"]:
                return index
        last = max(self._calls, default=-1)
        function = call.get("function")
        begins = call.get("id") or (isinstance(function, Mapping) and function.get("name"))
        return last + 1 if begins or last < 0 else last

    def call(self, index: int) -> ToolCall:
        """One tool call as far as it has come."""
        known = self._calls[index]
        return ToolCall(id=known.id, name=known.name, arguments=mended("".join(known.arguments)))

    def answer(self, *, status: Status = Status.OK) -> Answer:
        """All that has come, as an answer."""
        return Answer(
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            usage=read_usage(self._usage),
            model=self._model,
            id=self._id,
            finish_reason=self._finish,
            tool_calls=tuple(self.call(index) for index in sorted(self._calls)),
            status=status,
            raw=dict(self._last),
        )


class _Call:
    """A tool call that grows."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id, self.name = "", ""
        self.arguments: list[str] = []

    def add(self, fragment: Mapping[str, Any]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, Mapping) else {}
        self.id = self.id or _str(fragment.get("id"))
        self.name = self.name or _str(function.get("name"))
        arguments = function.get("arguments")
        self.arguments.append(json.dumps(arguments) if isinstance(arguments, Mapping) else _str(arguments))


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""
