"""What a builder finds wrong: structure is refused, a documented limit is refused or noted.

Source: of each limit, the builder that asks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks


class Findings:
    """Collects the notes of one request.

    A limit may have been relaxed since it was written down, and nothing is written about a model
    that the catalogue does not know: then a violation is a note, and the server decides.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._notes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each, in the order found."""
        return tuple(dict.fromkeys(self._notes))

    def note(self, text: str) -> None:
        """Something the user may want to know; it refuses nothing."""
        self._notes.append(text)

    def limit(self, field: str, message: str, *, hint: str = "") -> None:
        """A documented limit is not kept.

        Raises:
            InputError: if limits are strict.
        """
        if self._strict:
            way_out = f"{hint or 'Nothing was sent.'} strict=False lets the server decide."
            raise InputError(message, field=field, hint=way_out)
        self.note(f"{message}; the server may refuse it")

    def one_of(self, field: str, value: Any, *, allowed: tuple[str, ...]) -> str:
        """A word that should be one of some."""
        found = checks.text(field, value).strip()
        if found not in allowed:
            self.limit(field, f"{field} is {shown(found)}; allowed is one of {', '.join(allowed)}")
        return found

    def in_range(self, field: str, value: Any) -> float:
        """A number that should lie in the catalogue's range of `field`."""
        try:
            return float(checks.in_range(field, value))
        except InputError as refused:
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise
            self.limit(field, refused.message)
            return float(value)

    def at_most(self, field: str, count: int, most: int | None, *, what: str) -> None:
        """A count that should not pass a limit; a limit of None is not documented."""
        if most is None and count:
            self.note(f"nothing is documented about {what} for this model; the server decides")
        elif most is not None and count > most:
            hint = f"Leave {count - most} out of {field}."
            self.limit(field, f"{field} holds {count} {what}; allowed are {most}", hint=hint)


def shown(value: Any) -> str:
    """A value as a message may hold it: addresses and media are named, not shown."""
    if isinstance(value, str) and value.lstrip()[:5].lower() == "data:":
        return "a data URI"
    if isinstance(value, str) and value.lstrip()[:4].lower() == "http":
        return "a URL"
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def whole(field: str, value: Any) -> int:
    """A whole number, also out of a string such as ``"5"``.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) <= 20:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, Real) or value != value // 1:
        raise InputError(
            f"{field} is {shown(value)}; it must be a whole number", field=field, hint="Nothing was sent."
        )
    return int(value) if isinstance(value, Integral) else int(float(value))


def truth(field: str, value: Any) -> bool:
    """True or False.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(value, bool):
        raise InputError(
            f"{field} is {shown(value)}; it must be True or False", field=field, hint="Nothing was sent."
        )
    return value


def passed_through(extra: Mapping[str, Any] | None, *, own: Mapping[str, str]) -> dict[str, Any]:
    """Fields that a builder does not know, as they are.

    Args:
        extra: name of the body's field -> value.
        own: field of the body -> the argument that sets it.

    Raises:
        InputError: a field has an argument of its own.
    """
    fields = {} if extra is None else checks.mapping("extra", extra)
    if clash := [name for name in own if name in fields]:
        raise InputError(
            f"extra holds {clash[0]!r}, which has an argument of its own",
            field=f"extra.{clash[0]}",
            hint=f"Use {own[clash[0]]}=… instead.",
        )
    return checks.writable("extra", fields)
