"""What can go with a message: files that came, and variables of the notebook."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media.encode import encoded
from anyfast_nb.media.frames import poster, thumbnail
from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff
from anyfast_nb.panels.composer import Attached
from anyfast_nb.panels.words import say
from anyfast_nb.render.said import Chip
from anyfast_nb.render.view import running_shell
from anyfast_nb.wire.conversation import DOCUMENT

ACCEPT: Final = "image/*,video/*,.pdf,.doc,.docx,.ppt,.pptx,.xls,.xlsx,.csv,.txt,.md,.html,.json"
SMALL: Final = 160
_FRAMES: Final = (("pandas", "DataFrame"), ("pandas", "Series"), ("pandas.io.formats.style", "Styler"))
_PICTURES: Final = (
    ("PIL.Image", "Image"), ("numpy", "ndarray"), ("matplotlib.figure", "Figure"),
    ("matplotlib.axes", "Axes"),
    ("IPython.display", "Image"), ("anyfast_nb.jobs.film", "Clip"), ("anyfast_nb.jobs.film", "Still"),
    ("anyfast_nb.jobs.pictures", "Picture"),
)  # fmt: skip
_LEAST_SIDE: Final = 8  # of an array that may be a picture


def variables() -> list[str]:
    """Names of the notebook's variables that a message can take along."""
    shell = running_shell()
    if shell is None:
        return []
    hidden = getattr(shell, "user_ns_hidden", {})
    named = [(name, value) for name, value in list(shell.user_ns.items()) if name not in hidden]
    return sorted(name for name, value in named if not name.startswith("_") and fits(value))


def fits(value: Any) -> bool:
    """Is this a picture, an array, a figure, a frame or a path? Nothing is imported to find out."""
    if isinstance(value, Path):
        return value.is_file()
    if _is(value, "numpy", "ndarray"):
        shape, kind = value.shape, value.dtype.kind
        return len(shape) in (2, 3) and min(shape[:2]) >= _LEAST_SIDE and kind in "buif"
    return any(_is(value, *known) for known in (*_PICTURES, *_FRAMES))


def variable(name: str) -> Attached:
    """A variable to attach.

    Raises:
        InputError: there is none of that name, or it cannot go with a message.
    """
    shell = running_shell()
    space = {} if shell is None else shell.user_ns
    if name not in space:
        raise InputError(say("chat.no_variable", name=name), field="variable")
    value = space[name]
    if not fits(value):
        raise InputError(say("chat.unfit", name=name, kind=type(value).__name__), field="variable")
    return Attached(name, value, name, about_value(value))


def about_value(value: Any) -> str:
    """A few words: a type and its size."""
    shape = getattr(value, "shape", None) or getattr(value, "size", None)
    size = "×".join(map(str, shape)) if isinstance(shape, tuple) else ""
    return f"{type(value).__name__} {size}".strip()


def kind_of(value: Any) -> str:
    """Which argument of a chat takes it: ``images``, ``videos``, ``files``, or ``tables``."""
    if any(_is(value, *known) for known in _FRAMES):
        return "tables"
    if isinstance(value, Path):
        try:
            with value.open("rb") as file:
                kind = sniff(file.read(HEAD_BYTES)).kind
        except OSError:
            return "files"
        return {Kind.IMAGE: "images", Kind.VIDEO: "videos"}.get(kind, "files")
    return "videos" if type(value).__name__ in ("Video", "Clip") else "images"


def chip(item: Attached) -> Chip:
    """What is shown of it: a small picture, if it is one; reads the file."""
    kind = kind_of(item.value)
    small = None
    if isinstance(item.value, Path) and kind in ("images", "videos"):
        draw = thumbnail if kind == "images" else poster
        small = draw(item.value, longest=SMALL)
    elif kind == "images":
        small = _drawn(item.value)
    return Chip(item.name, None if small is None else (small.media_type, small.data))


def _drawn(value: Any) -> Any:
    try:
        made = encoded(value)
    except Exception:  # noqa: BLE001 - it is refused with its reason when it is sent
        return None
    if made is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        path.write_bytes(made[0])
        return thumbnail(path, longest=SMALL)


def chips_of(message: Mapping[str, Any]) -> list[Chip]:
    """The same for a message that somebody else sent: what its parts say of themselves."""
    names = {"image_url": say("chat.picture"), "video_url": say("chat.film")}
    found = []
    for part in parts_of(message):
        kind = str(part.get("type"))
        file = str(part.get("filename") or part.get("file_url") or "").rpartition("/")[2]
        found.append(Chip(file or say("chat.document") if kind == DOCUMENT else names.get(kind, kind)))
    return found


def parts_of(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a message that are no text."""
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    return [part for part in parts if isinstance(part, dict) and part.get("type") != "text"]


def _is(value: Any, module: str, name: str) -> bool:
    """Is it of this type, if its module is loaded at all?"""
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(value, known)
