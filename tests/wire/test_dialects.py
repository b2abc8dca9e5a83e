from __future__ import annotations

from typing import Any

import pytest

from anyfast_nb.wire.conversation import file_part, image_part, user_message
from anyfast_nb.wire.dialects import CHAT, RESPONSES, dialect_of

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "rain"}
QUESTION = {"role": "user", "content": [{"type": "input_text", "text": "What?"}]}


def test_a_body_says_which_api_it_is_for() -> None:
    assert dialect_of({"messages": []}) is CHAT
    assert dialect_of({"input": ""}) is RESPONSES
    assert [(each.kind, each.path) for each in (CHAT, RESPONSES)] == [
        ("chat", "/v1/chat/completions"),
        ("responses", "/v1/responses"),
    ]
    assert RESPONSES.max_line_bytes > CHAT.max_line_bytes


@pytest.mark.parametrize(
    ("body", "prompt", "texts"),
    [
        ({"input": "Hello"}, "Hello", ["Hello"]),
        ({"input": [QUESTION, CALL, OUTPUT]}, "What?", ["What?", '{"a": 1}', "rain"]),
        ({"input": [{**OUTPUT, "output": [{"type": "input_text"}]}]}, "", ['[{"type": "input_text"}]']),
        (
            {"messages": [{"role": "system", "content": "s"}, user_message("x", media=[image_part("u")])]},
            "x",
            ["s", "x"],
        ),
        ({"input": [user_message("x", media=[file_part("https://h/a.pdf")])]}, "x", ["x"]),
    ],
)
def test_the_words_of_a_body_are_found_in_either_form(
    body: dict[str, Any], prompt: str, texts: list[str]
) -> None:
    dialect = dialect_of(body)
    assert dialect.prompt(body).strip() == prompt
    assert [text.strip() for text in dialect.texts(body)] == texts


def test_each_reader_begins_with_nothing() -> None:
    for dialect in (CHAT, RESPONSES):
        reader = dialect.reader("asked")
        assert (reader.begun, reader.finished, reader.model, reader.id) == (False, False, "asked", "")
        assert reader.answer().text == ""
        assert not dialect.ends({"type": "ping"})
