"""The moving scene a prompt asks for: land, clouds, figures, what falls, and where each is when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from anyfast_nb.simulator.studio.figures import FIGURES, Figure, poses
from anyfast_nb.simulator.studio.land import NEAR_CREST, Land
from anyfast_nb.simulator.studio.palette import Palette, mix, palette_of
from anyfast_nb.simulator.studio.planes import Bytes, Patch, Planes, patch_of, patches_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyfast_nb.simulator.studio.words import Rgb, Theme

_FIGURE_SIZE = 0.36  # of the shorter side
_LIFT = 0.02  # how deep feet stand below the crest, as a share of the height


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A figure in its scene: its poses, where its left top corner is at second 0, how fast it moves."""

    looks: tuple[Patch, ...]
    cycle_s: float
    x: float
    y: float
    dx: float
    bob: float
    flies: bool

    def lay(self, on: Planes, second: float) -> None:
        """At one moment."""
        look = self.looks[int(second / self.cycle_s * len(self.looks)) % len(self.looks)]
        swing = math.sin(2 * math.pi * second / (2.6 * max(1.0, self.cycle_s)))
        look.lay(on, self.x + self.dx * second, self.y + self.bob * swing)


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Something small that falls or floats across the frame, and comes back at the other side."""

    look: Bytes | Patch
    x: float
    y: float
    dx: float
    dy: float
    sway: float

    def lay(self, on: Planes, second: float) -> None:
        """At one moment; a look without colour only brightens."""
        tall, wide = (self.look.height, self.look.width) if isinstance(self.look, Patch) else self.look.shape
        x = (self.x + self.dx * second) % (on.width + wide) - wide
        x += self.sway * math.sin(second * 2 + self.x)
        y = (self.y + self.dy * second) % (on.height + tall) - tall
        if isinstance(self.look, Patch):
            self.look.lay(on, x, y)
            return
        left, top = int(x), int(y)
        area = on.y[max(0, top) : max(0, top + tall), max(0, left) : max(0, left + wide)]
        look = self.look[max(0, -top) :, max(0, -left) :][: area.shape[0], : area.shape[1]]
        np.maximum(area, look, out=area)


class Scene:
    """Everything that moves behind the text."""

    def __init__(self, theme: Theme, width: int, height: int, seconds: float) -> None:
        self.palette = palette_of(theme)
        self._theme = theme
        self._size = (width, height)
        self._land = Land(theme, self.palette, width, height, seconds)
        self._clouds = list(self._make_clouds())
        self._actors = list(self._make_actors(seconds))
        self._falling = list(_falling(theme, self.palette, width, height))

    def lay(self, on: Planes, second: float) -> None:
        """The whole scene at one moment: fills the frame."""
        self._land.lay_sky(on, second)
        for cloud in self._clouds:
            cloud.lay(on, second)
        self._land.lay_ridge(on, "mid", second)
        for actor in self._actors:
            if actor.flies:
                actor.lay(on, second)
        self._land.lay_ridge(on, "near", second)
        for actor in self._actors:
            if not actor.flies:
                actor.lay(on, second)
        for drift in self._falling:
            drift.lay(on, second)

    def _make_actors(self, seconds: float) -> Iterator[Actor]:
        names = self._theme.figures or (("balloon",) if self._theme.time not in {"storm", "space"} else ())
        names = names or (("rocket",) if self._theme.time == "space" else ("boat",))
        chance = self._theme.chance("figures")
        width, height = self._size
        for number, name in enumerate(names):
            figure = FIGURES[name]
            side = min(width, height) * _FIGURE_SIZE * figure.size * (1 if number == 0 else 0.86)
            side = max(8, round(side) // 2 * 2)
            looks = tuple(patches_of(poses(figure, side, self.palette)))
            speed = figure.pace * side
            middle = (0.36 if number == 0 else 0.68) + chance.uniform(-0.05, 0.05)
            x = width * middle - side / 2 - speed * min(seconds, 8) / 2
            yield Actor(
                looks,
                figure.cycle_s,
                max(width * 0.02, x),
                self._standing(figure, side, chance.uniform(-0.03, 0.03)),
                speed if x + speed * seconds < width - side * 0.9 else (width * 0.94 - side - x) / seconds,
                height * (0.016 if figure.flies else 0.006 if name == "boat" else 0),
                figure.flies,
            )

    def _standing(self, figure: Figure, side: int, shift: float) -> float:
        height = self._size[1]
        if figure.flies or self._theme.place == "none":
            return height * (0.36 + shift) - side / 2
        return height * (NEAR_CREST + _LIFT) - side

    def _make_clouds(self) -> Iterator[Drift]:
        theme, palette = self._theme, self.palette
        if theme.time in {"night", "space"}:
            return
        chance = theme.chance("clouds")
        width, height = self._size
        white = (
            mix(palette.sky[2], (255, 255, 255), 0.55)
            if theme.time != "storm"
            else mix(palette.sky[0], (0, 0, 0), 0.2)
        )
        for number in range(3):
            wide = max(10, round(height * chance.uniform(0.3, 0.5)) // 2 * 2)
            look = _cloud(wide, white, chance.uniform(0.5, 0.78))
            pace = height / 720 * (11 + 5 * number)
            x = width * (number + chance.random()) / 3 + wide * 0.5
            yield Drift(look, x, height * chance.uniform(0.1, 0.36), pace, 0, 0)


def _cloud(wide: int, rgb: Rgb, strength: float) -> Patch:
    tall = wide * 2 // 5
    mask = Image.new("L", (wide * 2, tall * 2), 0)
    draw, across, base = ImageDraw.Draw(mask), wide * 2, tall * 2 * 0.86
    for x, r in ((0.2, 0.13), (0.38, 0.2), (0.58, 0.26), (0.77, 0.15)):
        draw.ellipse(
            (across * (x - r / 1.6), base - across * r * 1.05, across * (x + r / 1.6), base), fill=255
        )
    draw.rounded_rectangle((across * 0.08, base - tall * 0.44, across * 0.9, base), tall * 0.22, fill=255)
    fade = np.linspace(1.0, 0.45, tall, dtype=np.float32)[:, None]
    alpha = (np.asarray(mask.reduce(2), np.float32) * fade * strength).astype(np.uint8)
    cloud = Image.new("RGBA", (wide, tall), (*rgb, 0))
    cloud.putalpha(Image.fromarray(alpha))
    return patch_of(cloud)


def _falling(theme: Theme, palette: Palette, width: int, height: int) -> Iterator[Drift]:
    if not theme.falling:
        return
    chance, unit = theme.chance("falling"), height / 720
    count = {"rain": 90, "snow": 70, "petals": 18, "fireflies": 34}[theme.falling]
    leaf = theme.time == "autumn"
    petals = (
        [_petal(round(size * unit), leaf=leaf) for size in (12, 16, 20)] if theme.falling == "petals" else []
    )
    for number in range(count):
        x, y, near = chance.random() * width, chance.random() * height, chance.uniform(0.5, 1.0)
        match theme.falling:
            case "rain":
                look = np.full(
                    (max(1, round(26 * unit * near)), max(1, round(1.6 * unit))), 170 + number % 40, np.uint8
                )
                yield Drift(look, x, y, -30 * unit, 900 * unit * near, 0)
            case "snow":
                yield Drift(_spot(round(7 * unit * near), 228), x, y, -14 * unit, 78 * unit * near, 7 * unit)
            case "fireflies":
                yield Drift(
                    _spot(round(11 * unit * near), 225), x, y, 10 * unit, -16 * unit * near, 16 * unit
                )
            case _:
                yield Drift(petals[number % 3], x, y, -34 * unit, 62 * unit * near, 12 * unit)


def _spot(side: int, brightest: int) -> Bytes:
    side = max(3, side)
    at = np.linspace(-1, 1, side)
    away = np.sqrt(at[:, None] ** 2 + at[None, :] ** 2)
    return np.asarray(np.clip(1.25 - away * 1.25, 0, 1) * brightest, np.uint8)


def _petal(side: int, *, leaf: bool) -> Patch:
    side = max(4, side // 2 * 2)
    petal = Image.new("RGBA", (side * 4, side * 4), (240, 170, 190, 0))
    fill = (222, 120, 48, 235) if leaf else (250, 186, 204, 235)
    ImageDraw.Draw(petal).ellipse((side * 0.3, side * 1.1, side * 3.7, side * 2.9), fill=fill)
    return patch_of(petal.rotate(32 + side * 7, resample=Image.Resampling.BILINEAR).reduce(4))
