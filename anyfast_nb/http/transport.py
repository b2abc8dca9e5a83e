"""Requests to one gateway: the only place where bytes leave this machine.

A call either gives its answer, or raises one of our errors, which say whether
the request was sent and may be billed. No foreign exception leaves this module.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from anyfast_nb._version import __version__
from anyfast_nb.errors import (
    AnyFastError,
    ConfigError,
    ConnectFailed,
    InputError,
    ProtocolError,
    ReadTimedOut,
    WireCut,
)
from anyfast_nb.http import retry
from anyfast_nb.http.redact import redact
from anyfast_nb.http.sse import CHAT_LINE_BYTES, Decoder, ServerSentEvent
from anyfast_nb.settings import Endpoint, is_loopback
from anyfast_nb.wire.problems import Problem, is_problem, read_problem, to_error
from anyfast_nb.wire.values import Retrying

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

MAX_BODY_BYTES: Final = 64_000_000
_MAX_ERROR_BYTES: Final = 65_536
_MAX_REDIRECTS: Final = 5
_MAYBE_BILLED: Final = "Sent, and may be billed: it was not repeated by itself."


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds.

    Attributes:
        connect_s: until a connection stands.
        response_s: from the request to the first byte of its reply.
        idle_s: between two pieces of *data* in a stream; heartbeats do not count.
        total_s: the whole call with its retries.
    """

    connect_s: float = 15.0
    response_s: float = 600.0
    idle_s: float = 120.0
    total_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `bills` says whether it costs money, and so is never repeated after a doubt."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    bills: bool = False
    max_line_bytes: int = CHAT_LINE_BYTES


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
        self._made: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        made, self._made = self._made, None
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
        async with self._within_total(), self._opened(call, on_retry, on_head) as response:
            with _translated(self.endpoint.base_url):
                text = await _limited_text(response, limit=MAX_BODY_BYTES)
            return self._object(text, response, call)

    async def stream(
        self,
        call: Call,
        on_event: Callable[[ServerSentEvent], None],
        *,
        on_body: Callable[[dict[str, Any]], None],
        on_retry: OnRetry | None = None,
        on_head: OnHead | None = None,
    ) -> None:
        """Send, and give each server-sent event to `on_event` as it comes.

        A server that ignores ``stream`` and answers with plain JSON is answered too: by `on_body`.

        Raises:
            WireError, StatusError: see `anyfast_nb.errors`.
        """
        async with self._within_total(), self._opened(call, on_retry, on_head) as response:
            if "text/event-stream" not in response.headers.get("content-type", ""):
                with _translated(self.endpoint.base_url):
                    text = await _limited_text(response, limit=MAX_BODY_BYTES)
                on_body(self._object(text, response, call))
                return
            await self._pump(response, on_event, Decoder(max_line_bytes=call.max_line_bytes))

    async def _pump(
        self, response: httpx.Response, on_event: Callable[[ServerSentEvent], None], decoder: Decoder
    ) -> None:
        now = asyncio.get_running_loop().time
        idle = self._limits.idle_s
        try:
            async with asyncio.timeout(idle) as timer:
                with _translated(self.endpoint.base_url):
                    async for chunk in response.aiter_bytes():
                        event = None
                        for event in decoder.feed(chunk):
                            on_event(event)
                        if event is not None:  # a heartbeat is no event
                            timer.reschedule(now() + idle)
                    for event in decoder.end():
                        on_event(event)
        except TimeoutError:
            raise ReadTimedOut(f"no data for {idle:g} s in the stream", hint=_MAYBE_BILLED) from None

    # --- one try, and the next ------------------------------------------------------------

    @asynccontextmanager
    async def _within_total(self) -> AsyncIterator[None]:
        total = self._limits.total_s
        try:
            async with asyncio.timeout(total):
                yield
        except TimeoutError:
            raise ReadTimedOut(f"the call took more than {total:g} s in all", hint=_MAYBE_BILLED) from None

    @asynccontextmanager
    async def _opened(
        self, call: Call, on_retry: OnRetry | None, on_head: OnHead | None
    ) -> AsyncIterator[httpx.Response]:
        response = await self._sent(call, on_retry or (lambda _: None))
        try:
            if on_head is not None:
                on_head(_head(response))
            yield response
        finally:
            await response.aclose()

    async def _sent(self, call: Call, on_retry: OnRetry) -> httpx.Response:
        content = _encoded(call.body)
        for attempt in range(1, self._policy.attempts + 1):
            headers: Mapping[str, str] = {}
            try:
                response = await self._once(call, content)
                if response.status_code < 300:
                    return response
                headers = response.headers
                error: AnyFastError = await self._refusal(response, call)
            except (ConnectFailed, ReadTimedOut, WireCut) as failure:
                error = failure
            if attempt == self._policy.attempts or not retry.may_repeat(error, billed=call.bills):
                raise error
            wait_s = retry.delay_s(attempt, policy=self._policy, headers=headers, uniform=self._uniform)
            on_retry(Retrying(retry.reason(error), wait_s, attempt + 1, self._policy.attempts))
            await self._sleep(wait_s)
        raise AssertionError("a retry policy has at least one attempt")

    async def _once(self, call: Call, content: bytes | None) -> httpx.Response:
        """One try; a redirect is followed on the same origin alone."""
        client = self._client()
        url = self.endpoint.base_url + call.path
        for _ in range(_MAX_REDIRECTS):
            with _translated(self.endpoint.base_url):
                request = client.build_request(call.method, url, content=content, headers=self._headers(call))
                try:
                    async with asyncio.timeout(self._limits.response_s):
                        response = await client.send(request, stream=True)
                except TimeoutError:
                    raise ReadTimedOut(
                        f"no reply within {self._limits.response_s:g} s", hint=_MAYBE_BILLED
                    ) from None
            if not response.is_redirect or response.next_request is None:
                return response
            await response.aclose()
            url = self._followed(response, call)
        raise ProtocolError(f"more than {_MAX_REDIRECTS} redirects from {self.endpoint.base_url}")

    def _followed(self, response: httpx.Response, call: Call) -> str:
        """Where a redirect leads, if key and body may go there."""
        assert response.next_request is not None
        target = response.next_request.url
        ours = response.request.url
        if (target.scheme, target.host, target.port) != (ours.scheme, ours.host, ours.port):
            raise ConfigError(
                f"{ours.host} redirects to {target.host}; key and request were not passed on",
                hint="If that host is meant, make it the base URL: `%anyfast config base_url=…`.",
            )
        if call.method != "GET" and response.status_code not in {307, 308}:
            raise ConfigError(
                f"{ours.host} redirects the request to a page ({response.status_code}); nothing was done",
                hint="Check the base URL: `%anyfast doctor`.",
            )
        return str(target)

    # --- what goes out --------------------------------------------------------------------

    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            self._made = _new_client(self.endpoint.base_url, self._limits)
        return self._made

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.endpoint.api_key.reveal()}",
            "User-Agent": f"anyfast-nb/{__version__}",
            "Accept": "text/event-stream, application/json",
        }
        return {**headers, "Content-Type": "application/json"} if call.body is not None else headers

    # --- what comes back ------------------------------------------------------------------

    async def _refusal(self, response: httpx.Response, call: Call) -> AnyFastError:
        with _translated(self.endpoint.base_url):
            try:
                text = await _limited_text(response, limit=_MAX_ERROR_BYTES)
            except (ReadTimedOut, WireCut):
                text = ""  # the status alone says enough
            finally:
                await response.aclose()
        return self.error_in(text, status=response.status_code, bills=call.bills, head=_head(response))

    def error_in(self, text: str, *, status: int, bills: bool, head: Head | None = None) -> AnyFastError:
        """The error in a body or a stream's frame, without a trace of the key."""
        found = read_problem(text)
        clean = {name: self.redact(getattr(found, name)) for name in ("message", "code", "type", "param")}
        request_id = self.redact(found.request_id or (head.request_id if head else ""))
        return to_error(Problem(**clean, request_id=request_id), status=status, bills=bills)

    def redact(self, text: str) -> str:
        """Take this endpoint's key, and any other secret, out of a text."""
        return redact(text, secrets=(self.endpoint.api_key.reveal(),))

    def _object(self, text: str, response: httpx.Response, call: Call) -> dict[str, Any]:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict) and not is_problem(body):
            return body
        head = _head(response)
        if isinstance(body, dict):
            raise self.error_in(text, status=response.status_code, bills=call.bills, head=head)
        what = self.redact(read_problem(text).message) or "nothing"
        raise ProtocolError(
            f"{self.endpoint.base_url} answered with {what[:120]}, not with JSON",
            hint=("Sent, and may be billed. " if call.bills else "")
            + "Is the base URL an AnyFast gateway? See `%anyfast doctor`.",
        )


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


def _encoded(body: Mapping[str, Any] | None) -> bytes | None:
    if body is None:
        return None
    try:
        content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the request cannot be written as JSON: {redact(str(error))}", hint="Nothing was sent."
        ) from None
    if len(content) > MAX_BODY_BYTES:
        raise InputError(
            f"the request has {len(content):,} bytes; a body is at most {MAX_BODY_BYTES:,}",
            field="body",
            hint="Nothing was sent. base64 grows media by a third: give a URL, or smaller media.",
        )
    return content


def _head(response: httpx.Response) -> Head:
    headers = response.headers
    return Head(
        simulated=headers.get("x-anyfast-simulated") == "1",
        request_id=headers.get("x-oneapi-request-id") or headers.get("x-request-id") or "",
    )


async def _limited_text(response: httpx.Response, *, limit: int) -> str:
    taken = bytearray()
    async for chunk in response.aiter_bytes():
        taken += chunk
        if len(taken) > limit:
            if limit == _MAX_ERROR_BYTES:
                break
            raise ProtocolError(f"the reply has more than {limit:,} bytes", hint=_MAYBE_BILLED)
    return bytes(taken[:limit]).decode("utf-8", "replace")


@contextmanager
def _translated(base_url: str) -> Generator[None]:
    """Foreign exceptions to ours; which of them mean that nothing was sent is decided here."""
    import httpx

    host = urlsplit(base_url).netloc
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise ConnectFailed(
            f"no connection to {host} ({_why(error)}); nothing was sent",
            hint="Check the base URL and the network: `%anyfast doctor`.",
        ) from None
    except httpx.TimeoutException:
        raise ReadTimedOut(f"{host} fell silent", hint=_MAYBE_BILLED) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"the request cannot be sent: {redact(str(error))}", hint="Check the base URL."
        ) from None
    except httpx.DecodingError:
        raise ProtocolError(f"{host} sent bytes that cannot be unpacked", hint=_MAYBE_BILLED) from None
    except httpx.TransportError:
        raise WireCut(f"the connection to {host} broke off", hint=_MAYBE_BILLED) from None


def _why(error: Exception) -> str:
    words = redact(str(error)).lower()
    for sign, why in (
        ("certificate", "its certificate cannot be verified"),
        ("name or service", "the name is not known"),
        ("getaddrinfo", "the name is not known"),
        ("all connection attempts failed", "refused"),
        ("refused", "refused"),
    ):
        if sign in words:
            return why
    return "timed out" if "timeout" in type(error).__name__.lower() else "unreachable"
