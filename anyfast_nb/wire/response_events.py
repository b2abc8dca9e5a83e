"""Replies of POST /v1/responses: whole bodies and stream events to an `Answer`.

Three streams are in circulation: AnyFast's own sample (text deltas, then ``response.completed``
with usage and without output), the upstream's full order with an event for each part's beginning
and end, and relays that leave out indexes, ids, deltas or the last words. So nothing is required:
deltas are shown as they come, and what only a later event holds is given once, when it comes.

Source: seed 002 (response), wire reference 4.2 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from anyfast_nb.wire.problems import is_problem
from anyfast_nb.wire.response_parts import Calls, Place, Strand, place_of
from anyfast_nb.wire.usage import read_usage
from anyfast_nb.wire.values import Answer, Status, ToolCall

_ENDS: Final = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
_FAILED: Final = ("failed", "cancelled")
_PENDING: Final = ("queued", "in_progress")
_REASONS: Final = {"max_output_tokens": "length", "max_tokens": "length"}
_TOLD: Final = (
    "created_at", "completed_at", "status", "service_tier", "previous_response_id", "incomplete_details",
)  # fmt: skip

# The strand that an event or a part belongs to, and its layer within an item.
_STRANDS: Final[dict[str, tuple[str, int]]] = {
    "response.output_text": ("text", 0),
    "response.refusal": ("text", 0),
    "response.reasoning_summary_text": ("thought", 0),
    "response.reasoning_text": ("thought", 1),
}
_PARTS: Final[dict[str, tuple[str, int]]] = {
    "output_text": ("text", 0),
    "refusal": ("text", 0),
    "summary_text": ("thought", 0),
    "reasoning_text": ("thought", 1),
}
_ABOUT: Final = ("response.created", "response.queued", "response.in_progress")
_ITEMS: Final = ("response.output_item.added", "response.output_item.done")
_PART_ENDS: Final = ("response.content_part.done", "response.reasoning_summary_part.done")
_ARGUMENTS: Final = "response.function_call_arguments"


def read_response(body: Mapping[str, Any]) -> Answer:
    """A whole reply as an answer; absent fields stay empty or None."""
    reader = ResponsesReader(model="")
    reader.read(body, piece="message")
    return reader.answer()


# --- what is no answer --------------------------------------------------------------------


def failure_in(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The problem that an event or a whole body tells of, for `wire.problems`; None if all is well.

    An incomplete response is an answer that ended early, and no failure.
    """
    kind = _kind(event)
    is_event = kind.startswith("response.")
    response = event.get("response") if is_event else event
    status = _ENDS.get(kind, "") if kind else _status(event)
    if status in _FAILED:
        error = response.get("error") if isinstance(response, Mapping) else None
        return {"error": error or {"message": f"the response is {status}", "code": status}}
    if is_event or event.get("object") == "response":
        return None
    return event if kind == "error" or is_problem(event) else None


def not_an_answer(body: Mapping[str, Any]) -> str:
    """Why a whole body holds no answer, in words; "" if it holds one."""
    status = _status(body)
    if status in _PENDING:
        return f"the server answered that the response is {status}, and did not wait for its end"
    if isinstance(body.get("output"), list) or isinstance(body.get("output_text"), str):
        return ""
    told = status in {"incomplete", *_FAILED}
    return "" if told else "the server answered with JSON that holds no answer"


def ends(event: Mapping[str, Any]) -> bool:
    """Is this the last event of its stream?"""
    return _kind(event) in _ENDS


def _kind(event: Mapping[str, Any]) -> str:
    kind = event.get("type")
    return kind if isinstance(kind, str) else ""


def _status(response: Mapping[str, Any]) -> str:
    status = response.get("status")
    return status if isinstance(status, str) else ""


# --- reading ------------------------------------------------------------------------------


class ResponsesReader:
    """Collects the events of one stream; says what each one added."""

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._id = ""
        self._text = Strand()
        self._thought = Strand(between="\n\n")
        self._calls = Calls()
        self._touched: list[int] = []
        self._begun = False
        self._finished = False
        self._finish = ""
        self._usage: Any = None
        self._last: dict[str, Any] = {}

    @property
    def finished(self) -> bool:
        """Has the server said why it stopped?"""
        return self._finished

    @property
    def begun(self) -> bool:
        """Has any part of an answer come?"""
        return self._begun

    @property
    def model(self) -> str:
        """The model that serves, as far as is known."""
        return self._model

    @property
    def id(self) -> str:
        """The server's id of this response, "" until it comes."""
        return self._id

    def read(self, body: Mapping[str, Any], *, piece: str = "delta") -> tuple[str, str, list[int]]:
        """Take one event, or a whole body (`piece` is then "message").

        Returns:
            The new reasoning, the new text, and the tool calls it touched.
        """
        self._touched = []
        kind = _kind(body)
        if piece == "message" or (not kind and body.get("object") == "response"):
            self._whole(body, _status(body) or "completed")
        elif kind in _ENDS:
            response = body.get("response")
            self._whole(response if isinstance(response, Mapping) else {}, _ENDS[kind])
        else:
            self._event(kind, body)
        self._take_usage(body)
        return self._thought.take_new(), self._text.take_new(), list(dict.fromkeys(self._touched))

    def call(self, index: int) -> ToolCall:
        """One tool call as far as it has come."""
        return self._calls.call(index)

    def answer(self, *, status: Status = Status.OK) -> Answer:
        """All that has come, as an answer."""
        return Answer(
            text=self._text.text,
            reasoning=self._thought.text,
            usage=read_usage(self._usage),
            model=self._model,
            id=self._id,
            finish_reason=self._finish,
            tool_calls=self._calls.all(),
            status=status,
            raw=dict(self._last),
        )

    # --- a response as a whole ------------------------------------------------------------

    def _about(self, response: Mapping[str, Any]) -> None:
        self._id = str(response.get("id") or self._id)
        self._model = str(response.get("model") or self._model)
        self._last |= {name: response[name] for name in _TOLD if response.get(name) is not None}
        self._take_usage(response)

    def _take_usage(self, holder: Mapping[str, Any]) -> None:
        if isinstance(holder.get("usage"), Mapping):
            self._usage = holder["usage"]

    def _whole(self, response: Mapping[str, Any], status: str) -> None:
        """The last word: what the stream did not bring is in it, or nothing is."""
        self._about(response)
        self._begun = True
        listed = response.get("output")
        output = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
        texts = [found for i, item in enumerate(output) for found in _texts(item, i)]
        if not any(text for _, text in texts) and isinstance(response.get("output_text"), str):
            texts = [((0, 0, 0), response["output_text"])]
        self._thought.complete(found for i, item in enumerate(output) for found in _thoughts(item, i))
        self._text.complete(texts)
        calls = [(i, item) for i, item in enumerate(output) if item.get("type") == "function_call"]
        self._touched += self._calls.complete(calls)
        self._end(response, status)

    def _end(self, response: Mapping[str, Any], status: str) -> None:
        self._finished = status not in _PENDING
        if status == "incomplete":
            details = response.get("incomplete_details")
            reason = str(details.get("reason") or "") if isinstance(details, Mapping) else ""
            self._finish = _REASONS.get(reason, reason or "incomplete")
        elif status not in {*_FAILED, *_PENDING}:
            self._finish = "tool_calls" if len(self._calls) else "stop"

    # --- one event ------------------------------------------------------------------------

    def _event(self, kind: str, event: Mapping[str, Any]) -> None:
        """Take an event of a known kind; any other is none of ours."""
        stem, _, verb = kind.rpartition(".")
        if stem in _STRANDS and verb in {"delta", "done"}:
            self._words(_STRANDS[stem], event, done=verb == "done")
        elif kind in _ABOUT and isinstance(response := event.get("response"), Mapping):
            self._about(response)
        elif kind in _ITEMS and isinstance(item := event.get("item"), Mapping):
            self._item(item, event.get("output_index"))
        elif kind in _PART_ENDS and isinstance(part := event.get("part"), Mapping):
            self._part(part, event)
        elif stem == _ARGUMENTS and verb in {"delta", "done"}:
            self._begun = True
            self._touched.append(self._calls.settle(event) if verb == "done" else self._calls.add(event))

    def _words(self, where: tuple[str, int], event: Mapping[str, Any], *, done: bool) -> None:
        self._begun = True
        strand = self._text if where[0] == "text" else self._thought
        place = place_of(event, layer=where[1])
        if done:
            strand.fill(place, _said(event))
        elif isinstance(event.get("delta"), str):
            strand.add(place, event["delta"])

    def _part(self, part: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        kind = part.get("type")
        if isinstance(kind, str) and kind in _PARTS:
            self._words(_PARTS[kind], {**event, "text": _said(part)}, done=True)

    def _item(self, item: Mapping[str, Any], index: Any) -> None:
        """A whole item, begun or done; what it holds and no delta brought is taken."""
        self._begun = True
        where = index if isinstance(index, int) else None
        if item.get("type") == "function_call":
            self._touched.append(self._calls.take(item, output_index=where))
        elif where is not None:  # else nobody knows its place: the last event has it all
            for place, text in _thoughts(item, where):
                self._thought.fill(place, text)
            for place, text in _texts(item, where):
                self._text.fill(place, text)


# --- what an item says --------------------------------------------------------------------


def _texts(item: Mapping[str, Any], index: int) -> Iterator[tuple[Place, str]]:
    """The answer's words in one item of the output, each with its place."""
    if item.get("type", "message") == "message":
        content = item.get("content")
        yield from _parts([{"text": content}] if isinstance(content, str) else content, index, layer=0)


def _thoughts(item: Mapping[str, Any], index: int) -> Iterator[tuple[Place, str]]:
    if item.get("type") == "reasoning":
        yield from _parts(item.get("summary"), index, layer=0)
        yield from _parts(item.get("content"), index, layer=1)


def _parts(parts: Any, index: int, *, layer: int) -> Iterator[tuple[Place, str]]:
    for number, part in enumerate(parts if isinstance(parts, list) else ()):
        if isinstance(part, Mapping):
            yield (index, layer, number), _said(part)


def _said(part: Mapping[str, Any]) -> str:
    """Words of a part; those of a refusal are words too."""
    said = part.get("text") or part.get("refusal")
    return said if isinstance(said, str) else ""
