from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from anyfast_nb.client.faces import Client
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.ledger import frame
from tests.wire_server import Reply, WireServer

KEY = "sk-live-0123456789abcdef"
NO_WAITS = RetryPolicy(base_s=0, cap_s=0)


def chunk(text: str = "", *, finish: str | None = None, **delta: Any) -> str:
    """One frame of a stream."""
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    return json.dumps({"id": "0217", "model": "served", "choices": [choice]})


USAGE = json.dumps({"id": "0217", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}})


def whole(text: str = "Hello") -> Reply:
    """A stream that ends well."""
    return Reply.sse(chunk(text), chunk(finish="stop"), USAGE, done=True)


def rows() -> list[dict[str, Any]]:
    """What the ledger of the test's home holds."""
    table = frame(columns="all").astype(object)
    return table.where(table.notna(), None).to_dict("records")


def press_ctrl_c() -> None:
    """Interrupt the main thread, from any thread, as the terminal and the kernel's manager do."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


MakeClient = Callable[..., Client]


@pytest.fixture
def client(wire_server: WireServer) -> Iterator[MakeClient]:
    """Makes clients of the wire server that do not wait between tries, and closes them."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Client:
            defaults = {"api_key": KEY, "base_url": wire_server.url, "model": "m", "policy": NO_WAITS}
            return stack.enter_context(Client(**{**defaults, **changes}))

        yield make
