"""Single values of a body, read from every spelling a server may use; what cannot be read is None or "".

Source: wire reference 6.5 and 10 (spellings of progress and of times).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any, Final

from anyfast_nb.wire.text import mended

_MAX_BITS: Final = 4096  # of a whole number that becomes text
_MILLISECONDS: Final = 1e11  # from here on a time counts milliseconds: in seconds it were the year 5138
_NUMBER = re.compile(r"[+-]?\d{1,400}(\.\d{0,400})?", re.ASCII)
_LINK = re.compile(r"https?://\S", re.IGNORECASE)


def word(value: Any) -> str:
    """A text without spaces around it; a whole number becomes one without loss."""
    if isinstance(value, str):
        return mended(value).strip()
    if isinstance(value, bool) or not isinstance(value, int) or value.bit_length() > _MAX_BITS:
        return ""
    return str(value)


def number(value: Any) -> float | None:
    """A number of at least 0, or the same in a string, such as Kling's ``"5.041"``."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if 0 <= value < math.inf else None


def integer(value: Any) -> int | None:
    """A whole number, or the same in a string."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,400}", value.strip(), re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """A truth value that is one."""
    return value if isinstance(value, bool) else None


def percent(value: Any) -> int | None:
    """0 to 100 out of ``50``, ``50.5``, ``"50%"``; what lies outside is moved to the rim."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    found = number(value)
    return None if found is None else int(min(found, 100))


def moment(value: Any) -> datetime | None:
    """A time in seconds or milliseconds since 1970, or in ISO 8601; aware, UTC; 0 is no time yet."""
    try:
        if (count := number(value)) is not None:
            seconds = count / 1000 if count > _MILLISECONDS else count
            return datetime.fromtimestamp(seconds, UTC) if seconds else None
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # no date, or one beyond the calendar
        pass
    return None


def link(value: Any) -> str:
    """An address of the web, "" for anything else."""
    found = word(value)
    return found if _LINK.match(found) else ""
