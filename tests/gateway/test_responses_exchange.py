"""The same exchange, by the Responses API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anyfast_nb.errors import (
    Billed,
    ConnectFailed,
    ModerationError,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)
from anyfast_nb.http.transport import Limits
from anyfast_nb.wire.values import (
    Answer,
    Event,
    Finished,
    Opened,
    ReasoningDelta,
    Source,
    Status,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from tests.client.conftest import KEY, MakeClient, rows
from tests.wire_server import CUT, HANG, RESET, Pause, Reply, WireServer

USAGE = {"input_tokens": 3, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}}
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
FINAL = {
    "id": "resp_1",
    "object": "response",
    "model": "served",
    "status": "completed",
    "error": None,
    "output": [THOUGHT, MESSAGE],
    "usage": USAGE,
}


def frame(kind: str, **more: Any) -> str:
    return json.dumps({"type": f"response.{kind}", **more})


def delta(text: str) -> str:
    return frame("output_text.delta", delta=text)


def end(**changes: Any) -> str:
    response = {**FINAL, **changes}
    return frame(response["status"], response=response)


def least(text: str = "Hello") -> Reply:
    """The stream of AnyFast's own sample: no output at its end, and no [DONE]."""
    response = {"id": "resp_1", "object": "response", "status": "completed", "usage": USAGE}
    return Reply.sse(delta(text), frame("completed", response=response))


def kept() -> dict[str, Any]:
    (row,) = rows()
    return row


# --- a good end -------------------------------------------------------------------------------


def test_a_stream_becomes_events_an_answer_and_a_row(wire_server: WireServer, client: MakeClient) -> None:
    at = {"output_index": 0, "summary_index": 0}
    wire_server.script(
        Reply.sse(
            frame("created", response={**FINAL, "status": "in_progress", "output": [], "usage": None}),
            b": PING\n\n",
            frame("output_item.added", output_index=0, item={"type": "reasoning", "summary": []}),
            frame("reasoning_summary_text.delta", **at, delta="H"),
            frame("reasoning_summary_text.delta", **at, delta="m"),
            frame("output_item.added", output_index=1, item={**MESSAGE, "content": []}),
            frame("output_text.delta", output_index=1, content_index=0, delta="Hel"),
            frame("output_text.delta", output_index=1, content_index=0, delta="lo"),
            frame("output_item.done", output_index=1, item=MESSAGE),
            end(),
            done=True,
        )
    )
    events: list[Event] = []
    answer = client().chat("Say hello", api="responses", on_event=events.append)
    request = wire_server.requests[0]
    assert (request.path, request.json()) == (
        "/v1/responses",
        {"model": "m", "input": "Say hello", "stream": True},
    )
    assert (answer.text, answer.reasoning, answer.status) == ("Hello", "Hm", Status.OK)
    assert (answer.model, answer.id, answer.finish_reason) == ("served", "resp_1", "stop")
    assert answer.usage == Usage(input_tokens=3, output_tokens=5, reasoning_tokens=2)
    assert events == [
        Opened("served", "resp_1"),
        ReasoningDelta("H"),
        ReasoningDelta("m"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Finished(answer),
    ]
    assert answer.timing.thinking_s is not None
    row = kept()
    assert (row["kind"], row["status"], row["source"], row["model"]) == ("responses", "ok", "live", "served")
    assert (row["title"], row["error"]) == ("Say hello", None)
    assert (row["input_tokens"], row["output_tokens"], row["reasoning_tokens"]) == (3, 5, 2)


def test_the_least_stream_is_a_whole_answer(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(least())
    events: list[Event] = []
    answer = client().chat("x", api="responses", on_event=events.append)
    assert (answer.text, answer.id, answer.finish_reason, answer.status) == (
        "Hello",
        "resp_1",
        "stop",
        Status.OK,
    )
    assert events == [Opened("m"), TextDelta("Hello"), Finished(answer)]
    assert kept()["output_tokens"] == 5


def test_a_plain_reply_gives_the_same(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json(FINAL), Reply.json(FINAL))
    mine = client()
    events: list[Event] = []
    answer = mine.chat("x", api="responses", stream=False, on_event=events.append)
    assert wire_server.requests[0].json()["stream"] is False
    assert events == [
        Opened("served", "resp_1"),
        ReasoningDelta("Hm"),
        TextDelta("Hello"),
        Finished(answer),
    ]
    # A server that ignores `stream` is answered too.
    assert mine.chat("x", api="responses").text == "Hello"
    assert wire_server.requests[1].json()["stream"] is True


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((delta("Hello"), end(), HANG), id="open after the last event"),
        pytest.param((delta("Hello"), end(), CUT), id="cut after the last event"),
        pytest.param((delta("Hello"), end(), "[DONE]", HANG), id="open after [DONE]"),
        pytest.param((delta("Hello"), "[DONE]"), id="[DONE] alone"),
        pytest.param((end(),), id="only the last event"),
        pytest.param(
            (
                b'event: response.output_text.delta\ndata: {"delta": "Hello"}\n\n',
                b'event: response.completed\ndata: {"response": {"status": "completed"}}\n\n',
            ),
            id="named beside the data alone",
        ),
        pytest.param((json.dumps(FINAL),), id="a whole response as one frame"),
    ],
)
def test_every_end_of_a_stream_is_one(wire_server: WireServer, client: MakeClient, pieces: Any) -> None:
    wire_server.script(Reply.sse(*pieces))
    assert client().chat("x", api="responses").text == "Hello"
    assert kept()["status"] == "ok"


def test_a_last_event_of_many_megabytes_is_read(wire_server: WireServer, client: MakeClient) -> None:
    long = "word " * 400_000
    wire_server.script(Reply.sse(end(output=[{"type": "message", "content": long}])))
    assert client().chat("x", api="responses").text == long


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "length"), ("length", "length"), ("content_filter",) * 2]
)
def test_an_incomplete_answer_is_an_answer(
    wire_server: WireServer, client: MakeClient, stream: bool, reason: str, finish: str
) -> None:
    changes = {"status": "incomplete", "incomplete_details": {"reason": reason}}
    wire_server.script(
        Reply.sse(delta("Hel"), end(**changes)) if stream else Reply.json({**FINAL, **changes})
    )
    answer = client().chat("x", api="responses", stream=stream)
    assert (answer.text, answer.finish_reason, answer.status) == ("Hello", finish, Status.OK)
    assert kept()["status"] == "ok"


def test_tool_calls_come_as_they_grow(wire_server: WireServer, client: MakeClient) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather"}
    arguments = '{"city": "Oslo"}'
    wire_server.script(
        Reply.sse(
            frame("output_item.added", output_index=0, item={**call, "arguments": ""}),
            frame("function_call_arguments.delta", output_index=0, item_id="fc_1", delta=arguments),
            end(output=[{**call, "arguments": arguments}]),
        )
    )
    events: list[Event] = []
    tool = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    answer = client().chat("x", api="responses", tools=[tool], on_event=events.append)
    assert wire_server.requests[0].json()["tools"] == [
        {"type": "function", "name": "weather", "parameters": {}}
    ]
    assert answer.tool_calls == (ToolCall("c1", "weather", arguments),)
    assert answer.finish_reason == "tool_calls"
    assert [event.arguments for event in events if isinstance(event, ToolCallDelta)] == ["", arguments, ""]


# --- a bad end --------------------------------------------------------------------------------


def assert_kept(error: Any, status: str, text: str) -> None:
    assert isinstance(error.partial, Answer)
    assert error.partial.text == text
    row = kept()
    assert (row["kind"], row["status"]) == ("responses", status)
    assert row["error"].startswith(f"{type(error).__name__}: ")


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((delta("Hel"), delta("lo")), id="closed in order"),
        pytest.param((delta("Hel"), delta("lo"), Pause(0.05), CUT), id="cut"),
        pytest.param((delta("Hel"), delta("lo"), Pause(0.05), RESET), id="reset"),
        pytest.param((delta("Hel"), delta("lo"), b'data: {"type": "resp\n\n'), id="a broken frame"),
        pytest.param((delta("Hello"), frame("output_item.done", item=MESSAGE)), id="an item's end is none"),
    ],
)
def test_a_stream_without_its_end_is_truncated(
    wire_server: WireServer, client: MakeClient, pieces: Any
) -> None:
    wire_server.script(Reply.sse(*pieces))
    with pytest.raises(WireCut) as caught:
        client().chat("x", api="responses")
    assert_kept(caught.value, "truncated", "Hello")
    assert caught.value.billed is Billed.MAYBE
    assert len(wire_server.requests) == 1


def test_silence_in_the_stream_keeps_what_came(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(delta("Hello"), HANG))
    with pytest.raises(ReadTimedOut) as caught:
        client(limits=Limits(idle_s=0.1)).chat("x", api="responses")
    assert_kept(caught.value, "error", "Hello")
    assert len(wire_server.requests) == 1


ERROR = {"code": "server_error", "message": f"overloaded, your key {KEY} (request id: 2026abc)"}


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(end(status="failed", error=ERROR), id="response.failed"),
        pytest.param(json.dumps({"type": "error", **ERROR, "param": None}), id="an error event"),
        pytest.param(json.dumps({"type": "error", **ERROR, "code": None}), id="an error event without code"),
        pytest.param(json.dumps({"error": ERROR}), id="an error frame of the gateway's"),
        pytest.param(
            f"event: error\ndata: {json.dumps(ERROR)}\n\n".encode(), id="an error event named beside its data"
        ),
    ],
)
def test_a_failure_in_the_stream_keeps_what_came(
    wire_server: WireServer, client: MakeClient, last: Any
) -> None:
    wire_server.script(Reply.sse(delta("Hello"), last, HANG))
    with pytest.raises(ServerError, match="overloaded, your key \\[hidden\\]") as caught:
        client().chat("x", api="responses")
    assert_kept(caught.value, "error", "Hello")
    assert (caught.value.billed, caught.value.retryable) == (Billed.MAYBE, False)
    assert caught.value.request_id == "2026abc"
    assert len(wire_server.requests) == 1


def test_a_failed_reply_is_no_answer_and_keeps_its_words(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json({**FINAL, "status": "failed", "error": ERROR}))
    with pytest.raises(ServerError, match="in the answer: the server failed") as caught:
        client().chat("x", api="responses", stream=False)
    assert_kept(caught.value, "error", "Hello")
    assert caught.value.billed is Billed.MAYBE
    assert kept()["input_tokens"] == 3


def test_a_first_event_that_is_a_failure_opens_nothing(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(end(status="failed", error=ERROR, output=[])))
    events: list[Event] = []
    with pytest.raises(ServerError):
        client().chat("x", api="responses", on_event=events.append)
    assert events == []


@pytest.mark.parametrize("code", ["OutputTextSensitiveContentDetected", "content_filter"])
def test_moderation_is_told_from_other_failures(
    wire_server: WireServer, client: MakeClient, code: str
) -> None:
    wire_server.script(
        Reply.sse(delta("Hel"), end(status="failed", output=[], error={"code": code, "message": "No."}))
    )
    with pytest.raises(ModerationError) as caught:
        client().chat("x", api="responses")
    assert_kept(caught.value, "error", "Hel")


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_a_reply_that_is_still_at_work_is_no_answer(
    wire_server: WireServer, client: MakeClient, status: str
) -> None:
    wire_server.script(Reply.json({**FINAL, "status": status, "output": []}))
    with pytest.raises(ProtocolError, match=f"the response is {status}") as caught:
        client().chat("x", api="responses", stream=False)
    assert caught.value.billed is Billed.MAYBE
    assert kept()["status"] == "error"


@pytest.mark.parametrize("body", [{}, {"choices": [{}]}, {"object": "response", "error": None}])
@pytest.mark.parametrize("stream", [True, False])
def test_json_that_holds_no_answer_is_no_empty_answer(
    wire_server: WireServer, client: MakeClient, stream: bool, body: dict[str, Any]
) -> None:
    wire_server.script(Reply.json(body))
    with pytest.raises(ProtocolError, match="holds no answer"):
        client().chat("x", api="responses", stream=stream)


def test_a_stream_that_ends_before_it_begins_is_an_error(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(frame("created", response={**FINAL, "status": "in_progress"}), done=True))
    with pytest.raises(ProtocolError, match="ended without an answer"):
        client().chat("x", api="responses")


# --- never sent twice -------------------------------------------------------------------------


def test_what_was_refused_unseen_is_sent_again(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.json({"error": {"message": "busy"}}, status=429), least())
    assert client().chat("x", api="responses").text == "Hello"
    assert [request.path for request in wire_server.requests] == ["/v1/responses"] * 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.json({"error": {"message": "x"}}, status=500), ServerError),
        (Reply(body=(CUT,)), WireCut),
        (Reply(body=(RESET,)), WireCut),
        (Reply(body=(HANG,)), ReadTimedOut),
        (Reply.sse(json.dumps({"error": {"message": "x", "type": "rate_limit_error"}})), RateLimitError),
    ],
    ids=["500", "cut", "reset", "silence", "an error in the stream"],
)
def test_what_may_have_been_billed_is_never_sent_again(
    wire_server: WireServer, client: MakeClient, reply: Reply, error: type[Exception]
) -> None:
    wire_server.script(reply, least())
    with pytest.raises(error):
        client(limits=Limits(response_s=0.2, idle_s=0.2)).chat("x", api="responses")
    assert len(wire_server.requests) == 1


def test_a_server_that_is_not_there_was_sent_nothing(client: MakeClient) -> None:
    with pytest.raises(ConnectFailed) as caught:
        client(base_url="http://127.0.0.1:9").chat("x", api="responses")
    assert caught.value.billed is Billed.NO
    assert kept()["kind"] == "responses"


# --- the row ----------------------------------------------------------------------------------


def test_the_title_is_the_prompt_of_any_form_of_input(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(*[least()] * 3)
    mine = client(system="Be brief.")
    mine.chat("One", api="responses")
    mine.chat("Two", images=["https://h.example/a.png?signature=5ec2e7"], api="responses")
    outputs = [{"type": "function_call_output", "call_id": "c1", "output": "rain"}]
    mine.chat([{"role": "user", "content": "Three"}, *outputs], api="responses", system="")
    assert sorted(row["title"] for row in rows()) == ["One", "Three", "Two"]
    assert "5ec2e7" not in str(rows())


def test_a_simulators_key_makes_simulated_rows(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(least())
    assert client(api_key="sk-sim-class").chat("x", api="responses").source is Source.SIMULATED
    assert (kept()["kind"], kept()["source"]) == ("responses", "simulated")
