"""The film's promises: pixels, length, codecs, sound, order of boxes, same bytes, no litter."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from anyfast_nb.simulator.studio import PIXELS, Shot, Still, adaptive_ratio, film, filming
from tests.simulator.studio.conftest import Made, encoded, far_apart, quarters, watch

SMALL = Shot("A cat walks along the beach at sunset", 320, 180, 1)
SIZES = [(name, ratio, size) for name, ratios in PIXELS.items() for ratio, size in ratios.items()]


def boxes(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level boxes of an MP4 in order."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind.decode(), size
        at += size


def test_a_film_is_what_was_asked(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SMALL, duration_s=2))
    assert made.codecs == ("h264", "aac")
    assert made.pixel_format == "yuv420p"
    assert made.rate == 24
    assert len(made.frames) == 48
    assert made.frames[0].shape == (180, 320, 3)
    assert made.duration_s == pytest.approx(2, abs=1 / 24)


@pytest.mark.parametrize(("resolution", "ratio", "size"), SIZES, ids=str)
def test_every_documented_size(
    resolution: str, ratio: str, size: tuple[int, int], make: Callable[[Shot], Made]
) -> None:
    made = make(replace(SMALL, width=size[0], height=size[1], duration_s=0.25, caption=resolution))
    assert len(made.frames) == 6
    assert {frame.shape for frame in made.frames} == {(size[1], size[0], 3)}
    assert adaptive_ratio(*size) == ratio


@pytest.mark.parametrize("seconds", [4, 5, 11.5])
def test_the_length_is_exact(seconds: float, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film(replace(SMALL, width=160, height=90, duration_s=seconds), path)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.frames == seconds * 24
        assert video.duration * video.time_base == seconds
        assert float(audio.duration * audio.time_base) == pytest.approx(seconds, abs=1 / 24)
        assert container.duration / 1_000_000 == pytest.approx(seconds, abs=1 / 24)


def test_another_frame_rate(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SMALL, fps=30))
    assert made.rate == 30
    assert len(made.frames) == 30


def test_it_moves_all_the_time(make: Callable[[Shot], Made]) -> None:
    frames = make(SMALL).frames
    changes = [far_apart(one, other) for one, other in pairwise(frames)]
    assert min(changes) > 0.02
    assert far_apart(frames[0], frames[-1]) > 1


def test_the_prompt_decides_what_it_shows(make: Callable[[Shot], Made]) -> None:
    night = make(replace(SMALL, prompt="A quiet night in the city")).frames[0]
    snow = make(replace(SMALL, prompt="Snow on the mountains")).frames[0]
    assert snow.mean() > night.mean() + 60
    written = make(replace(SMALL, prompt="Snow on the mountains", seed=0, caption="a caption")).frames[0]
    assert far_apart(snow[-50:], written[-50:]) > 0.1  # the caption is drawn


def test_the_words_are_written(make: Callable[[Shot], Made]) -> None:
    shot = replace(SMALL, prompt="night", width=640, height=360, duration_s=0.25)
    few = make(shot).frames[0][260:]
    many = make(replace(shot, prompt="night " + "WWWWWWWWWW " * 9)).frames[0][260:]
    assert (many > 200).all(axis=2).mean() > (few > 200).all(axis=2).mean() + 0.02


def test_another_seed_is_another_composition(make: Callable[[Shot], Made]) -> None:
    assert far_apart(make(SMALL).frames[0], make(replace(SMALL, seed=1)).frames[0]) > 1


def test_the_watermark_is_larger_than_the_mark(make: Callable[[Shot], Made]) -> None:
    small = make(SMALL).frames[0][:24, :70].mean()
    large = make(replace(SMALL, watermark=True)).frames[0][:24, :70].mean()
    assert large < small  # more of its dark plate


def test_sound_is_never_silence(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SMALL, duration_s=2))
    assert made.loudness() > 0.02
    assert made.samples is not None
    assert made.samples.shape[0] == 2
    assert np.abs(made.samples).max() <= 1.0


def test_a_silent_film_has_no_track(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SMALL, audio=False))
    assert made.codecs == ("h264",)
    assert made.duration_s == pytest.approx(1, abs=1 / 24)


def test_the_index_comes_before_the_pictures(make: Callable[[Shot], Made]) -> None:
    order = [kind for kind, _ in boxes(make(SMALL).path)]
    assert order.index("moov") < order.index("mdat")


def test_the_same_shot_gives_the_same_bytes(tmp_path: Path) -> None:
    still = Still(encoded(quarters(300, 200)), "image 1")
    shot = replace(SMALL, images=(still,), first_frame=still, prompt="Fireflies over the lake at night")
    film(shot, tmp_path / "one.mp4")
    film(shot, tmp_path / "two.mp4")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_colours_are_tagged_and_right(make: Callable[[Shot], Made]) -> None:
    """What is drawn as one colour comes out as that colour in a player that reads the tags."""
    flat = quarters(320, 180)
    made = make(replace(SMALL, first_frame=Still(encoded(flat), "first frame")))
    assert far_apart(made.frames[0], np.asarray(flat)) < 2.5
    with av.open(str(made.path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1)


def test_nothing_is_left_behind_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(filming.Clock, "lay", breaks)
    with pytest.raises(RuntimeError, match="half way"):
        film(SMALL, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_film_leaves_the_old_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "film.mp4"
    film(SMALL, path)
    before = path.read_bytes()
    monkeypatch.setattr(filming, "soundtrack", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        film(SMALL, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("width", "height"), [(321, 180), (320, 181), (0, 180), (320, -2)])
def test_impossible_sizes_are_refused(width: int, height: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive and even"):
        film(replace(SMALL, width=width, height=height), tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_film_without_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frames"):
        film(replace(SMALL, duration_s=0), tmp_path / "film.mp4")


PROMPTS = {
    "empty": "",
    "long": "A very long story about a boat. " * 160,
    "no blanks": "x" * 5000,
    "emoji": "🐱🚀 a cat 🎈",
    "right to left": "قطة على الشاطئ",
    "chinese": "一只橘猫在海边散步，夕阳西下，海浪轻拍沙滩",
    "control characters": "a\x00b\x1b[31m\u202ec\ud800",
    "newlines": "one\n\n\ttwo\r\nthree",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_any_prompt_makes_a_film(prompt: str, make: Callable[[Shot], Made]) -> None:
    made = make(replace(SMALL, prompt=prompt, caption=prompt[:50], duration_s=0.25))
    assert len(made.frames) == 6


SCENES = [
    "a rocket in space", "rain over the city at night", "snow in the forest", "cherry petals and a house",
    "a robot in the desert", "a butterfly and a flower", "a bird above the sea", "a dog and a person at dawn",
    "a cup of tea in autumn", "a fish", "a tree on the mountain", "storm", "a red dream of fireflies",
]  # fmt: skip


@pytest.mark.parametrize("prompt", SCENES)
@pytest.mark.parametrize("size", [(320, 180), (180, 320), (64, 64)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_scene_in_every_shape(prompt: str, size: tuple[int, int], tmp_path: Path) -> None:
    shot = Shot(prompt, *size, 15, audio=False)
    stage = filming.Stage(shot)
    first = stage.draw(0).buffer.copy()
    last = stage.draw(shot.frames - 1).buffer
    assert first.std() > 8
    assert (first != last).mean() > 0.02


def test_a_long_film_needs_no_more_memory_than_a_short_one() -> None:
    """Frames are drawn into the same planes, one after the other."""
    stage = filming.Stage(replace(SMALL, duration_s=15))
    assert stage.draw(0) is stage.draw(1)


def test_watch_reads_back(tmp_path: Path) -> None:
    film(SMALL, tmp_path / "film.mp4")
    assert len(watch(tmp_path / "film.mp4").frames) == 24
