"""Colours of the charts: every one reads at 3:1 or better on its background, colour-blind or not.

The series are Okabe and Ito's colours, which differ for every kind of colour
vision; on white the light ones are darkened until they read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark", "auto"]
THEMES: Final = ("light", "dark", "auto")
# Where pictures without a background are looked at: JupyterLab and Notebook, VS Code, exported HTML.
BACKGROUNDS: Final = {"light": ("#ffffff",), "dark": ("#111111",), "auto": ("#ffffff", "#111111", "#1e1e1e")}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme.

    Attributes:
        background: the figure's own, or "none".
        ink: titles and figures.
        quiet: axes and their labels.
        grid: lines that only guide the eye; they may be faint.
        series: in the order they are used.
        guest: it is for axes that somebody brought: their frame, title, letters and colours of text stay.
    """

    background: str
    ink: str
    quiet: str
    grid: str
    series: tuple[str, ...]
    guest: bool = False


# Blue, vermillion, bluish green, reddish purple, amber, grey.
_MIDDLE: Final = ("#0077bb", "#d55e00", "#009e73", "#bb6699", "#a87900", "#7a7a7a")

PALETTES: Final[dict[str, Palette]] = {
    "light": Palette("#ffffff", "#1f1f1f", "#5c5c5c", "#e4e4e4", _MIDDLE),
    "dark": Palette(
        "#111111",
        "#ececec",
        "#a8a8a8",
        "#333333",
        ("#56b4e9", "#e8743b", "#1fbf92", "#cc79a7", "#e69f00", "#9a9a9a"),
    ),
    # No background of its own: middle tones read on white and on black alike.
    "auto": Palette("none", "#7b7b7b", "#7b7b7b", "#80808040", _MIDDLE),
}

HATCHES: Final = ("", "////", "....", "xxxx", "\\\\\\\\", "----")
"""Beside each series' colour, so that none is told by colour alone."""


def contrast(colour: str, background: str) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2 counts it."""
    bright, dark = sorted((_luminance(colour), _luminance(background)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
