"""An answer as later requests repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyfast_nb.wire.values import Answer


def answer_messages(answer: Answer) -> list[dict[str, Any]]:
    """The messages of an answer, in the form of chat completions.

    The rounds before it come first; then its words and the calls it asks for, then their results.
    """
    earlier = [message for before in answer.rounds for message in answer_messages(before)]
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ]
    results = [
        {"role": "tool", "tool_call_id": result.call.id, "content": result.content}
        for result in answer.results
    ]
    return [*earlier, message, *results]
