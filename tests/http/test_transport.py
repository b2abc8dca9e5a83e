from __future__ import annotations

import asyncio
import gzip
import json
import logging
import pickle
import socket
import ssl
import traceback
import zlib
from typing import Any

import httpx
import pytest

from anyfast_nb.errors import (
    AnyFastError,
    AuthenticationError,
    BadRequestError,
    Billed,
    ConfigError,
    ConnectFailed,
    InputError,
    ProtocolError,
    QuotaError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    StatusError,
    WireCut,
)
from anyfast_nb.http import transport as room
from anyfast_nb.http.sse import ServerSentEvent
from anyfast_nb.http.transport import Call, Transport
from anyfast_nb.secret import Secret
from anyfast_nb.settings import Endpoint
from anyfast_nb.wire.values import Retrying
from tests.http.conftest import CALLS, CHAT, KEY, MODELS, PLAIN, Connect
from tests.wire_server import CUT, HANG, RESET, Pause, Reply, WireServer

OK = Reply.json({"choices": []})
PING = b": PING\n\n"
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
billed_calls = pytest.mark.parametrize("call", [CHAT, PLAIN], ids=["stream", "plain"])


def error_reply(status: int, message: str = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply.json({"error": {"message": message}}, status=status, headers=named)


@pytest.fixture
def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what is sent -----------------------------------------------------------------------------


async def test_a_call_carries_key_body_and_what_it_accepts(wire_server: WireServer, connect: Connect) -> None:
    talk = connect()
    wire_server.script(Reply.json({"a": 1}), Reply.json({"b": 2}), Reply.sse('{"c": 3}', done=True))
    assert await talk.send(PLAIN) == {"a": 1}
    assert await talk.send(MODELS) == {"b": 2}
    assert await talk.send(CHAT) == ['{"c": 3}', "[DONE]"]
    plain, models, chat = wire_server.requests
    assert (plain.method, plain.path, plain.json()) == ("POST", "/v1/chat/completions", {"model": "m"})
    assert (models.method, models.path, models.body) == ("GET", "/v1/models", b"")
    for request in (plain, models, chat):
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["User-Agent"].startswith("anyfast-nb/")
    assert "Content-Type" not in models.headers
    assert plain.headers["Content-Type"] == "application/json"
    assert (plain.headers["Accept"], models.headers["Accept"]) == ("application/json", "application/json")
    assert chat.headers["Accept"] == "text/event-stream, application/json"


async def test_text_travels_as_utf_8(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply(body=('{"text": "北京 😀"}'.encode(),)))
    body = {"content": "Zürich 北京 😀"}
    assert await connect().send(Call("POST", "/x", body=body)) == {"text": "北京 😀"}
    assert "北京".encode() in wire_server.requests[0].body
    assert wire_server.requests[0].json() == body


async def test_one_connection_serves_call_after_call(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply.sse("a", done=True), OK, Reply.sse("b", done=True), error_reply(400), OK)
    talk = connect()
    for call in (CHAT, PLAIN, CHAT):
        await talk.send(call)
    with pytest.raises(BadRequestError):
        await talk.send(PLAIN)
    await talk.send(PLAIN)
    pool = talk.transport._client()._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1
    assert len(wire_server.requests) == 5


@pytest.mark.parametrize(
    "bad",
    [{"x": object()}, {"x": float("nan")}, {"x": "\ud800"}, {"x": b"bytes"}],
    ids=["object", "nan", "half a pair", "bytes"],
)
async def test_what_is_no_json_is_refused_before_sending(
    wire_server: WireServer, connect: Connect, bad: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="cannot be written as JSON"):
        await connect().send(Call("POST", "/x", body=bad, bills=True))
    circle: dict[str, Any] = {}
    circle["self"] = circle
    with pytest.raises(InputError):
        await connect().send(Call("POST", "/x", body=circle, bills=True))
    assert wire_server.requests == []


async def test_a_body_over_64_megabytes_is_refused_before_sending(
    wire_server: WireServer, connect: Connect
) -> None:
    with pytest.raises(InputError, match="a body is at most 64,000,000") as caught:
        await connect().send(Call("POST", "/x", body={"x": "y" * 64_000_000}, bills=True))
    assert not caught.value.sent
    assert wire_server.requests == []


async def test_proxies_of_the_environment_are_not_asked_for_this_machine(
    wire_server: WireServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    wire_server.script(OK)
    await connect().send(PLAIN)
    assert len(wire_server.requests) == 1


async def test_plain_http_to_this_machine_builds_no_tls_context(
    wire_server: WireServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a TLS context was built")

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    monkeypatch.setattr(ssl.SSLContext, "__new__", refuse)
    wire_server.script(OK, Reply.sse("x", done=True))
    await connect().send(PLAIN)
    await connect().send(CHAT)


# --- no connection ----------------------------------------------------------------------------


@every_call
async def test_no_connection_is_tried_again_for_every_call(
    connect: Connect, closed_port: int, call: Call
) -> None:
    talk = connect(f"http://127.0.0.1:{closed_port}")
    with pytest.raises(
        ConnectFailed, match=rf"no connection to 127\.0\.0\.1:{closed_port} \(refused\)"
    ) as caught:
        await talk.send(call)
    assert (caught.value.sent, caught.value.billed, caught.value.retryable) == (False, Billed.NO, True)
    assert talk.waits == [1, 2, 4]
    assert talk.retries == [Retrying("no connection", wait, n, 4) for n, wait in ((2, 1), (3, 2), (4, 4))]


async def test_a_name_that_nobody_knows_says_so(connect: Connect) -> None:
    with pytest.raises(
        ConnectFailed, match=r"no connection to nowhere\.invalid \(the name is not known\); nothing was"
    ):
        await connect("https://nowhere.invalid", attempts=1).send(MODELS)


@pytest.mark.parametrize(
    "host", ["a..b.invalid", f"{'x' * 70}.invalid", "a b.invalid", "ä..invalid", "good.example\\evil.invalid"]
)
async def test_a_host_that_cannot_be_one_is_our_error_too(connect: Connect, host: str) -> None:
    with pytest.raises((ConfigError, ConnectFailed)):
        await connect(f"https://{host}", attempts=1).send(MODELS)


async def test_a_server_that_speaks_no_tls_is_no_connection(
    wire_server: WireServer, connect: Connect
) -> None:
    with pytest.raises(ConnectFailed):
        await connect(wire_server.url.replace("http://", "https://"), attempts=1).send(MODELS)


# --- refusals and their repetition ------------------------------------------------------------


@every_call
@pytest.mark.parametrize("status", [429, 503])
async def test_work_that_was_not_done_is_asked_for_again(
    wire_server: WireServer, connect: Connect, call: Call, status: int
) -> None:
    last = Reply.sse("x", done=True) if call.streams else OK
    wire_server.script(
        error_reply(status, retry_after="8"),
        error_reply(status, retry_after_ms="250"),
        error_reply(status),
        last,
    )
    talk = connect()
    await talk.send(call)
    assert talk.waits == pytest.approx([8.8, 0.275, 4])
    assert [(event.reason, event.attempt, event.attempts) for event in talk.retries] == [
        (str(status), 2, 4),
        (str(status), 3, 4),
        (str(status), 4, 4),
    ]
    assert [event.delay_s for event in talk.retries] == talk.waits
    assert len(talk.heads) == 1


@every_call
async def test_at_last_the_refusal_stands(wire_server: WireServer, connect: Connect, call: Call) -> None:
    wire_server.script(*[error_reply(429, f"no {n}", retry_after="0") for n in range(1, 5)])
    talk = connect()
    with pytest.raises(RateLimitError, match="429 too many requests: no 4"):
        await talk.send(call)
    assert len(wire_server.requests) == 4
    assert talk.waits == [0, 0, 0]


@billed_calls
@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_a_billed_call_is_never_repeated_after_a_doubt(
    wire_server: WireServer, connect: Connect, call: Call, status: int
) -> None:
    wire_server.script(error_reply(status, retry_after="1"))
    talk = connect()
    with pytest.raises(ServerError) as caught:
        await talk.send(call)
    assert (len(wire_server.requests), talk.retries) == (1, [])
    assert caught.value.billed is Billed.MAYBE
    assert "Sent, and may be billed" in caught.value.hint


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_a_free_call_is_repeated_after_any_trouble(
    wire_server: WireServer, connect: Connect, status: int
) -> None:
    wire_server.script(error_reply(status), OK)
    assert await connect().send(MODELS) == {"choices": []}
    wire_server.script(*[error_reply(status)] * 4)
    with pytest.raises(ServerError) as caught:
        await connect().send(MODELS)
    assert caught.value.billed is Billed.NO
    assert "billed" not in caught.value.hint.replace("Not billed", "")


@every_call
@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequestError), (401, AuthenticationError), (403, QuotaError)]
)
async def test_a_wrong_request_is_not_repeated(
    wire_server: WireServer, connect: Connect, call: Call, status: int, kind: type[StatusError]
) -> None:
    wire_server.script(
        error_reply(status, "insufficient_user_quota" if status == 403 else "no", retry_after="1")
    )
    with pytest.raises(kind):
        await connect().send(call)
    assert len(wire_server.requests) == 1


@every_call
async def test_the_status_counts_even_if_its_body_never_ends(
    wire_server: WireServer, connect: Connect, call: Call
) -> None:
    last = Reply.sse("x", done=True) if call.streams else OK
    packed = Reply(503, headers={"Content-Encoding": "gzip"}, body=(b"no gzip",))
    endless = Reply(503, body=(b'{"error": ', HANG))
    long = Reply(429, body=tuple([b"x" * 50_000] * 5))
    wire_server.script(Reply(429, body=(b'{"error": {"mess', CUT)), packed, endless, long, last)
    talk = connect(attempts=5, idle_s=0.1)
    await talk.send(call)
    assert [event.reason for event in talk.retries] == ["429", "503", "503", "429"]


async def test_the_request_id_comes_from_body_or_header(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(
        Reply.json(
            {"error": {"message": "x (request id: 2026abc)"}},
            status=400,
            headers={"X-Oneapi-Request-Id": "h"},
        ),
        error_reply(400, x_oneapi_request_id="2026def"),
        Reply(502, headers={"X-Request-Id": "2026ghi"}, content_type="", body=()),
        Reply.json({}, headers={"X-Oneapi-Request-Id": "2026jkl", "X-AnyFast-Simulated": "1"}),
    )
    talk = connect()
    for request_id in ("2026abc", "2026def", "2026ghi"):
        with pytest.raises(StatusError) as caught:
            await talk.send(PLAIN)
        assert caught.value.request_id == request_id
        assert caught.value.hint.endswith(f"(request id {request_id})")
    await talk.send(PLAIN)
    assert (talk.heads[-1].request_id, talk.heads[-1].simulated) == ("2026jkl", True)


# --- what breaks after sending ----------------------------------------------------------------

BROKEN = {
    "cut before the head": Reply(body=(CUT,), declared_size=10),
    "cut in the body": Reply(body=(b'{"choices": [', CUT)),
    "reset in the body": Reply(body=(b'{"choices": [', RESET)),
    "shorter than declared": Reply(body=(b"{}", CUT), declared_size=100),
    "silence in the body": Reply(body=(b'{"choices": [', HANG)),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_a_billed_call_that_breaks_is_sent_exactly_once(
    wire_server: WireServer, connect: Connect, reply: Reply
) -> None:
    wire_server.script(reply, OK)
    with pytest.raises((WireCut, ReadTimedOut)) as caught:
        await connect(idle_s=0.1).send(PLAIN)
    assert len(wire_server.requests) == 1
    assert (caught.value.sent, caught.value.billed) == (True, Billed.MAYBE)
    assert caught.value.hint == "Sent, and may be billed: it was not repeated by itself."


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_a_free_call_that_breaks_is_repeated(
    wire_server: WireServer, connect: Connect, reply: Reply
) -> None:
    wire_server.script(reply, OK)
    talk = connect(idle_s=0.1)
    assert await talk.send(MODELS) == {"choices": []}
    assert [event.reason for event in talk.retries] == ["no answer"]
    wire_server.script(*[reply] * 4)
    with pytest.raises((WireCut, ReadTimedOut)) as caught:
        await connect(idle_s=0.1).send(MODELS)
    assert caught.value.billed is Billed.NO
    assert caught.value.hint.startswith("Nothing was billed.")


@every_call
async def test_silence_before_the_reply_ends_by_the_response_limit(connect: Connect, call: Call) -> None:
    arrived: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.read()  # and says nothing until the client goes away
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        talk = connect(f"http://127.0.0.1:{port}", response_s=0.05)
        with pytest.raises(ReadTimedOut, match=r"no reply within 0\.05 s"):
            await talk.send(call)
    assert len(arrived) == (1 if call.bills else 4)
    assert len(talk.retries) == len(arrived) - 1


@pytest.mark.parametrize("end", [CUT, RESET])
async def test_a_stream_that_breaks_gives_what_came_and_is_sent_once(
    wire_server: WireServer, connect: Connect, end: Any
) -> None:
    wire_server.script(Reply.sse("a", Pause(0.05), end))
    talk = connect()
    with pytest.raises(WireCut):
        await talk.send(CHAT)
    assert [event.data for event in talk.events] == ["a"]
    assert len(wire_server.requests) == 1


async def test_the_idle_limit_counts_data_not_heartbeats(wire_server: WireServer, connect: Connect) -> None:
    beats = [piece for _ in range(100) for piece in (Pause(0.02), PING)]
    wire_server.script(Reply.sse("a", *beats, done=True))
    talk = connect(idle_s=0.2)
    with pytest.raises(ReadTimedOut, match=r"no data for 0\.2 s in the stream"):
        await talk.send(CHAT)
    assert [event.data for event in talk.events] == ["a"]
    assert wire_server.requests[0].gone.wait(5)


async def test_data_moves_the_idle_limit_on(wire_server: WireServer, connect: Connect) -> None:
    pieces = [piece for n in range(8) for piece in (str(n), Pause(0.06))]
    wire_server.script(Reply.sse(*pieces, done=True))
    assert len(await connect(idle_s=0.3).send(CHAT)) == 9


async def test_the_total_limit_ends_a_stream_that_never_ends(
    wire_server: WireServer, connect: Connect
) -> None:
    pieces = [piece for n in range(1000) for piece in (str(n), Pause(0.01))]
    wire_server.script(Reply.sse(*pieces))
    with pytest.raises(ReadTimedOut, match=r"the call took more than 0\.2 s in all"):
        await connect(total_s=0.2).send(CHAT)
    assert wire_server.requests[0].gone.wait(5)


async def test_the_total_limit_holds_for_the_waits_between_tries(wire_server: WireServer) -> None:
    wire_server.script(*[error_reply(429, retry_after="60")] * 4)
    transport = Transport(Endpoint(wire_server.url, Secret(KEY)), limits=room.Limits(total_s=0.1))
    with pytest.raises(ReadTimedOut, match="in all"):
        await transport.json(PLAIN)
    await transport.close()
    assert len(wire_server.requests) == 1


async def test_the_end_is_the_end_even_if_the_server_keeps_the_line_open(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(Reply.sse("a", "[DONE]", "after the end", HANG), Reply.sse("b", "[DONE]", CUT))
    talk = connect()
    assert await talk.send(CHAT) == ["a", "[DONE]"]
    assert wire_server.requests[0].gone.wait(5)
    assert await talk.send(CHAT) == ["a", "[DONE]", "b", "[DONE]"]


# --- replies of another kind ------------------------------------------------------------------


@every_call
async def test_a_web_page_is_no_answer(wire_server: WireServer, connect: Connect, call: Call) -> None:
    page = b"<!doctype html><html><title>AnyFast console</title><body>...</body></html>"
    wire_server.script(Reply(body=(page,), content_type="text/html"))
    with pytest.raises(
        ProtocolError, match=r"answered with a web page \(AnyFast console\), not with JSON"
    ) as caught:
        await connect().send(call)
    assert caught.value.billed is (Billed.MAYBE if call.bills else Billed.NO)
    assert "base URL" in caught.value.hint


@every_call
@pytest.mark.parametrize("body", [b"", b"[]", b"5", b'"text"', b"{", b"\xff\xfe", b"null", b'{"a":' * 5000])
async def test_what_is_no_json_object_is_no_answer(
    wire_server: WireServer, connect: Connect, call: Call, body: bytes
) -> None:
    wire_server.script(Reply(body=(body,) if body else ()))
    with pytest.raises(ProtocolError, match="not with JSON"):
        await connect().send(call)
    assert len(wire_server.requests) == 1


async def test_json_where_a_stream_was_asked_for_is_an_answer(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(Reply.json({"id": "x"}))
    assert await connect().send(CHAT) == {"id": "x"}


async def test_a_byte_order_mark_before_json_does_no_harm(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply(body=(b'\xef\xbb\xbf{"id": "x"}',)))
    assert await connect().send(PLAIN) == {"id": "x"}


async def test_the_name_of_the_stream_type_is_read_in_any_case(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(Reply(body=(b"data: a\n\n",), content_type="Text/Event-Stream; charset=utf-8"))
    assert await connect().send(CHAT) == ["a"]


@every_call
@pytest.mark.parametrize(
    "body", [{"error": {"message": "it broke"}}, {"code": "x", "message": "it broke", "data": None}]
)
async def test_an_error_inside_a_200_is_an_error(
    wire_server: WireServer, connect: Connect, call: Call, body: dict[str, Any]
) -> None:
    wire_server.script(Reply.json(body))
    with pytest.raises(ServerError, match="200 the server failed: it broke") as caught:
        await connect().send(call)
    assert caught.value.status == 200


async def test_packed_replies_are_unpacked(wire_server: WireServer, connect: Connect) -> None:
    packed = gzip.compress(json.dumps({"id": "x"}).encode())
    wire_server.script(Reply(headers={"Content-Encoding": "gzip"}, body=(packed[:5], packed[5:])))
    assert await connect().send(PLAIN) == {"id": "x"}
    press = zlib.compressobj(wbits=31)
    pieces = [
        press.compress(b"data: a\n\n") + press.flush(zlib.Z_SYNC_FLUSH),
        press.compress(b"data: b\n\n") + press.flush(),
    ]
    wire_server.script(
        Reply(headers={"Content-Encoding": "gzip"}, body=tuple(pieces), content_type="text/event-stream")
    )
    assert await connect().send(CHAT) == ["a", "b"]


async def test_a_reply_that_cannot_be_unpacked_is_no_answer(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(*[Reply(headers={"Content-Encoding": "gzip"}, body=(b"no gzip",))] * 2)
    for call in (PLAIN, MODELS):
        with pytest.raises(ProtocolError, match="cannot be unpacked"):
            await connect().send(call)


async def test_a_reply_without_end_is_bounded(
    wire_server: WireServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BODY_BYTES", 100_000)
    wire_server.script(Reply(body=tuple([b"x" * 65_536] * 50)))
    with pytest.raises(ProtocolError, match="the reply has more than 100,000 bytes"):
        await connect().send(PLAIN)


async def test_a_line_without_end_is_bounded_as_the_call_says(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(*[Reply.sse("x" * 2000, done=True)] * 2)
    with pytest.raises(ProtocolError, match="a line of more than 1,000 bytes"):
        await connect().send(Call("POST", "/x", body=CHAT.body, bills=True, max_line_bytes=1000))
    assert len(await connect().send(CHAT)) == 2


# --- redirects --------------------------------------------------------------------------------


def redirect(status: int, location: str) -> Reply:
    return Reply(status, headers={"Location": location}, content_type="")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_get_follows_a_redirect_on_the_same_origin(
    wire_server: WireServer, connect: Connect, status: int
) -> None:
    wire_server.script(redirect(status, "/v2/models"), OK)
    await connect().send(MODELS)
    assert [request.path for request in wire_server.requests] == ["/v1/models", "/v2/models"]
    assert wire_server.requests[1].headers["Authorization"] == f"Bearer {KEY}"


@billed_calls
@pytest.mark.parametrize("status", [307, 308])
async def test_a_post_follows_those_that_keep_it_a_post(
    wire_server: WireServer, connect: Connect, status: int, call: Call
) -> None:
    wire_server.script(redirect(status, f"{wire_server.url}/other"), OK)
    await connect().send(call)
    again = wire_server.requests[1]
    assert (again.method, again.path, again.json()) == ("POST", "/other", dict(call.body or {}))


@billed_calls
async def test_a_303_says_that_the_work_may_be_done(
    wire_server: WireServer, connect: Connect, call: Call
) -> None:
    wire_server.script(redirect(303, "/v1/results/1"), OK)
    with pytest.raises(ProtocolError, match="303") as caught:
        await connect().send(call)
    assert caught.value.billed is Billed.MAYBE
    assert "may be billed" in str(caught.value)
    assert len(wire_server.requests) == 1


@billed_calls
@pytest.mark.parametrize("status", [301, 302])
async def test_a_post_is_not_turned_into_a_get(
    wire_server: WireServer, connect: Connect, status: int, call: Call
) -> None:
    wire_server.script(redirect(status, "/login"))
    with pytest.raises(ConfigError, match=f"redirects the request to a page \\({status}\\)"):
        await connect().send(call)
    assert len(wire_server.requests) == 1


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_neither_key_nor_body_goes_to_another_origin(
    wire_server: WireServer, connect: Connect, call: Call, status: int
) -> None:
    with WireServer() as elsewhere:
        wire_server.script(redirect(status, f"{elsewhere.url}/v1/x"))
        with pytest.raises(
            ConfigError, match=r"127\.0\.0\.1 redirects to 127\.0\.0\.1; key and request were not"
        ):
            await connect().send(call)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "place", ["https://{host}/v1/x", "http://localhost:{port}/", "//evil.example/", "https://evil.example/"]
)
async def test_another_scheme_or_name_is_another_origin(
    wire_server: WireServer, connect: Connect, place: str
) -> None:
    host = wire_server.url.removeprefix("http://")
    wire_server.script(redirect(307, place.format(host=host, port=host.partition(":")[2])))
    with pytest.raises(ConfigError, match="were not passed on"):
        await connect().send(PLAIN)


async def test_a_key_in_a_redirect_is_not_shown(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(redirect(307, f"https://{KEY}.evil.example/"))
    with pytest.raises(ConfigError) as caught:
        await connect().send(PLAIN)
    assert KEY[:12] not in str(caught.value)


async def test_redirects_in_a_circle_end(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(*[redirect(307, "/round")] * 20)
    with pytest.raises(ProtocolError, match="more than 5 redirects"):
        await connect().send(MODELS)
    assert len(wire_server.requests) == 5


@pytest.mark.parametrize("location", ["http://[bad", "http://h:port/", ""])
async def test_a_redirect_that_leads_nowhere_is_our_error(
    wire_server: WireServer, connect: Connect, location: str
) -> None:
    wire_server.script(redirect(307, location))
    with pytest.raises(AnyFastError):
        await connect(attempts=1).send(PLAIN)


# --- nothing foreign, nothing secret ----------------------------------------------------------

ECHO = f"Bearer {KEY} is wrong; header Authorization: {KEY}; masked {KEY[:7]}****{KEY[-4:]}; end {KEY[-8:]}"
HARM = {
    "401 with the key": Reply.json(
        {"error": {"message": ECHO, "code": KEY, "type": KEY, "param": KEY}}, status=401
    ),
    "the key in a string of JSON": Reply.json(
        {"code": KEY, "message": json.dumps({"error": ECHO})}, status=400
    ),
    "the key in a 200": Reply.json({"error": {"message": ECHO}, "request_id": KEY}),
    "the key on a page": Reply(
        body=(f"<html><title>{ECHO}</title></html>".encode(),), content_type="text/html"
    ),
    "the key in plain text": Reply(500, body=(ECHO.encode(),), content_type="text/plain"),
    "the key as request id": Reply(500, headers={"X-Oneapi-Request-Id": KEY}, body=(b"x",)),
    "the key where JSON was meant": Reply(body=(ECHO.encode(),)),
    "cut": Reply(body=(b"{", CUT)),
    "reset": Reply(body=(RESET,)),
    "no gzip": Reply(headers={"Content-Encoding": "gzip"}, body=(b"x",)),
    "a redirect": redirect(307, f"https://{KEY}.example/{KEY}"),
    "a bad redirect": redirect(307, f"http://[{KEY}"),
    "a line too long": Reply.sse("x" * 1_100_000),
    "odd status": Reply(299, body=(b"x",)),
    "not modified": Reply(304, content_type="", declared_size=0),
}


def assert_nothing_shows(error: BaseException) -> None:
    """No run of six of the key's characters in anything that prints, logs or travels with an error."""
    runs = {KEY[i : i + 6] for i in range(len(KEY) - 5)}
    record = logging.LogRecord(
        "n", logging.ERROR, __file__, 1, "m", None, (type(error), error, error.__traceback__)
    )
    shown = {
        "str": str(error),
        "repr": repr(error),
        "args": repr(error.args),
        "attributes": repr(vars(error)),
        "traceback": "".join(traceback.format_exception(error)),
        "logging": logging.Formatter().format(record),
        "pickle": repr(pickle.dumps(error)),
    }
    for where, text in shown.items():
        assert not [run for run in runs if run in text], where
    # a foreign exception would hold the request, and with it the key
    assert (error.__cause__, error.__context__) == (None, None)


@every_call
@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
async def test_whatever_happens_is_an_error_of_ours_without_the_key(
    wire_server: WireServer, connect: Connect, harm: Reply, call: Call
) -> None:
    wire_server.script(*[harm] * 4)
    with pytest.raises(AnyFastError) as caught:
        await connect(idle_s=1).send(call)
    assert_nothing_shows(caught.value)
    assert len(caught.value.lines()) <= 3


async def test_a_failed_connection_does_not_show_the_key(connect: Connect, closed_port: int) -> None:
    for url in (f"http://127.0.0.1:{closed_port}", "https://nowhere.invalid"):
        with pytest.raises(ConnectFailed) as caught:
            await connect(url, attempts=1).send(PLAIN)
        assert_nothing_shows(caught.value)


async def test_limits_do_not_show_the_key(wire_server: WireServer, connect: Connect) -> None:
    for limits in ({"idle_s": 0.05}, {"total_s": 0.05}):
        wire_server.script(Reply.sse("a", HANG))
        with pytest.raises(ReadTimedOut) as caught:
            await connect(**limits).send(CHAT)
        assert_nothing_shows(caught.value)


@pytest.mark.parametrize(
    "raised",
    [
        TimeoutError("mine"),
        httpx.ConnectError("mine"),
        ValueError("mine"),
        ConnectionResetError("mine"),
        KeyError("mine"),
    ],
    ids=repr,
)
async def test_what_a_listener_raises_passes_through_as_it_is(
    wire_server: WireServer, connect: Connect, raised: Exception
) -> None:
    wire_server.script(Reply.sse("a", HANG))

    def listen(_: ServerSentEvent) -> bool:
        raise raised

    with pytest.raises(type(raised)) as caught:
        await connect().transport.stream(CHAT, listen, on_body=lambda _: None)
    assert caught.value is raised
    assert wire_server.requests[0].gone.wait(5)
    assert len(wire_server.requests) == 1


async def test_the_time_a_listener_takes_is_not_the_servers(
    wire_server: WireServer, connect: Connect
) -> None:
    # As if the listener had run other work of the same loop for longer than the idle limit.
    loop = asyncio.get_running_loop()
    talk = connect(idle_s=5)
    skipped = 0.0
    real = loop.time
    seen: list[str] = []

    def listen(event: ServerSentEvent) -> bool:
        nonlocal skipped
        skipped += 60
        seen.append(event.data)
        return event.data == "[DONE]"

    wire_server.script(Reply.sse("a", Pause(0.02), "b", Pause(0.02), done=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: real() + skipped)
        await talk.transport.stream(CHAT, listen, on_body=lambda _: None)
    assert seen == ["a", "b", "[DONE]"]


async def test_cancelling_a_call_ends_it_at_the_server(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply.sse("a", HANG))
    talk = connect()
    task = asyncio.create_task(talk.send(CHAT))
    while not talk.events:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire_server.requests[0].gone.wait(5)


def test_a_transport_serves_one_loop_after_another(wire_server: WireServer) -> None:
    wire_server.script(OK, OK)
    transport = Transport(Endpoint(wire_server.url, Secret(KEY)))

    async def once() -> None:
        await transport.json(PLAIN)
        await transport.close()

    asyncio.run(once())
    asyncio.run(once())
    assert len(wire_server.requests) == 2
