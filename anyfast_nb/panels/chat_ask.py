"""One request of a chat panel: made ready, sent, shown as it streams, kept. It runs on the private loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import catalog
from anyfast_nb.errors import AnyFastError, ModelNotFoundError
from anyfast_nb.gateway.prompt import ChatRequest, chat_request
from anyfast_nb.panels.board import Board, Stage
from anyfast_nb.render.stream import StreamView
from anyfast_nb.threads.book import Place, Thread, Turn
from anyfast_nb.wire.conversation import user_message
from anyfast_nb.wire.messages import answer_messages
from anyfast_nb.wire.values import Answer, Source, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.exchange import Exchange
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.panels.composer import Attached
    from anyfast_nb.session import Session

_TICK_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        text: the message.
        items: what goes with it.
        parts: of an earlier message, that go with it again.
        thread: where it belongs.
        instead_of: the turn whose place it takes, with all that follow it; None goes at the end.
        options: arguments of a chat.
    """

    text: str
    items: Sequence[Attached]
    thread: Thread
    options: Mapping[str, Any]
    parts: Sequence[Mapping[str, Any]] = ()
    instead_of: Turn | None = None


@dataclass(slots=True)
class Outcome:
    """What became of it.

    Attributes:
        turn: that was added to the thread, None if there is nothing to keep.
        error: why it failed, None if it did not.
        sent: it may have reached the gateway.
    """

    turn: Turn | None = None
    error: BaseException | None = None
    sent: bool = False
    notes: Sequence[str] = field(default_factory=tuple)


def place_of(thread: Thread, instead_of: Turn | None) -> Place:
    """Where the next turn goes: at the end, or in place of a turn, which is set aside with all after it."""
    turns = thread.active()
    at = next((number for number, turn in enumerate(turns) if turn is instead_of), None)
    if instead_of is None or at is None:
        return thread.place(cell=None)
    before = [message for turn in turns[:at] for message in (turn.message, *answer_messages(turn.answer))]
    return Place(instead_of.parent, instead_of.cell, None, tuple(before))


async def ask(session: Session, wish: Wish, *, board: Board, said: str, origin: Origin) -> Outcome:
    """Send a wish and show the answer behind the piece `said`; never raises but when it is cancelled.

    What had come before a stop or a cut is kept, in the thread as well.
    """
    outcome = Outcome()
    try:
        request, exchange, place = await asyncio.to_thread(_ready, session, wish, origin)
        view = _opened(session, request, board, said)
        for note in (session.simulator_notice(), *request.notes):
            if note:
                view.note(note)
        outcome.sent = True
        answer, outcome.error = await _answered(session, exchange, view)
        session.last = answer or session.last
        if answer is not None and (answer.text or answer.tool_calls):
            outcome.turn = _kept(wish, place, request, answer)
    except asyncio.CancelledError:
        outcome.error = None
    except Exception as error:  # noqa: BLE001 - the panel tells it; nobody else hears it
        outcome.error = error
    if isinstance(outcome.error, ModelNotFoundError):
        _name_near(outcome.error, str(wish.options.get("model") or session.settings.model))
    return outcome


def _ready(session: Session, wish: Wish, origin: Origin) -> tuple[ChatRequest, Exchange, Place]:
    """All that may take its time: files are read and checked, the ledger is opened."""
    place = place_of(wish.thread, wish.instead_of)
    options = {"settings": session.settings, "stream": True, **wish.options}
    values = [item.value for item in wish.items]
    if wish.parts:
        new = chat_request([wish.text, *values], settings=session.settings).message if values else {}
        content = new.get("content", ())
        media = [part for part in content if isinstance(part, dict) and part.get("type") != "text"]
        text = (
            next((part["text"] for part in content if part not in media), wish.text) if values else wish.text
        )
        message = user_message(text, media=[*wish.parts, *media])
        request = chat_request([message], history=place.history, **options)
    else:
        prompt = [wish.text, *values] if values else wish.text
        request = chat_request(prompt, history=place.history, **options)
    whence = origin.of_thread(wish.thread.name)
    return request, session.gateway.exchange(request.body, origin=whence), place


def _opened(session: Session, request: ChatRequest, board: Board, said: str) -> StreamView:
    source = Source.SIMULATED if session.gateway.connection.simulated() else Source.LIVE
    return StreamView(
        Stage(board, after=said),
        model=str(request.body["model"]),
        footer=session.settings.footer,
        owns_cell=True,
        source=source,
        stays=True,
    )


async def _answered(
    session: Session, exchange: Exchange, view: StreamView
) -> tuple[Answer | None, BaseException | None]:
    """The answer as far as it came, and why it came no further."""
    ticking = asyncio.create_task(_tick(view))
    try:
        answer = await session.gateway.run(exchange, view.feed)
    except asyncio.CancelledError:
        answer = exchange.answer(Status.INTERRUPTED)
        view.finish(answer)
        return answer, None
    except AnyFastError as error:
        partial = error.partial if isinstance(error.partial, Answer) else None
        worth = partial if partial is not None and (partial.text or partial.reasoning) else None
        view.fail(error, worth)
        return worth, error
    finally:
        ticking.cancel()
    view.finish(answer)
    return answer, None


def _kept(wish: Wish, place: Place, request: ChatRequest, answer: Answer) -> Turn:
    """Into the thread; behind what a cell or another panel has added to its end meanwhile."""
    if wish.instead_of is None:
        place = wish.thread.place(cell=None)
    wish.thread.add(place, message=request.message, answer=answer)
    return wish.thread.active()[-1]


async def _tick(view: StreamView) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        view.tick()


def _name_near(error: ModelNotFoundError, model: str) -> None:
    if "did you mean" not in str(error).lower() and (near := catalog.close_to(model)):
        error.hint = f"Did you mean {' or '.join(near)}? {error.hint}"
