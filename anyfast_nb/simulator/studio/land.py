"""The scene's ground: a sky, and ridges at three distances that pass at different speeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from anyfast_nb.simulator.studio.palette import Palette, mix
from anyfast_nb.simulator.studio.planes import Bytes, Planes, Words, blend, quartered, rest_of, yuv, yuv_of

if TYPE_CHECKING:
    import random

    from anyfast_nb.simulator.studio.words import Rgb, Theme

Floats = npt.NDArray[np.float32]

# Where the crest of each distance lies (share of the height), and how far it rises and falls.
FAR_CREST, MID_CREST, NEAR_CREST = 0.56, 0.655, 0.745
_SAND = (238, 206, 156)
_SKY_SCALE = 2  # the sky is drawn at half size: nothing in it is sharp
_SPEEDS = {"sky": 5.0, "mid": 16.0, "near": 42.0}  # pixels per second of a film 720 pixels high


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A ridge wider than the frame: rows of its crest, blended, and below them solid rows, copied."""

    top: int
    over: tuple[Words, Words, Words]
    rest: tuple[Words, Words]
    solid: tuple[Bytes, Bytes, Bytes]

    def lay(self, on: Planes, shift: float) -> None:
        """Lay it over a frame, moved to the left by some pixels."""
        for index, under in enumerate(on.all):
            half = 1 if index == 0 else 2
            left, width, top = int(shift) // half, under.shape[1], self.top // half
            over = self.over[index][:, left : left + width]
            rest = self.rest[min(index, 1)][:, left : left + width]
            below = top + over.shape[0]
            blend(under[top:below], over, rest, on.scratch[: over.size].reshape(over.shape))
            under[below:] = self.solid[index][:, left : left + width]


class Land:
    """Sky and ridges of one scene, drawn once, moved for every frame."""

    def __init__(self, theme: Theme, palette: Palette, width: int, height: int, seconds: float) -> None:
        self._scale = height / 720
        travel = {name: _even(speed * self._scale * seconds) + 4 for name, speed in _SPEEDS.items()}
        self._sky = _sky(theme, palette, width + travel["sky"], height)
        self._bands: dict[str, Band] = {}
        if theme.place != "none":
            for name, crest, rgb in (
                ("mid", MID_CREST, palette.mid),
                ("near", NEAR_CREST, palette.near),
            ):
                wide = width + travel[name]
                rise = _ridge(theme, name, wide, height)
                sandy = theme.beach and name == "near"
                colour = mix(rgb, _SAND, 0.55) if sandy else rgb
                edge = height * crest - rise
                self._bands[name] = _band(theme, palette, colour, edge, height=height, near=name == "near")

    def lay_sky(self, on: Planes, second: float) -> None:
        """The sky and what is farthest: covers the whole frame."""
        left = int(_SPEEDS["sky"] * self._scale * second)
        for index, (under, wide) in enumerate(zip(on.all, self._sky, strict=True)):
            at = left // (1 if index == 0 else 2)
            under[...] = wide[:, at : at + under.shape[1]]

    def lay_ridge(self, on: Planes, name: str, second: float) -> None:
        """One ridge, "mid" or "near"; open space has none."""
        if name in self._bands:
            self._bands[name].lay(on, _SPEEDS[name] * self._scale * second)


def _even(value: float) -> int:
    return 2 * math.ceil(value / 2)


# --- the sky ------------------------------------------------------------------------------------


def _sky(theme: Theme, palette: Palette, width: int, height: int) -> tuple[Bytes, Bytes, Bytes]:
    across, down = width // _SKY_SCALE, height // _SKY_SCALE
    at = np.linspace(0, 1, down, dtype=np.float32) / (1.0 if theme.place == "none" else FAR_CREST + 0.04)
    stops = (0.0, 0.55, 1.0)
    rows = np.stack([np.interp(at, stops, [rgb[c] for rgb in palette.sky]) for c in range(3)], axis=1)
    picture = np.empty((down, across, 3), np.float32)
    picture[...] = rows[:, None, :]
    chance = theme.chance("sky")
    _stars(picture, chance, 160 if theme.time in {"night", "space"} else 0)
    _light(picture, theme, palette, chance)
    if theme.place != "none":
        _far_ridge(picture, theme, palette)
    # A grain of less than one step keeps the gradients from showing as stripes.
    grain = np.random.default_rng(theme.seed).random((down, across, 1), dtype=np.float32)
    picture += grain - 0.5
    np.clip(picture, 0, 255, out=picture)
    return yuv_of(picture.astype(np.uint8), size=(_even(width), height))


def _stars(picture: Floats, chance: random.Random, count: int) -> None:
    down, across, _ = picture.shape
    for _ in range(count):
        y, x = int(chance.random() ** 1.4 * down * 0.9), chance.randrange(across - 1)
        size = 2 if chance.random() < 0.08 * down / 360 else 1
        picture[y : y + size, x : x + size] += chance.uniform(50, 190)


def _light(picture: Floats, theme: Theme, palette: Palette, chance: random.Random) -> None:
    """The sun, the moon or a planet, with its glow."""
    down, across, _ = picture.shape
    low = theme.time in {"sunset", "dawn", "dusk"}
    size = min(down, across) * (0.3 if theme.time == "space" else 0.1 if low else 0.075)
    centre_y = down * (0.46 if low else chance.uniform(0.17, 0.25))
    centre_x = min(across, down * 16 / 9) * (chance.uniform(0.56, 0.72) if low else chance.uniform(0.6, 0.78))
    if theme.time == "storm":
        size *= 0.01
    light = np.array(palette.light, np.float32)
    away = _distances(picture.shape, centre_y, centre_x)
    away *= np.float32(-1 / (size * (3.2 if low else 2.2)))
    np.exp(away, out=away)
    away *= np.float32(0.62 if low else 0.34)
    picture += (light - picture) * away[:, :, None]
    reach = int(size) + 2
    top, left = max(0, int(centre_y) - reach), max(0, int(centre_x) - reach)
    part = picture[top : int(centre_y) + reach, left : int(centre_x) + reach]
    _disc(part, theme, palette, size, (centre_y - top, centre_x - left))


def _distances(shape: tuple[int, ...], centre_y: float, centre_x: float) -> Floats:
    y = np.square(np.arange(shape[0], dtype=np.float32) - np.float32(centre_y))
    x = np.square(np.arange(shape[1], dtype=np.float32) - np.float32(centre_x))
    away: Floats = np.sqrt(y[:, None] + x[None, :])
    return away


def _disc(part: Floats, theme: Theme, palette: Palette, size: float, centre: tuple[float, float]) -> None:
    disc = np.clip(np.float32(size) - _distances(part.shape, *centre), 0, 1)[:, :, None]
    light = np.array(palette.light, np.float32)
    if theme.time == "space":  # a lit ball
        y, x = np.ogrid[: part.shape[0], : part.shape[1]]
        shade = np.clip(0.55 + 0.75 * (centre[1] - x + centre[0] - y) / (1.4 * size), 0.1, 1)[:, :, None]
        light = np.array(mix(palette.accent, palette.light, 0.3), np.float32) * shade.astype(np.float32)
    if theme.time == "night":  # a crescent: the night covers a part of the moon
        shadow = _distances(part.shape, centre[0] - size * 0.25, centre[1] - size * 0.5)
        disc = disc * (1 - 0.94 * np.clip(size * 0.92 - shadow, 0, 1)[:, :, None].astype(np.float32))
    part += (light - part) * disc * np.float32(0.96)


def _far_ridge(picture: Floats, theme: Theme, palette: Palette) -> None:
    down, across, _ = picture.shape
    crest = down * FAR_CREST - _ridge(theme, "far", across, down)
    top, bottom = max(0, int(crest.min()) - 1), math.ceil(down * (MID_CREST + 0.1))
    part, rows = picture[top:bottom], np.arange(top, min(bottom, down), dtype=np.float32)
    depth = np.clip(rows[:, None] + 0.5 - crest[None, :], 0, 1)
    fade = np.clip((rows / down - FAR_CREST + 0.15) / 0.3, 0, 1)[:, None] * np.float32(0.45)
    low = np.array(palette.sky[2], np.float32)
    colours = np.array(palette.far, np.float32) * (1 - fade) + low * fade
    part += (colours[:, None, :] - part) * depth[:, :, None]
    if theme.place == "mountain":  # snow on what rises highest
        at = np.arange(across, dtype=np.float32) * np.float32(360 / down)
        wave = 4 * np.sin(at / 3.1) + 3 * np.sin(at)
        line = (down * (FAR_CREST - 0.115) + wave * down / 360).astype(np.float32)
        white = depth * np.clip(line[None, :] - rows[:, None], 0, 1) * np.float32(0.75)
        part += (np.array((246, 248, 252), np.float32) - part) * white[:, :, None]


# --- the ridges ---------------------------------------------------------------------------------


def _ridge(theme: Theme, name: str, width: int, height: int) -> Floats:
    """How many pixels the land rises above its crest line, for each column."""
    chance = theme.chance(f"ridge {name}")
    x: Floats = np.arange(width, dtype=np.float32) / np.float32(height)
    shape = _SHAPES.get(theme.place, _hills)
    rise: Floats = shape(x, chance, name) * np.float32(height)
    return rise


def _hills(x: Floats, chance: random.Random, name: str) -> Floats:
    size = {"far": 0.045, "mid": 0.032, "near": 0.022}[name]
    return _waves(x, chance, size, (0.9, 1.7, 3.3))


def _dunes(x: Floats, chance: random.Random, name: str) -> Floats:
    size = {"far": 0.03, "mid": 0.045, "near": 0.03}[name]
    crests: Floats = np.abs(_waves(x, chance, size * 1.6, (0.7, 1.1))) - np.float32(size)
    return crests


def _sea(x: Floats, chance: random.Random, name: str) -> Floats:
    if name == "far":
        return np.zeros_like(x)
    size = {"mid": 0.004, "near": 0.008}[name]
    return _waves(x, chance, size, (3.0, 5.0, 9.0))


def _mountains(x: Floats, chance: random.Random, name: str) -> Floats:
    if name == "near":
        return _hills(x, chance, name)
    size = {"far": 0.3, "mid": 0.11}[name]
    slopes = np.zeros_like(x)
    for pitch, share in ((0.62, 0.62), (0.29, 0.26), (0.11, 0.12)):
        phase = chance.random()
        slopes += share * (1 - 2 * np.abs((x / pitch + phase) % 1 - 0.5)).astype(np.float32)
    return size * (slopes - 0.3)


def _city(x: Floats, chance: random.Random, name: str) -> Floats:
    if name == "near":
        return _waves(x, chance, 0.004, (1.0,))
    rise, size = np.zeros_like(x), {"far": 0.26, "mid": 0.2}[name]
    at = 0.0
    while at < x[-1]:
        wide = chance.uniform(0.04, 0.1)
        tall = size * chance.random() ** 1.5 + 0.02
        rise[(x >= at) & (x < at + wide)] = tall
        if chance.random() < 0.2:  # an antenna
            rise[(x >= at + wide / 2) & (x < at + wide / 2 + 0.004)] = tall + 0.04
        at += wide + (chance.uniform(0, 0.03) if name == "mid" else 0)
    return rise


def _forest(x: Floats, chance: random.Random, name: str) -> Floats:
    if name == "near":
        return _hills(x, chance, name)
    rise, size = _hills(x, chance, name), {"far": 0.05, "mid": 0.16}[name]
    tops = np.zeros_like(x)
    at = -0.05
    while at < x[-1]:
        tall = size * chance.uniform(0.45, 1.0)
        away = np.abs(x - at)
        drop = away * 3.4 + 0.012 * ((away * 3.4 / 0.028) % 1)  # branches in steps
        tops = np.maximum(tops, tall - drop)
        at += chance.uniform(0.012, 0.045)
    return np.asarray(rise + tops, np.float32)


def _waves(x: Floats, chance: random.Random, size: float, rates: tuple[float, ...]) -> Floats:
    total = np.zeros_like(x)
    for number, rate in enumerate(rates):
        turn = chance.uniform(0, 2 * math.pi)
        total += np.sin(x * (rate * chance.uniform(0.85, 1.15) * 2 * math.pi) + turn) / (number + 1)
    return size * total


_SHAPES = {"sea": _sea, "mountain": _mountains, "city": _city, "forest": _forest, "desert": _dunes}


def _band(theme: Theme, palette: Palette, rgb: Rgb, edge: Floats, *, height: int, near: bool) -> Band:
    """A ridge with its edge at these rows."""
    top = max(0, int(edge.min()) // 2 * 2 - 2)
    below = min(height, _even(float(edge.max())) + 2)
    rows = np.arange(top, height, dtype=np.float32)[:, None]
    weight = (np.clip(rows[: below - top] + 0.5 - edge[None, :], 0, 1) * 256).astype(np.uint16)
    weight = weight[:, : weight.shape[1] // 2 * 2]
    quarter = quartered(weight)
    solid = [np.empty((height - top, weight.shape[1]), np.uint8)]
    solid += [np.empty((plane // 2, weight.shape[1] // 2), np.uint8) for plane in (height - top,) * 2]
    lower = mix(rgb, mix(rgb, palette.sky[0], 0.5) if palette.near[0] > 200 else (0, 0, 0), 0.35)
    lower = lower if near else mix(rgb, palette.near, 0.55)
    for index, plane in enumerate(solid):
        ends = yuv(rgb)[index], yuv(lower)[index]
        plane[...] = np.linspace(*ends, plane.shape[0]).round().astype(np.uint8)[:, None]
    _details(theme, palette, solid, edge, top, near=near)
    weights = (weight, quarter, quarter)
    cut = [below - top, (below - top) // 2, (below - top) // 2]
    over = [plane[:rows_] * share for plane, rows_, share in zip(solid, cut, weights, strict=True)]
    rest = [plane[rows_:] for plane, rows_ in zip(solid, cut, strict=True)]
    return Band(
        top,
        (over[0], over[1], over[2]),
        (rest_of(weight), rest_of(quarter)),
        (rest[0], rest[1], rest[2]),
    )


def _details(
    theme: Theme, palette: Palette, solid: list[Bytes], edge: Floats, top: int, *, near: bool
) -> None:
    """Lit windows of a city, glints on water."""
    chance = theme.chance(f"details {near}")
    rows, columns = solid[0].shape
    unit = max(2, (rows + top) // 360 * 2)
    if theme.place == "city" and not near:
        window = yuv((255, 222, 140) if palette.dark or theme.time in {"dusk", "sunset"} else (214, 228, 238))
        for x in range(unit * 2, columns - unit * 2, unit * 5):
            for y in range(int(edge[x]) // 2 * 2 + unit * 3 - top, rows - unit * 2, unit * 6):
                if chance.random() < 0.4 and edge[x + unit * 2] <= y + top:
                    _fill(solid, x, y, size=(unit * 2, unit * 2), colour=window)
    if theme.place == "sea" and not (near and theme.beach):
        glint = yuv(mix(palette.near if near else palette.mid, palette.light, 0.42))
        for _ in range(columns * rows // (3600 * unit)):
            deep = chance.random() ** 1.5
            y, x = int(deep * (rows - 4)), chance.randrange(columns)
            _fill(solid, x, y, size=(unit * chance.randrange(6, 26), max(2, unit // 4 * 2)), colour=glint)


def _fill(solid: list[Bytes], x: int, y: int, *, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    width, height = size
    for index, plane in enumerate(solid):
        half = 1 if index == 0 else 2
        plane[y // half : (y + height) // half, x // half : (x + width) // half] = colour[index]
