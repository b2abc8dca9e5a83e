from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.config import MIB, Config, Profile
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.request import Form, ToolMode
from anyfast_nb.simulator.responses.reading import read_response_request
from tests.simulator.conftest import KEY, MODEL, body, connect, data_uri, image_part, two_coloured

PATH = "/v1/responses"
CHAT = "/v1/chat/completions"
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TEXT = {"type": "input_text", "text": "What is this?"}
FILE = {"type": "input_file", "file_data": "data:text/plain;base64,YQ==", "filename": "a.txt"}


def asking(given: Any = "Hello", **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": given} | more


def parts(*given: Any, role: str = "user") -> dict[str, Any]:
    return asking([{"role": role, "content": list(given)}])


def image(url: Any, **more: Any) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url} | more


def video(**more: Any) -> dict[str, Any]:
    return {"type": "input_video", "video_url": "https://example.com/a.mp4"} | more


AT = "input[0].content[0]"
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    # name, body, the path in param, words of the rule
    ("no model", {"input": "x"}, "model", "required"),
    ("no input", {"model": MODEL}, "input", "required"),
    ("chat's messages", {"model": MODEL, "messages": []}, "input", "/v1/chat/completions"),
    ("empty input", asking(" "), "input", "empty"),
    ("no items", asking([]), "input", "at least 1"),
    ("input a number", asking(3), "input", "string or an array"),
    ("item not object", asking(["x"]), "input[0]", "object"),
    ("item type", asking([{"type": "smell"}]), "input[0].type", "function_call_output"),
    ("item kept elsewhere", asking([{"type": "item_reference", "id": "x"}]), "input[0].type", "keeps none"),
    ("only a thought", asking([{"type": "reasoning", "summary": []}]), "input", "at least 1 message"),
    ("no role", asking([{"content": "x"}]), "input[0].role", "required"),
    (
        "role",
        asking([{"role": "tool", "content": "x"}]),
        "input[0].role",
        "system, developer, user, assistant",
    ),
    ("no content", asking([{"role": "user"}]), "input[0].content", "required"),
    ("content a number", asking([{"role": "user", "content": 3}]), "input[0].content", "string or an array"),
    ("no parts", parts(), "input[0].content", "at least 1"),
    ("part not object", parts("x"), AT, "object"),
    ("chat's text", parts({"type": "text", "text": "x"}), f"{AT}.type", "input_text"),
    ("chat's image", parts({"type": "image_url"}), f"{AT}.type", "input_image"),
    ("chat's video", parts({"type": "video_url"}), f"{AT}.type", "input_video"),
    (
        "unknown part",
        parts({"type": "smell"}),
        f"{AT}.type",
        "input_text, input_image, input_video, input_file",
    ),
    ("the user says output", parts({"type": "output_text", "text": "x"}), f"{AT}.type", "must be one of"),
    ("text without text", parts({"type": "input_text"}), f"{AT}.text", "required"),
    ("image as object", parts(image({"url": "https://x.example/a.png"})), f"{AT}.image_url", "form of chat"),
    ("image without url", parts({"type": "input_image"}), f"{AT}.image_url", "required"),
    ("image from a path", parts(image("photo.png")), f"{AT}.image_url", "http"),
    ("image detail", parts(image("https://x.example/a", detail="huge")), f"{AT}.detail", "low, high, auto"),
    ("video as object", parts(video(video_url={"url": "x", "fps": 2})), f"{AT}.video_url", "form of chat"),
    ("fps low", parts(video(fps=0.1)), f"{AT}.fps", "between 0.2 and 5"),
    ("fps high", parts(TEXT, video(fps=5.1)), "input[0].content[1].fps", "between 0.2 and 5"),
    ("file without data", parts({"type": "input_file"}), f"{AT}.file_data", "required"),
    ("file without name", parts(FILE | {"filename": None}), f"{AT}.filename", "required"),
    ("file twice", parts(FILE | {"file_url": "https://x.example/a"}), f"{AT}.file_url", "together"),
    ("file kept elsewhere", parts({"type": "input_file", "file_id": "f"}), f"{AT}.file_id", "keeps no files"),
    ("file from a path", parts({"type": "input_file", "file_url": "a.pdf"}), f"{AT}.file_url", "http"),
    (
        "file data as address",
        parts(FILE | {"file_data": "https://x.example/a.pdf"}),
        f"{AT}.file_data",
        "file_url",
    ),
    (
        "file url as data",
        parts({"type": "input_file", "file_url": "data:text/plain;base64,YQ=="}),
        f"{AT}.file_url",
        "file_data",
    ),
    ("call without name", asking([{"type": "function_call", "call_id": "c"}]), "input[0].name", "required"),
    ("output without id", asking([{"type": "function_call_output"}]), "input[0].call_id", "required"),
    (
        "call without output",
        asking([{"type": "function_call_output", "call_id": "c"}]),
        "input[0].output",
        "required",
    ),
    ("instructions", asking(instructions=["x"]), "instructions", "string"),
    ("temperature", asking(temperature=2.1), "temperature", "between 0 and 2"),
    ("top_p", asking(top_p=-0.1), "top_p", "between 0 and 1"),
    ("no tokens", asking(max_output_tokens=0), "max_output_tokens", "at least 1"),
    ("half a token", asking(max_output_tokens=1.5), "max_output_tokens", "integer"),
    ("stream", asking(stream="yes"), "stream", "true or false"),
    ("store", asking(store=1), "store", "true or false"),
    ("reasoning", asking(reasoning="high"), "reasoning", "object"),
    ("effort", asking(reasoning={"effort": "extreme"}), "reasoning.effort", "minimal, low, medium, high"),
    ("summary", asking(reasoning={"summary": "long"}), "reasoning.summary", "auto, concise, detailed"),
    ("thinking", asking(thinking={"type": "maybe"}), "thinking.type", "enabled, disabled, auto"),
    ("form", asking(text={"format": {"type": "xml"}}), "text.format.type", "json_object"),
    ("no schema", asking(text={"format": {"type": "json_schema"}}), "text.format.schema", "required"),
    ("tools", asking(tools={}), "tools", "array"),
    ("tool type", asking(tools=[{"type": "web"}]), "tools[0].type", "function"),
    ("chat's tool", asking(tools=[{"type": "function", "function": {}}]), "tools[0].function", "beside type"),
    ("tool name", asking(tools=[TOOL | {"name": "two words"}]), "tools[0].name", "1 to 64"),
    ("choice", asking(tools=[TOOL], tool_choice="always"), "tool_choice", "none, auto, required"),
    ("required without tools", asking(tool_choice="required"), "tool_choice", "with tools"),
    (
        "chat's choice",
        asking(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "get_weather"}}),
        "tool_choice",
        '"name"',
    ),
    (
        "choice of no tool",
        asking(tools=[TOOL], tool_choice={"type": "function", "name": "run"}),
        "tool_choice.name",
        "one of the tools",
    ),
]


@pytest.mark.parametrize(("given", "path", "rule"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
@pytest.mark.parametrize("strict", [True, False])
def test_a_broken_rule_is_a_400_that_names_path_and_range(
    given: dict[str, Any], path: str, rule: str, strict: bool
) -> None:
    with pytest.raises(Refusal) as caught:
        read_response_request(given, strict=strict)
    error = caught.value.error
    assert caught.value.status == 400
    assert error["type"] == "invalid_request_error"
    assert error["code"] in {"invalid_parameter", "missing_parameter"}
    assert error["param"] == path
    assert error["message"].startswith(path)
    assert rule in error["message"]


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("text", asking()),
    ("fps at both ends", parts(video(fps=0.2), video(fps=5))),
    ("documents", parts(FILE, {"type": "input_file", "file_url": "https://example.com/a.pdf"})),
    ("numbers at their ends", asking(temperature=2, top_p=0, max_output_tokens=1)),
    ("nulls are absent", asking(temperature=None, tools=None, text=None, reasoning=None, thinking=None)),
    ("what was answered", parts({"type": "output_text", "text": "x", "annotations": []}, role="assistant")),
    ("the developer", asking([{"type": "message", "role": "developer", "content": "Be brief."}])),
    ("a call of OpenAI's", asking(store=False, metadata={"a": "b"}, truncation="auto", service_tier="auto")),
]


@pytest.mark.parametrize("given", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_what_the_rules_allow_passes(given: dict[str, Any]) -> None:
    assert read_response_request(given, strict=True).messages


@pytest.mark.parametrize(("kind", "limit"), [("image", 10), ("video", 50), ("file", 50)])
def test_media_in_data_uris_is_limited_by_its_decoded_size(kind: str, limit: int) -> None:
    name = "file_data" if kind == "file" else f"{kind}_url"

    def part(size: int) -> dict[str, Any]:
        url = data_uri(b"", "a/b") + base64.b64encode(bytes(3)).decode() * (size // 3)
        return {"type": f"input_{kind}", name: url, "filename": "a"}

    assert read_response_request(parts(part(limit * MIB - 3)), strict=True)
    with pytest.raises(Refusal, match=f"under {limit} MB") as caught:
        read_response_request(parts(part(limit * MIB + 3)), strict=True)
    assert caught.value.error["param"] == f"{AT}.{name}"
    assert len(str(caught.value)) < 200


def test_models_of_other_endpoints_are_refused() -> None:
    for model, status in (("seedance", 400), ("claude-3-5-sonnet-20241022", 400), ("gpt-99", 404)):
        with pytest.raises(Refusal) as caught:
            read_response_request(asking(model=model), strict=False)
        assert (caught.value.status, caught.value.error["param"]) == (status, "model")


def test_an_earlier_response_is_refused_only_by_a_strict_server() -> None:
    given = asking(previous_response_id="resp_1")
    assert read_response_request(given, strict=False).prompt == "Hello"
    with pytest.raises(Refusal, match="keeps no responses") as caught:
        read_response_request(given, strict=True)
    assert caught.value.error["param"] == "previous_response_id"
    with pytest.raises(Refusal, match="no field of this endpoint"):
        read_response_request(asking(max_tokens=3), strict=True)
    assert read_response_request(asking(max_tokens=3), strict=False).max_tokens is None


def test_a_request_becomes_typed_values() -> None:
    request = read_response_request(
        asking(
            [
                {"role": "user", "content": [TEXT, video(fps=2), FILE]},
                {"type": "reasoning", "id": "rs", "summary": []},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "Let me see."}],
                },
                {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
                {"type": "function_call", "call_id": "c2", "name": "look"},
                {"type": "function_call_output", "call_id": "c1", "output": "one"},
                {
                    "type": "function_call_output",
                    "call_id": "c2",
                    "output": [{"type": "input_text", "text": "2"}],
                },
            ],
            instructions="Be brief.",
            max_output_tokens=40,
            tools=[TOOL],
            tool_choice={"type": "function", "name": "get_weather"},
            parallel_tool_calls=False,
            reasoning={"effort": "minimal", "summary": "auto"},
            text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
        ),
        strict=True,
    )
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "tool", "tool"]
    assert (request.system, request.prompt, request.max_tokens) == ("Be brief.", "What is this?", 40)
    assert request.messages[1].media[0].fps == 2
    assert request.messages[1].documents[0].name == "a.txt"
    assert request.messages[2].text == "Let me see."
    assert [call.id for call in request.messages[2].calls] == ["c1", "c2"]
    assert [message.text for message in request.messages[3:]] == ["one", "2"]
    assert (request.tool_mode, request.tool_name) == (ToolMode.NAMED, "get_weather")
    assert (request.form, request.schema) == (Form.SCHEMA, {"type": "object"})
    assert (request.thinks, request.parallel_calls) == (False, False)


# --- plain replies -----------------------------------------------------------------------------------------


async def created(client: httpx.AsyncClient, given: Any = "Hello", **more: Any) -> Any:
    reply = await client.post(PATH, json=asking(given, **more))
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_a_plain_reply_has_the_documented_shape() -> None:
    async with connect(Config(key=KEY, speed=0), now=lambda: 1_774_236_829.5) as client:
        found = await created(client, "what is 17*23+4")
    assert found["id"].startswith("resp_")
    assert (found["object"], found["model"], found["status"]) == ("response", MODEL, "completed")
    assert (found["created_at"], found["completed_at"]) == (1_774_236_829, 1_774_236_829)
    thought, message = found["output"]
    assert (thought["type"], thought["status"], set(thought["summary"][0])) == (
        "reasoning",
        "completed",
        {"type", "text"},
    )
    assert "17 × 23 = 391" in thought["summary"][0]["text"]
    assert (message["type"], message["role"], message["status"]) == ("message", "assistant", "completed")
    (part,) = message["content"]
    assert (part["type"], part["annotations"], "**395**" in part["text"]) == ("output_text", [], True)
    assert thought["id"] != message["id"]
    usage = found["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]
    assert usage["input_tokens_details"] == {"cached_tokens": 0}


async def test_time_passes_between_creation_and_completion() -> None:
    now = 1_000.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    config = Config(key=KEY)
    async with connect(config, now=lambda: now, clock=lambda: now, sleep=sleep) as client:
        found = await created(client, "sim:chunks=600")
    assert found["completed_at"] - found["created_at"] >= 600 / config.tokens_per_second


async def test_without_thinking_there_is_no_thought(client: httpx.AsyncClient) -> None:
    for more in ({"thinking": {"type": "disabled"}}, {"reasoning": {"effort": "minimal"}}):
        found = await created(client, **more)
        assert [item["type"] for item in found["output"]] == ["message"]
        assert found["usage"]["output_tokens_details"]["reasoning_tokens"] == 0


async def test_a_limit_makes_the_response_incomplete(client: httpx.AsyncClient) -> None:
    found = await created(client, "plugh", max_output_tokens=12)
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "length"})
    assert found["output"][-1]["status"] == "incomplete"
    assert found["usage"]["output_tokens"] == 12
    assert "incomplete_details" not in await created(client, "plugh")


async def test_the_older_profiles_tell_less() -> None:
    for profile in (Profile.FLAT, Profile.OLDEST):
        async with connect(Config(key=KEY, speed=0, profile=profile)) as client:
            found = await created(client, "what is 2+3")
        assert found["output"] == [
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": found["output"][0]["content"][0]["text"]}],
            }
        ]
        assert set(found["usage"]) == {
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "output_tokens_details",
        }


@pytest.mark.parametrize(
    ("chat", "response"),
    [
        (body("A poem about tea"), asking("A poem about tea")),
        (body("Hello", temperature=0.3), asking("Hello", temperature=0.3)),
        (body("plugh", thinking={"type": "disabled"}), asking("plugh", thinking={"type": "disabled"})),
        (body("what is 7*8", max_tokens=9), asking("what is 7*8", max_output_tokens=9)),
        (
            body(
                messages=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "My name is Ada."},
                    {"role": "assistant", "content": "Hello Ada."},
                    {"role": "user", "content": "What is my name?"},
                ]
            ),
            asking(
                [
                    {"role": "user", "content": "My name is Ada."},
                    {"role": "assistant", "content": [{"type": "output_text", "text": "Hello Ada."}]},
                    {"role": "user", "content": "What is my name?"},
                ],
                instructions="Be brief.",
            ),
        ),
        (
            body([image_part(two_coloured()), {"type": "text", "text": "What is this?"}]),
            asking([{"role": "user", "content": [image(data_uri(two_coloured(), "image/png")), TEXT]}]),
        ),
        (
            body("What is 2+3? Answer in JSON", response_format={"type": "json_object"}),
            asking("What is 2+3? Answer in JSON", text={"format": {"type": "json_object"}}),
        ),
    ],
    ids=["poem", "greeting", "no thought", "limit", "talk", "picture", "json"],
)
async def test_chat_and_responses_say_the_same(
    client: httpx.AsyncClient, chat: dict[str, Any], response: dict[str, Any]
) -> None:
    said = (await client.post(CHAT, json=chat)).json()
    found = (await client.post(PATH, json=response)).json()
    message = said["choices"][0]["message"]
    texts = {item["type"]: item for item in found["output"]}
    assert (
        texts["message"]["content"][0]["text"].replace("`max_output_tokens`", "`max_tokens`")
        == message["content"]
    )
    if "reasoning_content" in message:
        assert texts["reasoning"]["summary"][0]["text"] == message["reasoning_content"]
    assert found["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert found["usage"]["output_tokens"] == said["usage"]["completion_tokens"]


async def test_a_tool_is_called_and_its_result_is_used(client: httpx.AsyncClient) -> None:
    turns: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = await created(client, turns, tools=[TOOL])
    *_, call = first["output"]
    assert (call["type"], call["name"], call["status"]) == ("function_call", "get_weather", "completed")
    assert json.loads(call["arguments"]) == {"city": "Oslo"}
    assert call["id"] != call["call_id"]
    assert not [item for item in first["output"] if item["type"] == "message"]
    turns += [
        *first["output"],
        {"type": "function_call_output", "call_id": call["call_id"], "output": '{"sky": "grey"}'},
    ]
    second = await created(client, turns, tools=[TOOL])
    assert "`get_weather` (city Oslo) says:\n\n- sky: **grey**" in second["output"][-1]["content"][0]["text"]


# --- streams -----------------------------------------------------------------------------------------------


async def streamed(
    client: httpx.AsyncClient, given: Any = "what is 2+3", **more: Any
) -> list[tuple[str, Any]]:
    reply = await client.post(PATH, json=asking(given, stream=True, **more))
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    return events(reply.text)


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        name = lines[0].removeprefix("event: ") if lines[0].startswith("event: ") else ""
        data = lines[-1].removeprefix("data: ")
        found.append((name, data if data == "[DONE]" else json.loads(data)))
    return found


def squeezed(found: list[tuple[str, Any]]) -> list[str]:
    """The kinds of events, deltas in a row as one."""
    kinds: list[str] = []
    for name, _ in found:
        short = name.removeprefix("response.")
        if not kinds or kinds[-1] != short:
            kinds.append(short)
    return kinds


MESSAGE = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]
THOUGHT = [f"reasoning_summary_{kind}" for kind in ("part.added", "text.delta", "text.done", "part.done")]


async def test_the_events_come_in_the_upstreams_order(client: httpx.AsyncClient) -> None:
    found = await streamed(client)
    assert squeezed(found) == [
        *("created", "in_progress"),
        *("output_item.added", *THOUGHT, "output_item.done"),
        *("output_item.added", *MESSAGE, "output_item.done"),
        *("completed", ""),
    ]
    assert found[-1] == ("", "[DONE]")
    numbered = [event for _, event in found[:-1]]
    assert [event["sequence_number"] for event in numbered] == list(range(len(numbered)))
    assert [event["type"] for event in numbered] == [name for name, _ in found[:-1]]


async def test_the_parts_of_a_stream_fit_together(client: httpx.AsyncClient) -> None:
    found = [event for _, event in (await streamed(client))[:-1]]
    whole = found[-1]["response"]
    plain = await created(client, "what is 2+3")
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message"]
    for index, item in enumerate(whole["output"]):
        mine = [event for event in found if event.get("output_index") == index]
        assert {event["item_id"] for event in mine if "item_id" in event} == {item["id"]}
        assert (mine[0]["item"]["id"], mine[0]["item"]["status"]) == (item["id"], "in_progress")
        assert mine[-1]["item"] == item
        text = "".join(event["delta"] for event in mine if event["type"].endswith(".delta"))
        inner = item.get("summary") or item["content"]
        assert text == inner[0]["text"] == next(e["text"] for e in mine if e["type"].endswith("text.done"))
    first = found[0]["response"]
    assert (first["status"], first["output"], first["id"]) == ("in_progress", [], whole["id"])
    assert whole["usage"] == plain["usage"]
    assert whole["output"][1]["content"] == plain["output"][1]["content"]


async def test_calls_stream_their_arguments(client: httpx.AsyncClient) -> None:
    found = await streamed(client, "Compare the weather in Oslo and Rome", tools=[TOOL])
    one = [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    kinds = squeezed(found)
    assert kinds[kinds.index("output_item.done") + 1 :] == [*one, *one, "completed", ""]
    calls = [event for _, event in found[:-1] if event["type"] == "response.function_call_arguments.done"]
    assert [json.loads(event["arguments"])["city"] for event in calls] == ["Oslo", "Rome"]
    for event in calls:
        deltas = [
            e["delta"]
            for _, e in found[:-1]
            if e["type"].endswith("delta") and e["item_id"] == event["item_id"]
        ]
        assert "".join(deltas) == event["arguments"]
    added = [event["item"] for _, event in found[:-1] if event["type"] == "response.output_item.added"]
    assert [item.get("arguments") for item in added[1:]] == ["", ""]


async def test_a_limit_ends_the_stream_as_incomplete(client: httpx.AsyncClient) -> None:
    found = await streamed(client, "plugh", max_output_tokens=12)
    name, last = found[-2]
    assert name == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "length"}


async def test_the_shortest_form_is_that_of_anyfasts_own_sample(client: httpx.AsyncClient) -> None:
    plain = (await created(client, "what is 2+3"))["output"][-1]["content"][0]["text"]
    found = await streamed(client, "what is 2+3 sim:minimal")
    assert squeezed(found) == ["output_text.delta", "completed"]
    deltas = [event for _, event in found[:-1]]
    assert all(set(event) == {"type", "delta"} for event in deltas)
    assert "".join(event["delta"] for event in deltas) == plain
    assert set(found[-1][1]) == {"type", "response"}
    assert set(found[-1][1]["response"]) == {"id", "object", "status", "usage"}
    async with connect(Config(key=KEY, speed=0, profile=Profile.FLAT)) as older:
        assert squeezed(await streamed(older)) == ["output_text.delta", "completed"]
        calls = await streamed(older, "The weather in Oslo", tools=[TOOL])
    assert squeezed(calls) == ["output_item.done", "completed"]
    assert json.loads(calls[0][1]["item"]["arguments"]) == {"city": "Oslo"}


async def test_streams_end_as_asked(client: httpx.AsyncClient) -> None:
    cut = await streamed(client, "sim:cut=7 sim:chunks=50")
    assert len(cut) == 7
    assert cut[-1][0] == "response.output_text.delta"
    *before, (name, error) = await streamed(client, "sim:error-midstream=6 sim:chunks=50")
    assert (name, len(before), error["sequence_number"]) == ("error", 6, 6)
    assert {"code", "message", "param"} < set(error)
    *before, (name, failed) = await streamed(client, "sim:failed sim:chunks=50")
    assert (name, failed["response"]["status"], failed["sequence_number"]) == (
        "response.failed",
        "failed",
        len(before),
    )
    assert failed["response"]["error"]["code"] == "server_error"
    half = [event for _, event in before if event["type"] == "response.output_text.delta"]
    assert len(half) == 25
    *_, (name, short) = await streamed(client, "sim:failed sim:minimal sim:chunks=50")
    assert (name, "sequence_number" in short) == ("response.failed", False)


async def test_the_usual_words_work(client: httpx.AsyncClient) -> None:
    statuses = [(await client.post(PATH, json=asking("sim:503x1 hello"))).status_code for _ in range(2)]
    assert statuses == [503, 200]
    assert (await client.post(PATH, json=asking("sim:429/8"))).headers["retry-after"] == "8"
    assert (await client.post(PATH, json=asking("sim:html"))).headers["content-type"].startswith("text/html")
    assert (await client.post(PATH, json=asking("sim:error-midstream"))).status_code == 500
    failed = (await client.post(PATH, json=asking("sim:failed"))).json()
    assert (failed["status"], failed["usage"], set(failed["error"])) == ("failed", None, {"code", "message"})
    refused = await client.post(PATH, json=asking("sim:bad-words"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        400,
        "InputTextSensitiveContentDetected",
    )
    plain = await streamed(client, "计算 12 乘以 3")
    text = await client.post(PATH, json=asking("sim:ping sim:split 计算 12 乘以 3", stream=True))
    assert ": PING" in text.text
    deltas = [
        [e["delta"] for name, e in found if name.endswith("text.delta")]
        for found in (plain, events(text.text))
    ]
    assert deltas[0] == deltas[1]
    echoed = (await created(client, [{"role": "user", "content": "sim:echo"}], temperature=0.3))["output"][-1]
    assert json.loads(echoed["content"][0]["text"])["temperature"] == 0.3


async def test_a_refusal_is_json_even_for_a_stream(client: httpx.AsyncClient) -> None:
    reply = await client.post(PATH, json=asking(stream=True, temperature=3))
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "message": "temperature must be between 0 and 2, got 3",
        "type": "invalid_request_error",
        "code": "invalid_parameter",
        "param": "temperature",
    }
