"""The desk for ``POST /v1/responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Route

from anyfast_nb.simulator.completion import complete
from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.delivery import PAGE, EventStream, WholeAnswer
from anyfast_nb.simulator.responses.answer import Answer
from anyfast_nb.simulator.responses.events import full_script, short_script
from anyfast_nb.simulator.responses.reading import read_response_request
from anyfast_nb.simulator.stream import in_pieces, play
from anyfast_nb.simulator.triggers import Ending, Triggers, read_triggers
from anyfast_nb.simulator.validate import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from anyfast_nb.simulator.request import ChatRequest
    from anyfast_nb.simulator.workshop import Workshop

SHORT_PROFILES = frozenset({Profile.FLAT, Profile.OLDEST})


class ResponsesDesk:
    """``POST /v1/responses``, plain and streamed."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [Route("/v1/responses", self.create, methods=["POST"])]

    async def create(self, request: Request) -> ASGIApp:
        """``POST /v1/responses``."""
        raw = await request.body()
        # Off the loop: a large document must not hold up the streams of others.
        asked, triggers, answer = await run_in_threadpool(self._work_out, request, raw)
        if triggers.html:
            return HTMLResponse(PAGE)
        shop = self._shop
        pacer = shop.pacer(triggers)
        short = triggers.minimal or shop.config.profile in SHORT_PROFILES
        if asked.stream:
            script = (short_script if short else full_script)(answer, triggers)
            pieces = play(script, triggers, pacer, sleep=shop.sleep)
            return EventStream(in_pieces(pieces) if triggers.split else pieces, activity=shop.activity)

        async def whole() -> dict[str, Any]:
            await pacer.wait(tokens=answer.completion.completion_tokens)
            if triggers.ending is Ending.FAILED:
                return answer.failed()
            return answer.short_body() if short else answer.body()

        # A response that failed is a whole body that says so.
        ending = Ending.DONE if triggers.ending is Ending.FAILED else triggers.ending
        return WholeAnswer(whole, ending, activity=shop.activity, sleep=shop.sleep)

    def _work_out(self, request: Request, raw: bytes) -> tuple[ChatRequest, Triggers, Answer]:
        shop, headers = self._shop, request.headers
        body = parse_json(raw, content_type=headers.get("content-type", ""))
        asked = read_response_request(body, strict=shop.config.strict)
        triggers = read_triggers(asked.prompt)
        shop.check(triggers, authorization=headers.get("authorization", ""), prompt=asked.prompt)
        shop.review(triggers)
        number, created = shop.number(asked.digest())
        done = complete(asked, triggers, eyes=shop.eyes, id=number, created=created)
        return asked, triggers, Answer(done, shop.now)
