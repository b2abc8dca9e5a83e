"""Films one after another: copied packet by packet where they agree, else encoded anew, and it says which.

The picture is the clock. Its packets follow each other without a gap; each
film's sound is set to where its picture begins, and what is too long is left
out, what is too short filled with silence, so that no seam adds to the last
one's error. Copied sound comes in packets of some 23 ms and is off by half of
one at most; sound that is encoded anew is exact.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

from anyfast_nb.errors import InputError
from anyfast_nb.media.reel import Reel, Sound, no_film, read_reel

Method = Literal["copied", "re-encoded"]

_SILENCE_S: Final = 0.3  # of this the middle is taken: a packet that neither swells nor fades


@dataclass(frozen=True, slots=True)
class Joined:
    """Films that were made one.

    Attributes:
        path: the file.
        method: ``copied`` (the very packets of the films) or ``re-encoded``.
        why: what differed, where it was encoded anew; "" where it was copied.
        seams_s: where a film ends and the next begins, in seconds.
        duration_s: of the whole.
        size: width and height in pixels.
        frames: how many.
    """

    path: Path
    method: Method
    why: str
    seams_s: tuple[float, ...]
    duration_s: float
    size: tuple[int, int]
    frames: int


def join(films: Sequence[str | os.PathLike[str]], to: str | os.PathLike[str]) -> Joined:
    """Put films one after another into one MP4 that a page can play at once.

    Films that differ are brought to the size and the rate of the first, with black beside the
    picture where its shape is another. A silent film among others gets silence.

    Args:
        films: in their order.
        to: the new file; it is there whole, or not at all.

    Raises:
        InputError: there is none.
        AnyFastError: one cannot be read.
        OSError: the file cannot be written.
    """
    if not films:
        raise InputError("there is no film to join", field="films", hint="Give one at least.")
    reels = [read_reel(Path(film)) for film in films]
    target, why = Path(to), why_not_copied(reels)
    if not why:
        frames = _whole(target, lambda part: _copy(reels, part))
        ends = _running(reel.seconds for reel in reels)
    else:
        from anyfast_nb.media.recode import recode

        ends, frames = _whole(target, lambda part: recode(reels, part))
    return Joined(
        path=target,
        method="re-encoded" if why else "copied",
        why=why,
        seams_s=tuple(float(end) for end in ends[:-1]),
        duration_s=float(ends[-1]),
        size=(reels[0].width, reels[0].height),
        frames=frames,
    )


def why_not_copied(reels: Sequence[Reel]) -> str:
    """What keeps packets from being copied, in words; "" if nothing does."""
    first = reels[0]
    for number, reel in enumerate(reels, 1):
        if reel.obstacle:
            return reel.obstacle
        if different := first.picture.difference(reel.picture):
            return f"film {number} differs from the first: {different}"
    return _why_sound_not_copied(reels)


def _why_sound_not_copied(reels: Sequence[Reel]) -> str:
    sounds = [(number, reel.sound) for number, reel in enumerate(reels, 1) if reel.sound is not None]
    if not sounds:
        return ""
    start, first_sound = sounds[0]
    for number, sound in sounds:
        if different := first_sound.track.difference(sound.track):
            return f"the sound of film {number} differs from that of film {start}: {different}"
        if not sound.step or sound.step != first_sound.step or not sound.ticks_are_samples:
            return f"the sound of film {number} is not in even packets"
    if len(sounds) < len(reels) and silence(first_sound) is None:
        return f"silence cannot be made in {first_sound.track.codec} as the other films have it"
    return ""


def silence(sound: Sound) -> bytes | None:
    """A packet of silence that fits a sound's decoder; None if there is no such thing."""
    import av

    if sound.track.codec != "aac":
        return None
    encoder: Any = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = sound.rate, sound.layout, "fltp"
    encoder.time_base = Fraction(1, sound.rate)
    packets = []
    for number in range(max(4, round(_SILENCE_S * sound.rate / 1024))):
        frame = av.AudioFrame(format="fltp", layout=sound.layout, samples=1024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = sound.rate, number * 1024
        packets += encoder.encode(frame)
    # The first two bytes say what a plain decoder must know: kind, rate, channels.
    same = bytes(encoder.extradata or b"")[:2] == sound.track.extradata[:2]
    return bytes(packets[len(packets) // 2]) if same and sound.step == 1024 else None


# --- writing whole, or not at all ---------------------------------------------------------


def _whole(target: Path, write: Callable[[Path], Any]) -> Any:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        result = write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return result


def _running(lengths: Iterable[Fraction]) -> list[Fraction]:
    ends, now = [], Fraction(0)
    for length in lengths:
        now += length
        ends.append(now)
    return ends


# --- copying ------------------------------------------------------------------------------


def _copy(reels: Sequence[Reel], part: Path) -> int:
    """Copy all packets; gives the number of frames."""
    import av

    sounding = next((reel for reel in reels if reel.sound is not None), None)
    frames = 0
    with contextlib.ExitStack() as opened:
        out = opened.enter_context(av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}))
        first = opened.enter_context(av.open(str(reels[0].path)))
        picture = like(out, first.streams.video[0])
        sound, slots = None, None
        if sounding is not None and sounding.sound is not None:
            other = opened.enter_context(av.open(str(sounding.path)))
            sound = like(out, other.streams.audio[0])
            slots = _Slots(reels, sounding.sound)
        offset = 0
        for index, reel in enumerate(reels):
            for packet in _video_packets(reel, offset, picture):
                out.mux(packet)
                frames += 1
            if slots is not None:
                for packet in slots.packets(index, sound):
                    out.mux(packet)
            offset += reel.ticks
    return frames


def like(out: Any, stream: Any) -> Any:
    """A stream of an output that takes another's packets."""
    add = getattr(out, "add_stream_from_template", None)
    return add(stream) if add is not None else out.add_stream(template=stream)  # before PyAV 14


def _video_packets(reel: Reel, offset: int, stream: Any) -> Iterator[Any]:
    import av

    try:
        with av.open(str(reel.path)) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.pts is None or packet.dts is None:
                    continue
                packet.pts += offset - reel.start
                packet.dts += offset - reel.start
                packet.stream = stream
                yield packet
    except av.FFmpegError as error:
        raise no_film(reel.path, error) from None


class _Slots:
    """The sound of the whole as a row of even slots; each film's packets go to the slots nearest to it.

    A slot is a packet long. Films keep the packet that comes before their sound, for a decoder
    needs it to get going: it takes the last slot of the film before, some 20 ms.
    """

    def __init__(self, reels: Sequence[Reel], like: Sound) -> None:
        self._reels = reels
        self._rate, self._step = like.rate, like.step
        self._before = max(Fraction(0), -like.first)  # the first slot begins so many samples before the film
        self._ends = _running(reel.seconds for reel in reels)
        self._silence = silence(like)

    def packets(self, index: int, stream: Any) -> Iterator[Any]:
        """The packets of one film in the row, silence where it has none."""
        import av

        taken = dict(self._of(index))
        stop = self._first(index + 1)
        last = self._last_sample()
        for slot in range(self._first(index), stop):
            data = taken.get(slot, self._silence)
            if data is None:
                continue  # it is short by a packet or two, and silence cannot be made: time goes on
            packet = av.Packet(data)
            packet.pts = packet.dts = slot * self._step - int(self._before)
            packet.duration = max(1, min(self._step, last - packet.pts))
            packet.time_base = Fraction(1, self._rate)
            packet.is_keyframe = True
            packet.stream = stream
            yield packet

    def _of(self, index: int) -> Iterator[tuple[int, bytes]]:
        import av

        reel = self._reels[index]
        if reel.sound is None:
            return
        begin = self._begin(index)
        try:
            with av.open(str(reel.path)) as container:
                stream = container.streams.audio[0]
                zero = reel.start * reel.tick * self._rate
                for packet in container.demux(stream):
                    if packet.pts is not None:
                        yield self._slot(begin + packet.pts - zero), bytes(packet)
        except av.FFmpegError as error:
            raise no_film(reel.path, error) from None

    def _begin(self, index: int) -> Fraction:
        """Where a film's picture begins, in samples."""
        return self._ends[index - 1] * self._rate if index else Fraction(0)

    def _first(self, index: int) -> int:
        """The first slot that is a film's own."""
        if index == 0:
            return 0
        if index == len(self._reels):
            return -int(-(self._ends[-1] * self._rate + self._before) // self._step)
        sound = self._reels[index].sound
        lead = min(Fraction(0), sound.first) if sound is not None else Fraction(0)
        return max(self._slot(self._begin(index) + lead), 0)

    def _slot(self, sample: Fraction) -> int:
        return round((sample + self._before) / self._step)

    def _last_sample(self) -> int:
        return int(self._ends[-1] * self._rate)
