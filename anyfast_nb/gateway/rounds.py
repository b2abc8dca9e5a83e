"""A chat in rounds: the model asks for tools, they run, their results go back, until it answers.

Who drives the rounds (a client, a magic) runs the tools in its own thread: a
tool sees the caller's variables, may call the client, and stops at an interrupt.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, InputError, Interrupted
from anyfast_nb.gateway.prompt import ChatRequest, Prompt, chat_request
from anyfast_nb.wire.messages import answer_messages
from anyfast_nb.wire.values import Answer, Event, Finished, Status, ToolResult

if TYPE_CHECKING:
    from anyfast_nb.gateway.exchange import OnEvent
    from anyfast_nb.gateway.tools import Toolbox
    from anyfast_nb.settings import Settings

MOST_ROUNDS: Final = 8  # a model that goes on asking would go on costing
_CUT: Final = ("length", "content_filter")  # its last call may be half of one


class Rounds:
    """What is asked, what has been said since, and whether another round is due.

    Args:
        request: the first round.
        tools: the functions handed over; without any there is one round.
        most: how many requests at most; the last answer then keeps its calls, not run.

    Attributes:
        request: the first round.
        tools: the functions handed over, None without any.
    """

    def __init__(
        self, request: ChatRequest, tools: Toolbox | None = None, *, most: int = MOST_ROUNDS
    ) -> None:
        self.request = request
        self.tools = tools
        self._most = most
        self._answers: list[Answer] = []
        self._asking: Answer | None = None  # while its calls run: with the results so far

    @property
    def begun(self) -> bool:
        """Has a round of it been answered?"""
        return bool(self._answers)

    def body(self) -> Mapping[str, Any]:
        """What the next round sends."""
        said = [message for answer in self._answers for message in answer_messages(answer)]
        return self.request.followed_by(said).body if said else self.request.body

    def due(self, answer: Answer) -> bool:
        """Does this answer ask for functions that shall run, and may another request follow?"""
        return self._asks(answer) and len(self._answers) + 1 < self._most

    def why_ended(self, answer: Answer) -> str:
        """Why the calls of the last answer were not run, in words; "" if that needs none."""
        if not self._asks(answer):
            return ""
        names = ", ".join(dict.fromkeys(call.name for call in answer.tool_calls))
        requests = "1 request" if self._most == 1 else f"{self._most} requests"
        return f"ended after {requests} (max_rounds): {names} not run"

    def _asks(self, answer: Answer) -> bool:
        if not self.tools or not answer.tool_calls or answer.status is not Status.OK:
            return False
        # A call of what is only described is the caller's to answer, and all are answered at once.
        return answer.finish_reason not in _CUT and self.tools.runs(answer.tool_calls)

    def run(self, answer: Answer, *, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[ToolResult]:
        """Run the calls of an answer one after another, here and now; then the round is taken.

        Args:
            answer: it asks for functions.
            wait: runs an asynchronous function to its end.
        """
        assert self.tools is not None
        self._asking = answer
        for call in answer.tool_calls:
            yield self._came(self.tools.run(call, wait=wait))
        self._taken()

    async def arun(self, answer: Answer) -> AsyncIterator[ToolResult]:
        """The same in the caller's own loop, where asynchronous functions are awaited."""
        assert self.tools is not None
        self._asking = answer
        for call in answer.tool_calls:
            yield self._came(await self.tools.arun(call))
        self._taken()

    def _came(self, result: ToolResult) -> ToolResult:
        assert self._asking is not None
        self._asking = replace(self._asking, results=(*self._asking.results, result))
        return result

    def _taken(self) -> None:
        if self._asking is not None:
            self._answers.append(self._asking)
        self._asking = None

    def last(self, answer: Answer) -> Answer:
        """The final answer, with the rounds that led to it."""
        return replace(answer, rounds=tuple(self._answers)) if self._answers else answer

    def ends(self, event: Event) -> bool:
        """Is this the end of a round, and not yet of the chat?"""
        return isinstance(event, Finished) and self.due(event.answer)

    def told(self, event: Event) -> Event:
        """An event as the whole chat tells it: the last answer has all rounds."""
        return Finished(self.last(event.answer)) if isinstance(event, Finished) else event

    def listener(self, on_event: OnEvent | None) -> OnEvent | None:
        """What hears one round, so that `on_event` hears one chat."""
        if on_event is None:
            return None
        return lambda event: None if self.ends(event) else on_event(self.told(event))

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever stops the chat inside: the error's partial answer holds all that was said and run.

        Raises:
            Interrupted: on Ctrl-C, wherever it comes: in a stream, in a function, between two rounds.
        """
        try:
            yield
        except AnyFastError as error:
            self._complete(error)
            raise
        except KeyboardInterrupt as stop:
            own = self._asking is None and isinstance(stop, Interrupted)
            if not own:  # a function may have asked a model itself: that partial answer is not ours
                raise self._halted() from None
            self._complete(stop)
            raise

    def _complete(self, stop: AnyFastError | KeyboardInterrupt) -> None:
        if isinstance(stop, AnyFastError | Interrupted) and isinstance(stop.partial, Answer):
            stop.partial = self.last(stop.partial)

    def _halted(self) -> Interrupted:
        """What an interrupt outside of a request means."""
        if self._asking is not None:
            partial = self.last(replace(self._asking, status=Status.INTERRUPTED))
            return Interrupted("stopped while a tool ran; what had come is kept", partial=partial)
        if not self._answers:
            return Interrupted("stopped before anything was sent")
        *before, last = self._answers
        partial = replace(last, rounds=tuple(before), status=Status.INTERRUPTED)
        return Interrupted("stopped between two requests; what had come is kept", partial=partial)


def rounds_of(
    prompt: Prompt,
    *,
    settings: Settings,
    tools: Sequence[Any] | None = None,
    tool_choice: Any = None,
    max_rounds: int = MOST_ROUNDS,
    **options: Any,
) -> Rounds:
    """The rounds of a prompt.

    Args:
        prompt: see `chat_request`.
        settings: see `chat_request`.
        tools: Python functions, which are run, or schemas, which are not.
        tool_choice: see `chat_request`; also one of the functions, or its name.
        max_rounds: requests at most, 1 or more.
        options: see `chat_request`.

    Raises:
        InputError: a value outside its documented range, something that cannot be a tool.
    """
    if not isinstance(max_rounds, int) or isinstance(max_rounds, bool) or max_rounds < 1:
        raise InputError(
            f"max_rounds is {max_rounds!r}; it must be a whole number from 1 on", field="max_rounds"
        )
    if not tools:
        if tool_choice not in (None, "none", "auto"):
            raise InputError(
                "tool_choice is given without tools", field="tool_choice", hint="Give tools=[…] as well."
            )
        request = chat_request(prompt, settings=settings, tool_choice=tool_choice, **options)
        return Rounds(request, most=max_rounds)
    from anyfast_nb.gateway.tools import Toolbox  # pydantic and media: for those who use tools

    box = Toolbox(tools)
    request = chat_request(
        prompt, settings=settings, tools=box.schemas, tool_choice=box.choice(tool_choice), **options
    )
    return Rounds(request, box, most=max_rounds)
