"""Foreign exceptions to ours. Which of them mean that nothing was sent is decided here.

Source: seed 003 (error handling), wire reference 2.2 and 2.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar
from urllib.parse import urlsplit

from anyfast_nb.errors import (
    Billed,
    ConfigError,
    ConnectFailed,
    ProtocolError,
    ReadTimedOut,
    WireCut,
    WireError,
)
from anyfast_nb.http.redact import redact

Lost = TypeVar("Lost", bound=WireError)

_MAYBE_BILLED: Final = "Sent, and may be billed: it was not repeated by itself."
_NOT_BILLED: Final = "Nothing was billed. Check base URL and network: `%anyfast doctor`."


def lost(kind: type[Lost], message: str, *, bills: bool) -> Lost:
    """An error after sending; `bills`: the call was one that costs money."""
    error = kind(message, hint=_MAYBE_BILLED if bills else _NOT_BILLED)
    error.billed = Billed.MAYBE if bills else Billed.NO
    return error


@contextmanager
def translated(base_url: str, *, bills: bool) -> Generator[None]:
    """Give what httpx raises within as one of our errors."""
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
        raise lost(ReadTimedOut, f"{host} fell silent", bills=bills) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError) as error:
        raise ConfigError(
            f"the request cannot be sent: {redact(str(error))}", hint="Check the base URL."
        ) from None
    except httpx.DecodingError:
        raise lost(ProtocolError, f"{host} sent bytes that cannot be unpacked", bills=bills) from None
    except httpx.TransportError:
        raise lost(WireCut, f"the connection to {host} broke off", bills=bills) from None


@asynccontextmanager
async def limited(seconds: float, message: str, *, bills: bool) -> AsyncIterator[asyncio.Timeout]:
    """Raise `ReadTimedOut` with `message` after so many seconds; the timer can be moved."""
    try:
        async with asyncio.timeout(seconds) as timer:
            yield timer
    except TimeoutError:
        if not timer.expired():  # a callback's own
            raise
        raise lost(ReadTimedOut, message, bills=bills) from None


def _why(error: Exception) -> str:
    words = redact(str(error)).lower()
    for sign, why in (
        ("certificate", "its certificate cannot be verified"),
        ("name or service", "the name is not known"),
        ("nodename nor servname", "the name is not known"),
        ("name resolution", "the name cannot be looked up"),
        ("getaddrinfo", "the name is not known"),
        ("all connection attempts failed", "refused"),
        ("refused", "refused"),
    ):
        if sign in words:
            return why
    return "timed out" if "timeout" in type(error).__name__.lower() else "unreachable"
