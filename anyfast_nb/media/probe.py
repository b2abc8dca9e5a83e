"""What a file's own header says: pixels, length, rate, codec, and whether the file is whole.

Nothing is decoded. What cannot be read is unknown, and never an error.

Source: the formats' own specifications.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from anyfast_nb.media.mp3 import mp3_duration_s
from anyfast_nb.media.mp4 import Movie, read_movie, read_still
from anyfast_nb.media.sniff import Format, Kind

_PIL_FORMATS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
    "image/heic": "HEIF",  # a plug-in's: PIL itself has none
}
_ORIENTATION: Final = 0x0112
_LYING: Final = frozenset({5, 6, 7, 8})  # the camera was turned: width is height
_WITH_BOXES: Final = frozenset({"video/mp4", "video/quicktime"})
_OWN_CHARSET: Final = frozenset({"text/plain", "text/markdown", "text/csv", "text/tab-separated-values"})


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says about itself; None and "" are unknown.

    Attributes:
        width: in pixels, as a person sees the picture.
        height: in pixels.
        duration_s: in seconds.
        fps: frames per second.
        codec: such as ``h264``, ``mp3``, ``pcm``.
        broken: what is wrong with the file, to follow "photo.jpg is "; "" if nothing is.
    """

    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    codec: str = ""
    broken: str = ""


def probe(data: bytes, found: Format, *, need_duration: bool = False) -> Probe:
    """Read the header of a file.

    Args:
        data: the whole file.
        found: its format.
        need_duration: look further if the header does not say how long a clip is.
    """
    if found.kind is Kind.IMAGE:
        width, height = _pixels(data, found.media_type)
        check = _IMAGE_ENDS.get(found.media_type)
        return Probe(
            width, height, broken="" if check is None or check(data) else "cut off: its end is missing"
        )
    if found.kind is Kind.VIDEO:
        return _clip(data, need_duration=need_duration) if found.media_type in _WITH_BOXES else Probe()
    if found.kind is Kind.AUDIO:
        return _sound(data, found)
    return Probe(broken=_document_fault(data, found.media_type))


def opened(data: bytes, media_type: str) -> Any | None:
    """The PIL image of a file, its pixels not yet read; None if PIL cannot read it.

    PIL's own `open` warns of large pictures, and refuses very large ones before it says how
    large they are; here the size is wanted, and the limits are ours.
    """
    from PIL import Image

    name = _PIL_FORMATS.get(media_type)
    try:
        Image.preinit()
        if name not in Image.OPEN:
            Image.init()
        return Image.OPEN[name][0](io.BytesIO(data), "") if name in Image.OPEN else None
    except Exception:  # noqa: BLE001 - a decoder fails in many ways on broken bytes
        return None


def is_turned(image: Any) -> bool:
    """Whether the camera's note says that width and height change places."""
    try:
        return image.getexif().get(_ORIENTATION) in _LYING
    except Exception:  # noqa: BLE001 - a broken note says nothing
        return False


def _pixels(data: bytes, media_type: str) -> tuple[int | None, int | None]:
    image = opened(data, media_type)
    if image is None:
        return (read_still(data) if media_type in {"image/heic", "image/avif"} else None) or (None, None)
    width, height = image.size
    return (height, width) if is_turned(image) else (width, height)


def _clip(data: bytes, *, need_duration: bool) -> Probe:
    movie = read_movie(data)
    if movie.missing_bytes:
        return Probe(broken=f"cut off: {movie.missing_bytes:,} bytes of it are missing")
    broken = ""
    if not movie.has_index:
        broken = "cut off: its index (the box moov) is missing"
    elif movie.tracks and "vide" not in movie.tracks:
        broken = "a sound without pictures"
    duration_s, fps = movie.duration_s, movie.fps
    if duration_s is None and need_duration and movie.tracks:
        duration_s, fps = _counted(data, movie)
    return Probe(movie.width, movie.height, duration_s, fps, movie.codec, broken)


def _counted(data: bytes, movie: Movie) -> tuple[float | None, float | None]:
    """Length and rate of a clip in fragments, as browsers and screen recorders write them."""
    import av

    try:
        with av.open(io.BytesIO(data), format="mov", mode="r") as container:
            stream = container.streams.video[0]
            tick_s = float(stream.time_base or 0)
            times = [
                (packet.pts * tick_s, (packet.duration or 0) * tick_s)
                for packet in container.demux(stream)
                if packet.pts is not None
            ]
    except Exception:  # noqa: BLE001 - a decoder fails in many ways on broken bytes
        return None, movie.fps
    if not times:
        return None, movie.fps
    duration_s = max(start + length for start, length in times) - min(start for start, _ in times)
    return duration_s or None, len(times) / duration_s if duration_s > 0 else movie.fps


def _sound(data: bytes, found: Format) -> Probe:
    if found.media_type == "audio/wav":
        return _wav(data)
    if found.media_type == "audio/mpeg":
        duration_s = mp3_duration_s(data)
        broken = "" if duration_s else "no MP3: there is no sound in it"
        return Probe(duration_s=duration_s, codec="mp3", broken=broken)
    return Probe()


def _wav(data: bytes) -> Probe:
    """Length by the bytes per second and the size of the samples."""
    rate, codec = 0, ""
    for name, start, size in _chunks(data):
        if name == b"fmt " and start + 12 <= len(data):
            code, _, _, rate = struct.unpack_from("<HHII", data, start)
            codec = {1: "pcm", 3: "pcm", 0xFFFE: "pcm"}.get(code, f"wav {code}")
        elif name == b"data":
            there = len(data) - start
            # A program that writes as it records leaves 0 or the largest number here.
            is_known = size not in {0, 2**32 - 1}
            missing = size - there if is_known else 0
            broken = f"cut off: {missing:,} bytes of it are missing" if missing > 0 else ""
            length = min(size, there) if is_known else there
            return Probe(duration_s=length / rate if rate else None, codec=codec, broken=broken)
    return Probe(codec=codec, broken="cut off: there is no sound in it")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk of a RIFF file."""
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        yield name, place + 8, size
        place += 8 + size + size % 2


def _jpeg_ends(data: bytes) -> bool:
    """Whether the end is there, behind the first scan: a preview inside the header has an end of its own."""
    place = 2
    while data[place : place + 1] == b"\xff" and place + 4 <= len(data):
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xDA:
            return data.find(b"\xff\xd9", place) >= 0
        place += 1 if marker == 0xFF else 2 + size
    return place < len(data)  # not the usual order: no judgement


def _webp_ends(data: bytes) -> bool:
    return int.from_bytes(data[4:8], "little") + 8 <= len(data) + 1  # the last byte may be padding


_IMAGE_ENDS: Final[dict[str, Callable[[bytes], bool]]] = {
    "image/png": lambda data: b"IEND" in data,
    "image/jpeg": _jpeg_ends,
    "image/webp": _webp_ends,
}


def _document_fault(data: bytes, media_type: str) -> str:
    if media_type == "application/pdf" and b"%%EOF" not in data:
        return "cut off: its end is missing"
    if media_type in _OWN_CHARSET or media_type == "application/json":
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return f"not in UTF-8 (byte {data[error.start]:#04x} at {error.start:,})"
    return ""
