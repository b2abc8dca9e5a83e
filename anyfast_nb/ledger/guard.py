"""The last guard before a text is kept: no key, signed URL, credential or data URI goes into a row.

Callers redact what they know (the key itself); this catches what looks like a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Longer texts are cut before the search: only the first characters are kept anyway.
_SEARCHED_CHARS = 4096
_LEAF_CHARS = 4000
_DEEPEST = 12

_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+[^\s,]*,[^\s\"'<>)]*", re.IGNORECASE)
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^\s/?#]*@)?(?P<rest>[^\s?#\"'<>]*)(?P<query>[?#][^\s\"'<>]*)?",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(bearer\s+)[^\s,;\"']+", re.IGNORECASE)
_KEY = re.compile(r"(?<![A-Za-z0-9])sk-(?:sim-[\w-]+|[\w-]{12,})")
# Kling takes pictures without the sign of a data URI, and a server may echo them.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")


def scrub(text: str, *, limit: int) -> str:
    """The text without secrets, cut to ``limit`` characters, and storable everywhere: UTF-8 without NUL."""
    text = text[:_SEARCHED_CHARS].encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    text = _BASE64.sub("…", _DATA_URI.sub("data:…", text))
    text = _URL.sub(lambda url: url["scheme"] + url["rest"] + ("?…" if url["query"] else ""), text)
    text = _BEARER.sub(r"\1…", text)
    return _KEY.sub("sk-…", text)[:limit]


def plain_url(url: str) -> str:
    """A base URL as it is kept: scheme, host, port and path; no credentials, query or fragment."""
    return scrub(url.strip(), limit=200).removesuffix("?…").rstrip("/")


def scrub_values(value: Any, *, depth: int = 0) -> Any:
    """A JSON value with every text in it scrubbed: what is kept of a request or a reply."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, str):
        return scrub(value, limit=_LEAF_CHARS)
    if isinstance(value, Mapping):
        return {
            scrub(str(key), limit=200): scrub_values(inner, depth=depth + 1) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [scrub_values(inner, depth=depth + 1) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else scrub(str(value), limit=200)
