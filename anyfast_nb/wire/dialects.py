"""The two ways to talk to a model, each as one value: what an exchange must know to use it.

Source: seed 000 (endpoints, supported input types), wire reference 3 and 4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from anyfast_nb.wire import chat, response_events, responses
from anyfast_nb.wire.conversation import prompt_of, text_of
from anyfast_nb.wire.problems import is_problem
from anyfast_nb.wire.values import Answer, Status, ToolCall


class Reader(Protocol):
    """Collects one reply, whole or streamed; says what each piece of it added."""

    @property
    def finished(self) -> bool:
        """Has the server said why it stopped?"""

    @property
    def begun(self) -> bool:
        """Has any part of an answer come?"""

    @property
    def model(self) -> str:
        """The model that serves, as far as is known."""

    @property
    def id(self) -> str:
        """The server's id of this answer, "" until it comes."""

    def read(self, body: Mapping[str, Any], *, piece: str = "delta") -> tuple[str, str, list[int]]:
        """Take one piece; give the new reasoning, the new text, and the tool calls it touched."""

    def call(self, index: int) -> ToolCall:
        """One tool call as far as it has come."""

    def answer(self, *, status: Status = Status.OK) -> Answer:
        """All that has come, as an answer."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two APIs.

    Attributes:
        kind: what the ledger calls a request of it.
        path: where it goes.
        max_line_bytes: the longest line of its stream; the last event of a response has all its text.
        reader: makes a reader for a model.
        failure: the problem that an event or a whole body tells of, None if all is well.
        not_an_answer: why a whole body holds no answer, "" if it holds one.
        ends: whether an event is the last of its stream.
        prompt: what a person asked last, of a request body.
        texts: all words of a request body.
    """

    kind: str
    path: str
    max_line_bytes: int
    reader: Callable[[str], Reader]
    failure: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
    not_an_answer: Callable[[Mapping[str, Any]], str]
    ends: Callable[[Mapping[str, Any]], bool]
    prompt: Callable[[Mapping[str, Any]], str]
    texts: Callable[[Mapping[str, Any]], list[str]]


def dialect_of(body: Mapping[str, Any]) -> Dialect:
    """The dialect that a request body is written in."""
    return RESPONSES if "input" in body else CHAT


def _chat_failure(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return event if is_problem(event) else None


def _no_chat(body: Mapping[str, Any]) -> str:
    return "" if body.get("choices") else "the server answered with JSON that holds no answer"


def _asked(body: Mapping[str, Any]) -> str:
    return body["input"] if isinstance(body["input"], str) else prompt_of(body["input"])


def _said(body: Mapping[str, Any]) -> list[str]:
    given = body["input"]
    if isinstance(given, str):
        return [given]
    return [text for item in given for text in (text_of(item), *_of_a_tool(item)) if text]


def _of_a_tool(item: Mapping[str, Any]) -> Iterable[str]:
    for value in (item.get("arguments"), item.get("output")):
        if value is not None:
            yield value if isinstance(value, str) else json.dumps(value, default=str)


CHAT: Final = Dialect(
    kind="chat",
    path=chat.PATH,
    max_line_bytes=1_000_000,
    reader=lambda model: chat.ChatReader(model=model),
    failure=_chat_failure,
    not_an_answer=_no_chat,
    ends=lambda _: False,  # usage may follow the finish reason
    prompt=lambda body: prompt_of(body["messages"]),
    texts=lambda body: [text_of(message) for message in body["messages"]],
)
RESPONSES: Final = Dialect(
    kind="responses",
    path=responses.PATH,
    max_line_bytes=16_000_000,
    reader=lambda model: response_events.ResponsesReader(model=model),
    failure=response_events.failure_in,
    not_an_answer=response_events.not_an_answer,
    ends=response_events.ends,
    prompt=_asked,
    texts=_said,
)
