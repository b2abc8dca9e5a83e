"""The figures of a scene: small drawings in a square of 100 by 100, each with a movement.

A drawing gets its pen and a phase from 0 to 1 and draws one moment of a cycle. y grows downwards;
what stands has its feet at y = 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from anyfast_nb.simulator.studio.palette import Palette, mix

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from anyfast_nb.simulator.studio.words import Rgb

_FINER = 2  # drawn at twice the size and reduced: smooth edges
_WHITE = (248, 246, 240)


class Pen:
    """Draws in units of a square of 100 by 100, whatever its pixels."""

    def __init__(self, size: int, palette: Palette) -> None:
        self._unit = size * _FINER / 100
        self.ink, self.accent = palette.ink, palette.accent
        self.light = palette.light
        self.soft = mix(palette.ink, palette.accent, 0.35)
        side = size * _FINER
        self._picture = Image.new("RGBA", (side, side), (*self.ink, 0))
        self._draw = ImageDraw.Draw(self._picture)

    def disc(
        self, x: float, y: float, rx: float, ry: float | None = None, *, fill: Rgb | None = None
    ) -> None:
        """An ellipse around a centre."""
        ry = rx if ry is None else ry
        self._draw.ellipse(self._box(x - rx, y - ry, x + rx, y + ry), fill=fill or self.ink)

    def shape(self, *points: tuple[float, float], fill: Rgb | None = None) -> None:
        """A polygon."""
        self._draw.polygon([self._at(*point) for point in points], fill=fill or self.ink)

    def bar(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        *,
        round: float = 0,
        fill: Rgb | None = None,
    ) -> None:
        """A rectangle, with round corners if wished."""
        self._draw.rounded_rectangle(
            self._box(left, top, right, bottom), radius=round * self._unit, fill=fill or self.ink
        )

    def line(self, *points: tuple[float, float], width: float = 4, fill: Rgb | None = None) -> None:
        """A line with round ends."""
        colour = fill or self.ink
        self._draw.line(
            [self._at(*point) for point in points],
            fill=colour,
            width=max(1, int(width * self._unit)),
            joint="curve",
        )
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, fill=colour)

    def done(self) -> Picture:
        """What was drawn."""
        return self._picture.reduce(_FINER)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self._unit, y * self._unit

    def _box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return (*self._at(left, top), *self._at(right, bottom))


Drawing = Callable[[Pen, float], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is drawn and where it belongs.

    Attributes:
        draw: one moment of it.
        flies: in the air, else on the ground.
        pace: how far it goes, in its own widths per second.
        size: relative to others.
        poses: moments of a cycle; 1 for what does not move by itself.
        cycle_s: seconds of a cycle.
    """

    draw: Drawing
    flies: bool = False
    pace: float = 0.0
    size: float = 1.0
    poses: int = 8
    cycle_s: float = 1.0


def poses(figure: Figure, size: int, palette: Palette) -> list[Picture]:
    """Every moment of a figure's cycle, as RGBA pictures of ``size`` pixels."""
    drawn = []
    for number in range(figure.poses):
        pen = Pen(size, palette)
        figure.draw(pen, number / figure.poses)
        drawn.append(pen.done())
    return drawn


def _swing(phase: float, size: float = 1.0, shift: float = 0.0) -> float:
    return size * math.sin(2 * math.pi * (phase + shift))


def _legs(pen: Pen, phase: float, hips: Sequence[float], *, top: float, length: float, width: float) -> None:
    for number, x in enumerate(hips):
        step = _swing(phase, 5.5, number * 0.5 + (0.25 if number > 1 else 0))
        lift = max(0.0, _swing(phase, 3, number * 0.5 + 0.25))
        pen.line((x, top), (x + step * 0.4, top + length / 2), (x + step, top + length - lift), width=width)


# --- on the ground ------------------------------------------------------------------------------


def _cat(pen: Pen, phase: float) -> None:
    bob = _swing(phase, 0.8, 0.1)
    tail = [(24 - 3.2 * n, 62 - 7 * n + bob + _swing(phase, 0.6 * n, -0.1 * n)) for n in range(6)]
    pen.line(*tail, width=5)
    _legs(pen, phase, (30, 36, 62, 68), top=70, length=27, width=6)
    pen.disc(48, 66 + bob, 26, 13)
    pen.disc(74, 50 + bob, 13.5, 12.5)
    pen.shape((62, 47 + bob), (64, 30 + bob), (73, 40 + bob))
    pen.shape((75, 40 + bob), (85, 30 + bob), (86, 48 + bob))
    pen.line((64, 60 + bob), (72, 63 + bob), width=5, fill=pen.accent)
    pen.disc(79, 49 + bob, 1.9, 2.4, fill=pen.light)


def _dog(pen: Pen, phase: float) -> None:
    bob = _swing(phase, 1.0, 0.1)
    pen.line((24, 58 + bob), (14, 46 + bob + _swing(phase, 6)), width=5)
    _legs(pen, phase, (30, 36, 62, 68), top=68, length=29, width=7)
    pen.bar(22, 52 + bob, 74, 76 + bob, round=12)
    pen.shape((62, 60 + bob), (68, 36 + bob), (82, 44 + bob), (76, 68 + bob))
    pen.disc(76, 40 + bob, 13, 11)
    pen.bar(78, 38 + bob, 97, 49 + bob, round=5)
    pen.disc(96, 41 + bob, 2.6)
    pen.shape((66, 31 + bob), (76, 33 + bob), (68, 56 + bob + _swing(phase, 1.5)), fill=pen.soft)
    pen.line((66, 58 + bob), (79, 57 + bob), width=4.5, fill=pen.accent)
    pen.disc(80, 37 + bob, 1.8, fill=pen.light)


def _person(pen: Pen, phase: float) -> None:
    bob = abs(_swing(phase, 1.4))
    step = _swing(phase, 9)
    pen.line((50, 62 - bob), (50 - step * 0.6, 79), (50 - step - 2, 97), width=6.5)
    pen.line((50, 62 - bob), (50 + step * 0.6 + 1, 79), (50 + step, 97), width=6.5)
    pen.line((48, 37 - bob), (46 + step * 0.7, 50), (48 + step, 60), width=5)
    pen.shape((41, 34 - bob), (59, 34 - bob), (57, 64 - bob), (43, 64 - bob), fill=pen.accent)
    pen.disc(50, 35 - bob, 9, 5, fill=pen.accent)
    pen.line((52, 37 - bob), (55 - step * 0.7, 50), (54 - step, 60), width=5)
    pen.disc(51, 20 - bob, 9, 10)
    pen.line((45, 32 - bob), (36, 37 + _swing(phase, 2.5)), width=3.4, fill=pen.accent)


def _car(pen: Pen, phase: float) -> None:
    bob = _swing(phase, 0.5)
    pen.bar(4, 66 + bob, 96, 88 + bob, round=7, fill=pen.accent)
    pen.shape(
        (20, 68 + bob), (32, 48 + bob), (68, 48 + bob), (82, 68 + bob), fill=mix(pen.accent, (0, 0, 0), 0.15)
    )
    pen.shape((27, 66 + bob), (35, 52 + bob), (49, 52 + bob), (49, 66 + bob), fill=_WHITE)
    pen.shape((53, 66 + bob), (53, 52 + bob), (66, 52 + bob), (75, 66 + bob), fill=_WHITE)
    pen.disc(93, 75 + bob, 3, fill=pen.light)
    for x in (25, 75):
        pen.disc(x, 88, 11, fill=(32, 33, 40))
        pen.disc(x, 88, 5, fill=(190, 194, 202))
        turn = 2 * math.pi * phase / 2
        for spoke in (0, math.pi / 2):
            dx, dy = 4.4 * math.cos(turn + spoke), 4.4 * math.sin(turn + spoke)
            pen.line((x - dx, 88 - dy), (x + dx, 88 + dy), width=1.4, fill=(90, 94, 104))


def _flower(pen: Pen, phase: float) -> None:
    for x, height, size in ((50, 66, 1.0), (26, 44, 0.72), (74, 50, 0.8)):
        sway = _swing(phase, 2.5 * size, x / 100)
        top = 100 - height
        pen.line(
            (x, 99), (x + sway * 0.4, 100 - height * 0.5), (x + sway, top), width=2.6, fill=(62, 128, 76)
        )
        pen.disc(x + 6 * size, 84, 7 * size, 3 * size, fill=(76, 146, 88))
        for petal in range(8):
            turn = math.pi * petal / 4
            px, py = x + sway + 9.5 * size * math.cos(turn), top + 9.5 * size * math.sin(turn)
            pen.disc(px, py, 6 * size, fill=pen.accent if petal % 2 else mix(pen.accent, _WHITE, 0.18))
        pen.disc(x + sway, top, 6 * size, fill=(250, 206, 84))


def _tree(pen: Pen, phase: float) -> None:
    sway = _swing(phase, 1.2)
    pen.shape((44, 100), (47, 58), (53, 58), (56, 100), fill=(96, 68, 52))
    for x, y, r in ((34, 52, 19), (66, 52, 19), (50, 60, 18), (42, 32, 19), (60, 32, 19), (50, 20, 15)):
        shade = (60, 126, 82) if (x + y) % 4 else (72, 142, 92)
        pen.disc(x + sway * (70 - y) / 40, y, r, fill=shade)
    for x, y in ((38, 44), (62, 38), (50, 24), (68, 56), (30, 58)):
        pen.disc(x + sway * (70 - y) / 40, y, 2.8, fill=pen.accent)


def _house(pen: Pen, phase: float) -> None:
    pen.bar(18, 52, 82, 100, fill=mix(_WHITE, pen.ink, 0.12))
    pen.bar(66, 22, 75, 46, fill=pen.soft)
    pen.shape((10, 55), (50, 20), (90, 55), fill=pen.accent)
    pen.bar(42, 70, 58, 100, round=2, fill=pen.soft)
    for x in (25, 64):
        pen.bar(x, 62, x + 12, 76, round=1.5, fill=(255, 220, 140))
    for puff in range(3):
        age = (phase + puff / 3) % 1
        pen.disc(70 + 8 * age, 20 - 17 * age, 2.5 + 3 * age, fill=mix(_WHITE, pen.light, 0.5))


def _robot(pen: Pen, phase: float) -> None:
    bob = _swing(phase, 1.2)
    metal, dark = (178, 190, 204), (96, 108, 124)
    for x, shift in ((40, 0.0), (60, 0.5)):
        pen.line((x, 78), (x, 96 - max(0.0, _swing(phase, 4, shift))), width=8, fill=dark)
    pen.line((27, 54 + bob), (18, 66 + _swing(phase, 6)), width=6, fill=dark)
    pen.line((73, 54 + bob), (84, 44 - _swing(phase, 8)), width=6, fill=dark)
    pen.bar(28, 46 + bob, 72, 82 + bob, round=6, fill=metal)
    pen.bar(38, 54 + bob, 62, 70 + bob, round=3, fill=pen.accent)
    pen.line((50, 18 + bob), (50, 8 + bob), width=2.5, fill=dark)
    pen.disc(50, 7 + bob, 3.5, fill=pen.accent if phase < 0.5 else pen.light)
    pen.bar(30, 17 + bob, 70, 43 + bob, round=8, fill=metal)
    for x in (41, 59):
        pen.disc(x, 29 + bob, 4.6, fill=(30, 34, 44))
        pen.disc(x + 1, 28 + bob, 1.8, fill=(120, 226, 240))


def _cup(pen: Pen, phase: float) -> None:
    for x, shift in ((38, 0.0), (50, 0.35), (62, 0.7)):
        points = [(x + _swing(phase, 2.5, shift + n / 6), 44 - 5.5 * n) for n in range(6)]
        pen.line(*points, width=3, fill=mix(_WHITE, pen.light, 0.4))
    pen.disc(76, 68, 13, fill=pen.accent)
    pen.disc(76, 68, 7.5, fill=mix(pen.accent, (0, 0, 0), 0.45))
    pen.bar(24, 50, 76, 94, round=13, fill=pen.accent)
    pen.bar(24, 50, 76, 62, round=5, fill=pen.accent)
    pen.disc(50, 51, 26, 4.6, fill=(92, 58, 40))
    pen.disc(50, 96, 38, 4, fill=mix(_WHITE, pen.ink, 0.12))


# --- on the water and in the air ------------------------------------------------------------------


def _boat(pen: Pen, phase: float) -> None:
    tilt = _swing(phase, 1.6)
    mast = 50 + tilt * 1.5
    pen.shape((mast + 2, 10), (mast + 2, 74), (86 + tilt, 74), fill=pen.accent)
    pen.shape((mast - 2, 20), (mast - 2, 74), (22 + tilt, 74), fill=_WHITE)
    pen.line((mast, 8), (50, 82), width=2.4, fill=(110, 78, 56))
    pen.shape((10, 78 + tilt), (92, 78 - tilt), (78, 98), (26, 98), fill=pen.ink)
    pen.line((13, 82 + tilt), (89, 82 - tilt), width=2.2, fill=pen.light)


def _fish(pen: Pen, phase: float) -> None:
    tail = _swing(phase, 9)
    pen.shape((28, 50), (6, 36 + tail), (12, 50 + tail * 0.6), (6, 64 + tail), fill=pen.accent)
    pen.shape((44, 36), (58, 18), (70, 38), fill=mix(pen.accent, _WHITE, 0.25))
    pen.disc(55, 50, 34, 19, fill=pen.accent)
    for x in (36, 48, 60):
        pen.disc(x, 50, 4, 17 - abs(x - 52) / 3, fill=mix(pen.accent, _WHITE, 0.3))
    pen.shape((52, 54), (44, 68 - tail * 0.4), (60, 60), fill=mix(pen.accent, _WHITE, 0.25))
    pen.disc(79, 46, 3.6, fill=_WHITE)
    pen.disc(80, 46, 1.9, fill=(24, 26, 34))


def _bird(pen: Pen, phase: float) -> None:
    for x, y, size, shift in ((56, 56, 1.0, 0.0), (24, 34, 0.55, 0.3), (20, 74, 0.42, 0.6)):
        up = _swing(phase, 15 * size, shift)
        wide, thick = 30 * size, 7.5 * size
        for side in (-1, 1):
            pen.shape(
                (x - 5 * size * side, y + thick * 0.5), (x, y - thick * 0.5),
                (x + side * wide * 0.5, y - up - thick * 0.5), (x + side * wide, y - up * 0.35),
                (x + side * wide * 0.5, y - up + thick * 0.7),
            )  # fmt: skip
        pen.disc(x, y + 1 * size, 9 * size, 5.5 * size)
        pen.disc(x + 9 * size, y - 1.5 * size, 4.2 * size)
        pen.shape(
            (x + 12 * size, y - 3 * size), (x + 18 * size, y - 1 * size), (x + 12 * size, y), fill=pen.accent
        )


def _balloon(pen: Pen, phase: float) -> None:
    sway = _swing(phase, 1.5)
    pen.line((38, 58), (44 + sway, 84), width=1.4)
    pen.line((62, 58), (56 + sway, 84), width=1.4)
    pen.shape((22, 48), (78, 48), (58, 72), (42, 72), fill=pen.accent)
    pen.disc(50, 34, 31, fill=pen.accent)
    pen.disc(50, 34, 19, 31, fill=mix(pen.accent, _WHITE, 0.5))
    pen.shape((33, 48), (67, 48), (54, 72), (46, 72), fill=mix(pen.accent, _WHITE, 0.5))
    pen.disc(50, 34, 7.5, 31, fill=pen.accent)
    pen.shape((43.5, 50), (56.5, 50), (52, 72), (48, 72), fill=pen.accent)
    pen.bar(43 + sway, 83, 57 + sway, 95, round=2.5, fill=(124, 86, 58))


def _butterfly(pen: Pen, phase: float) -> None:
    spread = 0.45 + 0.55 * abs(_swing(phase, 1.0))
    for side in (-1, 1):
        pen.disc(50 + side * 21 * spread, 36, 20 * spread, 19, fill=pen.accent)
        pen.disc(50 + side * 16 * spread, 65, 14 * spread, 15, fill=mix(pen.accent, pen.ink, 0.25))
        pen.disc(50 + side * 24 * spread, 34, 7 * spread, 8, fill=pen.light)
        pen.line((50, 28), (50 + side * 8, 14), width=1.8)
    pen.disc(50, 50, 4, 24)


def _rocket(pen: Pen, phase: float) -> None:
    flame = 1 + _swing(phase, 0.22)
    pen.shape((42, 76), (58, 76), (50, 78 + 20 * flame), fill=(250, 170, 60))
    pen.shape((46, 76), (54, 76), (50, 78 + 11 * flame), fill=(255, 236, 160))
    pen.shape((38, 54), (24, 78), (40, 72), fill=pen.accent)
    pen.shape((62, 54), (76, 78), (60, 72), fill=pen.accent)
    pen.bar(37, 32, 63, 77, round=10, fill=_WHITE)
    pen.shape((37, 40), (42, 20), (50, 6), (58, 20), (63, 40), fill=_WHITE)
    pen.shape((41.5, 22), (50, 6), (58.5, 22), fill=pen.accent)
    pen.disc(50, 42, 7.5, fill=pen.ink)
    pen.disc(50, 42, 5, fill=(126, 200, 230))


FIGURES: dict[str, Figure] = {
    "cat": Figure(_cat, pace=0.14),
    "dog": Figure(_dog, pace=0.16, cycle_s=0.8),
    "person": Figure(_person, pace=0.12, size=1.1, poses=12),
    "car": Figure(_car, pace=0.3, size=1.05, poses=6, cycle_s=0.5),
    "flower": Figure(_flower, cycle_s=2.4),
    "tree": Figure(_tree, size=1.35, cycle_s=3.0, poses=6),
    "house": Figure(_house, size=1.15, cycle_s=2.4, poses=10),
    "robot": Figure(_robot, pace=0.08),
    "cup": Figure(_cup, size=0.9, cycle_s=2.0),
    "boat": Figure(_boat, pace=0.12, size=1.15, cycle_s=2.4, poses=10),
    "fish": Figure(_fish, flies=True, pace=0.16, size=0.85),
    "bird": Figure(_bird, flies=True, pace=0.2, size=0.95, cycle_s=0.8),
    "balloon": Figure(_balloon, flies=True, pace=0.05, size=1.15, cycle_s=3.0, poses=6),
    "butterfly": Figure(_butterfly, flies=True, pace=0.1, size=0.75, cycle_s=0.7),
    "rocket": Figure(_rocket, flies=True, pace=0.02, size=1.1, poses=4, cycle_s=0.34),
}
