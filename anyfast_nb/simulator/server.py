"""Running the application under uvicorn: its socket, its end, its log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from anyfast_nb.simulator.app import build
from anyfast_nb.simulator.gate import Activity
from anyfast_nb.simulator.state import State, read_state, remove_state, write_state

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from anyfast_nb.simulator.config import Config

# What uvicorn logs about streams that were broken on purpose, or that run when the server is ended.
_EXPECTED = ("ASGI callable returned without completing response", "timeout graceful shutdown exceeded")
MOST_LOG_LINES = 1_000
LAST_WORDS_S = 1
FINISH_S = 2.0  # for a film that is half made
LOOK_S = 2.0  # how often it looks whether it is still wanted


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the server beside its settings.

    Attributes:
        state_path: where notebooks find it, None if nobody looks.
        idle_s: ends after that many seconds without a request, None never.
    """

    state_path: Path | None = None
    idle_s: float | None = None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use shows before anything else starts.

    Raises:
        OSError: when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where it is told the protocol does asyncio set TCP_NODELAY; each reply would take 40 ms more.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError:
        listening.close()
        raise
    return listening


def serve(listening: socket.socket, config: Config, run: Run) -> None:
    """Serve until a signal, or until nobody has asked anything for long enough."""
    activity = Activity()
    state = State(pid=os.getpid(), port=listening.getsockname()[1], key=config.key, version=config.version)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if run.state_path is not None:
            write_state(run.state_path, state)
        watch = asyncio.create_task(_end_when_done(server, activity, run))
        try:
            yield
        finally:
            watch.cancel()
            if run.state_path is not None:
                remove_state(run.state_path, pid=state.pid)

    application = build(config, activity=activity, lifespan=lifespan)
    server = _Server(
        uvicorn.Config(
            application,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            # Longer than clients keep a connection: the server must not close one about to be used.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=LAST_WORDS_S,
        )
    )
    server.activity = activity
    _log_to_stderr()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(sockets=[listening]))
    _end_threads()


def _end_threads() -> None:
    """Wait a moment for work that cannot be broken off, then end without it: nobody is left to get it."""
    until = time.monotonic() + FINISH_S
    busy = [t for t in threading.enumerate() if not t.daemon and t is not threading.current_thread()]
    for thread in busy:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in busy):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class _Server(uvicorn.Server):
    """uvicorn's server, which takes SIGTERM for an orderly end as well, without dying of it afterwards."""

    activity: Activity

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.activity.end()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.activity.closing = True
        if sig == signal.SIGTERM:
            self.should_exit = True
            return
        super().handle_exit(sig, frame)


async def _end_when_done(server: uvicorn.Server, activity: Activity, run: Run) -> None:
    """End a server that nobody has asked for long enough, or that nobody can find any more."""
    while run.idle_s is not None:
        left = run.idle_s - activity.idle_s()
        if left <= 0 or (not activity.running and _is_lost(run.state_path)):
            # From here the health probe says "closing": no notebook is sent to a server about to go.
            activity.closing = True
            server.should_exit = True
            return
        await asyncio.sleep(max(0.05, min(left, LOOK_S)))


def _is_lost(state_path: Path | None) -> bool:
    """Does the state file, which leads notebooks here, lead to another server or nowhere?"""
    if state_path is None:
        return False
    state = read_state(state_path)
    return state is None or state.pid != os.getpid()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(_Limit(MOST_LOG_LINES))
    logger = logging.getLogger("uvicorn")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING)
    logger.propagate = False


class _Limit(logging.Filter):
    """Drops what is expected, and everything after so many records: the log stays small."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def filter(self, record: logging.LogRecord) -> bool:
        if any(words in record.getMessage() for words in _EXPECTED):
            return False
        self._left -= 1
        return self._left >= 0
