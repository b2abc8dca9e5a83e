"""The rules of Kling's camera movements and motion brushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.problems import bad_field

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

MOVES = ("simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward")
AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
FARTHEST = 10
MOST_MASKS = 6
FEWEST_POINTS, MOST_POINTS = 2, 77


def check_camera(body: Body) -> None:
    """Refuse a camera movement that is none.

    Raises:
        Refusal: 400.
    """
    camera = fields.mapping(body, "camera_control")
    if camera is None:
        return
    path = "camera_control"
    move = fields.choice(camera, "type", MOVES, path=path)
    config = fields.mapping(camera, "config", path=path)
    if move != "simple":
        if config:
            raise bad_field(f"{path}.config", "is allowed only with type: simple")
        return
    values = [
        fields.number(config or {}, axis, low=-FARTHEST, high=FARTHEST, path=f"{path}.config")
        for axis in AXES
    ]
    if sum(bool(value) for value in values) != 1:
        raise bad_field(f"{path}.config", "must have exactly one value that is not 0")


def check_masks(body: Body) -> None:
    """Refuse motion brushes beyond their number, or with too few or too many points.

    Raises:
        Refusal: 400.
    """
    masks = fields.items(body, "dynamic_masks") or []
    if len(masks) > MOST_MASKS:
        raise bad_field("dynamic_masks", f"must hold at most {MOST_MASKS} masks", got=len(masks))
    for index, mask in enumerate(masks):
        path = f"dynamic_masks[{index}]"
        fields.needed_string(mask, "mask", path=path)
        points = fields.items(mask, "trajectories", path=path) or []
        if not FEWEST_POINTS <= len(points) <= MOST_POINTS:
            raise bad_field(
                f"{path}.trajectories", f"must hold {FEWEST_POINTS} to {MOST_POINTS} points", got=len(points)
            )
