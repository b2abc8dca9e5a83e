"""Looking at one picture with Pillow."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from anyfast_nb.simulator.looking.colours import halves, main_colours, small_rgb
from anyfast_nb.simulator.looking.views import View
from anyfast_nb.simulator.request import PartKind

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Beyond this only the header is read: unpacked it would not fit in a small machine's memory.
LOOK_LIMIT_PIXELS = 60_000_000


def look_at_picture(data: bytes) -> View:
    """Size, format and main colours of an encoded picture; never raises for what the bytes hold."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of big pictures; the limit below decides
        try:
            with Image.open(io.BytesIO(data)) as image:
                return _measure(image, len(data))
        except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
            problem = f"the data is no readable picture ({type(error).__name__})"
            return View(kind=PartKind.IMAGE, size_bytes=len(data), problem=problem)


def _measure(image: ImageFile, size_bytes: int) -> View:
    width, height = image.size
    seen = View(
        kind=PartKind.IMAGE, size_bytes=size_bytes, format=image.format or "", width=width, height=height
    )
    if width * height > LOOK_LIMIT_PIXELS:
        return replace(seen, problem="only its header was read: it has too many pixels to unpack here")
    try:
        image.draft("RGB", (256, 256))  # a JPEG is decoded at a fraction of its size
        small = small_rgb(image)
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        return replace(seen, problem=f"its header is whole, its pixels are not ({type(error).__name__})")
    return replace(seen, colours=main_colours(small), halves=halves(small))
