"""A chat in rounds: the model asks for tools, they run, their results go back, until it answers.

Who drives the rounds (a client, a magic) runs the tools in its own thread: a
tool sees the caller's variables, may call the client, and stops at an interrupt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.prompt import ChatRequest, Prompt, chat_request
from anyfast_nb.wire.messages import answer_messages
from anyfast_nb.wire.values import Answer, Event, Finished, Status, ToolResult

if TYPE_CHECKING:
    from anyfast_nb.errors import AnyFastError, Interrupted
    from anyfast_nb.gateway.exchange import OnEvent
    from anyfast_nb.gateway.tools import Toolbox
    from anyfast_nb.settings import Settings

MOST_ROUNDS: Final = 8  # a model that goes on asking would go on costing


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

    def body(self) -> Mapping[str, Any]:
        """What the next round sends."""
        said = [message for answer in self._answers for message in answer_messages(answer)]
        return self.request.followed_by(said).body if said else self.request.body

    def due(self, answer: Answer) -> bool:
        """Does this answer ask for functions that shall run?"""
        asks = bool(self.tools and answer.tool_calls) and answer.status is Status.OK
        return asks and len(self._answers) + 1 < self._most

    def add(self, answer: Answer, results: Sequence[ToolResult]) -> Answer:
        """Take an answer and what its calls gave; the answer with its results."""
        done = replace(answer, results=tuple(results))
        self._answers.append(done)
        return done

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

    def stopped(self, error: AnyFastError | Interrupted) -> None:
        """Let an error's partial answer keep the rounds that led to it."""
        if isinstance(error.partial, Answer):
            error.partial = self.last(error.partial)


def rounds_of(
    prompt: Prompt,
    *,
    settings: Settings,
    tools: Sequence[Any] | None = None,
    max_rounds: int = MOST_ROUNDS,
    **options: Any,
) -> Rounds:
    """The rounds of a prompt.

    Args:
        prompt: see `chat_request`.
        settings: see `chat_request`.
        tools: Python functions, which are run, or schemas, which are not.
        max_rounds: requests at most, 1 or more.
        options: see `chat_request`.

    Raises:
        InputError: a value outside its documented range, something that cannot be a tool.
    """
    if not isinstance(max_rounds, int) or max_rounds < 1:
        raise InputError(
            f"max_rounds is {max_rounds!r}; it must be a whole number from 1 on", field="max_rounds"
        )
    if not tools:
        return Rounds(chat_request(prompt, settings=settings, **options), most=max_rounds)
    from anyfast_nb.gateway.tools import Toolbox  # pydantic and media: for those who use tools

    box = Toolbox(tools)
    return Rounds(chat_request(prompt, settings=settings, tools=box.schemas, **options), box, most=max_rounds)
