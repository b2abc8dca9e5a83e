"""From the words of a prompt to what the picture shows: time of day, place, weather, figures, colours.

English and Chinese words are known; whatever else is said decides the details by its hash.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Rgb = tuple[int, int, int]

# Each line: the idea, then the words for it. The first idea found wins where only one can be shown.
TIMES: dict[str, str] = {
    "space": "space galaxy planet universe cosmos astronaut orbit mars 太空 宇宙 星系 银河 火星 航天",
    "night": "night midnight moon moonlight moonlit stars starry dark 夜 月亮 月光 星空 夜晚 黑暗",
    "sunset": "sunset dusk evening twilight golden 日落 夕阳 黄昏 傍晚 晚霞",
    "dawn": "dawn sunrise morning daybreak 日出 黎明 清晨 早晨 朝霞",
    "storm": "storm rain rainy thunder stormy lightning 暴风 雨 雷 闪电",
    "snow": "snow snowy winter ice icy frozen snowfall 雪 冬 冰",
    "autumn": "autumn autumnal foliage 秋 落叶 枫",
    "spring": "spring blossom cherry meadow petals 春 樱花 草地",
    "day": "day noon sunny sun summer 白天 阳光 太阳 晴 夏",
}
PLACES: dict[str, str] = {
    "sea": "sea ocean beach wave waves coast island harbour harbor bay lake river underwater surf "
    "海 湖 河 海滩 波浪 岛 港",
    "city": "city street skyline skyscraper town building urban tokyo york shanghai london neon "
    "城市 街 高楼 都市 上海 北京",
    "forest": "forest woods jungle pine trees woodland bamboo 森林 树林 竹 丛林",
    "mountain": "mountain mountains peak alps summit hill cliff volcano glacier 山 峰 火山",
    "desert": "desert dune dunes sand sahara canyon 沙漠 沙丘 峡谷",
}
FIGURES: dict[str, str] = {
    "cat": "cat kitten kitty 猫",
    "dog": "dog puppy corgi hound 狗 犬",
    "bird": "bird birds seagull eagle crane swallow sparrow owl parrot 鸟 鹰 鹤 燕",
    "fish": "fish goldfish whale dolphin shark koi 鱼 鲸 海豚",
    "boat": "boat ship sail sailboat sailing yacht vessel 船 帆",
    "car": "car truck taxi vehicle driving bus 车",
    "person": "person man woman girl boy child children people dancer teacher student runner he she walker "
    "hiker friend king queen astronaut samurai 人 女孩 男孩 孩子 老师 学生 男子 女子 少女 舞者",
    "flower": "flower flowers rose tulip sunflower lotus daisy blossom 花 玫瑰 荷 向日葵",
    "tree": "tree oak willow 树",
    "house": "house home cottage cabin hut castle temple lighthouse 房 屋 小屋 城堡 寺",
    "balloon": "balloon balloons 气球",
    "butterfly": "butterfly butterflies moth bee 蝴蝶 蝶 蜜蜂",
    "rocket": "rocket spaceship spacecraft shuttle launch 火箭 飞船",
    "robot": "robot android machine droid 机器人",
    "cup": "cup coffee tea mug 杯 咖啡 茶",
}
FALLING: dict[str, str] = {
    "rain": "rain rainy storm stormy 雨",
    "snow": "snow snowy snowfall winter 雪",
    "petals": "petals cherry blossom autumn 樱花 落叶 花瓣",
    "fireflies": "firefly fireflies lantern lanterns magic magical dream sparkles 萤火虫 灯笼 梦 魔法",
}
COLOURS: dict[str, tuple[Rgb, str]] = {
    "red": ((214, 58, 52), "red crimson scarlet 红"),
    "orange": ((238, 134, 48), "orange 橙 橘"),
    "yellow": ((244, 202, 70), "yellow gold 黄 金色"),
    "green": ((72, 160, 92), "green emerald 绿 翠"),
    "teal": ((36, 150, 156), "teal turquoise cyan 青"),
    "blue": ((52, 110, 206), "blue azure 蓝"),
    "purple": ((134, 84, 184), "purple violet lavender 紫"),
    "pink": ((240, 140, 172), "pink magenta 粉"),
    "brown": ((134, 92, 60), "brown 棕 褐"),
    "white": ((244, 242, 236), "white silver 白 银色"),
    "black": ((34, 34, 40), "black 黑色"),
}
# What a place looks like when no time is said, and the calm choices when nothing is.
DEFAULT_TIME = {"city": "dusk", "desert": "desert", "forest": "forest", "sea": "ocean", "mountain": "day"}
CALM_TIMES = ("day", "dawn", "sunset", "forest", "spring", "dusk")
_BEACH, _AT_SEA = (
    "beach shore coast sand 海滩 沙滩 海边",
    frozenset({"boat", "fish", "bird", "balloon", "butterfly"}),
)
MOST_FIGURES = 2
_READ = 2000  # characters of a prompt that are looked at


@dataclass(frozen=True, slots=True)
class Theme:
    """What a prompt's words ask for.

    Attributes:
        time: name of a palette.
        place: name of a landscape.
        figures: names of figures, at most two.
        falling: what is in the air, "" if nothing.
        colour: a colour that was named, or None.
        beach: the nearest land of a sea is sand, for what cannot stand on water.
        seed: the hash everything else is chosen by.
    """

    time: str
    place: str
    figures: tuple[str, ...]
    falling: str
    colour: Rgb | None
    beach: bool
    seed: int

    def chance(self, purpose: str) -> random.Random:
        """The dice for one purpose: the same prompt and seed throw the same."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - a picture, no secret


def read_prompt(prompt: str, *, seed: int = 0) -> Theme:
    """The theme of a prompt; any text has one, the empty one too."""
    text = prompt[:_READ].lower()
    hashed = hashlib.sha256(f"{seed}\0{prompt}".encode("utf-8", "replace")).digest()
    number = int.from_bytes(hashed[:8], "big")
    words = _words(text)
    figures = tuple(_all(FIGURES, words, text))[:MOST_FIGURES]
    place = _first(PLACES, words, text) or ("sea" if {"boat", "fish"} & set(figures) else "")
    time = _first(TIMES, words, text) or DEFAULT_TIME.get(place) or CALM_TIMES[number % len(CALM_TIMES)]
    colours = [rgb for rgb, names in COLOURS.values() if _said(names, words, text)]
    return Theme(
        time=time,
        place=place or ("none" if time == "space" else "hills"),
        figures=figures,
        falling=_first(FALLING, words, text),
        colour=colours[0] if colours else None,
        beach=place == "sea" and (_said(_BEACH, words, text) or not set(figures) <= _AT_SEA),
        seed=number,
    )


def _words(text: str) -> frozenset[str]:
    words = set(re.findall(r"[a-z]+", text))
    return frozenset(words | {word.removesuffix("s") for word in words})


def _first(ideas: dict[str, str], words: frozenset[str], text: str) -> str:
    return next(iter(_all(ideas, words, text)), "")


def _all(ideas: dict[str, str], words: frozenset[str], text: str) -> Iterable[str]:
    return (idea for idea, names in ideas.items() if _said(names, words, text))


def _said(names: str, words: frozenset[str], text: str) -> bool:
    return any(name in words if name.isascii() else name in text for name in names.split())
