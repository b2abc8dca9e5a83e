"""A board: pieces of HTML in one widget, drawn and changed from any thread, and what a person presses on it.

What is on a board is kept here and never in the widget's state: it is sent as messages, so nothing of it
is saved with the notebook, and a page that is reloaded asks for all of it again. Pictures and films go
to the page by chunks when they come into view.
"""

from __future__ import annotations

import mimetypes
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import anywidget
import traitlets

from anyfast_nb.panels.words import say
from anyfast_nb.render.style import STYLE as SHEET

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle

FRONT: Final = Path(__file__).parent / "front"
# The sheet of answers and cards stands once on the page, not in each piece.
STYLE: Final = SHEET.removeprefix("<style>").rpartition("</style>")[0] + (FRONT / "panel.css").read_text(
    "utf-8"
)
CHUNK_BYTES: Final = 512 * 1024

Act = Callable[[str], None]


class Board(anywidget.AnyWidget):
    """Pieces of safe HTML, in order, each with a name.

    Args:
        label: what it is called, for those who do not see it.
        height: of the part that scrolls, as CSS; "" grows with what is on it.
        follows: keep the end in view while it grows.
        role: ARIA role of the list, such as ``log``.
        on_act: called with the ``data-act`` of a pressed button.
        text_of: gives the text that a ``data-copy`` button copies.
    """

    _esm = (FRONT / "board.js").read_text("utf-8")
    _css = STYLE
    _name = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    height = traitlets.Unicode().tag(sync=True)
    role = traitlets.Unicode().tag(sync=True)
    follows = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        *,
        label: str,
        height: str = "",
        follows: bool = False,
        role: str = "group",
        on_act: Act | None = None,
        text_of: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(_name=uuid4().hex, label=label, height=height, follows=follows, role=role)
        self._on_act = on_act
        self._text_of = text_of
        self._pieces: dict[str, str] = {}
        self._media: dict[str, Path] = {}
        self._drawing = threading.RLock()  # a job's thread and the kernel's own draw on one board
        self.on_msg(self._heard)

    # --- drawing --------------------------------------------------------------------------

    def put(self, id: str, html: str, *, after: str | None = None, instead_of: Sequence[str] = ()) -> None:
        """Draw a piece, or draw it anew in its place.

        Args:
            id: its name.
            html: safe HTML. Buttons have ``data-act`` or ``data-copy``; pictures and films may have
                ``data-medium`` (a name given by `medium`) instead of an address.
            after: a new piece goes behind this one; "" is in front of all, None at the end.
            instead_of: pieces that go in the same step.
        """
        html = html.replace(SHEET, "")
        with self._drawing:
            if self._pieces.get(id) == html and not instead_of:
                return
            if id in self._pieces or after is None:
                self._pieces[id] = html
            else:
                self._pieces = _inserted(self._pieces, id, html, after)
            for gone in instead_of:
                self._pieces.pop(gone, None)
            piece = {"id": id, "html": html, "after": after}
            self.send({"kind": "put", "pieces": [piece], "gone": list(instead_of)})

    def remove(self, *ids: str) -> None:
        """Take pieces off."""
        with self._drawing:
            known = [one for one in ids if self._pieces.pop(one, None) is not None]
            if known:
                self.send({"kind": "remove", "ids": known})

    def show(self, pieces: Mapping[str, str]) -> None:
        """These and no others, in this order."""
        with self._drawing:
            self._pieces = {name: html.replace(SHEET, "") for name, html in pieces.items()}
            self._send_whole()

    @property
    def pieces(self) -> dict[str, str]:
        """What is on it."""
        with self._drawing:
            return dict(self._pieces)

    def announce(self, text: str) -> None:
        """Tell those who do not see it."""
        self.send({"kind": "say", "text": text})

    def to_end(self) -> None:
        """Bring the end into view, and keep it there while it grows."""
        self.send({"kind": "end"})

    def medium(self, path: Path) -> str:
        """A name for a picture or film on this disk, for ``data-medium``."""
        facts = path.stat() if path.exists() else None
        name = f"{path}|{facts.st_mtime_ns if facts else 0}"
        key = f"m{abs(hash(name)):x}"
        self._media[key] = path
        return key

    # --- what the page says ---------------------------------------------------------------

    def _heard(self, _: Any, content: Mapping[str, Any], buffers: Any) -> None:
        match content.get("kind"):
            case "hello":
                with self._drawing:
                    self._send_whole()
            case "act" if self._on_act is not None:
                self._on_act(str(content.get("act", "")))
            case "copy" if self._text_of is not None:
                self._send_clip(str(content.get("key", "")), content.get("page"))
            case "medium":
                self._send_medium(str(content.get("key", "")), int(content.get("from", 0)))

    def _send_clip(self, key: str, page: Any) -> None:
        """To the page that asked: another one would copy it as well."""
        assert self._text_of is not None
        words = {"done": say("copy.done"), "failed": say("copy.select"), "close": say("copy.close")}
        self.send({"kind": "clip", "key": key, "page": page, "text": self._text_of(key), **words})

    def _send_whole(self) -> None:
        """All there is, in messages that a server lets pass."""
        self.send({"kind": "whole", "ids": list(self._pieces)})
        some: list[dict[str, str]] = []
        chars, before = 0, ""
        for name, html in self._pieces.items():
            if some and chars + len(html) > CHUNK_BYTES:
                self.send({"kind": "put", "pieces": some})
                some, chars = [], 0
            some.append({"id": name, "html": html, "after": before})
            chars += len(html)
            before = name
        if some:
            self.send({"kind": "put", "pieces": some})

    def _send_medium(self, key: str, start: int) -> None:
        """One chunk of a picture or film; a page asks for the next when it has come."""
        path = self._media.get(key)
        try:
            data, size = _chunk(path, start) if path else (b"", 0)
        except OSError:
            data, size = b"", 0
        if path is None or not data:
            self.send({"kind": "medium", "key": key, "gone": True})
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.send({"kind": "medium", "key": key, "offset": start, "size": size, "type": kind}, [data])


def _chunk(path: Path, start: int) -> tuple[bytes, int]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(start)
        return file.read(CHUNK_BYTES), size


def _inserted(pieces: Mapping[str, str], id: str, html: str, after: str) -> dict[str, str]:
    if after == "":
        return {id: html, **pieces}
    found: dict[str, str] = {}
    for name, old in pieces.items():
        found[name] = old
        if name == after:
            found[id] = html
    found.setdefault(id, html)
    return found


class Stage:
    """Where a streaming display draws on a board: a `Publisher` whose outputs are pieces.

    Args:
        board: what it draws on.
        after: the piece its outputs go behind.
    """

    def __init__(self, board: Board, *, after: str | None = None) -> None:
        self._board = board
        self._last = after
        self._drawn: list[str] = []
        self._going: list[str] = []

    def display(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        """A further output, behind the last; what was cleared goes in the same step."""
        going, self._going = self._going, []
        self._board.put(display_id, str(bundle["text/html"]), after=self._last, instead_of=going)
        self._drawn.append(display_id)
        self._last = display_id

    def update(self, bundle: Bundle, metadata: Bundle, display_id: str) -> None:
        """An output anew, in its place."""
        self._board.put(display_id, str(bundle["text/html"]))

    def clear(self, wait: bool) -> None:
        """Take the outputs off; with ``wait`` when the next one comes."""
        going, self._drawn = self._drawn, []
        if wait:
            self._going += going
        else:
            self._board.remove(*going)
