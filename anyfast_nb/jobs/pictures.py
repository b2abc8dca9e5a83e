"""Pictures of one request: each a file on this disk, or the reason why there is none.

Source: wire reference 5.3.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from anyfast_nb.errors import AnyFastError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.film import as_shown, copied
from anyfast_nb.wire.values import Money, Source, Usage

if TYPE_CHECKING:
    from anyfast_nb.render.pictures import Shown


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; in a notebook it shows itself.

    Attributes:
        index: its place in the group, from 0.
        path: the file; None if it failed.
        size: width and height in pixels; None is unknown.
        error: why there is no file, "" if there is one.
        error_code: the same in the server's word.
        lost: it was made, but did not come to this disk: `Pictures.fetch` tries again.
    """

    index: int
    path: Path | None = None
    size: tuple[int, int] | None = None
    error: str = ""
    error_code: str = ""
    lost: bool = False

    @property
    def failed(self) -> bool:
        """Is there no file?"""
        return self.path is None

    @property
    def image(self) -> Any:
        """The picture as a PIL image.

        Raises:
            AnyFastError: it failed.
        """
        from anyfast_nb.media.frames import open_image

        return open_image(self._there())

    def to_pil(self) -> Any:
        """The picture as a PIL image, the same as `image`."""
        return self.image

    def save(self, to: str | Path) -> Path:
        """Copy the picture to a path or into a folder; gives the new path."""
        return copied(self._there(), to)

    def __fspath__(self) -> str:
        return str(self._there())

    def _there(self) -> Path:
        if self.path is None:
            raise AnyFastError(f"picture {self.index} failed: {self.error}", hint="Choose another one.")
        return self.path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return _bundle([self])


@dataclass(slots=True, repr=False)
class Pictures(Sequence[Picture]):
    """What a request for pictures gave, in order; in a notebook it shows itself as a grid.

    Attributes:
        pictures: those that failed included.
        id: of the ledger's row; its last eight digits name the files.
        prompt: what was asked for.
        model: the model that served.
        usage: tokens.
        source: live or simulated.
        created_at: when it was sent; aware.
        notes: what was assumed, what was done for it, and which budgets warn.
        cost: None where no price is set.
        request, request_hash: the body with hashes instead of data, and its hash.
    """

    pictures: tuple[Picture, ...]
    id: str = ""
    prompt: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    source: Source = Source.LIVE
    created_at: datetime | None = None
    notes: tuple[str, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)
    request_hash: str = ""
    cost: Money | None = None
    again: Callable[[], Awaitable[tuple[Picture, ...]]] | None = field(default=None, repr=False)

    @property
    def made(self) -> tuple[Picture, ...]:
        """Those that are on this disk."""
        return tuple(picture for picture in self.pictures if not picture.failed)

    @property
    def failed(self) -> tuple[Picture, ...]:
        """Those that are not."""
        return tuple(picture for picture in self.pictures if picture.failed)

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [picture.path for picture in self.pictures if picture.path is not None]

    def fetch(self) -> Pictures:
        """Download again what was made and did not come; bills nothing. Gives itself."""
        if self.again is not None:
            self.pictures = io_loop().run(_awaited(self.again))
        return self

    def to_pil(self) -> list[Any]:
        """Those that are on this disk as PIL images."""
        return [picture.image for picture in self.made]

    def save(self, folder: str | Path) -> list[Path]:
        """Copy all pictures into a folder; gives the new paths."""
        return [picture.save(f"{folder}{os.sep}") for picture in self.made]

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Picture, ...]: ...
    def __getitem__(self, index: int | slice) -> Picture | tuple[Picture, ...]:
        return self.pictures[index]

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def __repr__(self) -> str:
        lost = f", {len(self.failed)} failed" if self.failed else ""
        return f"<Pictures {self.id[-8:]} {len(self.made)} made{lost}: {', '.join(map(str, self.paths))}>"

    def facts(self) -> tuple[str, ...]:
        """Short words about it, for its display: source, model, tokens."""
        tokens = self.usage.output_tokens
        facts = (
            "" if self.source is Source.LIVE else self.source.value,
            self.model,
            "" if tokens is None else f"{tokens:,} tokens",
            "" if self.cost is None or self.source is not Source.LIVE else self.cost.brief(),
        )
        return tuple(fact for fact in facts if fact)

    def record(self) -> dict[str, Any]:
        """What the JSON file beside the pictures says of them."""
        return {
            "request_row": self.id,
            "kind": "seedream",
            "model": self.model,
            "source": self.source.value,
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
            "request_hash": self.request_hash,
            "request": self.request,
            "notes": list(self.notes),
            "files": [
                {"index": one.index, "name": one.path.name if one.path else None, "error": one.error}
                for one in self.pictures
            ],
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return _bundle(self.pictures, prompt=self.prompt, facts=self.facts(), notes=self.notes)


async def _awaited(again: Callable[[], Awaitable[tuple[Picture, ...]]]) -> tuple[Picture, ...]:
    return await again()


def _bundle(pictures: Sequence[Picture], **words: Any) -> dict[str, Any]:
    from anyfast_nb.render.pictures import pictures_bundle  # pictures show themselves

    return pictures_bundle([shown(picture) for picture in pictures], **words)


def shown(picture: Picture, *, longest: int = 640) -> Shown:
    """A picture as it is shown: a small copy, and where the file is from the notebook.

    Args:
        picture: any.
        longest: pixels of the copy's longer side, at most.
    """
    from anyfast_nb.media.frames import thumbnail
    from anyfast_nb.render.pictures import Shown

    if picture.path is None:
        return Shown(size=picture.size, error=picture.error)
    small = thumbnail(picture.path, longest=longest)
    path, place = as_shown(picture.path)
    return Shown(
        path=path,
        place=place,
        image=None if small is None else (small.media_type, small.data),
        size=picture.size,
    )
