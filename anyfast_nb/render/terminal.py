"""An answer outside a notebook: plain text in a terminal, nothing at all in a program."""

from __future__ import annotations

import sys
from typing import TextIO

from anyfast_nb.render.answer import Footer, footer_text, mark
from anyfast_nb.render.calls import calls_plain
from anyfast_nb.wire.text import without_controls
from anyfast_nb.wire.values import Answer, Event, Noted, ReasoningDelta, Retrying, Status, TextDelta

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class TerminalView:
    """Prints text as it comes, reasoning dimmed, the footer at the end.

    Args:
        stream: where to print; standard output by default.
        footer: how much the last line tells.
    """

    def __init__(self, stream: TextIO | None = None, *, footer: Footer = "full") -> None:
        self._stream = stream or sys.stdout
        self._footer: Footer = footer
        self._dims = self._stream.isatty()
        self._thinking = False
        self._printed = False

    def note(self, text: str) -> None:
        """A line above the answer."""
        self._write(f"{self._dimmed(without_controls(text))}\n")

    def feed(self, event: Event) -> None:
        """Print what came."""
        match event:
            case TextDelta(text=text):
                if self._thinking:
                    self._end_line()
                self._thinking = False
                self._printed = True
                self._write(without_controls(text))
            case ReasoningDelta(text=text):
                self._thinking = True
                self._write(self._dimmed(without_controls(text)))
            case Noted(text=text):
                self.note(text)
            case Retrying():
                wait = f"next try in {event.delay_s:.0f} s"
                self.note(f"{event.reason} · {wait} ({event.attempt} of {event.attempts})")
            case _:
                pass

    def tick(self) -> None:
        """Nothing moves in a terminal."""

    def finish(self, answer: Answer) -> None:
        """Print what has not been printed, the calls asked for, and the footer."""
        if not self._printed and answer.text:
            self.feed(TextDelta(answer.text))
        if answer.tool_calls:
            self._write(without_controls(f"\n{calls_plain(answer.tool_calls, answer.results)}"))
        text = footer_text(answer, self._footer)
        self._end_line()
        if text:
            self.note(text)

    def fail(self, error: BaseException, partial: Answer | None = None) -> None:
        """Mark what was printed; the error itself is IPython's to show."""
        if partial is not None and partial.status is not Status.OK:
            self._end_line()
            self.note(mark(partial))
        elif self._printed:
            self._end_line()

    def _end_line(self) -> None:
        self._write("\n\n" if self._thinking else "\n")

    def _dimmed(self, text: str) -> str:
        return f"{_DIM}{text}{_PLAIN}" if self._dims else text

    def _write(self, text: str) -> None:
        self._stream.write(text.replace("\r", ""))
        self._stream.flush()


class SilentView:
    """Shows nothing: a program reads the answer it gets."""

    def note(self, text: str) -> None:
        """Nothing."""

    def feed(self, event: Event) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""

    def finish(self, answer: Answer) -> None:
        """Nothing."""

    def fail(self, error: BaseException, partial: Answer | None = None) -> None:
        """Nothing."""
