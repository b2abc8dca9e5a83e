"""Ids as each generation of the service writes them."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from collections.abc import Callable, Iterator

_ALPHABET = string.ascii_letters + string.digits
_SMALL = string.ascii_lowercase + string.digits


class Ids:
    """Makes ids that nobody can guess and that never come twice.

    Args:
        numbers: gives a new number each time.
        now: seconds since 1970.
        secret: what a guesser would need; random if not given.
    """

    def __init__(
        self, numbers: Iterator[int], *, now: Callable[[], float] = time.time, secret: bytes | None = None
    ) -> None:
        self._numbers = numbers
        self._now = now
        self._secret = secret or secrets.token_bytes(16)

    def asyntask(self) -> str:
        """Such as ``asyntask_h81efT0qwtLnzyt6VENmCZ6VXSfNxE2E``."""
        return "asyntask_" + self._letters(32)

    def ark(self) -> str:
        """Such as ``cgt-20260427191505-9j2q7``."""
        return f"cgt-{self._second()}-{self._letters(5, _SMALL)}"

    def flat(self) -> str:
        """Such as ``gen-abc123``."""
        return "gen-" + self._letters(12, _SMALL)

    def oldest(self) -> str:
        """Such as ``doubao_task_123456``."""
        return "doubao_task_" + self._letters(12, string.digits)

    def kling(self) -> str:
        """18 digits, more than a double can hold."""
        return f"8{int(self._now()) % 10**10:010d}{next(self._numbers) % 10**7:07d}"

    def request(self) -> str:
        """Such as ``20260427111505260254000NBdvZFoP``."""
        fraction = f"{self._now() % 1:.9f}"[2:]
        return f"{self._second()}{fraction}{self._letters(8)}"

    def uuid(self) -> str:
        """Such as ``7e91db5f-0c1d-4f6e-9a55-1d1a0c9b7e21``."""
        digits = self._letters(32, "0123456789abcdef")
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def asset(self, kind: str) -> str:
        """Such as ``asset-20260427160000-9j2q7``."""
        return f"{kind}-{self._second()}-{self._letters(5, _SMALL)}"

    def _second(self) -> str:
        return time.strftime("%Y%m%d%H%M%S", time.gmtime(self._now()))

    def _letters(self, count: int, alphabet: str = _ALPHABET) -> str:
        digest = hashlib.shake_256(self._secret + str(next(self._numbers)).encode()).digest(count)
        return "".join(alphabet[byte % len(alphabet)] for byte in digest)
