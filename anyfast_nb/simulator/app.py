"""The routes of the built-in AnyFast."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from anyfast_nb.simulator import models
from anyfast_nb.simulator.completion import Completion, complete
from anyfast_nb.simulator.gate import HEALTH_PATH, Activity, Gate
from anyfast_nb.simulator.handshake import proof
from anyfast_nb.simulator.looking.eyes import Eyes
from anyfast_nb.simulator.problems import Refusal, encoded
from anyfast_nb.simulator.stream import Broken, Pacer, Sleep, events, in_pieces
from anyfast_nb.simulator.triggers import Ending, Failures, Triggers, read_triggers
from anyfast_nb.simulator.validate import parse_json, read_chat

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from anyfast_nb.simulator.config import Config
    from anyfast_nb.simulator.request import ChatRequest

PAGE = "<!doctype html><html><head><title>AnyFast</title></head><body><div id=root></div></body></html>"
LONGEST_CHALLENGE = 128


def build(
    config: Config,
    *,
    activity: Activity | None = None,
    lifespan: Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]] | None = None,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> ASGIApp:
    """The whole server as one ASGI application.

    Args:
        config: key, speed and limits.
        activity: counts running requests; its own if not given.
        lifespan: entered before the first request and left after the last.
        now: seconds since 1970, for ``created``.
        clock: monotonic seconds, for pace and idleness.
        sleep: waits that many seconds.
    """
    activity = activity or Activity(clock=clock)
    desk = Desk(config, activity=activity, now=now, clock=clock, sleep=sleep)
    routes = [
        Route(HEALTH_PATH, desk.health, methods=["GET"]),
        Route("/v1/models", desk.models, methods=["GET"]),
        Route("/v1/chat/completions", desk.chat, methods=["POST"]),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={Refusal: _refused, HTTPException: _not_routed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return Gate(app, config=config, activity=activity)


class Desk:
    """Answers the routes."""

    def __init__(
        self,
        config: Config,
        *,
        activity: Activity,
        now: Callable[[], float],
        clock: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self.config = config
        self.activity = activity
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._eyes = Eyes()
        self._failures = Failures()
        self._numbers = itertools.count(1)

    async def health(self, request: Request) -> Response:
        """Whether the server is there, and, for a launcher, that it holds the key."""
        challenge = request.query_params.get("challenge", "")[:LONGEST_CHALLENGE]
        self.activity.touch()
        found: dict[str, Any] = {
            "status": "closing" if self.activity.closing else "ok",
            "simulated": True,
            "profile": self.config.profile.value,
        }
        if self.config.proves and challenge:
            found |= {
                "version": self.config.version,
                "pid": os.getpid(),
                "running": self.activity.running,
                "speed": self.config.speed,
                "tokens_per_second": self.config.tokens_per_second,
                "proof": proof(self.config.key, challenge),
            }
        return _json(found)

    async def models(self, _: Request) -> Response:
        """``GET /v1/models``."""
        return _json(models.listing())

    async def chat(self, request: Request) -> ASGIApp:
        """``POST /v1/chat/completions``."""
        raw = await request.body()
        authorization = request.headers.get("authorization", "")
        # Off the loop: a large body or a clip must not hold up the streams of others.
        asked, triggers, completion = await run_in_threadpool(
            self._work_out, raw, request.headers.get("content-type", ""), authorization
        )
        if triggers.html:
            return HTMLResponse(PAGE)
        pacer = Pacer(self._rate(triggers), clock=self._clock, sleep=self._sleep)
        if asked.stream:
            pieces = events(completion, triggers, pacer, include_usage=asked.include_usage, sleep=self._sleep)
            return EventStream(in_pieces(pieces) if triggers.split else pieces, activity=self.activity)
        return WholeAnswer(completion, triggers, pacer, activity=self.activity, sleep=self._sleep)

    def _work_out(
        self, raw: bytes, content_type: str, authorization: str
    ) -> tuple[ChatRequest, Triggers, Completion]:
        asked = read_chat(parse_json(raw, content_type=content_type))
        triggers = read_triggers(asked.prompt)
        if triggers.echo_key:
            raise Refusal(401, f"Invalid API key provided: {authorization}. Simulated on request.")
        self._failures.check(
            triggers, key=authorization, prompt=asked.prompt, retry_after_s=self._retry_after_s()
        )
        created = self._now()
        number = f"02{int(created * 1000):013d}{next(self._numbers):06d}{asked.digest().hex()[:12]}"
        return asked, triggers, complete(asked, triggers, eyes=self._eyes, id=number, created=int(created))

    def _rate(self, triggers: Triggers) -> float:
        return self.config.rate_per_s if triggers.rate_per_s is None else triggers.rate_per_s

    def _retry_after_s(self) -> int:
        return math.ceil(1 / self.config.speed) if self.config.speed else 0


class EventStream:
    """An SSE reply that stops working when the client goes away or the server ends."""

    def __init__(self, pieces: AsyncIterator[bytes], *, activity: Activity) -> None:
        self._pieces = pieces
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all pieces, or stop at the disconnect."""
        await _until_gone(self._send(send), receive, self._activity)

    async def _send(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # An empty piece brings the headers out before the first token is due.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        with contextlib.suppress(Broken):
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WholeAnswer:
    """A reply in one piece, sent when the last token would have been made."""

    def __init__(
        self, completion: Completion, triggers: Triggers, pacer: Pacer, *, activity: Activity, sleep: Sleep
    ) -> None:
        self._activity = activity
        self._completion = completion
        self._triggers = triggers
        self._pacer = pacer
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait as long as the answer takes, then send it; stop at the disconnect."""

        async def answer() -> None:
            await self._pacer.wait(tokens=self._completion.completion_tokens)
            await self._send(scope, receive, send)

        await _until_gone(answer(), receive, self._activity)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        ending = self._triggers.ending
        while ending is Ending.HANG:
            await self._sleep(1.0)
        if ending is Ending.ERROR:
            failed = Refusal(500, "Simulated on request: it failed half way.")
            await failed.response()(scope, receive, send)
            return
        reply = _json(self._completion.body())
        if ending in {Ending.CUT, Ending.DROP}:
            reply.body = bytes(reply.body)[: len(reply.body) // 2]
            # A cut body states its own length and is no JSON; a dropped one is shorter than it states.
            if ending is Ending.CUT:
                reply.headers["content-length"] = str(len(reply.body))
            await send({"type": "http.response.start", "status": 200, "headers": reply.raw_headers})
            await send(
                {
                    "type": "http.response.body",
                    "body": bytes(reply.body),
                    "more_body": ending is Ending.DROP,
                }
            )
            return
        await reply(scope, receive, send)


async def _until_gone(work: Awaitable[None], receive: Receive, activity: Activity) -> None:
    """Run the work to its end, or drop it when the client disconnects or the server ends."""
    working = asyncio.ensure_future(work)
    tasks = (working, asyncio.create_task(_disconnect(receive)), asyncio.create_task(activity.ended()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(value: Any, status: int = 200) -> Response:
    return Response(encoded(value), status_code=status, media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


async def _not_routed(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405, in the documented envelope."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        refusal = Refusal(
            405,
            f"{request.method} is not allowed for {request.url.path[:200]}; use {allowed}.",
            headers=error.headers,
        )
        return refusal.response()
    if error.status_code == 404:
        return Refusal(404, f"Invalid URL ({request.method} {request.url.path[:200]})").response()
    return Refusal(error.status_code, json.dumps(error.detail)[:200]).response()
