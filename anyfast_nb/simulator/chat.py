"""The desk for ``POST /v1/chat/completions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Route

from anyfast_nb.simulator.completion import Completion, complete
from anyfast_nb.simulator.delivery import PAGE, EventStream, WholeAnswer
from anyfast_nb.simulator.stream import events, in_pieces
from anyfast_nb.simulator.triggers import Triggers, read_triggers
from anyfast_nb.simulator.validate import parse_json, read_chat

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from anyfast_nb.simulator.request import ChatRequest
    from anyfast_nb.simulator.workshop import Workshop


class ChatDesk:
    """``POST /v1/chat/completions``, plain and streamed."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [Route("/v1/chat/completions", self.chat, methods=["POST"])]

    async def chat(self, request: Request) -> ASGIApp:
        """``POST /v1/chat/completions``."""
        shop = self._shop
        raw = await request.body()
        authorization = request.headers.get("authorization", "")
        # Off the loop: a large body or a clip must not hold up the streams of others.
        asked, triggers, completion = await run_in_threadpool(
            self._work_out, raw, request.headers.get("content-type", ""), authorization
        )
        if triggers.html:
            return HTMLResponse(PAGE)
        pacer = shop.pacer(triggers)
        if asked.stream:
            pieces = events(completion, triggers, pacer, include_usage=asked.include_usage, sleep=shop.sleep)
            return EventStream(in_pieces(pieces) if triggers.split else pieces, activity=shop.activity)

        async def whole() -> dict[str, Any]:
            await pacer.wait(tokens=completion.completion_tokens)
            return completion.body()

        return WholeAnswer(whole, triggers.ending, activity=shop.activity, sleep=shop.sleep)

    def _work_out(
        self, raw: bytes, content_type: str, authorization: str
    ) -> tuple[ChatRequest, Triggers, Completion]:
        asked = read_chat(parse_json(raw, content_type=content_type))
        triggers = read_triggers(asked.prompt)
        self._shop.check(triggers, authorization=authorization, prompt=asked.prompt)
        self._shop.review(triggers)
        number, created = self._shop.number(asked.digest())
        return asked, triggers, complete(asked, triggers, eyes=self._shop.eyes, id=number, created=created)
