"""The desk for films: create and poll, for Seedance and Kling, in the shapes of the profile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse
from starlette.routing import Route

from anyfast_nb.simulator.delivery import PAGE, json_reply, until_gone
from anyfast_nb.simulator.files import absolute
from anyfast_nb.simulator.tasks import kling_shapes, seedance_shapes
from anyfast_nb.simulator.tasks.faults import NOT_FOUND
from anyfast_nb.simulator.tasks.kling_request import Action
from anyfast_nb.simulator.tasks.kling_task import KlingCounter
from anyfast_nb.simulator.tasks.life import Stage, key_mark, seen
from anyfast_nb.simulator.tasks.refusals import TaskRefusal, task_not_exist
from anyfast_nb.simulator.tasks.seedance_shapes import Links
from anyfast_nb.simulator.tasks.seedance_task import SeedanceCounter
from anyfast_nb.simulator.tasks.taking import Incoming
from anyfast_nb.simulator.triggers import Triggers, simulated_failure

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from anyfast_nb.simulator.problems import Refusal
    from anyfast_nb.simulator.tasks.life import Job
    from anyfast_nb.simulator.tasks.taking import Counter, Tools
    from anyfast_nb.simulator.workshop import Workshop

SEEDANCE = "/v1/video/generations"
KLING = "/kling/v1/videos"
REQUESTS = "/sim/requests"


class TaskDesk:
    """``POST`` and ``GET`` of both families, and what was accepted, for tests."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._shop = tools.shop
        self._seedance = SeedanceCounter(tools)
        self._kling = KlingCounter(tools)

    def routes(self) -> list[Route]:
        """The routes it answers."""
        actions = [Route(f"{KLING}/{action.value}", self.create_kling, methods=["POST"]) for action in Action]
        return [
            Route(SEEDANCE, self.create_seedance, methods=["POST"]),
            Route(SEEDANCE + "/{id}", self.poll, methods=["GET"]),
            *actions,
            Route(KLING + "/{id}", self.poll, methods=["GET"]),
            Route(KLING + "/{action}/{id}", self.poll, methods=["GET"]),
            Route(REQUESTS, self.requests, methods=["GET"]),
        ]

    async def create_seedance(self, request: Request) -> ASGIApp:
        """``POST /v1/video/generations``."""
        return await self._create(request, self._seedance)

    async def create_kling(self, request: Request) -> ASGIApp:
        """``POST /kling/v1/videos/{action}``."""
        return await self._create(request, self._kling, action=request.url.path.rpartition("/")[2])

    async def _create(self, request: Request, counter: Counter, *, action: str = "") -> ASGIApp:
        authorization = request.headers.get("authorization", "")
        call = Incoming(
            raw=await request.body(),
            content_type=request.headers.get("content-type", ""),
            authorization=authorization,
            host=request.headers.get("host", ""),
            owner=key_mark(authorization),
            action=action,
        )
        try:
            taken = await self._shop.read(counter.take, call)
        except TaskRefusal as refusal:
            return refusal.told(self._shop.config.profile)
        if taken.job is None:
            return HTMLResponse(PAGE)
        return self._after(taken.job)

    def _after(self, job: Job) -> ASGIApp:
        """The reply to an accepted task, or what the prompt wanted instead."""
        if job.faults.after == "hang":
            return Silence(self._shop)
        reply = json_reply(self._created(job))
        if job.faults.after == "drop":
            return BrokenOff(len(reply.body))
        if job.faults.after:
            return self._failure(int(job.faults.after)).response()
        return reply

    def _created(self, job: Job) -> dict[str, Any]:
        told = kling_shapes.created if job.family == "kling" else seedance_shapes.created
        return told(job, self._shop.config.profile)

    def _failure(self, status: int) -> Refusal:
        return simulated_failure(Triggers(status=status), retry_after_s=self._shop.retry_after_s)

    # --- polls ----------------------------------------------------------------------------------------

    async def poll(self, request: Request) -> ASGIApp:
        """``GET`` of one task, by any of the three paths."""
        profile = self._shop.config.profile
        owner = key_mark(request.headers.get("authorization", ""))
        job = self._tools.shelf.find(request.path_params["id"], key_mark=owner)
        if job is None or not _fits(job, request.path_params.get("action", "")):
            return task_not_exist(profile).told(profile)
        if self._tools.shelf.refuses(job):
            if job.faults.poll_status == NOT_FOUND:
                return task_not_exist(profile).told(profile)
            raise self._failure(job.faults.poll_status)
        self._tools.shelf.polled(job)
        now = seen(job, self._shop.now())
        links = self._links(job, request) if now.stage is Stage.SUCCESS else Links()
        if job.family == "kling":
            return json_reply(kling_shapes.polled(job, now, links.film, profile))
        return json_reply(seedance_shapes.polled(job, now, links, profile))

    def _links(self, job: Job, request: Request) -> Links:
        expired = self._tools.shelf.links_told(job) == 0 and job.faults.link_expired

        def link(name: str, fault: str = "") -> str:
            if not name:
                return ""
            return absolute(request, self._shop.store.link(name, expired=expired, fault=fault))

        return Links(
            film=link(job.film, job.faults.file_fault(job.id)),
            original=link(job.original),
            last_frame=link(job.last_frame),
        )

    # --- what was accepted ------------------------------------------------------------------------------

    async def requests(self, _: Request) -> ASGIApp:
        """``GET /sim/requests``: how many creates were accepted, and the latest tasks. Not AnyFast's."""
        shelf, now = self._tools.shelf, self._shop.now()
        tasks = [
            {
                "id": job.id,
                "family": job.family,
                "model": job.model,
                "action": job.action,
                "created_at": int(job.created_at),
                "polls": job.polls,
                "status": seen(job, now).stage.value,
            }
            for job in shelf.newest()
        ]
        accepted = {**shelf.accepted, "asset": self._tools.assets.accepted}
        return json_reply({"accepted": accepted, "tasks": tasks})


def _fits(job: Job, action: str) -> bool:
    """Whether a task may be polled under that action: it must match the one it was created by."""
    return not action or (job.family == "kling" and action == Action(job.action).polled_as)


class Silence:
    """No reply at all, as long as the client waits."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait until the client goes away or the server ends."""
        await until_gone(_for_ever(), receive, self._shop.activity)


class BrokenOff:
    """A connection that breaks when the reply should come."""

    def __init__(self, length: int) -> None:
        self._length = length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and end without it: the server below then cuts the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", str(self._length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _for_ever() -> None:
    await asyncio.Event().wait()
