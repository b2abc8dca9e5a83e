"""The deck: one for a kernel, tabs made when they are opened, one language for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import anyfast_nb as af
from anyfast_nb.errors import InputError
from anyfast_nb.magics.complete import candidates
from anyfast_nb.magics.guide import guide
from anyfast_nb.panels.deck import Deck
from anyfast_nb.panels.deck_registry import NAMES
from anyfast_nb.panels.handover import film_target
from anyfast_nb.session import Session
from tests.kernels import Kernel
from tests.panels.pressing import let_go, own_session, rested, text_of, widget


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.setenv("ANYFAST_BASE_URL", "simulator")
    monkeypatch.chdir(tmp_path)
    own = own_session(monkeypatch)
    yield own
    for panel in own.panels.made.values():
        rested(panel)  # what it began may start a built-in AnyFast
        panel.close()
    own.panels.deck().close()
    let_go(own)


@pytest.fixture
def deck(own: Session) -> Deck:
    found = af.panel()
    assert isinstance(found, Deck)
    return found


def test_there_is_one_of_each_for_a_kernel(own: Session, deck: Deck) -> None:
    assert af.panel() is deck
    assert af.panel("usage") is af.panel("usage")
    assert own.panels.get("usage") is af.panel("usage")
    assert type(af.panel("jobs")) is af.JobsPanel
    with pytest.raises(InputError, match="chats") as caught:
        af.panel("chats")
    assert "chat?" in caught.value.hint
    assert "usage" in caught.value.hint


def test_a_tab_is_made_when_it_is_opened_and_stays(own: Session, deck: Deck) -> None:
    assert own.panels.made == {}
    deck.turn_to("jobs")
    assert list(own.panels.made) == ["jobs"]
    jobs: Any = own.panels.get("jobs")
    widget(jobs, "Status").value = "failed"
    deck.turn_to("usage")
    shown = {name: body.layout.display for name, body in deck._bodies.items()}
    assert shown == {"jobs": "none", "usage": ""}
    deck.turn_to("jobs")
    assert widget(deck, "Status").value == "failed"
    assert deck.as_magic() == "%anyfast jobs --status failed"


def test_what_stays_of_the_deck_is_what_stays_of_its_panels(own: Session, deck: Deck) -> None:
    assert "No panel was opened yet" in deck.essence()["text/plain"]
    kept: list[bool] = []
    deck.turn_to("jobs")
    deck.keep = lambda *, now=False: kept.append(now)  # type: ignore[method-assign]
    deck.turn_to("usage")
    own.panels.get("usage").keep(now=True)
    assert True in kept
    essence = deck.essence()
    assert "Jobs" in essence["text/plain"]
    assert "<h4>Usage</h4>" in essence["text/html"]
    assert "Chat" not in essence["text/plain"]


def test_a_panel_that_cannot_be_made_is_told_and_the_others_are_there(
    own: Session, deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr("anyfast_nb.panels.usage.UsagePanel", broken)
    deck._tabs.chosen = "usage"
    assert "no such luck" in text_of(deck._told)
    deck._tabs.chosen = "jobs"
    assert "no such luck" not in text_of(deck._told)
    assert "jobs" in own.panels.made


def test_another_language_for_all_of_them(own: Session, deck: Deck) -> None:
    for name in NAMES:
        deck.turn_to(name)
    deck.turn_to("chat")
    chat: Any = own.panels.get("chat")
    chat._composer.attached  # noqa: B018 - it has one
    widget(deck, "Language").value = "zh"
    assert not deck._told.pieces
    assert dict(deck._tabs.names) == {
        "chat": "对话", "video": "视频", "image": "图片", "asset": "素材", "jobs": "任务", "usage": "用量",
    }  # fmt: skip
    assert own.settings.language == "zh"
    assert widget(chat, "模型")
    assert chat._composer.words["send"] == "发送"
    assert widget(own.panels.get("usage"), "时间")
    assert widget(own.panels.get("image"), "模型")
    widget(deck, "语言").value = "en"
    assert widget(chat, "Model")
    assert widget(deck, "Language").value == "en"


def test_a_picture_goes_to_the_video_panel(own: Session, deck: Deck, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (640, 480)).save(tmp_path / "red.png")
    take = film_target(own)
    assert take is not None
    take(tmp_path / "red.png", "first_frame")
    assert deck.chosen == "video"
    assert "red.png" in own.panels.get("video").as_magic()


def test_nothing_of_it_is_in_the_state_of_widgets(
    own: Session, deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-live-0123456789abcdef")
    for name in NAMES:
        deck.turn_to(name)
    waiting: list[Any] = [deck]
    while waiting:
        one = waiting.pop()
        state = {name: value for name, value in one.get_state().items() if name not in {"_esm", "_css"}}
        text = json.dumps(state, default=str)
        assert "sk-live" not in text
        assert len(text) < 20_000
        waiting += getattr(one, "children", ())


def test_the_magic_is_known_and_completed(own: Session) -> None:
    assert "%anyfast panel [NAME]" in guide("panel")
    shell = SimpleNamespace(user_ns={}, user_ns_hidden={})
    found = candidates("%anyfast panel ", 0, 15, shell=shell, session=own)
    assert found is not None
    assert found[1] == list(NAMES)


@pytest.mark.kernel
def test_the_magic_shows_it_and_its_essence(kernel: Callable[..., Kernel]) -> None:
    """In a real kernel: two outputs, a widget and what stays; the same panel the second time."""
    k = kernel(ANYFAST_BASE_URL="simulator")
    k.execute("%load_ext anyfast_nb")
    run = k.execute("%anyfast panel usage", cell_id="one")
    assert run.status == "ok", run.text
    kinds = [set(output["data"]) for output in run.outputs if output["output_type"] == "display_data"]
    assert any("application/vnd.jupyter.widget-view+json" in kind for kind in kinds)
    assert "anyfast-essence" in str(run.outputs)
    assert "True" in k.execute("import anyfast_nb as af; af.panel('usage') is af.panel('usage')").text
    wrong = k.execute("%anyfast panel usages")
    assert wrong.status == "error"
    assert "usage?" in wrong.text
