from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from anyfast_nb.errors import (
    AuthenticationError,
    BadRequestError,
    Billed,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)
from anyfast_nb.http.transport import Limits
from anyfast_nb.ledger.disk.location import ledger_path
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import (
    Answer,
    Event,
    Finished,
    Opened,
    ReasoningDelta,
    Retrying,
    Source,
    Status,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from tests.client.conftest import KEY, USAGE, MakeClient, chunk, rows, whole
from tests.wire_server import CUT, HANG, RESET, Gate, Pause, Reply, WireServer

PLAIN_REPLY = {
    "id": "0217",
    "model": "served",
    "choices": [{"message": {"content": "Hello", "reasoning_content": "Hm"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}},
}


def kept() -> dict[str, Any]:
    """The only row of the ledger."""
    (row,) = rows()
    return row


def columns(*names: str) -> tuple[Any, ...]:
    """Columns of the only row that no frame shows."""
    with Ledger() as ledger, ledger.reading() as connection:
        (row,) = connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM requests").all()
        return tuple(row)


# --- a good end -------------------------------------------------------------------------------


def test_a_stream_becomes_events_an_answer_and_a_row(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(
        Reply.sse(
            chunk(reasoning_content="Let me"),
            chunk(reasoning_content=" think"),
            b": PING\n\n",
            chunk("Hel"),
            chunk("lo"),
            chunk(finish="stop"),
            USAGE,
            done=True,
        )
    )
    events: list[Event] = []
    answer = client().chat("Say hello", on_event=events.append)
    assert (answer.text, answer.reasoning, answer.status) == ("Hello", "Let me think", Status.OK)
    assert (answer.model, answer.id, answer.finish_reason) == ("served", "0217", "stop")
    assert answer.usage == Usage(input_tokens=3, output_tokens=5)
    assert answer.source is Source.LIVE
    assert events == [
        Opened("served", "0217"),
        ReasoningDelta("Let me"),
        ReasoningDelta(" think"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Finished(answer),
    ]
    timing = answer.timing
    assert timing.ttft_s is not None
    assert timing.thinking_s is not None
    assert timing.duration_s is not None
    assert 0 <= timing.ttft_s <= timing.duration_s
    row = kept()
    assert (row["kind"], row["status"], row["source"], row["model"]) == ("chat", "ok", "live", "served")
    assert (row["title"], row["base_url"], row["error"]) == ("Say hello", wire_server.url, None)
    assert (row["input_tokens"], row["output_tokens"], row["cached_tokens"]) == (3, 5, None)
    assert row["duration_s"] >= row["ttft_s"] >= 0


def test_a_plain_reply_gives_the_same(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json(PLAIN_REPLY))
    events: list[Event] = []
    answer = client().chat("Say hello", stream=False, on_event=events.append)
    assert "stream" not in wire_server.requests[0].json()
    assert (answer.text, answer.reasoning, answer.usage) == ("Hello", "Hm", Usage(3, 5, 1))
    assert events == [Opened("served", "0217"), ReasoningDelta("Hm"), TextDelta("Hello"), Finished(answer)]
    assert (kept()["status"], kept()["cached_tokens"]) == ("ok", 1)


def test_a_server_that_ignores_stream_is_answered_too(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json(PLAIN_REPLY))
    assert client().chat("x").text == "Hello"
    assert wire_server.requests[0].json()["stream"] is True


def test_unknown_usage_is_unknown_not_zero(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(chunk("x"), chunk(finish="stop"), done=True))
    assert client().chat("x").usage == Usage()
    row = kept()
    assert [
        row[name] for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "cost")
    ] == [None] * 5


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((chunk("x", finish="stop"),), id="no [DONE]"),
        pytest.param((chunk("x", finish="stop"), CUT), id="cut after the finish reason"),
        pytest.param((chunk("x", finish="stop"), "[DONE]", HANG), id="open after [DONE]"),
        pytest.param((chunk("x"), "[DONE]"), id="no finish reason"),
        pytest.param((chunk("x"), b"data:\n\n", chunk(finish="length"), "[DONE]"), id="an empty event"),
    ],
)
def test_whoever_said_why_it_stopped_has_ended(
    wire_server: WireServer, client: MakeClient, pieces: Any
) -> None:
    wire_server.script(Reply.sse(*pieces))
    assert client().chat("x").text == "x"
    assert kept()["status"] == "ok"


def test_usage_with_every_chunk_counts_once(wire_server: WireServer, client: MakeClient) -> None:
    def counted(n: int) -> str:
        return json.dumps(json.loads(chunk("x")) | {"usage": {"prompt_tokens": 3, "completion_tokens": n}})

    wire_server.script(Reply.sse(counted(1), counted(2), counted(7), chunk(finish="stop"), done=True))
    assert client().chat("x").usage.output_tokens == 7
    assert kept()["output_tokens"] == 7


def test_tool_calls_come_as_they_grow(wire_server: WireServer, client: MakeClient) -> None:
    first = chunk(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "weather", "arguments": ""}}])
    second = chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"city": "Oslo"}'}}])
    wire_server.script(Reply.sse(first, second, chunk(finish="tool_calls"), done=True))
    events: list[Event] = []
    answer = client().chat("x", on_event=events.append)
    assert answer.tool_calls == (ToolCall("c1", "weather", '{"city": "Oslo"}'),)
    assert (answer.finish_reason, answer.text) == ("tool_calls", "")
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(0, "c1", "weather", ""),
        ToolCallDelta(0, "c1", "weather", '{"city": "Oslo"}'),
    ]


def test_a_server_that_says_it_is_simulated_is_believed(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json(PLAIN_REPLY, headers={"X-AnyFast-Simulated": "1"}))
    assert client().chat("x", stream=False).source is Source.SIMULATED


def test_a_simulators_key_makes_simulated_rows(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole())
    assert client(api_key="sk-sim-class").chat("x").source is Source.SIMULATED
    assert kept()["source"] == "simulated"


# --- the row ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
def test_the_row_is_written_before_the_request_arrives(
    wire_server: WireServer, client: MakeClient, stream: bool
) -> None:
    gate = Gate()
    end = (
        (b"data: " + chunk("x", finish="stop").encode() + b"\n\n")
        if stream
        else json.dumps(PLAIN_REPLY).encode()
    )
    kind = "text/event-stream" if stream else "application/json"
    wire_server.script(Reply(body=(gate, end), content_type=kind))
    mine = client()
    asking = threading.Thread(target=lambda: mine.chat("Hello", stream=stream))
    asking.start()
    try:
        wire_server.wait_for_requests(1)
        row = kept()
        assert (row["status"], row["title"], row["model"], row["duration_s"]) == (
            "unfinished",
            "Hello",
            "m",
            None,
        )
    finally:
        gate.opened.set()
        asking.join()
    assert kept()["status"] == "ok"


def test_the_title_is_the_beginning_of_the_prompt_without_secrets(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(whole())
    client().chat(f"My key is {KEY},\n\n  see data:image/png;base64,{'A' * 5000} and\t{'long ' * 50}")
    title = kept()["title"]
    assert title.startswith("My key is [hidden], see [image/png, about ")
    assert len(title) <= 80
    assert "\n" not in title


def test_where_a_request_comes_from_is_kept(wire_server: WireServer, client: MakeClient) -> None:
    from anyfast_nb.gateway.gateway import io_loop
    from anyfast_nb.gateway.whence import Origin

    wire_server.script(whole())
    gateway = client()._gateway
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
    io_loop().run(gateway.run(gateway.exchange(body, origin=Origin("book.ipynb", "cell-1", "travel"))))
    row = kept()
    assert (row["notebook"], row["cell"], row["thread"]) == ("book.ipynb", "cell-1", "travel")


def test_tries_and_request_id_are_kept(wire_server: WireServer, client: MakeClient) -> None:
    busy = Reply.json({"error": {"message": "busy"}}, status=429)
    good = Reply(
        body=whole().body, content_type="text/event-stream", headers={"X-Oneapi-Request-Id": "2026abc"}
    )
    wire_server.script(busy, busy, good)
    events: list[Event] = []
    client().chat("x", on_event=events.append)
    assert [event for event in events if isinstance(event, Retrying)] == [
        Retrying("429", 0, 2, 4),
        Retrying("429", 0, 3, 4),
    ]
    assert columns("attempts", "request_id") == (3, "2026abc")


def test_a_refusals_request_id_is_kept_too(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json({"error": {"message": "no (request id: 2026abc)"}}, status=400))
    with pytest.raises(BadRequestError):
        client().chat("x")
    assert columns("request_id", "attempts") == ("2026abc", 1)


# --- a bad end --------------------------------------------------------------------------------


def assert_kept(error: Any, status: str, text: str) -> None:
    assert isinstance(error.partial, Answer)
    assert error.partial.text == text
    row = kept()
    assert row["status"] == status
    assert row["error"].startswith(f"{type(error).__name__}: ")
    assert KEY not in row["error"]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((chunk("Hel"), chunk("lo")), id="closed in order"),
        pytest.param((chunk("Hel"), chunk("lo"), Pause(0.05), CUT), id="cut"),
        pytest.param((chunk("Hel"), chunk("lo"), Pause(0.05), RESET), id="reset"),
        pytest.param((chunk("Hel"), chunk("lo"), b'data: {"choices": [{"del\n\n'), id="a broken frame"),
        pytest.param((chunk("Hel"), chunk("lo"), "[1, 2]"), id="a frame that is no object"),
        pytest.param((chunk("Hel"), chunk("lo"), '{"a":' * 5000), id="a frame nested without end"),
    ],
)
def test_a_stream_without_its_end_is_truncated(
    wire_server: WireServer, client: MakeClient, pieces: Any
) -> None:
    wire_server.script(Reply.sse(*pieces))
    with pytest.raises(WireCut) as caught:
        client().chat("x")
    assert_kept(caught.value, "truncated", "Hello")
    assert caught.value.billed is Billed.MAYBE
    assert "may be billed" in caught.value.hint
    assert len(wire_server.requests) == 1


def test_a_stream_that_says_nothing_at_all_is_an_error(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(b": PING\n\n"))
    with pytest.raises(WireCut) as caught:
        client().chat("x")
    assert_kept(caught.value, "error", "")


def test_an_error_frame_in_the_middle_keeps_what_came(wire_server: WireServer, client: MakeClient) -> None:
    frame = json.dumps({"error": {"message": f"overloaded, your key {KEY}", "type": "server_error"}})
    wire_server.script(Reply.sse(chunk("Hel"), chunk("lo"), frame, HANG))
    with pytest.raises(
        ServerError, match="in the answer: the server failed: overloaded, your key \\[hidden\\]"
    ) as caught:
        client().chat("x")
    assert_kept(caught.value, "error", "Hello")
    assert caught.value.billed is Billed.MAYBE


def test_an_error_frame_in_the_middle_is_never_repeated_whatever_it_says(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(
        Reply.sse(chunk("x"), json.dumps({"error": {"message": "x", "type": "rate_limit_error"}}))
    )
    with pytest.raises(RateLimitError) as caught:
        client().chat("x")
    assert (caught.value.billed, caught.value.retryable) == (Billed.MAYBE, False)
    assert len(wire_server.requests) == 1


def test_silence_in_the_stream_keeps_what_came(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(chunk("Hello"), HANG))
    with pytest.raises(ReadTimedOut) as caught:
        client(limits=Limits(idle_s=0.1)).chat("x")
    assert_kept(caught.value, "error", "Hello")


@pytest.mark.parametrize("body", [{}, {"foo": 1}, {"choices": []}, {"choices": None, "id": "x"}])
@pytest.mark.parametrize("stream", [True, False])
def test_json_that_holds_no_answer_is_no_empty_answer(
    wire_server: WireServer, client: MakeClient, stream: bool, body: dict[str, Any]
) -> None:
    wire_server.script(Reply.json(body))
    with pytest.raises(ProtocolError, match="holds no answer"):
        client().chat("x", stream=stream)
    assert kept()["status"] == "error"


def test_a_refusal_has_its_row_without_the_key_that_the_server_repeats(
    wire_server: WireServer, client: MakeClient
) -> None:
    said = f"Incorrect API key provided: {KEY}, masked {KEY[:6]}****{KEY[-4:]}"
    wire_server.script(Reply.json({"error": {"message": said, "code": "invalid_api_key"}}, status=401))
    with pytest.raises(AuthenticationError) as caught:
        client().chat("x")
    row = kept()
    assert row["status"] == "error"
    assert row["error"] == (
        "AuthenticationError: 401 the key was refused: Incorrect API key provided: [hidden], masked [hidden]"
    )
    assert len(caught.value.lines()) <= 3
    home = ledger_path().parent  # the store and the journal
    file = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"AuthenticationError" in file
    assert not [run for run in (KEY[i : i + 6] for i in range(len(KEY) - 5)) if run.encode() in file]


# --- faults in a callback ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "raised", [ValueError("mine"), TimeoutError("mine"), WireCut("mine"), SystemExit(3)], ids=repr
)
@pytest.mark.parametrize("where", [Opened, TextDelta, Finished], ids=lambda kind: kind.__name__)
def test_what_a_callback_raises_is_raised_and_the_row_is_settled(
    wire_server: WireServer, client: MakeClient, raised: BaseException, where: type[Event]
) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, where):
            raise raised

    wire_server.script(Reply.sse(chunk("Hello", finish="stop"), done=True), whole("again"))
    mine = client()
    with pytest.raises(type(raised)) as caught:
        mine.chat("x", on_event=listen)
    assert caught.value is raised
    row = kept()
    assert row["status"] in ({"ok"} if where is Finished else {"error", "truncated"})
    assert mine.chat("x").text == "again"  # the private loop lives on


def test_a_callback_that_fails_while_waiting_stops_the_tries(
    wire_server: WireServer, client: MakeClient
) -> None:
    def listen(event: Event) -> None:
        raise KeyError(event)

    wire_server.script(*[Reply.json({"error": {"message": "busy"}}, status=503)] * 4)
    with pytest.raises(KeyError):
        client().chat("x", on_event=listen)
    assert len(wire_server.requests) == 1
    assert kept()["status"] == "error"


@pytest.mark.parametrize("events", [("[DONE]",), (USAGE, "[DONE]")])
def test_a_stream_without_an_answer_is_no_empty_answer(
    client: MakeClient, wire_server: WireServer, events: tuple[str, ...]
) -> None:
    wire_server.script(Reply.sse(*events))
    with pytest.raises(ProtocolError, match="without an answer"):
        client().chat("x")
    assert kept()["status"] == "error"


def test_an_emoji_in_two_halves_comes_whole(client: MakeClient, wire_server: WireServer) -> None:
    wire_server.script(Reply.sse(chunk("x \ud83d"), chunk("\ude00 y"), chunk("\ud83d z", finish="stop")))
    pieces = []
    asked = client()
    answer = asked.chat("a \ud83d b", on_event=pieces.append)
    assert answer.text == "x 😀 y\ufffd z"
    assert "".join(event.text for event in pieces if isinstance(event, TextDelta)) == answer.text
    assert wire_server.requests[0].json()["messages"][0]["content"] == "a \ufffd b"


def test_content_in_parts_is_read(client: MakeClient, wire_server: WireServer) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    body = {"choices": [{"index": 0, "delta": {"content": parts}, "finish_reason": "stop"}]}
    wire_server.script(Reply.sse(json.dumps(body)))
    assert client().chat("x").text == "Hello"


def test_a_key_echoed_as_model_or_id_stays_nowhere(client: MakeClient, wire_server: WireServer) -> None:
    body = {
        "id": f"id-{KEY}",
        "model": f"m-{KEY}",
        "choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}],
    }
    wire_server.script(Reply.sse(json.dumps(body)))
    events: list[Event] = []
    answer = client().chat("x", on_event=events.append)
    assert KEY not in repr(answer) + repr(events) + repr(kept())
    assert (answer.model, answer.id) == ("m-[hidden]", "id-[hidden]")


def test_the_mark_of_the_built_in_anyfast_reaches_the_row(
    client: MakeClient, wire_server: WireServer
) -> None:
    reply = whole()
    wire_server.script(
        Reply(headers={"x-anyfast-simulated": "1"}, body=reply.body, content_type=reply.content_type)
    )
    assert client().chat("x").source is Source.SIMULATED
    assert kept()["source"] == "simulated"
