"""From a checked request to one whole completion: what is said, in tokens, and what it costs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import samples, tokens
from anyfast_nb.simulator.request import Call, ChatRequest, Message, Part, PartKind
from anyfast_nb.simulator.teacher import Draft, Lesson, teach
from anyfast_nb.simulator.triggers import Triggers, echoed, without_triggers

if TYPE_CHECKING:
    from anyfast_nb.simulator.looking.eyes import Eyes
    from anyfast_nb.simulator.looking.papers import Document
    from anyfast_nb.simulator.looking.views import View


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole completion, ready to be sent in one piece or token by token."""

    id: str
    created: int
    model: str
    reasoning: tuple[str, ...]
    content: tuple[str, ...]
    calls: tuple[Call, ...]
    finish: str
    prompt_tokens: int
    call_tokens: int = 0

    @property
    def reasoning_tokens(self) -> int:
        """Tokens spent thinking."""
        return len(self.reasoning)

    @property
    def completion_tokens(self) -> int:
        """All generated tokens, reasoning included."""
        return len(self.reasoning) + len(self.content) + self.call_tokens

    def usage(self) -> dict[str, Any]:
        """The usage object; its numbers add up."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
        }

    def body(self) -> dict[str, Any]:
        """The reply of a request that does not stream."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.content)}
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.calls:
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in self.calls
            ]
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
            "usage": self.usage(),
        }


def complete(request: ChatRequest, triggers: Triggers, *, eyes: Eyes, id: str, created: int) -> Completion:
    """Work the whole answer out. Blocks while media is looked at: run it off the event loop."""
    views = {part: eyes.look(part) for message in request.messages for part in message.media}
    papers = {part: eyes.read(part) for message in request.messages for part in message.documents}
    draft = _draft(request, triggers, views, papers)
    reasoning = tokens.split(draft.reasoning) if request.thinks or triggers.reasoning else []
    content, calls = tokens.split(draft.content), draft.calls
    call_tokens = sum(_call_tokens(call) for call in calls)
    finish = "tool_calls" if calls else "stop"
    if request.max_tokens is not None:
        reasoning = _shorter_thought(draft.reasoning, reasoning, most=request.max_tokens // 2)
        room = request.max_tokens - len(reasoning)
        if len(content) + call_tokens > room:
            # A call cut in two is of no use to anybody: what does not fit is left out.
            content, calls, call_tokens, finish = content[:room], (), 0, "length"
    content, stopped = _stop_at("".join(content), content, request.stop)
    return Completion(
        id=id,
        created=created,
        model=request.model,
        reasoning=tuple(reasoning),
        content=tuple(content),
        calls=calls,
        finish="stop" if stopped else finish,
        prompt_tokens=_prompt_tokens(request, views)
        + sum(tokens.count(paper.text) for paper in papers.values()),
        call_tokens=call_tokens,
    )


def _draft(
    request: ChatRequest, triggers: Triggers, views: dict[Part, View], papers: dict[Part, Document]
) -> Draft:
    reasoning = samples.thoughts(triggers.reasoning) if triggers.reasoning else ""
    if triggers.echo:
        return Draft(echoed(request.body), reasoning=reasoning)
    if triggers.hostile:
        return Draft(samples.HOSTILE, reasoning=reasoning)
    if triggers.chunks:
        return Draft(samples.exactly(triggers.chunks), reasoning=reasoning)
    if triggers.characters:
        return Draft(samples.varied(triggers.characters), reasoning=reasoning)
    draft = teach(Lesson(request, without_triggers(request.prompt), views, papers))
    return Draft(draft.content, reasoning=reasoning or draft.reasoning, calls=draft.calls)


def _shorter_thought(text: str, whole: list[str], *, most: int) -> list[str]:
    """Whole lines of a chain of thought within a budget: a small limit shall not eat the answer."""
    if len(whole) <= most:
        return whole
    kept = ""
    for line in text.splitlines(keepends=True):
        if tokens.count(kept + line) > most:
            break
        kept += line
    return tokens.split(kept)


def _stop_at(text: str, pieces: list[str], stops: tuple[str, ...]) -> tuple[list[str], bool]:
    """Cut before the first stop sequence, wherever it lies across tokens."""
    found = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    if not found:
        return pieces, False
    return tokens.split(text[: min(found)]), True


def _call_tokens(call: Call) -> int:
    return tokens.count(call.name) + tokens.count(call.arguments)


def _prompt_tokens(request: ChatRequest, views: dict[Part, View]) -> int:
    total = sum(_message_tokens(message, views) for message in request.messages)
    return total + sum(
        tokens.count(json.dumps([tool.name, tool.description, tool.parameters], ensure_ascii=False))
        for tool in request.tools
    )


def _message_tokens(message: Message, views: dict[Part, View]) -> int:
    text = tokens.PER_MESSAGE + tokens.count(message.text) + sum(_call_tokens(call) for call in message.calls)
    return text + sum(_media_tokens(views[part]) for part in message.media)


def _media_tokens(view: View) -> int:
    if view.kind is PartKind.IMAGE:
        return tokens.of_image(view.width, view.height)
    return tokens.of_video(view.width, view.height, frames=view.frames)
