"""What a skill of the teaching model gets, and what it gives back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyfast_nb.simulator.looking.papers import Document
    from anyfast_nb.simulator.looking.views import View
    from anyfast_nb.simulator.request import Call, ChatRequest, Message, Part

# A pasted text of megabytes is measured whole, but searched for what is asked at its two ends only.
RIM = 2_000

_CJK = re.compile(r"[\u3400-\u9fff]")
_ANSWER_IN_CHINESE = re.compile(
    r"\b(?:in|speak|use)\s+(?:simplified\s+|mandarin\s+)?chinese\b|用中文|以中文", re.IGNORECASE
)
_ANSWER_IN_ENGLISH = re.compile(r"\b(?:in|speak|use)\s+english\b|用英文|用英语", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the teaching model wants to say.

    Attributes:
        content: the answer, Markdown; its first paragraph alone answers the question.
        reasoning: the steps before it, one to a line.
        calls: tools it wants called; then ``content`` is empty.
        bare: whether the content must stay as it is (JSON), without any note.
    """

    content: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    bare: bool = False


@dataclass(frozen=True)
class Lesson:
    """One question with everything around it.

    Attributes:
        request: the whole request.
        prompt: the last user text, without trigger words.
        views: what was seen of each picture and clip.
        papers: what was read of each document.
    """

    request: ChatRequest
    prompt: str
    views: Mapping[Part, View] = field(default_factory=dict)
    papers: Mapping[Part, Document] = field(default_factory=dict)

    def rim(self) -> Lesson:
        """The lesson with a long question cut to its beginning and end, where what is asked stands."""
        if len(self.prompt) <= 2 * RIM:
            return self
        return replace(self, prompt=f"{self.prompt[:RIM]}\n{self.prompt[-RIM:]}")

    @cached_property
    def chinese(self) -> bool:
        """Whether to answer in Chinese."""
        said = f"{self.request.system}\n{self.prompt}"
        if _ANSWER_IN_CHINESE.search(said):
            return True
        return bool(_CJK.search(self.prompt)) and not _ANSWER_IN_ENGLISH.search(said)

    @cached_property
    def earlier(self) -> tuple[Message, ...]:
        """User and assistant messages before the last user message."""
        talk = [m for m in self.request.messages if m.role in {"user", "assistant"}]
        last = max((i for i, m in enumerate(talk) if m.role == "user"), default=0)
        return tuple(talk[:last])

    @cached_property
    def _seed(self) -> int:
        return int.from_bytes(self.request.digest()[:8], "big")

    def say(self, english: str, chinese: str) -> str:
        """The one of two wordings that fits the language of the question."""
        return chinese if self.chinese else english

    def pick(self, *options: str) -> str:
        """One of a few, the same for the same request and seed."""
        return options[self._seed % len(options)]

    def number(self, below: int) -> int:
        """A number from 0, the same for the same request and seed."""
        return (self._seed // 7) % below
