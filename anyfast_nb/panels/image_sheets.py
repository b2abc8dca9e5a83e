"""The pictures of a panel: a sheet for each request that fills as they come, the newest first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from anyfast_nb.panels.board import Board
from anyfast_nb.panels.media_words import near
from anyfast_nb.panels.scratch import Scratch
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.gallery import Framed, Sheet, sheet_html
from anyfast_nb.render.inputs import line_html
from anyfast_nb.render.job_card import span
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.jobs.pictures import Picture, Pictures
    from anyfast_nb.panels.errands import Errands
    from anyfast_nb.panels.wish import Wish

SHOWN: Final = 20
_SMALL: Final = 512
_MORE: Final = "more"


@dataclass(slots=True)
class Batch:
    """The pictures of one request.

    Attributes:
        wish: what was asked for.
        count: how many may come.
        model: that makes them.
        state: making, done, stopped, failed.
        trouble: why there are not all.
        came: by their place in the group.
        pictures: what the request gave in the end.
        large: those that are shown large.
    """

    wish: Wish
    count: int
    model: str = ""
    state: str = "making"
    simulated: bool = False
    trouble: list[str] = field(default_factory=list)
    came: dict[int, Picture] = field(default_factory=dict)
    pictures: Pictures | None = None
    large: set[int] = field(default_factory=set)
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    began_s: float = field(default_factory=time.monotonic)
    took_s: float | None = None

    @property
    def made(self) -> list[Picture]:
        """Those that are on this disk."""
        return [self.came[index] for index in sorted(self.came) if self.came[index].path is not None]


class ImageSheets:
    """Batches on a board.

    Args:
        errands: makes the small copies.
        on_act: called with the verb of a pressed button, its batch, and the picture's place; -1 is all.
        text_of: gives what a copy button copies.
    """

    def __init__(
        self,
        *,
        errands: Errands,
        on_act: Callable[[str, Batch, int], None],
        text_of: Callable[[str, Batch, int], str],
    ) -> None:
        self._errands = errands
        self._on_act = on_act
        self._text_of = text_of
        self.batches: dict[str, Batch] = {}  # newest first
        self._scratch = Scratch()  # of small copies
        self._small: dict[Path, Path] = {}
        self._shown = SHOWN
        self.board = Board(label=say("image.grid"), on_act=self._acted, text_of=self._copied)

    def add(self, batch: Batch) -> None:
        """A request at the top."""
        self.batches = {batch.id: batch, **self.batches}
        self.draw()

    def came(self, batch: Batch, picture: Picture) -> None:
        """One picture came, or failed."""
        batch.came[picture.index] = picture
        path = picture.path
        if path is None or path in self._small:
            self.put(batch)
            return

        def shrunk(small: Path) -> None:
            self._small[path] = small
            self.put(batch)

        self._errands.read(lambda: _small_copy(path, self._scratch.path), shrunk)

    def put(self, batch: Batch) -> None:
        """Draw a batch as it is now."""
        if f"sheet:{batch.id}" in self.board.pieces:
            self.board.put(f"sheet:{batch.id}", self._html(batch))

    def draw(self) -> None:
        """Show the newest."""
        shown = list(self.batches.values())[: self._shown]
        pieces = {f"sheet:{batch.id}": self._html(batch) for batch in shown}
        if (left := len(self.batches) - len(shown)) > 0:
            pieces[_MORE] = line_html("", acts=[Act(say("image.more", n=min(left, SHOWN)), f"{_MORE}:")])
        self.board.show(pieces)

    def close(self) -> None:
        """Remove the small copies."""
        self._scratch.close()

    # --- inside -----------------------------------------------------------------------------

    def _html(self, batch: Batch) -> str:
        places = range(max(batch.count, max(batch.came, default=0) + 1))
        if batch.state != "making":
            places = range(max(batch.came, default=-1) + 1)
        state = say("image.making" if batch.state == "making" else f"image.{batch.state}_word")
        came = say("image.came", came=len(batch.made), count=batch.count)
        took = "" if batch.took_s is None else span(batch.took_s)
        head = (say("image.simulated") if batch.simulated else "", "seedream", batch.model, came, state, took)
        acts = [Act(say(f"image.act.{name}"), copy=f"{name}:{batch.id}:-1") for name in ("magic", "python")]
        if any(one.lost for one in batch.came.values()):
            acts.insert(0, Act(say("image.act.fetch"), f"fetch:{batch.id}:-1"))
        return sheet_html(
            Sheet(
                title=" · ".join(word for word in head if word),
                prompt=batch.wish.prompt,
                pictures=[self._framed(batch, index) for index in places],
                waiting="…",
                trouble=batch.trouble,
                notes=() if batch.pictures is None else batch.pictures.notes,
                acts=acts,
            )
        )

    def _framed(self, batch: Batch, index: int) -> Framed:
        picture = batch.came.get(index)
        if picture is None:
            return Framed()
        if picture.path is None:
            return Framed(error=picture.error or picture.error_code)
        large = index in batch.large
        shown = picture.path if large else self._small.get(picture.path)
        key = f"{batch.id}:{index}"
        acts = [
            Act(say("image.act.first"), f"first:{key}", title=say("image.act.first.tip")),
            Act(say("image.act.video_reference"), f"film:{key}", title=say("image.act.video_reference.tip")),
            Act(say("image.act.reference"), f"reference:{key}", title=say("image.act.reference.tip")),
            Act(say("image.act.path"), copy=f"path:{key}", title=say("image.act.path.tip")),
            Act(say("image.act.small" if large else "image.act.large"), f"large:{key}"),
        ]
        return Framed(
            medium="" if shown is None else self.board.medium(shown),
            size=picture.size,
            path=str(near(picture.path)),
            acts=acts,
            large=large,
        )

    def _acted(self, act: str) -> None:
        verb, _, rest = act.partition(":")
        if verb == _MORE:
            self._shown += SHOWN
            self.draw()
            return
        name, _, index = rest.partition(":")
        if (batch := self.batches.get(name)) is not None:
            self._on_act(verb, batch, int(index or -1))

    def _copied(self, key: str) -> str:
        verb, _, rest = key.partition(":")
        name, _, index = rest.partition(":")
        batch = self.batches.get(name)
        return "" if batch is None else self._text_of(verb, batch, int(index or -1))


def ended(batch: Batch, state: str, pictures: Pictures | None = None) -> None:
    """A request is over."""
    batch.state, batch.took_s = state, time.monotonic() - batch.began_s
    if pictures is not None:
        batch.pictures = pictures
        batch.came |= {one.index: one for one in pictures}
        batch.model = pictures.model or batch.model
        batch.simulated = pictures.source is Source.SIMULATED


def _small_copy(path: Path, folder: Path) -> Path:
    """A small copy of a picture; the picture itself where none can be made."""
    from anyfast_nb.media.frames import thumbnail

    small = thumbnail(path, longest=_SMALL)
    if small is None:
        return path
    copy = folder / f"{path.stem}{'.png' if small.media_type == 'image/png' else '.jpg'}"
    copy.write_bytes(small.data)
    return copy
