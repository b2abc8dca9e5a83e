"""What was sent along appears: first and last frames, references, clips that go on or are edited, sounds."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anyfast_nb.simulator.studio import Clip, Shot, Sound, Still, film, last_frame
from tests.simulator.studio.conftest import Made, Pixels, encoded, far_apart, quarters, watch, wav

SHOT = Shot("A boat on the lake", 320, 180, 2)
QUARTERS = quarters(320, 180)
STRIPES = Image.fromarray(
    np.tile(np.array([[[250, 250, 250]], [[20, 90, 90]]], np.uint8), (90, 320, 1))
).resize((320, 180), Image.Resampling.NEAREST, box=(0, 0, 20, 12))


def still(image: Image.Image, label: str = "image 1") -> Still:
    return Still(encoded(image), label)


def bomb() -> bytes:
    """A PNG whose header promises 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


BAD: dict[str, bytes | None] = {
    "not reached": None,
    "empty": b"",
    "garbage": bytes(range(256)) * 40,
    "a web page": b"<!doctype html><html><body>404</body></html>" * 20,
    "a bomb": bomb(),
    "half a picture's header": encoded(QUARTERS)[:20],
}


def test_the_first_picture_is_the_first_frame(make: Callable[[Shot], Made]) -> None:
    frames = make(replace(SHOT, first_frame=still(QUARTERS))).frames
    assert far_apart(frames[0], np.asarray(QUARTERS)) < 2.5
    assert far_apart(frames[6], frames[0]) > 0.5  # the camera moves
    assert far_apart(frames[-1], np.asarray(QUARTERS)) > 20  # and ends in the scene


def test_the_last_picture_is_the_last_frame(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, last_frame=still(QUARTERS)))
    assert far_apart(made.frames[-1], np.asarray(QUARTERS)) < 3
    assert far_apart(made.frames[0], np.asarray(QUARTERS)) > 20


def test_from_the_first_picture_to_the_last(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, first_frame=still(QUARTERS), last_frame=still(STRIPES)))
    assert far_apart(made.frames[0], np.asarray(QUARTERS)) < 2.5
    assert far_apart(made.frames[-1], np.asarray(STRIPES)) < 4
    middle = made.frames[len(made.frames) // 2]
    assert far_apart(middle, made.frames[0]) > 10
    assert far_apart(middle, made.frames[-1]) > 10


def test_no_frame_of_a_fade_jumps(make: Callable[[Shot], Made]) -> None:
    frames = make(replace(SHOT, first_frame=still(QUARTERS), last_frame=still(STRIPES))).frames
    changes = [far_apart(one, other) for one, other in pairwise(frames)]
    assert max(changes) < 0.25 * far_apart(frames[0], frames[-1])


def test_a_first_picture_of_another_shape_is_cut_not_stretched(make: Callable[[Shot], Made]) -> None:
    circle = Image.new("RGB", (400, 800), (20, 60, 120))
    circle.paste((240, 240, 240), (100, 300, 300, 500))
    frame = make(replace(SHOT, first_frame=still(circle))).frames[0]
    bright = frame[:, :, 0] > 128
    assert bright.any(axis=0).sum() == pytest.approx(bright.any(axis=1).sum(), abs=4)


def test_a_transparent_first_picture_lies_on_white(make: Callable[[Shot], Made]) -> None:
    frame = make(replace(SHOT, first_frame=still(Image.new("RGBA", (320, 180), (9, 9, 9, 0))))).frames[0]
    assert frame.mean() > 250


def test_a_single_frame_film_is_its_first_picture(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, duration_s=1 / 24, first_frame=still(QUARTERS), last_frame=still(STRIPES)))
    assert len(made.frames) == 1
    assert far_apart(made.frames[0], np.asarray(QUARTERS)) < 2.5


def reds(frame: Pixels) -> float:
    """Share of a plain red that no scene has."""
    return float(((frame[:, :, 0] > 225) & (frame[:, :, 1] < 40) & (frame[:, :, 2] < 40)).mean())


def test_references_hang_in_the_picture(make: Callable[[Shot], Made]) -> None:
    red = still(Image.new("RGB", (640, 480), (250, 0, 0)))
    without = make(SHOT).frames[20]
    one = make(replace(SHOT, images=(red,))).frames[20]
    three = make(replace(SHOT, images=(red,) * 3)).frames[20]
    assert reds(without) < 0.001
    assert 0.015 < reds(one) < reds(three) / 2


@pytest.mark.parametrize("count", [4, 7, 9, 15, 30])
def test_many_references_find_room(count: int, make: Callable[[Shot], Made]) -> None:
    red = still(Image.new("RGB", (640, 480), (250, 0, 0)))
    for size in ((320, 180), (180, 320)):
        made = make(replace(SHOT, width=size[0], height=size[1], duration_s=0.25, images=(red,) * count))
        assert reds(made.frames[-1]) > 0.03


def test_a_reference_clip_moves_in_its_card(make: Callable[[Shot], Made], tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    red = still(Image.new("RGB", (320, 180), (250, 0, 0)))
    film(replace(SHOT, duration_s=4, first_frame=red), source)
    made = make(replace(SHOT, clips=(Clip(source.read_bytes(), "video 1"),)))
    shown = [reds(frame) for frame in made.frames]
    assert max(shown) > 0.02
    assert min(shown) < max(shown) / 2  # its later key frame shows the scene


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_becomes_a_placeholder(data: bytes | None, make: Callable[[Shot], Made]) -> None:
    plain = make(SHOT)
    made = make(
        replace(
            SHOT,
            first_frame=Still(data, "first frame"),
            last_frame=Still(data, "last frame"),
            images=(Still(data, "image 1"),),
            clips=(Clip(data, "video 1"),),
            sounds=(Sound(data, "audio 1"),),
            extends=True,
        )
    )
    assert len(made.frames) == 48
    assert made.loudness() > 0.02
    changed = np.abs(made.frames[0].astype(int) - plain.frames[0].astype(int)).max(axis=2) > 12
    assert changed[:90].mean() > 0.15  # five cards with the words for what is missing
    assert changed[95:130].mean() < 0.05  # and the scene as it is


def test_an_edit_of_nothing_shows_the_scene(make: Callable[[Shot], Made]) -> None:
    assert len(make(replace(SHOT, clips=(Clip(b"garbage", "video 1"),), edits=True)).frames) == 48


# --- clips that go on, or are edited ----------------------------------------------------------------


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "clip.mp4"
    film(replace(SHOT, first_frame=still(QUARTERS), prompt="A dog in the snow"), path)
    return path


def test_an_extension_begins_where_the_clip_ended(source: Path, make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, clips=(Clip(source.read_bytes(), "video 1"),), extends=True))
    ended = watch(source).frames[-1]
    assert far_apart(made.frames[0], ended) < 3
    assert far_apart(made.frames[-1], ended) > 5


def test_an_edit_plays_the_clip(source: Path, make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, clips=(Clip(source.read_bytes(), "video 1"),), edits=True))
    original = watch(source)
    for number in (0, 10, 30, 47):  # between the cards and the text
        ours, theirs = made.frames[number][75:110, :], original.frames[number][75:110, :]
        assert far_apart(ours, theirs) < 5, number


def test_an_edit_shows_the_reference_in_the_clip(source: Path, make: Callable[[Shot], Made]) -> None:
    red = still(Image.new("RGB", (640, 480), (250, 0, 0)))
    shot = replace(SHOT, clips=(Clip(source.read_bytes(), "video 1"),), edits=True)
    # the clip itself has some of that red
    assert reds(make(replace(shot, images=(red,))).frames[40]) > reds(make(shot).frames[40]) + 0.015


@pytest.mark.parametrize(("seconds", "frames"), [(1, 24), (5, 120)])
def test_an_edit_is_as_long_as_asked(
    seconds: int, frames: int, source: Path, make: Callable[[Shot], Made]
) -> None:
    clip = (Clip(source.read_bytes(), "video 1"),)
    made = make(replace(SHOT, duration_s=seconds, clips=clip, edits=True))
    assert len(made.frames) == frames
    if seconds == 5:  # two seconds of clip: it starts again after 48 frames
        assert far_apart(made.frames[48][75:110], made.frames[0][75:110]) < 6
        assert far_apart(made.frames[96][75:110], made.frames[0][75:110]) < 6


def test_an_edit_of_another_shape_fills_the_frame(source: Path, make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, width=180, height=320, clips=(Clip(source.read_bytes(), "v"),), edits=True))
    assert made.frames[0].shape == (320, 180, 3)
    assert made.frames[0][140:180].std() > 20


def test_a_clip_cut_short_plays_as_far_as_it_goes(source: Path, make: Callable[[Shot], Made]) -> None:
    data = source.read_bytes()
    cut = (Clip(data[: len(data) * 6 // 10], "video 1"),)
    assert len(make(replace(SHOT, clips=cut, edits=True)).frames) == 48
    assert len(make(replace(SHOT, clips=cut, extends=True)).frames) == 48


def test_the_last_frame_of_a_film(source: Path) -> None:
    with Image.open(io.BytesIO(last_frame(source))) as image:
        assert image.format == "PNG"
        assert far_apart(np.asarray(image), watch(source).frames[-1]) == 0


@pytest.mark.parametrize("content", [b"", b"no film", encoded(QUARTERS)])
def test_no_film_has_no_last_frame(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.mp4"):
        last_frame(tmp_path / "x.mp4")


# --- sounds -------------------------------------------------------------------------------------------


def test_a_sound_that_was_sent_is_heard(make: Callable[[Shot], Made]) -> None:
    with_tone = make(replace(SHOT, sounds=(Sound(wav(1, 1000), "audio 1"),)))
    assert with_tone.strength(1000) > 0.9
    assert make(SHOT).strength(1000) < 0.3


def test_a_short_sound_goes_on_to_the_end(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, sounds=(Sound(wav(0.5, 1000), "audio 1"),)))
    assert made.samples is not None
    assert np.sqrt(np.mean(made.samples[:, 44_100:66_150] ** 2)) > 0.05


def test_two_sounds_are_mixed(make: Callable[[Shot], Made]) -> None:
    made = make(replace(SHOT, sounds=(Sound(wav(2, 1000), "a"), Sound(wav(2, 1700), "b"))))
    assert min(made.strength(1000), made.strength(1700)) > 0.5


def test_a_silent_sound_still_leaves_something_to_hear(make: Callable[[Shot], Made]) -> None:
    assert make(replace(SHOT, sounds=(Sound(wav(1, 0), "silence"),))).loudness() > 0.02


def test_an_edit_keeps_the_sound_of_its_clip(tmp_path: Path, make: Callable[[Shot], Made]) -> None:
    source = tmp_path / "clip.mp4"
    film(replace(SHOT, sounds=(Sound(wav(2, 1300), "audio 1"),)), source)
    clip = (Clip(source.read_bytes(), "video 1"),)
    assert make(replace(SHOT, prompt="other", clips=clip, edits=True)).strength(1300) > 0.8
