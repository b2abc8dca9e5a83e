from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.wire.problems import is_problem, read_problem
from anyfast_nb.wire.response_events import (
    ResponsesReader,
    ends,
    failure_in,
    not_an_answer,
    read_response,
)
from anyfast_nb.wire.values import Answer, ToolCall, Usage

# The sample of the responses reference.
REPLY = {
    "id": "resp_021774236829912",
    "object": "response",
    "created_at": 123,
    "completed_at": 123,
    "model": "doubao-seed-1-6-251015",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "The image contains 3 models."}],
        }
    ],
    "usage": {
        "input_tokens": 1355,
        "output_tokens": 87,
        "total_tokens": 1442,
        "output_tokens_details": {"reasoning_tokens": 53},
    },
}


def message(*texts: str, **more: Any) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text} for text in texts]
    return {"type": "message", "role": "assistant", "content": parts, **more}


def thought(*texts: str) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text} for text in texts]}


def asks(call_id: str, name: str, arguments: str, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **more}


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "model": "served", "status": status, "output": [*output], **more}


def whole(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A body as JSON gives it."""
    body: dict[str, Any] = json.loads(json.dumps(response(*output, **more)))
    return body


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **more}


def text_delta(text: str, **more: Any) -> dict[str, Any]:
    return event("output_text.delta", delta=text, **more)


@dataclass
class Told:
    """What a reader gave, piece by piece and in the end."""

    answer: Answer
    reasoning: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    reader: Any = None


def read(events: Iterable[dict[str, Any]]) -> Told:
    reader = ResponsesReader(model="asked")
    pieces = [reader.read(each) for each in events]
    return Told(
        reader.answer(),
        [reasoning for reasoning, _, _ in pieces if reasoning],
        [text for _, text, _ in pieces if text],
        reader,
    )


# --- whole bodies -----------------------------------------------------------------------------


def test_the_documented_reply_is_read() -> None:
    answer = read_response(REPLY)
    assert (answer.text, answer.reasoning, answer.finish_reason) == (
        "The image contains 3 models.",
        "",
        "stop",
    )
    assert (answer.id, answer.model) == ("resp_021774236829912", "doubao-seed-1-6-251015")
    assert answer.usage == Usage(input_tokens=1355, output_tokens=87, reasoning_tokens=53)
    assert answer.raw == {"created_at": 123, "completed_at": 123, "status": "completed"}


def test_all_parts_of_all_messages_are_the_text_wherever_they_stand() -> None:
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": " No."}]}
    body = whole(
        thought("First.", "Second."),
        {"type": "web_search_call", "status": "completed"},
        message("One ", "two "),
        message("three."),
        refusal,
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Third."}]},
        {"type": "message", "content": " End."},
    )
    answer = read_response(body)
    assert answer.text == "One two three. No. End."
    assert answer.reasoning == "First.\n\nSecond.\n\nThird."


def test_function_calls_are_read_with_the_id_that_their_output_names() -> None:
    body = whole(message("I look."), asks("c1", "f", '{"a": 1}', id="fc_1"), asks("", "g", "{}", id="fc_2"))
    answer = read_response(body)
    assert answer.tool_calls == (ToolCall("c1", "f", '{"a": 1}'), ToolCall("fc_2", "g", "{}"))
    assert answer.finish_reason == "tool_calls"
    assert read_response(whole({**asks("c", "f", ""), "arguments": {"a": 1}})).tool_calls == (
        ToolCall("c", "f", '{"a": 1}'),
    )


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "length"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "weather"}, "weather"),
        ({}, "incomplete"),
        (None, "incomplete"),
    ],
)
def test_an_incomplete_response_is_an_answer_that_ended_early(details: Any, reason: str) -> None:
    body = whole(message("Hel"), status="incomplete", incomplete_details=details)
    assert failure_in(body) is None
    assert not_an_answer(body) == ""
    assert (read_response(body).text, read_response(body).finish_reason) == ("Hel", reason)
    told = read([text_delta("Hel"), event("incomplete", response=body)])
    assert (told.answer.text, told.answer.finish_reason) == ("Hel", reason)
    assert told.reader.finished


def test_the_convenience_field_of_relays_is_the_text_where_there_is_no_other() -> None:
    assert read_response({"output_text": "Hello", "status": "completed"}).text == "Hello"
    assert read_response({**whole(message("Hello")), "output_text": "Hello"}).text == "Hello"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "holds no answer"),
        ({"id": "x", "object": "response", "status": "completed"}, "holds no answer"),
        ({"choices": [{"message": {"content": "x"}}]}, "holds no answer"),
        (response(status="in_progress"), "is in_progress"),
        (response(status="queued"), "is queued"),
        (response(), ""),
        (response(status="failed"), ""),
        ({"status": "incomplete"}, ""),
        ({"output_text": "x"}, ""),
    ],
)
def test_what_holds_no_answer_is_told_from_what_does(body: dict[str, Any], words: str) -> None:
    said = not_an_answer(body)
    assert bool(said) == bool(words)
    assert words in said


# --- failures ---------------------------------------------------------------------------------

ERROR = {"code": "server_error", "message": "It broke."}


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        (event("failed", response=response(status="failed", error=ERROR)), "server_error", "It broke."),
        (event("failed", response={"status": "failed"}), "failed", "the response is failed"),
        (event("failed"), "failed", "the response is failed"),
        (event("cancelled", response={}), "cancelled", "the response is cancelled"),
        ({"type": "error", **ERROR, "param": None, "sequence_number": 4}, "server_error", "It broke."),
        ({"type": "error", "code": None, "message": "It broke."}, "", "It broke."),
        ({"type": "error", "error": ERROR}, "server_error", "It broke."),
        ({"error": ERROR}, "server_error", "It broke."),
        (response(status="failed", error=ERROR), "server_error", "It broke."),
        (response(message("Hel"), status="failed", error=None), "failed", "the response is failed"),
    ],
)
def test_a_failure_is_found_in_every_place(told: dict[str, Any], code: str, words: str) -> None:
    problem = failure_in(told)
    assert problem is not None
    found = read_problem(json.dumps(problem))
    assert (found.code, found.message) == (code, words)


@pytest.mark.parametrize(
    "fine",
    [
        response(message("x"), error=None),
        response(message("x"), error={"code": "note", "message": "for the record"}),
        event("completed", response=response(message("x"), error=None)),
        event("in_progress", response=response(status="in_progress")),
        event("output_text.delta", delta="x"),
        event("mcp_call.failed", code="x", message="a tool of the server's own"),
        {"type": "ping"},
        {},
    ],
)
def test_what_goes_well_is_no_failure(fine: dict[str, Any]) -> None:
    assert failure_in(fine) is None


def test_a_failed_response_keeps_the_words_that_came() -> None:
    failed = response(message("Hello wor"), status="failed", error=ERROR)
    told = read([text_delta("Hello"), event("failed", response=failed)])
    assert (told.answer.text, told.text, told.answer.finish_reason) == ("Hello wor", ["Hello", " wor"], "")
    assert not is_problem(failed)  # else the reply would be thrown away before it is read


# --- streams ----------------------------------------------------------------------------------

USAGE = {"input_tokens": 9, "output_tokens": 12, "input_tokens_details": {"cached_tokens": 3}}


def test_the_least_stream_is_read() -> None:
    end = {"id": "resp_1", "object": "response", "status": "completed", "usage": USAGE}
    told = read([text_delta("Hel"), text_delta("lo"), event("completed", response=end)])
    assert told.text == ["Hel", "lo"]
    assert (told.answer.text, told.answer.id, told.answer.model) == ("Hello", "resp_1", "asked")
    assert told.answer.usage == Usage(input_tokens=9, output_tokens=12, cached_tokens=3)
    assert (told.answer.finish_reason, told.reader.finished) == ("stop", True)


def test_the_upstreams_full_order_is_read() -> None:
    final = whole(thought("Count."), message("Three."), usage=USAGE)
    at = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    here = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    events = [
        event("created", response=response(status="in_progress", id="resp_1")),
        event("in_progress", response=response(status="in_progress", id="resp_1")),
        event("output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []}),
        event("reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""}),
        event("reasoning_summary_text.delta", **at, delta="Co"),
        event("reasoning_summary_text.delta", **at, delta="unt."),
        event("reasoning_summary_text.done", **at, text="Count."),
        event("reasoning_summary_part.done", **at, part={"type": "summary_text", "text": "Count."}),
        event("output_item.done", output_index=0, item=final["output"][0]),
        event("output_item.added", output_index=1, item={"type": "message", "id": "msg_1", "content": []}),
        event("content_part.added", **here, part={"type": "output_text", "text": ""}),
        text_delta("Thr", **here),
        text_delta("ee.", **here),
        event("output_text.annotation.added", **here, annotation={"type": "url_citation"}),
        event("output_text.done", **here, text="Three."),
        event("content_part.done", **here, part={"type": "output_text", "text": "Three."}),
        event("output_item.done", output_index=1, item=final["output"][1]),
    ]
    told = read(events)
    assert told.reader.begun
    assert not told.reader.finished
    told = read([*events, event("completed", response=final)])
    assert (told.reasoning, told.text) == (["Co", "unt."], ["Thr", "ee."])
    assert told.answer == read_response(final)
    assert told.reader.finished


@pytest.mark.parametrize(
    ("events", "text"),
    [
        pytest.param([event("output_text.done", text="Hello")], ["Hello"], id="only its end"),
        pytest.param(
            [event("content_part.done", part={"type": "output_text", "text": "Hello"})],
            ["Hello"],
            id="only a part's end",
        ),
        pytest.param(
            [event("output_item.done", output_index=0, item=message("Hello"))], ["Hello"], id="only an item"
        ),
        pytest.param([], ["Hello"], id="only the last event"),
        pytest.param([text_delta("Hel")], ["Hel", "lo"], id="the last event has more"),
        pytest.param(
            [text_delta("Hel", output_index=0), event("output_text.done", output_index=0, text="Hello")],
            ["Hel", "lo"],
            id="the part's end has more",
        ),
        pytest.param(
            [text_delta("Hello"), event("output_text.done", output_index=1, content_index=0, text="Hello")],
            ["Hello"],
            id="a delta without its place, an end with it",
        ),
        pytest.param(
            [text_delta("Hello", output_index=4, content_index=2)], ["Hello"], id="places of its own counting"
        ),
        pytest.param([text_delta("Hello ")], ["Hello "], id="a blank that the last event has lost"),
        pytest.param(
            [text_delta("Hel", item_id="a"), text_delta("lo", item_id="b")],
            ["Hel", "lo"],
            id="an item's id made anew for each event",
        ),
        pytest.param(
            [event("refusal.delta", delta="Hel"), event("refusal.done", refusal="Hello")],
            ["Hel", "lo"],
            id="a refusal",
        ),
        pytest.param(
            [
                event("image_process.x", delta="no"),
                {"type": "keepalive"},
                {"no": "type"},
                text_delta("Hello"),
            ],
            ["Hello"],
            id="events of other families",
        ),
    ],
)
def test_what_is_missing_is_given_once_and_nothing_twice(events: Any, text: list[str]) -> None:
    told = read([*events, event("completed", response=whole(message("Hello")))])
    assert told.text == text
    assert told.answer.text == "".join(text)


def test_an_early_part_that_comes_late_stands_in_its_place() -> None:
    told = read(
        [
            text_delta("two", output_index=1, content_index=0),
            event("completed", response=whole(message("one "), message("two"))),
        ]
    )
    assert told.text == ["two", "one "]
    assert told.answer.text == "one two"


def test_thoughts_come_from_summaries_and_from_plain_reasoning() -> None:
    told = read(
        [
            event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="A"),
            event("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="B"),
            event("reasoning_text.delta", output_index=1, content_index=0, delta="C"),
            event("reasoning_text.delta", output_index=1, content_index=0, delta="D"),
        ]
    )
    assert told.answer.reasoning == "".join(told.reasoning) == "A\n\nB\n\nCD"


def test_a_call_that_grows_is_told_as_it_grows() -> None:
    reader = ResponsesReader(model="")
    grown = []
    for each in (
        event("output_item.added", output_index=1, item=asks("c1", "f", "", id="fc_1")),
        event("function_call_arguments.delta", item_id="fc_1", output_index=1, delta='{"a"'),
        event("function_call_arguments.delta", item_id="fc_1", output_index=1, delta=": 1}"),
        event("function_call_arguments.done", item_id="fc_1", output_index=1, arguments='{"a": 1}'),
        event("output_item.done", output_index=1, item=asks("c1", "f", '{"a": 1}', id="fc_1")),
        event("completed", response=whole(thought("x"), asks("c1", "f", '{"a": 1}', id="fc_1"))),
    ):
        _, _, touched = reader.read(each)
        assert touched == [0]
        grown.append(reader.call(0).arguments)
    assert grown == ["", '{"a"', *['{"a": 1}'] * 4]
    assert reader.answer().tool_calls == (ToolCall("c1", "f", '{"a": 1}'),)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="only the last event"),
        pytest.param(
            [
                event("output_item.added", item=asks("c1", "f", "")),
                event("output_item.added", item=asks("c2", "f", "")),
            ],
            id="by call id",
        ),
        pytest.param(
            [
                event("function_call_arguments.delta", output_index=3, delta='{"a"'),
                event("function_call_arguments.delta", output_index=4, delta="{}"),
            ],
            id="by their order, the places being others",
        ),
        pytest.param(
            [
                event("output_item.added", output_index=1, item=asks("c1", "f", "", id="x1")),
                event("function_call_arguments.delta", output_index=1, item_id="x2", delta='{"a": 1}'),
                event("output_item.added", output_index=2, item=asks("c2", "f", "", id="x3")),
                event("function_call_arguments.done", output_index=2, item_id="x4", arguments="{}"),
            ],
            id="ids made anew for each event",
        ),
        pytest.param(
            [
                event("output_item.added", item=asks("c1", "f", "")),
                event("function_call_arguments.delta", delta='{"a"'),
                event("function_call_arguments.delta", delta=": 1}"),
                event("output_item.added", item=asks("c2", "f", "")),
                event("function_call_arguments.done", arguments="{}"),
            ],
            id="pieces that say nothing of their place",
        ),
        pytest.param(
            [event("output_item.done", output_index=0, item=asks("c1", "f", '{"a": 1}'))],
            id="the places of the last event being others",
        ),
    ],
)
def test_calls_are_found_again(events: Any) -> None:
    final = whole(thought("x"), asks("c1", "f", '{"a": 1}', id="fc_1"), asks("c2", "f", "{}", id="fc_2"))
    calls = read([*events, event("completed", response=final)]).answer.tool_calls
    assert calls == (ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "f", "{}"))


def test_a_stream_has_begun_with_the_first_of_its_answer() -> None:
    reader = ResponsesReader(model="asked")
    assert not reader.begun
    reader.read(event("created", response=response(status="in_progress")))
    assert (reader.begun, reader.finished, reader.model, reader.id) == (False, False, "served", "r")
    reader.read(text_delta(""))
    assert reader.begun
    reader.read(event("completed", response={}))
    assert (reader.finished, reader.model) == (True, "served")
    assert [ends(event(kind)) for kind in ("completed", "incomplete", "failed", "output_text.done")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "odd",
    [
        event("completed"),
        event("completed", response="x"),
        event("completed", response={"output": "x", "usage": "x", "model": 5, "id": 7}),
        event(
            "completed", response={"output": [None, 5, {"type": "message"}, {"content": [None, {"text": 5}]}]}
        ),
        event("completed", response={"output": [{"type": "reasoning", "summary": "x", "content": {}}]}),
        event("completed", response={"output": [{"type": "function_call", "call_id": 5, "arguments": 5}]}),
        event("incomplete", response={"incomplete_details": "x"}),
        event("output_text.delta"),
        event("output_text.delta", delta={"text": "x"}, output_index="0", content_index="0"),
        event("output_item.added", item="x"),
        event("output_item.done", item={"type": "message", "content": "x"}),
        event("content_part.done", part={"type": ["x"]}),
        event("function_call_arguments.delta", delta=None),
        event("function_call_arguments.done", arguments=None, item_id=5),
        event("function_call_arguments.weather"),
        {"type": 5},
        {"type": ["response.completed"]},
    ],
    ids=str,
)
def test_odd_events_break_nothing(odd: dict[str, Any]) -> None:
    failure_in(odd)
    told = read([odd, text_delta("x"), event("completed", response=whole(message("x")))])
    assert isinstance(told.answer, Answer)
    assert "x" in told.answer.text


# --- any split, any variant -------------------------------------------------------------------

WORDS = st.text(st.sampled_from("ab \n{é漢🙂"), max_size=6)
SPLITS = st.lists(st.integers(0, 40), max_size=4)
OUTPUT = st.lists(
    st.one_of(
        st.lists(WORDS, max_size=3).map(lambda texts: thought(*texts)),
        st.lists(WORDS, max_size=3).map(lambda texts: message(*texts)),
        st.tuples(st.integers(0, 99), WORDS).map(lambda one: asks(f"c{one[0]}", "f", one[1])),
    ),
    max_size=4,
).map(
    lambda items: [item | ({"call_id": f"c{i}"} if "call_id" in item else {}) for i, item in enumerate(items)]
)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """A text in pieces, cut anywhere: between the halves of a character too."""
    units = text.encode("utf-16-le")
    places = sorted({0, *(min(2 * cut, len(units)) for cut in cuts), len(units)})
    return [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(places)]


def streamed(output: list[dict[str, Any]], cuts: list[int], without: set[str]) -> list[dict[str, Any]]:
    """All events of an output in the upstream's order, but for what a relay leaves out."""
    events = []
    for index, item in enumerate(output):
        empty = {**item, **{name: [] for name in ("summary", "content") if name in item}}
        empty |= {"arguments": ""} if "arguments" in item else {}
        events.append(event("output_item.added", output_index=index, item=empty))
        for number, part in enumerate(item.get("summary", item.get("content", []))):
            stem = "reasoning_summary_text" if "summary" in item else "output_text"
            at = {"output_index": index, ("summary" if "summary" in item else "content") + "_index": number}
            events += [event(f"{stem}.delta", delta=piece, **at) for piece in pieces(part["text"], cuts)]
            events.append(event(f"{stem}.done", text=part["text"], **at))
            events.append(event("content_part.done", part=part, **at))
        if "arguments" in item:
            at = {"output_index": index}
            stem = "function_call_arguments"
            events += [event(f"{stem}.delta", delta=piece, **at) for piece in pieces(item["arguments"], cuts)]
            events.append(event(f"{stem}.done", arguments=item["arguments"], **at))
        events.append(event("output_item.done", output_index=index, item=item))
    final = whole(*output, usage=USAGE)
    events.append(event("completed", response=final if "output" not in without else {**final, "output": []}))
    kept = [each for each in events if not any(each["type"].endswith(word) for word in without)]
    places = ("output_index", "content_index", "summary_index")
    return [
        {name: value for name, value in each.items() if "places" not in without or name not in places}
        for each in kept
    ]


@given(OUTPUT, SPLITS, st.sets(st.sampled_from([".delta", ".done", ".added"])))
def test_any_split_and_any_order_of_keeping_gives_the_whole_bodys_answer(
    output: list[dict[str, Any]], cuts: list[int], without: set[str]
) -> None:
    told = read(streamed(output, cuts, without))
    expected = read_response(whole(*output, usage=USAGE))
    assert told.answer == expected
    assert "".join(told.text) == expected.text
    assert "".join(told.reasoning) == expected.reasoning


@given(OUTPUT, SPLITS, st.sampled_from([{"output"}, {"output", ".done"}, {"output", ".delta"}]))
def test_the_last_event_need_not_repeat_the_answer(
    output: list[dict[str, Any]], cuts: list[int], without: set[str]
) -> None:
    told = read(streamed(output, cuts, without))
    assert told.answer == read_response(whole(*output, usage=USAGE))


@given(st.lists(WORDS, max_size=4), SPLITS, st.sets(st.sampled_from([".done", ".added", "output"])))
def test_deltas_without_their_places_are_the_text_in_their_order(
    texts: list[str], cuts: list[int], without: set[str]
) -> None:
    output = [message(*texts[:2]), message(*texts[2:])]
    told = read(streamed(output, cuts, {"places", *without}))
    assert told.answer.text == "".join(told.text) == "".join(texts)
    assert told.answer.usage == Usage(input_tokens=9, output_tokens=12, cached_tokens=3)


@given(OUTPUT, SPLITS, st.sets(st.integers(0, 3)), st.sets(st.sampled_from([".done", ".added"])))
def test_items_that_were_not_streamed_come_with_the_last_event(
    output: list[dict[str, Any]], cuts: list[int], unseen: set[int], without: set[str]
) -> None:
    events = [each for each in streamed(output, cuts, without) if each.get("output_index") not in unseen]
    told = read(events)
    expected = read_response(whole(*output, usage=USAGE))
    assert (told.answer.text, told.answer.reasoning) == (expected.text, expected.reasoning)
    assert told.answer.tool_calls == expected.tool_calls
    assert sorted("".join(told.text)) == sorted(expected.text)
