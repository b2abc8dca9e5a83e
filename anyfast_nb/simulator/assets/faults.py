"""Words in the Name of an asset or group that make the asset store behave in a chosen way.

    sim:asset-failed    is processed, then Failed, with an Error
    sim:asset-slow=60   is processed that many seconds longer (at speed 1)
    sim:asset-polls=3   the first 3 looks find it Processing, whatever --speed says
    sim:asset-lag=2     the first 2 looks do not find it, the first 2 films that refer to it say
                        "invalid url scheme"; in a group's Name the first 2 CreateAsset do not find the group
    sim:asset-200       create answers 200 with an error inside, and nothing is made
    sim:asset-envelope  create answers in the upstream's envelope, ResponseMetadata and Result

The words sim:429, sim:429x2/8, sim:503, sim:html and sim:echo-key work in a Name as in a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass

from anyfast_nb.simulator.triggers import WORD


@dataclass(frozen=True, slots=True)
class AssetFaults:
    """What the words of one Name ask for; the numbers are counts but for ``slow_s``."""

    failed: bool = False
    slow_s: float = 0.0
    polls: int = 0
    lag: int = 0
    ok_with_error: bool = False
    envelope: bool = False


def read_asset_faults(name: str) -> AssetFaults:
    """The faults a Name asks for."""
    words = {word: int(amount) if amount else None for word, amount, _ in WORD.findall(name)}
    return AssetFaults(
        failed="asset-failed" in words,
        slow_s=float(words.get("asset-slow") or 0),
        polls=words.get("asset-polls") or 0,
        lag=words.get("asset-lag") or 0,
        ok_with_error="asset-200" in words,
        envelope="asset-envelope" in words,
    )
