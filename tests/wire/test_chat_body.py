from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.wire.chat import build_chat, image_part, text_part, user_message, video_part

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def build(messages: Any = HELLO, **changes: Any) -> dict[str, Any]:
    return build_chat(messages, **{"model": "m", **changes})


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def image(value: Any) -> list[dict[str, Any]]:
    return user([{"type": "image_url", "image_url": value}])


def video(**value: Any) -> list[dict[str, Any]]:
    return user([text_part("x"), {"type": "video_url", "video_url": {"url": "https://h/v.mp4", **value}}])


# (arguments, the field that the refusal names, a part of its message: the value and the range)
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"max_tokens": 0}, "max_tokens", "max_tokens is 0; allowed is a whole number of at least 1"),
    ({"max_tokens": -3}, "max_tokens", "of at least 1"),
    ({"max_tokens": 1.5}, "max_tokens", "max_tokens is 1.5; it must be a whole number of at least 1"),
    ({"max_tokens": "10"}, "max_tokens", "max_tokens is '10'; it must be a whole number"),
    ({"max_tokens": True}, "max_tokens", "whole number"),
    ({"temperature": 2.01}, "temperature", "temperature is 2.01; allowed is a number from 0 to 2"),
    ({"temperature": -0.1}, "temperature", "from 0 to 2"),
    ({"temperature": float("nan")}, "temperature", "temperature is nan; allowed is a number from 0 to 2"),
    ({"temperature": float("inf")}, "temperature", "from 0 to 2"),
    ({"temperature": "warm"}, "temperature", "temperature is 'warm'; it must be a number from 0 to 2"),
    ({"top_p": 1.1}, "top_p", "top_p is 1.1; allowed is a number from 0 to 1"),
    ({"top_p": -1}, "top_p", "from 0 to 1"),
    ({"top_p": [0.5]}, "top_p", "number from 0 to 1"),
    ({"stop": []}, "stop", "stop holds 0 entries; allowed is 1 to 4 texts"),
    ({"stop": list("abcde")}, "stop", "stop holds 5 entries; allowed is 1 to 4 texts"),
    ({"stop": ["a", ""]}, "stop", "not empty"),
    ({"stop": ""}, "stop", "not empty"),
    ({"stop": [1]}, "stop", "1 to 4 texts"),
    ({"stop": 5}, "stop", "1 to 4 texts"),
    ({"stop": {"a": 1}}, "stop", "1 to 4 texts"),
    ({"tools": [{}]}, "tools[0]", "tools[0] must be"),
    ({"tools": [TOOL, {"function": {}}]}, "tools[1]", "tools[1] must be"),
    ({"tools": 5}, "tools", "tools must be a list"),
    ({"tools": TOOL}, "tools", "tools must be a list"),
    ({"tool_choice": "always"}, "tool_choice", "allowed is one of none, auto, required"),
    ({"tool_choice": 5}, "tool_choice", "none, auto, required"),
    ({"tool_choice": {"type": "function"}}, "tool_choice", '"function": {"name": …}'),
    ({"thinking": "on"}, "thinking", "thinking is 'on'; allowed is one of enabled, disabled, auto"),
    ({"reasoning_effort": "max"}, "reasoning_effort", "minimal, low, medium, high"),
    ({"response_format": "json"}, "response_format", "response_format is 'json'; it must be a mapping"),
    ({"extra": "seed=1"}, "extra", "extra is 'seed=1'; it must be a mapping"),
    ({"model": ""}, "model", "model is ''; it must be text"),
    ({"model": "  "}, "model", "must be text that is not empty"),
    ({"model": None}, "model", "model is None"),
    ({"messages": []}, "messages", "at least one message"),
    ({"messages": "Hello"}, "messages", "must be a list"),
    ({"messages": {"role": "user"}}, "messages", "must be a list"),
    ({"messages": ["Hello"]}, "messages[0]", "messages[0] must be a mapping"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "one of system, user, assistant, tool"),
    (
        {"messages": [*HELLO, {"role": "robot", "content": "x"}]},
        "messages[1].role",
        "messages[1].role is 'robot'",
    ),
    ({"messages": user("")}, "messages[0].content", "messages[0].content is empty"),
    ({"messages": user([])}, "messages[0].content", "is empty"),
    ({"messages": user(None)}, "messages[0].content", "is empty"),
    ({"messages": [{"role": "system"}]}, "messages[0].content", "is empty"),
    ({"messages": user(5)}, "messages[0].content", "text or a list of parts"),
    ({"messages": user(b"bytes")}, "messages[0].content", "text or a list of parts"),
    ({"messages": user(["x"])}, "messages[0].content[0].type", "one of text, image_url, video_url"),
    ({"messages": user([text_part("x"), {"type": "audio"}])}, "messages[0].content[1].type", "is 'audio'"),
    ({"messages": user([{"type": "text", "text": 5}])}, "messages[0].content[0].text", "must be text"),
    (
        {"messages": user([{"type": "input_file", "file_url": "u"}])},
        "messages[0].content[0]",
        "is a document",
    ),
    ({"messages": image("https://h/a.png")}, "messages[0].content[0].image_url.url", "must be text"),
    ({"messages": image({"url": ""})}, "messages[0].content[0].image_url.url", "not empty"),
    (
        {"messages": image({"url": "u", "detail": "fine"})},
        "messages[0].content[0].image_url.detail",
        "low, high, auto",
    ),
    (
        {"messages": video(fps=0.1)},
        "messages[0].content[1].video_url.fps",
        "is 0.1; allowed is a number from 0.2 to 5",
    ),
    ({"messages": video(fps=6)}, "messages[0].content[1].video_url.fps", "from 0.2 to 5"),
    ({"messages": video(fps="2")}, "messages[0].content[1].video_url.fps", "a number from 0.2 to 5"),
]


@pytest.mark.parametrize(("arguments", "field", "words"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_bad_value_is_refused_with_its_path_and_range(
    arguments: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(**arguments)
    assert caught.value.field == field
    assert words in caught.value.message
    assert not caught.value.sent
    assert isinstance(caught.value, ValueError)


def test_edges_of_the_ranges_pass() -> None:
    for arguments in (
        {"max_tokens": 1},
        {"temperature": 0},
        {"temperature": 2.0},
        {"top_p": 0},
        {"top_p": 1},
        {"stop": ["a", "b", "c", "d"]},
    ):
        (name, value), *_ = arguments.items()
        assert build(**arguments)[name] == value
    for fps in (0.2, 5):
        assert build(video(fps=fps))["messages"][0]["content"][1]["video_url"]["fps"] == fps


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    body = build(max_tokens=np.int64(7), temperature=np.float32(0.5), top_p=Fraction(1, 2))
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (7, 0.5, 0.5)
    assert [type(body[name]) for name in ("max_tokens", "temperature", "top_p")] == [int, float, float]


def test_the_least_body_holds_nothing_that_was_not_asked_for() -> None:
    assert build() == {"model": "m", "messages": HELLO}


def test_every_argument_has_its_field() -> None:
    assert build(
        model=" pro ",
        max_tokens=10,
        temperature=1,
        top_p=0.5,
        stop="END",
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        thinking="disabled",
        reasoning_effort="low",
        response_format={"type": "json_object"},
        stream=True,
        extra={"seed": 7, "frequency_penalty": 3},
    ) == {
        "model": "doubao-seed-2.0-pro",
        "messages": HELLO,
        "max_tokens": 10,
        "temperature": 1,
        "top_p": 0.5,
        "stop": ["END"],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "thinking": {"type": "disabled"},
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": 7,
        "frequency_penalty": 3,
    }


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "messages",
        "max_tokens",
        "temperature",
        "top_p",
        "stop",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "thinking",
        "reasoning_effort",
        "response_format",
    ],
)
def test_extra_refuses_what_has_an_argument_of_its_own(name: str) -> None:
    with pytest.raises(InputError, match=f"extra holds '{name}'") as caught:
        build(extra={name: 1})
    assert caught.value.field == f"extra.{name}"


@pytest.mark.parametrize("model", ["gpt-9", "claude-3-5-sonnet-20241022", "модель/α:1", "PRO"])
def test_a_model_is_never_validated(model: str) -> None:
    assert build(model=model)["model"] == model


@pytest.mark.parametrize(
    ("alias", "model"),
    [
        ("pro", "doubao-seed-2.0-pro"),
        ("lite", "doubao-seed-2.0-lite"),
        ("mini", "doubao-seed-2.0-mini"),
        ("code", "doubao-seed-2.0-code"),
        ("flash", "doubao-seed-1-6-flash-250828"),
        ("vision", "doubao-seed-1-6-vision-250815"),
    ],
)
def test_aliases_become_ids(alias: str, model: str) -> None:
    assert build(model=alias)["model"] == model


def test_a_conversation_with_tools_passes() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": ""},
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    assert build(messages)["messages"] == messages


def test_the_callers_messages_are_not_touched() -> None:
    messages = [{"role": "user", "content": "x"}]
    build(messages)["messages"][0]["content"] = "changed"
    assert messages == [{"role": "user", "content": "x"}]


def test_media_stand_before_the_text() -> None:
    parts = [image_part("https://h/a.png", detail="low"), video_part("https://h/v.mp4", fps=2)]
    assert user_message("What?", media=parts) == {"role": "user", "content": [*parts, text_part("What?")]}
    assert user_message("", media=parts)["content"] == parts
    assert parts[0] == {"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}}
    assert parts[1] == {"type": "video_url", "video_url": {"url": "https://h/v.mp4", "fps": 2}}
    with pytest.raises(InputError, match="low, high, auto"):
        image_part("u", detail="best")
    with pytest.raises(InputError, match=r"from 0\.2 to 5"):
        video_part("u", fps=0)
