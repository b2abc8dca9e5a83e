"""The typed values that come back over the wire: answers, usage, and the events of a stream.

Source: seeds 001 and 002 (answers, usage, streams); costs are ours, from the price file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal


class Source(StrEnum):
    """Where an answer came from. Totals never mix them."""

    LIVE = "live"
    SIMULATED = "simulated"
    REPLAYED = "replayed"


class Status(StrEnum):
    """How a request ended."""

    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    TRUNCATED = "truncated"
    UNFINISHED = "unfinished"
    SUBMIT_UNKNOWN = "submit_unknown"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request; None is unknown, never 0.

    ``input_tokens`` includes ``cached_tokens``; ``output_tokens`` includes
    ``reasoning_tokens`` (OpenTelemetry's meaning).
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency, exact.

    Attributes:
        nano: whole billionths of a unit of the currency.
        currency: its three letters.

    Example:
        >>> str(Money(1_234_500, "USD")), Money(1_234_500, "USD").brief()
        ('0.0012345 USD', '0.0012 USD')
    """

    nano: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """In units of the currency."""
        from decimal import Decimal  # most answers are never asked

        return Decimal(self.nano).scaleb(-9)

    def __str__(self) -> str:
        return f"{self.amount.normalize():,f} {self.currency}"

    def brief(self) -> str:
        """With two digits behind the point, and two that count for what is smaller."""
        amount = self.amount
        if not self.nano or amount.adjusted() < -1:
            amount = round(amount, 1 - amount.adjusted()).normalize()
            return f"{amount:f} {self.currency}"
        return f"{amount:,.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model asks for; nothing of ours runs it unasked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a function gave back to the model.

    Attributes:
        call: the call it answers.
        content: the text that goes to the model.
        failed: the function, or its arguments, went wrong; the text says how.
    """

    call: ToolCall
    content: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: total, to the first text or reasoning, and spent thinking; None is unknown."""

    duration_s: float | None = None
    ttft_s: float | None = None
    thinking_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chat gives back.

    Attributes:
        text: the answer itself, Markdown.
        reasoning: the chain of thought, "" if none came.
        usage: tokens; fields are None where the server said nothing.
        model: the model that served (the one asked for, until the server says).
        id: the server's id of this completion, opaque.
        finish_reason: stop, length, tool_calls, content_filter, or "" if none came.
        tool_calls: functions the model asks for.
        results: what those gave back, where they were handed over as Python functions and run.
        rounds: the answers before this one that asked for tools, oldest first.
        status: ok, interrupted or truncated for an answer in hand.
        source: live, simulated or replayed.
        timing: seconds.
        cost: of this one request, where its price is set and its tokens are known; see `total_cost`.
        raw: the last body or chunk fields a caller may want (never headers).
    """

    text: str
    reasoning: str = ""
    usage: Usage = Usage()
    model: str = ""
    id: str = ""
    finish_reason: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    rounds: tuple[Answer, ...] = ()
    status: Status = Status.OK
    source: Source = Source.LIVE
    timing: Timing = Timing()
    cost: Money | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def total_cost(self) -> Money | None:
        """With the rounds before it; None where that of any is unknown, or in another currency."""
        costs = [answer.cost for answer in (*self.rounds, self)]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(costs) or len({cost.currency for cost in known}) > 1:
            return None
        return Money(sum(cost.nano for cost in known), known[0].currency)

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from anyfast_nb.render.answer import answer_bundle  # the one upward import: a value shows itself

        return answer_bundle(self)


# --- events of a stream, in the order they come -------------------------------------------


@dataclass(frozen=True, slots=True)
class Retrying:
    """A try failed; the next one starts in ``delay_s`` seconds.

    ``attempt`` is the number of the coming try, of ``attempts`` in all; ``reason``
    is a status ("429") or a word ("no connection").
    """

    reason: str
    delay_s: float
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A line for a person, before anything is sent, such as a soft budget that is exceeded."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The server accepted; the stream begins."""

    model: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the chain of thought."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: ``arguments`` is what came now, to be added to those of call ``index``."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """A function that was handed over has run; the next round begins when all have."""

    result: ToolResult


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer; always the last event of a stream that did not raise."""

    answer: Answer


Event = Noted | Retrying | Opened | ReasoningDelta | TextDelta | ToolCallDelta | ToolReturned | Finished
