"""An answer as later requests repeat it.

Source: seed 001 (messages), wire reference 3.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from anyfast_nb.wire.values import Answer, ToolCall, ToolResult

NOT_RUN: Final = "There is no result: the call was not run, or was stopped."


def answer_messages(answer: Answer) -> list[dict[str, Any]]:
    """The messages of an answer, in the form of chat completions.

    The rounds before it come first; then its words and the calls it asks for, then their results.
    Servers refuse a call that nothing answers: of one that was not run that is said, one that
    broke off half way is left out, and each has an id that no other of the answer has.
    """
    earlier = [message for before in answer.rounds for message in answer_messages(before)]
    calls = list(_answered(answer))
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if calls:
        message["tool_calls"] = [
            {"id": known, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for known, call, _ in calls
        ]
    elif answer.tool_calls and not answer.text:
        return earlier  # nothing but calls that broke off
    results = [
        {"role": "tool", "tool_call_id": known, "content": NOT_RUN if result is None else result.content}
        for known, _, result in calls
    ]
    return [*earlier, message, *results]


def _answered(answer: Answer) -> Iterator[tuple[str, ToolCall, ToolResult | None]]:
    """Each call that can be repeated: an id of its own, and what it gave."""
    waiting, taken = list(answer.results), {""}
    for number, call in enumerate(answer.tool_calls):
        result = next((result for result in waiting if result.call == call), None)
        if result is not None:
            waiting.remove(result)
        elif not _is_whole(call):
            continue
        known = call.id if call.id not in taken else f"{call.id or 'call'}_{number}"
        taken.add(known)
        yield known, call, result


def _is_whole(call: ToolCall) -> bool:
    try:
        json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return False
    return bool(call.name)
