"""Frames as Markdown tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from anyfast_nb.media import table_markdown


def lines(value: Any, **options: Any) -> list[str]:
    table = table_markdown(value, **options)
    assert table is not None
    return table.splitlines()


@pytest.mark.parametrize("value", [None, 1, "a | b", [1], {"a": 1}, np.zeros((2, 2))])
def test_what_is_no_table_gives_none(value: Any) -> None:
    assert table_markdown(value) is None


def test_cells_are_escaped_and_stay_on_their_line() -> None:
    frame = pd.DataFrame({"a|b": ["x|y", "two\nlines", None], "n": [1.5, None, 2]})
    expected = ["| a\\|b | n |", "| --- | --- |", "| x\\|y | 1.5 |", "| two lines |  |", "|  | 2.0 |"]
    assert lines(frame) == expected


def test_many_rows_and_columns_are_counted() -> None:
    frame = pd.DataFrame(np.arange(1000 * 30).reshape(1000, 30))
    shown = lines(frame)
    assert len(shown) == 2 + 20 + 2
    assert shown[-1] == "… 980 more rows, 10 more columns"
    assert shown[0].count("|") == 21
    assert lines(frame, max_rows=999, max_columns=None)[-1] == "… 1 more row"
    assert lines(frame.style, max_columns=29)[-1] == "… 980 more rows, 1 more column"
    assert len(lines(frame, max_rows=None)) == 1000 + 4


def test_an_index_that_says_something_is_a_column() -> None:
    frame = pd.DataFrame({"n": [3]}, index=pd.Index(["Oslo"], name="city"))
    assert lines(frame) == lines(frame.style) == ["| city | n |", "| --- | --- |", "| Oslo | 3 |"]
    assert lines(frame, max_columns=1)[0] == "| city | n |"


def test_columns_of_several_levels_have_one_name() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["A"], ["x", "y"]]))
    assert lines(frame)[0] == lines(frame.style)[0] == "| A / x | A / y |"


def test_a_styled_frame_goes_in_as_it_looks() -> None:
    frame = pd.DataFrame(
        {"price": [1.25, 2, None], "secret": [1, 2, 3], "t": ["a|b", "<b>c</b>", "List<int>"]}
    )
    styler = frame.style.format({"price": "{:.1f} €"}, na_rep="none").hide(subset=["secret"], axis=1)
    assert lines(styler.highlight_max(subset=["price"])) == [
        "| price | t |",
        "| --- | --- |",
        "| 1.2 € | a\\|b |",
        "| 2.0 € | c |",
        "| none | List<int> |",
    ]
    assert lines(frame.style.hide(subset=[0, 1], axis=0))[2:] == [
        "|  | 3 | List<int> |".replace("|  |", "| nan |")
    ]


def test_a_series_is_a_table_of_one_column() -> None:
    assert lines(pd.Series([1, 2], name="s")) == ["| s |", "| --- |", "| 1 |", "| 2 |"]


def test_nothing_is_said_to_be_nothing() -> None:
    assert table_markdown(pd.DataFrame()) == "(a table without columns)"
    assert lines(pd.DataFrame({"a": []})) == ["| a |", "| --- |"]
