from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.wire.text import Halves, mended, one_line, without_controls


@pytest.mark.parametrize(
    ("text", "whole"),
    [("x \ud83d\ude00 y", "x 😀 y"), ("a\ud83d b", "a\ufffd b"), ("\ude00", "\ufffd"), ("é 北", "é 北")],
)
def test_halves_are_made_whole_or_replaced(text: str, whole: str) -> None:
    assert mended(text) == whole


@given(st.text(), st.lists(st.integers(0, 400), max_size=8))
def test_a_text_cut_anywhere_between_halves_comes_whole(text: str, cuts: list[int]) -> None:
    halves = text.encode("utf-16-le", "surrogatepass")
    units = [halves[i : i + 2].decode("utf-16-le", "surrogatepass") for i in range(0, len(halves), 2)]
    places = [0, *sorted(cut % (len(units) + 1) for cut in cuts), len(units)]
    pieces = ["".join(units[a:b]) for a, b in itertools.pairwise(places)]
    taking = Halves()
    assert "".join(taking.take(piece) for piece in pieces) == text


def test_foreign_words_become_one_harmless_line() -> None:
    assert one_line("a\x1b[2J\x1b]0;pwn\x07b\rOK\nl2\t x") == "a [2J ]0;pwn b OK l2 x"
    assert without_controls("a\x1b[31m\n\tb") == "a\ufffd[31m\n\tb"
