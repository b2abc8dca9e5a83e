"""Contact sheets: frames of films side by side, each with its time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from anyfast_nb.media.reel import no_film

_LONGEST: Final = 320  # pixels of a frame on the sheet
_GAP: Final = 12
_LINE: Final = 24
_LETTER: Final = 15
_PAPER: Final = (255, 255, 255)
_INK: Final = (64, 64, 64)
_MOST_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class Tile:
    """A frame on a sheet.

    Attributes:
        image: a PIL image.
        words: what stands below it.
    """

    image: Any = field(repr=False)
    words: str


def frames_sheet(film: Path, n: int) -> bytes:
    """Frames of a film, evenly spread from the first to the last, as one PNG.

    Args:
        film: the file.
        n: how many, at least 1; a film of fewer frames gives those.

    Raises:
        AnyFastError: it holds no frame that can be decoded.
    """
    tiles = [Tile(_small(frame), f"{float(time):.2f} s") for time, frame in _spread(film, n)]
    return sheet(tiles, columns=columns_for(len(tiles)))


def seams_sheet(films: Sequence[Path], names: Sequence[str]) -> bytes:
    """The last frame of each film beside the first of the next, a seam in each row, as one PNG.

    Args:
        films: two at least, in their order.
        names: what each is called.

    Raises:
        AnyFastError: one holds no frame that can be decoded.
    """
    ends = [_ends(film) for film in films]
    tiles = []
    for index in range(len(films) - 1):
        (last_time, last), (first_time, first) = ends[index][1], ends[index + 1][0]
        tiles.append(Tile(_small(last), f"{names[index]}, end · {float(last_time):.2f} s"))
        tiles.append(Tile(_small(first), f"{names[index + 1]}, beginning · {float(first_time):.2f} s"))
    return sheet(tiles, columns=2)


def columns_for(count: int) -> int:
    """How many frames stand in a row: rows of the same length where that can be.

    Example:
        >>> [columns_for(count) for count in (1, 3, 4, 6, 8, 12)]
        [1, 3, 4, 3, 4, 4]
    """
    if count <= _MOST_COLUMNS:
        return max(1, count)
    return min((4, 3), key=lambda columns: (-count % columns, -columns))


def sheet(tiles: Sequence[Tile], *, columns: int) -> bytes:
    """Frames in rows on white, their words below them, as PNG."""
    from PIL import Image, ImageDraw

    width = max(tile.image.width for tile in tiles)
    height = max(tile.image.height for tile in tiles)
    rows = -(-len(tiles) // columns)
    size = (_GAP + columns * (width + _GAP), _GAP + rows * (height + _LINE + _GAP))
    paper = Image.new("RGB", size, _PAPER)
    pen, font = ImageDraw.Draw(paper), _font()
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        left = _GAP + column * (width + _GAP)
        top = _GAP + row * (height + _LINE + _GAP)
        paper.paste(tile.image, (left + (width - tile.image.width) // 2, top + height - tile.image.height))
        pen.text((left, top + height + 4), _cut(tile.words, font, width), fill=_INK, font=font)
    file = io.BytesIO()
    paper.save(file, format="PNG")
    return file.getvalue()


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(_LETTER)


def _cut(words: str, font: Any, width: int) -> str:
    """As much of the words as fits."""
    if font.getlength(words) <= width:
        return words
    while words and font.getlength(words + "…") > width:
        words = words[:-1]
    return words + "…"


def _small(frame: Any) -> Any:
    image = frame.to_image()
    image.thumbnail((_LONGEST, _LONGEST))
    return image


# --- frames -------------------------------------------------------------------------------


def _spread(film: Path, n: int) -> list[tuple[Fraction, Any]]:
    """That many frames with their times in seconds, the first and the last among them."""
    times = _times(film)
    count = min(n, len(times))
    chosen = [times[round(index * (len(times) - 1) / max(1, count - 1))] for index in range(count)]
    found = _frames_at(film, chosen)
    return [(time, found[time]) for time in chosen if time in found] or _nothing(film)


def _ends(film: Path) -> tuple[tuple[Fraction, Any], tuple[Fraction, Any]]:
    times = _times(film)
    found = _frames_at(film, [times[0], times[-1]])
    kept = [(time, frame) for time, frame in sorted(found.items())] or _nothing(film)
    return kept[0], kept[-1]


def _nothing(film: Path) -> Any:
    raise no_film(film, ValueError("no frame"))


def _times(film: Path) -> list[Fraction]:
    """When each frame is shown, from the first one on; nothing is decoded."""
    import av

    try:
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            tick = Fraction(stream.time_base or 1)
            ticks = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
            return [(time - ticks[0]) * tick for time in ticks] or _nothing(film)
    except (av.FFmpegError, OSError, IndexError) as error:
        raise no_film(film, error) from None


def _frames_at(film: Path, times: Sequence[Fraction]) -> dict[Fraction, Any]:
    """The frames of these times, decoded from the key frame before each; damaged ones are left out."""
    import av

    found: dict[Fraction, Any] = {}
    try:
        with av.open(str(film)) as container:
            stream: Any = container.streams.video[0]
            tick = Fraction(stream.time_base or 1)
            start = stream.start_time or 0
            for time in dict.fromkeys(times):
                container.seek(round(time / tick) + start, stream=stream, backward=True)
                for frame in container.decode(stream):
                    found[time] = frame  # the last one, should the film end before
                    if frame.pts is not None and (frame.pts - start) * tick >= time:
                        break
    except (av.FFmpegError, OSError, IndexError) as error:
        if not found:
            raise no_film(film, error) from None
    return found
