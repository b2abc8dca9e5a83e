"""The real openai SDK, pointed at the built-in AnyFast, unchanged."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

MODEL = "doubao-seed-2.0-pro"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}


@pytest.fixture
def client(simulator: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=simulator.base_url, api_key=simulator.key, max_retries=0) as client:
        yield client


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def ask(client: openai.OpenAI, content: Any, **more: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=user(content), **more)


def data_uri(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


# --- chat ---------------------------------------------------------------------------------------------


def test_chat(client: openai.OpenAI) -> None:
    answer = ask(client, "What is 17*23+4?")
    choice = answer.choices[0]
    assert "**395**" in choice.message.content
    assert "17 × 23 = 391" in choice.message.reasoning_content
    assert choice.finish_reason == "stop"
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < usage.completion_tokens_details.reasoning_tokens < usage.completion_tokens


def test_a_conversation_is_remembered(client: openai.OpenAI) -> None:
    turns: list[Any] = user("My name is Ada.")
    first = client.chat.completions.create(model=MODEL, messages=turns)
    turns += [first.choices[0].message, *user("What is my name?")]
    second = client.chat.completions.create(model=MODEL, messages=turns)
    assert "**Ada**" in str(second.choices[0].message.content)


def test_the_seeds_own_streaming_loop_runs_unguarded(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="doubao-seed-2.0-pro",
        messages=[
            {"role": "user", "content": "Write a short poem"}
        ],
        stream=True,
    )  # fmt: skip
    printed = ""
    for chunk in stream:
        if chunk.choices[0].delta.content:
            printed += chunk.choices[0].delta.content
    whole = client.chat.completions.create(model=MODEL, messages=user("Write a short poem"))
    assert printed == whole.choices[0].message.content


def test_usage_comes_last_when_asked_for(client: openai.OpenAI) -> None:
    *chunks, last = ask(client, "Hello", stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    thoughts = [chunk for chunk in chunks if getattr(chunk.choices[0].delta, "reasoning_content", None)]
    assert len(thoughts) == last.usage.completion_tokens_details.reasoning_tokens
    assert chunks[: len(thoughts)] == thoughts


def test_limits_and_stops(client: openai.OpenAI) -> None:
    short = ask(client, "Tell me of plughs", max_tokens=12)
    assert short.choices[0].finish_reason == "length"
    assert short.usage.completion_tokens == 12
    assert short.choices[0].message.content
    stopped = ask(client, "What is 17*23+4?", stop=["Step by"])
    assert stopped.choices[0].finish_reason == "stop"
    assert "Step" not in stopped.choices[0].message.content


def test_json_form(client: openai.OpenAI) -> None:
    answer = ask(client, "What is 2+3? Answer in JSON", response_format={"type": "json_object"})
    assert "5" in json.loads(answer.choices[0].message.content)["answer"]


def test_two_thousand_chunks_and_eight_streams_at_once(simulator: Any) -> None:
    async def one(client: openai.AsyncOpenAI) -> int:
        stream = await client.chat.completions.create(
            model=MODEL, messages=user("sim:chunks=2000"), stream=True, stream_options={"include_usage": True}
        )
        return len([chunk async for chunk in stream if chunk.choices and chunk.choices[0].delta.content])

    async def all_of_them() -> list[int]:
        async with openai.AsyncOpenAI(base_url=simulator.base_url, api_key=simulator.key) as client:
            return await asyncio.gather(*(one(client) for _ in range(8)))

    assert asyncio.run(all_of_them()) == [2_000] * 8


# --- tools ----------------------------------------------------------------------------------------------


def test_a_tool_is_called_and_its_result_is_used(client: openai.OpenAI) -> None:
    turns: list[Any] = user("What is the weather in Oslo in celsius?")
    first = client.chat.completions.create(model=MODEL, messages=turns, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    [call] = first.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "Oslo", "unit": "celsius"}
    turns += [
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": '{"temperature": -3}'},
    ]
    second = client.chat.completions.create(model=MODEL, messages=turns, tools=[WEATHER])
    assert second.choices[0].finish_reason == "stop"
    assert "-3" in str(second.choices[0].message.content)


def test_tool_calls_stream(client: openai.OpenAI) -> None:
    calls: dict[int, dict[str, str]] = {}
    finish = ""
    for chunk in ask(
        client, "The weather in Oslo and Rome?", tools=[WEATHER], tool_choice="required", stream=True
    ):
        finish = chunk.choices[0].finish_reason or finish
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    assert finish == "tool_calls"
    assert [json.loads(call["arguments"])["city"] for call in calls.values()] == ["Oslo", "Rome"]
    assert {call["name"] for call in calls.values()} == {"get_weather"}
    assert len({call["id"] for call in calls.values()}) == 2


def test_the_sdks_own_stream_reader_understands_the_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model=MODEL, messages=user("The weather in Oslo?"), tools=[WEATHER], tool_choice="required"
    ) as stream:
        final = stream.get_final_completion()
    assert json.loads((final.choices[0].message.tool_calls or [])[0].function.arguments)["city"] == "Oslo"


@pytest.mark.parametrize("choice", ["none", {"type": "function", "function": {"name": "get_weather"}}])
def test_tool_choice(client: openai.OpenAI, choice: Any) -> None:
    answer = ask(client, "The weather in Oslo?", tools=[WEATHER], tool_choice=choice)
    assert bool(answer.choices[0].message.tool_calls) == (choice != "none")


# --- vision -----------------------------------------------------------------------------------------------


def test_a_picture_is_seen(client: openai.OpenAI) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (320, 200), (225, 25, 25)).save(out, "PNG")
    part = {"type": "image_url", "image_url": {"url": data_uri(out.getvalue(), "image/png")}}
    answer = ask(client, [part, {"type": "text", "text": "What is in this image?"}])
    assert "320 × 200" in answer.choices[0].message.content
    assert "red 100%" in answer.choices[0].message.content
    assert answer.usage.prompt_tokens > 320 * 200 // 256


def test_a_clip_is_seen(client: openai.OpenAI, tmp_path: Path) -> None:
    import av
    from PIL import Image

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for index in range(36):
            colour = "green" if index < 18 else "white"
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (128, 96), colour))))
        container.mux(stream.encode())
    url = data_uri(path.read_bytes(), "video/mp4")
    answer = ask(client, [{"type": "video_url", "video_url": {"url": url, "fps": 2}}])
    text = answer.choices[0].message.content
    assert "3.0 s long, 128 × 96 pixels, 12 frames per second" in text
    assert "At fps 2 a model looks at 6 of its frames" in text
    assert re.search(r"green, .* white", text)


def test_an_address_is_described_and_never_fetched(client: openai.OpenAI) -> None:
    part = {"type": "image_url", "image_url": {"url": "https://example.com/photo.jpg"}}
    assert "not reachable" in ask(client, [part]).choices[0].message.content


# --- models and errors ----------------------------------------------------------------------------------


def test_models_are_listed(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {MODEL, "glm-4-7-251222", "claude-3-5-sonnet-20241022", "seedance", "kling-v3"} <= listed


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("sim:403", openai.PermissionDeniedError),
        ("sim:409", openai.ConflictError),
        ("sim:422", openai.UnprocessableEntityError),
        ("sim:429", openai.RateLimitError),
        ("sim:500", openai.InternalServerError),
        ("sim:503", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_each_status_is_the_sdks_own_error(
    client: openai.OpenAI, prompt: str, kind: type[openai.APIStatusError], stream: bool
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, prompt, stream=stream)
    assert caught.value.status_code == int(prompt[4:])
    assert caught.value.type
    assert caught.value.code


def test_a_bad_request_names_its_field(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "x", temperature=9)
    assert (caught.value.param, caught.value.code) == ("temperature", "invalid_parameter")
    assert "between 0 and 2" in caught.value.message


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-99", messages=user("x"))
    assert caught.value.code == "model_not_found"


def test_an_unknown_path_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(POST /v1/embeddings\)"):
        client.embeddings.create(model=MODEL, input="x")


def test_a_wrong_key_is_an_authentication_error(simulator: Any) -> None:
    client = openai.OpenAI(base_url=simulator.base_url, api_key="sk-wrong", max_retries=0)
    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()
    assert caught.value.code == "invalid_api_key"
    assert "sk-wrong" not in str(caught.value)


def test_the_sdk_retries_until_it_works(simulator: Any) -> None:
    with openai.OpenAI(base_url=simulator.base_url, api_key=simulator.key, max_retries=2) as client:
        assert ask(client, "sim:429x1 Hello from the retries").choices[0].message.content


def test_an_error_in_the_stream_is_raised(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match="half way"):
        list(ask(client, "sim:error-midstream Hello", stream=True))


def test_a_dropped_stream_is_a_connection_error(client: openai.OpenAI) -> None:
    import httpx

    got = []
    stream = ask(client, "sim:drop=3 sim:chunks=100", stream=True)
    with pytest.raises((openai.APIError, httpx.RemoteProtocolError)):
        got.extend(stream)
    assert len(got) == 3


def test_comments_and_split_bytes_do_not_disturb(client: openai.OpenAI) -> None:
    chunks = list(ask(client, "sim:ping sim:split 计算 12 乘以 3", stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "12 × 3 = **36**" in text
