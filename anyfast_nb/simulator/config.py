"""How this server was started."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEMO_KEY = "sk-sim-demo"
MIB = 1024 * 1024


class Profile(StrEnum):
    """Which generation of AnyFast's documented shapes is spoken."""

    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one server.

    Attributes:
        key: the one key that is let in.
        hosts: names beside loopback that a Host header may carry.
        profile: the generation of shapes.
        tokens_per_second: speed of generation at speed 1.
        speed: divides every simulated wait; 0 means no wait.
        proves: whether the health probe may prove possession of the key (only for random keys:
            a proof would let a stranger test guesses of a weak one).
        version: of the package, as the health probe tells it.
        body_limit_bytes: the largest request body.
    """

    key: str = DEMO_KEY
    hosts: tuple[str, ...] = ()
    profile: Profile = Profile.CURRENT
    tokens_per_second: float = 60.0
    speed: float = 1.0
    proves: bool = False
    version: str = ""
    body_limit_bytes: int = 64 * MIB

    @property
    def rate_per_s(self) -> float:
        """Tokens per second after ``speed``; 0 means unlimited."""
        return self.tokens_per_second * self.speed
