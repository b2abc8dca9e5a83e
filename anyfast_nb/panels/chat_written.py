"""What a chat panel does, as a cell and as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyfast_nb.panels.as_magic import Name, chat_cell, chat_python
from anyfast_nb.panels.chat_attach import kind_of

if TYPE_CHECKING:
    from anyfast_nb.panels.composer import Attached

Write = Callable[[str, Mapping[str, Any], str], str]


def words_of(items: Iterable[Attached]) -> dict[str, list[str]]:
    """What stands in a magic or in Python for what is attached, by argument."""
    found: dict[str, list[str]] = {}
    for item in items:
        came = isinstance(item.value, Path) and item.word == str(item.value)
        word = _beside(item.word) if came else Name(item.word)
        found.setdefault(kind_of(item.value), []).append(word)
    return found


def _beside(path: str) -> str:
    """A path as it is written beside the notebook."""
    place, here = Path(path), Path.cwd()
    return str(place.relative_to(here)) if place.is_relative_to(here) else path


def as_written(write: Write, prompt: str, options: Mapping[str, Any]) -> str:
    """A chat as a cell or as Python; a table stands in Python alone, beside the prompt."""
    given = {name: value for name, value in options.items() if name not in ("tables", "thread")}
    tables = options.get("tables", ())
    if tables:
        return f"import anyfast_nb as af\n\n{chat_python([prompt, *tables], given)}"  # type: ignore[arg-type]
    return write(prompt, given, str(options.get("thread") or ""))


def cell(prompt: str, options: Mapping[str, Any], thread: str) -> str:
    """As a cell."""
    return chat_cell(prompt, options, thread=thread)


def python(prompt: str, options: Mapping[str, Any], thread: str) -> str:
    """As Python, where threads are a panel's and a magic's."""
    return f"import anyfast_nb as af\n\n{chat_python(prompt, options)}"
