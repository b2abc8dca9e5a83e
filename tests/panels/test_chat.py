"""The chat panel without a page: real requests to a scripted server, on the private loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.panels.chat import ChatPanel
from anyfast_nb.panels.composer import Attached
from anyfast_nb.session import Session, session
from anyfast_nb.wire.values import Answer, Money, Source, Status, Usage
from tests.wire_server import CUT, Gate, Reply, WireServer

END = json.dumps(
    {
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 34},
    }
)


def chunk(**delta: str) -> str:
    return json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]})


def said(text: str) -> Reply:
    return Reply.sse(chunk(content=text), END, done=True)


@pytest.fixture
def own(wire_server: WireServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.setenv("ANYFAST_BASE_URL", wire_server.url)
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-test-panel")
    monkeypatch.chdir(tmp_path)
    session.cache_clear()
    yield session()
    io_loop().run(session().gateway.close())
    session.cache_clear()


@pytest.fixture
def panel(own: Session) -> Iterator[ChatPanel]:
    panel = ChatPanel(model="mini", session=own)
    yield panel
    panel.stop()
    panel.wait(10)
    panel.close()


@pytest.fixture
def written(panel: ChatPanel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is put back into the field."""
    texts: list[str] = []
    monkeypatch.setattr(panel._composer, "write", lambda text, **_: texts.append(text))
    return texts


def log(panel: ChatPanel) -> str:
    return "\n".join(panel._board.pieces.values())


def ask(panel: ChatPanel, text: str, *attached: Any) -> None:
    panel.send(text, *attached)
    panel.wait(30)


def press(panel: ChatPanel, verb: str, at: int) -> None:
    panel._board._heard(None, {"kind": "act", "act": f"{verb}:{id(panel.thread.active()[at])}"}, [])
    panel.wait(30)


def roles(server: WireServer, number: int) -> list[str]:
    return [message["role"] for message in server.requests[number].json()["messages"]]


def rows(own: Session) -> list[Any]:
    from sqlalchemy import text

    with own.gateway.ledger.reading() as connection:
        return list(connection.execute(text("SELECT status, thread FROM requests")))


def test_a_turn_is_in_the_kernels_thread(panel: ChatPanel, own: Session, wire_server: WireServer) -> None:
    wire_server.script(said("**Blue**."), said("Black."))
    ask(panel, "Why?")
    ask(panel, "And at night?")
    (first, second) = own.threads.thread("chat", notebook=None).active()
    assert (first.answer.text, second.answer.text) == ("**Blue**.", "Black.")
    assert roles(wire_server, 1) == ["user", "assistant", "user"]
    assert "<strong>Blue</strong>" in log(panel)
    assert own.last is not None
    assert own.last.text == "Black."
    assert "Turns: 2 · 24 → 68 tokens" in panel._foot.pieces["totals"]
    assert [row.status for row in rows(own)] == ["ok", "ok"]
    assert {row.thread for row in rows(own)} == {"chat"}


def test_stop_ends_the_request_and_keeps_what_came(
    panel: ChatPanel, own: Session, wire_server: WireServer
) -> None:
    wire_server.script(Reply.sse(chunk(content="The part that came."), Gate()), said("Later."))
    panel.send("Tell me")
    (request,) = wire_server.wait_for_requests(1)
    while "The part" not in log(panel):  # it is on its way
        assert not request.gone.wait(0.01)
    assert panel._composer.busy
    with pytest.raises(InputError, match="on its way"):
        panel.send("Another")
    panel.stop()
    panel.wait(10)
    assert request.gone.wait(5)
    (turn,) = panel.thread.active()
    assert (turn.answer.text, turn.answer.status) == ("The part that came.", Status.INTERRUPTED)
    assert "<strong>interrupted</strong>" in log(panel)
    assert not panel._composer.busy
    assert [row.status for row in rows(own)] == ["interrupted"]
    ask(panel, "Go on")
    assert roles(wire_server, 1) == ["user", "assistant", "user"]


def test_retry_and_edit_set_later_turns_aside(panel: ChatPanel, wire_server: WireServer) -> None:
    wire_server.script(*(said(f"Answer {n}.") for n in range(5)))
    for text in ("One", "Two", "Three"):
        ask(panel, text)
    press(panel, "retry", 1)
    assert [turn.answer.text for turn in panel.thread.active()] == ["Answer 0.", "Answer 3."]
    assert "Answer 2." not in log(panel)
    assert log(panel).count("anyfast-said") == 2
    press(panel, "edit", 0)
    assert "edit" in panel._foot.pieces
    panel._composer._heard(None, {"kind": "submit", "text": "One, better", "files": []}, [])
    panel.wait(30)
    (turn,) = panel.thread.active()
    assert turn.message["content"] == "One, better"
    assert roles(wire_server, 4) == ["user"]
    assert "edit" not in panel._foot.pieces


def test_an_edit_can_be_left(panel: ChatPanel, wire_server: WireServer, written: list[str]) -> None:
    wire_server.script(said("Answer 0."), said("Answer 1."))
    ask(panel, "One")
    press(panel, "edit", 0)
    panel._foot._heard(None, {"kind": "act", "act": "unedit"}, [])
    ask(panel, "Two")
    assert len(panel.thread.active()) == 2
    assert "One" in written


def test_a_retry_that_fails_leaves_the_thread_as_it_was(panel: ChatPanel, wire_server: WireServer) -> None:
    wire_server.script(said("One."), said("Two."), Reply.json({"error": {"message": "bad"}}, status=400))
    ask(panel, "1")
    ask(panel, "2")
    press(panel, "retry", 0)
    assert [turn.answer.text for turn in panel.thread.active()] == ["One.", "Two."]
    assert log(panel).count("anyfast-said") >= 2
    assert "Two." in log(panel)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply.json({"error": {"message": "no"}}, status=401), "<code>%anyfast login</code>"),
        (Reply.json({"error": {"message": "no such model", "code": "model_not_found"}}, status=404), "mini"),
    ],
)
def test_an_error_is_a_few_lines_and_the_message_comes_back(
    panel: ChatPanel, wire_server: WireServer, written: list[str], reply: Reply, words: str
) -> None:
    wire_server.script(reply)
    ask(panel, "Why <b>not</b>?")
    shown = log(panel)
    assert words in shown
    assert "Why &lt;b&gt;not&lt;/b&gt;?" in shown
    assert "Traceback" not in shown
    assert shown.count('<div class="anyfast-error">') == 1
    assert written[-1] == "Why <b>not</b>?"
    assert panel.thread.active() == []


def test_a_cut_answer_is_kept_and_says_so(panel: ChatPanel, wire_server: WireServer) -> None:
    wire_server.script(Reply.sse(chunk(content="Half of"), CUT))
    ask(panel, "Why?")
    (turn,) = panel.thread.active()
    assert turn.answer.status is Status.TRUNCATED
    assert "cut off" in log(panel)
    assert "anyfast-error" in log(panel)


def test_what_cannot_be_sent_is_refused_before(
    panel: ChatPanel, wire_server: WireServer, written: list[str], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(InputError, match="nothing to send"):
        panel.send("  ")
    ask(panel, "Look", empty)
    panel._controls._numbers["temperature"].value = "hot"
    panel._composer._heard(None, {"kind": "submit", "text": "hi", "files": []}, [])
    panel.wait(10)
    assert wire_server.requests == []
    assert "Temperature: hot is no number" in log(panel)
    assert written[0] == "Look"
    assert [item.value for item in panel._composer.attached] == [empty]


def test_pictures_tables_and_documents_go_where_the_magic_sends_them(
    panel: ChatPanel, wire_server: WireServer, tmp_path: Path
) -> None:
    import pandas as pd
    from PIL import Image

    picture, notes = tmp_path / "cat 1.png", tmp_path / "notes.txt"
    Image.new("RGB", (64, 48), "teal").save(picture)
    notes.write_text("Some notes.")
    output = [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I read."}]}
    ]
    read = Reply.json(
        {"id": "r", "object": "response", "status": "completed", "model": "m", "output": output}
    )
    wire_server.script(said("I see."), said("Again."), read)
    frame = pd.DataFrame({"a": [1]})
    items = [Attached("cat 1.png", picture, str(picture)), Attached("df", frame, "df")]
    panel._begin(*panel._wished("What?", items))
    panel.wait(30)
    content = wire_server.requests[0].json()["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "text"]
    assert "| 1 |" in content[1]["text"]
    assert "<figcaption>cat 1.png</figcaption>" in log(panel)
    assert "| 1 |" not in log(panel)
    assert 'af.chat(["What?", df], model="mini", images=["cat 1.png"])' in panel.as_python()
    press(panel, "retry", 0)
    assert wire_server.requests[1].json()["messages"][0]["content"] == content
    panel._begin(*panel._wished("Read", [Attached("notes.txt", notes, str(notes))]))
    panel.wait(30)
    assert wire_server.requests[2].path == "/v1/responses"
    assert panel.as_magic() == "%%anyfast chat --model mini --file notes.txt --thread chat\nRead"


def test_what_is_chosen_is_sent(own: Session, wire_server: WireServer) -> None:
    wire_server.script(said("ok"))
    panel = ChatPanel(thread="sky", model="pro", system="Be brief.", session=own)
    numbers = panel._controls._numbers
    numbers["temperature"].value, numbers["top_p"].value, numbers["max_tokens"].value = "0,5", "0.9", "100"
    panel._controls._reasoning.value = "low"
    ask(panel, "hi")
    body = wire_server.requests[0].json()
    assert body["model"] == "doubao-seed-2.0-pro"
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    sent = {name: body[name] for name in ("temperature", "top_p", "max_tokens", "reasoning_effort")}
    assert sent == {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "reasoning_effort": "low"}
    assert "--thread sky" in panel.as_magic()
    panel.close()


def test_two_panels_on_one_thread_lose_nothing(own: Session, wire_server: WireServer) -> None:
    first_gate = Gate()
    wire_server.script(Reply.sse(chunk(content="Slow."), first_gate, END, done=True), said("Fast."))
    one, two = ChatPanel(session=own), ChatPanel(session=own)
    one.send("A")
    wire_server.wait_for_requests(1)
    ask(two, "B")
    first_gate.opened.set()
    one.wait(30)
    assert [turn.answer.text for turn in one.thread.active()] == ["Fast.", "Slow."]
    two.refresh()
    for panel in (one, two):
        assert log(panel).count("Slow.") == 1
        assert log(panel).count("Fast.") == 1
        panel.close()


def test_a_thread_that_changed_elsewhere_is_drawn_anew(panel: ChatPanel, wire_server: WireServer) -> None:
    wire_server.script(said("Mine."))
    ask(panel, "Hello")
    before = dict(panel._board.pieces)
    place = panel.thread.place(cell="c1", run="1")
    panel.thread.add(place, message={"role": "user", "content": "From a cell"}, answer=Answer("A cell's."))
    panel.refresh()
    assert {name: panel._board.pieces[name] for name in before} == before  # what stays is not drawn again
    assert "From a cell" in log(panel)
    place = panel.thread.place(cell="c1", run="2")
    panel.thread.add(place, message={"role": "user", "content": "Run again"}, answer=Answer("Another."))
    panel.refresh()
    assert "From a cell" not in log(panel)
    assert "Run again" in log(panel)


def test_threads_are_chosen_and_made(panel: ChatPanel, own: Session, wire_server: WireServer) -> None:
    wire_server.script(said("One."))
    ask(panel, "1")
    panel._head._heard(None, {"kind": "act", "act": "new"}, [])
    assert panel.thread.name == "chat-2"
    assert "One." not in log(panel)
    assert panel._controls.threads.options == ("chat", "chat-2")
    panel._controls.threads.value = "chat"
    assert "One." in log(panel)
    with pytest.raises(InputError, match="needs a name"):
        panel.choose("  ")
    own.threads.thread("zoo", notebook=None)
    panel.refresh()
    assert (panel._controls.threads.options, panel.thread.name) == (("chat", "chat-2", "zoo"), "chat")


def test_totals_keep_sources_and_currencies_apart(panel: ChatPanel) -> None:
    answers = (
        Answer("a", usage=Usage(1, 2), cost=Money(2_000_000_000, "USD")),
        Answer("b", usage=Usage(3, None), cost=Money(1_000_000_000, "CNY")),
        Answer("c", usage=Usage(5, 6), source=Source.SIMULATED),
    )
    for answer in answers:
        message = {"role": "user", "content": "q"}
        panel.thread.add(panel.thread.place(cell=None), message=message, answer=answer)
    panel.refresh()
    assert (
        "Turns: 3 · 4 → 2+ tokens · 2.00 USD · 1.00 CNY · simulated: 5 → 6 tokens"
        in panel._foot.pieces["totals"]
    )


def test_the_essence_stands_by_itself_and_is_not_too_large(panel: ChatPanel) -> None:
    for number in range(30):
        text = f"Answer {number}. " + "word " * (8_000 if number == 28 else 10)
        message = {"role": "user", "content": f"<i>Question {number}</i>"}
        panel.thread.add(panel.thread.place(cell=None), message=message, answer=Answer(text))
    bundle = panel.essence()
    assert "Answer 29." in bundle["text/plain"]
    assert "&lt;i&gt;Question 29&lt;/i&gt;" in bundle["text/html"]
    assert "29 earlier turns are not shown here." in bundle["text/html"]
    assert len(bundle["text/html"]) < 40_000
    panel.thread.add(
        panel.thread.place(cell=None), message={"role": "user", "content": "q"}, answer=Answer("w " * 50_000)
    )
    assert "shortened here" in panel.essence()["text/html"]
    assert len(panel.essence()["text/html"]) < 60_000


def test_nothing_secret_and_nothing_said_is_in_a_widgets_state(
    panel: ChatPanel, wire_server: WireServer
) -> None:
    wire_server.script(said("A private answer."))
    ask(panel, "A private question")
    widgets: list[Any] = [panel]
    for widget in widgets:
        widgets += getattr(widget, "children", ())
    states = str([widget.get_state() for widget in widgets])
    assert "sk-test-panel" not in states
    assert "private" not in states


def test_the_simulator_says_so(monkeypatch: pytest.MonkeyPatch, simulator: Any) -> None:
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    session.cache_clear()
    panel = ChatPanel(session=session())
    ask(panel, "What is 6*7?")
    assert "simulated" in log(panel)
    assert "simulated" in panel._foot.pieces["totals"]
    panel.close()
    io_loop().run(session().gateway.close())
    session.cache_clear()


def test_a_fault_of_ours_is_told_and_no_button_is_dead(
    panel: ChatPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(panel, "_new", breaks)
    panel._head._heard(None, {"kind": "act", "act": "new"}, [])
    assert "This did not work: RuntimeError" in log(panel)


def test_a_variable_goes_along(panel: ChatPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    import numpy as np

    pixels = np.zeros((20, 30, 3), "uint8")
    space = {"pixels": pixels, "vector": np.zeros(3), "text": "x", "_hidden": pixels}
    shell = SimpleNamespace(user_ns=space, user_ns_hidden={})
    monkeypatch.setattr("anyfast_nb.panels.chat_attach.running_shell", lambda: shell)
    panel.refresh()
    assert panel._variable.options == ("pixels",)
    panel._variable.value = "pixels"
    panel._add_variable()
    (item,) = panel._composer.attached
    assert (item.name, item.about, item.value is space["pixels"]) == ("pixels", "ndarray 20×30×3", True)
    add: Callable[..., None] = panel.guarded(panel._add_variable)
    for name in ("text", "nobody"):
        panel._variable.value = name
        add()
    assert "There is no variable nobody." in log(panel)
