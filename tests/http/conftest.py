from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.http.sse import ServerSentEvent
from anyfast_nb.http.transport import Call, Head, Limits, Transport
from anyfast_nb.secret import Secret
from anyfast_nb.settings import Endpoint
from anyfast_nb.wire.values import Retrying
from tests.wire_server import WireServer

KEY = "sk-live-0123456789abcdef"
CHAT = Call("POST", "/v1/chat/completions", body={"model": "m", "stream": True}, bills=True)
PLAIN = Call("POST", "/v1/chat/completions", body={"model": "m"}, bills=True)
MODELS = Call("GET", "/v1/models")
CALLS = {"billed stream": CHAT, "billed": PLAIN, "free": MODELS}


@dataclass(slots=True)
class Talk:
    """A transport whose waits are recorded, not waited, and all that it tells."""

    transport: Transport
    waits: list[float] = field(default_factory=list)
    retries: list[Retrying] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    events: list[ServerSentEvent] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, call: Call) -> Any:
        """Send as that kind of call is sent: a JSON object, or the data of all events."""
        if not call.streams:
            return await self.transport.json(call, on_retry=self.retries.append, on_head=self.heads.append)
        await self.transport.stream(
            call,
            self.hear,
            on_body=self.bodies.append,
            on_retry=self.retries.append,
            on_head=self.heads.append,
        )
        return self.bodies[0] if self.bodies else [event.data for event in self.events]

    def hear(self, event: ServerSentEvent) -> bool:
        self.events.append(event)
        return event.data == "[DONE]"


Connect = Callable[..., Talk]


@pytest.fixture
async def connect(wire_server: WireServer) -> AsyncIterator[Connect]:
    """Makes transports to the wire server (or elsewhere) and closes them."""
    made: list[Talk] = []

    def connect(
        base_url: str = wire_server.url, *, key: str = KEY, attempts: int = 4, **limits: float
    ) -> Talk:
        async def sleep(seconds: float) -> None:
            talk.waits.append(seconds)

        transport = Transport(
            Endpoint(base_url=base_url, api_key=Secret(key)),
            policy=RetryPolicy(attempts=attempts),
            limits=Limits(**limits),
            sleep=sleep,
            uniform=lambda low, high: high,
        )
        talk = Talk(transport)
        made.append(talk)
        return talk

    yield connect
    for talk in made:
        await talk.transport.close()
