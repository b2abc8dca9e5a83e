"""A text to write, files to add, and one button that sends or stops.

The text is never in the widget's state: it comes with the press of the button. Files come in chunks,
straight to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import anywidget
import traitlets

from anyfast_nb.errors import InputError
from anyfast_nb.panels.board import FRONT, STYLE
from anyfast_nb.panels.intake import Intake
from anyfast_nb.panels.words import say

_WORDS: Final = {
    "label": "composer.label",
    "placeholder": "composer.placeholder",
    "hint": "composer.hint",
    "attach": "composer.attach",
    "attached": "composer.attached",
    "send": "composer.send",
    "stop": "composer.stop",
    "remove": "composer.remove",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """What a person added: a file that came, or something of the notebook's own.

    Attributes:
        name: as it is shown.
        value: a path, or the object itself.
        word: how a magic or Python names it.
        about: its size, in words.
    """

    name: str
    value: Any
    word: str
    about: str = ""


class Composer(anywidget.AnyWidget):
    """The field and its buttons.

    Args:
        on_submit: called with the text and what is attached; what it does must be quick.
        on_stop: called when Stop is pressed while `busy`.
        on_attached: called when what is attached has changed.
        on_text: called with the text when the typing rests; by default it comes when it is sent alone.
        folder: where files go, asked when the first one comes.
        accept: kinds of files the picker offers, such as ``image/*``; "" takes none.
        rows: of text.
        words: the key of other words of the catalogue for parts of it, such as ``{"send": "video.make"}``.

    Attributes:
        busy: while True, the button stops.
    """

    _esm = (FRONT / "composer.js").read_text("utf-8")
    _css = STYLE
    _name = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Int(3).tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    tells = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        *,
        on_submit: Callable[[str, Sequence[Attached]], None],
        on_stop: Callable[[], None] = lambda: None,
        on_attached: Callable[[], None] = lambda: None,
        on_text: Callable[[str], None] | None = None,
        folder: Callable[[], Path],
        accept: str = "",
        rows: int = 3,
        words: Mapping[str, str] | None = None,
    ) -> None:
        keys = {**_WORDS, **(words or {})}
        said = {name: say(key) for name, key in keys.items()}
        super().__init__(_name=uuid4().hex, words=said, accept=accept, rows=rows, tells=on_text is not None)
        self._on_submit = on_submit
        self._on_stop = on_stop
        self._on_attached = on_attached
        self._on_text = on_text
        self._written = ""  # as far as it is told
        self._folder = folder
        self._intake: Intake | None = None
        self._attached: dict[str, Attached] = {}
        self.on_msg(self._heard)

    @property
    def attached(self) -> list[Attached]:
        """What is attached, in order."""
        return list(self._attached.values())

    def attach(self, item: Attached) -> None:
        """Add something that is here already: a variable, an asset, a picture made before."""
        self._keep(uuid4().hex, item)

    def clear(self, *, text: bool = True) -> None:
        """Take off what is attached, and the text."""
        for name in list(self._attached):
            self._drop(name)
        if text:
            self.write("")

    def write(self, text: str, *, focus: bool = False, only_if_empty: bool = False) -> None:
        """Put a text into the field.

        Args:
            text: in place of what is there.
            focus: and let a person go on writing.
            only_if_empty: not where somebody has written something since.
        """
        self._written = (only_if_empty and self._written) or text
        self.send({"kind": "text", "text": text, "focus": focus, "only_if_empty": only_if_empty})

    # --- what the page says ---------------------------------------------------------------

    def _heard(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        name = str(content.get("id", ""))
        match content.get("kind"):
            case "hello":
                known = [
                    {"id": key, "name": one.name, "about": one.about} for key, one in self._attached.items()
                ]
                self.send({"kind": "whole", "files": known})
                if self._on_text is not None and self._written:
                    self.write(self._written)
            case "submit":
                wanted = [str(word) for word in content.get("files", ())]
                items = [self._attached[word] for word in wanted if word in self._attached]
                self._on_submit(str(content.get("text", "")), items)
            case "text" if self._on_text is not None:
                self._written = str(content.get("text", ""))
                self._on_text(self._written)
            case "stop":
                self._on_stop()
            case "file":
                self._begin(name, str(content.get("name", "")), int(content.get("size", 0)))
            case "chunk" if buffers:
                self._take(name, buffers[0], int(content.get("offset", 0)))
            case "lost":
                self._lose(name)
            case "cancel":
                self._drop(name)

    # --- files ----------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of it, and of files that are not whole."""
        if self._intake is not None:
            self._intake.close()
        super().close()

    def _begin(self, id: str, name: str, size_bytes: int) -> None:
        try:
            if self._intake is None:
                self._intake = Intake(self._folder())
            self._intake.begin(id, name=name, size_bytes=size_bytes)
            self._go_on(id, 0)
        except (InputError, OSError) as error:
            self._refuse(id, error)

    def _lose(self, id: str) -> None:
        """The page cannot read it (any more)."""
        if self._intake is not None:
            self._intake.cancel(id)
        self._refuse(id, InputError(say("intake.changed"), field="file"))

    def _take(self, id: str, data: Any, offset: int) -> None:
        if self._intake is None:
            return
        try:
            came = self._intake.take(id, data, offset=offset)
            if came is not None:
                self._go_on(id, came)
        except (InputError, OSError) as error:
            self._refuse(id, error)

    def _go_on(self, id: str, came: int) -> None:
        """Ask for the next chunk, or put the whole file in its place."""
        assert self._intake is not None
        path = self._intake.whole(id)
        if path is None:
            self.send({"kind": "go", "id": id, "offset": came})
            return
        self._keep(id, Attached(path.name, path, str(path), _size(path.stat().st_size)))

    def _keep(self, id: str, item: Attached) -> None:
        self._attached[id] = item
        self.send({"kind": "kept", "id": id, "name": item.name, "about": item.about})
        self._on_attached()

    def _drop(self, id: str) -> None:
        if self._intake is not None:
            self._intake.cancel(id)
        if self._attached.pop(id, None) is not None:
            self._on_attached()
        self.send({"kind": "dropped", "id": id})

    def _refuse(self, id: str, error: Exception) -> None:
        why = error.message if isinstance(error, InputError) else say("intake.disk", why=_reason(error))
        self.send({"kind": "refused", "id": id, "why": why})


def _reason(error: Exception) -> str:
    """Why, without the path: it is long, and nobody chose it."""
    return getattr(error, "strerror", None) or type(error).__name__


def _size(size_bytes: int) -> str:
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"
