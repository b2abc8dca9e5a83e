"""What joining must know of a film: its codecs in every detail, its length in ticks, where its sound begins.

The picture is the clock: lengths are those of the picture, and places in the
sound are told from its first frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import AnyFastError

_RATE: Final = Fraction(24)  # of a film that does not say


@dataclass(frozen=True, slots=True)
class Track:
    """The parameters of a picture or a sound that must agree for its packets to be copied."""

    codec: str
    profile: str
    extradata: bytes
    details: tuple[tuple[str, Any], ...]

    def difference(self, other: Track) -> str:
        """What differs, with both values; "" if nothing does."""
        if self.codec != other.codec:
            return f"codec {self.codec} beside {other.codec}"
        for (name, mine), (_, theirs) in zip(self.details, other.details, strict=True):
            if mine != theirs:
                return f"{name} {mine} beside {theirs}"
        if self.profile != other.profile:
            return f"profile {self.profile} beside {other.profile}"
        return "" if self.extradata == other.extradata else "decoder settings differ"


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a film.

    Attributes:
        track: its parameters.
        rate: samples a second.
        channels: how many.
        layout: such as ``stereo``.
        first: the place of its first packet in samples after the first frame; what a decoder needs
            to get going lies before it and is negative.
        step: samples in a packet; 0 if they differ.
        ticks_are_samples: whether its time base counts samples.
    """

    track: Track
    rate: int
    channels: int
    layout: str
    first: Fraction
    step: int
    ticks_are_samples: bool


@dataclass(frozen=True, slots=True)
class Reel:
    """A film as it is joined.

    Attributes:
        path: the file.
        picture: its parameters.
        width, height: in pixels.
        rate: frames a second.
        tick: seconds, of the picture's clock.
        start, ticks: where its first frame is on that clock, and how long it is.
        sound: None is silent.
        colours: range, primaries, transfer and matrix, as FFmpeg numbers them; 2 is unknown.
        obstacle: why its packets cannot be copied, whatever the others are; "" if they can.
    """

    path: Path
    picture: Track
    width: int
    height: int
    rate: Fraction
    tick: Fraction
    start: int
    ticks: int
    sound: Sound | None
    colours: tuple[int, int, int, int] = (0, 2, 2, 2)
    obstacle: str = ""

    @property
    def seconds(self) -> Fraction:
        """How long its picture is."""
        return self.ticks * self.tick


def read_reel(path: Path) -> Reel:
    """Read what a film is made of; nothing is decoded.

    Raises:
        AnyFastError: it is not there, or no film.
    """
    import av

    try:
        with av.open(str(path)) as container:
            return _read(path, container)
    except (av.FFmpegError, OSError, IndexError) as error:
        raise no_film(path, error) from None


def no_film(path: Path, error: BaseException) -> AnyFastError:
    """The error of a file that cannot be read as a film."""
    return AnyFastError(
        f"{path.name} cannot be read as a film: {type(error).__name__}", hint="Download it again."
    )


def _read(path: Path, container: Any) -> Reel:
    video = container.streams.video[0]
    audio = container.streams.audio[0] if container.streams.audio else None
    shown: list[tuple[int, int, bool]] = []  # time, length, key
    heard: list[tuple[int, int]] = []
    hides = False
    for packet in container.demux([stream for stream in (video, audio) if stream is not None]):
        if packet.pts is None:
            continue
        if packet.stream is audio:
            heard.append((packet.pts, packet.duration or 0))
        else:
            shown.append((packet.pts, packet.duration or 0, packet.is_keyframe))
            hides = hides or packet.is_discard
    if not shown:
        raise IndexError
    tick = Fraction(video.time_base)
    rate = Fraction(video.average_rate or video.guessed_rate or _RATE)
    start = min(time for time, _, _ in shown)
    last, length, _ = max(shown)
    ticks = last + (length or round(1 / rate / tick)) - start
    obstacle = ""
    if not shown[0][2]:
        obstacle = f"{path.name} does not begin with a key frame"
    elif hides:
        obstacle = f"{path.name} hides some of its frames"
    context = video.codec_context
    return Reel(
        path=path,
        picture=_picture(context, tick),
        width=context.width,
        height=context.height,
        rate=rate,
        tick=tick,
        start=start,
        ticks=ticks,
        sound=_sound(audio, heard, start * tick) if audio is not None and heard else None,
        colours=(context.color_range, context.color_primaries, context.color_trc, context.colorspace),
        obstacle=obstacle,
    )


def _picture(context: Any, tick: Fraction) -> Track:
    return Track(
        codec=context.name,
        profile=str(context.profile or ""),
        extradata=bytes(context.extradata or b""),
        details=(
            ("size", f"{context.width} × {context.height}"),
            ("pixel format", context.pix_fmt),
            ("time base", str(tick)),
            ("pixel shape", str(context.sample_aspect_ratio or 1)),
        ),
    )


def _sound(stream: Any, heard: list[tuple[int, int]], zero: Fraction) -> Sound:
    context = stream.codec_context
    tick, rate = Fraction(stream.time_base), int(context.sample_rate)
    lengths = {length for _, length in heard[:-1]}  # the last is often cut
    step = lengths.pop() * tick * rate if len(lengths) == 1 else Fraction(0)
    return Sound(
        track=Track(
            codec=context.name,
            profile=str(context.profile or ""),
            extradata=bytes(context.extradata or b""),
            details=(("sound at", f"{rate} Hz"), ("channels", context.layout.name)),
        ),
        rate=rate,
        channels=len(context.layout.channels),
        layout=context.layout.name,
        first=(heard[0][0] * tick - zero) * rate,
        step=int(step) if step.denominator == 1 else 0,
        ticks_are_samples=tick * rate == 1,
    )
