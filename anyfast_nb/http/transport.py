"""Requests to one gateway: the only place where bytes leave this machine.

A call either gives its answer, or raises one of our errors, which say whether
the request was sent and may be billed. No foreign exception leaves this module.

Source: seed 003 (base URL, authentication, error handling), wire reference 1, 2.2 and 2.4.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

from anyfast_nb._version import __version__
from anyfast_nb.errors import (
    AnyFastError,
    ConfigError,
    ProtocolError,
    StatusError,
    WireError,
)
from anyfast_nb.http import retry
from anyfast_nb.http.bodies import MAX_BODY_BYTES, FilePart, Outgoing, outgoing
from anyfast_nb.http.failures import limited, lost, translated
from anyfast_nb.http.redact import redact
from anyfast_nb.http.sse import CHAT_LINE_BYTES, Decoder, ServerSentEvent
from anyfast_nb.settings import Endpoint, is_loopback
from anyfast_nb.wire.problems import Problem, is_problem, read_problem, to_error
from anyfast_nb.wire.tasks import is_task
from anyfast_nb.wire.values import Retrying

if TYPE_CHECKING:
    import httpx

_MAX_ERROR_BYTES: Final = 65_536
_MAX_REDIRECTS: Final = 5
_LAST_BYTES_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds.

    Attributes:
        connect_s: until a connection stands.
        response_s: from the request to the first byte of its reply.
        idle_s: between two pieces of *data*; heartbeats in a stream do not count.
        total_s: the whole call with its retries.
    """

    connect_s: float = 15.0
    response_s: float = 600.0
    idle_s: float = 120.0
    total_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        body: sent as JSON; beside a `file` its values are texts, the fields of a form.
        bills: it costs money, and so is never repeated after a doubt.
        once: it bills nothing, but must not happen twice: never repeated after a doubt either.
        file: makes it a multipart form.
        max_reply_bytes: of a plain reply; None is the usual. Pictures in base64 need more.
        attempts: tries in all; None is the policy's. Who counts his requests repeats them himself.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    bills: bool = False
    max_line_bytes: int = CHAT_LINE_BYTES
    once: bool = False
    file: FilePart | None = None
    max_reply_bytes: int | None = None
    attempts: int | None = None

    @property
    def streams(self) -> bool:
        """Does it ask for server-sent events?"""
        return bool(self.body and self.body.get("stream"))


@dataclass(frozen=True, slots=True)
class Head:
    """What a reply's headers told: is it the built-in AnyFast's, and its request id."""

    simulated: bool
    request_id: str


OnRetry = Callable[[Retrying], None]
OnHead = Callable[[Head], None]


class Transport:
    """Sends calls to one endpoint.

    Args:
        endpoint: base URL and key.
        policy: how often and how long to retry.
        limits: time limits.
        sleep, uniform: the clock's and chance's part in waiting.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        policy: retry.RetryPolicy | None = None,
        limits: Limits | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.endpoint = endpoint
        self._policy = policy or retry.RetryPolicy()
        self._limits = limits or Limits()
        self._sleep = sleep
        self._uniform = uniform
        self._made: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Close the connections."""
        made = self._made.pop(asyncio.get_running_loop(), None)
        if made is not None:
            await made.aclose()

    # --- the two ways to call -------------------------------------------------------------

    async def json(
        self, call: Call, *, on_retry: OnRetry | None = None, on_head: OnHead | None = None
    ) -> dict[str, Any]:
        """Send, and give the JSON object of the reply.

        Raises:
            WireError, StatusError: see `anyfast_nb.errors`.
        """
        async with self._opened(call, on_retry, on_head) as (response, text):
            return self._object(text or "", response, call)

    async def stream(
        self,
        call: Call,
        on_event: Callable[[ServerSentEvent], bool],
        *,
        on_body: Callable[[dict[str, Any]], None],
        on_retry: OnRetry | None = None,
        on_head: OnHead | None = None,
    ) -> None:
        """Send, and give each server-sent event to `on_event` as it comes, until that says True: the end.

        A server that ignores ``stream`` and answers with plain JSON is answered too: by `on_body`.

        Raises:
            WireError, StatusError: see `anyfast_nb.errors`.
        """
        async with self._opened(call, on_retry, on_head) as (response, text):
            if text is not None:
                on_body(self._object(text, response, call))
            else:
                await self._pump(response, on_event, call)

    async def _pump(
        self, response: httpx.Response, on_event: Callable[[ServerSentEvent], bool], call: Call
    ) -> None:
        now, idle = asyncio.get_running_loop().time, self._limits.idle_s
        decoder = Decoder(max_line_bytes=call.max_line_bytes)
        async with (
            limited(idle, f"no data for {idle:g} s in the stream", bills=call.bills) as timer,
            aclosing(self._pieces(response, call)) as pieces,
        ):
            async for chunk in pieces:
                event = None
                for event in decoder.feed(chunk):
                    timer.reschedule(None)  # the time that `on_event` takes is not the server's
                    if on_event(event):
                        timer.reschedule(now() + idle)
                        await _drain(pieces)
                        return
                if event is not None:  # a heartbeat is no event
                    timer.reschedule(now() + idle)

    # --- one try, and the next ------------------------------------------------------------

    @asynccontextmanager
    async def _opened(
        self, call: Call, on_retry: OnRetry | None, on_head: OnHead | None
    ) -> AsyncIterator[tuple[httpx.Response, str | None]]:
        """An accepted call within its total time: the response, and its text unless it is a stream."""
        total = self._limits.total_s
        try:
            async with limited(total, f"the call took more than {total:g} s in all", bills=call.bills):
                response, text = await self._sent(call, on_retry or (lambda _: None))
                try:
                    if on_head is not None:
                        on_head(self._head(response))
                    yield response, text
                finally:
                    await response.aclose()
        except AnyFastError as error:
            error.__context__ = None  # a foreign exception holds the request, and with it the key
            raise

    async def _sent(self, call: Call, on_retry: OnRetry) -> tuple[httpx.Response, str | None]:
        body = outgoing(call.body, call.file)
        tries = call.attempts or self._policy.attempts
        for attempt in range(1, tries + 1):
            headers: Mapping[str, str] = {}
            try:
                response = await self._once(call, body)
                headers = response.headers
                return response, await self._accepted(response, call)
            except (WireError, StatusError) as failure:
                error = failure
                if isinstance(error, StatusError):
                    error.retry_after_s = retry.asked_s(headers)
            again = retry.may_repeat(error, billed=call.bills or call.once)
            if attempt == tries or not again:
                raise error if again or call.bills else _doubtful(error, call)
            wait_s = retry.delay_s(attempt, policy=self._policy, headers=headers, uniform=self._uniform)
            on_retry(Retrying(retry.reason(error), wait_s, attempt + 1, tries))
            await self._sleep(wait_s)
        raise AssertionError("a retry policy has at least one attempt")

    async def _once(self, call: Call, body: Outgoing) -> httpx.Response:
        """One try; a redirect is followed on the same origin alone."""
        client, base_url, limit = self._client(), self.endpoint.base_url, self._limits.response_s
        url = base_url + call.path
        for _ in range(_MAX_REDIRECTS):
            with translated(base_url, bills=call.bills), body.opened() as arguments:
                request = client.build_request(call.method, url, headers=self._headers(call), **arguments)
                async with limited(limit, f"no reply within {limit:g} s", bills=call.bills):
                    response = await client.send(request, stream=True)
            if not response.is_redirect or response.next_request is None:
                return response
            await response.aclose()
            url = self._followed(response, call)
        raise lost(ProtocolError, f"more than {_MAX_REDIRECTS} redirects from {base_url}", bills=call.bills)

    async def _accepted(self, response: httpx.Response, call: Call) -> str | None:
        """The whole text of a reply, None for a stream still to be read; a refusal is raised."""
        try:
            if response.status_code >= 300:
                await self._refuse(response, call)
            if call.streams and "text/event-stream" in response.headers.get("content-type", "").lower():
                return None
            return await self._text(response, call, most_bytes=call.max_reply_bytes or MAX_BODY_BYTES)
        except BaseException:
            await response.aclose()
            raise

    def _followed(self, response: httpx.Response, call: Call) -> str:
        """Where a redirect leads, if key and body may go there."""
        assert response.next_request is not None
        target = response.next_request.url
        ours = response.request.url
        if (target.scheme, target.host, target.port) != (ours.scheme, ours.host, ours.port):
            raise ConfigError(
                f"{ours.host} redirects to {self.redact(target.host)}; key and request were not passed on",
                hint="If that host is meant, make it the base URL: `%anyfast config base_url=…`.",
            )
        if call.bills and response.status_code == 303:  # "it is done, and the result is over there"
            raise lost(ProtocolError, f"{ours.host} answered with a redirect (303)", bills=True)
        if call.method != "GET" and response.status_code not in {307, 308}:
            raise ConfigError(
                f"{ours.host} redirects the request to a page ({response.status_code}); nothing was done",
                hint="Check the base URL: `%anyfast doctor`.",
            )
        return str(target)

    # --- what goes out --------------------------------------------------------------------

    def _client(self) -> httpx.AsyncClient:
        """One for each loop: in a forked child the old loop's connections are the parent's."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = _new_client(self.endpoint.base_url, self._limits)
        return self._made[loop]

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.endpoint.api_key.reveal()}",
            "User-Agent": f"anyfast-nb/{__version__}",
            "Accept": "text/event-stream, application/json" if call.streams else "application/json",
        }
        if call.body is None or call.file is not None:  # a form's type holds its boundary: httpx knows it
            return headers
        return {**headers, "Content-Type": "application/json"}

    # --- what comes back ------------------------------------------------------------------

    async def _pieces(self, response: httpx.Response, call: Call) -> AsyncGenerator[bytes]:
        with translated(self.endpoint.base_url, bills=call.bills):
            async for chunk in response.aiter_bytes():
                yield chunk

    async def _text(self, response: httpx.Response, call: Call, *, most_bytes: int) -> str:
        taken = bytearray()
        now, idle = asyncio.get_running_loop().time, self._limits.idle_s
        async with (
            limited(idle, f"no data for {idle:g} s in the reply", bills=call.bills) as timer,
            aclosing(self._pieces(response, call)) as pieces,
        ):
            async for chunk in pieces:
                timer.reschedule(now() + idle)
                taken += chunk
                if len(taken) > most_bytes:
                    raise lost(
                        ProtocolError, f"the reply has more than {most_bytes:,} bytes", bills=call.bills
                    )
        return taken.decode("utf-8-sig", "replace")

    async def _refuse(self, response: httpx.Response, call: Call) -> NoReturn:
        try:
            text = await self._text(response, call, most_bytes=_MAX_ERROR_BYTES)
        except WireError:
            text = ""  # the status alone says enough
        known_id = self._head(response).request_id
        raise self.error_in(text, status=response.status_code, bills=call.bills, request_id=known_id)

    def error_in(self, text: str, *, status: int, bills: bool, request_id: str = "") -> StatusError:
        """The error in a body or a stream's frame, without a trace of the key."""
        found = read_problem(text)
        clean = {name: self.redact(getattr(found, name)) for name in ("message", "code", "type", "param")}
        known_id = self.redact(found.request_id) or request_id
        return to_error(Problem(**clean, request_id=known_id), status=status, bills=bills)

    def _head(self, response: httpx.Response) -> Head:
        headers = response.headers
        return Head(
            simulated=headers.get("x-anyfast-simulated") == "1",
            request_id=self.redact(headers.get("x-oneapi-request-id") or headers.get("x-request-id") or ""),
        )

    def redact(self, text: str) -> str:
        """Take this endpoint's key, and any other secret, out of a text."""
        return redact(text, secrets=(self.endpoint.api_key.reveal(),))

    def _object(self, text: str, response: httpx.Response, call: Call) -> dict[str, Any]:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        # A task that failed may carry an `error` of its own: it is an answer to a poll.
        if isinstance(body, dict) and (not is_problem(body) or (call.method == "GET" and is_task(body))):
            return body
        if isinstance(body, dict):
            known_id = self._head(response).request_id
            raise self.error_in(text, status=response.status_code, bills=call.bills, request_id=known_id)
        what = self.redact(read_problem(text).message)[:120] or "nothing"
        error = lost(
            ProtocolError,
            f"{self.endpoint.base_url} answered with {what}, not with JSON",
            bills=call.bills,
        )
        error.hint += " Is the base URL an AnyFast gateway?"
        raise error


def _new_client(base_url: str, limits: Limits) -> httpx.AsyncClient:
    import httpx

    timeout = httpx.Timeout(None, connect=limits.connect_s)
    parts = urlsplit(base_url)
    if not is_loopback(parts.hostname):
        return httpx.AsyncClient(timeout=timeout)
    # This machine: no system proxy in between; over plain http no TLS context is built (87 ms).
    verify: Any = None if parts.scheme == "http" else True
    return httpx.AsyncClient(
        timeout=timeout, trust_env=False, transport=httpx.AsyncHTTPTransport(verify=verify)
    )


def _doubtful(error: AnyFastError, call: Call) -> AnyFastError:
    """A failure that left open whether a thing that must not happen twice has happened."""
    if call.once and retry.may_repeat(error, billed=False):
        error.hint = "Nothing was billed, but it may have been done: look before you send it again."
    return error


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows the end, so that the connection serves the next call; a server may keep it open."""
    with suppress(TimeoutError, AnyFastError):
        async with asyncio.timeout(_LAST_BYTES_S):
            async for _ in pieces:
                pass
