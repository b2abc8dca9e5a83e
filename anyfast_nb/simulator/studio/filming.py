"""Making a film: every frame is drawn, encoded and forgotten, so a long film needs no more memory."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from anyfast_nb.simulator.studio.camera import Camera
from anyfast_nb.simulator.studio.inputs import SAMPLE_RATE, Samples
from anyfast_nb.simulator.studio.overlay import Clock, cards_of, lower_third, mark
from anyfast_nb.simulator.studio.palette import palette_of
from anyfast_nb.simulator.studio.planes import Planes
from anyfast_nb.simulator.studio.sound import soundtrack
from anyfast_nb.simulator.studio.words import read_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyfast_nb.simulator.studio.values import Shot, Still

# A key frame each second makes seeking quick; two threads because a fixed number gives fixed bytes.
X264 = {"preset": "ultrafast", "crf": "24", "bf": "0", "x264-params": "deblock=0,0:no-deblock=0"}
_THREADS = 2
_AAC = {"aac_coder": "fast", "aac_tns": "0", "aac_is": "0", "aac_ms": "0", "aac_pns": "0"}  # half the work
_AAC_BITS = 80_000
_BT709 = 1


def make_film(shot: Shot, path: Path) -> None:
    """See `anyfast_nb.simulator.studio.film`."""
    if shot.duration_s <= 0 or shot.fps <= 0:
        raise ValueError(f"a film of {shot.duration_s} s at {shot.fps} frames per second has no frames")
    with _beside(path) as part:
        theme = read_prompt(shot.prompt, seed=shot.seed)
        sound = soundtrack(shot, theme) if shot.audio else None
        encode(Stage(shot), part, sound=sound)


class Stage:
    """Draws the frames of a shot, in order."""

    def __init__(self, shot: Shot) -> None:
        self.shot = shot
        self.planes = Planes(shot.width, shot.height)
        size, theme = (shot.width, shot.height), read_prompt(shot.prompt, seed=shot.seed)
        self._camera = Camera(shot, theme)
        self._third, self._third_top = lower_third(
            shot.prompt, shot.caption, *size, covering=shot.edits or shot.extends
        )
        self._mark = mark(*size, large=shot.watermark)
        self._mark_at = round(min(size) * 0.047)
        clips = shot.clips[1:] if self._camera.plays_clip else shot.clips
        self._cards = cards_of(_stills(shot), clips, shot.sounds, *size)
        self._clock = Clock(*size, frames=shot.frames, fps=shot.fps, colour=palette_of(theme).accent)

    def draw(self, number: int) -> Planes:
        """The frame of that number; the same planes are used for every frame."""
        planes, shown = self.planes, self._camera.text(number)
        self._camera.shoot(planes, number)
        if shown > 0:
            for card, place in self._cards:
                card.look(number / self.shot.fps).lay(planes, place.x, place.y, opacity=shown)
            self._mark.lay(planes, self._mark_at, self._mark_at, opacity=shown)
            self._third.lay(planes, 0, self._third_top, opacity=shown)
        if shown >= 1:
            self._clock.lay(planes, number)
        return planes


def encode(stage: Stage, path: Path, *, sound: Samples | None) -> None:
    """Encode all frames of a stage, and a sound of the same length, as MP4."""
    shot = stage.shot
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = _video_track(container, shot)
        audio = _audio_track(container) if sound is not None else None
        heard = 0
        for number in range(shot.frames):
            frame = stage.draw(number).frame()
            frame.pts = number
            container.mux(video.encode(frame))
            if audio is not None and sound is not None:
                until = round((number + 1) / shot.fps * SAMPLE_RATE)
                if until - heard >= SAMPLE_RATE or number + 1 == shot.frames:
                    container.mux(audio.encode(_audio_frame(sound[:, heard:until], heard)))
                    heard = until
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))


def _video_track(container: Any, shot: Shot) -> Any:
    track = container.add_stream("libx264", rate=shot.fps, options=X264 | {"g": str(shot.fps)})
    track.width, track.height, track.pix_fmt = shot.width, shot.height, "yuv420p"
    context = track.codec_context
    context.thread_count = _THREADS
    context.colorspace = context.color_primaries = context.color_trc = context.color_range = _BT709
    return track


def _audio_track(container: Any) -> Any:
    return container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=_AAC_BITS, options=_AAC)


def _audio_frame(samples: Samples, at: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, at
    return frame


def _stills(shot: Shot) -> tuple[Still, ...]:
    """All pictures that were sent along; a first or last frame hangs as a card too."""
    ends = tuple(still for still in (shot.first_frame, shot.last_frame) if still is not None)
    return ends + shot.images


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name in the same folder that becomes the real one when all went well, and is gone otherwise."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
    ) as part:
        written = Path(part.name)
    try:
        yield written
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
