from __future__ import annotations

import re

from anyfast_nb.render.answer import answer_bundle
from anyfast_nb.render.calls import LONG_CHARS, Calls, calls_html, calls_plain
from anyfast_nb.wire.values import Answer, ToolCall, ToolCallDelta, ToolResult

CALL = ToolCall("c1", "weather", '{"city": "Oslo"}')


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


def test_a_call_that_was_run_shows_what_came_back() -> None:
    html = calls_html([CALL], [ToolResult(CALL, '{"sky": "<b>"}')])

    assert text(html) == 'weather was run { "city": "Oslo" } result { "sky": "&lt;b&gt;" }'


def test_a_call_that_failed_says_why() -> None:
    shown = text(calls_html([CALL], [ToolResult(CALL, "KeyError: 'x'", failed=True)]))

    assert shown.startswith("weather failed")
    assert shown.endswith("and said KeyError: 'x'")


def test_a_call_that_waits_is_not_said_to_be_left_out() -> None:
    assert text(calls_html([CALL], run=True)).startswith("asks for weather {")
    assert text(calls_html([CALL])).startswith("asks for weather, not run {")


def test_calls_with_one_id_each_have_their_own_result() -> None:
    results = [ToolResult(CALL, "first"), ToolResult(CALL, "second")]
    shown = text(calls_html([CALL, CALL], results))

    assert shown.index("first") < shown.index("second")
    assert shown.count("was run") == 2


def test_a_long_result_is_folded() -> None:
    html = calls_html([CALL], [ToolResult(CALL, "word " * LONG_CHARS)])

    assert "<details><summary>result, 3,000 characters</summary>" in html


def test_growing_calls_keep_their_results() -> None:
    calls = Calls(run=True)
    assert not calls
    calls.add(ToolCallDelta(0, "c1", "weather", '{"city":'))
    calls.add(ToolCallDelta(0, "c1", "weather", ' "Oslo"}'))
    assert calls.calls == (CALL,)

    calls.returned(ToolResult(CALL, "sun"))
    assert "was run" in calls.html()
    assert calls.results == (ToolResult(CALL, "sun"),)


def test_an_answer_shows_the_rounds_before_it() -> None:
    first = Answer("Let me see.", tool_calls=(CALL,), results=(ToolResult(CALL, "rain"),), reasoning="Hm")
    bundle = answer_bundle(Answer("It **rains**.", rounds=(first,)))
    shown = text(bundle["text/html"])

    order = [shown.index(word) for word in ("Hm", "Let me see.", "was run", "rain", "It rains.")]
    assert order == sorted(order)
    assert bundle["text/plain"] == "It **rains**."


def test_plain_text_has_the_result_below_the_call() -> None:
    assert calls_plain([CALL], [ToolResult(CALL, "sun")]) == 'weather({"city": "Oslo"})\n  → sun'


def test_plain_text_tells_calls_of_one_id_apart() -> None:
    other = ToolCall("c1", "weather", '{"city": "Bergen"}')
    lines = calls_plain([CALL, other], [ToolResult(CALL, "sun"), ToolResult(other, "rain")]).splitlines()

    assert [line.strip() for line in lines[1::2]] == ["→ sun", "→ rain"]


def test_a_result_is_never_live_html() -> None:
    evil = "<script>x</script><img src=x onerror=x>&lt;b&gt; $a$ \x1b[31m"
    call = ToolCall("c1", evil, evil)
    for content in (evil, f'{{"{"k" * 700}": "<img src=x>"}}'):
        html = calls_html([call], [ToolResult(call, content, failed=True)])
        assert not re.search(r"<(?!/?(?:div|small|code|pre|span|details|summary)\b)", html)
        assert "\x1b" not in html
