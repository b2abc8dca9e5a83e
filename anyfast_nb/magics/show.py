"""One chat shown where a person looks: streamed into the cell, or printed in a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from anyfast_nb.errors import AnyFastError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.wire.values import Answer, Source, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.exchange import Exchange
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.render.view import View
    from anyfast_nb.session import Session

_TICK_S = 0.03


def show_chat(
    session: Session,
    exchange: Exchange,
    *,
    notes: Iterable[str] = (),
    owns_cell: bool = False,
    plain: bool = False,
) -> Answer:
    """Send a request, show the stream, remember the answer.

    Args:
        session: gateway and settings.
        exchange: the request, ready to run.
        notes: lines above the answer.
        owns_cell: the cell holds nothing but this chat, so its outputs may be replaced as one.
        plain: show the text as it is, without rendering its Markdown.

    Raises:
        AnyFastError: refused, failed or cut; what had arrived stays on show.
        Interrupted: the user stopped it; what had arrived stays on show.
    """
    from anyfast_nb.render.view import open_view

    model, footer = str(exchange.body["model"]), session.settings.footer
    source = Source.SIMULATED if session.gateway.connection.simulated() else Source.LIVE
    view = open_view(model=model, footer=footer, owns_cell=owns_cell, source=source, plain=plain)
    for note in (session.simulator_notice(), *notes):
        if note:
            view.note(note)
    try:
        session.last = io_loop().run(_followed(session.gateway, exchange, view))
    except AnyFastError as error:
        session.last = _with_words(error.partial) or session.last
        raise
    except KeyboardInterrupt:
        interrupted = exchange.interrupted()
        session.last = interrupted.partial if isinstance(interrupted.partial, Answer) else None
        raise interrupted from None
    return session.last


async def _followed(gateway: Gateway, exchange: Exchange, view: View) -> Answer:
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
    view.finish(answer)
    return answer


def _with_words(partial: object) -> Answer | None:
    """What had come before an error, if that is anything to look at."""
    return partial if isinstance(partial, Answer) and (partial.text or partial.reasoning) else None


async def _tick(view: View) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        view.tick()
