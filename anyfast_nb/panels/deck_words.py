"""Another language for panels that are there: words of the catalogue are exchanged where they stand."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from anyfast_nb.panels.board import Board
from anyfast_nb.panels.composer import Composer
from anyfast_nb.panels.panel import Panel
from anyfast_nb.panels.words import catalogue, language

_PARTS: Final = frozenset({"composer", "option", "role", "wish"})
_TEXTS: Final = ("description", "placeholder", "tooltip")
_BUTTON: Final = re.compile(r"(<(?:button|summary)\b[^>]*>)([^<>]+)(?=</)")


def respoken(panel: Panel) -> None:
    """Say a panel anew in the language of the settings.

    Its own `relabel` does it where it has one. Else labels, hints and buttons are exchanged, and what is
    drawn from then on is in that language; what it holds stays.
    """
    if type(panel).relabel is not Panel.relabel:
        panel.relabel()
        return
    said = exchange(type(panel).__name__.removesuffix("Panel").lower())
    for widget in widgets_in(panel):
        if isinstance(widget, Board):
            widget.label = said(widget.label)
            _board(widget, said)
        elif isinstance(widget, Composer):
            widget.words = {name: said(word) for name, word in widget.words.items()}
        _texts(widget, said)
    panel.children, children = (), panel.children  # views read their words when they are made
    panel.children = children


def exchange(room: str = "") -> Callable[[str], str]:
    """What a word of the catalogue, in any language, is in the language of the settings.

    A word that means several things is the one of the panel's own room, then of the parts that panels
    share, then a label before a word within a sentence.

    Args:
        room: the first part of the panel's keys.
    """
    wanted = language()

    def rank(item: tuple[str, dict[str, str]]) -> tuple[bool, bool, bool]:
        place = item[0].partition(".")[0]
        return place == room, place in _PARTS, item[1]["en"][:1].isupper()

    words = {
        said: known[wanted]
        for _, known in sorted(catalogue().items(), key=rank)
        for said in known.values()
        if "{" not in said
    }
    return lambda word: words.get(word, word)


def widgets_in(widget: Any) -> Iterator[Any]:
    """A widget, and all in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_in(child)


def _texts(widget: Any, said: Callable[[str], str]) -> None:
    for name in _TEXTS:
        word = getattr(widget, name, None)
        if isinstance(word, str) and said(word) != word:
            setattr(widget, name, said(word))
    options = getattr(widget, "options", ())
    if options and all(isinstance(one, tuple) and len(one) == 2 for one in options):
        spoken = tuple((said(str(word)), value) for word, value in options)
        if spoken != tuple(options):
            chosen = widget.value
            widget.options = spoken
            widget.value = chosen


def _board(board: Board, said: Callable[[str], str]) -> None:
    """Buttons alone: what stands between them may be anybody's words."""

    def spoken(found: re.Match[str]) -> str:
        return found[1] + html.escape(said(html.unescape(found[2])), quote=False)

    for name, piece in board.pieces.items():
        board.put(name, _BUTTON.sub(spoken, piece))
