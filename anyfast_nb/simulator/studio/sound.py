"""The sound of a film: what was sent along, over a soft chord that the prompt decides. Never silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anyfast_nb.simulator.studio.inputs import SAMPLE_RATE, Samples, open_sound

if TYPE_CHECKING:
    from anyfast_nb.simulator.studio.values import Shot
    from anyfast_nb.simulator.studio.words import Theme

# Semitones above the root; each film walks through four of them.
_MAJOR, _MINOR = ((0, 4, 7, 12), (5, 9, 12, 17), (7, 11, 14, 19), (0, 4, 7, 16)), (
    (0, 3, 7, 12), (8, 12, 15, 20), (3, 7, 10, 15), (0, 3, 7, 15),
)  # fmt: skip
_DARK_TIMES = frozenset({"night", "storm", "space", "snow", "autumn"})
_LOUD, _SOFT = 0.16, 0.035  # root mean square of what was sent along, and of a chord beneath it
_ALONE = 0.08
_AUDIBLE = 1e-4
_FADE_S = 0.35


def soundtrack(shot: Shot, theme: Theme) -> Samples:
    """Left and right, exactly as long as the film, between -1 and 1."""
    count = round(shot.frames / shot.fps * SAMPLE_RATE)
    given = [_looped(found, count) for found in _given(shot, count / SAMPLE_RATE)]
    chord = _levelled(_chord(theme, count), _SOFT if given else _ALONE)
    mixed = sum((_levelled(one, _LOUD) for one in given), chord)
    mixed = _faded(mixed)
    peak = float(np.abs(mixed).max(initial=0.0))
    return mixed * np.float32(0.95 / peak) if peak > 0.95 else mixed


def _given(shot: Shot, seconds: float) -> list[Samples]:
    """Every sound that was sent along and can be heard; an edited clip keeps its own."""
    sources = [sound.data for sound in shot.sounds]
    if shot.edits and shot.clips:
        sources.append(shot.clips[0].data)
    found = (open_sound(data, seconds=seconds) for data in sources)
    return [one for one in found if one is not None and _loudness(one) > _AUDIBLE]


def _chord(theme: Theme, count: int) -> Samples:
    chance = theme.chance("chord")
    root = 110.0 * 2 ** (chance.randrange(12) / 12)
    steps = _MINOR if theme.time in _DARK_TIMES else _MAJOR
    second = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    made = np.zeros((2, count), np.float32)
    length = max(1, -(-count // len(steps)))
    for number, notes in enumerate(steps):
        span = slice(number * length, min(count, (number + 1) * length))
        at = second[span]
        if not at.size:
            break
        # Each chord swells and fades, so that one leads into the next without a click.
        swell = np.sin(np.pi * (np.arange(at.size, dtype=np.float32) + 0.5) / length) ** np.float32(0.5)
        for voice, note in enumerate(notes):
            pitch = np.float32(2 * np.pi * root * 2 ** (note / 12))
            tone = np.sin(pitch * at) * swell
            side = np.float32(0.35 + 0.1 * voice)
            made[0, span] += tone * (1 - side)
            made[1, span] += tone * side
    return made


def _looped(samples: Samples, count: int) -> Samples:
    if samples.shape[1] >= count:
        return samples[:, :count]
    return np.tile(samples, (1, -(-count // samples.shape[1])))[:, :count]


def _levelled(samples: Samples, loudness: float) -> Samples:
    now = _loudness(samples)
    return samples * np.float32(loudness / now) if now > _AUDIBLE else samples


def _loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0


def _faded(samples: Samples) -> Samples:
    length = min(samples.shape[1] // 4, round(_FADE_S * SAMPLE_RATE))
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    samples[:, :length] *= ramp
    samples[:, samples.shape[1] - length :] *= ramp[::-1]
    return samples
