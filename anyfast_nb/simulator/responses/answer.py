"""One whole response: the object of a plain reply, and of the last event of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator.stream import HALF_WAY

if TYPE_CHECKING:
    from anyfast_nb.simulator.completion import Completion

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion in the shapes of ``/v1/responses``.

    Attributes:
        completion: what is said, and what it costs.
        now: seconds since 1970, for ``completed_at``.
    """

    completion: Completion
    now: Callable[[], float]

    @property
    def id(self) -> str:
        """Of the response."""
        return f"resp_{self.completion.id}"

    @property
    def status(self) -> str:
        """How it ended."""
        return "incomplete" if self.completion.finish == "length" else "completed"

    def items(self) -> Iterator[Item]:
        """Everything in ``output``, in order: the thought, the message, the calls."""
        done = self.completion
        if done.reasoning:
            yield self.thought("".join(done.reasoning))
        if done.content or not done.calls:
            yield self.message("".join(done.content), status=self.status)
        for index, call in enumerate(done.calls):
            yield {
                "id": self.item_id("fc", index),
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
                "status": "completed",
            }

    def thought(self, text: str) -> Item:
        """The item of the chain of thought."""
        return {
            "id": self.item_id("rs"),
            "type": "reasoning",
            "status": "completed",
            "summary": [{"type": "summary_text", "text": text}],
        }

    def message(self, text: str, *, status: str) -> Item:
        """The item of what is said."""
        return {
            "id": self.item_id("msg"),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }

    def item_id(self, kind: str, index: int = 0) -> str:
        """The id of an item."""
        return f"{kind}_{self.completion.id}{index:02d}"

    def usage(self) -> dict[str, Any]:
        """The usage object; its numbers add up."""
        done = self.completion
        return {
            "input_tokens": done.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": done.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": done.reasoning_tokens},
            "total_tokens": done.prompt_tokens + done.completion_tokens,
        }

    def begun(self) -> dict[str, Any]:
        """The response before anything is said."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.completion.created,
            "model": self.completion.model,
            "status": "in_progress",
            "output": [],
        }

    def body(self) -> dict[str, Any]:
        """The whole response."""
        found = self.begun() | {
            "completed_at": max(int(self.now()), self.completion.created),
            "status": self.status,
            "output": list(self.items()),
            "usage": self.usage(),
        }
        if self.status == "incomplete":
            found["incomplete_details"] = {"reason": "length"}
        return found

    def failed(self) -> dict[str, Any]:
        """The response of a generation that failed on the way."""
        error = {"code": HALF_WAY["type"], "message": HALF_WAY["message"]}
        return self.begun() | {"status": "failed", "error": error, "usage": None}

    def short_body(self) -> dict[str, Any]:
        """The whole response as AnyFast's own page shows it: no thought, no ids inside."""
        found = self.body()
        output = [item for item in found["output"] if item["type"] != "reasoning"]
        for item in output:
            if item["type"] == "message":
                del item["id"]
                item["content"] = [{"type": part["type"], "text": part["text"]} for part in item["content"]]
        usage = {key: value for key, value in found["usage"].items() if key != "input_tokens_details"}
        return found | {"output": output, "usage": usage}
