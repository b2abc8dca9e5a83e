"""Contact sheets show the frames they say, at the times they say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from anyfast_nb.errors import AnyFastError
from anyfast_nb.media.contact import columns_for, frames_sheet, seams_sheet
from tests.media.films import flashing_film

GAP, WIDE, HIGH, LINE = 12, 160, 96, 24


def greys(data: bytes, columns: int, count: int) -> list[int]:
    """How bright the middle of each frame on a sheet is."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    assert image.format == "PNG"
    assert image.width == GAP + columns * (WIDE + GAP)
    found = []
    for number in range(count):
        row, column = divmod(number, columns)
        place = (GAP + column * (WIDE + GAP) + WIDE // 2, GAP + row * (HIGH + LINE + GAP) + HIGH // 2)
        value = image.convert("L").getpixel(place)
        assert isinstance(value, int)
        found.append(value)
    return found


@pytest.mark.parametrize("gop", ["12", "250"])
def test_frames_are_spread_from_the_first_to_the_last(tmp_path: Path, gop: str) -> None:
    film = flashing_film(tmp_path / "a.mp4", frames=48, flashes=(0, 19, 47), options={"g": gop})
    shown = greys(frames_sheet(film, 6), 3, 6)  # frames 0, 9, 19, 28, 38, 47
    assert [value > 230 for value in shown] == [True, False, True, False, False, True]


def test_words_stand_below_each_frame(tmp_path: Path) -> None:
    film = flashing_film(tmp_path / "a.mp4", frames=24, sound=False)
    with Image.open(io.BytesIO(frames_sheet(film, 2))) as image:
        sheet = image.convert("L")
    for left in (GAP, GAP + WIDE + GAP):
        below = sheet.crop((left, GAP + HIGH, left + WIDE, GAP + HIGH + LINE))
        assert below.getextrema()[0] < 128  # ink
    assert sheet.crop((0, 0, sheet.width, GAP)).getextrema() == (255, 255)  # paper


def test_a_film_of_few_frames_gives_those_it_has(tmp_path: Path) -> None:
    film = flashing_film(tmp_path / "a.mp4", frames=2, flashes=(1,), sound=False)
    assert [value > 230 for value in greys(frames_sheet(film, 9), 2, 2)] == [False, True]
    one = flashing_film(tmp_path / "b.mp4", frames=1, flashes=(0,), sound=False)
    assert greys(frames_sheet(one, 4), 1, 1)[0] > 230


def test_seams_show_an_end_beside_a_beginning(tmp_path: Path) -> None:
    films = [
        flashing_film(tmp_path / "a.mp4", frames=30, flashes=(29,), sound=False),
        flashing_film(tmp_path / "b.mp4", frames=30, flashes=(), sound=False),
        flashing_film(tmp_path / "c.mp4", frames=30, flashes=(0,), sound=False),
    ]
    shown = greys(seams_sheet(films, ["shot 1", "shot 2", "shot 3"]), 2, 4)
    assert [value > 230 for value in shown] == [True, False, False, True]


def test_rows_have_the_same_length_where_that_can_be() -> None:
    assert [columns_for(count) for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12)] == [
        1, 2, 3, 4, 3, 3, 4, 4, 3, 4, 4,
    ]  # fmt: skip


def test_what_is_no_film_has_no_sheet(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"nonsense" * 100)
    with pytest.raises(AnyFastError, match=r"a\.mp4 cannot be read as a film"):
        frames_sheet(path, 6)
