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


# --- responses ----------------------------------------------------------------------------------------

FLAT_WEATHER: Any = {"type": "function", **WEATHER["function"]}


def test_a_response(client: openai.OpenAI) -> None:
    answer = client.responses.create(model=MODEL, input="What is 17*23+4?")
    chat = ask(client, "What is 17*23+4?").choices[0].message
    assert answer.output_text == chat.content
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert 0 < answer.usage.output_tokens_details.reasoning_tokens < answer.usage.output_tokens


def test_a_response_streams(client: openai.OpenAI) -> None:
    found = list(client.responses.create(model=MODEL, input="Write a short poem", stream=True))
    whole = client.responses.create(model=MODEL, input="Write a short poem")
    text = "".join(event.delta for event in found if event.type == "response.output_text.delta")
    assert text == whole.output_text
    assert (found[0].type, found[-1].type) == ("response.created", "response.completed")
    assert [event.sequence_number for event in found] == list(range(len(found)))
    assert found[-1].response.output_text == text


def test_the_sdks_own_reader_understands_the_events(client: openai.OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="The weather in Oslo?", tools=[FLAT_WEATHER]) as stream:
        final = stream.get_final_response()
    (call,) = [item for item in final.output if item.type == "function_call"]
    assert json.loads(call.arguments)["city"] == "Oslo"


def test_the_shortest_events_are_enough_for_the_sdk(client: openai.OpenAI) -> None:
    found = list(client.responses.create(model=MODEL, input="sim:minimal What is 2+3?", stream=True))
    assert {event.type for event in found} == {"response.output_text.delta", "response.completed"}
    assert "**5**" in "".join(event.delta for event in found if event.type == "response.output_text.delta")


def test_a_tool_of_a_response_is_called_and_its_result_is_used(client: openai.OpenAI) -> None:
    turns: list[Any] = user("What is the weather in Oslo in celsius?")
    first = client.responses.create(model=MODEL, input=turns, tools=[FLAT_WEATHER])
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Oslo", "unit": "celsius"}
    turns += first.output
    turns.append({"type": "function_call_output", "call_id": call.call_id, "output": '{"temperature": -3}'})
    second = client.responses.create(model=MODEL, input=turns, tools=[FLAT_WEATHER])
    assert "-3" in second.output_text


def test_a_document_is_read(client: openai.OpenAI) -> None:
    from tests.simulator.papers import report

    file: Any = {
        "type": "input_file",
        "filename": "light.pdf",
        "file_data": data_uri(report(), "application/pdf"),
    }
    turns: Any = user([file, {"type": "input_text", "text": "How many pages are there?"}])
    answer = client.responses.create(model="doubao-seed-2.0-lite", input=turns)
    assert "`light.pdf` has **3** pages" in answer.output_text


def test_a_response_without_room_is_incomplete(client: openai.OpenAI) -> None:
    answer = client.responses.create(model=MODEL, input="Tell me of plughs", max_output_tokens=12)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "length"


def test_errors_of_responses_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input="x", temperature=9)
    assert caught.value.param == "temperature"
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model=MODEL, input="sim:429")
    failed = list(client.responses.create(model=MODEL, input="sim:failed sim:chunks=20", stream=True))
    assert failed[-1].type == "response.failed"
    assert failed[-1].response.error is not None
    broken = list(client.responses.create(model=MODEL, input="sim:error-midstream Hello", stream=True))
    assert broken[-1].type == "error"
    assert "half way" in broken[-1].message


# --- pictures -----------------------------------------------------------------------------------------

SEEDREAM: Any = {"model": "doubao-seedream-4-0-250828", "prompt": "A red kite", "size": "1280x1024"}


def test_a_picture_comes_by_link(client: openai.OpenAI) -> None:
    import httpx
    from PIL import Image

    answer = client.images.generate(**SEEDREAM)
    assert answer.data is not None
    url = answer.data[0].url
    assert url is not None
    data = httpx.get(url, trust_env=False).content
    assert Image.open(io.BytesIO(data)).size == (1280, 1024)


def test_pictures_come_as_bytes(client: openai.OpenAI) -> None:
    from PIL import Image

    group = {
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 2},
        "watermark": False,
    }
    answer = client.images.generate(**SEEDREAM, response_format="b64_json", extra_body=group)
    found = [base64.b64decode(item.b64_json or "") for item in answer.data or []]
    assert [Image.open(io.BytesIO(data)).size for data in found] == [(1280, 1024)] * 2
    assert found[0] != found[1]
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * 1280 * 1024 // 256


def test_a_picture_that_does_not_pass_review_is_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**SEEDREAM | {"prompt": "sim:moderation"})
    assert caught.value.code == "OutputImageSensitiveContentDetected"


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
