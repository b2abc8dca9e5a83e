"""What a generation leaves on disk, as objects that show themselves: a clip, a picture."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight

_EMBEDDED_BYTES: Final = 6_000_000  # a message to the front end has at most 10 MiB; base64 takes a third


@dataclass(frozen=True, slots=True)
class Clip:
    """A film on this disk; in a notebook it plays.

    Attributes:
        path: the file.
        facts: short words about it: length, size, tokens.
        prompt: what was asked for.
        notebook: the notebook that shows it, for its player needs the path from there; by default the
            one that runs.
        embed: put the film itself into the output, not only its path.
        preflight: what was known before it was sent.
        remarks: lines above it.
    """

    path: Path
    facts: tuple[str, ...] = ()
    prompt: str = ""
    notebook: str | None = field(default=None, repr=False)
    embed: bool = False
    preflight: Preflight | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()

    def embedded(self) -> Clip:
        """The same, shown with the film inside the notebook: larger, and independent of the file."""
        return replace(self, embed=True)

    def save(self, to: str | Path) -> Path:
        """Copy the film; missing folders are made. Gives the new path."""
        return copied(self.path, to)

    def __fspath__(self) -> str:
        return str(self.path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from anyfast_nb.media.frames import poster
        from anyfast_nb.render.clip import clip_bundle  # a clip shows itself

        small = poster(self.path)
        notebook = self.notebook or os.environ.get("JPY_SESSION_NAME")
        place, near = place_of(self.path, notebook=notebook)
        inside = self.embed or (not near and _size(self.path) <= _EMBEDDED_BYTES)
        return clip_bundle(
            path=unquote(place) if notebook and near else str(self.path),
            place=place,
            poster=None if small is None else (small.media_type, small.data),
            size=None if small is None else (small.width, small.height),
            film=self.path.read_bytes() if inside and self.path.is_file() else None,
            facts=self.facts,
            prompt=self.prompt,
            preflight=self.preflight,
            remarks=self.remarks,
        )


@dataclass(frozen=True, slots=True)
class Still:
    """A picture on this disk, such as a film's last frame; in a notebook it shows itself."""

    path: Path

    @property
    def image(self) -> Any:
        """The picture as a PIL image."""
        from anyfast_nb.media.frames import open_image

        return open_image(self.path)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.image.size
        return width, height

    def save(self, to: str | Path) -> Path:
        """Copy the picture; missing folders are made. Gives the new path."""
        return copied(self.path, to)

    def __fspath__(self) -> str:
        return str(self.path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from anyfast_nb.media.frames import thumbnail
        from anyfast_nb.render.pictures import Shown, pictures_bundle  # a picture shows itself

        small = thumbnail(self.path)
        image = None if small is None else (small.media_type, small.data)
        size = None if small is None else (small.width, small.height)
        path, place = as_shown(self.path)
        return pictures_bundle([Shown(path=path, place=place, image=image, size=size)])


def as_shown(path: Path) -> tuple[str, str]:
    """A file as the running notebook tells of it: its path from there, and where the page finds it.

    Returns:
        The path to read; the place for a link, "" if the page cannot reach it.
    """
    notebook = os.environ.get("JPY_SESSION_NAME")
    place, near = place_of(path, notebook=notebook)
    return (unquote(place) if notebook and near else str(path)), (place if near else "")


def place_of(path: Path, *, notebook: str | None, cwd: Path | None = None) -> tuple[str, bool]:
    """Where a page finds a file: the path from the notebook, quoted for a URL; and whether it is near.

    A server gives out what lies in or beside the notebook's folder; what lies
    elsewhere on the disk it may not reach.
    """
    base = (cwd or Path.cwd()).resolve()
    if notebook and Path(notebook).is_absolute():
        base = Path(notebook).resolve().parent
    try:
        relative = Path(os.path.relpath(path.resolve(), base)).as_posix()
    except ValueError:  # another drive
        return quote(path.as_posix()), False
    return quote(relative), not relative.startswith("../../")


def copied(path: Path, to: str | Path) -> Path:
    """Copy a file to a path, or into a folder; missing folders are made."""
    target = Path(to).expanduser()
    if target.is_dir() or str(to).endswith(("/", os.sep)):
        target = target / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return target


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
