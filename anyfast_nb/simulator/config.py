"""How this server was started."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEMO_KEY = "sk-sim-demo"
REHEARSAL_KEY = "sk-rehearsal"  # clients know by "sk-sim-" that nothing is billed: not by this one
MIB = 1024 * 1024


class Profile(StrEnum):
    """Which generation of AnyFast's documented shapes is spoken."""

    CURRENT = "current"  # wrapped tasks with asyntask_ ids
    FLAT = "flat"  # the pages of March 2026: flat tasks with gen- ids
    ARK = "ark"  # the upstream's own tasks, passed through: cgt- ids
    OLDEST = "oldest"  # the first pages: ISO dates, parameters in the prompt


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
        strict: whether what only the documentation forbids is refused too: the order of media,
            placeholders that refer to nothing, clips as data URIs, fields nobody documents.
        link_s: how long the link of a film works.
        marked: replies say that they are simulated.
    """

    key: str = DEMO_KEY
    hosts: tuple[str, ...] = ()
    profile: Profile = Profile.CURRENT
    tokens_per_second: float = 60.0
    speed: float = 1.0
    proves: bool = False
    version: str = ""
    body_limit_bytes: int = 64 * MIB
    strict: bool = False
    link_s: float = 12 * 3600.0
    marked: bool = True

    @property
    def picture_link_s(self) -> float:
        """How long the link of a picture works: 24 h by its pages, where a film's works 12 h."""
        return 2 * self.link_s

    @property
    def rate_per_s(self) -> float:
        """Tokens per second after ``speed``; 0 means unlimited."""
        return self.tokens_per_second * self.speed
