"""When a budget's day or week begins: by the midnight of its zone, through summer time and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.budget.values import Per
from anyfast_nb.ledger.rows import microseconds

_LOCALTIME: Final = Path("/etc/localtime")


def window(per: Per, *, zone: str, created_us: int, now: datetime) -> tuple[int, int | None]:
    """The period of ``now``: its begin, and its end (None is never), in microseconds since 1970.

    Args:
        per: a day begins at midnight, a week at Monday's, a total when the budget was set.
        zone: whose midnight, an IANA name.
        created_us: when the budget was set.
        now: aware.
    """
    if per is Per.TOTAL:
        return created_us, None
    place = ZoneInfo(zone)
    first = now.astimezone(place).date()
    if per is Per.WEEK:
        first -= timedelta(days=first.weekday())
    last = first + timedelta(days=7 if per is Per.WEEK else 1)
    return _midnight(first, place), _midnight(last, place)


def _midnight(day: date, place: ZoneInfo) -> int:
    # Where the clock strikes twelve twice, the day begins with the first; where
    # it never does, with the moment the clock is put forward.
    return microseconds(datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC))


def check_zone(name: str) -> str:
    """The zone, if it is known here.

    Raises:
        InputError: it is not.
    """
    if not _known(name):
        raise InputError(
            f"zone={name!r} is not known", field="zone", hint='Give an IANA name such as "Asia/Shanghai".'
        )
    return name


def local_zone(*, environ: Mapping[str, str] = os.environ, localtime: Path = _LOCALTIME) -> str:
    """The IANA name of this system's zone: from ``TZ``, else where ``/etc/localtime`` points; else UTC."""
    told = environ.get("TZ", "").removeprefix(":")
    try:
        linked = str(localtime.resolve())
    except (OSError, RuntimeError):
        linked = ""
    # /usr/share/zoneinfo/Europe/Berlin, and on macOS /var/db/timezone/zoneinfo/…
    for name in (told, told.partition("zoneinfo/")[2], "" if told else linked.partition("zoneinfo/")[2]):
        if _known(name):
            return name
    return "UTC"


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True
