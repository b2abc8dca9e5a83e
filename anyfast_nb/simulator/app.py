"""The application of the built-in AnyFast: its desks, each with its routes, behind one gate."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from anyfast_nb.simulator.assets.desk import AssetDesk
from anyfast_nb.simulator.assets.shelf import AssetShelf
from anyfast_nb.simulator.chat import ChatDesk
from anyfast_nb.simulator.files import FilesDesk
from anyfast_nb.simulator.folders import sweep
from anyfast_nb.simulator.gate import Activity, Gate
from anyfast_nb.simulator.images.desk import ImagesDesk
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.responses.desk import ResponsesDesk
from anyfast_nb.simulator.store import Store
from anyfast_nb.simulator.system import SystemDesk
from anyfast_nb.simulator.tasks.desk import TaskDesk
from anyfast_nb.simulator.tasks.ids import Ids
from anyfast_nb.simulator.tasks.life import Shelf
from anyfast_nb.simulator.tasks.media import Library
from anyfast_nb.simulator.tasks.taking import Tools
from anyfast_nb.simulator.workshop import Desk, Workshop

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from anyfast_nb.simulator.config import Config
    from anyfast_nb.simulator.stream import Sleep

Lifespan = Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]


def build(
    config: Config,
    *,
    activity: Activity | None = None,
    lifespan: Lifespan | None = None,
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
    store = Store(link_s=config.link_s, now=now)
    shop = Workshop(config, activity=activity, now=now, clock=clock, sleep=sleep, store=store)
    app = Starlette(
        routes=[route for desk in desks(shop) for route in desk.routes()],
        exception_handlers={
            Refusal: _refused,
            HTTPException: _not_routed,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
        lifespan=_life(store, lifespan),
    )
    app.router.redirect_slashes = False
    return Gate(app, config=config, activity=activity)


def _life(store: Store, inner: Lifespan | None) -> Lifespan:
    """The server's life: before it, what killed servers left goes; after it, what it made itself."""

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(sweep)
        try:
            async with contextlib.nullcontext() if inner is None else inner(app):
                yield
        finally:
            store.close()

    return life


def desks(shop: Workshop) -> list[Desk]:
    """One desk for each family of endpoints."""
    ids = Ids(shop.numbers, now=shop.now)
    library = Library(shop.store)
    assets = AssetShelf(ids, now=shop.now, speed=shop.config.speed)
    tools = Tools(shop=shop, shelf=Shelf(), assets=assets, library=library, ids=ids)
    return [
        SystemDesk(shop),
        ChatDesk(shop),
        ResponsesDesk(shop),
        ImagesDesk(shop),
        FilesDesk(shop),
        TaskDesk(tools),
        AssetDesk(shop, assets, library, ids),
    ]


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


async def _gone(_: Request, error: Exception) -> Response:
    """The client left before its request was whole: nobody reads the answer, and it is no mistake."""
    assert isinstance(error, ClientDisconnect)
    return Response(status_code=499)


async def _broken(_: Request, error: Exception) -> Response:
    """A fault of this server, told in the documented envelope; its traceback goes to the log."""
    message = f"The built-in AnyFast made a mistake ({type(error).__name__})."
    # The server below closes the connection after a mistake; a client must not use it again.
    return Refusal(500, message, headers={"connection": "close"}).response()


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
