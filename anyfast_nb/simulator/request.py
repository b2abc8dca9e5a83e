"""A chat request after validation: typed, immutable, with the body it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PartKind(StrEnum):
    """What a content part holds."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Part:
    """One content part; ``url`` is a web address or a data URI, ``name`` a document's file name."""

    kind: PartKind
    text: str = ""
    url: str = field(default="", repr=False)
    fps: float = 1.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: in an earlier assistant message, or in the answer."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation."""

    role: str
    parts: tuple[Part, ...] = ()
    calls: tuple[Call, ...] = ()
    call_id: str = ""

    @property
    def text(self) -> str:
        """All text parts, joined by line ends."""
        return "\n".join(part.text for part in self.parts if part.kind is PartKind.TEXT)

    @property
    def media(self) -> tuple[Part, ...]:
        """The image and video parts."""
        return tuple(part for part in self.parts if part.kind in {PartKind.IMAGE, PartKind.VIDEO})

    @property
    def documents(self) -> tuple[Part, ...]:
        """The document parts."""
        return tuple(part for part in self.parts if part.kind is PartKind.DOCUMENT)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the client offers."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


class ToolMode(StrEnum):
    """How the client wants tools used."""

    NONE = "none"
    AUTO = "auto"
    REQUIRED = "required"
    NAMED = "function"


class Form(StrEnum):
    """The form of the answer."""

    TEXT = "text"
    JSON = "json_object"
    SCHEMA = "json_schema"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything ``POST /v1/chat/completions`` or ``POST /v1/responses`` was asked, checked.

    Attributes:
        max_tokens: the most tokens to generate, reasoning included; None is no limit.
        thinks: whether a chain of thought comes before the answer.
        body: the request as it came, for echo and for the seed of determinism.
        likeness: the same request in chat's form, where it came in another: what is asked alike is
            answered alike.
    """

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_mode: ToolMode = ToolMode.AUTO
    tool_name: str = ""
    parallel_calls: bool = True
    form: Form = Form.TEXT
    schema: Mapping[str, Any] = field(default_factory=dict)
    thinks: bool = True
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    likeness: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def prompt(self) -> str:
        """Text of the last user message."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def system(self) -> str:
        """All system texts."""
        return "\n".join(m.text for m in self.messages if m.role == "system")

    def digest(self) -> bytes:
        """The same for the same request and seed, streamed or not."""
        whole = self.body if self.likeness is None else self.likeness
        body = {key: value for key, value in whole.items() if key not in {"stream", "stream_options"}}
        return hashlib.sha256(
            json.dumps(body, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        ).digest()
