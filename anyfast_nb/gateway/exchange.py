"""One request and its answer, by chat or by the Responses API, from its ledger row to its end.

It runs on the private loop.

The row is written before anything is sent and settled however the exchange
ends: answered, refused, cut, or interrupted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError, Interrupted, ProtocolError, ReadTimedOut, StatusError, WireCut
from anyfast_nb.gateway.bound import chat_bound
from anyfast_nb.gateway.ending import GOOD, ending
from anyfast_nb.gateway.gate import Gate
from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.http.failures import lost
from anyfast_nb.http.redact import redact
from anyfast_nb.http.transport import Call, Head, Transport
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.wire.dialects import dialect_of
from anyfast_nb.wire.values import (
    Answer,
    Event,
    Finished,
    Money,
    Noted,
    Opened,
    ReasoningDelta,
    Retrying,
    Source,
    Status,
    TextDelta,
    Timing,
    ToolCallDelta,
)

if TYPE_CHECKING:
    from anyfast_nb.gateway.gate import Admission
    from anyfast_nb.http.sse import ServerSentEvent
    from anyfast_nb.ledger.store import Ledger

OnEvent = Callable[[Event], None]


class Exchange:
    """One request and its answer.

    Args:
        body: the request, checked; it says itself which API it is for.
        ledger: gets the row.
        origin: for the row; by default that of the caller.
        gate: what it passes first; by default the ledger's budgets alone.
        tells: of soft budgets; not again in a later round of the same chat.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        *,
        ledger: Ledger,
        origin: Origin | None = None,
        gate: Gate | None = None,
        tells: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.body = body
        self._ledger = ledger
        self._gate = gate or Gate(lambda: ledger)
        self._tells = tells
        self._on_event: OnEvent = _ignore
        self._clean: Callable[[str], str] = redact
        self._origin = origin or here()
        self._clock = clock
        self._dialect = dialect_of(body)
        self._reader = self._dialect.reader(str(body["model"]))
        self._source = Source.LIVE
        self._head = Head(simulated=False, request_id="")
        self._attempts = 1
        self._resting_until = float("-inf")
        self._done = False
        self._opened = False
        self._telling = False
        self._told_chars: dict[int, int] = {}  # of each tool call's arguments
        self._row_id: str | None = None
        self._whole: Answer | None = None
        self._cost: Money | None = None
        self._began = clock()
        self._first: float | None = None
        self._first_text: float | None = None
        self._first_thought: float | None = None

    # --- the whole ------------------------------------------------------------------------

    async def run(self, transport: Transport, on_event: OnEvent | None = None) -> Answer:
        """Send, follow the stream, settle the row.

        Args:
            transport: where it goes.
            on_event: called on this loop with each event, in order.

        Raises:
            NotAllowedError, BudgetError: it was not sent.
            AnyFastError: with ``partial`` set to what had arrived.
        """
        self._on_event = on_event or _ignore
        self._clean = transport.redact
        self._began = self._clock()
        self._source = Source.SIMULATED if transport.endpoint.simulated else Source.LIVE
        begun = self._row(transport)
        admission = await self._gate.enter(begun, lambda: chat_bound(self.body))
        row = self._row_id = begun.id
        try:
            self._tell_of_budgets(admission, heard=on_event is not None)
            await self._converse(transport)
            self._require_end(transport)
        except asyncio.CancelledError as stopped:
            self._settle(row, Status.INTERRUPTED, stopped, said="interrupted")
            raise
        except AnyFastError as error:
            status = Status.TRUNCATED if isinstance(error, WireCut) and self._opened else Status.ERROR
            if isinstance(error, StatusError) and error.request_id:
                self._head = replace(self._head, request_id=error.request_id)
            self._settle(row, status, error, said=f"{type(error).__name__}: {error.message}")
            error.partial = self.answer(status)
            raise
        except BaseException as error:  # a fault in a callback: the row is settled all the same
            self._settle(row, Status.ERROR, error, said=type(error).__name__)
            raise
        self._settle(row, Status.OK)
        self._whole = self.answer(Status.OK)
        self._tell(Finished(self._whole))
        return self._whole

    def interrupted(self) -> Interrupted:
        """What an interrupt of this exchange means, with what had come."""
        if self._whole is not None:  # it came too late: the row says ok
            return Interrupted("stopped after the answer was complete", partial=self._whole)
        partial = self.answer(Status.INTERRUPTED)
        if self._row_id is None:
            return Interrupted("stopped before anything was sent", partial=partial)
        came = "what had come is kept" if partial.text else "before the answer began"
        billed = "; it may be billed" if self._source is Source.LIVE else ""
        return Interrupted(f"stopped, {came}{billed}", partial=partial)

    def answer(self, status: Status) -> Answer:
        """What has come so far."""
        answer = self._reader.answer(status=status)
        # A server that echoes the key anywhere is not helped to show it.
        return replace(
            answer,
            model=self._clean(answer.model),
            id=self._clean(answer.id),
            source=self._source,
            timing=self._timing(),
            cost=self._cost,
        )

    # --- sending and following ------------------------------------------------------------

    async def _converse(self, transport: Transport) -> None:
        call = Call(
            "POST", self._dialect.path, self.body, bills=True, max_line_bytes=self._dialect.max_line_bytes
        )

        def on_reply(body: dict[str, Any]) -> None:
            self._on_reply(body, transport)

        if not self.body.get("stream"):
            on_reply(await transport.json(call, on_retry=self._on_retry, on_head=self._on_head))
            return
        try:
            await transport.stream(
                call,
                lambda event: self._on_frame(event, transport),
                on_body=on_reply,
                on_retry=self._on_retry,
                on_head=self._on_head,
            )
        except (WireCut, ReadTimedOut):
            if self._telling or not self._reader.finished:
                raise  # else the server has said why it stopped, and nothing is lost

    def _on_retry(self, event: Retrying) -> None:
        self._attempts = event.attempt
        self._resting_until = self._clock() + event.delay_s
        self._tell(event)

    def _on_head(self, head: Head) -> None:
        self._head = head
        if head.simulated:
            self._source = Source.SIMULATED

    def _on_frame(self, frame: ServerSentEvent, transport: Transport) -> bool:
        """Take one event; was it the last?"""
        data = frame.data.strip()
        self._done = data == "[DONE]"
        if self._done or not data:
            return self._done
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            chunk = None
        if not isinstance(chunk, dict):
            shown = transport.redact(data[:200])[:60]
            raise lost(WireCut, f"the stream holds a frame that is no JSON: {shown!r}", bills=True)
        if frame.event != "message":  # some servers name the event there alone
            chunk.setdefault("type", frame.event)
        self._take(chunk, transport, piece="delta")
        return self._dialect.ends(chunk)

    def _on_reply(self, body: dict[str, Any], transport: Transport) -> None:
        if reason := self._dialect.not_an_answer(body):
            raise lost(ProtocolError, reason, bills=True)
        self._take(body, transport, piece="message")
        self._done = True

    def _take(self, chunk: Mapping[str, Any], transport: Transport, *, piece: str) -> None:
        problem = self._dialect.failure(chunk)
        self._tell_of(*self._reader.read(chunk, piece=piece), opens=problem is None)
        if problem is not None:
            text, known_id = json.dumps(problem), self._head.request_id
            raise transport.error_in(text, status=0, bills=True, request_id=known_id)

    def _tell_of(self, reasoning: str, text: str, calls: list[int], *, opens: bool) -> None:
        """Events for what a piece of the reply added; with the first of them the answer is open."""
        if not self._opened and (opens or reasoning or text or calls):
            self._opened = True
            self._tell(Opened(self._clean(self._reader.model), self._clean(self._reader.id)))
        now = self._clock()
        if (reasoning or text or calls) and self._first is None:
            self._first = now
        if reasoning:
            self._first_thought = now if self._first_thought is None else self._first_thought
            self._tell(ReasoningDelta(reasoning))
        if text:
            self._first_text = now if self._first_text is None else self._first_text
            self._tell(TextDelta(text))
        for index in calls:
            call = self._reader.call(index)
            piece = call.arguments[self._told_chars.get(index, 0) :]
            self._told_chars[index] = len(call.arguments)
            self._tell(ToolCallDelta(index, call.id, call.name, piece))

    def _tell_of_budgets(self, admission: Admission, *, heard: bool) -> None:
        if not self._tells:
            return
        if not heard:
            self._gate.tell(admission)
        for line in admission.lines:
            self._tell(Noted(line))

    def _tell(self, event: Event) -> None:
        self._telling = True
        self._on_event(event)
        self._telling = False  # still True after an exception: it is the callback's, not the wire's

    def _require_end(self, transport: Transport) -> None:
        """A stream that closes without a finish reason or [DONE] was cut, however cleanly."""
        if self._done and not self._reader.begun:
            raise lost(ProtocolError, "the stream ended without an answer", bills=True)
        if not (self._done or self._reader.finished):
            raise WireCut(
                f"the answer from {transport.endpoint.base_url} broke off before its end",
                hint="Sent, and may be billed. What came is kept; run it again for a whole answer.",
            )

    # --- the row --------------------------------------------------------------------------

    def _row(self, transport: Transport) -> RequestRow:
        title = " ".join(transport.redact(self._dialect.prompt(self.body)[:2000]).split())
        row = RequestRow(
            kind=self._dialect.kind,
            source=self._source,
            base_url=transport.endpoint.base_url,
            model=str(self.body["model"]),
            title=title[:80] or None,
        )
        return self._origin.signed(row)

    def _settle(
        self, row: str, status: Status, error: BaseException | None = None, *, said: str | None = None
    ) -> None:
        answer = self.answer(status)
        rests = self._clock() < self._resting_until
        how = GOOD if error is None else ending(error, rests=rests)
        cost = self._ledger.settle(
            row,
            status=status,
            source=self._source,
            model=answer.model if self._opened else None,
            usage=answer.usage,
            duration_s=answer.timing.duration_s,
            ttft_s=answer.timing.ttft_s,
            error=None if said is None else self._clean(said),
            error_class=how.error_class,
            billed=how.billed,
            request_id=self._head.request_id or None,
            attempts=self._attempts,
        )
        self._cost = None if cost is None else Money(cost.nano, cost.currency)

    def _timing(self) -> Timing:
        now = self._clock()
        thought_until = now if self._first_text is None else self._first_text
        return Timing(
            duration_s=now - self._began,
            ttft_s=None if self._first is None else self._first - self._began,
            thinking_s=None if self._first_thought is None else thought_until - self._first_thought,
        )


def _ignore(_: Event) -> None:
    pass
