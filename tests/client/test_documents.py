"""Documents and the choice of the API, through both faces."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import InputError
from anyfast_nb.gateway.prompt import chat_request
from anyfast_nb.threads.book import Thread
from anyfast_nb.wire.values import Finished, Status, TextDelta
from tests.client.conftest import KEY, MakeClient, rows, whole
from tests.wire_server import Reply, WireServer

PDF = b"%PDF-1.4\ntrailer\n%%EOF\n"
URL = "https://example.com/report.pdf?signature=5ec2e7"


def answered(text: str = "It says so.") -> Reply:
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}]
    delta = {"type": "response.output_text.delta", "delta": text}
    end = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": output}}
    return Reply.sse(json.dumps(delta), json.dumps(end))


def test_a_client_reads_documents(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(answered())
    answer = client().chat("Sum it up", files=[URL, PDF], reasoning="low", max_tokens=9)
    assert (answer.text, answer.status) == ("It says so.", Status.OK)
    (request,) = wire_server.requests
    assert request.path == "/v1/responses"
    body = request.json()
    url, data, text = body.pop("input")[0]["content"]
    assert url == {"type": "input_file", "file_url": URL}
    assert data["file_data"] == "data:application/pdf;base64," + base64.b64encode(PDF).decode()
    assert data["filename"].endswith(".pdf")
    assert text == {"type": "input_text", "text": "Sum it up"}
    assert body == {
        "model": "m",
        "max_output_tokens": 9,
        "reasoning": {"effort": "low"},
        "stream": True,
    }
    assert "5ec2e7" not in str(rows())


def test_an_asynchronous_client_does_too(wire_server: WireServer) -> None:
    wire_server.script(answered())

    async def asked() -> list[Any]:
        async with AsyncClient(api_key=KEY, base_url=wire_server.url) as mine:
            return [event async for event in mine.stream("Sum it up", files=[URL])]

    *_, delta, last = asyncio.run(asked())
    assert delta == TextDelta("It says so.")
    assert isinstance(last, Finished)
    assert [row["kind"] for row in rows()] == ["responses"]


def test_a_document_for_chat_sends_nothing(wire_server: WireServer, client: MakeClient) -> None:
    with pytest.raises(InputError, match="chat takes none"):
        client().chat("x", files=[URL], api="chat")
    assert (wire_server.requests, rows()) == ([], [])


def test_a_thread_that_holds_a_document_stays_where_it_can_be_read(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(whole("Hi"), answered("One."), answered("Two."), whole("Bye"))
    mine, thread = client(), Thread("report")
    options: list[dict[str, Any]] = [{}, {"files": [URL]}, {}, {}]
    for turn, more in enumerate(options):
        place = thread.place(cell=None, new=turn == 3)
        asked: Any = {"history": place.history, **more}
        request = chat_request(f"Question {turn}", settings=mine._gateway.settings(), **asked)
        thread.add(place, message=request.message, answer=mine.chat(f"Question {turn}", **asked))
    assert [request.path.rpartition("/")[2] for request in wire_server.requests] == [
        "completions",
        "responses",
        "responses",
        "completions",
    ]
    assert wire_server.requests[2].json()["input"] == [
        {"role": "user", "content": "Question 0"},
        {"role": "assistant", "content": "Hi"},
        {
            "role": "user",
            "content": [
                {"type": "input_file", "file_url": URL},
                {"type": "input_text", "text": "Question 1"},
            ],
        },
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Question 2"},
    ]
    assert wire_server.requests[3].json()["messages"] == [{"role": "user", "content": "Question 3"}]
