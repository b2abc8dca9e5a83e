"""Our client against the real built-in AnyFast, over a socket."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from PIL import Image

import anyfast_nb as af
from anyfast_nb import catalog
from anyfast_nb import errors as e
from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import Billed
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.http.transport import Limits
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.location import ledger_path
from anyfast_nb.wire.values import (
    Answer,
    Event,
    Finished,
    ReasoningDelta,
    Retrying,
    Source,
    Status,
    TextDelta,
)
from tests.conftest import Simulator

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:

        def make(**changes: Any) -> Client:
            defaults = {
                "api_key": simulator.key,
                "base_url": simulator.base_url,
                "policy": RetryPolicy(base_s=0, cap_s=0),
            }
            return stack.enter_context(Client(**{**defaults, **changes}))

        yield make


def statuses() -> list[str]:
    with Ledger() as ledger:
        ledger.absorb()
    connection = sqlite3.connect(ledger_path())
    try:
        return [status for (status,) in connection.execute("SELECT status FROM requests ORDER BY time_us")]
    finally:
        connection.close()


# --- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_comes_with_reasoning_usage_model_and_id(
    client: Callable[..., Client], stream: bool
) -> None:
    answer = client().chat("What is 6 * 7?", model="mini", stream=stream)
    assert "42" in answer.text
    assert answer.reasoning
    assert answer.model == "doubao-seed-2.0-mini"
    assert answer.id
    assert (answer.finish_reason, answer.status, answer.source) == ("stop", Status.OK, Source.SIMULATED)
    usage = answer.usage
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    assert usage.reasoning_tokens is not None
    assert usage.input_tokens > 0
    assert 0 < usage.reasoning_tokens < usage.output_tokens
    assert statuses() == ["ok"]


def test_stream_and_plain_give_the_same_answer(client: Callable[..., Client]) -> None:
    mine = client()
    streamed, plain = (
        mine.chat("Explain recursion.", extra={"seed": 5}, stream=way) for way in (True, False)
    )
    assert (streamed.text, streamed.reasoning, streamed.usage) == (plain.text, plain.reasoning, plain.usage)


def test_events_come_in_order_and_add_up(client: Callable[..., Client]) -> None:
    *events, last = client().stream("What is 6 * 7?")
    assert isinstance(last, Finished)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == last.answer.text
    assert (
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == last.answer.reasoning
    )
    kinds = [type(event) for event in events if isinstance(event, TextDelta | ReasoningDelta)]
    assert kinds.index(TextDelta) == kinds.count(ReasoningDelta), "reasoning comes before the answer"


def test_a_conversation_is_remembered(client: Callable[..., Client]) -> None:
    mine = client()
    first = mine.chat("My name is Ada.")
    history = [{"role": "user", "content": "My name is Ada."}, {"role": "assistant", "content": first.text}]
    assert "Ada" in mine.chat("What is my name?", history=history).text


def test_a_tool_is_called_and_its_result_used(client: Callable[..., Client]) -> None:
    mine = client()
    for stream in (True, False):
        asked = mine.chat("What is the weather in Oslo?", tools=[WEATHER], stream=stream)
        (call,) = asked.tool_calls
        assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo"})
        assert asked.finish_reason == "tool_calls"
        messages = [
            {"role": "user", "content": "What is the weather in Oslo?"},
            {
                "role": "assistant",
                "content": asked.text,
                "tool_calls": [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 17, "sky": "rain"}'},
        ]
        told = mine.chat(messages, tools=[WEATHER], stream=stream)
        assert not told.tool_calls
        assert "17" in told.text
    forced = {"type": "function", "function": {"name": "get_weather"}}
    assert mine.chat("Hello", tools=[WEATHER], tool_choice=forced).tool_calls[0].name == "get_weather"
    assert mine.chat("Weather in Oslo?", tools=[WEATHER], tool_choice="none").tool_calls == ()


def test_a_picture_is_looked_at(client: Callable[..., Client]) -> None:
    picture = Image.new("RGB", (320, 200), "red")
    answer = client().chat("What is in this picture?", images=[picture])
    assert "320" in answer.text
    assert "200" in answer.text
    assert "red" in answer.text.lower()
    data = io.BytesIO()
    picture.save(data, "PNG")
    assert "320" in client().chat("And here?", images=[data.getvalue()]).text


def test_limits_are_kept(client: Callable[..., Client]) -> None:
    answer = client().chat("sim:long=4000 tell me", max_tokens=20)
    assert answer.finish_reason == "length"
    assert answer.usage.output_tokens == 20
    stopped = client().chat("Count from 1 to 9.", stop=["5"])
    assert "5" not in stopped.text


def test_unknown_fields_pass_through_as_they_are(client: Callable[..., Client]) -> None:
    body = json.loads(client().chat("sim:echo", extra={"user": "me", "seed": 3}, temperature=0.5).text)
    assert (body["user"], body["seed"], body["temperature"]) == ("me", 3, 0.5)


def test_the_models_are_listed_and_the_catalogue_knows_no_others(client: Callable[..., Client]) -> None:
    served = {model.id for model in client().models()}
    chat = {model.id for model in catalog.models() if "chat" in model.abilities}
    assert chat <= served


async def test_the_asynchronous_client_is_the_same(simulator: Simulator) -> None:
    async with AsyncClient(api_key=simulator.key, base_url=simulator.base_url) as mine:
        answers = await asyncio.gather(*[mine.chat(f"What is {n} * 3?") for n in (4, 5, 6)])
    assert [str(n) in answer.text for n, answer in zip((12, 15, 18), answers, strict=True)] == [True] * 3


def test_heartbeats_and_pieces_cut_anywhere_change_nothing(client: Callable[..., Client]) -> None:
    calm = client().chat("sim:long=3000 北京 😀", extra={"seed": 1})
    rough = client().chat("sim:long=3000 sim:ping sim:split 北京 😀", extra={"seed": 1})
    assert len(rough.text) > 2000
    assert rough.text == calm.text


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "billed"),
    [
        (400, e.BadRequestError, Billed.NO),
        (401, e.AuthenticationError, Billed.NO),
        (403, e.PermissionDeniedError, Billed.NO),
        (404, e.NotFoundError, Billed.NO),
        (405, e.BadRequestError, Billed.NO),
        (408, e.ServerError, Billed.MAYBE),
        (413, e.BadRequestError, Billed.NO),
        (429, e.RateLimitError, Billed.NO),
        (500, e.ServerError, Billed.MAYBE),
        (502, e.ServerError, Billed.MAYBE),
        (503, e.ServerError, Billed.NO),
        (504, e.ServerError, Billed.MAYBE),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_every_documented_status_is_an_error_of_its_class(
    client: Callable[..., Client], status: int, kind: type[e.StatusError], billed: Billed, stream: bool
) -> None:
    with pytest.raises(kind) as caught:
        client().chat(f"sim:{status}", stream=stream)
    error = caught.value
    assert (error.status, error.billed) == (status, billed)
    assert len(error.lines()) <= 3
    assert statuses() == ["error"]


def test_busy_twice_and_then_an_answer(client: Callable[..., Client]) -> None:
    events: list[Event] = []
    answer = client(policy=RetryPolicy(cap_s=0)).chat("sim:429x2/8 What is 6 * 7?", on_event=events.append)
    assert "42" in answer.text
    assert [(event.reason, event.attempt) for event in events if isinstance(event, Retrying)] == [
        ("429", 2),
        ("429", 3),
    ]


def test_a_wrong_key_is_refused_and_never_shown(client: Callable[..., Client]) -> None:
    key = "sk-sim-wrongkey-0123456789"
    for prompt in ("Hello", "sim:echo-key"):
        with pytest.raises(e.AuthenticationError) as caught:
            client(api_key=key).chat(prompt)
        text = f"{caught.value} {caught.value!r} {vars(caught.value)}"
        assert not [key[i : i + 6] for i in range(len(key) - 5) if key[i : i + 6] in text]


def test_a_key_that_the_server_repeats_is_never_shown(
    client: Callable[..., Client], simulator: Simulator
) -> None:
    with pytest.raises(e.AuthenticationError) as caught:
        client().chat("sim:echo-key")
    assert simulator.key not in str(caught.value)
    assert "[hidden]" in caught.value.message


def test_an_unknown_model_is_sent_and_refused_by_the_server(client: Callable[..., Client]) -> None:
    with pytest.raises(e.ModelNotFoundError) as caught:
        client().chat("Hello", model="doubao-seed-9")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"frequency_penalty": 3}, "frequency_penalty"),
        ({"presence_penalty": -3}, "presence_penalty"),
        ({"n": 0}, "n"),
    ],
)
def test_a_field_the_client_does_not_know_is_checked_by_the_server(
    client: Callable[..., Client], extra: dict[str, Any], field: str
) -> None:
    with pytest.raises(e.BadRequestError) as caught:
        client().chat("Hello", extra=extra)
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("prompt", "kind", "status"),
    [
        ("sim:cut", e.WireCut, "truncated"),
        ("sim:drop", e.WireCut, "truncated"),
        ("sim:error-midstream", e.ServerError, "error"),
        ("sim:hang=5", e.ReadTimedOut, "error"),
        ("sim:hang=5 sim:ping", e.ReadTimedOut, "error"),
    ],
)
def test_what_came_before_a_break_is_kept(
    client: Callable[..., Client], prompt: str, kind: type[e.AnyFastError], status: str
) -> None:
    with pytest.raises(kind) as caught:
        client(limits=Limits(idle_s=0.3)).chat(f"{prompt} sim:chunks=20 tell me")
    partial = caught.value.partial
    assert isinstance(partial, Answer)
    assert partial.text or partial.reasoning
    assert caught.value.billed is Billed.MAYBE
    assert statuses() == [status]


def test_a_web_page_is_no_answer(client: Callable[..., Client]) -> None:
    with pytest.raises(e.ProtocolError, match="a web page"):
        client().chat("sim:html")


def test_leaving_a_stream_early_leaves_the_server_free(client: Callable[..., Client]) -> None:
    mine = client()
    for event in mine.stream("sim:rate=100 sim:chunks=2000 tell me"):
        if isinstance(event, TextDelta):
            break
    assert "42" in mine.chat("What is 6 * 7?").text


def test_without_a_key_the_remedy_leads_to_an_answer() -> None:
    with pytest.raises(e.MissingKeyError, match="no AnyFast key is set") as caught:
        af.Client()
    assert 'Client(base_url="simulator")' in caught.value.hint
    with af.Client(base_url="simulator") as client:
        answer = client.chat("What is 6 * 7?", max_tokens=400)
    assert "42" in answer.text
    assert answer.source is Source.SIMULATED
