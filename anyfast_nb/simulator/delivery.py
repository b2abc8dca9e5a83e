"""How a reply reaches the client: in one piece or as events, and no further than the client stays."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from anyfast_nb.simulator.problems import Refusal, encoded
from anyfast_nb.simulator.stream import HALF_WAY, Broken, Sleep
from anyfast_nb.simulator.triggers import Ending

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from anyfast_nb.simulator.gate import Activity

PAGE = "<!doctype html><html><head><title>AnyFast</title></head><body><div id=root></div></body></html>"


class EventStream:
    """An SSE reply that stops working when the client goes away or the server ends.

    Args:
        pieces: the bytes.
        activity: tells when the server ends.
        at_once: whether the headers go out before the first piece is there.
    """

    def __init__(self, pieces: AsyncIterator[bytes], *, activity: Activity, at_once: bool = True) -> None:
        self._pieces = pieces
        self._activity = activity
        self._at_once = at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all pieces, or stop at the disconnect."""
        await until_gone(self._send(send), receive, self._activity)

    async def _send(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]
        start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        if self._at_once:
            # An empty piece brings the headers out before the first token is due.
            await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        begun = self._at_once
        with contextlib.suppress(Broken):
            async for piece in self._pieces:
                if not begun:
                    await send(start)
                    begun = True
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not begun:
                await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WholeAnswer:
    """A reply in one piece.

    Args:
        make: waits as long as the work takes, then gives the body.
        ending: how the reply ends.
        activity: tells when the server ends.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Mapping[str, Any]]],
        ending: Ending,
        *,
        activity: Activity,
        sleep: Sleep,
    ) -> None:
        self._make = make
        self._ending = ending
        self._activity = activity
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the body, then send it; stop at the disconnect."""

        async def answer() -> None:
            await self._send(await self._make(), scope, receive, send)

        await until_gone(answer(), receive, self._activity)

    async def _send(self, body: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        ending = self._ending
        while ending is Ending.HANG:
            await self._sleep(1.0)
        if ending in {Ending.ERROR, Ending.FAILED}:
            failed = Refusal(500, str(HALF_WAY["message"]))
            await failed.response()(scope, receive, send)
            return
        reply = json_reply(body)
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


async def until_gone(work: Awaitable[None], receive: Receive, activity: Activity) -> None:
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


def json_reply(value: Any, status: int = 200) -> Response:
    """A JSON reply."""
    return Response(encoded(value), status_code=status, media_type="application/json")
