"""The image panel as a person uses it, with plain widgets and the built-in AnyFast."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.jobs.pictures import Picture, Pictures
from anyfast_nb.panels.handover import film_target, films_take
from anyfast_nb.panels.image import ImagePanel
from anyfast_nb.panels.image_sheets import SHOWN, Batch
from anyfast_nb.panels.wish import Wish
from anyfast_nb.session import Session
from tests.conftest import Simulator
from tests.panels.pressing import eventually, text_of

PROMPT = "A red kite over dunes"
MODEL = "doubao-seedream-4-0-250828"


@pytest.fixture
def session(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    Image.new("RGB", (1280, 720), "navy").save("my cat.png")
    return Session()


@pytest.fixture
def panel(session: Session) -> Iterator[ImagePanel]:
    made = ImagePanel(MODEL, session=session)
    yield made
    made.close()


def about(panel: ImagePanel) -> str:
    return text_of(panel._about)


def grid(panel: ImagePanel) -> str:
    return text_of(panel._sheets.board)


def images(panel: ImagePanel) -> int:
    return " ".join(panel._sheets.board.pieces.values()).count("<img ")


def press(board: Any, verb: str) -> None:
    """Press the first button of this kind that the board shows."""
    acts = re.findall(r'data-act="([^"]+)"', " ".join(board.pieces.values()))
    board._heard(board, {"kind": "act", "act": next(act for act in acts if act.startswith(verb))}, [])


def made(panel: ImagePanel, text: str = PROMPT) -> Batch:
    """Pictures, to the end."""
    panel.create(text)
    panel.wait(60)
    batch = panel.batches[0]
    eventually(lambda: images(panel) >= len(batch.made))
    return batch


def test_words_and_references_become_a_grid(panel: ImagePanel) -> None:
    eventually(lambda: "Write what the pictures show." in about(panel))
    panel.choose(size="1K", count=3)
    panel._composer._heard(None, {"kind": "text", "text": PROMPT}, [])
    eventually(lambda: "From words alone." in about(panel))
    panel.take("my cat.png")
    eventually(lambda: "After your picture." in about(panel))
    assert (
        panel.as_magic() == f'%seedream "{PROMPT}" --image "my cat.png" --model {MODEL} --size 1K --count 3'
    )
    assert panel.as_python() == (
        f'af.seedream("{PROMPT}", images=["my cat.png"], model="{MODEL}", size="1K", count=3)'
    )
    batch = made(panel)
    assert [one.size for one in batch.made] == [(1024, 1024)] * 3
    eventually(lambda: "1024 × 1024" in grid(panel))
    assert "simulated · seedream" in grid(panel)
    assert "3 of 3 · done" in grid(panel)
    assert panel._sheets.board._text_of is not None
    assert panel._sheets.board._text_of(f"path:{batch.id}:1") == str(batch.made[1].path)
    assert panel._sheets.board._text_of(f"magic:{batch.id}:-1") == panel.as_magic()


def test_the_grid_fills_as_they_come(panel: ImagePanel) -> None:
    wish = Wish("seedream", PROMPT, {}, {})
    batch = Batch(wish, count=3)
    panel._sheets.add(batch)
    assert grid(panel).count("…") == 3
    panel._sheets.came(batch, Picture(1, path=Path("my cat.png").absolute(), size=(1280, 720)))
    eventually(lambda: images(panel) == 1)
    assert grid(panel).count("…") == 2
    panel._sheets.came(batch, Picture(0, error="it was refused"))
    assert "it was refused" in grid(panel)


def test_one_that_fails_says_why_beside_the_others(panel: ImagePanel) -> None:
    panel.choose(size="1K", count=3)
    batch = made(panel, f"{PROMPT} sim:fail-item=2")
    assert [one.index for one in batch.made] == [0, 2]
    assert "2 of 3" in grid(panel)
    assert "sensitive information" in grid(panel)
    panel.choose(size="1K")
    panel.create(f"{PROMPT} sim:bad-words")
    panel.wait(20)
    assert "Change the words of the prompt." in grid(panel)


def test_stopped_halfway_what_came_stays(
    panel: ImagePanel, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = threading.Event()

    async def pictures(*_: Any, on_picture: Callable[[Picture], None], **__: Any) -> Pictures:
        import asyncio

        on_picture(Picture(0, path=Path("my cat.png").absolute(), size=(1280, 720)))
        came.set()
        await asyncio.sleep(3600)
        raise AssertionError

    monkeypatch.setattr(session.desk, "pictures", pictures)
    panel.choose(count=3)
    panel.create(PROMPT)
    assert came.wait(20)
    panel._composer._heard(None, {"kind": "stop"}, [])  # the second half of a double click
    assert panel._sending
    panel._began_s = float("-inf")
    panel._composer._heard(None, {"kind": "stop"}, [])
    panel.wait(20)
    assert "1 of 3 · stopped" in grid(panel)
    assert "what had come is kept" in grid(panel)
    assert not panel._composer.busy


def test_one_press_is_one_request(panel: ImagePanel, session: Session) -> None:
    panel.choose(size="1K")
    panel.create(PROMPT)
    panel.create(PROMPT)
    panel.wait(30)
    assert len(panel.batches) == 1


def test_what_is_sent_before_the_page_told_its_text_is_looked_at_too(panel: ImagePanel) -> None:
    eventually(lambda: "Write what" in about(panel))
    panel._submit(PROMPT, ())
    panel.wait(60)
    eventually(lambda: "From words alone" in about(panel))


def test_what_went_wrong_in_sending_stays_after_the_look(panel: ImagePanel) -> None:
    panel._submit(PROMPT, ())
    panel.tell(InputError("nothing works today"))
    eventually(lambda: "From words alone" in about(panel))
    assert "nothing works today" in about(panel)


def test_a_large_one_is_asked_about(panel: ImagePanel, session: Session) -> None:
    session.configure(confirm_above=1000)
    panel.choose(size="1K")
    panel.create(PROMPT)
    panel.wait(20)
    assert "more than confirm_above=1,000" in about(panel)
    assert not panel.batches
    press(panel._about, "sure")
    panel.wait(30)
    assert len(panel.batches) == 1


def test_what_is_wrong_stands_beside_its_field(panel: ImagePanel) -> None:
    panel._composer._heard(None, {"kind": "text", "text": PROMPT}, [])
    panel.choose(size="99x99")
    field = panel._form.fields["size"]
    eventually(lambda: "9,801 pixels" in field._wrong.value)
    assert "strict" not in field._wrong.value
    assert field.exact.layout.display == ""
    panel.choose(size="2K")
    eventually(lambda: not field._wrong.value)
    assert field.exact.layout.display == "none"
    Path("a.txt").write_text("no picture")
    panel._shelf.add_word("a.txt")
    eventually(lambda: "a.txt is no picture" in text_of(panel._shelf.board))


def test_only_what_the_model_takes_is_offered(panel: ImagePanel) -> None:
    fields = panel._form.fields
    assert fields["guidance_scale"].layout.display == "none"
    assert fields["web_search"].layout.display == "none"
    panel._model.value = "doubao-seedream-3-0-t2i-250415"
    assert fields["guidance_scale"].layout.display == ""
    assert fields["count"].layout.display == "none"
    panel._model.value = "doubao-seedream-5-0-260128"
    assert fields["web_search"].layout.display == ""


def test_to_the_video_panel(panel: ImagePanel, session: Session) -> None:
    panel.choose(size="1K")
    batch = made(panel)
    taken: list[tuple[Path, str]] = []
    films_take(session, lambda path, role: taken.append((path, role)))
    press(panel._sheets.board, "first")
    press(panel._sheets.board, "film")
    path = batch.made[0].path
    assert taken == [(path, "first_frame"), (path, "images")]
    films_take(session, None)
    assert film_target(session) is None
    press(panel._sheets.board, "first")  # nobody else: a panel of its own below
    film = panel.children[-1]
    assert [one.value for one in film._shelf.media] == [path]
    eventually(lambda: path is not None and path.name in text_of(film._shelf.board))
    film.close()


def test_a_picture_becomes_a_reference_and_large(panel: ImagePanel) -> None:
    panel.choose(size="1K")
    batch = made(panel)
    press(panel._sheets.board, "reference")
    assert [one.value for one in panel._shelf.media] == [batch.made[0].path]
    press(panel._sheets.board, "large")
    assert "anyfast-large" in " ".join(panel._sheets.board.pieces.values())
    assert "Smaller" in grid(panel)


def test_the_essence_holds_the_last_pictures(panel: ImagePanel) -> None:
    assert "Nothing has been asked for" in str(panel.essence()["text/html"])
    panel.choose(size="1K", count=2)
    batch = made(panel)
    bundle = panel.essence()
    assert str(bundle["text/html"]).count('<img src="data:image/jpeg;base64,') == 2
    assert "<style>" not in str(bundle["text/html"])
    assert all(str(one.path) in str(bundle["text/plain"]) for one in batch.made)


def test_many_requests_are_a_list_of_the_newest(panel: ImagePanel) -> None:
    for number in range(SHOWN + 5):
        panel._sheets.batches[f"b{number}"] = Batch(
            Wish("seedream", PROMPT, {}, {}), count=1, id=f"b{number}"
        )
    panel._sheets.draw()
    assert len(panel._sheets.board.pieces) == SHOWN + 1
    press(panel._sheets.board, "more")
    assert len(panel._sheets.board.pieces) == SHOWN + 5


def test_in_chinese(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_LANGUAGE", "zh")
    panel = ImagePanel(session=session)
    panel._composer._heard(None, {"kind": "text", "text": "沙丘上的红色风筝"}, [])
    eventually(lambda: "仅由文字生成" in about(panel))
    assert panel.as_magic() == '%seedream "沙丘上的红色风筝"'
    panel.close()
