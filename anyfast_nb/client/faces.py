"""`Client` and `AsyncClient`: typed chat with the ledger, outside of magics too.

Source: seeds 000 to 003, wire reference 3, 4 and 9.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from anyfast_nb import settings as settings_room
from anyfast_nb.client.generations import AsyncGenerations, Generations
from anyfast_nb.gateway.gateway import Gateway, io_loop
from anyfast_nb.gateway.rounds import Rounds, rounds_of
from anyfast_nb.wire.values import Answer, Event, Finished, ToolReturned

if TYPE_CHECKING:
    from anyfast_nb.gateway.exchange import Exchange, OnEvent
    from anyfast_nb.gateway.prompt import Media, Prompt
    from anyfast_nb.http.retry import RetryPolicy
    from anyfast_nb.http.transport import Limits
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.wire.system import ServedModel


class ChatOptions(TypedDict, total=False):
    """Keyword arguments of every chat call.

    Keys:
        model: an id or an alias (pro, lite, mini, code, flash, vision).
        system: a system prompt; ``""`` sends none.
        images, videos: lists of URLs, paths, bytes, PIL images, numpy arrays, matplotlib figures.
        files: list of documents (PDF, Office, text …): URLs, paths, bytes, open files.
        fps: frames of a video looked at per second, 0.2 to 5 (server's default 1).
        downscale: make pictures that are too large fit, instead of refusing them.
        history: earlier messages, put before the prompt.
        max_tokens: at least 1.
        temperature: 0 to 2 (server's default 1).
        top_p: 0 to 1.
        stop: one to four texts that end the answer.
        tools: typed Python functions that the model may have run (handing one over is the consent;
            each call and result is told), or schemas, which are described and never run.
        tool_choice: auto, none, required, or one of the functions (or its name); it is for the first
            request, later ones are free to answer.
        max_rounds: requests at most while the model asks for tools (8); then its calls are left open.
        api: auto (the default: the Responses API where a document is sent, else chat), chat or responses.
        reasoning: minimal, low, medium, high or off, for either API.
        thinking: enabled, disabled or auto.
        reasoning_effort: minimal, low, medium or high.
        response_format: such as ``{"type": "json_object"}``.
        stream: ask for a stream (the default: an interrupt keeps what has come).
        extra: fields passed through as they are.
    """

    model: str | None
    system: str | None
    images: Media
    videos: Media
    files: Media
    fps: float | None
    downscale: bool
    history: Sequence[Mapping[str, Any]]
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: str | Sequence[str] | None
    tools: Sequence[Callable[..., Any] | Mapping[str, Any]] | None
    tool_choice: str | Callable[..., Any] | Mapping[str, Any] | None
    max_rounds: int
    api: str
    reasoning: str | None
    thinking: str | None
    reasoning_effort: str | None
    response_format: Mapping[str, Any] | None
    stream: bool
    extra: Mapping[str, Any] | None


class _Client:
    """What both faces are made from."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
        system: str | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Make a client.

        Args:
            api_key: the key; default ``ANYFAST_API_KEY``, then the one of `%anyfast login`.
            base_url: with or without ``/v1``, or ``"simulator"`` for the built-in AnyFast;
                default ``ANYFAST_BASE_URL``, then the vendor's address.
            model: the default model.
            system: the default system prompt.
            policy: how often and how long to retry.
            limits: time limits.
            ledger: where rows go; default the ledger of the state folder.

        Raises:
            InputError: a value that cannot work.
            MissingKeyError: no key is known and the simulator was not asked for.
        """
        loaded = settings_room.load()
        chosen = loaded.with_changes(
            origin="argument", api_key=api_key, base_url=base_url, model=model, system=system
        )
        chosen = settings_room.with_stored_key(chosen)
        self._gateway = Gateway(lambda: chosen, ledger=ledger, policy=policy, limits=limits)
        self._gateway.connection.check()

    def _rounds(self, prompt: Prompt, options: ChatOptions) -> Rounds:
        options.setdefault("stream", True)
        return rounds_of(prompt, settings=self._gateway.settings(), **options)

    def _exchange(self, rounds: Rounds) -> Exchange:
        return self._gateway.exchange(rounds.body(), tells=not rounds.begun)

    def __repr__(self) -> str:
        settings = self._gateway.settings()
        return f"{type(self).__name__}(base_url={settings.base_url or settings_room.DEFAULT_BASE_URL!r})"


class Client(Generations, _Client):
    """AnyFast, synchronous. One client serves any number of threads.

    Example:
        >>> import anyfast_nb as af
        >>> client = af.Client(base_url="simulator")
        >>> answer = client.chat("What is 6 * 7?", max_tokens=400)
        >>> "42" in answer.text
        True
        >>> client.close()
    """

    def chat(
        self, prompt: Prompt, *, on_event: OnEvent | None = None, **options: Unpack[ChatOptions]
    ) -> Answer:
        """Send a prompt and wait for the whole answer.

        Args:
            prompt: text; a list of messages; or a list of texts, pandas frames, pictures and paths.
            on_event: called with each event of the stream, on the client's own thread; with what a tool
                gave back on this one, where tools run.
            options: see `ChatOptions`.

        Returns:
            The answer: ``.text .reasoning .usage .model .id`` and more.

        Raises:
            InputError: a value outside its documented range; nothing was sent.
            AnyFastError: see `anyfast_nb.errors`; ``.partial`` holds what had arrived.
            Interrupted: on Ctrl-C; ``.partial`` holds what had arrived.
        """
        rounds = self._rounds(prompt, options)
        with rounds.kept():
            while rounds.due(answer := self._answered(rounds, on_event)):
                for result in rounds.run(answer, wait=io_loop().run):
                    if on_event is not None:
                        on_event(ToolReturned(result))
        return rounds.last(answer)

    def _answered(self, rounds: Rounds, on_event: OnEvent | None) -> Answer:
        """One round."""
        exchange = self._exchange(rounds)
        try:
            return io_loop().run(self._gateway.run(exchange, rounds.listener(on_event)))
        except KeyboardInterrupt:
            raise exchange.interrupted() from None

    def stream(self, prompt: Prompt, **options: Unpack[ChatOptions]) -> Iterator[Event]:
        """Send a prompt and give each event as it comes; the last one is `Finished`.

        Leaving the loop early stops the request. Arguments and errors as in `chat`.
        """
        rounds = self._rounds(prompt, options)
        return self._told(rounds, self._exchange(rounds))

    def _told(self, rounds: Rounds, exchange: Exchange) -> Iterator[Event]:
        with rounds.kept():
            while True:
                asking: Answer | None = None
                with contextlib.closing(self._events(exchange)) as events:
                    for event in events:
                        if isinstance(event, Finished) and rounds.due(event.answer):
                            asking = event.answer
                        else:
                            yield rounds.told(event)
                if asking is None:
                    return
                for result in rounds.run(asking, wait=io_loop().run):
                    yield ToolReturned(result)
                exchange = self._exchange(rounds)

    def _events(self, exchange: Exchange) -> Generator[Event]:
        if io_loop().is_here():  # in a callback of ours: to wait for a queue here would stop the loop
            heard: list[Event] = []
            io_loop().run(self._gateway.run(exchange, heard.append))
            yield from heard
            return
        events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        running = io_loop().submit(self._gateway.run(exchange, events.put))
        running.future.add_done_callback(lambda _: events.put(None))
        try:
            while (event := _next(events, exchange)) is not None:
                yield event
            running.future.result()
        finally:
            running.future.cancel()

    def models(self) -> list[ServedModel]:
        """The models this key can use (GET /v1/models; bills nothing)."""
        return io_loop().run(self._gateway.models())

    def close(self) -> None:
        """Close the connections."""
        io_loop().run(self._gateway.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _next(events: queue.SimpleQueue[Event | None], exchange: Exchange) -> Event | None:
    try:
        return events.get()
    except KeyboardInterrupt:
        raise exchange.interrupted() from None


class AsyncClient(AsyncGenerations, _Client):
    """AnyFast, asynchronous, in any event loop (a notebook's as well).

    Example:
        >>> import asyncio
        >>> import anyfast_nb as af
        >>> async def greet():
        ...     async with af.AsyncClient(base_url="simulator") as client:
        ...         return await client.chat("Hello")
        >>> asyncio.run(greet()).status
        <Status.OK: 'ok'>
    """

    async def chat(
        self, prompt: Prompt, *, on_event: OnEvent | None = None, **options: Unpack[ChatOptions]
    ) -> Answer:
        """Send a prompt and await the whole answer; arguments and errors as in `Client.chat`.

        Cancelling the awaiting task stops the request. Tools run in this loop; asynchronous ones are
        awaited.
        """
        rounds = self._rounds(prompt, options)
        with rounds.kept():
            while rounds.due(answer := await self._answered(rounds, on_event)):
                async for result in rounds.arun(answer):
                    if on_event is not None:
                        on_event(ToolReturned(result))
        return rounds.last(answer)

    async def _answered(self, rounds: Rounds, on_event: OnEvent | None) -> Answer:
        """One round."""
        return await io_loop().wait(self._gateway.run(self._exchange(rounds), rounds.listener(on_event)))

    def stream(self, prompt: Prompt, **options: Unpack[ChatOptions]) -> AsyncGenerator[Event]:
        """Send a prompt and give each event as it comes; the last one is `Finished`.

        Cancelling or closing it stops the request. Arguments and errors as in `Client.chat`.
        """
        rounds = self._rounds(prompt, options)
        return self._told(rounds, self._exchange(rounds))

    async def _told(self, rounds: Rounds, exchange: Exchange) -> AsyncGenerator[Event]:
        with rounds.kept():
            while True:
                asking: Answer | None = None
                async with contextlib.aclosing(self._events(exchange)) as events:
                    async for event in events:
                        if isinstance(event, Finished) and rounds.due(event.answer):
                            asking = event.answer
                        else:
                            yield rounds.told(event)
                if asking is None:
                    return
                async for result in rounds.arun(asking):
                    yield ToolReturned(result)
                exchange = self._exchange(rounds)

    async def _events(self, exchange: Exchange) -> AsyncGenerator[Event]:
        here = asyncio.get_running_loop()
        events: asyncio.Queue[Event | None] = asyncio.Queue()

        def put(event: Event | None) -> None:
            with contextlib.suppress(RuntimeError):  # that loop has closed: nobody listens any more
                here.call_soon_threadsafe(events.put_nowait, event)

        running = io_loop().submit(self._gateway.run(exchange, put))
        running.future.add_done_callback(lambda _: put(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            running.future.result()
        finally:
            running.future.cancel()

    async def models(self) -> list[ServedModel]:
        """The models this key can use (GET /v1/models; bills nothing)."""
        return await io_loop().wait(self._gateway.models())

    async def close(self) -> None:
        """Close the connections."""
        await io_loop().wait(self._gateway.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
