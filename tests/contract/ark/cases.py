"""The vendor's SDK against a server that speaks AnyFast: run by its own Python, one line for each case.

    python cases.py BASE_URL KEY

Prints ``ok NAME`` or ``FAILED NAME`` with the reason; nothing of this project is imported.
"""

from __future__ import annotations

import base64
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime._exceptions import ArkAPIError, ArkAuthenticationError, ArkBadRequestError
from volcenginesdkarkruntime.types.images import SequentialImageGenerationOptions

CHAT = "doubao-seed-2.0-pro"
VISION = "doubao-seed-1-6-251015"
SEEDREAM = "doubao-seedream-4-5-251128"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Current weather of a city", "parameters": PARAMETERS}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


# --- chat ---------------------------------------------------------------------------------


def chat(ark: Any) -> None:
    answer = ark.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "What is 6 * 7?"}])
    message = answer.choices[0].message
    assert "42" in message.content, message
    assert message.reasoning_content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0


def chat_stream(ark: Any) -> None:
    messages = [{"role": "user", "content": "What is 6 * 7?"}]
    whole = ark.chat.completions.create(model=CHAT, messages=messages).choices[0].message.content
    stream = ark.chat.completions.create(
        model=CHAT, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole, text
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0


def chat_image(ark: Any) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "How large is this picture?"},
    ]
    answer = ark.chat.completions.create(model=VISION, messages=[{"role": "user", "content": content}])
    assert "1" in answer.choices[0].message.content


def chat_tools(ark: Any) -> None:
    tools = [{"type": "function", "function": WEATHER}]
    turns: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = ark.chat.completions.create(model=CHAT, messages=turns, tools=tools)
    assert first.choices[0].finish_reason == "tool_calls"
    [call] = first.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    turns += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": '{"temperature": -3}'},
    ]
    second = ark.chat.completions.create(model=CHAT, messages=turns, tools=tools)
    assert "-3" in second.choices[0].message.content


# --- responses ----------------------------------------------------------------------------


def text_of(response: Any) -> str:
    messages = [item for item in response.output if item.type == "message"]
    return "".join(part.text for item in messages for part in item.content)


def responses(ark: Any) -> None:
    response = ark.responses.create(model=CHAT, input="What is 6 * 7?")
    assert response.status == "completed"
    assert "42" in text_of(response)
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def responses_stream(ark: Any) -> None:
    whole = text_of(ark.responses.create(model=CHAT, input="What is 6 * 7?"))
    events = list(ark.responses.create(model=CHAT, input="What is 6 * 7?", stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created", kinds
    assert kinds[-1] == "response.completed", kinds
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == whole, text
    assert text_of(events[-1].response) == whole


def responses_document(ark: Any) -> None:
    data = base64.b64encode(b"# Boats\n\nAda builds boats in Oslo. She has three of them.\n").decode()
    content = [
        {"type": "input_file", "file_data": f"data:text/markdown;base64,{data}", "filename": "boats.md"},
        {"type": "input_text", "text": "Summarize this document"},
    ]
    response = ark.responses.create(
        model="doubao-seed-2.0-lite", input=[{"type": "message", "role": "user", "content": content}]
    )
    assert "boats" in text_of(response).lower(), text_of(response)


def responses_tools(ark: Any) -> None:
    tools = [{"type": "function", **WEATHER}]
    asked: list[Any] = [{"type": "message", "role": "user", "content": "What is the weather in Oslo?"}]
    first = ark.responses.create(model=CHAT, input=asked, tools=tools)
    [call] = [item for item in first.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Oslo"}
    asked += [
        {
            "type": "function_call",
            "call_id": call.call_id,
            "name": call.name,
            "arguments": call.arguments,
        },
        {"type": "function_call_output", "call_id": call.call_id, "output": '{"temperature": -3}'},
    ]
    second = ark.responses.create(model=CHAT, input=asked, tools=tools)
    assert "-3" in text_of(second), text_of(second)


# --- images -------------------------------------------------------------------------------


def images(ark: Any) -> None:
    reply = ark.images.generate(model=SEEDREAM, prompt="A lighthouse", size="2048x2048", watermark=False)
    [picture] = reply.data
    assert picture.url.startswith("http://127.0.0.1"), picture
    assert picture.size == "2048x2048"
    assert reply.usage.generated_images == 1
    assert reply.usage.output_tokens == 2048 * 2048 // 256


def images_base64(ark: Any) -> None:
    reply = ark.images.generate(
        model=SEEDREAM, prompt="A lighthouse", size="2K", response_format="b64_json", watermark=False
    )
    data = base64.b64decode(reply.data[0].b64_json)
    assert data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n"


def images_stream(ark: Any) -> None:
    events = list(
        ark.images.generate(
            model=SEEDREAM,
            prompt="Two lighthouses",
            size="2048x2048",
            sequential_image_generation="auto",
            sequential_image_generation_options=SequentialImageGenerationOptions(max_images=2),
            watermark=False,
            stream=True,
        )
    )
    kinds = [event.type for event in events]
    done = [event for event in events if event.type == "image_generation.partial_succeeded"]
    assert kinds[-1] == "image_generation.completed", kinds
    assert [event.image_index for event in done] == [0, 1]
    assert events[-1].usage["generated_images"] == 2  # the SDK leaves it a dictionary


# --- refusals -----------------------------------------------------------------------------


def refusal(ask: Callable[..., Any], **asked: Any) -> Any:
    try:
        ask(**asked)
    except ArkAPIError as error:
        return error
    raise AssertionError("it was accepted")


def wrong_key(ark: Any) -> None:
    stranger = Ark(base_url=sys.argv[1], api_key="sk-wrong", max_retries=0)
    error = refusal(
        stranger.chat.completions.create, model=CHAT, messages=[{"role": "user", "content": "Hi"}]
    )
    assert isinstance(error, ArkAuthenticationError)
    assert (error.status_code, error.code) == (401, "invalid_api_key")


def wrong_parameter(ark: Any) -> None:
    error = refusal(ark.images.generate, model=SEEDREAM, prompt="A lighthouse", size="12x12", watermark=False)
    assert isinstance(error, ArkBadRequestError)
    assert "size" in str(error)


CASES: tuple[Callable[[Any], None], ...] = (
    chat, chat_stream, chat_image, chat_tools, responses, responses_stream, responses_document,
    responses_tools, images, images_base64, images_stream, wrong_key, wrong_parameter,
)  # fmt: skip


def main() -> None:
    base_url, key = sys.argv[1:]
    ark = Ark(base_url=base_url, api_key=key, max_retries=0)
    for case in CASES:
        try:
            case(ark)
        except Exception:  # noqa: BLE001 - the reason is printed
            print(f"FAILED {case.__name__}: {traceback.format_exc().strip()}", flush=True)
        else:
            print(f"ok {case.__name__}", flush=True)


if __name__ == "__main__":
    main()
