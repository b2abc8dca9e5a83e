"""The bytes of a document or picture that a request names: sent along, or by an address on this machine."""

from __future__ import annotations

from anyfast_nb.simulator.reach import fetched, unpacked


def bytes_of(url: str, *, limit_bytes: int) -> bytes | None:
    """The bytes behind a data URI, or behind an address on this machine; None if there are none.

    Args:
        url: a data URI or an http(s) address.
        limit_bytes: more than this is not read.
    """
    return decoded(url) if url[:5].lower() == "data:" else fetched(url, limit_bytes=limit_bytes)


def decoded(url: str) -> bytes | None:
    """The bytes of a base64 data URI, None if it holds none."""
    head, comma, payload = url.partition(",")
    if not comma or not head.lower().rstrip().endswith(";base64"):
        return None
    return unpacked(payload)


def bare_address(url: str) -> str:
    """The address without its query, which may carry a signature."""
    return url.partition("?")[0].partition("#")[0][:200]
