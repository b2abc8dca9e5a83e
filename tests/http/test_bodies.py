from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import (
    Billed,
    InputError,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)
from anyfast_nb.http import bodies
from anyfast_nb.http.bodies import FilePart
from anyfast_nb.http.transport import Call
from tests.http.conftest import Connect
from tests.wire_server import CUT, HANG, Reply, Request, WireServer

OK = Reply.json({"Id": "asset-1"})
FIELDS = {"model": "volc-asset-video", "GroupId": "group-1", "Name": "clip 北京", "AssetType": "Video"}
BYTES = bytes(range(256)) * 400


def upload(content: bytes | Path = BYTES, *, filename: str = "clip.mp4", **more: Any) -> Call:
    file = FilePart(content, filename, "video/mp4")
    return Call("POST", "/volc/asset/CreateAsset", body=FIELDS, file=file, **more)


def parts(request: Request) -> dict[str, tuple[str | None, str, bytes]]:
    """What a form holds: name -> file name, type, content."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    found = {}
    for part in form.iter_parts():
        name = part["Content-Disposition"].params["name"]
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[name] = (part.get_filename(), part.get_content_type(), content)
    return found


@pytest.mark.parametrize("place", ["bytes", "path"])
async def test_a_form_carries_its_fields_and_its_file(
    wire_server: WireServer, connect: Connect, tmp_path: Path, place: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(BYTES)
    wire_server.script(OK)
    assert await connect().send(upload(BYTES if place == "bytes" else path)) == {"Id": "asset-1"}
    (request,) = wire_server.requests
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert request.headers["Authorization"].startswith("Bearer ")
    assert int(request.headers["Content-Length"]) == len(request.body)
    found = parts(request)
    assert found.pop("file") == ("clip.mp4", "video/mp4", BYTES)
    assert {name: content.decode() for name, (_, _, content) in found.items()} == FIELDS


@pytest.mark.parametrize("name", ['a"b\r\nX-Evil: 1.mp4', "北京.mp4"])
async def test_a_file_name_breaks_no_form(wire_server: WireServer, connect: Connect, name: str) -> None:
    wire_server.script(OK)
    await connect().send(upload(b"x", filename=name))
    assert b"\r\nX-Evil" not in wire_server.requests[0].body
    assert set(parts(wire_server.requests[0])) == {*FIELDS, "file"}


@pytest.mark.parametrize("place", ["bytes", "path"])
async def test_a_form_is_sent_again_from_its_beginning(
    wire_server: WireServer, connect: Connect, tmp_path: Path, place: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(BYTES)
    wire_server.script(Reply.json({"error": "busy"}, status=429), Reply.json({}, status=503), OK)
    await connect().send(upload(BYTES if place == "bytes" else path, bills=True))
    assert [parts(request)["file"][2] for request in wire_server.requests] == [BYTES] * 3


async def test_a_form_follows_a_redirect_on_the_same_origin(
    wire_server: WireServer, connect: Connect
) -> None:
    wire_server.script(Reply(307, headers={"Location": "/elsewhere"}), OK)
    await connect().send(upload())
    assert [request.path for request in wire_server.requests] == ["/volc/asset/CreateAsset", "/elsewhere"]
    assert parts(wire_server.requests[1])["file"][2] == BYTES


async def test_a_file_beyond_the_limit_is_refused_before_it_is_read(
    wire_server: WireServer, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.truncate(bodies.MAX_BODY_BYTES)
    with pytest.raises(InputError, match="at most 64,000,000") as caught:
        await connect().send(upload(path, bills=True))
    assert caught.value.field == "file"
    assert not caught.value.sent
    assert wire_server.requests == []


async def test_a_file_just_below_the_limit_is_sent(
    wire_server: WireServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", len(BYTES) + 2000)
    wire_server.script(OK)
    await connect().send(upload())
    assert len(wire_server.requests[0].body) <= bodies.MAX_BODY_BYTES


async def test_a_file_that_is_not_there_is_named(
    wire_server: WireServer, connect: Connect, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4 cannot be read") as caught:
        await connect().send(upload(tmp_path / "gone.mp4"))
    assert str(tmp_path) not in str(caught.value)


async def test_a_field_that_is_no_text_is_refused(connect: Connect) -> None:
    call = Call("POST", "/x", body={"n": 5}, file=FilePart(b"x", "x"))
    with pytest.raises(InputError, match="the form's field n is int"):
        await connect().send(call)


# --- what must not happen twice -----------------------------------------------------------------

DOUBTS = {
    "cut": (Reply(body=(b"{", CUT)), WireCut),
    "silence": (Reply(body=(HANG,)), ReadTimedOut),
    "500": (Reply.json({"error": {"message": "no"}}, status=500), ServerError),
}


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_what_may_have_been_done_is_not_done_twice_though_it_bills_nothing(
    wire_server: WireServer, connect: Connect, doubt: str
) -> None:
    reply, error = DOUBTS[doubt]
    wire_server.script(reply, OK)
    with pytest.raises(error) as caught:
        await connect(idle_s=0.2).send(Call("POST", "/x", body={}, once=True))
    assert len(wire_server.requests) == 1
    assert caught.value.billed is Billed.NO
    assert caught.value.sent
    assert "may have been done" in caught.value.hint


async def test_what_was_surely_not_done_is_sent_again(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply.json({}, status=429), Reply.json({}, status=503), OK)
    assert await connect().send(Call("POST", "/x", body={}, once=True)) == {"Id": "asset-1"}
    wire_server.script(*[Reply.json({"error": {"message": "slow"}}, status=429)] * 4)
    with pytest.raises(RateLimitError) as caught:
        await connect().send(Call("POST", "/x", body={}, once=True))
    assert "may have been done" not in caught.value.hint


async def test_a_query_by_post_is_repeated(wire_server: WireServer, connect: Connect) -> None:
    wire_server.script(Reply(body=(b"{", CUT)), Reply.json({}, status=502), OK)
    assert await connect().send(Call("POST", "/volc/asset/GetAsset", body={"Id": "a"})) == {"Id": "asset-1"}


async def test_a_call_may_allow_a_longer_reply(
    wire_server: WireServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyfast_nb.http.transport.MAX_BODY_BYTES", 1000)
    wire_server.script(*[Reply.json({"b64": "A" * 2000})] * 2)
    with pytest.raises(ProtocolError, match="more than 1,000"):
        await connect().send(Call("GET", "/x"))
    assert await connect().send(Call("GET", "/x", max_reply_bytes=3000)) == {"b64": "A" * 2000}
