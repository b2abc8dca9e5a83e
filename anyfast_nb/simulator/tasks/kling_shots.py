"""The rules of Kling's films of several shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.problems import bad_field

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

MOST_SHOTS = 6
MOST_CHARACTERS = 512


def read_shots(body: Body, duration_s: int) -> tuple[str, ...] | None:
    """The prompts of the shots; None for a film of one.

    Raises:
        Refusal: 400.
    """
    shots = fields.items(body, "multi_prompt")
    if not fields.boolean(body, "multi_shot"):
        if shots:
            raise bad_field("multi_prompt", "needs multi_shot: true")
        return None
    kind = fields.choice(body, "shot_type", ("customize", "intelligence"))
    if kind == "intelligence":
        return None  # the prompt itself is cut into shots
    if not shots or len(shots) > MOST_SHOTS:
        raise bad_field("multi_prompt", f"must hold 1 to {MOST_SHOTS} shots", got=len(shots or []))
    prompts, total = [], 0
    for index, shot in enumerate(shots):
        path = f"multi_prompt[{index}]"
        prompt = fields.needed_string(shot, "prompt", path=path)
        if len(prompt) > MOST_CHARACTERS:
            raise bad_field(
                f"{path}.prompt", f"must be at most {MOST_CHARACTERS} characters", got=len(prompt)
            )
        total += _seconds(shot, path)
        prompts.append(prompt)
    if total != duration_s:
        raise bad_field("multi_prompt", f"must last {duration_s} s in all, as duration says", got=total)
    return tuple(prompts)


def _seconds(shot: Body, path: str) -> int:
    text = fields.needed_string(shot, "duration", path=path)
    if not text.isdecimal() or int(text) < 1:
        raise bad_field(f"{path}.duration", "must be whole seconds as a string", got=text)
    return int(text)
