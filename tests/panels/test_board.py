"""What a board sends to its page, and what it hears: no page is needed."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.panels.board import CHUNK_BYTES, STYLE, Board, Stage
from anyfast_nb.panels.composer import Attached, Composer
from anyfast_nb.panels.reach import reachable_while_busy
from anyfast_nb.render.style import STYLE as SHEET
from anyfast_nb.render.style import page

Sent = list[tuple[dict[str, Any], list[bytes]]]


def listen(widget: Any, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Keeps what a widget sends."""
    sent: Sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append((content, buffers or [])))
    return sent


@pytest.fixture
def acts() -> list[str]:
    return []


@pytest.fixture
def board(acts: list[str]) -> Board:
    return Board(label="Log", on_act=acts.append, text_of=lambda key: f"text of {key}")


def hear(widget: Any, *buffers: bytes, **content: Any) -> None:
    widget._heard(widget, content, list(buffers))


def test_pieces_stand_where_they_are_put(board: Board) -> None:
    for name, after in (("b", None), ("d", None), ("c", "b"), ("a", ""), ("e", "nobody")):
        board.put(name, name.upper(), after=after)
    assert list(board.pieces) == ["a", "b", "c", "d", "e"]
    board.put("c", "new", after="a")
    assert list(board.pieces) == ["a", "b", "c", "d", "e"]
    board.remove("b", "nobody")
    assert board.pieces == {"a": "A", "c": "new", "d": "D", "e": "E"}


def test_what_is_drawn_so_already_is_not_sent(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.put("a", "A")
    sent = listen(board, monkeypatch)
    board.put("a", "A")
    assert sent == []


def test_the_sheet_of_answers_stands_once_on_the_page(board: Board) -> None:
    board.put("a", page("A", style=True))
    board.show({"b": page("B", style=True)})
    assert SHEET not in board.pieces["b"]
    assert ".anyfast-facts" in STYLE


def test_a_page_that_asks_gets_all_in_order_and_in_small_messages(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"p{n}": f"{n}" * 300_000 for n in range(6)}
    board.show(texts)
    sent = listen(board, monkeypatch)
    hear(board, kind="hello")
    (first, _), *rest = sent
    assert first == {"kind": "whole", "ids": list(texts)}
    pieces = [piece for content, _ in rest for piece in content["pieces"]]
    assert [(piece["id"], piece["after"]) for piece in pieces] == [
        ("p0", ""), ("p1", "p0"), ("p2", "p1"), ("p3", "p2"), ("p4", "p3"), ("p5", "p4"),
    ]  # fmt: skip
    assert all(sum(len(piece["html"]) for piece in content["pieces"]) < 1_000_000 for content, _ in rest)


def test_nothing_of_it_is_in_the_widgets_state(board: Board) -> None:
    board.put("a", "a secret prompt")
    assert "a secret prompt" not in str({name: getattr(board, name) for name in board.keys})


def test_threads_draw_on_one_board(board: Board) -> None:
    def draw(name: str) -> None:
        for number in range(200):
            board.put(f"{name}{number}", name, after=f"{name}{number - 1}" if number else None)
            board.remove(f"{name}{number - 1}")

    threads = [threading.Thread(target=draw, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(board.pieces) == ["a199", "b199", "c199", "d199"]


def test_buttons_are_heard_and_copies_go_to_the_page_that_asked(
    board: Board, acts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = listen(board, monkeypatch)
    hear(board, kind="act", act="retry:1")
    assert acts == ["retry:1"]
    hear(board, kind="copy", key="answer:1", page="p1")
    ((content, _),) = sent
    assert (content["text"], content["page"]) == ("text of answer:1", "p1")
    hear(board, kind="something else")


def test_a_medium_comes_chunk_by_chunk_as_it_is_asked_for(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(CHUNK_BYTES * 2 + 100))
    key = board.medium(film)
    sent = listen(board, monkeypatch)
    came = b""
    while len(came) < film.stat().st_size:
        hear(board, kind="medium", key=key, **{"from": len(came)})
        content, (data,) = sent[-1]
        assert content["offset"] == len(came)
        assert len(data) <= CHUNK_BYTES
        came += data
    assert came == film.read_bytes()
    assert sent[-1][0]["type"] == "video/mp4"
    film.unlink()
    hear(board, kind="medium", key=key, **{"from": 0})
    hear(board, kind="medium", key="nobody", **{"from": 0})
    assert [content.get("gone") for content, _ in sent[-2:]] == [True, True]


def test_a_stage_draws_behind_its_piece_and_replaces_in_one_step(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.show({"q": "question", "z": "end"})
    stage = Stage(board, after="q")
    stage.display({"text/html": "one"}, {}, "1")
    stage.display({"text/html": "two"}, {}, "2")
    stage.update({"text/html": "two, more"}, {}, "2")
    assert list(board.pieces) == ["q", "1", "2", "z"]
    stage.clear(wait=True)
    assert "1" in board.pieces
    sent = listen(board, monkeypatch)
    stage.display({"text/html": "whole"}, {}, "3")
    assert [content["kind"] for content, _ in sent] == ["put"]
    assert list(board.pieces) == ["q", "3", "z"]
    stage.clear(wait=False)
    assert list(board.pieces) == ["q", "z"]


# --- the composer ---------------------------------------------------------------------------


@pytest.fixture
def composer(tmp_path: Path) -> Composer:
    made: list[Any] = []
    composer = Composer(
        on_submit=lambda text, items: made.append((text, [item.name for item in items])),
        folder=lambda: tmp_path / "uploads",
        accept="image/*",
    )
    composer.made = made
    return composer


def test_a_file_is_asked_for_chunk_by_chunk(
    composer: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = listen(composer, monkeypatch)
    hear(composer, kind="file", id="1", name="a.txt", size=6)
    hear(composer, b"abc", kind="chunk", id="1", offset=0)
    hear(composer, memoryview(b"def"), kind="chunk", id="1", offset=3)  # type: ignore[arg-type]
    assert [content["kind"] for content, _ in sent] == ["go", "go", "kept"]
    assert [content.get("offset") for content, _ in sent] == [0, 3, None]
    (item,) = composer.attached
    assert (item.name, item.value.read_bytes(), item.about) == ("a.txt", b"abcdef", "6 B")
    composer.attach(Attached("pic", object(), "pic"))
    hear(composer, kind="submit", text="hi", files=["1", "unknown"])
    assert composer.made == [("hi", ["a.txt"])]
    sent.clear()
    hear(composer, kind="hello")
    assert [file["name"] for file in sent[0][0]["files"]] == ["a.txt", "pic"]
    composer.clear()
    assert composer.attached == []
    assert (tmp_path / "uploads" / "a.txt").exists()  # it was sent, and the cell that does the same needs it


def test_what_goes_wrong_is_said_at_the_file(
    composer: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = listen(composer, monkeypatch)
    hear(composer, kind="file", id="big", name="big.bin", size=10**10)
    hear(composer, kind="file", id="gone", name="gone.bin", size=10)
    hear(composer, kind="lost", id="gone")
    monkeypatch.setattr(
        "anyfast_nb.panels.intake.Path.open",
        lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device", "/a/long/path")),
    )
    hear(composer, kind="file", id="full", name="full.bin", size=10)
    refused = {content["id"]: content["why"] for content, _ in sent if content["kind"] == "refused"}
    assert "512 MiB" in refused["big"]
    assert "changed or removed" in refused["gone"]
    assert refused["full"] == "cannot be written: No space left on device"
    assert composer.attached == []


def test_a_page_that_goes_away_leaves_no_half_file(composer: Composer, tmp_path: Path) -> None:
    hear(composer, kind="file", id="1", name="a.bin", size=10)
    hear(composer, b"01234", kind="chunk", id="1", offset=0)
    composer.close()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_widgets_hear_the_shell_that_the_page_chose() -> None:
    class Routed:
        def _reply_subshell_for(self, data: Any, default: str | None) -> str | None:
            return "the last writer's"

    class Plain:
        pass

    class Widget:
        def __init__(self, comm: Any, children: tuple[Any, ...] = ()) -> None:
            self.comm, self.children = comm, children

    inner, old = Widget(Routed()), Widget(Plain())
    reachable_while_busy(Widget(None, (inner, old, inner)))
    assert inner.comm._reply_subshell_for({}, "the page's") == "the page's"
    assert not hasattr(old.comm, "_reply_subshell_for")
