"""The desk for links to films and pictures: as an object store answers, and no key is asked for."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from email.utils import formatdate
from pathlib import PurePath
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from anyfast_nb.simulator.delivery import PAGE
from anyfast_nb.simulator.gate import FILES_PREFIX
from anyfast_nb.simulator.store import LinkRefused, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from anyfast_nb.simulator.store import Stored
    from anyfast_nb.simulator.workshop import Workshop

# A link says what shall go wrong with its download: "drop:TIMES:MARK", "short" or "html".
DROP, SHORT, HTML = "drop", "short", "html"

_TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
}
_MOST_MARKS = 10_000
_SPAN = r"\s*(?:\d+-\d*|-\d+)\s*"
_RANGE = re.compile(rf"bytes={_SPAN}(?:,{_SPAN})*", re.IGNORECASE)


def media_type(name: str) -> str:
    """The content type by a file's ending."""
    return _TYPES.get(PurePath(name).suffix, "application/octet-stream")


def absolute(request: Request, link: str) -> str:
    """A link as the client that asks can open it: with the scheme and host by which it came."""
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}{link}"


class FilesDesk:
    """``GET /files/{name}?X-Tos-…``: ranges, ``If-Range``, an ``ETag``; 403 XML when the link is over."""

    def __init__(self, shop: Workshop) -> None:
        self._store = shop.store
        self._activity = shop.activity
        self._drops: Counter[str] = Counter()
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [Route(FILES_PREFIX + "{name}", self.file, methods=["GET", "HEAD"])]

    async def file(self, request: Request) -> ASGIApp:
        """One file, or a part of it."""
        name = request.path_params["name"]
        try:
            fault = self._store.opened(name, request.url.query)
            if fault == HTML:
                return HTMLResponse(PAGE)
            await self._made(name)
        except LinkRefused as refused:
            return _refusal(refused)
        ranged = "range" in request.headers
        if fault == SHORT or (fault.startswith(DROP) and not ranged and self._still_drops(fault)):
            return HalfFile(self._store, name, honest=fault == SHORT)
        return WholeFile(self._store, name)

    async def _made(self, name: str) -> None:
        """Wait until the file is made, but no longer than the server runs."""
        making = asyncio.ensure_future(self._store.fetch(name))
        ended = asyncio.ensure_future(self._activity.ended())
        try:
            await asyncio.wait((making, ended), return_when=asyncio.FIRST_COMPLETED)
            if not making.done():
                raise LinkRefused(503, "ServiceUnavailable", "The server ends.")
            making.result()
        finally:
            making.cancel()
            ended.cancel()

    def _still_drops(self, fault: str) -> bool:
        _, times, _ = fault.split(":", 2)
        with self._lock:
            if len(self._drops) > _MOST_MARKS:
                self._drops.clear()
            self._drops[fault] += 1
            return self._drops[fault] <= int(times)


class WholeFile:
    """A file, kept from being removed while it goes out."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or the range asked for."""
        try:
            with self._store.lease(self._name):
                stored = await self._store.fetch(self._name)
                reply = FileResponse(stored.path, headers=_headers(stored), media_type=media_type(self._name))
                await reply(_with_valid_range(scope), receive, send)
        except LinkRefused as refused:
            await _refusal(refused)(scope, receive, send)


class HalfFile:
    """A file cut short: either it says so in its length, or the connection breaks half way."""

    def __init__(self, store: Store, name: str, *, honest: bool) -> None:
        self._store = store
        self._name = name
        self._honest = honest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the first half, then end in order or without it."""
        whole = self._store.read(self._name) or b""
        half = whole[: len(whole) // 2]
        length = len(half) if self._honest else len(whole)
        headers = {"content-length": str(length), "accept-ranges": "bytes"}
        reply = Response(b"", headers=headers, media_type=media_type(self._name))
        await send({"type": "http.response.start", "status": 200, "headers": reply.raw_headers})
        if scope["method"] == "HEAD":
            half = b""
        more = not self._honest and scope["method"] != "HEAD"
        await send({"type": "http.response.body", "body": half, "more_body": more})


def _headers(stored: Stored) -> Mapping[str, str]:
    # Of the first making: a file made again is the same file.
    return {"etag": stored.etag, "last-modified": formatdate(stored.made_at, usegmt=True)}


def _with_valid_range(scope: Scope) -> Scope:
    """The request without a Range that is none: as HTTP has it, the whole file is the answer then."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"range" or _is_range(value)]
    return {**scope, "headers": headers}


def _is_range(value: bytes) -> bool:
    text = value.decode("latin-1").strip()
    if not _RANGE.fullmatch(text):
        return False
    ends = (span.strip().split("-") for span in text.partition("=")[2].split(","))
    return all(not first or not last or int(first) <= int(last) for first, last in ends)


def _refusal(refused: LinkRefused) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message></Error>"
    )
    return Response(body, refused.status, media_type="application/xml")
