"""What a row says, however its request went: every way to ask, and every way to end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.client.faces import Client
from anyfast_nb.errors import AnyFastError, Billed, Interrupted
from anyfast_nb.gateway.ending import ending
from anyfast_nb.gateway.whence import Origin
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import Source, Status
from tests.client.conftest import USAGE, chunk
from tests.jobs.conftest import (
    KEY,
    MakeClient,
    created,
    everything_on_disk,
    film_reply,
    ledger_rows,
    link,
    picture_reply,
    png,
    posts,
    refused,
    succeeded,
)
from tests.wire_server import CUT, HANG, RESET, Reply, WireServer

ID = {"x-oneapi-request-id": "req-1"}
BUSY = Reply(429, headers=ID | {"Retry-After": "0"}, body=(b'{"error": {"message": "slow down"}}',))
CALL = {"index": 0, "id": "c1", "function": {"name": "clock", "arguments": "{}"}}
RESPONSE = {
    "id": "resp_1", "object": "response", "model": "served", "status": "completed",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
    "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8},
}  # fmt: skip
PLAIN = {
    "id": "0217", "model": "served", "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip


def clock() -> str:
    """The time."""
    return "9:00"


def with_id(reply: Reply) -> Reply:
    return Reply(reply.status, dict(reply.headers) | ID, reply.body, reply.content_type, reply.declared_size)


def stream(*pieces: Any, done: bool = True) -> Reply:
    return with_id(Reply.sse(*pieces, done=done))


def pictures(server: WireServer, *, made: int = 1, bad: int = 0, told: int | None = 1) -> Reply:
    item = {"url": link(server, "a.png"), "size": "400x400"}
    failed = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}}
    usage = {"output_tokens": 16384} | ({} if told is None else {"generated_images": told})
    return with_id(
        Reply.json({"model": "served", "created": 1, "data": [item] * made + [failed] * bad, "usage": usage})
    )


GOOD = {
    "status": "ok", "billed": "yes", "error_class": None, "error": None, "attempts": 1, "request_id": "req-1",
}  # fmt: skip
TOKENS = {"input_tokens": 3, "output_tokens": 5, "model_served": "served"}
BAD = {"error_class": "BadRequestError", "billed": "no", "status": "error", "request_id": "req-1"}
CHAT = {"kind": "chat", "images": None, "video_s": None, "job": None}


@dataclass(frozen=True)
class Way:
    """One way to ask, what the server says to it, and what the rows say then."""

    ask: Callable[[Client], object]
    replies: Callable[[WireServer], list[Reply]]
    rows: list[dict[str, Any]]


def chat(**options: Any) -> Callable[[Client], object]:
    return lambda client: client.chat("x", **options)


def film(client: Client) -> object:
    return client.seedance("x", duration=4).wait()


def group(client: Client) -> object:
    return client.assets.create_group("people")


def drawn(client: Client) -> object:
    return client.seedream("x", size="2K")


WAYS = {
    "chat": Way(chat(), lambda _: [stream(chunk("Hi"), chunk(finish="stop"), USAGE)], [CHAT | GOOD | TOKENS]),
    "chat, whole": Way(
        chat(stream=False),
        lambda _: [with_id(Reply.json(PLAIN))],
        [CHAT | GOOD | TOKENS],
    ),
    "chat, events": Way(
        lambda client: list(client.stream("x")),
        lambda _: [stream(chunk("Hi"), chunk(finish="stop"), USAGE)],
        [CHAT | GOOD | TOKENS],
    ),
    "chat at the third try": Way(
        chat(),
        lambda _: [BUSY, BUSY, stream(chunk("Hi"), chunk(finish="stop"), USAGE)],
        [CHAT | GOOD | TOKENS | {"attempts": 3}],
    ),
    "responses": Way(
        chat(api="responses", stream=False),
        lambda _: [with_id(Reply.json(RESPONSE))],
        [CHAT | GOOD | TOKENS | {"kind": "responses"}],
    ),
    "tools": Way(
        chat(tools=[clock]),
        lambda _: [
            stream(chunk(tool_calls=[CALL]), chunk(finish="tool_calls"), USAGE),
            stream(chunk("9"), chunk(finish="stop"), USAGE),
        ],
        [CHAT | GOOD | TOKENS, CHAT | GOOD | TOKENS],
    ),
    "chat, refused": Way(chat(), lambda _: [with_id(refused())], [CHAT | BAD | {"attempts": 1}]),
    "chat, always busy": Way(
        chat(),
        lambda _: [BUSY] * 4,
        [CHAT | {"error_class": "RateLimitError", "billed": "no", "attempts": 4, "request_id": "req-1"}],
    ),
    "chat, cut": Way(
        chat(),
        lambda _: [stream(chunk("Hi"), CUT, done=False)],
        [CHAT | {"status": "truncated", "error_class": "WireCut", "billed": "maybe", "request_id": "req-1"}],
    ),
    "chat, no answer": Way(
        chat(),
        lambda _: [Reply(body=(RESET,))],
        [CHAT | {"status": "error", "error_class": "WireCut", "billed": "maybe"}],
    ),
    "chat, an error on the way": Way(
        chat(),
        lambda _: [stream(chunk("Hi"), '{"error": {"message": "no", "code": "InternalError"}}', done=False)],
        [CHAT | {"status": "error", "error_class": "ServerError", "billed": "maybe", "request_id": "req-1"}],
    ),
    "film": Way(
        film,
        lambda server: [
            with_id(created()),
            succeeded(link(server)),
            film_reply(_FILM[0]),
        ],
        [
            {
                "kind": "seedance",
                "task_id": "asyntask_h81efT0qwtLnzyt6VENmCZ6VXSfNxE2E",
                "video_s": 4.0,
                "output_tokens": 108900,
                "images": None,
            }
            | GOOD
        ],
    ),
    "film at the second try": Way(
        lambda client: client.seedance("x", duration=4),
        lambda _: [BUSY, with_id(created())],
        [{"kind": "seedance", "billed": None, "attempts": 2, "request_id": "req-1", "error_class": None}],
    ),
    "film, refused": Way(film, lambda _: [with_id(refused())], [{"kind": "seedance"} | BAD]),
    "film, in doubt": Way(
        film,
        lambda _: [Reply(body=(RESET,))],
        [{"kind": "seedance", "status": "submit_unknown", "error_class": "WireCut", "billed": "maybe"}],
    ),
    "kling": Way(
        lambda client: client.kling("x", duration=5),
        lambda _: [with_id(Reply.json({"code": 0, "data": {"task_id": "k1", "task_status": "submitted"}}))],
        [{"kind": "kling", "task_id": "k1", "error_class": None, "request_id": "req-1", "attempts": 1}],
    ),
    "pictures": Way(
        drawn,
        lambda server: [pictures(server), picture_reply(png())],
        [{"kind": "seedream", "images": 1, "output_tokens": 16384, "job": None} | GOOD],
    ),
    "pictures, counted here": Way(
        lambda client: client.seedream("x", size="2K", count=3, stream=False),
        lambda server: [pictures(server, made=2, bad=1, told=None), *[picture_reply(png())] * 2],
        [{"kind": "seedream", "images": 2} | GOOD],
    ),
    "pictures, all failed": Way(
        drawn,
        lambda server: [pictures(server, made=0, bad=1, told=None)],
        [{"images": 0, "status": "error", "error_class": "ModerationError", "billed": "no"}],
    ),
    "pictures, refused": Way(
        drawn, lambda _: [with_id(refused())], [{"kind": "seedream", "images": None} | BAD]
    ),
    "pictures, in doubt": Way(
        drawn,
        lambda _: [Reply(body=(RESET,))],
        [{"kind": "seedream", "status": "submit_unknown", "error_class": "WireCut", "billed": "maybe"}],
    ),
    "pictures at the second try": Way(
        drawn,
        lambda server: [BUSY, pictures(server), picture_reply(png())],
        [{"kind": "seedream"} | GOOD | {"attempts": 2}],
    ),
    "an asset group": Way(
        group,
        lambda _: [BUSY, with_id(Reply.json({"Id": "group-1"}))],
        [{"kind": "asset"} | GOOD | {"attempts": 2}],
    ),
    "an asset group, refused": Way(
        group,
        lambda _: [with_id(refused())],
        [{"kind": "asset"} | BAD],
    ),
    "a sweep": Way(
        lambda client: client.sweep(["x", "y"], kind="seedream", size="2K", at_once=1),
        lambda server: [pictures(server), picture_reply(png()), with_id(refused())],
        [{"kind": "seedream", "images": 1} | GOOD, {"kind": "seedream"} | BAD],
    ),
}
_FILM: list[bytes] = []


@pytest.mark.parametrize("name", WAYS)
def test_each_way_fills_its_row(wire_server: WireServer, client: MakeClient, film: bytes, name: str) -> None:
    way, _FILM[:] = WAYS[name], [film]
    mine = client()
    wire_server.script(*way.replies(wire_server))
    fails = way.rows[-1].get("error_class") is not None and name != "a sweep"
    with pytest.raises(AnyFastError) if fails else nullcontext():
        way.ask(mine)
    mine.close()
    found = ledger_rows()
    assert len(found) == len(way.rows) == len({row["id"] for row in found})
    for row, expected in zip(found, way.rows, strict=True):
        assert {column: row[column] for column in expected} == expected
        assert row["source"] == "live"
        assert row["duration_s"] is not None
        assert row["title"] in {"x", "y", "group people"}
        assert (row["error"] is None) == (row["error_class"] is None)
        assert (row["ttft_s"] is not None) == (expected.get("kind") in {"chat", "responses"} and (
            row["status"] in {"ok", "truncated"} or name == "chat, an error on the way"
        ))  # fmt: skip
        assert (row["job"] is not None) == (row["kind"] in {"seedance", "kling"})
        assert (row["request_hash"] is not None) == (row["kind"] in {"seedance", "kling", "seedream"})


def test_a_films_row_names_its_job(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created(), refused())
    mine = client()
    job = mine.seedance("x")
    with pytest.raises(AnyFastError) as caught:
        mine.seedance("y")
    rows = ledger_rows()
    assert [row["job"] for row in rows] == [job.id, caught.value.partial.id]
    assert [job.row.request_row, caught.value.partial.row.request_row] == [row["id"] for row in rows]


# --- interrupts and silence -------------------------------------------------------------------

STOPPED = {"error_class": "Interrupted"}


@pytest.mark.parametrize(
    ("ask", "reply", "expected"),
    [
        (chat(), stream(chunk("Hi"), HANG, done=False), {"status": "interrupted", "billed": "maybe"}),
        (chat(), Reply(body=(HANG,)), {"status": "interrupted", "billed": "maybe"}),
        (drawn, Reply(body=(HANG,)), {"status": "submit_unknown", "billed": "maybe"}),
        (film, Reply(body=(HANG,)), {"status": "submit_unknown", "billed": "maybe"}),
        (
            group,
            Reply(body=(HANG,)),
            {"status": "submit_unknown", "billed": "maybe"},
        ),
    ],
    ids=["chat, begun", "chat", "pictures", "film", "asset"],
)
def test_an_interrupt_leaves_open_what_it_costs(
    wire_server: WireServer,
    client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Client], object],
    reply: Reply,
    expected: dict[str, Any],
) -> None:
    monkeypatch.setattr("anyfast_nb.jobs.submit._LAST_WORDS_S", 0.05)
    _stopped(wire_server, client(), ask, reply)
    (row,) = ledger_rows()
    assert {name: row[name] for name in (STOPPED | expected)} == STOPPED | expected


@pytest.mark.parametrize(
    "ask",
    [chat(), drawn, film, group],
    ids=["chat", "pictures", "film", "asset"],
)
def test_an_interrupt_before_it_is_sent_again_costs_nothing(
    wire_server: WireServer, client: MakeClient, ask: Callable[[Client], object]
) -> None:
    from anyfast_nb.http.retry import RetryPolicy

    mine = client(policy=RetryPolicy(base_s=600, cap_s=600))
    mine.pace = None
    _stopped(wire_server, mine, ask, Reply(429, body=(b'{"error": {"message": "slow down"}}',)))
    (row,) = ledger_rows()
    assert (row["status"], row["billed"], row["error_class"]) == ("interrupted", "no", "Interrupted")
    assert row["attempts"] == 2


def _stopped(server: WireServer, client: Client, ask: Callable[[Client], object], reply: Reply) -> None:
    """Ask, and press Ctrl-C once the server has the request and the reply has had its moment."""
    import threading

    from tests.client.conftest import press_ctrl_c

    server.script(reply)

    def press() -> None:
        request = server.wait_for_requests(1)[0]
        if reply.body and HANG not in reply.body:
            request.answered.wait(10)
        threading.Event().wait(0.2)  # until what came is read
        press_ctrl_c()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        ask(client)
    presser.join()
    client.close()


def test_silence_may_be_billed(wire_server: WireServer, client: MakeClient) -> None:
    from anyfast_nb.http.transport import Limits

    wire_server.script(Reply(body=(HANG,)))
    with pytest.raises(AnyFastError):
        client(limits=Limits(idle_s=0.1)).chat("x", stream=False)
    (row,) = ledger_rows()
    assert (row["status"], row["error_class"], row["billed"]) == ("error", "ReadTimedOut", "maybe")


def test_no_connection_costs_nothing(client: MakeClient, tmp_path: Path) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AnyFastError):
        client(base_url=url).chat("x")
    (row,) = ledger_rows()
    assert (row["error_class"], row["billed"], row["request_id"]) == ("ConnectFailed", "no", None)
    assert row["attempts"] == 4


def test_a_callback_that_fails_is_named(wire_server: WireServer, client: MakeClient) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    wire_server.script(stream(chunk("Hi"), chunk(finish="stop"), USAGE))
    with pytest.raises(ZeroDivisionError):
        client().chat("x", on_event=broken)
    (row,) = ledger_rows()
    assert (row["status"], row["error_class"], row["billed"]) == ("error", "ZeroDivisionError", "maybe")


def test_how_an_error_ends_a_request() -> None:
    refusal = AnyFastError("no")
    assert ending(refusal) == ("AnyFastError", Billed.NO)
    refusal.billed = Billed.YES
    assert ending(refusal) == ("AnyFastError", Billed.YES)
    assert ending(asyncio.CancelledError()) == ("Interrupted", Billed.MAYBE)
    assert ending(KeyboardInterrupt(), rests=True) == ("Interrupted", Billed.NO)
    assert ending(Interrupted("stopped")).error_class == "Interrupted"
    assert ending(ValueError()) == ("ValueError", Billed.MAYBE)


# --- secrets ----------------------------------------------------------------------------------

SIGNED = "https://tos.example.cn/a.mp4?X-Tos-Signature=5ec2e75ec2e7&X-Tos-Expires=9"
DATA = "data:image/png;base64," + "QUJDREVG" * 8
HOSTILE = st.lists(
    st.sampled_from([KEY, f"Bearer {KEY}", SIGNED, DATA, "https://ada:pa55word@host.cn/x", "x", "—", "\n"])
    | st.text(max_size=6),
    min_size=1,
    max_size=5,
).map(" ".join)
LEAKS = (KEY, "0123456789abcdef", "5ec2e75ec2e7", "QUJDREVGQUJD", "pa55word")
TEXTS = (
    "title", "notebook", "cell", "thread", "user", "session", "model", "error", "error_class", "request_id",
)  # fmt: skip


@given(text=HOSTILE, into=st.sets(st.sampled_from(TEXTS), min_size=1))
def test_no_column_holds_a_secret(
    tmp_path_factory: pytest.TempPathFactory, text: str, into: set[str]
) -> None:
    told = {name: text if name in into else "plain" for name in TEXTS}
    origin = Origin(told["notebook"], told["cell"], told["thread"], told["user"], told["session"])
    row = RequestRow(
        kind="chat",
        source=Source.LIVE,
        base_url="https://ada:pa55word@host.cn/v1?key=5ec2e75ec2e7",
        model=told["model"],
        title=told["title"],
    )
    with Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite3") as ledger:
        ledger.begin(origin.signed(row))
        ledger.settle(
            row.id, status=Status.ERROR, model=told["model"], error=told["error"],
            error_class=told["error_class"], request_id=told["request_id"], billed=Billed.NO,
        )  # fmt: skip
        folder = ledger.path.parent
    kept = everything_on_disk(folder).decode("utf-8", "replace")
    assert [leak for leak in LEAKS if leak in kept] == []


def test_a_key_that_a_server_echoes_is_not_kept(wire_server: WireServer, client: MakeClient) -> None:
    headers = {"x-oneapi-request-id": f"id-{KEY}"}
    body = json.dumps({"error": {"message": f"the key {KEY} of {SIGNED} is bad", "code": KEY}}).encode()
    wire_server.script(*[Reply(400, headers, (body,))] * 3)
    mine = client()
    for ask in (chat(), film, drawn):
        with pytest.raises(AnyFastError):
            ask(mine)
    assert len(posts(wire_server)) == 3
    assert [leak for leak in LEAKS if leak in json.dumps(ledger_rows())] == []
