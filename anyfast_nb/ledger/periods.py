"""Periods by their names: today, week, 24h, a date; whole days begin at a zone's own midnight."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from anyfast_nb.errors import InputError

NAMES: Final = ("today", "yesterday", "week", "month", "24h", "7d", "30d", "all")
_BACK: Final = re.compile(r"(\d{1,5})\s*([hd])")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time.

    Attributes:
        since: its beginning, aware; None is the beginning of everything.
        until: its end, itself outside; None is now.
        words: what a person calls it.
    """

    since: datetime | None
    until: datetime | None
    words: str


def zone(name: str | None) -> ZoneInfo | None:
    """A time zone by its name; None is this machine's own.

    Raises:
        InputError: no zone is called so.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"tz={name!r} is no time zone", field="tz", hint="Write a name such as Asia/Shanghai or UTC."
        ) from None


def period(text: str, *, tz: str | None = None, now: Callable[[], datetime] | None = None) -> Period:
    """A period by what a person calls it.

    Args:
        text: ``today``, ``yesterday``, ``week`` (from Monday), ``month``, so many hours or days back
            (``24h``, ``7d``), ``all``, a date (``2026-11-01``: since then), or two with dots between
            them (``2026-11-01..2026-11-07``: both days and all between).
        tz: whose midnight begins a day, an IANA name; by default this machine's.
        now: the clock.

    Raises:
        InputError: the text says no period, or the zone is none.
    """
    word = text.strip().lower()
    where = zone(tz)
    moment = datetime.now(UTC) if now is None else now()
    today = moment.astimezone(where).date()
    if word == "all":
        return Period(None, None, "all time")
    if back := _BACK.fullmatch(word):
        count = int(back[1])
        span = timedelta(hours=count) if back[2] == "h" else timedelta(days=count)
        return Period(moment - span, None, f"the last {_counted(count, back[2])}")
    days = _named_days(word, today) or _dates(word, text)
    first, last, words = days
    until = None if last is None else _midnight(last + timedelta(days=1), where)
    return Period(_midnight(first, where), until, words)


def _counted(count: int, unit: str) -> str:
    word = "hour" if unit == "h" else "day"
    return f"{count} {word}s" if count != 1 else word


def _named_days(word: str, today: date) -> tuple[date, date | None, str] | None:
    if word == "today":
        return today, None, f"today, {today}"
    if word == "yesterday":
        before = today - timedelta(days=1)
        return before, before, f"yesterday, {before}"
    if word == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, None, f"this week, since {monday}"
    if word == "month":
        return today.replace(day=1), None, f"this month, since {today.replace(day=1)}"
    return None


def _dates(word: str, text: str) -> tuple[date, date | None, str]:
    first, dots, last = word.partition("..")
    try:
        begins = date.fromisoformat(first)
        ends = date.fromisoformat(last) if dots and last else None
    except ValueError:
        raise InputError(
            f"{text!r} is no period",
            field="period",
            hint=f"Write one of {', '.join(NAMES)}, or a date such as 2026-11-01.",
        ) from None
    if ends is None:
        return begins, None, f"since {begins}"
    if ends < begins:
        raise InputError(f"{text!r} ends before it begins", field="period", hint="The earlier date is first.")
    return begins, ends, f"{begins} to {ends}"


def _midnight(day: date, where: ZoneInfo | None) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=where)
    return start.astimezone() if where is None else start
