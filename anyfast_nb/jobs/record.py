"""What is kept of a request: its hash, and the body with hashes instead of data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from anyfast_nb.ledger.guard import scrub_values

_DATA_URI = re.compile(r"data:(?P<type>[^;,]*)(?P<rest>[^,]*),", re.IGNORECASE)
_BARE: Final = 400  # characters from which a text without spaces can only be a picture in base64
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def without_data(value: Any) -> Any:
    """A JSON value with every data URI, and every bare base64, as ``{"sha256", "bytes", "media_type"}``."""
    if isinstance(value, str):
        return _described(value)
    if isinstance(value, Mapping):
        return {str(key): without_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_data(inner) for inner in value]
    return value


def hash_of(body: Mapping[str, Any]) -> str:
    """The sha256 of a body in canonical JSON, its data replaced by hashes: the same wish, the same hash."""
    text = json.dumps(without_data(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def kept_request(body: Mapping[str, Any], *, redact: Callable[[str], str]) -> dict[str, Any]:
    """A body as it may be kept: no data, no key, no query of a URL."""
    return dict(kept_values(without_data(body), redact=redact))


def kept_values(value: Any, *, redact: Callable[[str], str]) -> Any:
    """A JSON value as it may be kept, such as a reply: every text redacted, signed links cut."""
    return scrub_values(_redacted(value, redact))


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _redacted(inner, redact) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner, redact) for inner in value]
    return value


def _described(text: str) -> Any:
    if head := _DATA_URI.match(text[:200]):
        return _facts(_decoded(text[head.end() :], "base64" in head["rest"].lower()), head["type"].lower())
    if len(text) >= _BARE and len(text) % 4 == 0 and _BASE64.fullmatch(text):
        data = _decoded(text, True)
        from anyfast_nb.media.sniff import HEAD_BYTES, sniff

        return _facts(data, sniff(data[:HEAD_BYTES]).media_type)
    return text


def _decoded(text: str, is_base64: bool) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if is_base64 else unquote_to_bytes(text)
    except ValueError:  # the server will refuse it; its hash still tells it from another
        return text.encode("utf-8", "surrogatepass")


def _facts(data: bytes, media_type: str) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "media_type": media_type}
