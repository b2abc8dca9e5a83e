"""The studio makes genuine films and pictures. Pure makers: no routes, no network, no clock.

The heavy libraries (numpy, PyAV, Pillow) are loaded when the first thing is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.simulator.studio.sizes import PIXELS, adaptive_ratio
from anyfast_nb.simulator.studio.values import Art, Clip, Kind, Measured, Shot, Sound, Still

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "PIXELS",
    "Art",
    "Clip",
    "Kind",
    "Measured",
    "Shot",
    "Sound",
    "Still",
    "adaptive_ratio",
    "film",
    "last_frame",
    "measure",
    "picture",
]


def film(shot: Shot, path: Path) -> None:
    """Make a film: MP4, H.264 (and AAC), exactly the pixels, frames and seconds asked, `moov` first.

    It is written beside ``path`` and renamed, so ``path`` is whole or absent. The same shot gives
    the same bytes on the same machine. Blocks for a CPU second or so: call it in a thread.

    Args:
        shot: what to film. A reference that cannot be reached or read becomes a labelled placeholder.
        path: where the file is to be; its folder exists.

    Raises:
        ValueError: the pixels are odd or the length is not positive.
        OSError: the disk said no.
    """
    from anyfast_nb.simulator.studio.filming import make_film

    make_film(shot, path)


def last_frame(path: Path) -> bytes:
    """The last frame of a film, as PNG.

    Raises:
        ValueError: the file holds no frame.
    """
    from anyfast_nb.simulator.studio.inputs import last_frame_png

    return last_frame_png(path)


def measure(data: bytes) -> Measured | None:
    """Kind, pixels and seconds of an input; None if it is no image, clip or sound. Never raises."""
    from anyfast_nb.simulator.studio.inputs import measure_input

    return measure_input(data)


def picture(art: Art) -> bytes:
    """Make a picture: JPEG or PNG of exactly the pixels asked, the references composed in.

    Raises:
        ValueError: a side is not positive.
    """
    from anyfast_nb.simulator.studio.painting import paint

    return paint(art)
