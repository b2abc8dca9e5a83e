"""What every request passes first: the Host header, the key, the size of the body."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import itertools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from anyfast_nb.simulator.config import MIB, Config
from anyfast_nb.simulator.problems import NoToken, Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH_PATH = "/healthz"
FILES_PREFIX = "/files/"  # the signature in the link is the key
MARK = (b"x-anyfast-simulated", b"1")


class Activity:
    """Which requests run, and since when none has.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._ended = asyncio.Event()
        self.running = 0
        self.closing = False

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """One request, from its first byte to its last."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._last = self._clock()

    def touch(self) -> None:
        """Somebody asked whether the server is there: it is wanted."""
        self._last = self._clock()

    def end(self) -> None:
        """Tell running streams that the server ends."""
        self.closing = True
        self._ended.set()

    async def ended(self) -> None:
        """Wait until the server ends."""
        await self._ended.wait()

    def idle_s(self) -> float:
        """Seconds since the last request ended, 0 while one runs."""
        return 0.0 if self.running else self._clock() - self._last


class Gate:
    """ASGI middleware: refuses wrong hosts, wrong keys and bodies that are too large.

    It marks every reply as simulated, unless the server was started to be taken for the real one.
    """

    def __init__(self, app: ASGIApp, *, config: Config, activity: Activity) -> None:
        self.app = app
        self.config = config
        self.activity = activity
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        marked = self._marked(send)
        try:
            self._check(scope)
        except Refusal as refusal:
            await refusal.response()(scope, receive, marked)
            return
        if scope["path"] == HEALTH_PATH:
            await self.app(scope, receive, marked)
            return
        with self.activity.request():
            await self.app(scope, self._capped(receive), marked)

    def _check(self, scope: Scope) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        check_host(headers.get(b"host", b"").decode("latin-1"), self.config.hosts)
        if scope["path"] != HEALTH_PATH and not _is_file(scope):
            check_key(headers.get(b"authorization", b""), self.config.key)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.config.body_limit_bytes:
            raise self._too_large()

    def _too_large(self) -> Refusal:
        limit = self.config.body_limit_bytes / MIB
        return Refusal(413, f"The request body must be at most {limit:g} MB. Send large media by URL.")

    def _capped(self, receive: Receive) -> Receive:
        """Count a body that does not state its length."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.config.body_limit_bytes:
                raise self._too_large()
            return message

        return counted

    def _marked(self, send: Send) -> Send:
        number = next(self._numbers)
        mark = [MARK] if self.config.marked else []

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                request_id = f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}sim{number:06d}".encode()
                message["headers"] = [
                    *message.get("headers", []), *mark, (b"x-oneapi-request-id", request_id),
                ]  # fmt: skip
            await send(message)

        return marked


def _is_file(scope: Scope) -> bool:
    return scope["method"] in {"GET", "HEAD"} and scope["path"].startswith(FILES_PREFIX)


def check_host(host: str, allowed: tuple[str, ...]) -> None:
    """Refuse a Host header that names neither loopback nor an allowed name: a page's trick to reach in.

    Raises:
        Refusal: 421.
    """
    name = host_name(host)
    if is_loopback(name) or name in {entry.lower() for entry in allowed}:
        return
    shown = f"{name[:80]!r} " if name.isprintable() and name else ""
    raise Refusal(
        421, f"The Host header {shown}is not one of this server. Start it with --allow-host to allow a name."
    )


def host_name(host: str) -> str:
    """The name of a Host header without its port, lower-case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine only."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_key(header: bytes, key: str) -> None:
    """Refuse a missing or wrong key; neither is ever repeated.

    Raises:
        Refusal: 401.
    """
    scheme, _, token = header.decode("latin-1").strip().partition(" ")
    token = token.strip()
    if (scheme.lower() == "bearer" and not token) or not header.strip():
        raise NoToken
    right = hmac.compare_digest(token.encode("latin-1"), key.encode("utf-8"))
    if scheme.lower() != "bearer" or not right:
        raise Refusal(401, "Invalid API key provided.")
