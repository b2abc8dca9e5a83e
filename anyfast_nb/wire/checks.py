"""Arguments against their documented ranges; each refusal names the field and the range.

Source: of each range, the builder that asks; seeds 001 and 002 ("Required range").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

from anyfast_nb import catalog
from anyfast_nb.errors import InputError


def in_range(field: str, value: Any, *, name: str | None = None, whole: bool = False) -> Any:
    """Check a number against the catalogue's range of `name` (default: `field`); give it back.

    Raises:
        InputError: not a number, or outside the range.
    """
    bounds = catalog.limit(name or field)
    span = f"{'a whole number' if whole else 'a number'} {_span(bounds)}"
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):  # numpy's as well
        raise InputError(
            f"{field} is {_shown(value)}; it must be {span}", field=field, hint="Nothing was sent."
        )
    value = int(value) if isinstance(value, Integral) else float(value)
    low = float("-inf") if bounds.min is None else bounds.min
    high = float("inf") if bounds.max is None else bounds.max
    if not low <= value <= high:  # NaN is outside as well
        raise InputError(
            f"{field} is {_shown(value)}; allowed is {span}", field=field, hint="Nothing was sent."
        )
    return value


def one_of(field: str, value: Any, *, allowed: tuple[str, ...]) -> str:
    """Check a word against a list of words."""
    if value not in allowed:
        words = ", ".join(allowed)
        raise InputError(
            f"{field} is {_shown(value)}; allowed is one of {words}", field=field, hint="Nothing was sent."
        )
    return str(value)


def text(field: str, value: Any) -> str:
    """Check for a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            f"{field} is {_shown(value)}; it must be text that is not empty",
            field=field,
            hint="Nothing was sent.",
        )
    return value


def mapping(field: str, value: Any) -> dict[str, Any]:
    """Check for a mapping; give it as a dict of its own."""
    if not isinstance(value, Mapping):
        raise InputError(
            f"{field} is {_shown(value)}; it must be a mapping", field=field, hint="Nothing was sent."
        )
    return dict(value)


def writable(field: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check that fields can be sent as JSON; give them as a dict of its own."""
    try:
        json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{field} cannot be written as JSON: {error}", field=field, hint="Nothing was sent."
        ) from None
    if odd := [name for name in fields if not isinstance(name, str)]:
        raise InputError(
            f"{field} holds {_shown(odd[0])} as a name, which is no text",
            field=field,
            hint="Nothing was sent.",
        )
    return dict(fields)


def others(value: Any, *, own: Collection[str]) -> dict[str, Any]:
    """Check fields that a builder does not know, against those (`own`) that it does."""
    fields = {} if value is None else mapping("extra", value)
    clash = sorted(set(own) & set(fields))
    if clash:
        raise InputError(
            f"extra holds {clash[0]!r}, which has an argument of its own",
            field=f"extra.{clash[0]}",
            hint=f"Use {clash[0]}=… instead.",
        )
    return fields


def _span(bounds: catalog.Limit) -> str:
    if bounds.max is None:
        return f"of at least {bounds.min:g}"
    return f"from {bounds.min:g} to {bounds.max:g}"


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
