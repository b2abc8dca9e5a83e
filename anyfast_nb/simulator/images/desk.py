"""The desk for ``POST /v1/images/generations``."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Route

from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.delivery import PAGE, EventStream, WholeAnswer
from anyfast_nb.simulator.files import absolute
from anyfast_nb.simulator.images.plan import Item, Plan, plan_of
from anyfast_nb.simulator.images.reading import ImageRequest, read_image_request
from anyfast_nb.simulator.images.shapes import body, completed, event
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.stream import (
    DONE,
    HALF_WAY,
    PING,
    close,
    data_frame,
    in_pieces,
    limit_of,
    named_frame,
)
from anyfast_nb.simulator.tasks.media import Library
from anyfast_nb.simulator.triggers import Triggers, read_triggers
from anyfast_nb.simulator.validate import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from anyfast_nb.simulator.workshop import Workshop

PICTURE_S = 3.0  # at speed 1
MARKED_PROFILES = frozenset({Profile.FLAT, Profile.OLDEST})  # their pages draw a watermark unless told not to


class ImagesDesk:
    """``POST /v1/images/generations``, plain and streamed."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._library = Library(shop.store)

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [Route("/v1/images/generations", self.create, methods=["POST"])]

    async def create(self, request: Request) -> ASGIApp:
        """``POST /v1/images/generations``."""
        shop = self._shop
        raw = await request.body()
        triggers, plan = await shop.read(self._work_out, request, raw)
        if triggers.html:
            return HTMLResponse(PAGE)
        if plan.asked.stream:
            pieces = self._events(request, plan, triggers)
            # The upstream sends its headers with the first picture, not before.
            return EventStream(
                in_pieces(pieces) if triggers.split else pieces, activity=shop.activity, at_once=triggers.ping
            )

        async def whole() -> dict[str, Any]:
            await self._wait(len(plan.items))
            told = [await self._told(request, plan.asked, item) for item in plan.items]
            return body(plan, told, shop.config.profile)

        return WholeAnswer(whole, triggers.ending, activity=shop.activity, sleep=shop.sleep)

    def _work_out(self, request: Request, raw: bytes) -> tuple[Triggers, Plan]:
        shop, headers = self._shop, request.headers
        given = parse_json(raw, content_type=headers.get("content-type", ""))
        marked = shop.config.profile in MARKED_PROFILES
        asked = read_image_request(given, strict=shop.config.strict, watermark=marked)
        triggers = read_triggers(asked.prompt)
        shop.check(triggers, authorization=headers.get("authorization", ""), prompt=asked.prompt)
        shop.review(triggers)
        plan = plan_of(
            asked,
            triggers,
            store=shop.store,
            library=self._library,
            host=headers.get("host", ""),
            created=int(shop.now()),
        )
        return triggers, plan

    async def _wait(self, pictures: int) -> None:
        speed = self._shop.config.speed
        await self._shop.sleep(pictures * PICTURE_S / speed if speed else 0)

    async def _told(self, request: Request, asked: ImageRequest, item: Item) -> dict[str, Any]:
        """What the reply says of one picture; its bytes are made now only if they are part of it."""
        if item.error:
            return {"error": item.error}
        store = self._shop.store
        if not asked.b64:
            link = store.link(item.name, for_s=self._shop.config.picture_link_s)
            return {"url": absolute(request, link), "size": asked.size}
        data = await run_in_threadpool(store.read, item.name)
        if data is None:
            raise Refusal(500, "The picture was made and could not be kept: the disk may be full.")
        return {"b64_json": base64.b64encode(data).decode(), "size": asked.size}

    async def _events(self, request: Request, plan: Plan, triggers: Triggers) -> AsyncIterator[bytes]:
        shop = self._shop
        limit = limit_of(triggers, half=max(1, len(plan.items) // 2))
        for item in plan.items[:limit]:
            if triggers.ping:
                yield PING
            await self._wait(1)
            told = await self._told(request, plan.asked, item)
            yield named_frame(event(plan, item, told, now=int(shop.now())))
        if limit is None:
            yield named_frame(completed(plan, now=int(shop.now()))) + DONE
            return
        async for last in close(triggers, data_frame({"error": HALF_WAY}), sleep=shop.sleep):
            yield last
