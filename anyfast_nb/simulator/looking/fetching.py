"""What a request names by address. Only this machine is asked, and only for a moment."""

from __future__ import annotations

import base64
import binascii
import time
from urllib.parse import urlsplit

from anyfast_nb.simulator.gate import is_loopback

LONGEST_S = 2.0


def bytes_of(url: str, *, own_host: str = "", limit_bytes: int) -> bytes | None:
    """The bytes behind a data URI, or behind an address on this machine; None if there are none.

    Nothing beyond this machine is ever asked, no redirect is followed and no key is sent. Blocks for
    2 s at most: run it off the event loop.

    Args:
        url: a data URI or an http(s) address.
        own_host: the name under which the client reaches this server, which is this machine too.
        limit_bytes: more than this is not read.
    """
    if url[:5].lower() == "data:":
        return decoded(url)
    host = (_host(url) or "").lower()
    if not host or not (is_loopback(host) or host == own_host.lower()):
        return None
    return _fetched(url, limit_bytes)


def decoded(url: str) -> bytes | None:
    """The bytes of a base64 data URI, None if it holds none."""
    head, comma, payload = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return None
    packed = "".join(payload.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def bare_address(url: str) -> str:
    """The address without its query, which may carry a signature."""
    return url.partition("?")[0].partition("#")[0][:200]


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _fetched(url: str, limit_bytes: int) -> bytes | None:
    import httpx

    until = time.monotonic() + LONGEST_S
    found = bytearray()
    try:
        with (
            httpx.Client(timeout=LONGEST_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as reply,
        ):
            if reply.status_code != 200:
                return None
            for piece in reply.iter_bytes():
                found += piece
                if len(found) > limit_bytes or time.monotonic() > until:
                    return None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    return bytes(found)
