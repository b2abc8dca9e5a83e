"""What a film of the built-in AnyFast costs: CPU seconds, beside a plain encode of the same frames.

    python tests/benchmarks/studio_film.py [SECONDS]

Each row is the median of a few runs in this process. "film" draws, encodes and writes the whole file with
its sound; "plain" encodes the same frames, drawn beforehand and kept in memory, with the same settings and
without sound. Wanted of 5 s of 720p: 1.5 CPU seconds at most, and at most twice its plain encode. (In smaller
films the sound and the drawing of the scene, which cost the same at any size, weigh more.)
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from anyfast_nb.simulator.studio import PIXELS, Art, Clip, Shot, Still, film, picture
from anyfast_nb.simulator.studio.filming import Stage, encode
from anyfast_nb.simulator.studio.planes import Planes

RUNS = 5
PROMPT = "An orange cat walks along a quiet beach at sunset"
BUSY = "A boy and his dog in the autumn forest, leaves falling in the wind"


class Drawn(Stage):
    """A stage whose frames are drawn already."""

    def __init__(self, shot: Shot) -> None:
        super().__init__(shot)
        self._kept = []
        for number in range(shot.frames):
            planes = Planes(shot.width, shot.height)
            planes.take(super().draw(number))
            self._kept.append(planes)

    def draw(self, number: int) -> Planes:
        """From memory."""
        return self._kept[number]


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of one call, all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def photo(width: int, height: int) -> bytes:
    """A picture with detail everywhere, as a camera makes it."""
    noise = np.random.default_rng(7).integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def cases(seconds: int, folder: Path) -> list[tuple[str, Shot]]:
    """What is measured."""
    found = []
    for resolution, sizes in PIXELS.items():
        width, height = sizes["16:9"]
        given = photo(width, height)
        text = Shot(PROMPT, width, height, seconds, caption=f"{resolution} · 16:9 · {seconds} s")
        film(text, folder / "clip.mp4")
        clip = (Clip((folder / "clip.mp4").read_bytes(), "video 1"),)
        found += [
            (f"{resolution} text", text),
            (f"{resolution} text, much moves", replace(text, prompt=BUSY)),
            (f"{resolution} first frame", replace(text, first_frame=Still(given, "first frame"))),
            (f"{resolution} references", replace(text, images=(Still(given, "image 1"),) * 3, clips=clip)),
            (f"{resolution} edit", replace(text, clips=clip, edits=True)),
        ]
    return found


def measure_film(name: str, shot: Shot, folder: Path) -> None:
    """One row."""
    made, plain = folder / "film.mp4", folder / "plain.mp4"
    drawn = Drawn(shot)
    films, plains = [], []
    for _ in range(RUNS):  # turn about, so that a busy moment hits both
        films.append(cpu_s(lambda: film(shot, made)))
        plains.append(cpu_s(lambda: encode(drawn, plain, sound=None)))
    mine, floor = statistics.median(films), statistics.median(plains)
    size_kb = made.stat().st_size // 1024
    print(f"{name:<26}{mine:8.2f} s{floor:9.2f} s{mine / floor:8.2f} x{size_kb:8} kB", flush=True)


def main() -> None:
    """Print both tables."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{f'film of {seconds} s':<26}{'film':>10}{'plain':>11}{'ratio':>10}{'file':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for name, shot in cases(seconds, Path(folder)):
            measure_film(name, shot, Path(folder))
    print(f"\n{'picture':<26}{'CPU':>10}")
    for side in (1024, 2048, 4096):
        for format_ in ("jpeg", "png"):
            art = Art(PROMPT, side, side, format=format_)
            made = statistics.median(cpu_s(lambda art=art: picture(art)) for _ in range(3))
            print(f"{f'{side} x {side} {format_}':<26}{made:8.2f} s")


if __name__ == "__main__":
    main()
