from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.prompt import ChatRequest, chat_body, chat_request
from anyfast_nb.wire.conversation import file_part, image_part, text_part, user_message

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< >>\n%%EOF\n"
PDF_URI = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
URL = "https://example.com/report.pdf"
DOCUMENT = {"type": "input_file", "file_url": URL}
SETTINGS: Any = SimpleNamespace(model="pro", system=None)


def request(prompt: Any = "Sum it up", **options: Any) -> ChatRequest:
    return chat_request(prompt, settings=SETTINGS, **options)


def refused(prompt: Any = "x", **options: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        request(prompt, **options)
    assert not caught.value.sent
    return caught.value


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    return path


def parts_of(made: ChatRequest) -> list[dict[str, Any]]:
    content = made.body["input"][-1]["content"]
    assert isinstance(content, list)
    return content


# --- documents --------------------------------------------------------------------------------


def test_a_document_goes_to_the_responses_api_by_itself() -> None:
    made = request(files=[URL], max_tokens=50, stream=True)
    assert made.api == "responses"
    assert made.body == {
        "model": "doubao-seed-2.0-pro",
        "input": [{"role": "user", "content": [DOCUMENT, {"type": "input_text", "text": "Sum it up"}]}],
        "max_output_tokens": 50,
        "stream": True,
    }
    assert "messages" in request().body
    assert request(api="responses").body["input"] == "Sum it up"


def test_a_document_is_a_url_a_path_bytes_or_an_open_file(pdf: Path) -> None:
    with pdf.open("rb") as file:
        made = request("", files=[URL, pdf, str(pdf), PDF, file, io.BytesIO(PDF)])
    url, *sent = parts_of(made)
    assert url == DOCUMENT
    assert [part["file_data"] for part in sent] == [PDF_URI] * 5
    assert [part["filename"] for part in sent[:2]] == ["report.pdf"] * 2
    assert all(part["filename"].endswith(".pdf") for part in sent)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("notes.txt", b"Plain words.", "text/plain"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("page.html", b"<!doctype html><p>x</p>", "text/html"),
        ("data.json", b'{"a": 1}', "application/json"),
        ("read.md", b"# Title\n", "text/markdown"),
    ],
)
def test_texts_are_documents_too(tmp_path: Path, name: str, content: bytes, media_type: str) -> None:
    (tmp_path / name).write_bytes(content)
    (part,) = parts_of(request("", files=[tmp_path / name]))
    assert part["filename"] == name
    assert part["file_data"] == f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def test_media_stand_before_documents_and_both_before_the_text() -> None:
    made = request(images=["https://h/a.png"], videos=["https://h/v.mp4"], files=[URL], fps=2)
    assert [part["type"] for part in parts_of(made)] == [
        "input_image",
        "input_video",
        "input_file",
        "input_text",
    ]
    assert parts_of(made)[1] == {"type": "input_video", "video_url": "https://h/v.mp4", "fps": 2}


def test_a_document_for_chat_is_refused_whoever_brought_it() -> None:
    asked = user_message("x", media=[DOCUMENT])
    for error in (
        refused(files=[URL], api="chat"),
        refused(history=[asked], api="chat"),
        refused([asked], api="chat"),
    ):
        assert error.field == "api"
        assert "chat takes none" in error.message
        assert 'api="responses"' in error.hint


@pytest.mark.parametrize("value", [b"\x89PNG\r\n\x1a\n" + bytes(30), b"", 5], ids=["an image", "empty", "5"])
def test_what_is_no_document_is_refused(value: Any) -> None:
    refused(files=[value])


def test_a_frame_among_the_files_belongs_into_the_text() -> None:
    frame = pd.DataFrame({"a": [1]})
    for table in (frame, frame["a"], frame.style):
        error = refused(files=[URL, table])
        assert error.field == "files"
        assert "files[1]" in error.message
        assert "{{df}}" in error.hint


def test_files_are_a_list() -> None:
    assert refused(files=URL).field == "files"
    assert refused("x", images=[], videos="v.mp4").field == "videos"


def test_a_document_of_50_mb_is_refused_and_so_is_a_body_of_64(monkeypatch: pytest.MonkeyPatch) -> None:
    big = PDF + bytes(25 * 1024 * 1024)
    error = refused(files=[big, big])
    assert "64 MB" in error.message
    # what they are, and what they become in base64
    assert error.message.count("MB (") == 3
    assert "50 MB" in refused(files=[PDF + bytes(50 * 1024 * 1024)]).message


def test_no_refusal_and_no_repr_shows_a_document_or_a_signature(pdf: Path) -> None:
    signed = "https://example.com/report.pdf?signature=5ec2e7"
    assert "5ec2e7" not in str(refused(files=[signed], api="chat"))
    shown = repr(request(files=[signed, pdf]))
    assert "5ec2e7" not in shown
    assert "base64" not in shown


# --- conversations ----------------------------------------------------------------------------


def test_a_document_in_the_history_keeps_the_conversation_on_its_api() -> None:
    first = request(files=[URL])
    history = [first.message, {"role": "assistant", "content": "It says so."}]
    second = request("And then?", history=history)
    assert second.api == "responses"
    assert second.body["input"] == [
        {"role": "user", "content": [DOCUMENT, {"type": "input_text", "text": "Sum it up"}]},
        {"role": "assistant", "content": "It says so."},
        {"role": "user", "content": "And then?"},
    ]
    assert request("And then?", history=history[1:]).api == "chat"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_what_a_thread_keeps_is_the_same_whichever_api_it_went_to(api: str) -> None:
    made = request("Look", images=["https://h/a.png"], system="Be brief.", api=api)
    assert made.message == user_message("Look", media=[image_part("https://h/a.png")])
    assert made.messages[0] == {"role": "system", "content": "Be brief."}
    assert made.api == api


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_request_goes_on_after_its_tools_have_run(api: str) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    first = request("x", api=api, tools=[tool], temperature=0.5)
    second = first.followed_by(said)
    assert second.messages == (*first.messages, *said)
    assert {**second.body, **first.body} == first.body  # nothing else has changed
    if api == "chat":
        assert second.body["messages"] == [{"role": "user", "content": "x"}, *said]
    else:
        assert second.body["input"] == [
            {"role": "user", "content": "x"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
        ]
    assert first.followed_by([]).body == first.body


def test_responses_input_that_a_caller_wrote_is_sent_as_it_is() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
    ]
    assert request(items, api="responses").body["input"] == items
    for few in (items[:1], items[1:2], [{"role": "user", "content": "x"}, items[2]]):
        error = refused(few)
        assert (error.field, 'api="responses"' in error.hint) == ("api", True)
        assert refused(history=few, api="chat").field == "api"


def test_documents_in_a_callers_own_messages_are_found() -> None:
    messages = [user_message("x", media=[file_part(URL)])]
    assert request(messages).api == "responses"


# --- a list of everything ---------------------------------------------------------------------


def test_a_list_of_things_is_sorted_by_what_they_are(pdf: Path, tmp_path: Path) -> None:
    from PIL import Image

    frame = pd.DataFrame({"city": ["Oslo"], "rain": [3]})
    picture = tmp_path / "picture.bin"
    Image.new("RGB", (4, 4)).save(picture, format="PNG")
    with pdf.open("rb") as file:
        made = request(["Compare", frame, picture, np.zeros((2, 2), "uint8"), pdf, "with", frame.style, file])
    *media, text = made.message["content"]
    assert [part["type"] for part in media] == ["image_url", "image_url", "input_file", "input_file"]
    assert media[2] == media[3] == {"type": "input_file", "file_data": PDF_URI, "filename": "report.pdf"}
    words = text["text"].split("\n\n")
    assert (words[0], words[2]) == ("Compare", "with")
    assert "| city | rain |" in words[1]
    assert made.api == "responses"


def test_a_list_of_texts_is_one_text() -> None:
    assert request(["One", "two"]).body["messages"] == [{"role": "user", "content": "One\n\ntwo"}]
    made = request(("Look", "closely"), images=["https://h/a.png"])
    assert made.message["content"] == [image_part("https://h/a.png"), text_part("Look\n\nclosely")]


def test_a_list_of_two_kinds_is_refused() -> None:
    error = refused([{"role": "user", "content": "x"}, "y"])
    assert (error.field, error.message) == ("prompt", "prompt[1] is a str among messages")


def test_things_that_are_nothing_for_a_model_are_refused(tmp_path: Path) -> None:
    refused(["x", object()])
    refused(["x", tmp_path / "missing.png"])
    refused(["x", io.StringIO("text")])
    refused(["", "  "])
    with pytest.raises(InputError, match="a Pipe in the prompt cannot be looked into"):
        request(["x", Pipe()])


class Pipe:
    """A file that cannot be read twice."""

    def read(self, size: int = -1) -> bytes:
        return PDF[:size]

    def tell(self) -> int:
        raise OSError


def test_what_ipython_shows_goes_into_a_prompt(pdf: Path) -> None:
    from IPython.display import Image, Video

    from anyfast_nb.media import Use, media_item

    made = request(
        ["x", Image(url="https://h/a.png"), Video("https://h/v.mp4"), media_item(pdf, use=Use.DOCUMENT)]
    )
    assert [part["type"] for part in made.message["content"]] == [
        "image_url",
        "video_url",
        "input_file",
        "text",
    ]


# --- one word for reasoning -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "chat", "responses"),
    [
        ("high", {"reasoning_effort": "high"}, {"reasoning": {"effort": "high"}}),
        ("minimal", {"reasoning_effort": "minimal"}, {"reasoning": {"effort": "minimal"}}),
        ("off", {"thinking": {"type": "disabled"}}, {"reasoning": {"effort": "minimal"}}),
    ],
)
def test_reasoning_is_said_in_each_apis_way(
    word: str, chat: dict[str, Any], responses: dict[str, Any]
) -> None:
    plain = request("x").body
    assert request("x", reasoning=word).body == {**plain, **chat}
    plain = request("x", api="responses").body
    assert request("x", api="responses", reasoning=word).body == {**plain, **responses}


def test_chats_own_words_for_it_are_understood_by_both() -> None:
    body = request("x", api="responses", reasoning_effort="low", thinking="enabled").body
    assert (body["reasoning"], body["thinking"]) == ({"effort": "low"}, {"type": "enabled"})


def test_reasoning_is_said_once() -> None:
    assert refused(reasoning="high", thinking="disabled").field == "reasoning"
    assert refused(reasoning="off", reasoning_effort="low").field == "reasoning"
    assert "minimal, low, medium, high, off" in refused(reasoning="max").message


# --- parameters -------------------------------------------------------------------------------


def test_every_parameter_of_chat_has_its_name_in_the_other_api() -> None:
    tool = {"type": "function", "name": "f"}
    body = request(
        "x",
        api="responses",
        max_tokens=7,
        temperature=0,
        top_p=0.5,
        tools=[tool],
        tool_choice="auto",
        response_format={"type": "json_object"},
        extra={"store": False},
    ).body
    assert body == {
        "model": "doubao-seed-2.0-pro",
        "input": "x",
        "max_output_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "tools": [tool],
        "tool_choice": "auto",
        "text": {"format": {"type": "json_object"}},
        "store": False,
    }


def test_what_the_other_api_has_not_is_refused() -> None:
    error = refused(api="responses", stop=["END"])
    assert error.field == "stop"
    assert refused(files=[URL], stop="END").field == "stop"
    assert request("x", api="responses", stop=None).body["input"] == "x"
    assert refused(api="assistants").field == "api"
    # A refusal names the argument that the caller knows.
    assert refused(api="responses", max_tokens=0).field == "max_tokens"
    assert refused(api="responses", reasoning_effort="max").field == "reasoning_effort"
    assert "Did you mean files?" in refused(filez=[URL]).hint


def test_the_body_alone_is_the_same() -> None:
    assert chat_body("x", settings=SETTINGS, files=[URL]) == request("x", files=[URL]).body


# --- how much goes in one request -------------------------------------------------------------


def test_what_was_said_before_counts_too() -> None:
    """A thread sends its documents again with every turn."""
    data = f"data:text/plain;base64,{'A' * 40_000_000}"
    before = {"role": "user", "content": [file_part(data=data, filename="a.txt")]}
    request("And now?", history=[before])
    error = refused("And now?", history=[before, before])
    assert "76.3 MB (80,000,0" in error.message
    assert "64 MB (67,108,864 bytes)" in error.message
    assert "--new" in error.hint

    twice = refused("And this?", history=[before], files=[b"x" * 21_000_000])
    assert "grow by a third in base64" in twice.message


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"images": [URL, b"no"]}, "images[1]"),
        ({"videos": [b"no"]}, "videos[0]"),
        ({"files": [URL, b""]}, "files[1]"),
    ],
)
def test_a_refused_medium_tells_which_one_it_is(given: Any, field: str) -> None:
    assert refused(**given).field == field


@pytest.mark.parametrize("name", ["images", "videos", "files"])
def test_a_table_is_no_medium_and_where_it_goes_is_told(name: str) -> None:
    error = refused(**{name: [pd.DataFrame({"a": [1]})]})
    assert error.message.startswith(f"{name}[0] is a DataFrame, and no ")
    assert "{{df}}" in error.hint


@pytest.mark.parametrize("thing", [None, 3, 1.5, True])
def test_what_is_neither_text_nor_medium_is_refused_by_its_place(thing: Any) -> None:
    assert refused(["Look", thing]).message.startswith(f"prompt[1] is {thing!r}")


@pytest.mark.parametrize(
    ("name", "other"), [("max_output_tokens", "max_tokens"), ("text", "response_format")]
)
def test_a_field_of_the_responses_api_is_told_by_the_callers_name(name: str, other: str) -> None:
    error = refused(files=[URL], extra={name: 1})
    assert error.field == f"extra.{name}"
    assert error.hint == f"Use {other}=… instead."
