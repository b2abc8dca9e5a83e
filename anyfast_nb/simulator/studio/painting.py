"""Making a picture: one moment of the scene a prompt asks for, with what was sent along composed in."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from PIL import Image

from anyfast_nb.simulator.studio.inputs import open_picture
from anyfast_nb.simulator.studio.overlay import framed_picture, lower_third, mark
from anyfast_nb.simulator.studio.planes import Planes, patch_of
from anyfast_nb.simulator.studio.scene import Scene
from anyfast_nb.simulator.studio.words import read_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image as Picture

    from anyfast_nb.simulator.studio.values import Art

_JPEG_QUALITY = 90
_PRINTS_MOST = 16
_MOMENT_S = 1.3  # of the scene's movement: nothing is at its start


def paint(art: Art) -> bytes:
    """See `anyfast_nb.simulator.studio.picture`."""
    if art.width < 1 or art.height < 1:
        raise ValueError(f"a picture of {art.width}x{art.height} has no pixels")
    made = _compose(art).crop((0, 0, art.width, art.height))
    out = io.BytesIO()
    if art.format == "png":
        made.save(out, "PNG", compress_level=1)
    else:
        made.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _compose(art: Art) -> Picture:
    """At least as large as asked, with even sides."""
    width, height = max(2, art.width + art.width % 2), max(2, art.height + art.height % 2)
    theme = read_prompt(art.prompt, seed=art.seed * 1009 + art.index)
    planes = Planes(width, height)
    Scene(theme, width, height, _MOMENT_S).lay(planes, _MOMENT_S)
    for print_, x, y in _prints(art, width, height):
        patch_of(print_).lay(planes, x, y)
    note = f"{art.index + 1} of {art.count}" if art.count > 1 else ""
    edge = round(min(width, height) * 0.047)
    mark(width, height, large=art.watermark, note=note).lay(planes, edge, edge)
    third, top = lower_third(
        art.prompt, f"{art.width} x {art.height}{' · ' if note else ''}{note}", width, height
    )
    third.lay(planes, 0, top)
    return planes.rgb()


def _prints(art: Art, width: int, height: int) -> Iterator[tuple[Picture, float, float]]:
    """Every reference as a print, in rows above the text, the whole picture visible, slightly turned."""
    shown = art.references[:_PRINTS_MOST]
    if not shown:
        return
    left, top, wide, tall = _wall(width, height, len(shown))
    columns, rows = _grid(len(shown), wide, tall)
    room = (wide / columns, tall / rows)
    unit = min(room) / 230
    for number, still in enumerate(shown):
        found = open_picture(still.data, at_most=(round(room[0]), round(room[1])))
        ratio = found.width / found.height if found else 4 / 3
        high = min(room[1] * 0.8, room[0] * 0.86 / ratio)
        size = (max(8, round(high * ratio)), max(8, round(high)))
        card = framed_picture(found, still.label, size, unit)
        tilt = (2.2, -1.6, 1.2, -2.4)[(number + art.index) % 4]
        card = card.rotate(tilt, Image.Resampling.BILINEAR, expand=True)
        row, column = divmod(number, columns)
        here = min(columns, len(shown) - row * columns)
        x = left + (wide - here * room[0]) / 2 + (column + 0.5) * room[0] - card.width / 2
        yield card, x, top + (row + 0.5) * room[1] - card.height / 2


def _wall(width: int, height: int, count: int) -> tuple[float, float, float, float]:
    """Where prints hang: left, top, width, height. Beside the first figure, or above it."""
    if count <= 4 and width >= height * 0.9:
        return width * 0.47, height * 0.06, width * 0.51, height * 0.62
    return width * 0.03, height * 0.09, width * 0.94, height * (0.4 if height > width else 0.5)


def _grid(count: int, width: float, height: float) -> tuple[int, int]:
    """Columns and rows that leave each of some prints the most room."""

    def side(columns: int) -> float:
        return min(width / columns, height / math.ceil(count / columns) * 4 / 3)

    columns = max(range(1, count + 1), key=side)
    return columns, math.ceil(count / columns)
