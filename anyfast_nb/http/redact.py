"""Secrets out of text: keys, signed URLs and data URIs, wherever a server or a user put them.

`redact` is applied to every text that leaves the package and may hold foreign
words: error messages, titles in the ledger, tracebacks put into prompts.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"
_FRAGMENT: Final = 6  # a run of this many of the key's characters is a fragment of it

_DATA_URI = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?(;[\w=.+-]+)*;base64,[A-Za-z0-9+/=_%-]*(?:\r?\n[A-Za-z0-9+/=_%-]{40,})*",
    re.ASCII,
)
_BEARER = re.compile(r"(?i)\b(bearer)\s+[^\s\"',;)}\]]+")
_KEY = re.compile(r"\bsk-[\w*.…\-]+")
_MASKED = re.compile(r"[\w\-]{1,12}[*…]{3,}[\w\-]{0,12}|[\w\-]{2,12}\.{3,}[\w\-]{2,12}(?=[^\w.]|$)")
_NAMED = re.compile(
    r"(?i)((?:api|access|secret)[_-]?(?:key|token)[\"']?\s*[=:]\s*[\"']?|authorization[\"']?\s*[=:]\s*[\"']?)"
    r"(?!bearer)[^\s\"',;&)}\]]+"
)
_SIGNED = re.compile(
    r"(https?://[^\s\"'<>?#]+)\?[^\s\"'<>]*"
    r"(?:signature|x-tos-|x-amz-|x-oss-|sig=|token=|accesskey|expires=|credential|auth_key|key=)[^\s\"'<>]*",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?i)\b(https?://)[^\s/@\"'<>]+@")


def redact(text: str, *, secrets: tuple[str, ...] = ()) -> str:
    """Take keys, signed queries and data URIs out of `text`.

    Args:
        text: any text.
        secrets: keys in use; every fragment of six or more of their characters goes too.

    Returns:
        The text, with ``[hidden]`` where something was; a data URI keeps its type and size.

    Example:
        >>> redact("Authorization: Bearer sk-abc123 refused")
        'Authorization: Bearer [hidden] refused'
    """
    if secrets:  # "sk-SE****WXYZ": only where a key is about, for **** is Markdown too
        text = _MASKED.sub(HIDDEN, text)
    for secret in secrets:
        text = _without_fragments(text, secret)
    text = _DATA_URI.sub(_describe_data, text)
    text = _SIGNED.sub(rf"\1?{HIDDEN}", text)
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _KEY.sub(HIDDEN, text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def _describe_data(match: re.Match[str]) -> str:
    size = len(match.group(0)) * 3 // 4
    return f"[{match.group(1) or 'data'}, about {size:,} bytes]"


def _without_fragments(text: str, secret: str) -> str:
    """Hide each run of `text` that stands in `secret` too, if it is long enough."""
    if len(secret) < _FRAGMENT:
        return text.replace(secret, HIDDEN) if secret else text
    pieces = {secret[i : i + _FRAGMENT] for i in range(len(secret) - _FRAGMENT + 1)}
    starts = [i for i in range(len(text) - _FRAGMENT + 1) if text[i : i + _FRAGMENT] in pieces]
    out: list[str] = []
    end = 0
    for start in starts:
        if start > end or (start == end and not out):
            out.append(text[end:start])
            out.append(HIDDEN)
        end = max(end, start + _FRAGMENT)
    out.append(text[end:])
    return "".join(out)
