"""The events of one response, in full as the upstream sends them, or in AnyFast's shortest form.

The full form numbers its events and ends with ``data: [DONE]``, as the upstream
does. The shortest form is that of AnyFast's own sample: text deltas, then the
response without its output, and no ``[DONE]``. It sends a function call as one
``response.output_item.done``, for the sample shows none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import tokens
from anyfast_nb.simulator.stream import DONE, HALF_WAY, Frame, Script, named_frame
from anyfast_nb.simulator.triggers import Ending, Triggers

if TYPE_CHECKING:
    from anyfast_nb.simulator.responses.answer import Answer, Item

Event = dict[str, Any]
_BEFORE_TOKENS = 4  # created, in_progress, an item and its first part


def full_script(answer: Answer, triggers: Triggers) -> Script:
    """The upstream's form."""
    return Script(
        _numbered(answer),
        half=_BEFORE_TOKENS + answer.completion.completion_tokens // 2,
        broken=lambda number: named_frame(_failure(answer, triggers, {"sequence_number": number})),
    )


def short_script(answer: Answer, triggers: Triggers) -> Script:
    """AnyFast's own form."""
    return Script(
        _short(answer),
        half=max(1, answer.completion.completion_tokens // 2),
        broken=lambda _: named_frame(_failure(answer, triggers, {})),
    )


def _failure(answer: Answer, triggers: Triggers, number: dict[str, int]) -> Event:
    if triggers.ending is Ending.FAILED:
        return {"type": "response.failed", **number, "response": answer.failed()}
    return {
        "type": "error",
        **number,
        "code": HALF_WAY["code"],
        "message": HALF_WAY["message"],
        "param": None,
    }


def _short(answer: Answer) -> Iterator[Frame]:
    for piece in answer.completion.content:
        event = {"type": "response.output_text.delta", "delta": piece}
        yield Frame(named_frame(event), is_token=True)
    for item in answer.items():
        if item["type"] == "function_call":
            yield Frame(named_frame({"type": "response.output_item.done", "item": item}), is_token=True)
    response = {"id": answer.id, "object": "response", "status": answer.status, "usage": answer.usage()}
    if answer.status == "incomplete":
        response["incomplete_details"] = {"reason": "length"}
    yield Frame(named_frame({"type": f"response.{answer.status}", "response": response}), is_token=False)


def _numbered(answer: Answer) -> Iterator[Frame]:
    number = -1
    for number, event in enumerate(_events(answer)):
        kind = event.pop("type")
        frame = named_frame({"type": kind, "sequence_number": number, **event})
        yield Frame(frame, is_token=kind.endswith(".delta"))
    # Only now: the time of its end is the time it is sent.
    last = {"type": f"response.{answer.status}", "sequence_number": number + 1, "response": answer.body()}
    yield Frame(named_frame(last), is_token=False)
    yield Frame(DONE, is_token=False)


def _events(answer: Answer) -> Iterator[Event]:
    yield {"type": "response.created", "response": answer.begun()}
    yield {"type": "response.in_progress", "response": answer.begun()}
    for index, item in enumerate(answer.items()):
        at = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.added", "output_index": index, "item": _empty(item)}
        if item["type"] == "reasoning":
            yield from _thought(item, at, answer.completion.reasoning)
        elif item["type"] == "message":
            yield from _message(item, at, answer.completion.content)
        else:
            yield from _call(item, at)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _empty(item: Item) -> Item:
    """An item as it is when it begins."""
    nothing: dict[str, Item] = {
        "reasoning": {"summary": []},
        "message": {"content": []},
        "function_call": {"arguments": ""},
    }
    return item | {"status": "in_progress"} | nothing[item["type"]]


def _thought(item: Item, at: Event, pieces: tuple[str, ...]) -> Iterator[Event]:
    name, at = "response.reasoning_summary", {**at, "summary_index": 0}
    (part,) = item["summary"]
    yield {"type": f"{name}_part.added", **at, "part": part | {"text": ""}}
    for piece in pieces:
        yield {"type": f"{name}_text.delta", **at, "delta": piece}
    yield {"type": f"{name}_text.done", **at, "text": part["text"]}
    yield {"type": f"{name}_part.done", **at, "part": part}


def _message(item: Item, at: Event, pieces: tuple[str, ...]) -> Iterator[Event]:
    at = {**at, "content_index": 0}
    (part,) = item["content"]
    yield {"type": "response.content_part.added", **at, "part": part | {"text": ""}}
    for piece in pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece}
    yield {"type": "response.output_text.done", **at, "text": part["text"]}
    yield {"type": "response.content_part.done", **at, "part": part}


def _call(item: Item, at: Event) -> Iterator[Event]:
    name = "response.function_call_arguments"
    for piece in tokens.split(item["arguments"]):
        yield {"type": f"{name}.delta", **at, "delta": piece}
    yield {"type": f"{name}.done", **at, "name": item["name"], "arguments": item["arguments"]}
