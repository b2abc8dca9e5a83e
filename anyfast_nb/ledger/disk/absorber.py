"""The absorber: a thread that takes what waits in the journal over into the store, a moment after it came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final
from weakref import WeakMethod

WAIT_S: Final = 0.5
"""So long it waits after a write, for those that follow: they go together."""


class Absorber:
    """Does a work in the background, soon after it was asked for; it keeps neither owner nor kernel alive.

    Args:
        work: a method; it says after how many seconds it wants to try again, None: not by itself.
        wait_s: seconds from the first request to the work.
    """

    def __init__(self, work: Callable[[], float | None], *, wait_s: float = WAIT_S) -> None:
        self._work = WeakMethod(work)
        self._wait_s = wait_s
        self._asked = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something to do; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="anyfast-ledger", daemon=True)
            self._thread.start()
        self._asked.set()

    def stop(self, *, patience_s: float = 5.0) -> None:
        """Do nothing any more; what is being done is waited for."""
        self._stopped.set()
        self._asked.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(patience_s)

    def _run(self) -> None:
        again_s: float | None = None
        while True:
            self._asked.wait(again_s)
            if self._stopped.wait(self._wait_s):
                return
            self._asked.clear()
            work = self._work()
            if work is None:
                return
            again_s = work()
            del work
