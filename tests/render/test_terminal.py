from __future__ import annotations

from io import StringIO

from anyfast_nb.errors import WireCut
from anyfast_nb.render.terminal import SilentView, TerminalView
from anyfast_nb.render.view import View
from anyfast_nb.wire.values import (
    Answer,
    Opened,
    ReasoningDelta,
    Retrying,
    Source,
    Status,
    TextDelta,
    ToolCall,
    Usage,
)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_text_as_it_comes_reasoning_dimmed_footer_last() -> None:
    screen = Terminal()
    view = TerminalView(screen)
    view.note("inserted x")
    view.feed(Retrying("429", 2.0, 2, 4))
    view.feed(Opened("m"))
    view.feed(ReasoningDelta("Hm"))
    view.feed(TextDelta("Hel"))
    assert screen.getvalue().endswith("\x1b[2mHm\x1b[0m\n\nHel")
    view.feed(TextDelta("lo"))
    view.tick()
    view.finish(Answer("Hello", reasoning="Hm", model="m", usage=Usage(1, 2), source=Source.SIMULATED))
    assert screen.getvalue() == (
        "\x1b[2minserted x\x1b[0m\n"
        "\x1b[2m429 · next try in 2 s (2 of 4)\x1b[0m\n"
        "\x1b[2mHm\x1b[0m\n\nHello\n"
        "\x1b[2msimulated · m · 1 → 2 tokens\x1b[0m\n"
    )


def test_no_colour_codes_into_a_file() -> None:
    file = StringIO()
    view = TerminalView(file, footer="off")
    view.feed(ReasoningDelta("Hm"))
    view.finish(Answer("Hello", reasoning="Hm", tool_calls=(ToolCall("1", "f", "{}"),)))
    assert file.getvalue() == "Hm\n\nHello\nf({})\n"


def test_control_codes_of_the_model_do_not_reach_the_terminal() -> None:
    screen = StringIO()
    view = TerminalView(screen)
    view.feed(TextDelta("a\x1b]0;title\x07b\x1b[2J\rc\x9b31m"))
    assert not {"\x1b", "\x07", "\x9b"} & set(screen.getvalue())


def test_a_partial_answer_is_marked() -> None:
    screen = StringIO()
    view = TerminalView(screen)
    view.feed(TextDelta("Hel"))
    view.fail(WireCut("cut"), Answer("Hel", status=Status.TRUNCATED))
    assert screen.getvalue() == "Hel\ncut off: the answer broke off\n"


def test_nothing_is_printed_by_a_failure_before_text() -> None:
    screen = StringIO()
    TerminalView(screen).fail(WireCut("cut"))
    assert screen.getvalue() == ""


def test_in_a_program_nothing_is_shown(capsys) -> None:  # type: ignore[no-untyped-def]
    view: View = SilentView()
    view.note("a")
    view.feed(TextDelta("b"))
    view.tick()
    view.finish(Answer("b"))
    view.fail(WireCut("cut"))
    assert capsys.readouterr() == ("", "")
