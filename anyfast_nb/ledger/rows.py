"""The values of the ledger: a request as it is sent, how it ended, and totals."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.schema import COLUMNS
from anyfast_nb.ledger.guard import plain_url, scrub
from anyfast_nb.wire.values import Source, Status

Value = str | int | float | None
Record = dict[str, Value]
"""One row as it is kept: a value for each column of its table."""


class Kept(NamedTuple):
    """A record and the table it belongs to."""

    table: str
    record: Record


Since = datetime | date | timedelta | str | None
Names = str | Iterable[str] | None

_TITLE_CHARS = 80
_NAME_CHARS = 500
# No request has as many; a server that says so is wrong, and sums must not overflow.
_MOST_TOKENS = 10**12


def new_id(*, clock: Callable[[], float] = time.time, random: Callable[[int], bytes] = os.urandom) -> str:
    """A version 7 UUID as 32 hex digits: it sorts by time, so an index of ids grows at its end."""
    value = (int(clock() * 1000) & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request at the moment it is sent.

    Attributes:
        kind: what is asked for: chat, responses, seedream, seedance, kling, asset.
        source: live, simulated or replayed.
        base_url: kept without credentials and query.
        model: the model asked for.
        title: the prompt's beginning, redacted by the caller; the first 80 characters are kept.
        notebook, cell, thread: where it comes from; None is unknown.
        request_hash: sha256 of the body, for what is billed and may have to be looked for; None is unknown.
        user: who asks; in a class's ledger the database says it.
        session: the kernel.
        job: of the generation that is asked for.
        id: made here, so that writing a row twice makes one row.
        time: when; aware, or naive in local time.
    """

    kind: str
    source: Source
    base_url: str
    model: str
    title: str | None = None
    notebook: str | None = None
    cell: str | None = None
    thread: str | None = None
    request_hash: str | None = None
    user: str | None = None
    session: str | None = None
    job: str | None = None
    id: str = field(default_factory=new_id)
    time: datetime = field(default_factory=_now)

    def record(self) -> Record:
        """The row as it is kept until the request ends."""
        empty: Record = dict.fromkeys(COLUMNS)
        return empty | {
            "id": self.id,
            "time_us": microseconds(self.time),
            "kind": scrub(self.kind, limit=_NAME_CHARS),
            "source": Source(self.source).value,
            "base_url": plain_url(self.base_url),
            "model_asked": scrub(self.model, limit=_NAME_CHARS),
            "status": Status.UNFINISHED.value,
            "title": kept_text(self.title, limit=_TITLE_CHARS),
            "notebook": kept_text(self.notebook),
            "cell": kept_text(self.cell),
            "thread": kept_text(self.thread),
            "user_name": kept_text(self.user),
            "session": kept_text(self.session),
            "job": self.job,
            "request_hash": kept_text(self.request_hash),
        }


@dataclass(frozen=True, slots=True)
class ModelTotal:
    """What one model was used for, from one source.

    Attributes:
        source: live, simulated or replayed; never mixed.
        model: the model that served, or was asked for where none answered.
        requests: all rows, however they ended.
        ok: those that ended well.
        without_usage: those whose tokens are unknown; they are not in the sums.
        input_tokens, cached_tokens, output_tokens, reasoning_tokens: sums of what is known;
            None where no row knows.
    """

    source: str
    model: str
    requests: int
    ok: int
    without_usage: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 in UTC; a naive time is local."""
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment_of(time_us: int) -> datetime:
    """The aware time of microseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def _named(text: str, now: Callable[[], datetime]) -> datetime | None:
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text)
    if ".." in text:  # two bounds are no bound
        raise ValueError(text)
    from anyfast_nb.ledger.periods import period

    return period(text, now=now).since


def since_us(since: Since, *, field: str = "since", now: Callable[[], datetime] = _now) -> int | None:
    """A bound of a period in microseconds since 1970; None is no bound.

    Args:
        since: a time, a day, a time span back from now, a date or time in ISO form (``2026-11-01``,
            ``2026-11-01T09:30+01:00``; without a zone it is local time), or a word: ``today``,
            ``yesterday``, ``week`` (from Monday), ``month``, ``24h``, ``7d``; see `periods.period`.
        field: what the caller calls it.
        now: the clock.

    Raises:
        InputError: a text that is neither, or another value.
    """
    if since is None:
        return None
    if isinstance(since, str):
        try:
            since = _named(since.strip(), now)
        except ValueError:
            raise _no_time(since, field) from None
    if since is None:  # "all"
        return None
    if isinstance(since, timedelta):
        since = now() - since
    if not isinstance(since, date):
        raise _no_time(since, field)
    if not isinstance(since, datetime):
        since = datetime(since.year, since.month, since.day)  # noqa: DTZ001  a day is a local day
    return microseconds(since)


def _no_time(value: object, field: str) -> InputError:
    return InputError(
        f"{field}={value!r} is not a date or time.",
        field=field,
        hint="Give an ISO date such as '2026-11-01', 'today', 'week', '7d', or a datetime.",
    )


def kept_text(text: str | None, *, limit: int = _NAME_CHARS) -> str | None:
    """A text as it is kept: without secrets, at most ``limit`` characters; None for None."""
    return None if text is None else scrub(text, limit=limit)


def kept_count(number: int | None) -> int | None:
    """A number of tokens as it is kept; what cannot be is unknown."""
    return number if isinstance(number, int) and 0 <= number <= _MOST_TOKENS else None


def kept_seconds(number: float | None) -> float | None:
    """A duration as it is kept; what cannot be is unknown."""
    return float(number) if number is not None and math.isfinite(number) and number >= 0 else None
