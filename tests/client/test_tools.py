"""Tools of both clients: what stops a chat in the middle of its rounds, and what is kept then."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import AnyFastError, BadRequestError, Interrupted
from anyfast_nb.wire.values import Answer, Status, ToolReturned
from tests.client.conftest import KEY, NO_WAITS, MakeClient, chunk, press_ctrl_c, whole
from tests.wire_server import Reply, WireServer

REFUSED = Reply.json({"error": {"message": "no"}}, status=400)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city}: fine"


def asking(name: str, *known: str) -> Reply:
    """A round that asks for a function, once for each id."""
    calls = [
        {"index": n, "id": one, "function": {"name": name, "arguments": json.dumps({"city": f"City{n}"})}}
        for n, one in enumerate(known or ("c1",))
    ]
    return Reply.sse(chunk(tool_calls=calls), chunk(finish="tool_calls"), done=True)


def whole_chat(client: Client, tool: Any) -> object:
    return client.chat("x", tools=[tool])


def every_event(client: Client, tool: Any) -> object:
    return list(client.stream("x", tools=[tool]))


WAYS = pytest.mark.parametrize("way", [whole_chat, every_event])
Way = Callable[[Client, Any], object]


@WAYS
@pytest.mark.parametrize("is_async", [False, True])
def test_an_interrupt_while_a_tool_runs_keeps_what_came(
    wire_server: WireServer, client: MakeClient, way: Way, is_async: bool
) -> None:
    ran = []

    def slow(city: str) -> str:
        ran.append(city)
        if len(ran) == 2:
            press_ctrl_c()
            threading.Event().wait(20)
        return "first"

    async def aslow(city: str) -> str:
        ran.append(city)
        if len(ran) == 2:
            press_ctrl_c()
            await asyncio.Event().wait()
        return "first"

    tool = aslow if is_async else slow
    wire_server.script(asking(tool.__name__, "c1", "c2"))
    with pytest.raises(Interrupted, match="while a tool ran") as caught:
        way(client(), tool)

    partial = caught.value.partial
    assert isinstance(partial, Answer)
    assert partial.status is Status.INTERRUPTED
    assert [call.id for call in partial.tool_calls] == ["c1", "c2"]
    assert [result.content for result in partial.results] == ["first"]
    assert len(wire_server.requests) == 1


@WAYS
def test_an_error_after_a_round_keeps_the_round(
    wire_server: WireServer, client: MakeClient, way: Way
) -> None:
    wire_server.script(asking("weather"), REFUSED)
    with pytest.raises(BadRequestError) as caught:
        way(client(), weather)

    assert isinstance(caught.value.partial, Answer)
    assert caught.value.partial.rounds[0].results[0].content == "City0: fine"


def test_an_asynchronous_client_keeps_the_round_too(wire_server: WireServer) -> None:
    wire_server.script(asking("weather"), REFUSED, asking("weather"), REFUSED)

    async def ask() -> list[AnyFastError]:
        stops: list[AnyFastError] = []
        heard: list[object] = []
        async with AsyncClient(api_key=KEY, base_url=wire_server.url, model="m", policy=NO_WAITS) as client:
            try:
                await client.chat("x", tools=[weather], on_event=heard.append)
            except AnyFastError as error:
                stops.append(error)
            try:
                async for event in client.stream("x", tools=[weather]):
                    heard.append(event)  # noqa: PERF401 - what comes before the error counts
            except AnyFastError as error:
                stops.append(error)
        assert sum(isinstance(event, ToolReturned) for event in heard) == 2
        return stops

    for error in asyncio.run(ask()):
        assert isinstance(error.partial, Answer)
        assert error.partial.rounds[0].results[0].content == "City0: fine"


def test_calls_of_the_responses_api_without_ids_are_answered(
    wire_server: WireServer, client: MakeClient
) -> None:
    call = {"type": "function_call", "name": "weather", "arguments": '{"city": "Oslo"}'}
    said = {"type": "message", "content": [{"type": "output_text", "text": "Fine."}]}
    for output in ([call, call], [said]):
        wire_server.script(
            Reply.json({"id": "r", "object": "response", "status": "completed", "output": output})
        )
    answer = client().chat("x", tools=[weather], api="responses", stream=False)

    assert answer.text == "Fine."
    items = wire_server.requests[1].json()["input"][1:]
    asked, told = ([item["call_id"] for item in items if item["type"] == kind] for kind in KINDS)
    assert asked == told
    assert len(set(asked)) == 2


KINDS = ("function_call", "function_call_output")


def test_a_tool_that_must_be_called_is_called_once(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(asking("weather"), whole("Fine."))
    client().chat("x", tools=[weather], tool_choice=weather)

    chosen = [request.json()["tool_choice"] for request in wire_server.requests]
    assert chosen == [{"type": "function", "function": {"name": "weather"}}, "auto"]
