"""Films joined: every packet is there, in order, and the sound stays with the picture at every seam."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.media.frames import last_frame, open_image
from anyfast_nb.media.join import join
from anyfast_nb.media.mp4 import read_movie
from anyfast_nb.media.reel import read_reel
from tests.media.films import (
    clicks_of,
    flashes_of,
    flashing_film,
    packets_of,
    seconds_of,
)

IN_STEP_S = 0.05


def in_step(path: Path, expected: list[float], *, within: float = IN_STEP_S) -> None:
    """Every flash is where it should be, and each click with its flash."""
    flashes, clicks = flashes_of(path), clicks_of(path)
    assert flashes == pytest.approx(expected, abs=0.002)
    assert len(clicks) == len(flashes), clicks
    assert max(abs(click - flash) for click, flash in zip(clicks, flashes, strict=True)) <= within


def whole(path: Path) -> None:
    """Nothing lies beside it, its index comes first, and its clocks only go forward."""
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []
    data = path.read_bytes()
    assert read_movie(data).missing_bytes == 0
    assert data.find(b"moov") < data.find(b"mdat")
    for kind in ("video", "audio"):
        times = [dts for _, dts, _, _ in packets_of(path, kind)]
        assert all(one < other for one, other in pairwise(times))


@pytest.mark.parametrize(
    "options",
    [{}, {"options": {"bf": "3", "preset": "veryfast"}}, {"rate": 30, "audio_rate": 48000, "layout": "mono"}],
)
def test_films_that_agree_are_copied_packet_by_packet(tmp_path: Path, options: dict[str, Any]) -> None:
    rate = options.get("rate", 24)
    films = [
        flashing_film(tmp_path / f"{number}.mp4", frames=frames, flashes=(2, frames - 4), **options)
        for number, frames in enumerate((48, 31, 53))
    ]
    joined = join(films, tmp_path / "all.mp4")
    assert (joined.method, joined.why, joined.frames) == ("copied", "", 132)
    assert joined.seams_s == pytest.approx([48 / rate, 79 / rate])
    assert joined.duration_s == pytest.approx(132 / rate)
    copied = [data for *_, data in packets_of(joined.path, "video")]
    assert copied == [data for film in films for *_, data in packets_of(film, "video")]
    assert seconds_of(joined.path, "video") == pytest.approx(132 / rate, abs=0.001)
    assert seconds_of(joined.path, "audio") == pytest.approx(132 / rate, abs=0.03)
    shown = (2, 44, 50, 75, 81, 128)
    in_step(joined.path, [number / rate for number in shown], within=0.02)
    whole(joined.path)


def test_sound_that_is_longer_or_shorter_than_its_picture_never_adds_up(tmp_path: Path) -> None:
    films = [
        flashing_film(tmp_path / f"{number}.mp4", frames=25, flashes=(3,), samples_s=25 / 24 + more)
        for number, more in enumerate((0.09, 0.06, -0.2, 0.08, -0.1, 0.07, 0.07, 0.0))
    ]
    joined = join(films, tmp_path / "all.mp4")
    assert joined.method == "copied"
    in_step(joined.path, [(25 * number + 3) / 24 for number in range(8)], within=0.02)
    whole(joined.path)
    times = sorted((pts, length) for pts, _, length, _ in packets_of(joined.path, "audio"))
    assert all(pts + length == later for (pts, length), (later, _) in pairwise(times))  # no hole


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_silent_film_among_others_gets_silence(tmp_path: Path, silent: int) -> None:
    films = [
        flashing_film(tmp_path / f"{number}.mp4", flashes=(5, 45), sound=number != silent)
        for number in range(3)
    ]
    joined = join(films, tmp_path / "all.mp4")
    assert joined.method == "copied"
    flashes, clicks = flashes_of(joined.path), clicks_of(joined.path)
    assert len(flashes) == 6
    heard = [flash for index, flash in enumerate(flashes) if index // 2 != silent]
    assert clicks == pytest.approx(heard, abs=0.02)
    assert seconds_of(joined.path, "audio") == pytest.approx(6, abs=0.03)
    whole(joined.path)


def test_films_without_any_sound_stay_without(tmp_path: Path) -> None:
    films = [flashing_film(tmp_path / f"{number}.mp4", sound=False) for number in range(2)]
    joined = join(films, tmp_path / "all.mp4")
    assert (joined.method, joined.frames) == ("copied", 96)
    assert b"soun" not in joined.path.read_bytes()


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"size": (96, 160)}, "film 2 differs from the first: size 160 × 96 beside 96 × 160"),
        ({"rate": 30}, "time base"),
        ({"options": {"profile": "high", "preset": "veryfast"}}, "film 2 differs"),
        ({"audio_rate": 48000}, "the sound of film 2 differs from that of film 1: sound at 44100 Hz"),
        ({"layout": "mono"}, "channels stereo beside mono"),
    ],
)
def test_films_that_differ_are_encoded_anew_and_it_says_why(
    tmp_path: Path, other: dict[str, Any], why: str
) -> None:
    rate = other.get("rate", 24)
    first = flashing_film(tmp_path / "1.mp4", frames=48, flashes=(6, 42))
    second = flashing_film(tmp_path / "2.mp4", frames=2 * rate, flashes=(5, 2 * rate - 5), **other)
    third = flashing_film(tmp_path / "3.mp4", frames=48, flashes=(6, 42), sound=False)
    joined = join([first, second, third], tmp_path / "all.mp4")
    assert joined.method == "re-encoded"
    assert why in joined.why
    assert joined.frames == len(packets_of(joined.path, "video")) == 144
    assert joined.seams_s == (2.0, 4.0)
    assert joined.size == (160, 96)
    assert seconds_of(joined.path, "video") == pytest.approx(6, abs=0.001)
    assert seconds_of(joined.path, "audio") == pytest.approx(6, abs=0.03)
    flashes, clicks = flashes_of(joined.path), clicks_of(joined.path)
    assert clicks == pytest.approx(flashes[: len(clicks)], abs=IN_STEP_S)
    assert len(clicks) == 4
    assert flashes == pytest.approx(
        [6 / 24, 42 / 24, 2 + 5 / rate, 4 - 5 / rate, 4 + 6 / 24, 4 + 42 / 24], abs=0.022
    )
    whole(joined.path)


def test_another_shape_is_shown_whole_with_black_beside_it(tmp_path: Path) -> None:
    wide = flashing_film(tmp_path / "1.mp4", frames=12, flashes=())
    tall = flashing_film(tmp_path / "2.mp4", frames=12, flashes=(11,), size=(48, 96))
    joined = join([wide, tall], tmp_path / "all.mp4")
    (tmp_path / "last.png").write_bytes(last_frame(joined.path))
    picture = open_image(tmp_path / "last.png").convert("L")
    assert picture.size == (160, 96)
    assert picture.getpixel((10, 48)) < 20
    assert picture.getpixel((80, 48)) > 230
    assert picture.getpixel((150, 48)) < 20


def test_colours_mean_the_same_after_encoding(tmp_path: Path) -> None:
    tagged = {"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off"}
    one = flashing_film(tmp_path / "1.mp4", frames=5, options=tagged)
    other = flashing_film(tmp_path / "2.mp4", frames=5, size=(96, 160))
    joined = join([one, other], tmp_path / "all.mp4")
    assert joined.method == "re-encoded"
    assert read_reel(joined.path).colours == read_reel(one).colours == (1, 1, 1, 1)


def test_one_film_is_joined_to_nothing(tmp_path: Path) -> None:
    film = flashing_film(tmp_path / "1.mp4")
    joined = join([film], tmp_path / "all.mp4")
    assert (joined.method, joined.seams_s, joined.frames) == ("copied", (), 48)
    in_step(joined.path, [6 / 24, 40 / 24])


def test_what_fails_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    film = flashing_film(tmp_path / "1.mp4")
    broken = tmp_path / "2.mp4"
    broken.write_bytes(b"nonsense" * 100)
    target = tmp_path / "all.mp4"
    target.write_bytes(b"the one before")
    with pytest.raises(AnyFastError, match=r"2\.mp4 cannot be read as a film"):
        join([film, broken], target)
    with pytest.raises(AnyFastError, match=r"3\.mp4 cannot be read as a film"):
        join([film, tmp_path / "3.mp4"], target)
    with pytest.raises(InputError) as caught:
        join([], target)
    assert caught.value.field == "films"
    assert target.read_bytes() == b"the one before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.mp4", "2.mp4", "all.mp4"]


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    film = flashing_film(tmp_path / "1.mp4")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        join([film, film], tmp_path / "all.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["1.mp4"]
