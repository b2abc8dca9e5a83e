from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from anyfast_nb.render.document import Document
from anyfast_nb.render.stream import PATIENCE_S, StreamView
from anyfast_nb.wire.values import (
    Answer,
    Opened,
    ReasoningDelta,
    Retrying,
    Source,
    TextDelta,
    Usage,
)
from tests.render.texts import SHAPES, answer_text, events, words

Show = Callable[..., StreamView]
Play = Callable[..., None]

# --- how much is sent ---------------------------------------------------------------------------


@pytest.mark.parametrize("owns_cell", [True, False])
@pytest.mark.parametrize(
    ("chars", "per_s", "messages", "kilobytes"),
    [
        (8_000, 10_000, 40, 150),  # 2,000 pieces at full speed
        (8_000, 1_000, 100, 250),
        (8_000, 200, 250, 600),  # ten seconds
        (100_000, 1_000, 400, 2_000),
    ],
)
def test_messages_and_bytes_are_bounded(
    show: Show,
    play: Play,
    screen: Any,
    owns_cell: bool,
    chars: int,
    per_s: int,
    messages: int,
    kilobytes: int,
) -> None:
    text = answer_text(chars)
    view = show(owns_cell=owns_cell)
    play(view, [Opened("m"), *events(text)], per_s=per_s)
    view.finish(Answer(text, model="m"))
    assert len(screen.messages) <= messages
    assert screen.sent_bytes <= kilobytes * 1_000
    assert text in screen.plain()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("owns_cell", [True, False])
def test_any_shape_of_100_kb_stays_bounded_and_complete(
    show: Show, play: Play, screen: Any, shape: str, owns_cell: bool
) -> None:
    text = answer_text(100_000, shape)
    view = show(owns_cell=owns_cell)
    play(view, events(text), per_s=1_000)
    view.finish(Answer(text))
    assert screen.most_outputs <= (32 if owns_cell else 2)
    assert screen.sent_bytes <= 2_000_000
    assert text in screen.plain()


def test_long_reasoning_is_bounded_too(show: Show, play: Play, screen: Any) -> None:
    view = show()
    play(view, events("I wonder whether this is right. " * 1_000, ReasoningDelta), per_s=200)
    seconds = 1_000 * 32 / 4 / 200
    assert len(screen.messages) <= seconds * 8
    assert screen.sent_bytes <= seconds * 20_000


# --- what is seen while it streams ---------------------------------------------------------------


def test_the_first_text_is_drawn_at_once(show: Show, screen: Any) -> None:
    view = show()
    view.feed(Opened("m"))
    assert screen.messages == []
    view.feed(TextDelta("Hello"))
    assert "<p>Hello</p>" in screen.html()


def test_draws_keep_their_distance(show: Show, screen: Any, clock: Any) -> None:
    view, drawn_s, count = show(), [], 0
    for _ in range(1_000):
        clock.now_s += 0.001
        view.feed(TextDelta("word "))
        if len(screen.messages) > count:
            drawn_s.append(clock.now_s)
            count = len(screen.messages)
    gaps = [after - before for before, after in pairwise(drawn_s)]
    assert len(drawn_s) >= 5
    assert min(gaps) >= 0.08


@pytest.mark.parametrize("owns_cell", [True, False])
def test_at_any_moment_the_screen_shows_the_text_drawn_so_far_once(
    show: Show, clock: Any, screen: Any, owns_cell: bool
) -> None:
    """After each batch of messages: nothing doubled, nothing missing, nothing taken back."""
    text = answer_text(20_000)
    view, fed = show(owns_cell=owns_cell, footer="off"), ""
    for piece in events(text, size=97):
        clock.now_s += 5
        fed += piece.text
        view.feed(piece)
        document = Document()
        document.feed(fed)
        assert words(screen.html()) == words(document.html())


@pytest.mark.parametrize("owns_cell", [True, False])
def test_after_each_single_message_the_text_stands_there_once(
    show: Show, play: Play, screen: Any, monkeypatch: pytest.MonkeyPatch, owns_cell: bool
) -> None:
    """Text moves in two messages: a style rule in the first hides what is then in two outputs."""
    view = show(owns_cell=owns_cell, footer="short")
    states: list[tuple[str, str]] = []

    def watch(send: Callable[..., None]) -> Callable[..., None]:
        def sent(*message: Any) -> None:
            send(*message)
            shown = visible([bundle["text/html"] for bundle in screen.outputs.values()])
            states.append((words(shown), words(view._document.html())))

        return sent

    monkeypatch.setattr(screen, "display", watch(screen.display))
    monkeypatch.setattr(screen, "update", watch(screen.update))
    play(view, events(answer_text(12_000)), per_s=200)
    assert len(states) > 30
    assert len(screen.outputs) == (9 if owns_cell else 1)
    assert [shown for shown, text in states if shown != text] == []


def visible(outputs: list[str]) -> str:
    """HTML without what style rules on the page hide, and without the status line."""
    page = "\n".join(outputs)
    for name in re.findall(r"<style>\.([\w-]+)\{display:none\}</style>", page):
        start = page.find(f'<div class="{name}">')
        if start >= 0:
            page = page[:start] + page[_end_of_div(page, start) :]
    return re.sub(r'<div class="anyfast-foot">.*?</div>', "", page)


def _end_of_div(page: str, start: int) -> int:
    depth = 0
    for tag in re.finditer(r"<(/?)div\b[^>]*>", page[start:]):
        depth += -1 if tag.group(1) else 1
        if not depth:
            return start + tag.end()
    raise AssertionError("a div is not closed")


def test_the_status_line(show: Show, screen: Any, clock: Any) -> None:
    view = show(source=Source.SIMULATED)
    clock.now_s += 0.4
    view.feed(Opened("doubao-seed-pro"))
    view.feed(TextDelta("Hello"))
    for _ in range(3):
        clock.now_s += 1
        view.feed(TextDelta(" " + "word" * 25))
    assert "simulated · doubao-seed-pro · first token after 0.4 s · 3 s · about 26 tokens/s" in screen.html()


def test_seconds_go_on_when_text_does_not(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.feed(TextDelta("Hello"))
    for _ in range(105):
        clock.now_s += 0.03
        view.tick()
    assert "· 3 s ·" in screen.html()
    assert len(screen.messages) == 4


def test_waiting_is_shown_after_a_moment(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.tick()
    assert screen.messages == []
    clock.now_s += PATIENCE_S
    view.tick()
    assert "doubao-seed · waiting 0 s" in screen.html()
    clock.now_s += 2
    view.tick()
    assert "doubao-seed · waiting 2 s" in screen.html()


def test_a_retry_counts_down(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.feed(Retrying("429", delay_s=8, attempt=2, attempts=4))
    assert "429 · next try in 8 s (2 of 4)" in screen.html()
    clock.now_s += 3
    view.tick()
    assert "429 · next try in 5 s (2 of 4)" in screen.html()
    view.feed(Opened("m"))
    clock.now_s += 1
    view.tick()
    assert "next try" not in screen.html()


def test_waiting_lends_its_output_to_what_comes(show: Show, screen: Any, clock: Any) -> None:
    for event in (TextDelta("Hello"), ReasoningDelta("Hm")):
        view = show(owns_cell=False)
        view.note("a note")
        clock.now_s += 2
        view.tick()
        before = len(screen.outputs)
        view.feed(event)
        assert len(screen.outputs) == before
        assert "waiting" not in list(screen.outputs.values())[-1]["text/html"]


# --- reasoning -----------------------------------------------------------------------------------


def test_the_pane_is_open_while_thinking_and_closes_when_the_answer_begins(
    show: Show, screen: Any, clock: Any
) -> None:
    view = show()
    view.feed(ReasoningDelta("I wonder <b> $x$"))
    assert "<details open" in screen.html()
    assert "I wonder &lt;b&gt; <span>$</span>x" in screen.html()
    clock.now_s += 4.2
    view.feed(TextDelta("So"))
    pane, body = (bundle["text/html"] for bundle in screen.outputs.values())
    assert "<details><summary>Thought for 4.2 s · about 4 tokens</summary>" in pane
    assert "<p>So</p>" in body


def test_beside_others_the_answer_takes_the_panes_place(show: Show, screen: Any, clock: Any) -> None:
    view = show(owns_cell=False)
    view.feed(ReasoningDelta("I wonder"))
    assert "<details open" in screen.html()
    clock.now_s += 4.2
    view.feed(TextDelta("So"))
    (bundle,) = screen.outputs.values()
    assert "<details><summary>Thought for 4.2 s" in bundle["text/html"]
    assert "<p>So</p>" in bundle["text/html"]


def test_the_closed_pane_is_never_drawn_again(show: Show, play: Play, screen: Any) -> None:
    view = show()
    play(view, [*events("Hm. " * 100, ReasoningDelta), TextDelta("So. ")], per_s=200)
    pane = next(iter(screen.outputs.values()))
    play(view, events(answer_text(5_000)), per_s=200)
    assert next(iter(screen.outputs.values())) is pane


def test_the_pane_shows_the_last_lines_then_all(show: Show, play: Play, screen: Any, clock: Any) -> None:
    thought = "".join(f"Thought {number}. " for number in range(500))
    view = show()
    play(view, events(thought, ReasoningDelta), per_s=1_000)
    clock.now_s += 1
    view.tick()
    assert "Thought 1." not in screen.html()
    assert "Thought 480." in screen.html()
    view.feed(TextDelta("So"))
    assert "Thought 1." in screen.html()


def test_seconds_of_thought_are_saved_beside_the_output_only(show: Show, screen: Any, clock: Any) -> None:
    for owns_cell in (True, False):
        view = show(owns_cell=owns_cell)
        view.feed(ReasoningDelta("Hm"))
        clock.now_s += 4.2
        view.feed(TextDelta("So"))
        view.finish(Answer("So", reasoning="Hm", usage=Usage(reasoning_tokens=310)))
        assert "Thought · 310 tokens" in screen.html()
        assert "4.2" not in screen.html()
        assert list(screen.metadata.values())[-1]["anyfast"]["thinking_s"] == 4.2
        screen.clear(wait=False)
