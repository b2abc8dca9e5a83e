"""The streaming display: events of one request in, outputs of one cell out.

While text streams, few small outputs are redrawn at a pace a browser can follow
(see `outputs` and `pace`); at the end one static output holds the whole answer.
Nothing here may fail a request: what cannot be drawn is shown as plain text.
"""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from anyfast_nb.errors import WireError
from anyfast_nb.render.answer import (
    Footer,
    answer_metadata,
    answer_plain,
    compose,
    footer_html,
    footer_text,
    notes_html,
    thought_html,
    thought_title,
)
from anyfast_nb.render.calls import Calls, calls_html
from anyfast_nb.render.document import Document, text_html
from anyfast_nb.render.escape import escape_prose, preformatted
from anyfast_nb.render.notice import notice
from anyfast_nb.render.outputs import MOST_OUTPUTS, Body, Slots
from anyfast_nb.render.pace import Pace
from anyfast_nb.render.status import Progress
from anyfast_nb.render.style import page, quiet
from anyfast_nb.render.thought import Thought
from anyfast_nb.wire.values import (
    Answer,
    Event,
    Noted,
    Opened,
    ReasoningDelta,
    Retrying,
    Source,
    Status,
    TextDelta,
    Timing,
    ToolCallDelta,
    ToolReturned,
)

if TYPE_CHECKING:
    from anyfast_nb.render.publish import Bundle, Publisher

# Before the first text nothing is drawn for this long: most answers begin sooner.
PATIENCE_S = 0.4
THOUGHT_EVERY_S = 0.16
MOST_PARTS = 1_000  # of an answer whose outputs stay

_log = logging.getLogger(__name__)


class StreamView:
    """Shows one answer in a notebook as it streams.

    Args:
        publisher: where outputs go.
        model: the model asked for.
        footer: how much the last line tells.
        owns_cell: True if the cell holds nothing but this answer: its outputs are
            then cleared for the final one. False never touches other outputs.
        clock: seconds, never going back.
        source: said in the status line unless live.
        plain: show the text as it is instead of rendering its Markdown.
        runs_tools: functions it asks for will be run.
        stays: its outputs stay as they are, as many as there are, and at the end only what differs is
            drawn anew; for a place that can hold many. Needs `owns_cell`.
        new_id: gives a name no other answer on the page has.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        model: str,
        footer: Footer = "full",
        owns_cell: bool,
        clock: Callable[[], float] = time.monotonic,
        source: Source = Source.LIVE,
        plain: bool = False,
        runs_tools: bool = False,
        stays: bool = False,
        new_id: Callable[[], str] = lambda: f"anyfast-{uuid4().hex[:12]}",
    ) -> None:
        self._publisher = publisher
        self._footer: Footer = footer
        self._owns_cell = owns_cell
        self._clock = clock
        self._plain = plain
        self._stays = stays
        self._stem = new_id()
        self._slots = Slots(publisher, stem=self._stem)
        self._progress = Progress(model=model, source=source, started_s=clock())
        self._thought = Thought()
        self._thought_pace = Pace(least_s=THOUGHT_EVERY_S)
        self._pane: int | None = None
        self._notes: list[str] = []
        self._fresh: list[str] = []  # text that came since the last draw
        self._calls = Calls(run=runs_tools)
        self._fresh_calls = False
        self._pace = Pace()
        self._shown_chars = 0
        self._troubles = 0
        self._document = Document(plain=plain)
        self._body = self._new_body()

    # --- what comes in ---------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A line above the answer, never part of its text."""
        self._notes.append(text)
        shown = (
            self._draw_body
            if self._body.numbers
            else self._draw_pane
            if self._thought
            else self._draw_waiting
        )
        self._try(shown)

    def feed(self, event: Event) -> None:
        """Something came; drawn at once if it is the first text, else at its pace."""
        now_s = self._clock()
        match event:
            case TextDelta(text=text):
                if text:
                    self._take_text(text, now_s)
            case ReasoningDelta(text=text):
                if text:
                    self._thought.add(text, now_s)
                    self._progress.count(text, now_s)
            case ToolCallDelta():
                self._take_call(event, now_s)
            case ToolReturned(result=result):
                self._calls.returned(result)
                self._fresh_calls = True
            case Retrying(delay_s=delay_s):
                self._progress.retry = (event, now_s + delay_s)
                self._try(self._draw_waiting)
            case Noted(text=text):
                self.note(text)
            case Opened(model=model):
                self._progress.model = model or self._progress.model
                self._progress.retry = None
            case _:
                return
        self._draw_due(now_s)

    def tick(self) -> None:
        """Time has passed: draw what is due."""
        self._draw_due(self._clock())

    def finish(self, answer: Answer) -> None:
        """Replace what streamed by the answer, for good."""
        self._thought.end(self._clock())
        timing = answer.timing
        if timing.thinking_s is None and self._thought.seconds is not None:
            answer = replace(answer, timing=replace(timing, thinking_s=self._thought.seconds))
        self._try(self._draw_final, answer)

    def fail(self, error: BaseException, partial: Answer | None = None) -> None:
        """The request failed: what had come stays, marked; nothing else is left."""
        answer = partial or self._so_far()
        if answer.status is Status.OK:
            answer = replace(answer, status=_status_of(error))
        if answer.text or answer.reasoning or answer.tool_calls:
            self.finish(answer)
        else:
            self._try(self._draw_nothing, answer)

    # --- taking ----------------------------------------------------------------------------

    def _take_text(self, text: str, now_s: float) -> None:
        first = not self._fresh and not self._shown_chars
        self._fresh.append(text)
        self._progress.count(text, now_s)
        self._end_thought(now_s)
        if first:
            self._try(self._draw_body)

    def _take_call(self, event: ToolCallDelta, now_s: float) -> None:
        self._progress.count(event.arguments, now_s)
        self._calls.add(event)
        self._fresh_calls = True
        self._end_thought(now_s)

    def _end_thought(self, now_s: float) -> None:
        """The last draw of the pane while the answer streams: from here on its state is the reader's."""
        if self._thought.end(now_s) and self._pane is not None:
            self._try(self._close_pane)

    def _so_far(self) -> Answer:
        """What has come, as an answer: for a request that failed without giving one."""
        started_s, first_s = self._progress.started_s, self._progress.first_s
        return Answer(
            text=self._document.text + "".join(self._fresh),
            reasoning=self._thought.text,
            model=self._progress.model,
            tool_calls=self._calls.calls,
            results=self._calls.results,
            source=self._progress.source,
            timing=Timing(
                duration_s=self._clock() - started_s,
                ttft_s=None if first_s is None else first_s - started_s,
                thinking_s=self._thought.seconds,
            ),
        )

    # --- drawing while it streams ----------------------------------------------------------

    def _draw_due(self, now_s: float) -> None:
        if self._shown_chars or self._fresh or self._calls:
            draw, fresh, pace = self._draw_body, bool(self._fresh) or self._fresh_calls, self._pace
        elif self._thought:
            draw, fresh, pace = self._draw_pane, self._thought.fresh, self._thought_pace
        elif now_s - self._progress.started_s >= PATIENCE_S:
            draw, fresh, pace = self._draw_waiting, False, self._pace
        else:
            return
        if pace.stale(now_s) or (fresh and pace.due(now_s)):
            self._try(draw)

    def _draw_waiting(self) -> None:
        now_s = self._clock()
        inner = notes_html(self._notes) + self._status_html(now_s)
        if inner:
            self._slots.wait(page(inner, style=True))
        self._pace.drawn(now_s, size_bytes=self._slots.take_spent())

    def _draw_pane(self) -> None:
        now_s = self._clock()
        html = notes_html(self._notes) + self._thought.live_html(now_s)
        if not self._owns_cell:  # one output for all: the answer takes the pane's place
            self._slots.wait(html)
        elif self._pane is None:
            self._pane = self._slots.add(html, "…")
        else:
            self._slots.redraw(self._pane, html, "…")
        self._thought_pace.drawn(now_s, size_bytes=self._slots.take_spent())

    def _close_pane(self) -> None:
        assert self._pane is not None
        title = self._thought.title()
        self._slots.redraw(self._pane, self._pane_html(title), title)

    def _pane_html(self, title: str) -> str:
        return page(notes_html(self._notes) + thought_html(self._thought.text, title), style=True)

    def _draw_body(self) -> None:
        now_s = self._clock()
        text = "".join(self._fresh)
        self._fresh.clear()
        self._fresh_calls = False
        self._document.feed(text)
        self._shown_chars += len(text)
        self._body.draw(self._calls.html() + self._status_html(now_s))
        self._pace.drawn(now_s, size_bytes=self._slots.take_spent(), shown_chars=self._shown_chars)

    def _status_html(self, now_s: float) -> str:
        if self._footer == "off" and not self._progress.retry:
            return ""
        return quiet(escape_prose(self._progress.line(now_s)))

    def _header(self) -> str:
        """What stands above the text in its first output: nothing, where a pane of its own has it."""
        if self._pane is not None:
            return ""
        return notes_html(self._notes) + (thought_html("", self._thought.title()) if self._thought else "")

    def _new_body(self) -> Body:
        most = MOST_OUTPUTS if self._owns_cell else 1  # beside others each output would stay
        if self._stays:
            most = MOST_PARTS
        few = not self._stays
        return Body(self._slots, self._document, most=most, header=self._header, stem=self._stem, few=few)

    # --- the last draw ---------------------------------------------------------------------

    def _draw_final(self, answer: Answer) -> None:
        """One output in place of all; nothing is cleared before it is there, so the cell keeps its height."""
        if self._can_stay(answer):
            self._keep_parts(answer)
            return
        bundle = self._whole(answer, footer=self._footer, notes=self._notes)
        number = 0
        if self._slots.count > 1:  # in a cell of its own alone
            self._publisher.clear(wait=True)
            number = self._slots.count
        self._slots.settle(number, bundle, answer_metadata(answer))

    def _can_stay(self, answer: Answer) -> bool:
        text = self._document.text + "".join(self._fresh)
        simple = not (self._troubles or self._plain or answer.rounds)
        return self._stays and simple and bool(self._body.numbers) and answer.text == text

    def _keep_parts(self, answer: Answer) -> None:
        """The same as one output would show, with what is drawn so already left alone."""
        self._document.feed("".join(self._fresh))
        self._fresh.clear()
        title = thought_title(answer.usage)
        header = notes_html(self._notes) + (thought_html(answer.reasoning, title) if answer.reasoning else "")
        if self._pane is not None:
            self._slots.keep(self._pane, page(header, style=True))
            header = ""
        below = calls_html(answer.tool_calls, answer.results) + footer_html(answer, self._footer)
        self._body.keep(header, below)

    def _whole(self, answer: Answer, **options: Any) -> Bundle:
        try:
            return compose(answer, self._answer_html(answer.text), **options)
        except Exception:  # noqa: BLE001 - an answer that cannot be rendered must be readable all the same
            _log.debug("the answer is shown as plain text", exc_info=True)
            text = answer_plain(answer)
            return {"text/plain": text, "text/html": page(preformatted(text), style=True)}

    def _answer_html(self, text: str) -> str:
        self._document.feed("".join(self._fresh))
        self._fresh.clear()
        return self._document.html() if text == self._document.text else text_html(text, plain=self._plain)

    def _draw_nothing(self, answer: Answer) -> None:
        """The request failed before anything came: take back what was drawn meanwhile."""
        if not self._slots.count:
            return
        if not self._owns_cell:
            lines = "\n".join([*self._notes, footer_text(answer, self._footer)])
            self._slots.settle(self._slots.count - 1, notice(lines), answer_metadata(answer))
            return
        self._publisher.clear(wait=bool(self._notes))
        if self._notes:
            self._publisher.display(
                notice("\n".join(self._notes)), {}, self._slots.display_id(self._slots.count)
            )

    # --- when drawing fails ----------------------------------------------------------------

    def _try(self, draw: Callable[..., None], *arguments: Any) -> None:
        """Draw; at the first trouble draw plain text instead, at the second leave it to the end."""
        final = draw in (self._draw_final, self._draw_nothing)
        if self._troubles > 1 and not final:
            return
        try:
            draw(*arguments)
        except Exception:  # noqa: BLE001 - the request goes on whatever becomes of its display
            _log.debug("drawing failed", exc_info=True)
            self._troubles += 1
            self._document.show_plain()
            if self._troubles == 1 and not final:
                self._try(self._draw_body)


def _status_of(error: BaseException) -> Status:
    if isinstance(error, KeyboardInterrupt | CancelledError):
        return Status.INTERRUPTED
    return Status.TRUNCATED if isinstance(error, WireError) else Status.ERROR
