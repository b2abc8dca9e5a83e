"""Event streams, paced, and ended in the way that was asked for; and the events of one chat completion."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import tokens
from anyfast_nb.simulator.problems import encoded
from anyfast_nb.simulator.triggers import Ending, Triggers

if TYPE_CHECKING:
    from anyfast_nb.simulator.completion import Completion

Sleep = Callable[[float], Awaitable[None]]
PING = b": PING\n\n"
PING_EVERY = 5
PING_WHILE_HANGING_S = 0.2
# Unpaced frames go out this many at a time: the loop breathes between two such writes.
BATCH = 64
SPLIT_BYTES = 7
DONE = b"data: [DONE]\n\n"
HALF_WAY = {
    "message": "Simulated on request: it failed half way.",
    "type": "server_error",
    "code": "internal_server_error",
}


class Broken(Exception):
    """The connection shall break here, without an orderly end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of the stream; ``is_token`` ones are paced."""

    data: bytes
    is_token: bool


class Pacer:
    """Lets tokens pass at a rate, measured from the first one, so that delays do not add up.

    Args:
        rate_per_s: tokens per second; 0 never waits.
        clock: monotonic seconds.
        sleep: waits that many seconds.
    """

    def __init__(
        self, rate_per_s: float, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.rate_per_s = rate_per_s
        self._clock = clock
        self._sleep = sleep
        self._start: float | None = None
        self._passed = 0

    async def wait(self, *, tokens: int = 1) -> None:
        """Wait until that many further tokens may pass."""
        if self.rate_per_s <= 0:
            return
        if self._start is None:
            self._start = self._clock()
        self._passed += tokens
        ahead = self._start + self._passed / self.rate_per_s - self._clock()
        if ahead > 0:
            await self._sleep(ahead)


def frames(completion: Completion, *, include_usage: bool) -> Iterator[Frame]:
    """All events in order: reasoning, answer, tool calls, the finish, usage if asked for, [DONE]."""
    base = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
        return data_frame({**base, "choices": [choice], "usage": None})

    for piece in completion.reasoning:
        yield Frame(chunk({"content": "", "reasoning_content": piece}), is_token=True)
    for piece in completion.content:
        yield Frame(chunk({"content": piece}), is_token=True)
    for delta in _call_deltas(completion):
        yield Frame(chunk({"content": "", "tool_calls": [delta]}), is_token=True)
    yield Frame(chunk({"content": ""}, completion.finish), is_token=False)
    if include_usage:
        yield Frame(data_frame({**base, "choices": [], "usage": completion.usage()}), is_token=False)
    yield Frame(DONE, is_token=False)


def _call_deltas(completion: Completion) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(completion.calls):
        function = {"name": call.name, "arguments": ""}
        yield {"index": index, "id": call.id, "type": "function", "function": function}
        for piece in tokens.split(call.arguments):
            yield {"index": index, "function": {"arguments": piece}}


async def events(
    completion: Completion,
    triggers: Triggers,
    pacer: Pacer,
    *,
    include_usage: bool,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """The bytes of a chat stream, as they shall be written.

    Raises:
        Broken: where the connection shall break.
    """
    script = Script(
        frames(completion, include_usage=include_usage),
        half=max(1, completion.completion_tokens // 2),
        broken=lambda _: data_frame({"error": HALF_WAY}),
    )
    async for piece in play(script, triggers, pacer, sleep=sleep):
        yield piece


@dataclass(frozen=True, slots=True)
class Script:
    """What a stream would say, and how it says that it cannot go on.

    Attributes:
        frames: all events in order.
        half: after how many of them is half way.
        broken: the event that closes a stream that fails, by the number of events before it.
    """

    frames: Iterator[Frame]
    half: int
    broken: Callable[[int], bytes]


async def play(
    script: Script, triggers: Triggers, pacer: Pacer, *, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[bytes]:
    """The bytes of a stream, paced, and ended in the way that was asked for.

    Raises:
        Broken: where the connection shall break.
    """
    limit = limit_of(triggers, half=script.half)
    batch: list[bytes] = []
    number = -1
    for number, frame in enumerate(script.frames):
        if limit is not None and number >= limit:
            break
        if triggers.ping and number % PING_EVERY == 0:
            batch.append(PING)
        if frame.is_token and pacer.rate_per_s > 0:
            await pacer.wait()
        batch.append(frame.data)
        if pacer.rate_per_s > 0 or len(batch) >= BATCH:
            yield b"".join(batch)
            batch.clear()
            await sleep(0)
    else:
        number += 1
    if batch:
        yield b"".join(batch)
    async for last in close(triggers, script.broken(number), sleep=sleep):
        yield last


def limit_of(triggers: Triggers, *, half: int) -> int | None:
    """After how many frames the stream ends early; None is never."""
    if triggers.ending is Ending.DONE:
        return None
    return half if triggers.ending_after is None else triggers.ending_after


async def close(triggers: Triggers, broken: bytes, *, sleep: Sleep) -> AsyncIterator[bytes]:
    """What comes after the last frame: nothing, the event of a failure, silence, or a break.

    Raises:
        Broken: where the connection shall break.
    """
    if triggers.ending is Ending.DROP:
        await sleep(0)
        raise Broken
    if triggers.ending in {Ending.ERROR, Ending.FAILED}:
        yield broken
    while triggers.ending is Ending.HANG:
        await sleep(PING_WHILE_HANGING_S)
        if triggers.ping:
            yield PING


async def in_pieces(source: AsyncIterator[bytes], *, size: int = SPLIT_BYTES) -> AsyncIterator[bytes]:
    """The same bytes in small pieces, cut anywhere."""
    async for data in source:
        for start in range(0, len(data), size):
            yield data[start : start + size]


def data_frame(value: Mapping[str, Any]) -> bytes:
    """An event without a name."""
    return b"data: " + encoded(value) + b"\n\n"


def named_frame(value: Mapping[str, Any]) -> bytes:
    """An event whose name is the ``type`` in its data."""
    return f"event: {value['type']}\n".encode() + data_frame(value)
