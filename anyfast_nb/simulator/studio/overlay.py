"""What lies over a scene: the prompt in a lower third, cards of what was sent along, a mark, a clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from anyfast_nb.simulator.studio.inputs import ClipReader, Samples, open_picture, open_sound, thumbnail
from anyfast_nb.simulator.studio.lettering import Hand, letters
from anyfast_nb.simulator.studio.planes import WHITE, Bytes, Patch, Planes, patch_of, yuv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as Picture

    from anyfast_nb.simulator.studio.values import Clip, Sound, Still
    from anyfast_nb.simulator.studio.words import Rgb

MARK = "simulated"
CARDS_MOST = 16
_CLIP_LOOKS = 8
_MARK_ROOM = 150
_CARDS_SHARE, _CARD_RATIO = 0.4, 0.78  # of the height, for all of them; a card's height by its width
_CARD_BACK, _CARD_TEXT, _MISSING_TEXT = (250, 249, 245), (52, 54, 66), (96, 100, 116)


# --- the lower third ----------------------------------------------------------------------------


def lower_third(
    prompt: str, caption: str, width: int, height: int, *, covering: bool = False
) -> tuple[Patch, int]:
    """The prompt and a caption on a shade that grows darker downwards, and where its top lies.

    ``covering`` hides what is beneath: a clip that was made here has a lower third of its own.
    """
    fonts, unit = letters(), unit_of(width, height)
    hand, small = fonts.hand(prompt), fonts.hand(caption)
    margin = round(34 * unit)
    size = max(7, round((30 if len(hand.text) <= 90 else 25) * unit))
    lines = hand.wrap(size=size, width=width - 2 * margin, lines=3 if width >= height else 4)
    caption_size = max(6, round(16 * unit))
    text_high = len(lines) * size * 1.28 + caption_size * 1.7
    tall = min(height, round(text_high + 92 * unit)) // 2 * 2
    ink = Image.new("L", (width, tall), 0)
    draw, at = ImageDraw.Draw(ink), tall - margin * 0.95 - caption_size * 1.55
    small.write(draw, margin, tall - margin * 0.95, small.text, size=caption_size, fill=205)
    for line in reversed(lines):
        hand.write(draw, margin, at, line, size=size, fill=255)
        at -= size * 1.28
    return patch_of(_on_shade(ink, size, darkest=255 if covering else 168)), height - tall


def _on_shade(ink: Picture, size: int, *, darkest: int) -> Picture:
    """White letters with a soft shadow, on a shade from nothing to dark."""
    width, tall = ink.size
    ramp = np.linspace(0, 1, tall, dtype=np.float32)
    shade = np.clip(ramp * (1.35 if darkest < 200 else 2.6), 0, 1) ** 1.3 * darkest
    shadow = np.asarray(ink.filter(ImageFilter.BoxBlur(max(1, size // 10))), np.float32) * 0.6
    dark = np.maximum(np.broadcast_to(shade[:, None], (tall, width)), shadow)
    letter = np.asarray(ink, np.float32)
    alpha = letter + dark * (1 - letter / 255)
    white = np.divide(letter * 255, alpha, out=np.zeros_like(alpha), where=alpha > 0)
    white = np.maximum(white, 14)
    rgba = np.stack([white, white, np.maximum(white, 24), alpha], axis=2)
    return Image.fromarray(np.clip(rgba, 0, 255).astype(np.uint8), "RGBA")


# --- the mark -----------------------------------------------------------------------------------


def mark(width: int, height: int, *, large: bool, note: str = "") -> Patch:
    """A small plate that says the picture is simulated."""
    unit = unit_of(width, height) * (1.5 if large else 1)
    hand = letters().hand(f"{MARK} · {note}" if note else MARK)
    size = max(6, round(16 * unit))
    wide, tall = round(hand.width(hand.text, size=size) + 42 * unit), round(30 * unit)
    plate = _plate(wide, tall, (16, 18, 28, 150), radius=tall / 2)
    dot = tall * 0.16
    draw = ImageDraw.Draw(plate)
    draw.ellipse((tall / 2 - dot, tall / 2 - dot, tall / 2 + dot, tall / 2 + dot), fill=(255, 190, 92, 255))
    at = (wide - hand.width(hand.text, size=size)) - tall * 0.42
    hand.write(draw, at, tall * 0.685, hand.text, size=size, fill=(255, 255, 255, 240))
    return patch_of(plate)


def _plate(width: int, height: int, fill: tuple[int, int, int, int], *, radius: float) -> Picture:
    plate = Image.new("RGBA", (width * 2, height * 2), (*fill[:3], 0))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), radius * 2, fill=fill)
    return plate.reduce(2)


# --- the clock ----------------------------------------------------------------------------------


class Clock:
    """Second and frame in a corner, and how much of the film has run, as a line at the foot."""

    _SIGNS = "0123456789:/ f"

    def __init__(self, width: int, height: int, *, frames: int, fps: int, colour: Rgb) -> None:
        unit = unit_of(width, height)
        self._size, self._margin = max(9, round(16 * unit)), round(34 * unit)
        self._frames, self._fps = frames, fps
        self._colour = yuv(colour)
        self._bar = max(2, round(5 * unit) // 2 * 2)
        self._cells = {sign: self._cell(sign) for sign in self._SIGNS}

    def lay(self, on: Planes, number: int) -> None:
        """For one frame, counted from 0."""
        second, rest = divmod(number, self._fps)
        counted = str(number + 1).rjust(len(str(self._frames)), "0")
        text = f"{second // 60:02}:{second % 60:02}:{rest:02}  {counted}/{self._frames}"
        row = np.concatenate([self._cells[sign] for sign in text], axis=1)
        top = on.height - self._margin - round(self._size * 0.95)
        left = on.width - self._margin - row.shape[1]
        if left > 0 and top > 0:  # white on a dark ground: the brighter wins
            area = on.y[top : top + row.shape[0], left : left + row.shape[1]]
            np.maximum(area, row[: area.shape[0]], out=area)
        done = round(on.width * (number + 1) / self._frames)
        for index, plane in enumerate(on.all):
            half = 1 if index == 0 else 2
            plane[(on.height - self._bar) // half :, : done // half] = self._colour[index]

    def _cell(self, sign: str) -> Bytes:
        """One sign as brightness, all equally wide so that digits do not jump."""
        hand = letters().hand("0")
        image = Image.new(
            "L", (round(self._size * (0.36 if sign in ": " else 0.62)), round(self._size * 1.3))
        )
        wide = hand.width(sign, size=self._size)
        hand.write(
            ImageDraw.Draw(image),
            (image.width - wide) / 2,
            self._size,
            sign,
            size=self._size,
            fill=WHITE - 20,
        )
        return np.asarray(image)


# --- cards --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One thing that was sent along: a look or several, one after the other."""

    looks: tuple[Patch, ...]

    def look(self, second: float) -> Patch:
        """What it shows at a second of the film."""
        return self.looks[int(second * 2) % len(self.looks)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card hangs: top left corner."""

    x: int
    y: int


def cards_of(
    images: Sequence[Still], clips: Sequence[Clip], sounds: Sequence[Sound], width: int, height: int
) -> list[tuple[Card, Place]]:
    """Cards in rows in the upper part of the frame, as large as they fit."""
    count = min(CARDS_MOST, len(images) + len(clips) + len(sounds))
    if not count:
        return []
    unit = unit_of(width, height)
    gap, margin = 14 * unit, 34 * unit

    def side_in(rows: int) -> float:
        across = (width - 2 * margin) / math.ceil(count / rows) - gap
        down = (height * _CARDS_SHARE / rows - 40 * unit) / _CARD_RATIO
        return min(across, down, 196 * unit)

    rows = max(range(1, count + 1), key=side_in)
    columns, side = math.ceil(count / rows), side_in(rows)
    size = (max(8, round(side)), max(8, round(side * _CARD_RATIO)))
    made = [_image_card(still, size, unit) for still in images]
    made += [_clip_card(clip, size, unit) for clip in clips]
    made += [_sound_card(sound, size, unit) for sound in sounds]
    full = columns * (side + gap) > width - 2 * margin - _MARK_ROOM * unit
    top = margin * 0.8 + (44 * unit if full else 0)  # a full row hangs below the mark
    placed = []
    for number, card in enumerate(made[:count]):
        row, column = divmod(number, columns)
        patch = card.looks[0]
        x = width - margin - (min(columns, count - row * columns) - column) * (side + gap) + gap
        placed.append((card, Place(round(x), round(top + row * (patch.height + gap * 0.3)))))
    return placed


def _image_card(still: Still, size: tuple[int, int], unit: float) -> Card:
    found = open_picture(still.data, at_most=(size[0] * 2, size[1] * 2))
    return Card((_framed(thumbnail(found, *size) if found else None, still.label, size, unit),))


def _clip_card(clip: Clip, size: tuple[int, int], unit: float) -> Card:
    looks: list[Picture | None] = [*ClipReader(clip.data).looks(_CLIP_LOOKS, size)] or [None]
    return Card(tuple(_framed(look, clip.label, size, unit) for look in looks))


def _sound_card(sound: Sound, size: tuple[int, int], unit: float) -> Card:
    samples = open_sound(sound.data, seconds=15)
    face = _waveform(samples, size) if samples is not None else None
    return Card((_framed(face, sound.label, size, unit),))


def _waveform(samples: Samples, size: tuple[int, int]) -> Picture:
    """Loudness over time, as bars."""
    face = Image.new("RGB", size, (38, 46, 74))
    draw, bars = ImageDraw.Draw(face), 28
    pieces = np.array_split(np.abs(samples).max(axis=0), bars)
    tops = np.array([piece.max(initial=0) for piece in pieces])
    tops = tops / max(float(tops.max()), 1e-6)
    step, middle = size[0] / (bars + 4), size[1] / 2
    for number, top in enumerate(tops):
        x, tall = (number + 2) * step, max(1.0, float(top) * size[1] * 0.38)
        draw.rectangle((x, middle - tall, x + step * 0.55, middle + tall), fill=(126, 206, 214))
    return face


def _framed(face: Picture | None, label: str, size: tuple[int, int], unit: float) -> Patch:
    return patch_of(framed_picture(face, label, size, unit))


def framed_picture(face: Picture | None, label: str, size: tuple[int, int], unit: float) -> Picture:
    """A print with a white border, its label below, and a shadow; without a face a placeholder."""
    border, foot, shade = max(1, round(6 * unit)), round(26 * unit), max(1, round(7 * unit))
    wide, tall = size[0] + 2 * shade, size[1] + foot + 2 * shade
    card = _shadow(wide, tall, shade).copy()
    draw = ImageDraw.Draw(card)
    draw.rectangle((shade, shade, wide - shade - 1, tall - shade - 1), fill=_CARD_BACK)
    inner = (max(1, size[0] - 2 * border), max(1, size[1] - border))
    card.paste(
        face.resize(inner, Image.Resampling.BILINEAR) if face else _placeholder(inner, unit),
        (shade + border, shade + border),
    )
    hand, font = letters().hand(label), max(6, round(16 * unit))
    for line in hand.wrap(size=font, width=inner[0], lines=1):
        _centred(hand, draw, line, size=font, width=wide, y=tall - shade - foot * 0.3, fill=_CARD_TEXT)
    return card


@lru_cache(maxsize=8)
def _shadow(width: int, height: int, shade: int) -> Picture:
    alpha = Image.new("L", (width, height), 0)
    ImageDraw.Draw(alpha).rectangle((shade, shade, width - shade - 1, height - shade - 1), fill=120)
    soft = alpha.filter(ImageFilter.BoxBlur(shade / 2)).filter(ImageFilter.BoxBlur(shade / 2))
    plate = Image.new("RGBA", (width, height), (10, 12, 22, 0))
    plate.putalpha(soft)
    return plate


def _placeholder(size: tuple[int, int], unit: float) -> Picture:
    """Stripes, and the words for what is missing."""
    face = Image.new("RGB", size, (214, 217, 224))
    draw, step = ImageDraw.Draw(face), max(6, round(16 * unit))
    for x in range(-size[1], size[0], 2 * step):
        draw.line((x, size[1], x + size[1], 0), fill=(202, 206, 215), width=step)
    hand, font = letters().hand("not reachable"), max(6, round(15 * unit))
    lines: list[str] = hand.wrap(size=font, width=max(1, size[0] - 8), lines=2)
    at = size[1] / 2 - (len(lines) - 1) * font * 0.6 + font * 0.35
    for line in lines:
        _centred(hand, draw, line, size=font, width=size[0], y=at, fill=_MISSING_TEXT)
        at += font * 1.2
    return face


def _centred(hand: Hand, draw: ImageDraw.ImageDraw, line: str, *, size: int, **place: Any) -> None:
    """A line in the middle of a width, with its base line at y."""
    x = (place["width"] - hand.width(line, size=size)) / 2
    hand.write(draw, x, place["y"], line, size=size, fill=place["fill"])


def unit_of(width: int, height: int) -> float:
    """Sizes are written for a frame whose shorter side is 720."""
    return max(0.1, min(width, height) / 720)
