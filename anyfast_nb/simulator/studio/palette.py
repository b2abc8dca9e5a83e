"""The colours of a scene."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyfast_nb.simulator.studio.words import Rgb, Theme

_DARK_INK, _LIGHT_INK, _WARM = (30, 32, 48), (226, 230, 246), (232, 92, 74)
_ALL_INK = frozenset({"cat", "dog", "bird"})  # a red cat is red all over


@dataclass(frozen=True, slots=True)
class Palette:
    """Sky from top to horizon, three distances of land, the light, and the two colours of a figure."""

    sky: tuple[Rgb, Rgb, Rgb]
    far: Rgb
    mid: Rgb
    near: Rgb
    light: Rgb
    ink: Rgb
    accent: Rgb
    dark: bool


# time of day: sky top, middle, horizon; land far, mid, near; light
_TIMES: dict[str, tuple[Rgb, Rgb, Rgb, Rgb, Rgb, Rgb, Rgb]] = {
    "day": (
        (58, 124, 190), (138, 190, 228), (228, 239, 240), (150, 182, 202), (98, 152, 134), (48, 100, 86),
        (255, 246, 218),
    ),
    "dawn": (
        (94, 110, 170), (230, 168, 168), (255, 224, 192), (176, 150, 180), (118, 108, 150), (64, 62, 100),
        (255, 240, 214),
    ),
    "sunset": (
        (54, 42, 96), (212, 92, 94), (255, 190, 116), (156, 82, 106), (98, 50, 86), (46, 27, 58),
        (255, 228, 150),
    ),
    "dusk": (
        (38, 54, 100), (118, 112, 158), (240, 180, 152), (98, 98, 142), (62, 66, 108), (30, 33, 62),
        (255, 232, 196),
    ),
    "night": (
        (8, 12, 36), (22, 34, 80), (58, 74, 132), (34, 46, 92), (22, 31, 68), (10, 15, 36),
        (244, 242, 222),
    ),
    "ocean": (
        (28, 98, 160), (108, 182, 218), (218, 241, 242), (70, 150, 184), (36, 118, 160), (14, 76, 116),
        (255, 250, 226),
    ),
    "forest": (
        (92, 150, 152), (174, 208, 182), (234, 240, 206), (126, 166, 144), (64, 118, 88), (26, 64, 50),
        (255, 252, 224),
    ),
    "snow": (
        (112, 146, 184), (180, 204, 226), (238, 243, 248), (170, 190, 212), (206, 218, 232), (236, 241, 247),
        (255, 255, 246),
    ),
    "desert": (
        (72, 144, 190), (202, 206, 184), (250, 224, 172), (224, 180, 126), (206, 150, 92), (158, 100, 60),
        (255, 250, 220),
    ),
    "spring": (
        (122, 184, 226), (204, 224, 238), (253, 234, 232), (188, 210, 180), (138, 186, 122), (84, 144, 86),
        (255, 250, 230),
    ),
    "autumn": (
        (108, 140, 172), (222, 198, 164), (252, 230, 184), (208, 154, 102), (184, 106, 60), (110, 60, 40),
        (255, 244, 208),
    ),
    "storm": (
        (38, 46, 58), (82, 94, 110), (154, 164, 170), (82, 94, 106), (56, 68, 80), (30, 38, 48),
        (206, 214, 220),
    ),
    "space": (
        (4, 4, 16), (16, 12, 46), (52, 30, 92), (44, 30, 80), (30, 20, 58), (14, 10, 32),
        (240, 236, 255),
    ),
}  # fmt: skip


def palette_of(theme: Theme) -> Palette:
    """The colours of a theme: its time of day, slightly turned by its hash, tinted by a colour it names."""
    turn = theme.chance("hue").uniform(-0.02, 0.02)
    top, middle, low, far, mid, near, light = (_turned(rgb, turn) for rgb in _TIMES[theme.time])
    tint, accent = theme.colour, theme.colour or _WARM
    if tint and not theme.figures:  # with a figure the colour is the figure's
        top, middle, far = mix(top, tint, 0.5), mix(middle, tint, 0.6), mix(far, tint, 0.55)
        mid, near, low = mix(mid, tint, 0.5), mix(near, mix(tint, (0, 0, 0), 0.6), 0.55), mix(low, tint, 0.2)
    ink = _DARK_INK if brightness(mix(far, low, 0.5)) > 105 else _LIGHT_INK
    if tint and theme.figures and theme.figures[0] in _ALL_INK:
        ink, accent = tint, _WARM if abs(tint[0] - _WARM[0]) > 60 else (46, 124, 168)
    return Palette(
        sky=(top, middle, low),
        far=far,
        mid=mid,
        near=near,
        light=light,
        ink=ink,
        accent=accent,
        dark=brightness(middle) < 100,
    )


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """From one colour (0) to another (1)."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def brightness(rgb: Rgb) -> float:
    """0 to 255 as the eye sees it."""
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def _turned(rgb: Rgb, by: float) -> Rgb:
    hue, light, strength = colorsys.rgb_to_hls(*(channel / 255 for channel in rgb))
    red, green, blue = colorsys.hls_to_rgb((hue + by) % 1, light, strength)
    return round(red * 255), round(green * 255), round(blue * 255)
