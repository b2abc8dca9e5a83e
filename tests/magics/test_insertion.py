"""What a value becomes inside a prompt."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
import pytest
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.magics.insertion import as_text, told
from anyfast_nb.wire.values import Answer


def test_an_answer_goes_in_as_its_text() -> None:
    assert as_text("ans", Answer(text="forty-two")) == "forty-two"


def test_a_frame_goes_in_as_a_table_on_lines_of_its_own() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x|y", None]})
    assert as_text("df", frame) == "\n\n| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 |  |\n\n"


def test_a_named_index_is_a_column() -> None:
    frame = pd.DataFrame({"n": [3]}, index=pd.Index(["Oslo"], name="city"))
    assert as_text("df", frame).splitlines()[4] == "| Oslo | 3 |"


def test_a_series_and_a_styler_are_frames_too() -> None:
    assert "| s |" in as_text("s", pd.Series([1], name="s"))
    assert "| a |" in as_text("st", pd.DataFrame({"a": [1]}).style)


def test_fifty_rows_go_in_and_fifty_one_are_refused_with_the_way_out() -> None:
    assert as_text("df", pd.DataFrame({"a": range(50)})).count("\n") == 52 + 3
    with pytest.raises(InputError) as caught:
        as_text("df", pd.DataFrame({"a": range(51)}))
    assert "{{df.head(50)}}" in str(caught.value)


def test_a_picture_is_refused_with_the_option_that_takes_it() -> None:
    mpl.use("agg")
    from matplotlib.figure import Figure

    for picture in (Image.new("RGB", (2, 2)), Figure()):
        with pytest.raises(InputError, match="--image fig"):
            as_text("fig", picture)


def test_what_went_in_is_told_by_size() -> None:
    frame = pd.DataFrame({"a": range(5), "b": range(5)})
    assert told("df.head()", frame, "x" * 400) == "df.head(): 5 x 2, about 100 tokens"
    assert told("name", "Ada", "Ada") == "name: 3 characters, about 1 token"
