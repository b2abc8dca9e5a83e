"""What a request names by address. Only this machine is asked, and only for a moment."""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import unquote, urlsplit

from anyfast_nb.simulator.gate import is_loopback

LONGEST_S = 2.0


def is_here(url: str) -> bool:
    """Whether an http(s) address is of this machine."""
    try:
        parts = urlsplit(url)
        can_be = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        return False  # half an IPv6 address, for one, or a port beyond all ports
    name = (parts.hostname or "").lower()
    # With a zone behind it an address may be looked up as a name, elsewhere.
    return can_be and "%" not in name and is_loopback(name)


def fetched(url: str, *, limit_bytes: int) -> bytes | None:
    """The bytes at an address of this machine, None if there are none.

    No redirect is followed, no proxy asked and no key sent. Blocks for 2 s at most, however slowly the
    other side speaks: run it off the event loop.

    Args:
        url: nothing but an http(s) address of this machine is asked.
        limit_bytes: more than this is not read.
    """
    import httpx

    if not is_here(url):
        return None
    try:
        return asyncio.run(_fetched(url, limit_bytes))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TimeoutError, ExceptionGroup):
        return None


async def _fetched(url: str, limit_bytes: int) -> bytes | None:
    import httpx

    found = bytearray()
    async with (
        asyncio.timeout(LONGEST_S),
        httpx.AsyncClient(timeout=LONGEST_S, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url, headers={"accept-encoding": "identity"}) as reply,
    ):
        # Packed nevertheless, it could unpack to any size.
        if reply.status_code != 200 or reply.headers.get("content-encoding", "identity") != "identity":
            return None
        async for piece in reply.aiter_raw():
            found += piece
            if len(found) > limit_bytes:
                return None
    return bytes(found)


def unpacked(packed: str) -> bytes | None:
    """The bytes of base64 text, None if it is not valid; line breaks and missing padding are forgiven."""
    text = "".join((unquote(packed) if "%" in packed else packed).split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
