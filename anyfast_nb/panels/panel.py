"""What every panel is: widgets that live with the kernel, and a static picture that outlives it."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import ipywidgets

from anyfast_nb.errors import AnyFastError
from anyfast_nb.gateway.whence import here
from anyfast_nb.panels.errands import Errands
from anyfast_nb.panels.reach import reachable_while_busy
from anyfast_nb.panels.words import say
from anyfast_nb.render.essence import essence_bundle
from anyfast_nb.render.publish import Bundle, KernelPublisher
from anyfast_nb.render.view import running_shell
from anyfast_nb.session import Session
from anyfast_nb.session import session as kernels_session

if TYPE_CHECKING:
    from collections.abc import Sequence

_VIEW: Final = "application/vnd.jupyter.widget-view+json"
_REST_S: Final = 2.0
_MOST_PLACES: Final = 6
_log = logging.getLogger(__name__)


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Widgets in a box.

    Displayed, it puts two outputs into the cell: the box, and its `essence`, which the style sheet hides
    as long as the box lives above it. A notebook that is opened without its kernel shows the essence.

    Args:
        children: what is in it.
        session: of the kernel.

    Attributes:
        session: settings, gateway, threads.
        origin: where the panel was made: its requests belong to that notebook and cell.
    """

    def __init__(self, children: Sequence[Any] = (), *, session: Session | None = None) -> None:
        super().__init__(children)
        self.add_class("anyfast-panel")
        self.session = session or kernels_session()
        self.origin = here()
        self._places: dict[str, tuple[KernelPublisher, str]] = {}  # by cell
        self._timer: threading.Timer | None = None
        self._closed = False
        self._errands = Errands(self.tell)
        self._heard: list[Callable[..., None]] = []
        self._saving = threading.Lock()
        self._publishing = threading.Lock()

    @abstractmethod
    def essence(self) -> Bundle:
        """What matters, as static ``text/html`` and ``text/plain``; called from any thread."""

    @abstractmethod
    def as_magic(self) -> str:
        """The cell that does the same by magic."""

    def relabel(self) -> None:
        """Say everything anew, in the language of the settings; what it holds stays."""

    def refresh(self) -> None:
        """Look whether something has changed elsewhere: its tab is opened again."""

    @property
    def is_shown(self) -> bool:
        """Was it put into a cell by itself?"""
        return bool(self._places)

    def on_keep(self, heard: Callable[..., None]) -> None:
        """Call `heard` as `keep` is called: what stays of this panel has changed."""
        self._heard.append(heard)

    def tell(self, error: BaseException) -> None:
        """Show in the panel what went wrong, in one to three lines: see `lines_of`."""
        _log.warning("a panel tells nobody", exc_info=error)

    def guarded(self, act: Callable[..., None]) -> Callable[..., None]:
        """The same, with what goes wrong told in the panel: for callbacks of widgets."""

        @wraps(act)
        def careful(*args: Any, **options: Any) -> None:
            try:
                act(*args, **options)
            except Exception as error:  # noqa: BLE001 - a button that does nothing helps nobody
                self.tell(error)

        return careful

    def to_cell(self) -> None:
        """Put `as_magic` into a new cell below; call it in a cell of its own.

        A button of the panel cannot: Jupyter takes a new cell with the reply to a running one only.
        """
        shell = running_shell()
        if shell is not None:
            shell.set_next_input(self.as_magic())

    def keep(self, *, now: bool = False) -> None:
        """The essence has changed: it is put into the notebook soon, or at once; never waits for it.

        Args:
            now: at each end of something; else at most every two seconds.
        """
        for heard in self._heard:
            heard(now=now)
        with self._saving:
            if self._closed or not self._places:
                return
            if self._timer is not None:
                if not now:
                    return
                self._timer.cancel()
            self._timer = threading.Timer(0 if now else _REST_S, self._put_essence)
            self._timer.daemon = True
            self._timer.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing is under way, and what stays of it is in the notebook.

        For cells, scripts and tests: a program that runs a notebook hears nothing after the last cell.

        Raises:
            TimeoutError: something still is.
        """
        limit_s = threading.TIMEOUT_MAX if timeout_s is None else timeout_s
        if not self._errands.rest(limit_s):
            raise TimeoutError
        self._kept()

    def _kept(self) -> None:
        """Put the essence into the notebook here and now."""
        with self._saving:
            if self._timer is not None:
                self._timer.cancel()
        self._put_essence()

    def close(self) -> None:
        """Let go of it; what was put into the notebook stays."""
        with self._saving:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        super().close()

    def _put_essence(self) -> None:
        with self._saving:
            self._timer = None
            places = list(self._places.values())
        try:
            with self._publishing:  # a slower one must not replace a newer
                bundle = essence_bundle(self.essence())
                for publisher, place in places:
                    publisher.update_later(bundle, {}, place)
        except Exception:  # noqa: BLE001 - nobody waits for it, and the panel goes on
            _log.debug("the essence is not kept", exc_info=True)

    def _ipython_display_(self) -> None:
        """Both outputs."""
        reachable_while_busy(self)
        publisher, place = KernelPublisher(), f"anyfast-{uuid4().hex[:12]}"
        reference = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        publisher.display({_VIEW: reference, "text/plain": say("panel.asleep")}, {}, f"{place}-live")
        publisher.display(essence_bundle(self.essence()), {}, place)
        cell = here().cell or place  # a cell that runs again has put its outputs in place of the old ones
        with self._saving:
            self._places.pop(cell, None)
            self._places[cell] = (publisher, place)
            while len(self._places) > _MOST_PLACES:
                del self._places[next(iter(self._places))]


def lines_of(error: BaseException) -> list[str]:
    """An error as a panel shows it: what happened, and what to do next; at most three lines."""
    if isinstance(error, AnyFastError):
        return [error.message, *error.hint.splitlines()][:3]
    return [say("panel.fault", name=type(error).__name__), str(error)[:300]][: 2 if str(error) else 1]
