"""Token counts from every spelling a server may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from anyfast_nb.wire.values import Usage


def read_usage(body: object) -> Usage:
    """Usage of a chat (prompt/completion) or a response (input/output); missing stays None.

    Source: seed 001 (usage), wire reference 3.2 and 4.2.
    """
    if not isinstance(body, Mapping):
        return Usage()
    return Usage(
        input_tokens=_count(body, "prompt_tokens", "input_tokens"),
        output_tokens=_count(body, "completion_tokens", "output_tokens"),
        cached_tokens=_detail(body, ("prompt_tokens_details", "input_tokens_details"), "cached_tokens"),
        reasoning_tokens=_detail(
            body, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens"
        ),
    )


def _count(body: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = body.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
            return int(value)
    return None


def _detail(body: Mapping[str, Any], places: tuple[str, ...], name: str) -> int | None:
    for place in places:
        details = body.get(place)
        if isinstance(details, Mapping) and (value := _count(details, name)) is not None:
            return value
    return None
