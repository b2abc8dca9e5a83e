"""A server on loopback that says exactly what a test wrote, broken or not.

Each request takes the next `Reply` of the script. Requests are recorded, and so is
the moment a client goes away.

    with WireServer() as server:
        server.script(Reply(429, headers={"Retry-After": "0"}), Reply.sse('{"id": 1}', CUT))
        ...
        assert server.requests[1].gone.wait(1)
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Act(Enum):
    """What can happen between two pieces of a body."""

    CUT = "the connection closes here, without the end of the body"
    RESET = "the connection is reset here"
    HANG = "nothing more comes until the client goes away"


CUT, RESET, HANG = Act.CUT, Act.RESET, Act.HANG


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for a while; ends early if the client goes away."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Nothing until the test says so: `gate.opened.set()`."""

    opened: threading.Event = field(default_factory=threading.Event)


Piece = bytes | Act | Pause | Gate


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, or what goes wrong instead.

    Args:
        status: 200 and so on.
        headers: sent as they are, besides Content-Type and the framing.
        body: the pieces in order, each sent by itself.
        content_type: "" sends none.
        declared_size: a Content-Length instead of chunks (may be a lie).
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: tuple[Piece, ...] = ()
    content_type: str = "application/json"
    declared_size: int | None = None

    @classmethod
    def json(cls, value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        """A whole JSON body."""
        body = json.dumps(value).encode()
        return cls(status, headers or {}, (body,), declared_size=len(body))

    @classmethod
    def sse(cls, *pieces: str | Piece, done: bool = False) -> Self:
        """A stream: each string becomes one `data:` event."""
        body = [f"data: {piece}\n\n".encode() if isinstance(piece, str) else piece for piece in pieces]
        if done:
            body.append(b"data: [DONE]\n\n")
        return cls(body=tuple(body), content_type="text/event-stream")


@dataclass(slots=True)
class Request:
    """What a client sent. `gone` is set once it left before its answer was complete."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    gone: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class WireServer:
    """The server; `url` is its origin. Requests beyond the script get a 500 that says so."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._replies: deque[Reply] = deque()
        self._closing = threading.Event()
        self._arrived = threading.Condition()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, without a slash at the end."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def script(self, *replies: Reply) -> None:
        """Add answers for the coming requests, one each."""
        self._replies.extend(replies)

    def wait_for_requests(self, count: int, *, timeout_s: float = 10) -> list[Request]:
        """Block until so many requests have arrived whole."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.requests) >= count, timeout_s)
        assert arrived, f"{len(self.requests)} requests came, not {count}"
        return self.requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    # for the handler

    def take(self, request: Request) -> Reply:
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
            if self._replies:
                return self._replies.popleft()
        return Reply.json({"error": {"message": f"no reply is scripted for {request.path}"}}, status=500)

    @property
    def closing(self) -> bool:
        return self._closing.is_set()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True  # no handler outlives its test
    owner: WireServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests are about: no traceback on stderr."""


class _Left(Exception):
    """The client went away, or the script said to cut."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    server: _Listener

    def handle_one_request(self) -> None:
        # between requests of one connection: wait without outliving the server
        while not self._readable(0.02):
            if self.server.owner.closing:
                self.close_connection = True
                return
        super().handle_one_request()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        reply = self.server.owner.take(request)
        try:
            self._send(reply)
            request.answered.set()
        except (_Left, OSError):
            self.close_connection = True
            if self._client_left():
                request.gone.set()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        chunked = reply.declared_size is None
        framing = (
            ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(reply.declared_size))
        )
        self.send_header(*framing)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in reply.body:
            if isinstance(piece, bytes):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            else:
                self._happen(piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _happen(self, piece: Act | Pause | Gate) -> None:
        if isinstance(piece, Pause):
            self._wait(threading.Event(), piece.seconds)
        elif isinstance(piece, Gate):
            self._wait(piece.opened, None)
        elif piece is HANG:
            self._wait(threading.Event(), None)
        else:
            if piece is RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()  # now, not after a polite shutdown
            raise _Left

    def _wait(self, until: threading.Event, seconds: float | None) -> None:
        left = seconds
        while not until.wait(0.005 if left is None else min(0.005, max(left, 0))):
            if self._client_left() or self.server.owner.closing:
                raise _Left
            if left is not None:
                left -= 0.005
                if left <= 0:
                    return

    def _readable(self, timeout_s: float) -> bool:
        return bool(select.select([self.connection], [], [], timeout_s)[0])

    def _client_left(self) -> bool:
        try:
            return self._readable(0) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):  # reset, or closed by the script
            return self.connection.fileno() != -1

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


def events(values: Iterable[Any]) -> tuple[str, ...]:
    """Each value as the text of one SSE event."""
    return tuple(json.dumps(value) for value in values)
