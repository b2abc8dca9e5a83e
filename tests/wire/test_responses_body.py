from __future__ import annotations

from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.wire.chat import build_chat
from anyfast_nb.wire.conversation import (
    file_part,
    has_document,
    image_part,
    text_part,
    user_message,
    video_part,
)
from anyfast_nb.wire.responses import build_responses

HELLO = [{"role": "user", "content": "Hello!"}]
NESTED = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather", "parameters": {"type": "object"}},
}
FLAT = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather",
    "parameters": {"type": "object"},
}
PHOTO = "https://ark-project.tos-cn-beijing.volces.com/doc_image/ark_demo_img_1.png"


def build(messages: Any = "Hello!", **changes: Any) -> dict[str, Any]:
    return build_responses(messages, **{"model": "m", **changes})


def user(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def asked(media: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """A question in the house's own form: what a magic or a client makes."""
    return [user_message(text, media=[media])]


# --- the bodies of the vendor's pages ---------------------------------------------------------

# (the house's form of the question, other arguments, the documented body)
DOCUMENTED: list[Any] = [
    pytest.param(
        HELLO,
        {"model": "doubao-seed-2.0-pro"},
        {"model": "doubao-seed-2.0-pro", "input": "Hello!"},
        id="text",
    ),
    pytest.param(
        asked(image_part("https://example.com/photo.jpg"), "What is in this image?"),
        {"model": "doubao-seed-1-6-251015"},
        {
            "model": "doubao-seed-1-6-251015",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": "https://example.com/photo.jpg"},
                        {"type": "input_text", "text": "What is in this image?"},
                    ],
                }
            ],
        },
        id="image",
    ),
    pytest.param(
        asked(video_part("https://example.com/clip.mp4", fps=1), "What is in this video?"),
        {"model": "doubao-seed-1-6-251015"},
        {
            "model": "doubao-seed-1-6-251015",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_video", "video_url": "https://example.com/clip.mp4", "fps": 1},
                        {"type": "input_text", "text": "What is in this video?"},
                    ],
                }
            ],
        },
        id="video",
    ),
    pytest.param(
        asked(file_part("https://example.com/document.pdf"), "Summarize this document"),
        {"model": "doubao-seed-2.0-lite"},
        {
            "model": "doubao-seed-2.0-lite",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_file", "file_url": "https://example.com/document.pdf"},
                        {"type": "input_text", "text": "Summarize this document"},
                    ],
                }
            ],
        },
        id="document by URL",
    ),
    pytest.param(
        asked(
            file_part(data="data:application/pdf;base64,{BASE64_PDF}", filename="document.pdf"),
            "Summarize this document",
        ),
        {"model": "lite"},
        {
            "model": "doubao-seed-2.0-lite",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "input_file",
                            "file_data": "data:application/pdf;base64,{BASE64_PDF}",
                            "filename": "document.pdf",
                        },
                        {"type": "input_text", "text": "Summarize this document"},
                    ],
                }
            ],
        },
        id="document by base64",
    ),
    pytest.param(
        asked(image_part(PHOTO), "What is in this image?"),
        {
            "model": "doubao-seed-1-6-251015",
            "stream": False,
            "temperature": 1,
            "top_p": 0.5,
            "max_output_tokens": 2,
            "reasoning": "minimal",
        },
        {
            "model": "doubao-seed-1-6-251015",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": PHOTO},
                        {"type": "input_text", "text": "What is in this image?"},
                    ],
                }
            ],
            "stream": False,
            "temperature": 1,
            "top_p": 0.5,
            "max_output_tokens": 2,
            "reasoning": {"effort": "minimal"},
        },
        id="the reference's own",
    ),
]


@pytest.mark.parametrize(("messages", "arguments", "body"), DOCUMENTED)
def test_the_documented_bodies_are_made_of_the_houses_form(
    messages: Any, arguments: dict[str, Any], body: dict[str, Any]
) -> None:
    assert build_responses(messages, **arguments) == body


@pytest.mark.parametrize(("messages", "arguments", "body"), DOCUMENTED)
def test_the_documented_input_is_taken_as_it_is(
    messages: Any, arguments: dict[str, Any], body: dict[str, Any]
) -> None:
    assert build_responses(body["input"], **arguments) == body


# --- conversations ----------------------------------------------------------------------------


def test_a_conversation_keeps_its_roles_and_its_calls_become_items() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "reasoning_content": "Hm", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": [text_part("It "), text_part("rains.")]},
        {"role": "user", "content": "Thanks"},
    ]
    assert build(messages)["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It "}, {"type": "output_text", "text": "rains."}],
        },
        {"role": "user", "content": "Thanks"},
    ]


def test_an_assistant_that_only_calls_says_no_empty_words() -> None:
    calls = [
        {"id": "c1", "function": {"name": "a", "arguments": ""}},
        {"id": "c2", "function": {"name": "b", "arguments": {"x": 1}}},
    ]
    items = build([*HELLO, {"role": "assistant", "content": "", "tool_calls": calls}])["input"]
    assert items[1:] == [
        {"type": "function_call", "call_id": "c1", "name": "a", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "b", "arguments": '{"x": 1}'},
    ]


def test_items_a_caller_wrote_pass_and_mix_with_messages() -> None:
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "y"},
        {"role": "developer", "content": "z"},
    ]
    assert build(items)["input"] == items
    assert build([*HELLO, items[3]])["input"] == [*HELLO, items[3]]


def test_a_question_of_one_message_is_a_plain_text_and_nothing_else_is() -> None:
    assert build(HELLO)["input"] == "Hello!"
    assert build([{"role": "system", "content": "s"}])["input"] == [{"role": "system", "content": "s"}]
    assert isinstance(build(user(text_part("Hello!")))["input"], list)


def test_the_callers_messages_are_not_touched() -> None:
    messages = user(image_part("https://h/a.png", detail="low"), text_part("x"))
    items = build(messages)["input"]
    assert items[0]["content"][0] == {"type": "input_image", "image_url": "https://h/a.png", "detail": "low"}
    items[0]["content"][0]["image_url"] = "changed"
    assert messages == user(image_part("https://h/a.png", detail="low"), text_part("x"))


# --- fields -----------------------------------------------------------------------------------


def test_every_argument_has_its_field() -> None:
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    assert build(
        model=" pro ",
        max_output_tokens=10,
        temperature=0.5,
        top_p=1,
        tools=[NESTED, FLAT, {"type": "web_search"}],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        reasoning={"effort": "high", "summary": "auto"},
        thinking="auto",
        response_format={"type": "json_schema", "json_schema": schema},
        stream=True,
        extra={"store": False, "instructions": "i"},
    ) == {
        "model": "doubao-seed-2.0-pro",
        "input": "Hello!",
        "max_output_tokens": 10,
        "temperature": 0.5,
        "top_p": 1,
        "tools": [FLAT, FLAT, {"type": "web_search"}],
        "tool_choice": {"type": "function", "name": "get_weather"},
        "reasoning": {"effort": "high", "summary": "auto"},
        "thinking": {"type": "auto"},
        "text": {"format": {"type": "json_schema", **schema}},
        "stream": True,
        "store": False,
        "instructions": "i",
    }
    assert build() == {"model": "m", "input": "Hello!"}
    assert build(response_format={"type": "json_object"})["text"] == {"format": {"type": "json_object"}}


def test_tools_go_either_way() -> None:
    chat = build_chat(HELLO, model="m", tools=[FLAT, NESTED], tool_choice={"type": "function", "name": "f"})
    assert chat["tools"] == [NESTED, NESTED]
    assert chat["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert build(tools=[NESTED], tool_choice="required")["tool_choice"] == "required"
    assert build(tool_choice={"type": "function", "name": "f"})["tool_choice"] == {
        "type": "function",
        "name": "f",
    }
    assert build(tool_choice={"type": "web_search"})["tool_choice"] == {"type": "web_search"}
    assert "tools" not in build(tools=[])


# (arguments, the field that the refusal names, a part of its message)
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"max_output_tokens": 0}, "max_output_tokens", "is 0; allowed is a whole number of at least 1"),
    ({"max_output_tokens": 1.5}, "max_output_tokens", "whole number"),
    ({"temperature": 2.1}, "temperature", "from 0 to 2"),
    ({"top_p": -1}, "top_p", "from 0 to 1"),
    ({"reasoning": "max"}, "reasoning", "minimal, low, medium, high"),
    ({"reasoning": {"effort": "max"}}, "reasoning.effort", "minimal, low, medium, high"),
    ({"reasoning": {"summary": "long"}}, "reasoning.summary", "auto, concise, detailed"),
    ({"thinking": "on"}, "thinking", "enabled, disabled, auto"),
    ({"tools": FLAT}, "tools", "must be a list"),
    ({"tools": [{"type": "function"}]}, "tools[0]", '"name"'),
    ({"tools": [FLAT, "f"]}, "tools[1]", "must be"),
    ({"tool_choice": "always"}, "tool_choice", "none, auto, required"),
    ({"tool_choice": {"type": "function"}}, "tool_choice", "none, auto, required"),
    ({"response_format": "json"}, "response_format", "must be a mapping"),
    ({"extra": {"input": 1}}, "extra.input", "an argument of its own"),
    ({"extra": {"text": {}}}, "extra.text", "an argument of its own"),
    ({"model": " "}, "model", "not empty"),
    ({"messages": ""}, "input", "not empty"),
    ({"messages": []}, "messages", "at least one message"),
    ({"messages": ["x"]}, "messages[0]", "must be a mapping"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "system, user, assistant, tool"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "is empty"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "text or a list of parts"),
    ({"messages": user({"type": "audio"})}, "messages[0].content[0].type", "input_text, input_image"),
    ({"messages": user({"type": "input_text"})}, "messages[0].content[0].text", "must be text"),
    (
        {"messages": user({"type": "input_image", "image_url": {"url": "https://h/secret"}})},
        "messages[0].content[0].image_url",
        "is an object; in input_image it is the URL itself",
    ),
    (
        {"messages": user({"type": "input_video", "video_url": "u", "fps": 6})},
        "messages[0].content[0].fps",
        "from 0.2 to 5",
    ),
    ({"messages": user({"type": "input_file"})}, "messages[0].content[0]", "file_url or file_data"),
    (
        {"messages": user({"type": "input_file", "file_data": "JVBERi0="})},
        "messages[0].content[0].file_data",
        "must be a data URI",
    ),
    (
        {"messages": user({"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0="})},
        "messages[0].content[0].filename",
        "not empty",
    ),
    ({"messages": user(video_part("u") | {"video_url": {}})}, "messages[0].content[0].video_url.url", "text"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "not empty"),
    ({"messages": [{"role": "tool", "tool_call_id": "c"}]}, "messages[0].content", "result"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]},
        "messages[0].tool_calls[0]",
        "an id and a function",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]},
        "messages[0].tool_calls[0].id",
        "not empty",
    ),
    ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls", "must be a list"),
    ({"messages": [{"type": "function_call_output", "output": "x"}]}, "messages[0].call_id", "not empty"),
    ({"messages": [{"type": "function_call_output", "call_id": "c"}]}, "messages[0].output", "must be text"),
    ({"messages": [{"type": "function_call", "call_id": "c"}]}, "messages[0].name", "not empty"),
]


@pytest.mark.parametrize(("arguments", "field", "words"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_bad_value_is_refused_with_its_path_and_range(
    arguments: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(**arguments)
    assert caught.value.field == field
    assert words in caught.value.message
    assert "secret" not in str(caught.value)
    assert not caught.value.sent


# --- documents --------------------------------------------------------------------------------


def test_chat_takes_no_document_and_says_where_it_can_go() -> None:
    with pytest.raises(InputError) as caught:
        build_chat(asked(file_part("https://h/a.pdf"), "Sum it up"), model="m")
    assert caught.value.field == "messages[0].content[0]"
    for word in ("files=", "--file", "Responses API", 'api="responses"'):
        assert word in caught.value.hint


def test_a_document_has_one_place_and_data_have_a_name() -> None:
    assert file_part("https://h/a.pdf", filename="a.pdf") == {
        "type": "input_file",
        "file_url": "https://h/a.pdf",
        "filename": "a.pdf",
    }
    data = "data:application/pdf;base64,JVBERi0="
    for arguments in ({}, {"url": "https://h/a.pdf", "data": data}, {"data": data}, {"data": "JVBERi0="}):
        with pytest.raises(InputError) as caught:
            file_part(**arguments)
        assert data not in str(caught.value)


def test_a_document_is_found_wherever_it_stands() -> None:
    document = asked(file_part("https://h/a.pdf"), "x")
    assert has_document([*document, {"role": "assistant", "content": "y"}, *HELLO])
    assert has_document(({"role": "user", "content": ({"type": "file"},)},))
    assert not has_document([*HELLO, {"role": "user", "content": None}, "no message", *user("no part")])
