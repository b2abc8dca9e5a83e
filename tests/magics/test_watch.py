"""Waiting where a person looks: the card, and what stays of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.errors import AnyFastError, Interrupted, ModerationError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.card import UNKNOWN
from anyfast_nb.jobs.preflight import preflight
from anyfast_nb.ledger import JobStatus
from anyfast_nb.magics import watch as room
from anyfast_nb.magics.film import detaching
from anyfast_nb.magics.watch import attach, watch, watch_pictures
from anyfast_nb.render.live import LineView, NoView
from tests.client.conftest import press_ctrl_c
from tests.jobs.conftest import (  # noqa: F401 - fixtures
    KEY,
    MakeClient,
    Time,
    client,
    created,
    film,
    film_reply,
    folder,
    link,
    picture_reply,
    png,
    refused,
    succeeded,
    task,
    time,
)
from tests.wire_server import Gate, Reply, WireServer

PROMPT = "A <b>cat</b> plays"


@dataclass
class View:
    """Remembers what was shown."""

    lines: list[str] = field(default_factory=list)
    drawn: list[dict[str, Any]] = field(default_factory=list)
    ends: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    on_draw: Callable[[str], None] = lambda line: None

    def draw(self, bundle: Any, line: str) -> None:
        self.drawn.append(dict(bundle))
        self.lines.append(line)
        self.on_draw(line)

    def settle(self, bundle: Any, metadata: Any) -> None:
        self.ends.append((dict(bundle), dict(metadata)))
        self.ended.set()

    @property
    def html(self) -> str:
        (end,) = self.ends
        return str(end[0]["text/html"])


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> View:
    view = View()
    monkeypatch.setattr(room, "open_output", lambda **_: view)
    monkeypatch.setattr(room, "_TICK_S", 0.001)
    monkeypatch.setattr("anyfast_nb.magics.easel._TICK_S", 0.001)
    return view


@pytest.fixture
def own(client: MakeClient) -> Any:  # noqa: F811
    return client()


@pytest.fixture
def session(own: Any) -> Any:
    return SimpleNamespace(gateway=own._gateway, desk=own.desk())


def test_it_waits_and_leaves_the_film(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    view: View,
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    job = own.seedance(PROMPT, duration=4, ratio="16:9", resolution="480p")
    assert watch(session, job) is job
    assert "queued" in view.lines[0]
    assert "&lt;b&gt;cat&lt;/b&gt;" in view.drawn[0]["text/html"]
    assert "864 × 496" in view.drawn[0]["text/html"]
    ((bundle, metadata),) = view.ends
    assert "<video" in bundle["text/html"]
    assert "data:video" not in bundle["text/html"]
    assert "about 40,594 tokens" in bundle["text/html"]
    assert metadata["anyfast"]["job"] == job.id
    assert metadata["anyfast"]["status"] == "succeeded"
    assert metadata["anyfast"]["tokens"] == 108_900
    assert "5ec2e7" not in str(bundle) + str(metadata)


def test_the_film_itself_goes_inside_if_wanted_and_a_film_that_is_here_needs_no_card(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    view: View,
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = own.seedance(PROMPT).wait()
    watch(session, job, embed=True)
    assert view.drawn == []
    assert 'src="data:video/mp4;base64,' in view.html


def test_a_failure_stays_on_the_card_and_is_raised(
    wire_server: WireServer, own: Any, session: Any, view: View
) -> None:
    said = "The input image 'content[1]' may contain real person."
    wire_server.script(
        created(), task("FAILURE", "100%", fail_reason=said, code="InputImageSensitiveContentDetected")
    )
    job = own.seedance(PROMPT, first_frame=png())
    with pytest.raises(AnyFastError):
        watch(session, job)
    assert job.status is JobStatus.FAILED
    assert "Failed" in view.html
    assert "It is about: first_frame" in view.html
    assert "resume" not in view.html


def test_an_interrupt_detaches(wire_server: WireServer, own: Any, session: Any, view: View) -> None:
    wire_server.script(created(), *[task("IN_PROGRESS", "30%")] * 5_000)
    job = own.seedance(PROMPT)

    def on_draw(line: str) -> None:
        if "30 %" in line:
            view.on_draw = lambda _: None
            press_ctrl_c()

    view.on_draw = on_draw
    with pytest.raises(Interrupted, match=f"still running · `%anyfast resume {job.row.short_id}`") as stopped:
        watch(session, job)
    assert stopped.value.partial is job
    assert "still running; nobody waits in this cell any more" in view.html
    assert f"%anyfast resume {job.row.short_id}" in view.html
    assert not job.done


def test_how_long_such_jobs_took_is_said(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    view: View,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session.gateway.ledger, "job_durations", lambda kind, **_: (61.0, 119.0))
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    watch(session, own.seedance(PROMPT))
    assert "usually 1–2 min" in view.lines[0]
    assert "usually" not in view.html


def test_without_history_nothing_is_promised(own: Any, session: Any, wire_server: WireServer) -> None:
    wire_server.script(created())
    assert room._usual(session, own.seedance(PROMPT)) == UNKNOWN


def test_attached_it_returns_at_once_and_ends_as_the_film(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    view: View,
) -> None:
    gate = Gate()
    wire_server.script(created(), Reply(body=(gate, *succeeded(link(wire_server)).body)), film_reply(film))
    job = own.seedance(PROMPT)
    attach(session, job)
    assert view.ends == []
    assert "%anyfast resume" in view.drawn[0]["text/html"]
    gate.opened.set()
    assert view.ended.wait(20)
    assert "<video" in view.html
    assert job.file is not None


def test_who_waits_for_an_attached_job_waits_for_its_cards_last_draw(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    view: View,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = view.settle

    def slowly(*bundle: Any) -> None:
        threading.Event().wait(0.3)  # the draw is under way while the waiting ends
        settle(*bundle)

    monkeypatch.setattr(view, "settle", slowly)
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = own.seedance(PROMPT)
    attach(session, job)
    job.wait()
    assert view.ended.is_set()


def test_attached_a_failure_is_the_cards_to_tell(
    wire_server: WireServer, own: Any, session: Any, view: View
) -> None:
    wire_server.script(created(), task("FAILURE", "100%", fail_reason="no"))
    attach(session, own.seedance(PROMPT))
    assert view.ended.wait(20)
    assert "Failed" in view.html


@pytest.mark.parametrize("kind", [LineView, NoView])
def test_outside_of_notebooks_nothing_goes_on_behind_ones_back(
    wire_server: WireServer, own: Any, session: Any, monkeypatch: pytest.MonkeyPatch, kind: Any, capsys: Any
) -> None:
    monkeypatch.setattr(room, "open_output", lambda **_: kind())
    wire_server.script(created())
    job = own.seedance(PROMPT)
    attach(session, job)
    assert len(wire_server.requests) == 1
    out = capsys.readouterr().out
    assert out.count("\n") == (1 if kind is LineView else 0)


# --- pictures ---------------------------------------------------------------------------------


def picture_event(server: WireServer, index: int) -> str:
    import json

    event = {"type": "image_generation.partial_succeeded", "model": "m", "image_index": index}
    return json.dumps(event | {"url": link(server, f"{index}.png"), "size": "400x400"})


COMPLETED = (
    '{"type":"image_generation.completed","model":"m",'
    '"usage":{"generated_images":2,"output_tokens":1250,"total_tokens":1250}}'
)


def test_a_grid_fills_as_pictures_come(
    wire_server: WireServer,
    own: Any,
    session: Any,
    view: View,
    folder: Path,  # noqa: F811
) -> None:
    first_shown = Gate()
    wire_server.script(
        Reply.sse(
            picture_event(wire_server, 0), first_shown, picture_event(wire_server, 1), COMPLETED, done=True
        ),
        picture_reply(png("red")),
        picture_reply(png("blue")),
    )

    def on_draw(line: str) -> None:
        if "1 of 2" in line:
            first_shown.opened.set()

    view.on_draw = on_draw
    model = "doubao-seedream-4-0-250828"
    pictures = watch_pictures(session, "Two kites", {"count": 2, "model": model, "stream": True})
    assert len(pictures.made) == 2
    assert view.drawn[0]["text/html"].count("<figure") == 2  # a frame for each one to come
    assert view.drawn[0]["text/html"].count("<img") == 0
    ones = [drawn["text/html"] for drawn in view.drawn if drawn["text/html"].count("<img") == 1]
    assert ones
    assert all(html.count("<figure") == 2 for html in ones)
    assert view.html.count("<img") == 2
    assert "1,250 tokens" in view.html
    assert [image.size for image in pictures.to_pil()] == [(400, 400)] * 2
    assert pictures[0].to_pil().getpixel((0, 0))[:3] == (255, 0, 0)


def test_refused_pictures_are_an_error(wire_server: WireServer, session: Any, view: View) -> None:
    wire_server.script(refused("bad words", code="InputTextSensitiveContentDetected"))
    with pytest.raises(ModerationError):
        watch_pictures(session, "Two kites", {})
    assert "failed · 0 of 1 came" in view.html
    assert "<img" not in view.html


def test_pictures_that_came_stay_after_an_interrupt(
    wire_server: WireServer,
    session: Any,
    view: View,
    folder: Path,  # noqa: F811
) -> None:
    wire_server.script(Reply.sse(picture_event(wire_server, 0), Gate(), done=True), picture_reply(png("red")))

    def on_draw(line: str) -> None:
        if "1 of 2" in line:
            view.on_draw = lambda _: None
            press_ctrl_c()

    view.on_draw = on_draw
    model = "doubao-seedream-4-0-250828"
    with pytest.raises(Interrupted, match="may be billed") as stopped:
        watch_pictures(session, "Two kites", {"count": 2, "model": model, "stream": True})
    assert len(stopped.value.partial) == 1  # type: ignore[arg-type]
    assert "1 of 2 came" in view.html
    assert view.html.count("<img") == 1


def test_who_stops_it_before_the_waiting_began_is_told_that_the_job_goes_on(
    wire_server: WireServer, own: Any, session: Any, view: View
) -> None:
    wire_server.script(created(), *[task("IN_PROGRESS", "30%")] * 5_000)
    job = own.seedance(PROMPT)

    def stop(line: str) -> None:
        view.on_draw = lambda _: None
        raise KeyboardInterrupt

    view.on_draw = stop
    with pytest.raises(Interrupted, match=f"still running · `%anyfast resume {job.row.short_id}`"):
        watch(session, job)
    with pytest.raises(Interrupted, match="is still running"), detaching(job):
        raise KeyboardInterrupt


def test_a_film_that_lies_elsewhere_says_so(
    wire_server: WireServer,
    own: Any,
    session: Any,
    film: bytes,  # noqa: F811
    folder: Path,  # noqa: F811
    view: View,
) -> None:
    (folder / "anyfast_media").write_text("in the way")
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    made = io_loop().run(session.desk.prepared("seedance", PROMPT, {"duration": 4}))
    watch(session, own.seedance(PROMPT, duration=4), preflight=preflight(made))
    assert "anyfast_media cannot be written" in view.html


def test_a_film_that_did_not_come_is_not_said_to_be_fetched(
    wire_server: WireServer, own: Any, session: Any, view: View
) -> None:
    page = Reply(body=(b"<html>no film</html>",), content_type="text/html")
    wire_server.script(created(), succeeded(link(wire_server)), *[page] * 9)
    job = own.seedance(PROMPT, duration=4)
    with pytest.raises(AnyFastError, match="web page"):
        watch(session, job)
    assert "its film is not on this disk" in view.html
    assert "fetching" not in view.html
    assert f"%anyfast resume {job.row.short_id} fetches it" in view.html
