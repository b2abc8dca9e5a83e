"""Secrets out of text: keys, signed URLs and data URIs, wherever a server or a user put them.

`redact` is applied to every text that leaves the package and may hold foreign
words: error messages, titles in the ledger, tracebacks put into prompts. It is
linear in the text (each pattern takes what it looked at, or looks at a bounded
piece), and applying it twice changes nothing.

Source: wire reference 1 (never log keys, signed URLs or data URIs).
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"
_FRAGMENT: Final = 6  # a run of this many of the key's characters is a fragment of it
_MASKED_END: Final = 16  # so much of a key may stand on either side of a mask

_DATA_URI = re.compile(
    r"data:(?:([\w.+-]{1,80}\\?/[\w.+-]{1,80})(?:;[\w.+=-]{1,80}){0,8}|(?:;[\w.+=-]{1,80}){0,8};base64),"
    r"[\w+/=%.~\\-]*(?:\r?\n[A-Za-z0-9+/=_%-]{40,})*",
    re.ASCII | re.IGNORECASE,
)
_MASK = re.compile(r"\*{2,}|…+|•{2,}|\.{3,}|x{4,}")
_VALUE: Final = r"(?!\[hidden\])(?:\[hidden\]|[^\s\"',;&)}\]])+"
_BEARER = re.compile(
    r"((?i:authorization[\"']?\s{0,9}[=:]\s{0,9}[\"']?bearer\s{1,9})"
    r"|\b(?i:bearer)\s{1,9}(?=[a-z._~+/-]*[0-9A-Z]))" + _VALUE  # not the bearer of good news
)
_KEY = re.compile(r"\bsk-[\w*.…-]*[\w*…]")
_NAMED = re.compile(
    r"((?:(?:api|access|secret)[_-]?(?:key|token)|authorization)[\"']?\s{0,9}[=:]\s{0,9}[\"']?)"
    r"(?!bearer)" + _VALUE,
    re.IGNORECASE,
)
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)([^\s\"'<>]+)", re.IGNORECASE)
_SIGNED = re.compile(
    r"(?:^|[?&;#]|u0026)(?:x-(?:tos|amz|oss|goog)-[\w-]*|[\w.-]*(?:signature|credential|token|secret|password)"
    r"|sig|expires|policy|key|auth_key|api_?key|access_?key(?:_?id)?|ossaccesskeyid|awsaccesskeyid)=",
    re.IGNORECASE,
)


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
    for secret in secrets:
        text = _without_fragments(_without_masked(text, secret), secret)
    text = _DATA_URI.sub(_describe_data, text)
    text = _URL.sub(_plain_url, text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    text = _KEY.sub(_hide_key, text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def _describe_data(match: re.Match[str]) -> str:
    size = len(match.group(0)) * 3 // 4
    return f"[{match.group(1) or 'data'}, about {size:,} bytes]"


def _plain_url(match: re.Match[str]) -> str:
    """A URL without credentials, and without a query that gives access."""
    scheme, rest = match.groups()
    place, mark, query = _split(rest, "?#")
    host, slash, path = _split(place, "/")
    if "@" in host:
        host = f"{HIDDEN}@{host.rpartition('@')[2]}"
    if _SIGNED.search(query):
        query = HIDDEN + query[len(query.rstrip(")]},.;:!")) :]  # the sentence around it goes on
    return f"{scheme}{host}{slash}{path}{mark}{query}"


def _split(text: str, marks: str) -> tuple[str, str, str]:
    """Like `str.partition`, at the first of several characters."""
    cut = min((place for mark in marks if (place := text.find(mark)) >= 0), default=len(text))
    return text[:cut], text[cut : cut + 1], text[cut + 1 :]


def _hide_key(match: re.Match[str]) -> str:
    """Not in words like sk-learn: a key has digits, capitals or a mask, and some length."""
    word = match.group(0)
    looks_random = any(char.isdigit() or char.isupper() or char in "*…" for char in word)
    return HIDDEN if word.startswith("sk-sim-") or (len(word) >= 7 and looks_random) else word


def _without_masked(text: str, secret: str) -> str:
    """Hide ``sk-SE****WXYZ``: a mask beside the secret's beginning or end, for **** is Markdown too."""

    def shown(mark: re.Match[str]) -> tuple[int, int]:
        before = text[max(0, mark.start() - _MASKED_END) : mark.start()]
        after = text[mark.end() : mark.end() + _MASKED_END]
        head = next((n for n in range(len(before), 0, -1) if secret.startswith(before[-n:])), 0)
        tail = next((n for n in range(len(after), 0, -1) if secret.endswith(after[:n])), 0)
        return head, tail

    out: list[str] = []
    end = 0
    for mark in _MASK.finditer(text):
        head, tail = shown(mark)
        if head + tail < 3:  # "a...b" is no key, whatever letters the key has
            continue
        out += [text[end : max(end, mark.start() - head)], HIDDEN]
        end = mark.end() + tail
    return "".join([*out, text[end:]])


def _without_fragments(text: str, secret: str) -> str:
    """Hide each run of `text` that stands in `secret` too, if it is long enough."""
    if len(secret) < _FRAGMENT:
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text) if secret else text
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
