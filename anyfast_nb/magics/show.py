"""One chat shown where a person looks: streamed into the cell, or printed in a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError, Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.wire.values import Answer, Source, Status, ToolResult, ToolReturned

if TYPE_CHECKING:
    from anyfast_nb.gateway.exchange import Exchange
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.gateway.rounds import Rounds
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.render.view import View
    from anyfast_nb.session import Session

_TICK_S = 0.03


def show_chat(
    session: Session,
    rounds: Rounds,
    *,
    origin: Origin | None = None,
    notes: Iterable[str] = (),
    owns_cell: bool = False,
    plain: bool = False,
) -> Answer:
    """Send a request, show the stream, run the tools it asks for, remember the answer.

    Each round shows itself in an output of its own, its calls with their results.

    Args:
        session: gateway and settings.
        rounds: what is asked, and the tools that may run.
        origin: for the ledger.
        notes: lines above the answer.
        owns_cell: the cell holds nothing but this chat, so its outputs may be replaced as one.
        plain: show the text as it is, without rendering its Markdown.

    Raises:
        AnyFastError: refused, failed or cut; what had arrived stays on show.
        Interrupted: the user stopped it; what had arrived stays on show.
    """
    remarks = [note for note in (session.simulator_notice(), *notes) if note]
    owns_cell = owns_cell and not rounds.tools  # the outputs of earlier rounds stay
    try:
        with rounds.kept():
            while True:
                exchange = session.gateway.exchange(rounds.body(), origin=origin, tells=not rounds.begun)
                view = _opened(
                    session, exchange, owns_cell=owns_cell, plain=plain, runs_tools=bool(rounds.tools)
                )
                for note in remarks:
                    view.note(note)
                remarks = []
                answer = _answered(session, exchange, rounds, view)
                if not rounds.due(answer):
                    session.last = rounds.last(answer)
                    return session.last
                _run_tools(rounds, answer, view)
    except AnyFastError as error:
        session.last = _with_words(error.partial) or session.last
        raise
    except Interrupted as stopped:
        session.last = stopped.partial if isinstance(stopped.partial, Answer) else None
        raise


def _opened(session: Session, exchange: Exchange, **options: Any) -> View:
    from anyfast_nb.render.view import open_view

    source = Source.SIMULATED if session.gateway.connection.simulated() else Source.LIVE
    model, footer = str(exchange.body["model"]), session.settings.footer
    return open_view(model=model, footer=footer, source=source, **options)


def _answered(session: Session, exchange: Exchange, rounds: Rounds, view: View) -> Answer:
    """One round, shown; the view of one that asks for tools stays open."""
    try:
        return io_loop().run(_followed(session.gateway, exchange, rounds, view))
    except KeyboardInterrupt:
        raise exchange.interrupted() from None


def _run_tools(rounds: Rounds, answer: Answer, view: View) -> None:
    """Run the calls on this thread, the cell's own; an asynchronous function runs on the private loop."""
    results: list[ToolResult] = []
    status = Status.INTERRUPTED
    try:
        for result in rounds.run(answer, wait=io_loop().run):
            results.append(result)
            view.feed(ToolReturned(result))
        status = Status.OK
    finally:
        view.finish(replace(answer, results=tuple(results), status=status))


async def _followed(gateway: Gateway, exchange: Exchange, rounds: Rounds, view: View) -> Answer:
    """Run the exchange with a view that redraws in between. On the private loop."""
    ticking = asyncio.create_task(_tick(view))
    try:
        answer = await gateway.run(exchange, view.feed)
    except asyncio.CancelledError:
        view.finish(exchange.answer(Status.INTERRUPTED))
        raise
    except AnyFastError as error:
        view.fail(error, _with_words(error.partial))
        raise
    finally:
        ticking.cancel()
    if not rounds.due(answer):
        if why := rounds.why_ended(answer):
            view.note(why)
        view.finish(answer)
    return answer


def _with_words(partial: object) -> Answer | None:
    """What had come before an error, if that is anything to look at."""
    return partial if isinstance(partial, Answer) and (partial.text or partial.reasoning) else None


async def _tick(view: View) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        view.tick()
