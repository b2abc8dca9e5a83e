"""Objects of a notebook that are pictures, clips or sounds, without being files."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from IPython import display

from anyfast_nb.errors import InputError
from anyfast_nb.media import Use, media_item
from tests.media.conftest import image_bytes

mpl.use("agg")


def is_picture(value: Any, *, label: str) -> bool:
    item = media_item(value, use=Use.CHAT_IMAGE)
    return (item.media_type, item.label) == ("image/png", label) and (item.width or 0) > 100


def test_every_plot_of_pandas_is_a_picture() -> None:
    from matplotlib import pyplot as plt

    frame = pd.DataFrame({"a": [1, 2, 3], "b": [3, 1, 2], "k": ["x", "x", "y"]})
    numbers = frame[["a", "b"]]
    for plot in (
        numbers.plot(),
        numbers.plot(subplots=True),
        numbers.hist(),
        frame["a"].plot.bar(),
        frame.groupby("k")["a"].plot(),
    ):
        assert is_picture(plot, label="figure")
    plt.close("all")


def test_an_object_that_draws_itself_is_a_picture() -> None:
    class Grid:
        def savefig(self, file: Any, **options: Any) -> None:
            assert options == {"format": "png"}
            file.write(image_bytes("PNG", width=200, height=150))

    class Formula:
        shown: Any = image_bytes("PNG", width=200, height=150)

        def _repr_png_(self) -> Any:
            return self.shown

    assert is_picture(Grid(), label="Grid")
    formula = Formula()
    for shown in (formula.shown, (formula.shown, {"width": 3}), base64.b64encode(formula.shown).decode()):
        formula.shown = shown
        assert is_picture(formula, label="Formula")
    formula.shown = None
    with pytest.raises(InputError, match="Formula is not an image"):
        media_item(formula, use=Use.CHAT_IMAGE)


def test_an_object_that_cannot_be_drawn_says_why() -> None:
    class Broken:
        def _repr_png_(self) -> bytes:
            raise ZeroDivisionError("no scale")

    with pytest.raises(InputError, match="Broken cannot be drawn: ZeroDivisionError: no scale"):
        media_item(Broken(), use=Use.CHAT_IMAGE)

    from matplotlib.figure import Figure

    figure = Figure()
    figure.suptitle(r"$\nonsense$")
    with pytest.raises(InputError, match="Figure cannot be drawn: ValueError"):
        media_item(figure, use=Use.CHAT_IMAGE)


def test_what_a_notebook_shows_can_be_sent(tmp_path: Path, clip: Callable[..., Path]) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(image_bytes("PNG", width=200, height=150))
    assert media_item(display.Image(filename=str(path)), use=Use.CHAT_IMAGE).width == 200
    assert media_item(display.Image(data=path.read_bytes()), use=Use.CHAT_IMAGE).width == 200
    url = "https://host.cn/cat.png"
    assert media_item(display.Image(url=url), use=Use.CHAT_IMAGE).url == url

    film = clip()
    assert media_item(display.Video(str(film)), use=Use.CHAT_VIDEO).label == "clip.mp4"
    assert media_item(display.Video(str(film), embed=True), use=Use.CHAT_VIDEO).width == 64
    text = base64.b64encode(film.read_bytes()).decode()
    assert media_item(display.Video(data=text, embed=True), use=Use.CHAT_VIDEO).width == 64
    assert media_item(display.Video(url="https://host.cn/a.mp4"), use=Use.CHAT_VIDEO).data is None

    tone = display.Audio(np.sin(np.arange(3 * 8000) / 9), rate=8000)
    assert media_item(tone, use=Use.SEEDANCE_AUDIO).duration_s == pytest.approx(3)


def test_an_object_of_another_kind_is_refused_for_a_clip() -> None:
    with pytest.raises(InputError, match="An object of type HTML is not a video"):
        media_item(display.HTML("<b>x</b>"), use=Use.CHAT_VIDEO)


def test_nothing_heavy_is_imported_for_clips_sounds_and_documents(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# a")
    code = """
import sys
from anyfast_nb.media import Use, media_item, table_markdown
media_item(sys.argv[1], use=Use.CHAT_VIDEO)
media_item(sys.argv[2], use=Use.DOCUMENT)
media_item("asset://a", use=Use.SEEDANCE_AUDIO)
assert table_markdown([1]) is None
print(sorted({"PIL", "numpy", "matplotlib", "av", "pandas", "IPython", "httpx"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip()), str(tmp_path / "a.md")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
