from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.wire.chat import ChatReader, prompt_of, read_chat
from anyfast_nb.wire.values import ToolCall, Usage

# The sample of the chat reference.
REPLY = {
    "id": "chatcmpl-abc123",
    "object": "chat.completion",
    "created": 1774236644,
    "model": "doubao-seed-1-6-251015",
    "choices": [
        {
            "index": 123,
            "message": {"role": "assistant", "content": "Three models.", "reasoning_content": "I count."},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 1355,
        "completion_tokens": 87,
        "total_tokens": 1442,
        "completion_tokens_details": {"reasoning_tokens": 53},
    },
}


def test_the_documented_reply_is_read() -> None:
    answer = read_chat(REPLY)
    assert (answer.text, answer.reasoning) == ("Three models.", "I count.")
    assert (answer.id, answer.model, answer.finish_reason) == (
        "chatcmpl-abc123",
        "doubao-seed-1-6-251015",
        "stop",
    )
    assert answer.usage == Usage(input_tokens=1355, output_tokens=87, reasoning_tokens=53)
    assert answer.usage.cached_tokens is None
    assert answer.raw == {"created": 1774236644}
    assert str(answer) == "Three models."


def chunk(delta: Any, *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "0217",
        "model": "served",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def read(*chunks: dict[str, Any]) -> ChatReader:
    reader = ChatReader(model="asked")
    for each in chunks:
        reader.read(each)
    return reader


def test_the_documented_stream_is_read() -> None:
    reader = ChatReader(model="asked")
    assert reader.read(chunk({"role": "assistant", "content": "", "reasoning_content": "Let me"})) == (
        "Let me",
        "",
        [],
    )
    assert reader.read(chunk({"role": "assistant", "content": "Hello"}, usage=None)) == ("", "Hello", [])
    assert not reader.finished
    assert reader.read(chunk({"role": "assistant", "content": ""}, finish="stop")) == ("", "", [])
    assert reader.finished
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 12,
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    assert reader.read({"id": "0217", "choices": [], "usage": usage}) == ("", "", [])
    answer = reader.answer()
    assert (answer.text, answer.reasoning, answer.model, answer.id) == ("Hello", "Let me", "served", "0217")
    assert answer.usage == Usage(input_tokens=10, output_tokens=12, reasoning_tokens=5)


def test_usage_that_comes_with_every_chunk_is_cumulative() -> None:
    reader = read(
        *[chunk({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": n}) for n in (1, 2, 3)]
    )
    assert reader.answer().usage == Usage(input_tokens=3, output_tokens=3)


def test_the_other_name_of_reasoning_is_known() -> None:
    assert (
        read(chunk({"reasoning": "hm"}), chunk({"content": None, "reasoning": None})).answer().reasoning
        == "hm"
    )


def test_answers_beside_the_first_are_not_mixed_into_it() -> None:
    def both(first: str, second: str) -> dict[str, Any]:
        return {
            "choices": [{"index": 1, "delta": {"content": second}}, {"index": 0, "delta": {"content": first}}]
        }

    reader = ChatReader(model="m")
    reader.read(chunk({"content": "a"}))
    assert reader.read(both("b", "B")) == ("", "b", [])
    assert reader.read({"choices": [{"index": 1, "delta": {"content": "C"}}]}) == ("", "", [])
    assert reader.answer().text == "ab"


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": "abc"},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {}}]},
        {"choices": [{"delta": {"content": 5}}]},
        {"choices": [{"delta": {"content": [{"type": "text"}]}}]},
        {"choices": [{"delta": {"tool_calls": "x"}}]},
        {"choices": [{"delta": {"tool_calls": [None, 5]}}]},
        {"usage": "many"},
        {"usage": []},
    ],
)
def test_a_chunk_without_a_piece_of_the_answer_adds_nothing(odd: dict[str, Any]) -> None:
    assert ChatReader(model="m").read(odd) == ("", "", [])


# --- tool calls -------------------------------------------------------------------------------


def calls(*deltas: list[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return read(*[chunk({"tool_calls": delta}) for delta in deltas]).answer().tool_calls


def f(arguments: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {**more, "function": {"arguments": arguments} | ({} if name is None else {"name": name})}


A, B = ToolCall("a", "weather", '{"city": "Oslo"}'), ToolCall("b", "time", "{}")


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        pytest.param(
            [
                [f("", "weather", index=0, id="a", type="function")],
                [f('{"city": ', index=0)],
                [f('"Oslo"}', index=0)],
            ],
            (A,),
            id="as documented",
        ),
        pytest.param(
            [[f('{"city": "Oslo"}', "weather", index=0, id="a")]], (A,), id="whole in one delta, no type"
        ),
        pytest.param(
            [[f('{"city": "Oslo"}', "weather", id="a"), f("{}", "time", id="b")]], (A, B), id="two, no index"
        ),
        pytest.param(
            [
                [f('{"city"', "weather", index=0, id="a")],
                [f("{", "time", index=1, id="b")],
                [f(': "Oslo"}', index=0), f("}", index=1)],
            ],
            (A, B),
            id="two, interleaved by index",
        ),
        pytest.param(
            [
                [f('{"city"', "weather", id="a")],
                [f("{", "time", id="b")],
                [f(': "Oslo"}', id="a")],
                [f("}", id="b")],
            ],
            (A, B),
            id="interleaved by id",
        ),
        pytest.param(
            [[f('{"city": ', "weather", id="a")], [f('"Oslo"}')], [f("{", "time", id="b")], [f("}")]],
            (A, B),
            id="pieces without index and id go on with the last call",
        ),
        pytest.param(
            [[f("{}", "weather")], [f("{}", "time")]],
            (ToolCall("", "weather", "{}"), ToolCall("", "time", "{}")),
            id="neither index nor id, one each",
        ),
        pytest.param(
            [[f("", "weather", index=0, id="a")], [f('{"city": "Oslo"}', index=0, id="")]],
            (A,),
            id="an empty id later",
        ),
        pytest.param(
            [[{"id": "b", "function": {"name": "time", "arguments": {}}}]], (B,), id="arguments as an object"
        ),
        pytest.param([[f("{}", "time", index=3, id="b")]], (B,), id="index that does not begin at 0"),
    ],
)
def test_tool_calls_in_every_form(deltas: list[list[dict[str, Any]]], expected: tuple[ToolCall, ...]) -> None:
    assert calls(*deltas) == expected


def test_a_plain_replys_tool_calls_have_no_index() -> None:
    message = {
        "content": None,
        "tool_calls": [f('{"city": "Oslo"}', "weather", id="a"), f("{}", "time", id="b")],
    }
    answer = read_chat({"choices": [{"message": message, "finish_reason": "tool_calls"}]})
    assert answer.tool_calls == (A, B)
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")


def test_the_reader_tells_which_call_grew() -> None:
    reader = read(chunk({"tool_calls": [f("{", "weather", index=0, id="a")]}))
    assert reader.read(chunk({"tool_calls": [f("}", index=0)]})) == ("", "", [0])
    assert reader.call(0) == ToolCall("a", "weather", "{}")


# --- usage, odd values ------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [None, -1, True, "12", float("inf"), float("nan"), [], {}])
def test_a_count_that_is_none_stays_unknown(bad: Any) -> None:
    usage = read(chunk({}, usage={"prompt_tokens": bad, "completion_tokens": 2})).answer().usage
    assert usage == Usage(output_tokens=2)


def test_cached_tokens_and_the_names_of_the_responses_api() -> None:
    usage = {
        "input_tokens": 9,
        "output_tokens": 4,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 1},
    }
    assert read(chunk({}, usage=usage)).answer().usage == Usage(9, 4, 3, 1)
    assert read(chunk({}, usage={"prompt_tokens_details": {"cached_tokens": 0}})).answer().usage == Usage(
        cached_tokens=0
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "model",
                    "usage",
                    "choices",
                    "delta",
                    "message",
                    "index",
                    "content",
                    "reasoning",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "finish_reason",
                    "prompt_tokens",
                    "completion_tokens_details",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "model", "usage", "choices"]), values, max_size=4), max_size=5
    )
)
def test_no_chunk_breaks_the_reader(chunks: list[dict[str, Any]]) -> None:
    answer = read(*chunks).answer()
    assert all(isinstance(x, str) for x in (answer.text, answer.reasoning, answer.id, answer.model))


def test_the_title_comes_from_the_last_question() -> None:
    assert prompt_of([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]) == "a"
    parts = [{"type": "image_url", "image_url": {"url": "u"}}, {"type": "text", "text": "what?"}]
    assert (
        prompt_of([{"role": "user", "content": "a"}, {"role": "user", "content": parts}]).strip() == "what?"
    )
    assert prompt_of([{"role": "system", "content": "a"}]) == ""
    assert prompt_of([{"role": "user", "content": None}]) == ""
