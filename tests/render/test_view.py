from __future__ import annotations

import subprocess
import sys
from contextvars import ContextVar
from threading import Thread
from typing import Any

import pytest

from anyfast_nb.render.publish import KernelPublisher
from anyfast_nb.render.stream import StreamView
from anyfast_nb.render.terminal import SilentView, TerminalView
from anyfast_nb.render.view import open_view

CELL: ContextVar[str] = ContextVar("cell", default="the newest")


class DisplayPub:
    """IPython's publisher, as far as it is used."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def publish(self, data: Any, metadata: Any, *, transient: Any, update: bool) -> None:
        self.sent.append((CELL.get(), "update" if update else "display", data, metadata, transient))

    def clear_output(self, wait: bool) -> None:
        self.sent.append((CELL.get(), "clear", wait))


class Shell:
    def __init__(self, kernel: object | None) -> None:
        self.kernel = kernel
        self.display_pub = DisplayPub()


@pytest.mark.parametrize(("kernel", "kind"), [(object(), StreamView), (None, TerminalView)])
def test_the_view_fits_the_place(monkeypatch: pytest.MonkeyPatch, kernel: object, kind: type) -> None:
    import IPython.core.getipython

    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: Shell(kernel))
    assert isinstance(open_view(model="m", owns_cell=True), kind)


def test_in_plain_python_nothing_is_shown_and_ipython_is_not_imported() -> None:
    code = (
        "import sys; from anyfast_nb.render.view import open_view;"
        "print(type(open_view(model='m', owns_cell=True)).__name__, 'IPython' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [SilentView.__name__, "False"]


def test_output_from_another_thread_goes_to_the_cell_that_ran() -> None:
    pub = DisplayPub()
    token = CELL.set("the cell")
    publisher = KernelPublisher(pub)
    CELL.reset(token)

    def work() -> None:
        publisher.display({"text/plain": "a"}, {"m": 1}, "id-1")
        publisher.update({"text/plain": "b"}, {}, "id-1")
        publisher.clear(wait=True)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert pub.sent == [
        ("the cell", "display", {"text/plain": "a"}, {"m": 1}, {"display_id": "id-1"}),
        ("the cell", "update", {"text/plain": "b"}, {}, {"display_id": "id-1"}),
        ("the cell", "clear", True),
    ]


def test_what_comes_after_the_cell_is_sent_in_the_name_of_the_newest() -> None:
    pub = DisplayPub()
    token = CELL.set("the cell")
    publisher = KernelPublisher(pub)
    publisher.update_later({"text/plain": "film"}, {}, "id-1")
    CELL.reset(token)
    assert pub.sent == [
        ("the newest", "update", {"text/plain": "film"}, {}, {"display_id": "id-1"}),
    ]
