"""What a prompt's words ask for, and who writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.simulator.studio.figures import FIGURES
from anyfast_nb.simulator.studio.lettering import Letters
from anyfast_nb.simulator.studio.palette import palette_of
from anyfast_nb.simulator.studio.words import FIGURES as FIGURE_WORDS
from anyfast_nb.simulator.studio.words import TIMES, read_prompt


@pytest.mark.parametrize(
    ("prompt", "time", "place", "figures", "falling"),
    [
        ("A cat walks along the beach at sunset", "sunset", "sea", ("cat",), ""),
        ("Snowy mountains", "snow", "mountain", (), "snow"),
        ("NIGHT. The City!", "night", "city", (), ""),
        ("two cats and a dog in the woods", "forest", "forest", ("cat", "dog"), ""),
        ("a rocket leaves the galaxy", "space", "none", ("rocket",), ""),
        ("a sailing boat", "ocean", "sea", ("boat",), ""),
        ("夕阳下的海边，一只猫", "sunset", "sea", ("cat",), ""),
        ("雨夜的城市，一辆车", "night", "city", ("car",), "rain"),
    ],
)
def test_words_choose(prompt: str, time: str, place: str, figures: tuple[str, ...], falling: str) -> None:
    theme = read_prompt(prompt)
    assert (theme.time, theme.place, theme.figures, theme.falling) == (time, place, figures, falling)


def test_words_inside_other_words_say_nothing() -> None:
    assert read_prompt("education, carpet, catalogue, doggedly").figures == ()


def test_a_colour_is_the_figures_or_else_the_skys() -> None:
    cat = palette_of(read_prompt("a red cat at noon"))
    assert cat.ink[0] > cat.ink[1] + 100
    plain, red = palette_of(read_prompt("noon")), palette_of(read_prompt("red noon"))
    assert red.sky[1][0] - red.sky[1][2] > plain.sky[1][0] - plain.sky[1][2] + 80


def test_who_cannot_swim_stands_on_the_beach() -> None:
    assert read_prompt("a dog by the sea").beach
    assert not read_prompt("a ship on the sea").beach


def test_every_figure_and_time_that_has_words_can_be_drawn() -> None:
    assert set(FIGURE_WORDS) == set(FIGURES)
    for time in TIMES:
        palette_of(read_prompt(TIMES[time].split()[0]))


@given(st.text(max_size=200), st.integers(-(2**31), 2**31))
def test_any_prompt_has_a_theme_and_always_the_same(prompt: str, seed: int) -> None:
    theme = read_prompt(prompt, seed=seed)
    assert theme == read_prompt(prompt, seed=seed)
    palette_of(theme)


# --- letters ----------------------------------------------------------------------------------------

NO_FONTS = Letters(())


def font_with(characters: str, path: Path) -> None:
    """A font in which every character is a square."""
    names = {ord(character): f"g{ord(character)}" for character in characters}
    builder = FontBuilder(1000)
    order = [".notdef", *names.values()]
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square, nothing = pen.glyph(), TTGlyphPen(None).glyph()
    builder.setupGlyf({name: nothing if name == ".notdef" else square for name in order})
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Test", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def test_latin_needs_no_font_of_the_system() -> None:
    assert NO_FONTS.hand("A cat, 24 fps: 'hello'!").text == "A cat, 24 fps: 'hello'!"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("猫在海边", "[4 Chinese characters]"),
        ("A 猫， 海。 end", "A [2 Chinese characters] end"),
        ("кот and שלום", "[3 Cyrillic characters] and [4 Hebrew characters]"),
        ("Kätzchen – süß", "Katzchen - suss"),
        ("a🎈b", "a b"),
        ("a\x00\n\u202eb", "a b"),
        ("", ""),
    ],
)
def test_what_no_font_has_is_named(text: str, written: str) -> None:
    assert NO_FONTS.hand(text).text == written


def test_a_font_of_the_system_writes_what_it_has(tmp_path: Path) -> None:
    font_with("猫在海边，", tmp_path / "NotoSansCJK-Regular.ttf")
    (tmp_path / "wqy-broken.ttf").write_bytes(b"no font")
    fonts = Letters((tmp_path,))
    hand = fonts.hand("猫在海边，狗")
    assert hand.text == "猫在海边， [1 Chinese character]"
    assert fonts.hand("猫").width("猫猫", size=100) == 200
    assert fonts.hand("cat 猫").wrap(size=100, width=1000, lines=1) == ["cat 猫"]


def test_wide_characters_break_anywhere_but_not_before_a_mark(tmp_path: Path) -> None:
    font_with("猫在海边，", tmp_path / "NotoSansCJK-Regular.ttf")
    lines = Letters((tmp_path,)).hand("猫在海边，猫在海边，").wrap(size=10, width=41, lines=5)
    assert "".join(lines) == "猫在海边，猫在海边，"
    assert len(lines) > 1
    assert not any(line.startswith("，") for line in lines)


@given(st.text(alphabet="abc xyz", max_size=300), st.integers(40, 400), st.integers(1, 4))
def test_lines_fit(text: str, width: int, lines: int) -> None:
    hand = NO_FONTS.hand(text)
    made = hand.wrap(size=20, width=width, lines=lines)
    assert len(made) <= lines
    assert all(hand.width(line, size=20) <= width for line in made)
    if not any("…" in line for line in made):
        assert " ".join(made).split() == text.split()


def test_a_very_long_word_is_cut() -> None:
    (line,) = NO_FONTS.hand("x" * 500).wrap(size=20, width=200, lines=3)
    assert line.endswith("…")
