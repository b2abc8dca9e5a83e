"""Names for the colours of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator.looking.views import Colour

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Rgb = tuple[int, int, int]

PALETTE: dict[str, Rgb] = {
    "black": (0, 0, 0),
    "dark grey": (64, 64, 64),
    "grey": (128, 128, 128),
    "light grey": (200, 200, 200),
    "white": (255, 255, 255),
    "red": (225, 25, 25),
    "dark red": (128, 0, 0),
    "orange": (255, 140, 0),
    "brown": (130, 75, 30),
    "beige": (240, 220, 180),
    "yellow": (250, 225, 30),
    "olive": (128, 128, 0),
    "lime": (140, 240, 50),
    "green": (20, 150, 30),
    "dark green": (0, 80, 0),
    "teal": (0, 128, 128),
    "cyan": (0, 230, 240),
    "sky blue": (120, 190, 245),
    "blue": (20, 50, 230),
    "navy": (0, 0, 110),
    "purple": (128, 0, 160),
    "violet": (150, 90, 230),
    "magenta": (240, 20, 230),
    "pink": (255, 160, 190),
}
CHINESE: dict[str, str] = {
    "black": "黑色",
    "dark grey": "深灰色",
    "grey": "灰色",
    "light grey": "浅灰色",
    "white": "白色",
    "red": "红色",
    "dark red": "深红色",
    "orange": "橙色",
    "brown": "棕色",
    "beige": "米色",
    "yellow": "黄色",
    "olive": "橄榄色",
    "lime": "黄绿色",
    "green": "绿色",
    "dark green": "深绿色",
    "teal": "蓝绿色",
    "cyan": "青色",
    "sky blue": "天蓝色",
    "blue": "蓝色",
    "navy": "海军蓝",
    "purple": "紫色",
    "violet": "紫罗兰色",
    "magenta": "品红色",
    "pink": "粉色",
}
# Pictures are counted on a small copy: the shares stay right to about a percent.
_SIDE = 48
_LEAST_SHARE = 0.05


def name_of(rgb: Rgb) -> str:
    """The nearest colour name; green weighs most, as in the eye."""
    return min(PALETTE, key=lambda name: _distance(PALETTE[name], rgb))


def main_colours(image: Picture, *, most: int = 4) -> tuple[Colour, ...]:
    """The largest named colours of a picture, transparent areas seen on white."""
    pixels = _pixels(image)
    names = {rgb: name_of(rgb) for rgb in set(pixels)}
    groups: dict[str, list[Rgb]] = {}
    for rgb in pixels:
        groups.setdefault(names[rgb], []).append(rgb)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:most]
    found = tuple(Colour(name, len(members) / len(pixels), _mean_hex(members)) for name, members in ranked)
    return tuple(colour for index, colour in enumerate(found) if index == 0 or colour.share >= _LEAST_SHARE)


def halves(image: Picture) -> tuple[str, ...]:
    """Main colour of the left, right, top and bottom half; () when all are alike."""
    width, height = image.size
    if width < 2 or height < 2:
        return ()
    boxes = (
        (0, 0, width // 2, height),
        (width // 2, 0, width, height),
        (0, 0, width, height // 2),
        (0, height // 2, width, height),
    )
    names = tuple(main_colours(image.crop(box), most=1)[0].name for box in boxes)
    return names if len(set(names)) > 1 else ()


def small_rgb(image: Picture) -> Picture:
    """A small RGB copy on white."""
    from PIL import Image

    image.thumbnail((256, 256))
    if image.mode in {"P", "LA", "RGBA", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")


def _pixels(image: Picture) -> list[Rgb]:
    from PIL import Image

    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    data = small.tobytes()
    return list(zip(data[0::3], data[1::3], data[2::3], strict=True))


def _mean_hex(members: list[Rgb]) -> str:
    mean = (sum(channel) // len(members) for channel in zip(*members, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mean)


def _distance(a: Rgb, b: Rgb) -> int:
    return 3 * (a[0] - b[0]) ** 2 + 4 * (a[1] - b[1]) ** 2 + 2 * (a[2] - b[2]) ** 2
