"""The sheet that charts are drawn on: a figure of its own, dressed for light and dark.

Nothing here touches what belongs to the user: no pyplot, no backend, no
rcParams. A figure is drawn by Agg when it is looked at.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from matplotlib import font_manager, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import EngFormatter
from matplotlib.transforms import blended_transform_factory

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.views.palette import PALETTES, THEMES, Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_DPI: Final = 100  # pixels of the page for an inch of the figure
_DPI: Final = 2 * SHOWN_DPI  # sharp on screens with twice the pixels
TEXT: Final = 9.5
SMALL: Final = 8.5
_LABEL_CHARS: Final = 38
_LABEL_CHARS_BESIDE: Final = 22  # where charts stand side by side
# Fonts with Chinese, Japanese or Korean, one of which most machines have.
_CJK_FONTS: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Heiti TC", "STHeiti", "Droid Sans Fallback", "Noto Sans CJK JP", "Noto Sans CJK KR",
    "Arial Unicode MS", "Yu Gothic", "MS Gothic", "Malgun Gothic", "Apple SD Gothic Neo",
)  # fmt: skip


class Chart(Figure):
    """A figure that shows itself in a notebook and stays there, with a sentence of what it says."""

    says: str = ""

    def png(self) -> bytes:
        """The picture, at twice the pixels it is shown at."""
        from PIL import Image

        canvas: Any = FigureCanvasAgg(self)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
            canvas.draw()
        # Charts have few colours: with a palette of 256 they look the same and weigh a quarter.
        picture = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
        few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        kept = io.BytesIO()
        few.save(kept, "PNG", optimize=True, dpi=(_DPI, _DPI))
        return kept.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from anyfast_nb.render.chart import chart_bundle

        return chart_bundle(self.png(), says=self.says, width=round(self.get_figwidth() * SHOWN_DPI))


def palette_of(theme: str) -> Palette:
    """The colours of a theme.

    Raises:
        InputError: there is no such theme.
    """
    if theme not in THEMES:
        raise InputError(
            f"theme={theme!r} is no theme", field="theme", hint=f"Write one of {', '.join(THEMES)}."
        )
    return PALETTES[theme]


def guest_palette(theme: str) -> Palette:
    """The colours on axes that somebody brought: the series' are the theme's, those of text theirs.

    Raises:
        InputError: there is no such theme.
    """
    ink = to_hex(rcParams["text.color"])
    return replace(palette_of(theme), background="none", ink=ink, quiet=ink, guest=True)


def sheet(palette: Palette, *, width: float, height: float) -> Chart:
    """An empty figure of so many inches."""
    figure = Chart(
        figsize=(width, height),
        dpi=_DPI,
        facecolor=palette.background,
        edgecolor="none",
        layout="constrained",
    )
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.1, h_pad=0.08)
    return figure


def dress(axes: Axes, palette: Palette, *, title: str, grid: str = "y", explained: bool = True) -> None:
    """Give axes the quiet look: two spines, a grid one way, colours of the theme.

    Args:
        axes: empty ones.
        palette: the colours.
        title: above, to the left.
        grid: the direction in which figures are read: x or y.
        explained: a legend will stand below the title.

    Axes that somebody brought keep their look, and their title if they have one; else it stands where
    theirs would, so that a title they set afterwards takes its place.
    """
    if palette.guest:
        if not any(axes.get_title(loc=place) for place in ("left", "center", "right")):
            axes.set_title(title)
        return
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == ("left" if grid == "x" else "bottom"))
        spine.set_color(palette.quiet)
        spine.set_linewidth(0.8)
    axes.grid(False)
    axes.grid(True, axis="x" if grid == "x" else "y", color=palette.grid, linewidth=0.8, linestyle="-")
    axes.set_axisbelow(True)
    axes.tick_params(
        which="both", colors=palette.quiet, labelsize=SMALL, length=0, top=False, right=False, pad=4
    )
    axes.minorticks_off()
    axes.set_title(
        title, loc="left", color=palette.ink, fontsize=TEXT + 1, fontweight="bold",
        pad=24 if explained else 9, y=1.0, parse_math=False,
    )  # fmt: skip


def name_axis(axes: Axes, palette: Palette, *, x: str = "", y: str = "") -> None:
    """Say what the axes are, with units."""
    if palette.guest:
        axes.set_xlabel(axes.get_xlabel() or x)
        axes.set_ylabel(axes.get_ylabel() or y)
        return
    axes.set_xlabel(x, color=palette.quiet, fontsize=SMALL, parse_math=False)
    axes.set_ylabel(y, color=palette.quiet, fontsize=SMALL, parse_math=False)


def legend(axes: Axes, palette: Palette, *, handles: list[Any] | None = None, wide: bool = False) -> None:
    """The legend in a row between the title and the drawing.

    Args:
        axes: what it belongs to.
        palette: the colours.
        handles: what it explains; by default what has a label.
        wide: it begins at the figure's edge, to have room.
    """
    if palette.guest:
        axes.legend(handles=handles or axes.get_legend_handles_labels()[0])
        return
    edge = blended_transform_factory(axes.figure.transSubfigure, axes.transAxes) if wide else axes.transAxes
    if handles is None:
        handles = axes.get_legend_handles_labels()[0]
    made = axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.005 if wide else -0.01, 0.99),
        bbox_transform=edge,
        ncols=max(len(handles), 1),
        frameon=False,
        fontsize=SMALL,
        labelcolor=palette.quiet,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
    made.set_in_layout(False)


def say(axes: Axes, palette: Palette, text: str) -> None:
    """A line in the middle of empty axes."""
    if not palette.guest:  # theirs may share their ticks with others
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xticks([])
        axes.set_yticks([])
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=palette.quiet,
        fontsize=TEXT, parse_math=False,
    )  # fmt: skip


def note(axes: Axes, palette: Palette, text: str) -> None:
    """A small line below the drawing."""
    if palette.guest:  # whatever lays them out makes room for it
        axes.set_xlabel(f"{axes.get_xlabel()}\n{text}".lstrip())
        return
    axes.annotate(
        text, xy=(0, 0), xycoords="axes fraction", xytext=(0, -34), textcoords="offset points", ha="left",
        va="top", color=palette.quiet, fontsize=SMALL - 0.5, parse_math=False, annotation_clip=False,
    )  # fmt: skip


def texts_of(axes: Axes) -> set[Text]:
    """What is written there already, and what its owner may still write: titles and labels."""
    own = {axes.title, axes.xaxis.label, axes.yaxis.label}
    return own | {text for text in axes.findobj(Text) if isinstance(text, Text) and text.get_text()}


def finish(drawn: Figure | Axes, *, theirs: Collection[Text] | None = None) -> None:
    """Make every text plain text, in a font that has its letters if there is one.

    Args:
        drawn: what was drawn on.
        theirs: texts that were there before; with it ours go in their font.
    """
    plain, families = ["DejaVu Sans"], ["DejaVu Sans", *_cjk_fonts()]
    for text in drawn.findobj(Text):
        assert isinstance(text, Text)
        if theirs is not None and text in theirs:
            continue
        text.set_parse_math(False)
        text.set_usetex(False)
        if theirs is not None:
            text.set_fontfamily([*text.get_fontfamily(), *_cjk_fonts()])
            continue
        # Titles are ours, and bold: of few other fonts there is a bold one, which matplotlib would tell.
        text.set_fontfamily(plain if text.get_fontweight() == "bold" else families)


@cache
def _cjk_fonts() -> tuple[str, ...]:
    """Those that this machine has, the first two: asking for another one makes matplotlib complain."""
    return cjk_fonts({font.name for font in font_manager.fontManager.ttflist})


def cjk_fonts(known: set[str]) -> tuple[str, ...]:
    """Of the fonts known to have Chinese, Japanese or Korean, the first two that are there."""
    return tuple(name for name in _CJK_FONTS if name in known)[:2]


def short(value: float) -> str:
    """A figure in few letters: 950, 12.3k, 1.2M, 0.0042."""
    if value and abs(value) < 1:
        return f"{value:.2g}"
    text = EngFormatter(places=1, sep="")(value)
    number, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
    return f"{number.removesuffix('.0')}{unit}"


def label_chars(axes: Axes) -> int:
    """How long a name may be that stands beside these axes."""
    return _LABEL_CHARS if axes.get_window_extent().width / axes.figure.dpi > 4 else _LABEL_CHARS_BESIDE


def label(text: str, *, chars: int = _LABEL_CHARS) -> str:
    """A name as it stands at an axis: one line, not too long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"
