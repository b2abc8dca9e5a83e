"""A key, so that it is not shown by accident."""

from __future__ import annotations

import hashlib
from typing import Any


class Secret:
    """A key that does not show itself; `reveal` is for the Authorization header alone."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the key itself."""
        return self._value

    def mark(self) -> str:
        """A fingerprint that tells keys apart and gives nothing away: what was made by which key."""
        return hashlib.sha256(f"anyfast-key\0{self._value}".encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a key is not pickled; pass the key by ANYFAST_API_KEY")
