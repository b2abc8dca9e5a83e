"""What a storyboard is made of: shots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anyfast_nb.errors import InputError


@dataclass(frozen=True, slots=True, init=False)
class Shot:
    """One shot of a storyboard.

    Attributes:
        prompt: what happens.
        cut: it begins anew, and not with the last frame of the shot before.
        take: another number makes another film of the same wish.
        options: arguments for this shot alone; they outweigh those of the storyboard.
    """

    prompt: str
    cut: bool
    take: int
    options: Mapping[str, Any]

    def __init__(self, prompt: str, *, cut: bool = False, take: int = 1, **options: Any) -> None:
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "cut", cut)
        object.__setattr__(self, "take", take)
        object.__setattr__(self, "options", options)


def read_shots(shots: Any) -> tuple[Shot, ...]:
    """A list of prompts and shots as shots.

    Raises:
        InputError: it is none.
    """
    if isinstance(shots, str) or not isinstance(shots, Sequence) or not shots:
        raise InputError(
            "shots must be a list of prompts, or of Shot objects, with one at least",
            field="shots",
            hint='Write ["A cat sits down", "It plays the piano"].',
        )
    return tuple(shot if isinstance(shot, Shot) else Shot(shot) for shot in shots)
