"""Pictures out of files on disk: the frames of a film, and small copies to show."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from anyfast_nb.errors import AnyFastError

_TAIL_S: Final = 1.5  # from here before the end the last frame is looked for first
_QUALITY: Final = 82


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of a picture, and how large the picture itself is."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int


def last_frame(path: Path) -> bytes:
    """The last frame of a film, as PNG.

    Raises:
        AnyFastError: the file holds no frame that can be decoded.
    """
    frame = _decoded(path, tail=True) or _decoded(path, tail=False)
    if frame is None:
        raise AnyFastError(f"{path.name} holds no frame that can be read", hint="Download it again.")
    file = io.BytesIO()
    frame.to_image().save(file, format="PNG")
    return file.getvalue()


def poster(path: Path, *, longest: int = 640) -> Thumbnail | None:
    """A film's first frame as a small JPEG; None if it cannot be decoded.

    Args:
        path: the film.
        longest: pixels of the longer side, at most.
    """
    import av

    try:
        with av.open(str(path)) as container:
            frames: Any = container.decode(video=0)
            for frame in frames:
                return _small(frame.to_image(), longest)
    except (av.FFmpegError, OSError, IndexError):
        pass
    return None


def thumbnail(path: Path | BinaryIO, *, longest: int = 640) -> Thumbnail | None:
    """A picture as a small JPEG, or PNG if it is see-through; None if it cannot be read.

    Args:
        path: the picture, or an open file of it.
        longest: pixels of the longer side, at most.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return _small(image, longest)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def open_image(path: Path) -> Any:
    """The picture as a PIL image, loaded: the file is closed again.

    Raises:
        OSError: it is not there, or no picture.
    """
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        return image.copy()


def _decoded(path: Path, *, tail: bool) -> Any:
    """The last frame that can be decoded, from near the end or from the beginning; None if there is none."""
    import av

    frame: Any = None
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if tail and stream.duration and stream.time_base:
                end_s = float(stream.duration * stream.time_base)
                place = max(0, int((end_s - _TAIL_S) / stream.time_base))
                container.seek(place, stream=stream, backward=True)
            for frame in container.decode(stream):  # noqa: B007 - the last one counts
                pass
    except (av.FFmpegError, OSError, IndexError):
        pass
    return frame


def _small(image: Any, longest: int) -> Thumbnail:
    width, height = image.size
    image.draft(None, (longest, longest)) if image.format == "JPEG" else None
    seen_through = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    small = image.convert("RGBA" if seen_through else "RGB")
    small.thumbnail((longest, longest))
    file = io.BytesIO()
    if seen_through:
        small.save(file, format="PNG")
    else:
        small.save(file, format="JPEG", quality=_QUALITY)
    return Thumbnail(file.getvalue(), "image/png" if seen_through else "image/jpeg", width, height)


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            return width, height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
