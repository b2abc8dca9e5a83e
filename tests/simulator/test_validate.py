from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.request import Form, ToolMode
from anyfast_nb.simulator.validate import parse_json, read_chat
from tests.simulator.conftest import asked, body, data_uri

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
TEXT = {"type": "text", "text": "What is this?"}


def messages(*given: Any) -> dict[str, Any]:
    return body() | {"messages": list(given)}


def parts(*given: Any) -> dict[str, Any]:
    return body(list(given))


def image(url: Any, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url} | more}


def video(**inner: Any) -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"} | inner}


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    # name, body, the path in param, words of the rule
    ("no model", {"messages": [{"role": "user", "content": "x"}]}, "model", "required"),
    ("empty model", body(model="  "), "model", "empty"),
    ("model not text", body(model=3), "model", "string"),
    ("no messages", {"model": "doubao-seed-2.0-pro"}, "messages", "required"),
    ("empty messages", messages(), "messages", "at least 1"),
    ("messages not array", body() | {"messages": "hi"}, "messages", "array"),
    ("message not object", messages("hi"), "messages[0]", "object"),
    ("no role", messages({"content": "x"}), "messages[0].role", "required"),
    (
        "unknown role",
        messages({"role": "robot", "content": "x"}),
        "messages[0].role",
        "system, user, assistant, tool",
    ),
    ("no content", messages({"role": "user"}), "messages[0].content", "required"),
    ("assistant says nothing", messages({"role": "assistant"}), "messages[0].content", "required"),
    (
        "content a number",
        messages({"role": "user", "content": 3}),
        "messages[0].content",
        "string or an array",
    ),
    ("no parts", body([]), "messages[0].content", "at least 1"),
    (
        "second message",
        messages({"role": "user", "content": "a"}, {"role": "user"}),
        "messages[1].content",
        "required",
    ),
    ("tool without id", messages({"role": "tool", "content": "1"}), "messages[0].tool_call_id", "required"),
    ("part not object", parts("x"), "messages[0].content[0]", "object"),
    ("part without type", parts({"text": "x"}), "messages[0].content[0].type", "required"),
    (
        "part of unknown type",
        parts({"type": "smell"}),
        "messages[0].content[0].type",
        "text, image_url, video_url",
    ),
    ("document", parts(TEXT, {"type": "input_file"}), "messages[0].content[1].type", "/v1/responses"),
    ("responses part", parts({"type": "input_image"}), "messages[0].content[0].type", "image_url"),
    ("text without text", parts({"type": "text"}), "messages[0].content[0].text", "required"),
    (
        "bare image url",
        parts({"type": "image_url", "image_url": "https://x.example/a.png"}),
        "messages[0].content[0].image_url",
        "object",
    ),
    (
        "image without url",
        parts({"type": "image_url", "image_url": {}}),
        "messages[0].content[0].image_url.url",
        "required",
    ),
    ("image from a path", parts(image("photo.png")), "messages[0].content[0].image_url.url", "http"),
    (
        "image detail",
        parts(image("https://x.example/a.png", detail="huge")),
        "messages[0].content[0].image_url.detail",
        "low, high, auto",
    ),
    ("fps too low", parts(video(fps=0.1)), "messages[0].content[0].video_url.fps", "between 0.2 and 5"),
    (
        "fps too high",
        parts(TEXT, video(fps=5.5)),
        "messages[0].content[1].video_url.fps",
        "between 0.2 and 5",
    ),
    ("fps as text", parts(video(fps="2")), "messages[0].content[0].video_url.fps", "number"),
    ("temperature low", body(temperature=-0.1), "temperature", "between 0 and 2"),
    ("temperature high", body(temperature=2.1), "temperature", "between 0 and 2"),
    ("temperature true", body(temperature=True), "temperature", "number"),
    ("top_p high", body(top_p=1.01), "top_p", "between 0 and 1"),
    ("penalty", body(frequency_penalty=3), "frequency_penalty", "between -2 and 2"),
    ("no tokens", body(max_tokens=0), "max_tokens", "at least 1"),
    ("half a token", body(max_tokens=1.5), "max_tokens", "integer"),
    ("completion tokens", body(max_completion_tokens=0), "max_completion_tokens", "at least 1"),
    ("stream as text", body(stream="yes"), "stream", "true or false"),
    ("two choices", body(n=2), "n", "one choice"),
    ("five stops", body(stop=list("abcde")), "stop", "at most 4"),
    ("stop a number", body(stop=3), "stop", "string or an array"),
    ("stop holds a number", body(stop=["a", 3]), "stop[1]", "string"),
    ("empty stop", body(stop=""), "stop[0]", "non-empty"),
    (
        "options without stream",
        body(stream_options={"include_usage": True}),
        "stream_options",
        "only with stream",
    ),
    (
        "usage not bool",
        body(stream=True, stream_options={"include_usage": 1}),
        "stream_options.include_usage",
        "true or false",
    ),
    ("thinking", body(thinking={"type": "maybe"}), "thinking.type", "enabled, disabled, auto"),
    ("effort", body(reasoning_effort="extreme"), "reasoning_effort", "minimal, low, medium, high"),
    ("form", body(response_format={"type": "xml"}), "response_format.type", "json_object"),
    (
        "form without schema",
        body(response_format={"type": "json_schema"}),
        "response_format.json_schema",
        "required",
    ),
    ("tools not array", body(tools={}), "tools", "array"),
    ("tool type", body(tools=[{"type": "web"}]), "tools[0].type", "function"),
    ("tool without function", body(tools=[{"type": "function"}]), "tools[0].function", "required"),
    (
        "tool name",
        body(tools=[{"type": "function", "function": {"name": "two words"}}]),
        "tools[0].function.name",
        "1 to 64",
    ),
    ("choice word", body(tools=[TOOL], tool_choice="always"), "tool_choice", "none, auto, required"),
    ("required without tools", body(tool_choice="required"), "tool_choice", "with tools"),
    ("choice form", body(tools=[TOOL], tool_choice={"name": "look"}), "tool_choice", "function"),
    (
        "choice names no tool",
        body(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "run"}}),
        "tool_choice.function.name",
        "one of the tools",
    ),
]


@pytest.mark.parametrize(("given", "path", "rule"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_broken_rule_is_a_400_that_names_path_and_range(
    given: dict[str, Any], path: str, rule: str
) -> None:
    with pytest.raises(Refusal) as caught:
        read_chat(given)
    error = caught.value.error
    assert caught.value.status == 400
    assert error["type"] == "invalid_request_error"
    assert error["code"] in {"invalid_parameter", "missing_parameter"}
    assert error["param"] == path
    assert error["message"].startswith(path)
    assert rule in error["message"]


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("fps at both ends", parts(video(fps=0.2), video(fps=5))),
    ("temperature at both ends", body(temperature=0)),
    ("temperature two", body(temperature=2)),
    ("top_p one", body(top_p=1)),
    ("four stops", body(stop=list("abcd"))),
    ("one token", body(max_tokens=1)),
    (
        "nulls are absent",
        body(temperature=None, stop=None, tools=None, tool_choice=None, stream_options=None),
    ),
    ("unknown parameters", body(user_id="u", service_tier="default", anything={"a": 1})),
    (
        "calls without content",
        messages(
            {"role": "user", "content": "x"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ""}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        ),
    ),
    ("image by address", parts(image("https://example.com/a.png?sig=1", detail="low"))),
    ("data that is no picture", parts(image("data:image/png;base64,!!!"))),
    ("tool_choice none without tools", body(tool_choice="none")),
]


@pytest.mark.parametrize("given", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_what_the_rules_allow_passes(given: dict[str, Any]) -> None:
    assert read_chat(given).messages


@pytest.mark.parametrize(("kind", "limit"), [("image", 10), ("video", 50)])
def test_media_in_data_uris_is_limited_by_its_decoded_size(kind: str, limit: int) -> None:
    def part(size: int) -> dict[str, Any]:
        url = data_uri(b"", f"{kind}/x") + base64.b64encode(bytes(3)).decode() * (size // 3)
        return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}

    assert read_chat(parts(part(limit * MIB - 3)))
    with pytest.raises(Refusal, match=f"under {limit} MB") as caught:
        read_chat(parts(part(limit * MIB + 3)))
    assert caught.value.error["param"] == f"messages[0].content[0].{kind}_url.url"
    assert len(str(caught.value)) < 200


def test_a_request_becomes_typed_values() -> None:
    request = asked(
        [TEXT, video(fps=2)],
        stream=True,
        stream_options={"include_usage": True},
        stop="END",
        max_tokens=50,
        max_completion_tokens=40,
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "look"}},
        reasoning_effort="minimal",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    )
    assert (request.stream, request.include_usage, request.stop, request.max_tokens) == (
        True,
        True,
        ("END",),
        40,
    )
    assert (request.tool_mode, request.tool_name) == (ToolMode.NAMED, "look")
    assert (request.form, request.schema, request.thinks) == (Form.SCHEMA, {"type": "object"}, False)
    assert request.prompt == "What is this?"
    assert request.messages[0].media[0].fps == 2


@pytest.mark.parametrize("thinking", ["enabled", "auto"])
def test_thinking_is_on_unless_switched_off(thinking: str) -> None:
    assert asked(thinking={"type": thinking}).thinks
    assert not asked(thinking={"type": "disabled"}).thinks


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"model": }', "line 1, column 11"),
        (b"", "not valid JSON"),
        (b"[1]", "JSON object"),
        (b'{"temperature": NaN}', "NaN"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", "nested too deeply; 100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested too deeply; 100 levels"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        parse_json(raw, content_type="application/json; charset=utf-8")
    assert (caught.value.status, caught.value.error["code"]) == (400, "invalid_json")


def test_the_content_type_must_be_json() -> None:
    with pytest.raises(Refusal, match="Content-Type: application/json") as caught:
        parse_json(json.dumps(body()).encode(), content_type="application/x-www-form-urlencoded")
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("model", "status", "code", "words"),
    [
        ("gpt-99", 404, "model_not_found", "does not exist"),
        ("doubao-seed-2.0-prp", 404, "model_not_found", "Did you mean doubao-seed-2.0-pro?"),
        ("seedance", 400, "model_not_supported", "makes clips"),
        ("doubao-seedream-5-0-260128", 400, "model_not_supported", "makes pictures"),
        ("kling-v3", 400, "model_not_supported", "makes clips"),
    ],
)
def test_only_chat_models_chat(model: str, status: int, code: str, words: str) -> None:
    with pytest.raises(Refusal, match=words.replace("?", r"\?")) as caught:
        read_chat(body(model=model))
    assert (caught.value.status, caught.value.error["code"]) == (status, code)
