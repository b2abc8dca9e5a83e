"""One output that is drawn again, and then stays: in a notebook, in a terminal, nowhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from anyfast_nb import panels
from anyfast_nb.panels.job_card import LiveCard
from anyfast_nb.render import live
from anyfast_nb.render.live import LineView, NoView, OutputView, open_output
from tests.render.test_view import Shell


def state(text: str) -> dict[str, Any]:
    return {"text/plain": text, "text/html": f"<b>{text}</b>"}


class Publisher:
    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.bundles: list[Any] = []
        self.metadata: Any = None

    def display(self, bundle: Any, metadata: Any, display_id: str) -> None:
        self._take("display", bundle, metadata, display_id)

    def update(self, bundle: Any, metadata: Any, display_id: str) -> None:
        self._take("update", bundle, metadata, display_id)

    def update_later(self, bundle: Any, metadata: Any, display_id: str) -> None:
        self._take("update", bundle, metadata, display_id)

    def clear(self, wait: bool) -> None:
        raise AssertionError("the cell's other outputs are not ours")

    def in_cell(self, call: Any, *args: Any, **options: Any) -> None:
        call(*args, **options)

    def _take(self, what: str, bundle: Any, metadata: Any, display_id: str) -> None:
        self.sent.append((what, bundle["text/plain"], display_id))
        self.bundles.append(bundle)
        self.metadata = metadata


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_one_output_is_drawn_at_most_twice_a_second_and_stays() -> None:
    publisher, clock = Publisher(), Clock()
    view = OutputView(publisher, clock=clock, new_id=lambda: "id")
    for tenths in range(11):
        clock.now_s = tenths / 10
        view.draw(state(f"at {tenths}"), "")
    view.settle(state("the end"), {"anyfast": 1})
    view.draw(state("too late"), "")
    assert publisher.sent == [
        ("display", "at 0", "id"),
        ("update", "at 5", "id"),
        ("update", "at 10", "id"),
        ("update", "the end", "id"),
    ]
    assert publisher.metadata == {"anyfast": 1}


def test_the_same_state_is_not_sent_again() -> None:
    publisher, clock = Publisher(), Clock()
    view = OutputView(publisher, clock=clock)
    for clock.now_s in (0, 1, 2):
        view.draw(state("same"), "")
    assert len(publisher.sent) == 1


def test_a_front_end_that_fails_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher()
    monkeypatch.setattr(publisher, "display", lambda *_: 1 / 0)
    view = OutputView(publisher)
    view.draw(state("a"), "")
    view.settle(state("b"), {})
    assert publisher.sent[-1][1] == "b"


def test_a_terminal_gets_lines() -> None:
    out = io.StringIO()
    view = LineView(out)
    for line in ("queued", "queued", "running \x1b[31m"):
        view.draw(state("x"), line)
    view.settle(state("Film · a.mp4"), {})
    assert out.getvalue() == "queued\nrunning \ufffd[31m\nFilm · a.mp4\n"


@pytest.fixture
def installed() -> Iterator[None]:
    panels.install()
    yield
    panels.remove()


@pytest.mark.parametrize(
    ("kernel", "outlives", "kind"),
    [(object(), False, OutputView), (object(), True, LiveCard), (None, True, LineView)],
)
def test_the_view_fits_the_place(
    monkeypatch: pytest.MonkeyPatch, installed: None, kernel: object, outlives: bool, kind: type
) -> None:
    import IPython.core.getipython

    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: Shell(kernel))
    assert isinstance(open_output(outlives=outlives), kind)


def test_without_panels_an_output_is_redrawn_and_without_ipython_nothing_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import IPython.core.getipython

    assert live.open_live is None
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: Shell(object()))
    assert isinstance(open_output(outlives=True), OutputView)
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: None)
    assert isinstance(open_output(), NoView)


def test_a_live_card_is_a_widget_until_the_end() -> None:
    publisher, clock = Publisher(), Clock()
    card = LiveCard(publisher, clock=clock)  # type: ignore[arg-type]
    card.draw(state("queued"), "")
    widget = card._widget
    view = publisher.bundles[0]["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == widget.model_id
    assert publisher.bundles[0]["text/html"] == "<b>queued</b>"  # for front ends without widgets
    clock.now_s = 0.2
    card.draw(state("too soon"), "")
    assert widget.value == "<b>queued</b>"
    clock.now_s = 0.7
    card.draw(state("running"), "")
    assert widget.value == "<b>running</b>"
    assert len(publisher.sent) == 1  # all else went through the widget
    card.settle(state("film"), {"anyfast": 1})
    assert publisher.sent[1][:2] == ("update", "film")
    assert publisher.sent[1][2] == publisher.sent[0][2]
    assert sorted(publisher.bundles[1]) == ["text/html", "text/plain"]
    assert widget.comm is None  # closed
    card.draw(state("too late"), "")
    assert len(publisher.sent) == 2


def test_a_live_card_that_was_never_drawn_is_the_end_alone() -> None:
    publisher = Publisher()
    LiveCard(publisher).settle(state("film"), {})  # type: ignore[arg-type]
    assert [one[:2] for one in publisher.sent] == [("display", "film")]
