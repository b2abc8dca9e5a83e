"""Opening what was sent along: pictures, clips and sounds. Whatever the bytes hold, nothing is raised."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from anyfast_nb.simulator.studio.values import Kind, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Image as Picture

# FFmpeg opens nearly anything as "video", a PNG and a web page too: only real formats count.
CLIP_FORMATS = frozenset({"mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv"})
SOUND_FORMATS = CLIP_FORMATS | {"mp3", "wav", "aac", "flac", "ogg", "aiff", "amr", "asf", "caf"}
MOST_PIXELS = 50_000_000  # of a picture: unpacked, more would not fit a small machine
MOST_CLIP_PIXELS = 4096 * 4096
SAMPLE_RATE = 44_100
_UNREADABLE = (av.FFmpegError, OSError, ValueError, MemoryError, SyntaxError, EOFError, IndexError, TypeError)

Samples = npt.NDArray[np.float32]


def open_picture(data: bytes | None, *, at_most: tuple[int, int] = (4096, 4096)) -> Picture | None:
    """The picture upright in RGB, transparent areas on white; None if it is none or far too large.

    Args:
        data: the encoded bytes.
        at_most: the size it will be shown at; a large JPEG is then decoded at a fraction.
    """
    if not data:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of big pictures; the limit decides
        try:
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                image.draft("RGB", (at_most[0], at_most[1]))
                return _on_white(ImageOps.exif_transpose(image))
        except (*_UNREADABLE, Image.DecompressionBombError):
            return None


def _on_white(image: Picture) -> Picture:
    if image.mode in {"P", "LA", "PA", "RGBA", "RGBa", "La"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")


def fill_frame(picture: Picture, width: int, height: int) -> Picture:
    """The picture scaled and cut to a frame: nothing is stretched, no bars are left."""
    if picture.size == (width, height):
        return picture
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def thumbnail(picture: Picture, width: int, height: int) -> Picture:
    """The same, small and quick: whole pixels are averaged first."""
    fewer = min(picture.width // width, picture.height // height)
    return fill_frame(picture.reduce(fewer) if fewer > 1 else picture, width, height)


# --- clips --------------------------------------------------------------------------------------


class ClipReader:
    """The frames of a clip, upright; an unreadable clip has none."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def frames(self, *, keys_only: bool = False) -> Iterator[Any]:
        """PyAV's frames in order, until the end or to where the data is broken."""
        if not self._data:
            return
        try:
            with av.open(io.BytesIO(self._data), mode="r") as container:
                stream = _moving(container)
                if stream is None:
                    return
                if keys_only:
                    stream.codec_context.skip_frame = "NONKEY"
                yield from container.decode(stream)
        except _UNREADABLE:
            return

    def last_picture(self) -> Picture | None:
        """The last frame."""
        if not self._data:
            return None
        try:
            return _last_picture(io.BytesIO(self._data))
        except _UNREADABLE:
            return None

    def looks(self, most: int, size: tuple[int, int]) -> list[Picture]:
        """A few small pictures of it, spread over its length as far as its key frames are."""
        found: list[Picture] = []
        for frame in self.frames(keys_only=True):
            found.append(thumbnail(upright(frame), *size))
            if len(found) > 2 * most:
                found = found[::2]
        return found[:most]


def upright(frame: Any) -> Picture:
    """A frame as it is to be seen."""
    picture: Picture = frame.to_image()
    turned = int(getattr(frame, "rotation", 0) or 0)
    return picture.rotate(turned, expand=True) if turned else picture


def _moving(container: Any) -> Any:
    """The picture track of a real clip, or None."""
    if not CLIP_FORMATS & set(container.format.name.split(",")):
        return None
    for stream in container.streams.video:
        context = stream.codec_context
        cover = "attached_pic" in str(getattr(stream, "disposition", ""))
        if not cover and 0 < context.width * context.height <= MOST_CLIP_PIXELS:
            stream.thread_type = "AUTO"
            return stream
    return None


def _last_picture(source: Any) -> Picture | None:
    """The last frame, found from the end; a short file is read through."""
    with av.open(source, mode="r") as container:
        stream = _moving(container)
        if stream is None:
            return None
        for back_s in (2, 20, None):
            end = container.duration
            if back_s is not None and (not end or end < back_s * 1_000_000):
                continue
            container.seek(0 if back_s is None else int(end - back_s * 1_000_000))
            frame = None
            try:
                for decoded in container.decode(stream):
                    frame = decoded
            except av.FFmpegError:
                pass  # cut short: the last whole frame counts
            if frame is not None:
                return upright(frame)
    return None


def last_frame_png(path: Path) -> bytes:
    """The last frame of a film, as PNG."""
    try:
        found = _last_picture(str(path))
    except _UNREADABLE as error:
        raise ValueError(f"{path.name} is no readable film ({type(error).__name__})") from error
    if found is None:
        raise ValueError(f"{path.name} holds no frame")
    out = io.BytesIO()
    found.save(out, "PNG", compress_level=1)
    return out.getvalue()


# --- sounds -------------------------------------------------------------------------------------


def open_sound(data: bytes | None, *, seconds: float) -> Samples | None:
    """Up to some seconds of a sound (or of a clip's sound), 2 x n at 44.1 kHz; None if there is none."""
    if not data:
        return None
    wanted, parts = round(seconds * SAMPLE_RATE), []
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            if not SOUND_FORMATS & set(container.format.name.split(",")) or not container.streams.audio:
                return None
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
            have = 0
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    parts.append(piece.to_ndarray())
                    have += piece.samples
                if have >= wanted:
                    break
    except _UNREADABLE:
        pass  # what was decoded until here counts
    if not parts:
        return None
    joined = np.concatenate(parts, axis=1)[:, :wanted].astype(np.float32, copy=False)
    return np.nan_to_num(joined, nan=0.0, posinf=0.0, neginf=0.0)


# --- measuring ----------------------------------------------------------------------------------


def measure_input(data: bytes) -> Measured | None:
    """What the bytes are; None for what is no image, clip or sound."""
    return _measure_picture(data) or _measure_container(data)


def _measure_picture(data: bytes) -> Measured | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
                turned = image.getexif().get(0x0112, 1) in {5, 6, 7, 8}  # on its side
                width, height = (height, width) if turned else (width, height)
                return Measured(Kind.IMAGE, (image.format or "").lower(), width, height)
        except (*_UNREADABLE, Image.DecompressionBombError):
            return None


def _measure_container(data: bytes) -> Measured | None:
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            names = set(container.format.name.split(","))
            moving = _moving(container)
            if moving is not None:
                return _measure_clip(container, moving)
            if container.streams.audio and names & SOUND_FORMATS:
                stream = container.streams.audio[0]
                seconds = _real_seconds(container, stream)
                if seconds > 0:
                    codec = str(stream.codec_context.name).removesuffix(
                        "float"
                    )  # FFmpeg's name for mp3 is its decoder's
                    return Measured(Kind.SOUND, codec, duration_s=seconds, has_audio=True)
    except _UNREADABLE:
        pass
    return None


def _measure_clip(container: Any, stream: Any) -> Measured | None:
    first = next(container.decode(stream), None)
    if first is None:
        return None
    width, height = first.width, first.height
    if int(getattr(first, "rotation", 0) or 0) % 180:
        width, height = height, width
    container.seek(0)
    seconds = _real_seconds(container, stream)
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return Measured(
        Kind.CLIP,
        str(stream.codec_context.name),
        width,
        height,
        seconds,
        rate,
        has_audio=bool(container.streams.audio),
    )


def _real_seconds(container: Any, stream: Any) -> float:
    """Seconds by the packets that are there: a file cut short still states its full length."""
    begin, end = None, 0.0
    try:
        for packet in container.demux(stream):
            if packet.pts is None or packet.size == 0:
                continue
            at = float(packet.pts * packet.time_base)
            begin = at if begin is None else min(begin, at)
            end = max(end, at + float((packet.duration or 0) * packet.time_base))
    except _UNREADABLE:
        pass  # what was read until here counts
    return round(max(0.0, end - (begin or 0.0)), 3)
