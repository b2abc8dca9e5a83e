"""What a request may use at most, known before it is sent: what a budget reserves for it.

A bound is never too small, as far as the vendor's pages go; where they leave
something open there is no bound, and it says what would give one.

- A chat reads at most a token for each byte that is sent, for no token is
  shorter; and some more for the marks that a server puts around messages and
  tools, which nobody documents: `MESSAGE_TOKENS` and `TOOLS_TOKENS` are far
  above what is seen.
- How many tokens a picture, a clip or a document makes is not documented
  either: with one of them, or with a conversation that the server keeps, the
  request may fill all that its model reads.
- What searches or runs on the server reads as much as it likes, and several
  times: it has no bound at all.
- A chat writes at most ``max_tokens`` (``max_completion_tokens``,
  ``max_output_tokens``), else what the catalogue knows of its model; ``n`` times.

Source: seeds 001 and 002 (max_tokens, max_output_tokens), wire reference 3.1 and 4.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from anyfast_nb.catalog.lengths import lengths_of
from anyfast_nb.wire.pixels import whole_number

MESSAGE_TOKENS: Final = 64
"""More than the marks around one message."""

TOOLS_TOKENS: Final = 2_048
"""More than the words a server may put around the description of tools."""

MAX_TOKENS: Final = "--max-tokens N (max_tokens=N)"
_NO_MEDIA: Final = (
    f"{MAX_TOKENS}, and leave away pictures, clips and documents (one counts as all that the model reads),"
)
_KNOWN_MODEL: Final = '-m pro (model="pro"), or another model whose length is documented'
_NO_TOOLS: Final = "no tools that run on the server, such as web_search"

_OUTPUT: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_WORDS: Final = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text", "refusal"})
_ITEMS: Final = frozenset({"message", "function_call", "function_call_output", "reasoning"})
_KEPT_THERE: Final = ("previous_response_id", "conversation", "prompt")
_LOOKS_AROUND: Final = ("web_search_options", "enable_search", "plugins")


@dataclass(frozen=True, slots=True)
class Bound:
    """What one request may use at most; None is without a bound.

    Attributes:
        input_tokens: read.
        output_tokens: written, thought included; of a film or a picture, those it is billed with.
        images: pictures made.
        video_s: seconds of film made.
        fix: which option would give a bound, or a smaller one; "" if none would.
    """

    input_tokens: int | None = 0
    output_tokens: int | None = 0
    images: int | None = 0
    video_s: float | None = 0
    fix: str = ""

    @property
    def tokens(self) -> int | None:
        """Read and written, together."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


def chat_bound(body: Mapping[str, Any]) -> Bound:
    """The bound of a request to chat or to the Responses API.

    Args:
        body: checked, as it is sent.

    Example:
        >>> body = {"model": "doubao-seed-2.0-pro", "messages": [{"role": "user", "content": "Hi"}]}
        >>> chat_bound(body | {"max_tokens": 400}).output_tokens
        400
        >>> chat_bound(body | {"model": "of-tomorrow"}).fix
        '--max-tokens N (max_tokens=N)'
    """
    if _runs_there(body):
        return Bound(None, None, fix=_NO_TOOLS)
    known = lengths_of(str(body.get("model") or ""))
    read = _read(body, most=None if known is None else known.input)
    written = _written(body, most=None if known is None else known.output)
    if read is None:
        return Bound(None, written, fix=_KNOWN_MODEL)
    return Bound(read, written, fix=_NO_MEDIA if _is_opaque(body) else MAX_TOKENS)


def _read(body: Mapping[str, Any], *, most: int | None) -> int | None:
    if _is_opaque(body):
        return most
    tools = body.get("tools") or body.get("functions") or ()
    said = body.get("messages", body.get("input", ""))
    count = 1 if isinstance(said, str) else len(said)
    # A server may write a tool's description out once more, in a form of its own.
    marks = MESSAGE_TOKENS * (count + 1) + (TOOLS_TOKENS + 2 * _bytes(tools) if tools else 0)
    found = _bytes(body) + marks
    return found if most is None else min(found, most)


def _written(body: Mapping[str, Any], *, most: int | None) -> int | None:
    asked = [body[name] for name in _OUTPUT if body.get(name) is not None]
    if asked:
        found = [whole_number(value, None) for value in asked]
        known = [value for value in found if value is not None]
        one = max(known) if len(known) == len(found) else None
    else:
        one = most
    times = whole_number(body.get("n"), 1)
    return None if one is None or times is None else one * times


def _runs_there(body: Mapping[str, Any]) -> bool:
    """Does it ask for tools that the server runs itself?"""
    tools = body.get("tools") or ()
    if any(not isinstance(tool, Mapping) or tool.get("type", "function") != "function" for tool in tools):
        return True
    return any(body.get(name) for name in _LOOKS_AROUND)


def _is_opaque(body: Mapping[str, Any]) -> bool:
    """Is anything in it whose tokens cannot be told from its bytes?"""
    if any(body.get(name) for name in _KEPT_THERE):
        return True
    said = body.get("messages", body.get("input", ""))
    return not isinstance(said, str) and any(_holds_media(item) for item in said)


def _holds_media(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return True
    if item.get("type", "message") not in _ITEMS:
        return True
    parts = (part for name in ("content", "output", "summary") for part in _parts(item.get(name)))
    return not all(map(_is_words, parts))


def _parts(value: Any) -> Iterable[Any]:
    if value is None or isinstance(value, str):
        return ()
    return value if isinstance(value, list | tuple) else [value]


def _is_words(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and part.get("type") in _WORDS)


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode(errors="surrogatepass"))
