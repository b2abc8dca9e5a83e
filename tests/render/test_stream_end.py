from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

import pytest

from anyfast_nb.errors import Interrupted, RateLimitError, WireCut
from anyfast_nb.render.answer import Footer, answer_bundle
from anyfast_nb.render.stream import StreamView
from anyfast_nb.wire.values import (
    Answer,
    Finished,
    Opened,
    ReasoningDelta,
    Status,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from tests.render.texts import answer_text, events, words

Show = Callable[..., StreamView]
Play = Callable[..., None]

# --- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chars", [40, 3_000, 100_000])
@pytest.mark.parametrize("thought", ["", "Hm. " * 200])
def test_a_cell_of_its_own_ends_as_one_output(
    show: Show, play: Play, screen: Any, chars: int, thought: str
) -> None:
    text = answer_text(chars)
    answer = Answer(text, reasoning=thought, model="m", usage=Usage(1, 2))
    view = show()
    play(view, [Opened("m"), *events(thought, ReasoningDelta), *events(text), Finished(answer)], per_s=1_000)
    view.finish(answer)
    assert list(screen.outputs.values()) == [answer_bundle(answer)]
    assert next(iter(screen.metadata.values()))["anyfast"]["output_tokens"] == 2


def test_several_outputs_are_cleared_only_when_the_last_one_is_there(
    show: Show, play: Play, screen: Any
) -> None:
    text = answer_text(5_000)
    view = show()
    play(view, events(text), per_s=400)
    assert len(screen.outputs) > 1
    view.finish(Answer(text))
    assert screen.messages[-2:] == ["clear", "display"]


@pytest.mark.parametrize("chars", [40, 3_000, 100_000])
@pytest.mark.parametrize("thought", ["", "Hm. " * 200])
@pytest.mark.parametrize("footer", ["full", "short", "off"])
def test_beside_other_outputs_there_is_one_output_and_nothing_is_cleared(
    show: Show, play: Play, screen: Any, chars: int, thought: str, footer: Footer
) -> None:
    screen.display({"text/plain": "the user's", "text/html": "the user's"}, {}, "theirs")
    text = answer_text(chars)
    answer = Answer(text, reasoning=thought, model="m", usage=Usage(1, 2))
    view = show(owns_cell=False, footer=footer)
    play(view, [*events(thought, ReasoningDelta), *events(text)], per_s=1_000)
    view.finish(answer)
    assert "clear" not in screen.messages
    assert screen.plain() == ["the user's", text]
    assert list(screen.outputs.values())[1] == answer_bundle(answer, footer=footer)


def test_an_answer_that_did_not_stream(show: Show, screen: Any) -> None:
    for owns_cell in (True, False):
        answer = Answer("Hi", reasoning="Hm", model="m")
        show(owns_cell=owns_cell).finish(answer)
        assert list(screen.outputs.values()) == [answer_bundle(answer)]
        screen.clear(wait=False)


def test_the_saved_output_does_not_depend_on_how_the_text_came(show: Show, play: Play, screen: Any) -> None:
    text, saved = answer_text(30_000), []
    for size, per_s in ((1, 9_000), (4, 100), (1_000, 3)):
        view = show()
        play(view, events(text, size=size), per_s=per_s)
        view.finish(Answer(text))
        saved.append(list(screen.outputs.values()))
        screen.clear(wait=False)
    assert saved[0] == saved[1] == saved[2]


def test_an_answer_that_differs_from_its_pieces_is_shown_as_it_is(show: Show, screen: Any) -> None:
    view = show()
    view.feed(TextDelta("Hel"))
    view.finish(Answer("Hello"))
    assert screen.plain() == ["Hello"]
    assert "<p>Hello</p>" in screen.html()


def test_notes_stand_above_and_are_no_part_of_the_text(show: Show, play: Play, screen: Any) -> None:
    view = show()
    view.note("built-in AnyFast: answers are simulated")
    view.note("inserted df.head(): 5 x 4, <about> 120 tokens")
    assert "5 x 4, &lt;about&gt; 120 tokens" in screen.html()
    play(view, [*events("Hm", ReasoningDelta), *events(answer_text(3_000))], per_s=500)
    assert words(screen.html()).startswith("built-inAnyFast:answersaresimulatedinserteddf.head()")
    view.finish(Answer("Hi"))
    assert screen.plain() == ["Hi"]
    assert words(screen.html()).startswith("built-inAnyFast")


def test_a_note_while_thinking_stands_above_the_pane(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.feed(ReasoningDelta("Hm"))
    clock.now_s += 1
    view.note("a late note")
    assert len(screen.outputs) == 1
    assert words(screen.html()).startswith("alatenoteThinking")


def test_tool_calls_are_shown_as_they_grow(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.feed(ToolCallDelta(0, "call-1", "weather", ""))
    for piece in ('{"ci', 'ty": "K', 'öln"}'):
        clock.now_s += 0.2
        view.feed(ToolCallDelta(0, "", "", piece))
    assert 'asksforweather,notrun{"city":"Köln"}' in words(screen.html())
    view.fail(WireCut("cut"))
    assert screen.plain() == ['weather({"city": "Köln"})\n\n[cut off: the answer broke off]']


def test_plain_shows_the_text_unrendered(show: Show, play: Play, screen: Any) -> None:
    text = "*one*\n\n<b>two</b>\n" * 300
    view = show(plain=True)
    play(view, events(text), per_s=500)
    assert "<em>" not in screen.html()
    assert words(screen.html()).startswith("*one*<b>two</b>")
    view.finish(Answer(text))
    assert (
        f'<pre class="plain">{text}</pre>'.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;")
        in screen.html()
    )


def test_a_character_that_came_in_two_halves_is_whole(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    for piece in ("Hi ", "\ud83d", "\ude00", " and half \ud83d"):
        clock.now_s += 1
        view.feed(TextDelta(piece))
    assert "<p>Hi 😀 and half �</p>" in screen.html()
    view.finish(Answer("Hi \ud83d\ude00"))
    assert screen.plain() == ["Hi 😀"]


# --- when it goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("owns_cell", [True, False])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Interrupted(), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
        (CancelledError(), "interrupted"),
        (WireCut("cut"), "cut off: the answer broke off"),
        (ValueError("?"), "failed"),
    ],
)
def test_what_had_come_stays_and_is_marked(
    show: Show, play: Play, screen: Any, error: BaseException, said: str, owns_cell: bool
) -> None:
    view = show(owns_cell=owns_cell)
    play(view, [Opened("m"), *events("Hello wor")], per_s=200)
    view.fail(error)
    assert screen.plain() == [f"Hello wor\n\n[{said}]"]
    assert f"<strong>{said}</strong> · m" in screen.html()


def test_the_given_partial_answer_wins(show: Show, screen: Any) -> None:
    view = show()
    view.feed(TextDelta("Hel"))
    view.fail(WireCut("cut"), Answer("Hello", status=Status.TRUNCATED, usage=Usage(3, 4)))
    assert screen.plain() == ["Hello\n\n[cut off: the answer broke off]"]
    assert "3 → 4 tokens" in screen.html()


def test_a_failure_before_anything_came_leaves_nothing(show: Show, screen: Any, clock: Any) -> None:
    view = show()
    view.fail(RateLimitError("slow down", status=429))
    assert screen.messages == []
    view = show()
    clock.now_s += 2
    view.tick()
    view.fail(RateLimitError("slow down", status=429))
    assert screen.outputs == {}


def test_a_failure_keeps_the_notes(show: Show, screen: Any) -> None:
    view = show()
    view.note("built-in AnyFast: answers are simulated")
    view.fail(RateLimitError("slow down", status=429))
    assert screen.plain() == ["built-in AnyFast: answers are simulated"]


def test_beside_others_a_failed_wait_says_so(show: Show, screen: Any, clock: Any) -> None:
    view = show(owns_cell=False)
    clock.now_s += 2
    view.tick()
    view.fail(RateLimitError("slow down", status=429))
    assert "clear" not in screen.messages
    assert screen.plain() == ["failed · doubao-seed"]


def test_an_error_in_rendering_shows_plain_text_instead(
    show: Show, play: Play, screen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = show()
    play(view, events("A *first* block.\n\n"), per_s=100)

    def fails(*_: Any) -> str:
        raise RuntimeError("a fault in a library")

    monkeypatch.setattr(view._document, "_render", fails)
    monkeypatch.setattr("anyfast_nb.render.document.render_markdown", fails)
    play(view, events("And *more*"), per_s=1)
    assert "And *more" in screen.html()
    view.finish(Answer("A *first* block.\n\nAnd *more*"))
    assert screen.plain() == ["A *first* block.\n\nAnd *more*"]
    assert "A *first* block.\n\nAnd *more*" in screen.html()


def test_a_lost_front_end_stops_nothing(show: Show, play: Play, screen: Any) -> None:
    view = show()
    play(view, events("Hello "), per_s=100)
    screen.broken = True
    play(view, events("world. " * 100), per_s=100)
    view.note("a note")
    view.fail(WireCut("cut"))
    view.finish(Answer("Hello"))
    screen.broken = False
    view.finish(Answer("Hello"))
    assert screen.plain() == ["Hello"]
