"""One private event loop on one daemon thread: where all requests run.

A notebook's own loop is never entered: a synchronous call blocks on a future,
an asynchronous one awaits the same future. An interrupt cancels the task on
the private loop, waits a moment for its last words, and then ends the cell.

nest_asyncio has one small job: a tool that runs *on this loop* and calls the
client synchronously would wait for itself. At the first such call the private
loop's own class is patched, and everything that nest_asyncio changes in the
rest of the process is put back at once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any, Final, Generic, TypeVar

from anyfast_nb.errors import Interrupted
from anyfast_nb.gateway.whence import carry

T = TypeVar("T")

LAST_WORDS_S: Final = 0.3  # how long an interrupted task may take for its last draw


class _PrivateLoop(asyncio.SelectorEventLoop):
    """A class of its own, since nest_asyncio patches classes."""


_current: contextvars.ContextVar[Running[Any] | None] = contextvars.ContextVar("_current", default=None)


class IOLoop:
    """A private loop and its thread, started at the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: _PrivateLoop | None = None
        self._inherited: list[_PrivateLoop | None] = []  # the parent's, kept open: they share its sockets
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._nests = False

    # --- running --------------------------------------------------------------------------

    def submit(self, work: Coroutine[Any, Any, T]) -> Running[T]:
        """Run a coroutine there, in a copy of this context (so output reaches this cell)."""
        running = Running[T](self._running())
        running.send(work)
        return running

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for it.

        Raises:
            Interrupted: on Ctrl-C, after the task was cancelled and had a moment for its last words.
        """
        if self.is_here():
            return self._nested(work)
        running = Running[T](self._running())  # before it is sent: an interrupt finds it at any moment
        try:
            running.send(work)
            return running.future.result()
        except KeyboardInterrupt:
            running.future.cancel()
            running.ended.wait(LAST_WORDS_S)
            raise Interrupted from None

    def is_here(self) -> bool:
        """Is the caller on the private loop's thread?"""
        return self._thread is threading.current_thread() and self._pid == os.getpid()

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and await it from any other loop."""
        if self.is_here():
            return await work
        return await asyncio.wrap_future(self.submit(work).future)

    # --- the thread -----------------------------------------------------------------------

    def _running(self) -> _PrivateLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():  # a forked child has no such thread
                self._start()
            assert self._loop is not None
            return self._loop

    def _start(self) -> None:
        loop = _PrivateLoop()
        ready = threading.Event()

        def live() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            while True:
                with contextlib.suppress(SystemExit, KeyboardInterrupt):  # a callback's: its task has it
                    loop.run_forever()

        self._inherited.append(self._loop)
        self._thread = threading.Thread(target=live, name="anyfast-io", daemon=True)
        self._thread.start()
        ready.wait()
        self._loop, self._pid, self._nests = loop, os.getpid(), False

    # --- a synchronous call from the loop's own thread ------------------------------------

    def _nested(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        if not self._nests:
            _let_nest(self._loop)
            self._nests = True
        task = self._loop.create_task(work)
        running = _current.get()
        if running is not None:
            running.nested.append(task)
        try:
            return self._loop.run_until_complete(task)
        finally:
            if running is not None:
                running.nested.remove(task)


class Running(Generic[T]):
    """Work on the private loop, seen from another thread.

    Attributes:
        future: the result; cancelling it cancels the work.
        ended: set when the work has really ended, its clean-up included.
        nested: tasks that callbacks of the work wait for; an interrupt is for them as well.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.ended = threading.Event()
        self.nested: list[asyncio.Task[Any]] = []
        self._loop = loop

    def send(self, work: Coroutine[Any, Any, T]) -> None:
        """Begin on the loop's thread, in a copy of this context."""
        context = contextvars.copy_context()
        carry(context)
        context.run(_current.set, self)
        self._loop.call_soon_threadsafe(self._start, work, context)

    def _start(self, work: Coroutine[Any, Any, T], context: contextvars.Context) -> None:
        task = self._loop.create_task(work, context=context)
        task.add_done_callback(self._on_end)

        def stop() -> None:  # the innermost; from there the cancellation rises, and is met once at each level
            [task, *self.nested][-1].cancel()

        def on_future(done: concurrent.futures.Future[T]) -> None:
            if done.cancelled():
                self._loop.call_soon_threadsafe(stop)

        self.future.add_done_callback(on_future)

    def _on_end(self, task: asyncio.Task[T]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        # A future that was cancelled from outside stays cancelled; nobody waits for its result.
        if self.future.set_running_or_notify_cancel():
            if error is None:
                self.future.set_result(task.result())
            elif isinstance(error, asyncio.CancelledError):
                self.future.set_exception(concurrent.futures.CancelledError())
            else:
                self.future.set_exception(error)
        self.ended.set()


def _let_nest(loop: _PrivateLoop) -> None:
    """Let this loop's class be re-entered, and leave the rest of the process as it was."""
    import asyncio.events
    import asyncio.futures
    import asyncio.tasks

    import nest_asyncio

    policy = type(asyncio.get_event_loop_policy())
    places: list[Any] = [asyncio, asyncio.events, asyncio.tasks, asyncio.futures, policy]
    if "tornado" in sys.modules:
        import tornado.concurrent

        places.append(tornado.concurrent)
    before = [(place, dict(vars(place))) for place in places]
    try:
        nest_asyncio.apply(loop)
    finally:
        for place, names in before:
            _restore(place, names)


def _restore(place: Any, names: dict[str, Any]) -> None:
    for name in [name for name in vars(place) if name not in names]:
        delattr(place, name)
    for name, value in names.items():
        if vars(place).get(name) is not value:
            setattr(place, name, value)
