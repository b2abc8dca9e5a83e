"""From a checked request to a film in the store, made when somebody first opens its link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from anyfast_nb.simulator import studio
from anyfast_nb.simulator.studio import Clip, Shot, Sound, Still
from anyfast_nb.simulator.tasks.faults import without_faults
from anyfast_nb.simulator.tasks.seedance_request import ItemKind, Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from anyfast_nb.simulator.store import Store
    from anyfast_nb.simulator.tasks.media import Found
    from anyfast_nb.simulator.tasks.seedance_request import Item, SeedanceRequest

Reference = TypeVar("Reference", Still, Clip, Sound)


@dataclass(frozen=True, slots=True)
class Script:
    """What a film is made from, without the bytes of its references: those stay in the store.

    Attributes:
        prompt: what it shows.
        width, height: pixels.
        duration_s: seconds.
        audio: whether it has sound.
        first, last: pictures it begins and ends with.
        images, clips, sounds: references.
        extends, edits: what is done with the first clip.
        watermark: a larger mark.
        seed: another seed is another film.
        caption: one line about the request.
        key: the same for the same request.
    """

    prompt: str
    width: int
    height: int
    duration_s: int
    audio: bool
    key: str
    first: Found | None = None
    last: Found | None = None
    images: tuple[Found, ...] = ()
    clips: tuple[Found, ...] = ()
    sounds: tuple[Found, ...] = ()
    extends: bool = False
    edits: bool = False
    watermark: bool = False
    seed: int = 0
    caption: str = ""

    @property
    def references(self) -> tuple[Found, ...]:
        """Everything it refers to."""
        ends = tuple(end for end in (self.first, self.last) if end is not None)
        return (*ends, *self.images, *self.clips, *self.sounds)


def order_film(store: Store, script: Script) -> str:
    """Register a film; nothing is made yet.

    Returns:
        Its name in the store.
    """

    def make(path: Path) -> None:
        studio.film(_shot(store, script), path)

    references = "\0".join(f"{found.label}\0{found.name}" for found in script.references)
    key = f"film\0{script.key}\0{script.width}x{script.height}\0{script.duration_s}\0{references}"
    return store.put(make, key=key, suffix=".mp4")


def order_last_frame(store: Store, film: str) -> str:
    """Register the last frame of a film, as PNG.

    Returns:
        Its name in the store.
    """

    def make(path: Path) -> None:
        with store.lease(film):
            path.write_bytes(studio.last_frame(store.path(film).path))

    return store.put(make, key=f"last frame\0{film}", suffix=".png")


def seedance_script(request: SeedanceRequest, *, size: tuple[int, int]) -> Script:
    """What a Seedance film of that size is made from."""
    firsts = request.of(ItemKind.IMAGE, "first_frame")
    lasts = request.of(ItemKind.IMAGE, "last_frame")
    return Script(
        prompt=without_faults(request.prompt),
        width=size[0],
        height=size[1],
        duration_s=request.duration_s,
        audio=request.audio,
        key=f"{request.digest.hex()}\0{request.ratio}",
        first=firsts[0].found if firsts else None,
        last=lasts[0].found if lasts else None,
        images=_found(request.of(ItemKind.IMAGE, "reference_image")),
        clips=_found(request.of(ItemKind.VIDEO)),
        sounds=_found(request.of(ItemKind.AUDIO)),
        extends=request.mode is Mode.EXTEND,
        edits=request.mode is Mode.EDIT,
        watermark=request.watermark,
        seed=request.seed,
        caption=f"{request.resolution} · {request.ratio} · {request.duration_s} s",
    )


def _found(items: Sequence[Item]) -> tuple[Found, ...]:
    return tuple(item.found for item in items if item.found is not None)


def _shot(store: Store, script: Script) -> Shot:
    def one(found: Found | None) -> Still | None:
        return None if found is None else _reference(store, found, Still)

    return Shot(
        prompt=script.prompt,
        width=script.width,
        height=script.height,
        duration_s=script.duration_s,
        audio=script.audio,
        first_frame=one(script.first),
        last_frame=one(script.last),
        images=tuple(_reference(store, found, Still) for found in script.images),
        clips=tuple(_reference(store, found, Clip) for found in script.clips),
        sounds=tuple(_reference(store, found, Sound) for found in script.sounds),
        extends=script.extends,
        edits=script.edits,
        watermark=script.watermark,
        seed=script.seed,
        caption=script.caption,
    )


def _reference(store: Store, found: Found, kind: type[Reference]) -> Reference:
    return kind(store.read(found.name) if found.name else None, found.label)
