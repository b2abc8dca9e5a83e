from __future__ import annotations

import re
from dataclasses import replace

import pytest

from anyfast_nb.render.answer import Footer, answer_bundle, answer_metadata, answer_plain, footer_text, mark
from anyfast_nb.wire.values import Answer, Source, Status, Timing, ToolCall, Usage

ANSWER = Answer("It is **4**.", model="doubao-seed", usage=Usage(120, 340), id="chat-1")


@pytest.mark.parametrize(
    ("answer", "footer", "text"),
    [
        (ANSWER, "full", "doubao-seed · 120 → 340 tokens"),
        (ANSWER, "short", "doubao-seed"),
        (ANSWER, "off", ""),
        (Answer("a", model="m"), "full", "m"),
        (Answer("a", model="m", usage=Usage(input_tokens=7)), "full", "m · 7 tokens in"),
        (Answer("a", model="m", usage=Usage(output_tokens=1_234)), "full", "m · 1,234 tokens out"),
        (Answer("a", model="m", usage=Usage(0, 0)), "full", "m · 0 → 0 tokens"),
        (Answer("a", model="m", source=Source.SIMULATED), "full", "simulated · m"),
        (Answer("a", model="m", source=Source.REPLAYED), "short", "replayed · m"),
        (Answer("a", model="m", status=Status.INTERRUPTED), "off", "interrupted"),
        (Answer("a", model="m", status=Status.INTERRUPTED), "full", "interrupted · m"),
        (Answer("a", model="m", finish_reason="length"), "full", "stopped at max_tokens · m"),
    ],
)
def test_footer(answer: Answer, footer: Footer, text: str) -> None:
    assert footer_text(answer, footer) == text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("a"), ""),
        (Answer("a", finish_reason="stop"), ""),
        (Answer("a", finish_reason="length"), "stopped at max_tokens"),
        (Answer("a", finish_reason="content_filter"), "stopped by the content filter"),
        (Answer("a", status=Status.TRUNCATED), "cut off: the answer broke off"),
        (Answer("a", status=Status.INTERRUPTED, finish_reason="length"), "interrupted"),
        (Answer("a", status=Status.ERROR), "failed"),
    ],
)
def test_mark(answer: Answer, said: str) -> None:
    assert mark(answer) == said


def test_the_plain_text_is_the_answer_itself() -> None:
    text = "  *a* <b> $x$\n\n```\ncode\n```\n\n"
    assert answer_bundle(Answer(text, reasoning="Hm.", model="m"))["text/plain"] == text
    assert answer_plain(Answer(text, finish_reason="length")) == text
    assert answer_plain(Answer("a", status=Status.INTERRUPTED)) == "a\n\n[interrupted]"
    assert answer_plain(Answer("", status=Status.INTERRUPTED)) == "[interrupted]"


def test_the_answer_shows_itself() -> None:
    bundle = ANSWER._repr_mimebundle_()
    assert bundle == answer_bundle(ANSWER)
    assert "It is <strong>4</strong>." in bundle["text/html"]
    assert "120 → 340 tokens" in bundle["text/html"]


def test_reasoning_is_in_a_closed_pane_without_seconds() -> None:
    answer = Answer("a", reasoning="*Hm*", usage=Usage(reasoning_tokens=310), timing=Timing(thinking_s=4.2))
    html = answer_bundle(answer)["text/html"]
    assert "<details><summary>Thought · 310 tokens</summary>\n<p><em>Hm</em></p>\n</details>" in html
    assert "4.2" not in html


def test_two_runs_are_saved_the_same() -> None:
    first = Answer("a", reasoning="b", model="m", id="1", timing=Timing(1.0, 0.2, 0.5))
    second = Answer("a", reasoning="b", model="m", id="2", timing=Timing(9.0, 3.0, 2.5))
    assert answer_bundle(first) == answer_bundle(second)


def test_what_varies_is_in_the_metadata() -> None:
    answer = Answer(
        "a",
        model="m",
        id="chat-1",
        usage=Usage(1, 30, reasoning_tokens=5),
        timing=Timing(duration_s=3.5, ttft_s=0.50049, thinking_s=1.0),
        finish_reason="stop",
    )
    assert answer_metadata(answer) == {
        "anyfast": {
            "model": "m",
            "source": "live",
            "status": "ok",
            "id": "chat-1",
            "finish_reason": "stop",
            "input_tokens": 1,
            "output_tokens": 30,
            "reasoning_tokens": 5,
            "ttft_s": 0.5,
            "thinking_s": 1.0,
            "duration_s": 3.5,
            "tokens_per_s": 10.0,
        }
    }
    assert answer_metadata(Answer("a")) == {"anyfast": {"source": "live", "status": "ok"}}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [('{"city":"Köln<b>"}', '"Köln&lt;b&gt;"'), ('{"city": "Kö', '{"city": "Kö'), ("[" * 5_000, "[[[[")],
)
def test_tool_calls_are_shown_not_run(arguments: str, shown: str) -> None:
    answer = Answer("", tool_calls=(ToolCall("1", "weather<script>", arguments),))
    bundle = answer_bundle(answer)
    html = re.sub(r"</?span[^>]*>", "", bundle["text/html"])
    assert "weather&lt;script&gt;" in html
    assert shown in html
    assert bundle["text/plain"] == f"weather<script>({arguments})"


def test_names_from_the_server_are_text() -> None:
    hostile = Answer("a", model=r"<img src=x onerror=alert(1)>$\href{x}{y}$")
    html = answer_bundle(hostile)["text/html"]
    assert "<img" not in html
    assert "$\\" not in html


def test_plain_shows_the_text_as_it_is() -> None:
    html = answer_bundle(Answer("*a*\n\n<b>"), plain=True)["text/html"]
    assert '<pre class="plain">*a*\n\n&lt;b&gt;</pre>' in html


@pytest.mark.parametrize(
    ("answer", "footer"),
    [
        (Answer("a", model="m", finish_reason="length"), "simulated · stopped at max_tokens · m"),
        (Answer("a", model="m", status=Status.INTERRUPTED), "simulated · interrupted · m"),
        (Answer("a", model="m", usage=Usage(1, 2)), "simulated · m · 1 → 2 tokens"),
    ],
)
def test_every_simulated_footer_begins_with_the_word(answer: Answer, footer: str) -> None:
    simulated = replace(answer, source=Source.SIMULATED)
    assert footer_text(simulated) == footer
    assert "<small>simulated ·" in answer_bundle(simulated)["text/html"]
