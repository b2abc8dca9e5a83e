"""An answer on a board: what was drawn stays, and its end is the same as in a cell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import WireCut
from anyfast_nb.render.answer import answer_bundle
from anyfast_nb.render.document import Document, text_html
from anyfast_nb.render.stream import StreamView
from anyfast_nb.wire.values import Answer, Opened, ReasoningDelta, ToolCall, Usage
from tests.render.test_blocks import DOCUMENTS
from tests.render.texts import answer_text, events

Show = Callable[..., StreamView]
Play = Callable[..., None]

CODE = "Before.\n\n```python\n" + "x = 1  # set x\n" * 900 + "```\n\nAfter.\n\n"
PROSE = ("word " * 200 + "\n\n") * 4
LINKED = "See [one][1].\n\n" + answer_text(8_000) + "\n\nAnd [two][b].\n\n[1]: https://one.example\n"
TEXTS = {
    "mixed": answer_text(30_000),
    "a long code block": PROSE + CODE + PROSE,
    "link references": LINKED + answer_text(6_000) + "\n\n[b]: https://two.example\n",
    "short": "Hi.",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("thought", ["", "Hm. " * 200])
def test_the_end_is_the_same_as_in_a_cell(
    show: Show, play: Play, screen: Any, text: str, thought: str
) -> None:
    answer = Answer(text, reasoning=thought, model="m", usage=Usage(1, 2))
    view = show(stays=True)
    play(view, [Opened("m"), *events(thought, ReasoningDelta), *events(text)], per_s=1_000)
    view.finish(answer)
    assert "clear" not in screen.messages
    shown = "".join(pages(screen))
    assert shown == "".join(pages_of(answer_bundle(answer)["text/html"]))


def pages(screen: Any) -> list[str]:
    return [page for bundle in screen.outputs.values() for page in pages_of(bundle["text/html"])]


def pages_of(html: str) -> list[str]:
    bare = re.sub(r"<style>.*?</style>\n?", "", html, flags=re.DOTALL)
    opened = re.match(r'<div class="anyfast[^"]*">', bare)
    assert opened is not None
    assert bare.endswith("</div>")
    return [bare[opened.end() : -len("</div>")]]


def test_what_is_drawn_is_not_sent_again(show: Show, play: Play, screen: Any) -> None:
    text = answer_text(100_000)
    view = show(stays=True)
    play(view, events(text), per_s=1_000)
    before, drawn = screen.sent_bytes, dict(screen.outputs)
    view.finish(Answer(text, model="m"))
    assert screen.sent_bytes - before < 20_000
    changed = [name for name, bundle in screen.outputs.items() if bundle is not drawn[name]]
    assert len(changed) <= 2
    assert screen.sent_bytes < 1_000_000


def test_a_code_block_in_pieces_is_one_again_and_the_rest_stays(show: Show, play: Play, screen: Any) -> None:
    text = TEXTS["a long code block"]
    view = show(stays=True)
    play(view, events(text), per_s=1_000)
    drawn = dict(screen.outputs)
    assert sum(bundle["text/html"].count("<pre>") for bundle in drawn.values()) > text.count("```python")
    view.finish(Answer(text))
    html = screen.html()
    assert html.count("<pre>") == text.count("```python")
    assert [bundle is drawn[name] for name, bundle in screen.outputs.items()].count(True) >= 2


def test_another_text_than_came_is_drawn_whole(show: Show, play: Play, screen: Any) -> None:
    view = show(stays=True)
    play(view, events(answer_text(9_000)), per_s=1_000)
    view.finish(Answer("Quite another"))
    assert screen.plain() == ["Quite another"]


def test_what_breaks_off_stays_and_is_marked(show: Show, play: Play, screen: Any) -> None:
    view = show(stays=True)
    play(view, events(answer_text(9_000)), per_s=1_000)
    view.fail(WireCut("cut"))
    assert screen.html().count("<strong>cut off: the answer broke off</strong>") == 1
    assert "clear" not in screen.messages


def test_calls_and_late_notes_are_there(show: Show, play: Play, screen: Any) -> None:
    text = answer_text(6_000)
    view = show(stays=True)
    play(view, events(text), per_s=1_000)
    view.note("a late note")
    answer = Answer(text, tool_calls=(ToolCall("c", "weather", "{}"),))
    view.finish(answer)
    first = next(iter(screen.outputs.values()))["text/html"]
    assert "a late note" in first
    assert screen.html().count("a late note") == 1
    assert "weather" in list(screen.outputs.values())[-1]["text/html"]


@given(DOCUMENTS, st.lists(st.integers(1, 12), max_size=8))
def test_parts_joined_are_the_whole(text: str, steps: list[int]) -> None:
    document = Document()
    document.feed(text)
    starts = [0]
    for step in steps:
        starts.append(min(starts[-1] + step, len(document.blocks)))
    parts = document.parts_html(starts)
    assert len(parts) == len(starts)
    assert "".join(parts) == text_html(text)
