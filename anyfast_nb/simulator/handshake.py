"""Proof that a server holds a key, without the key being sent to whoever listens on that port."""

from __future__ import annotations

import hashlib
import hmac

_LABEL = b"anyfast-sim-health:"


def proof(key: str, challenge: str) -> str:
    """What only a holder of the key can answer to a challenge."""
    return hmac.new(key.encode(), _LABEL + challenge.encode(), hashlib.sha256).hexdigest()


def proves(key: str, challenge: str, answer: str) -> bool:
    """Whether an answer to a challenge is right."""
    return hmac.compare_digest(proof(key, challenge).encode(), answer.encode("utf-8", "replace"))
