"""Pictures at exactly the size asked, with the references in them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anyfast_nb.simulator.studio import Art, Still, picture
from tests.simulator.studio.conftest import Pixels, encoded, far_apart, quarters

ART = Art("A red balloon over the mountains", 400, 300)
RED = Still(encoded(Image.new("RGB", (300, 200), (250, 0, 0))), "image 1")


def pixels(art: Art) -> Pixels:
    with Image.open(io.BytesIO(picture(art))) as image:
        assert image.size == (art.width, art.height)
        assert image.format == art.format.upper()
        return np.asarray(image.convert("RGB"))


def reds(shown: Pixels) -> float:
    return float(((shown[:, :, 0] > 225) & (shown[:, :, 1] < 40) & (shown[:, :, 2] < 40)).mean())


@pytest.mark.parametrize("format", ["jpeg", "png"])
@pytest.mark.parametrize(
    "size",
    [(1024, 1024), (1728, 2304), (301, 203), (640, 40), (33, 257), (1, 1)],
    ids=lambda s: f"{s[0]}x{s[1]}",
)
def test_exactly_the_size(size: tuple[int, int], format: str) -> None:
    assert pixels(replace(ART, width=size[0], height=size[1], format=format)).size  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(4096, 4096), (4704, 2016)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_largest_sizes(size: tuple[int, int]) -> None:
    shown = pixels(replace(ART, width=size[0], height=size[1]))
    assert shown[::16, ::16].std() > 20


def test_the_same_art_gives_the_same_bytes() -> None:
    art = replace(ART, references=(RED,), watermark=True)
    assert picture(art) == picture(art)


def test_a_reference_is_clearly_visible() -> None:
    assert reds(pixels(ART)) < 0.002
    assert reds(pixels(replace(ART, references=(RED,)))) > 0.06


def test_the_whole_reference_is_shown() -> None:
    """All four of its quarters, whatever its shape."""
    for size in ((300, 900), (900, 300), (500, 500)):
        shown = pixels(replace(ART, references=(Still(encoded(quarters(*size)), "image 1"),), format="png"))
        for colour in ((200, 40, 40), (40, 160, 60), (40, 70, 200), (230, 210, 60)):
            near = (np.abs(shown.astype(int) - colour).max(axis=2) < 24).mean()
            assert near > 0.008, (size, colour)


@pytest.mark.parametrize("count", [2, 5, 10, 14, 40])
@pytest.mark.parametrize("size", [(400, 300), (300, 500), (800, 200)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_many_references_find_room(count: int, size: tuple[int, int]) -> None:
    art = replace(ART, width=size[0], height=size[1], references=(RED,) * count)
    assert reds(pixels(art)) > 0.04


@pytest.mark.parametrize("data", [None, b"", b"garbage" * 99], ids=["none", "empty", "garbage"])
def test_what_cannot_be_read_becomes_a_placeholder(data: bytes | None) -> None:
    changed = far_apart(pixels(ART), pixels(replace(ART, references=(Still(data, "image 1"),))))
    assert changed > 5


def test_a_sequence_varies() -> None:
    shown = [pixels(replace(ART, index=index, count=4)) for index in range(4)]
    for index, one in enumerate(shown):
        for other in shown[index + 1 :]:
            assert far_apart(one, other) > 2


def test_seed_and_prompt_decide() -> None:
    assert far_apart(pixels(ART), pixels(replace(ART, seed=1))) > 1
    night, snow = (pixels(replace(ART, prompt=words)).mean() for words in ("at night", "snow"))
    assert snow > night + 60


def test_the_watermark_is_larger_than_the_mark() -> None:
    assert far_apart(pixels(ART)[:60, :150], pixels(replace(ART, watermark=True))[:60, :150]) > 4


@pytest.mark.parametrize("prompt", ["", "x" * 5000, "🐱", "قطة", "猫" * 300, "\x00\ud800"])
def test_any_prompt_makes_a_picture(prompt: str) -> None:
    pixels(replace(ART, prompt=prompt))


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no pixels"):
        picture(replace(ART, width=size[0], height=size[1]))
