"""Reading one field of a JSON body by rule: null is absent, anything wrong a 400 with its path."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from anyfast_nb.simulator.problems import bad_field

Body = Mapping[str, Any]


def join(path: str, name: str) -> str:
    """The path of a field inside an object."""
    return f"{path}.{name}" if path else name


def number(body: Body, name: str, *, low: float, high: float, path: str = "") -> float | None:
    """A finite number in a closed range."""
    value = body.get(name)
    if value is None:
        return None
    where = join(path, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_field(where, "must be a number", got=value)
    if not math.isfinite(value) or not low <= value <= high:
        raise bad_field(where, f"must be between {low:g} and {high:g}", got=value)
    return float(value)


def integer(body: Body, name: str, *, low: int | None = None, path: str = "") -> int | None:
    """An integer, at least ``low``."""
    value = body.get(name)
    if value is None:
        return None
    where = join(path, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_field(where, "must be an integer", got=value)
    if low is not None and value < low:
        raise bad_field(where, f"must be at least {low}", got=value)
    return value


def boolean(body: Body, name: str, *, default: bool = False, path: str = "") -> bool:
    """A boolean."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_field(join(path, name), "must be true or false", got=value)
    return value


def string(body: Body, name: str, *, default: str = "", path: str = "") -> str:
    """A string, possibly empty."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise bad_field(join(path, name), "must be a string", got=value)
    return value


def needed_string(body: Body, name: str, *, path: str = "") -> str:
    """A string that must be there and hold something."""
    where = join(path, name)
    if body.get(name) is None:
        raise bad_field(where, "is required", code="missing_parameter")
    value = string(body, name, path=path)
    if not value.strip():
        raise bad_field(where, "must not be empty", got=value)
    return value


def choice(body: Body, name: str, allowed: Sequence[str], *, path: str = "") -> str:
    """One of a few words, "" if absent."""
    value = string(body, name, path=path)
    if value and value not in allowed:
        raise bad_field(join(path, name), f"must be one of {', '.join(allowed)}", got=value)
    return value


def mapping(body: Body, name: str, *, path: str = "") -> Body | None:
    """A JSON object."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_field(join(path, name), "must be an object", got=value)
    return value


def items(body: Body, name: str, *, path: str = "") -> list[Body] | None:
    """An array of JSON objects."""
    value = body.get(name)
    if value is None:
        return None
    where = join(path, name)
    if not isinstance(value, list):
        raise bad_field(where, "must be an array", got=value)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise bad_field(f"{where}[{index}]", "must be an object", got=item)
    return value


def only(body: Body, known: Collection[str], *, path: str = "") -> None:
    """Refuse a field nobody documents: it would do nothing."""
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        raise bad_field(join(path, unknown[:80]), "is no field of this endpoint")
