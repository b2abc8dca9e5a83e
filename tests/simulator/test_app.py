from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from anyfast_nb.simulator.app import build
from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.gate import Activity, Gate
from anyfast_nb.simulator.handshake import proves
from anyfast_nb.simulator.models import MODELS
from tests.simulator.conftest import KEY, body, connect

CHAT = "/v1/chat/completions"
ROUTES = [
    ("GET", "/v1/models"),
    ("POST", CHAT),
    ("GET", CHAT),
    ("POST", "/v1/responses"),
    ("GET", "/"),
    ("PUT", "/x"),
]


async def test_a_plain_answer_has_the_documented_shape(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body("what is 2+3"))
    assert reply.status_code == 200
    assert reply.headers["x-anyfast-simulated"] == "1"
    found = reply.json()
    assert found["object"] == "chat.completion"
    choice = found["choices"][0]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    assert "**5**" in choice["message"]["content"]
    assert choice["message"]["reasoning_content"]
    assert set(found["usage"]) == {
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
    }


@pytest.mark.parametrize(
    "path",
    [CHAT, "/v1/responses", "/v1/images/generations", "/v1/video/generations", "/kling/v1/videos/text2video"],
)
async def test_a_client_that_dies_while_it_sends_is_no_mistake(path: str) -> None:
    app = build(Config(key=KEY, speed=0))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {KEY}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"1000"),
        ],
    }
    heard = [{"type": "http.request", "body": b'{"model": ', "more_body": True}]
    said = []

    async def receive() -> Any:
        return heard.pop(0) if heard else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)  # would raise what the log shows as a traceback
    assert said[0]["status"] == 499


async def test_created_is_the_clock_and_ids_differ() -> None:
    async with connect(Config(key=KEY, speed=0), now=lambda: 1_774_236_644.5) as client:
        first, second = [(await client.post(CHAT, json=body())).json() for _ in range(2)]
    assert first["created"] == 1_774_236_644
    assert first["id"] != second["id"]
    assert first["choices"] == second["choices"]


async def test_a_streamed_answer_says_the_same_as_a_plain_one(client: httpx.AsyncClient) -> None:
    plain = (await client.post(CHAT, json=body("A poem about tea"))).json()["choices"][0]["message"]
    reply = await client.post(CHAT, json=body("A poem about tea", stream=True))
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-anyfast-simulated"] == "1"
    frames = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]
    assert "".join(frame["choices"][0]["delta"]["content"] for frame in frames) == plain["content"]


async def test_the_model_list(client: httpx.AsyncClient) -> None:
    rows = {row["id"]: row for row in (await client.get("/v1/models")).json()["data"]}
    assert rows.keys() == MODELS.keys()
    assert {row["object"] for row in rows.values()} == {"model"}
    assert rows["seedance"]["supported_endpoint_types"] == ["video"]
    assert rows["doubao-seed-2.0-pro"] == {
        "id": "doubao-seed-2.0-pro",
        "object": "model",
        "created": 1626777600,
        "owned_by": "volcengine",
        "supported_endpoint_types": ["openai", "openai-response"],
    }
    assert "openai" in rows["claude-3-5-sonnet-20241022"]["supported_endpoint_types"]


# --- the gate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer "])
async def test_every_route_wants_a_key(
    client: httpx.AsyncClient, method: str, path: str, header: str | None
) -> None:
    del client.headers["authorization"]
    reply = await client.request(method, path, headers={} if header is None else {"authorization": header})
    assert (reply.status_code, reply.json()) == (401, {"error": {"message": "No token provided"}})


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "header", ["Bearer sk-wrong-key", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer sk-\xfc"]
)
async def test_every_route_refuses_a_wrong_key_without_repeating_it(
    client: httpx.AsyncClient, method: str, path: str, header: str
) -> None:
    reply = await client.request(method, path, headers={"authorization": header.encode("latin-1")})
    assert reply.status_code == 401
    error = reply.json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert "wrong-key" not in reply.text
    assert KEY not in reply.text


async def test_no_route_is_reached_without_key_or_by_another_host() -> None:
    gate = build(Config(key=KEY, speed=0))
    assert isinstance(gate, Gate)
    assert isinstance(gate.app, Starlette)
    asked = [
        (method, re.sub(r"\{\w+\}", "x", route.path))
        for route in gate.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    ]
    assert len(asked) > 25
    async with connect(Config(key=KEY, speed=0)) as client:
        for method, path in asked:
            there = await client.request(method, path, headers={"host": "evil.example"})
            assert (method, path, there.status_code) == (method, path, 421)
        del client.headers["authorization"]
        statuses = {(m, path): (await client.request(m, path)).status_code for m, path in asked}
    free = {path for (_, path), status in statuses.items() if status != 401}
    assert free == {"/healthz", "/files/x"}
    assert statuses["GET", "/files/x"] == 403


async def test_the_key_passes_whatever_the_case_of_bearer(client: httpx.AsyncClient) -> None:
    reply = await client.get("/v1/models", headers={"authorization": f"bearer  {KEY}"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:8765", 200),
        ("127.0.0.2", 200),
        ("class.example:8765", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8765", 421),
        ("192.168.0.7", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/healthz"])
async def test_only_hosts_of_this_server_are_answered(host: str, status: int, path: str) -> None:
    async with connect(Config(key=KEY, hosts=("Class.example",))) as client:
        reply = await client.get(path, headers={"host": host})
    assert reply.status_code == status
    if status == 421:
        assert "--allow-host" in reply.json()["error"]["message"]
        assert reply.json()["error"]["code"] == "wrong_host"


async def test_unknown_paths_and_methods_get_json(client: httpx.AsyncClient) -> None:
    reply = await client.post("/v1/embeddings", json={})
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Invalid URL (POST /v1/embeddings)"
    assert (await client.post(f"{CHAT}/", json=body())).status_code == 404
    reply = await client.get(CHAT)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert reply.json()["error"]["code"] == "method_not_allowed"


async def test_a_refused_body_names_field_and_range(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body(temperature=3))
    assert reply.status_code == 400
    assert reply.json() == {
        "error": {
            "message": "temperature must be between 0 and 2, got 3",
            "type": "invalid_request_error",
            "code": "invalid_parameter",
            "param": "temperature",
        }
    }


async def test_half_a_surrogate_pair_does_no_harm(client: httpx.AsyncClient) -> None:
    raw = b'{"model": "doubao-seed-2.0-pro", "messages": [{"role": "user", "content": "plugh \\ud800"}]}'
    reply = await client.post(CHAT, content=raw, headers={"content-type": "application/json"})
    assert reply.status_code == 200
    reply = await client.post(
        CHAT, content=raw.replace(b"2.0-pro", b"\\ud800"), headers={"content-type": "application/json"}
    )
    assert reply.status_code == 404


async def test_a_stated_length_over_the_cap_is_refused_before_the_body_is_read() -> None:
    read = False

    async def receive() -> dict[str, Any]:
        nonlocal read
        read = True
        return {"type": "http.disconnect"}

    headers = {"content-length": str(64 * 1024 * 1024 + 1)}
    assert (await raw_post(receive, headers))[0] == 413
    assert not read


async def test_a_body_without_a_length_is_counted_and_refused_at_the_cap() -> None:
    piece, sent = bytes(4 * 1024 * 1024), 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    status, reply = await raw_post(receive, {"transfer-encoding": "chunked"})
    assert status == 413
    assert json.loads(reply)["error"]["code"] == "request_too_large"
    assert sent == 68 * 1024 * 1024


async def raw_post(receive: Any, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of a POST whose body comes from ``receive``."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    given = {
        "host": "localhost",
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
    } | headers
    scope = {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "raw_path": CHAT.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    await build(Config(key=KEY, speed=0))(scope, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])


# --- health ------------------------------------------------------------------------------------------


async def test_health_needs_no_key_and_proves_the_key_only_for_a_launcher() -> None:
    async with connect(Config(key=KEY)) as client:
        del client.headers["authorization"]
        found = (await client.get("/healthz?challenge=abc")).json()
        assert found == {"status": "ok", "simulated": True, "profile": "current"}
    async with connect(Config(key=KEY, proves=True, version="9.9")) as client:
        found = (await client.get("/healthz?challenge=abc")).json()
    assert found["version"] == "9.9"
    assert proves(KEY, "abc", found["proof"])
    assert not proves(KEY, "abd", found["proof"])
    assert not proves("sk-other", "abc", found["proof"])
    assert KEY not in json.dumps(found)


async def test_a_running_request_is_not_idle() -> None:
    now = 0.0
    activity = Activity(clock=lambda: now)
    now = 50.0
    assert activity.idle_s() == 50
    with activity.request():
        now = 100.0
        assert activity.idle_s() == 0
    now = 130.0
    assert activity.idle_s() == 30


# --- failures on request ------------------------------------------------------------------------------


async def test_a_status_can_be_asked_for(client: httpx.AsyncClient) -> None:
    statuses = [(await client.post(CHAT, json=body("sim:503x2 hello"))).status_code for _ in range(4)]
    assert statuses == [503, 503, 200, 503]
    reply = await client.post(CHAT, json=body("sim:429/8"))
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "8")
    assert reply.json()["error"]["type"] == "rate_limit_error"
    assert "retry-after" not in (await client.post(CHAT, json=body("sim:429/none"))).headers
    reply = await client.post(CHAT, json=body("sim:500"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "internal_server_error")


async def test_retry_after_is_divided_by_speed() -> None:
    for speed, header in ((1, "1"), (0, "0"), (0.25, "4")):
        async with connect(Config(key=KEY, speed=speed)) as client:
            assert (await client.post(CHAT, json=body("sim:429"))).headers["retry-after"] == header


async def test_the_key_is_repeated_only_on_request(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body("sim:echo-key"))
    assert reply.status_code == 401
    assert KEY in reply.json()["error"]["message"]


async def test_a_page_can_be_asked_for(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body("sim:html", stream=True))
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")


async def test_plain_answers_break_too(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body("sim:cut"))
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert (await client.post(CHAT, json=body("sim:error-midstream"))).status_code == 500


# --- the client goes away -------------------------------------------------------------------------------


async def test_a_disconnect_stops_the_work() -> None:
    gone, activity = asyncio.Event(), Activity()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 5:
            gone.set()
        await asyncio.sleep(0)

    raw = json.dumps(body("sim:hang sim:ping", stream=True)).encode()
    first = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if first:
            return first.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(_: dict[str, Any]) -> None:
        pass

    given = {"host": "localhost", "authorization": f"Bearer {KEY}", "content-type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "raw_path": CHAT.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    app = build(Config(key=KEY), activity=activity, sleep=sleep)
    await asyncio.wait_for(app(scope, receive, send), timeout=20)
    assert activity.running == 0
    before = len(slept)
    await asyncio.sleep(0)
    assert len(slept) == before


async def test_a_prompt_can_be_refused_by_review(client: httpx.AsyncClient) -> None:
    reply = await client.post(CHAT, json=body("sim:bad-words hello"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "InputTextSensitiveContentDetected")


async def test_a_mistake_of_the_server_is_told_in_the_documented_envelope(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong() -> None:
        raise LookupError("/home/somebody/secret")

    monkeypatch.setattr("anyfast_nb.simulator.models.listing", wrong)
    transport = httpx.ASGITransport(app=build(Config(key=KEY)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
        reply = await client.get("/v1/models", headers={"authorization": f"Bearer {KEY}"})
    assert reply.status_code == 500
    assert reply.headers["connection"] == "close"
    assert reply.headers["x-anyfast-simulated"] == "1"
    assert reply.json()["error"] == {
        "message": "The built-in AnyFast made a mistake (LookupError).",
        "type": "server_error",
        "code": "internal_server_error",
    }
