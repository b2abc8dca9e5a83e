"""When a request is sent again, and after how long: values and pure functions.

| what happened                      | a call that bills nothing | a billed POST |
| ---------------------------------- | ------------------------- | ------------- |
| no connection: nothing was sent    | again                     | again         |
| 429, 503: the work was not done    | again                     | again         |
| 408, any other 5xx                 | again                     | never         |
| read timeout, cut wire             | again                     | never         |
| 4xx, no credit, unknown model      | never                     | never         |

"Never" means not by itself: the error says what was sent and may be billed.

Source: seed 003 (rate limits), wire reference 2.4, RFC 9110 section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from anyfast_nb.errors import (
    AnyFastError,
    ConnectFailed,
    InputError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long: `attempts` tries in all, waits in seconds."""

    attempts: int = 4
    base_s: float = 1.0
    cap_s: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not (0 <= self.base_s < math.inf and 0 <= self.cap_s < math.inf):
            raise InputError(
                f"{self} cannot work; attempts is at least 1, base_s and cap_s are seconds from 0",
                field="policy",
            )


def may_repeat(error: AnyFastError, *, billed: bool) -> bool:
    """May the same request be sent again? `billed`: it is one that costs money."""
    if isinstance(error, ConnectFailed | RateLimitError):
        return True
    if isinstance(error, ServerError):
        return error.status == 503 or not billed
    return isinstance(error, ReadTimedOut | WireCut) and not billed


def delay_s(
    attempt: int,
    *,
    policy: RetryPolicy,
    headers: Mapping[str, str],
    now: datetime | None = None,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds to wait after the failed try number `attempt` (from 1).

    The server's ``retry-after-ms`` or ``Retry-After`` (seconds or a date) counts
    if it is there, with up to a tenth on top so that callers spread out; else
    full jitter below 1, 2, 4, 8… seconds. Never more than the policy's cap.
    """
    asked = asked_s(headers, now=now)
    if asked is not None:
        return min(asked + uniform(0, 0.1 * asked), policy.cap_s)
    ceiling = min(policy.base_s * 2.0 ** min(attempt - 1, 60), policy.cap_s)
    return uniform(ceiling / 4, ceiling)  # never at once: the server has just said no


def asked_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that the server asked to be left alone; None if it did not."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        when = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError, IndexError):  # all of these, for one bad date or another
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def reason(error: AnyFastError) -> str:
    """Why a try failed, in a word for the waiting line: ``429`` or ``no connection``."""
    if isinstance(error, RateLimitError | ServerError):
        return str(error.status)
    return "no connection" if isinstance(error, ConnectFailed) else "no answer"
