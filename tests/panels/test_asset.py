"""The asset panel as a person uses it, with plain widgets and the built-in AnyFast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.panels.asset import AssetPanel
from anyfast_nb.panels.composer import Attached
from anyfast_nb.session import Session
from anyfast_nb.wire.assets import Asset, AssetStatus
from tests.assets.conftest import KEY, Store
from tests.panels.pressing import acts, copied, let_go, own_session, press, rested, text_of, widget
from tests.wire_server import Reply, WireServer


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """A built-in AnyFast of the test's own: in a shared one there are other tests' assets."""
    monkeypatch.setenv("ANYFAST_BASE_URL", "simulator")
    monkeypatch.setenv("ANYFAST_SIM_SPEED", "0")
    monkeypatch.chdir(tmp_path)
    own = own_session(monkeypatch)
    yield own
    let_go(own)


Opens = Callable[[], AssetPanel]


@pytest.fixture
def opens(own: Session) -> Iterator[Opens]:
    made: list[AssetPanel] = []

    def make() -> AssetPanel:
        made.append(AssetPanel(session=own))
        rested(made[-1])
        return made[-1]

    yield make
    for panel in made:
        panel.close()


def picture(name: str, *, colour: str = "navy", size: tuple[int, int] = (640, 480)) -> Path:
    path = Path(name).absolute()
    Image.new("RGB", size, colour).save(path)
    return path


def attach(panel: AssetPanel, path: Path) -> None:
    panel._field.attach(Attached(path.name, path, str(path)))
    rested(panel)


def submit(panel: AssetPanel, text: str = "") -> None:
    panel._submit(text, panel._field.attached)
    rested(panel)


def uploaded(panel: AssetPanel, path: Path, text: str = "") -> Asset:
    before = set(panel._assets)
    attach(panel, path)
    submit(panel, text)
    rested(panel)
    (made,) = set(panel._assets) - before
    return panel._assets[made]


def test_what_does_not_fit_is_said_before_anything_is_sent(opens: Opens, own: Session) -> None:
    panel = opens()
    before = len(panel._assets)
    attach(panel, picture("tiny.png", size=(100, 80)))
    assert "tiny.png: nothing is sent" in text_of(panel._memos.board)
    assert "300 to 6,000 pixels" in text_of(panel._memos.board)
    submit(panel)
    rested(panel)
    assert len(panel._assets) == before
    Path("notes.txt").write_text("no medium at all")
    attach(panel, Path("notes.txt").absolute())
    assert "notes.txt: nothing is sent" in text_of(panel._memos.board)


def test_an_upload_becomes_ready_and_is_told_to_be_there_the_second_time(opens: Opens) -> None:
    panel = opens()
    cat = picture("cat.png", colour="teal")
    attach(panel, cat)
    assert "Image · 640 × 480" in text_of(panel._memos.board)
    assert "It fits" in text_of(panel._memos.board)
    submit(panel)
    rested(panel)
    assert "ready as asset://" in text_of(panel._memos.board)
    (asset,) = [one for one in panel._assets.values() if one.name.startswith("cat")]
    assert asset.status is AssetStatus.ACTIVE
    card = panel._shelf.pieces[f"asset-{asset.id}"]
    assert "ready" in card
    assert copied(panel._shelf, f"asset:{asset.id}") == asset.reference
    rested(panel)
    assert "data-medium" in panel._shelf.pieces[f"asset-{asset.id}"]  # its small copy came
    count = len(panel._assets)
    attach(panel, cat)
    assert f"is an asset already, {asset.reference}" in text_of(panel._memos.board)
    submit(panel)
    assert "nothing was sent" in text_of(panel._memos.board)
    rested(panel)
    assert len(panel._assets) == count
    assert asset.reference in panel.essence()["text/html"]


def test_names_types_and_groups_narrow_the_shelf(opens: Opens) -> None:
    panel = opens()
    widget(panel, "Name").value = "heroes"
    widget(panel, "Create").click()
    rested(panel)
    rested(panel)
    assert "Group heroes is there now" in text_of(panel._memos.board)
    assert panel._chosen_group()[1] == "heroes"  # what is uploaded now goes there
    ada = uploaded(panel, picture("ada.png", colour="red"), "ada portrait")
    assert ada.name == "ada portrait"
    assert panel.as_magic() == "%anyfast assets list --group heroes"
    assert copied(panel._shelf, "list:") == panel.as_magic()
    widget(panel, "Group").value = ""
    uploaded(panel, picture("bob.png", colour="green"))
    widget(panel, "Search").value = "PORTRAIT"
    assert "ada portrait" in text_of(panel._shelf)
    assert "bob" not in text_of(panel._shelf)
    widget(panel, "Type").value = "Video"
    assert "No asset fits." in text_of(panel._shelf)
    assert panel.as_magic() == "%anyfast assets list --name PORTRAIT --type Video"


def test_a_group_is_renamed_and_deleted_with_a_second_press(opens: Opens) -> None:
    panel = opens()
    widget(panel, "Rename").click()
    assert "Choose a group first" in text_of(panel._memos.board)
    widget(panel, "Create").click()
    assert "Write a name first" in text_of(panel._memos.board)
    widget(panel, "Name").value = "draft"
    widget(panel, "Create").click()
    rested(panel)
    rested(panel)
    widget(panel, "Name").value = "final"
    widget(panel, "Rename").click()
    rested(panel)
    rested(panel)
    assert panel._chosen_group()[1] == "final"
    widget(panel, "Delete group").click()
    rested(panel)
    assert "final" in panel._names.values()
    widget(panel, "Press again to delete").click()
    rested(panel)
    rested(panel)
    assert "final" not in panel._names.values()
    assert widget(panel, "Group").value == ""


def test_deleting_wants_a_second_press_and_another_press_calms_it(opens: Opens) -> None:
    panel = opens()
    asset = uploaded(panel, picture("gone.png", colour="orange"))
    delete = f"delete:{asset.id}"
    press(panel._shelf, delete)
    assert "Press again to delete" in text_of(panel._shelf)
    panel._act("nothing:")
    assert "Press again to delete" not in text_of(panel._shelf)
    press(panel._shelf, delete)
    press(panel._shelf, delete)
    rested(panel)
    assert delete not in acts(panel._shelf)
    panel.refresh()
    rested(panel)
    assert asset.id not in panel._assets


def test_an_asset_goes_to_the_video_panel(opens: Opens, own: Session) -> None:
    panel = opens()
    asset = uploaded(panel, picture("for a film.png", colour="pink"))
    press(panel._shelf, f"use:{asset.id}")
    assert "is in the video panel" in text_of(panel._memos.board)
    assert "af.panel('video')" in text_of(panel._memos.board)  # nothing of it is on a page yet
    video: Any = own.panels.get("video")
    assert own.panels.deck().chosen == "video"
    assert asset.reference in video.as_magic() or asset.reference in str(video._shelf.media)
    video.close()
    own.panels.deck().close()


def test_text_without_a_file_is_an_address_or_refused(opens: Opens) -> None:
    panel = opens()
    with pytest.raises(Exception, match="Nothing to upload"):
        panel._submit("just words", [])
    panel.guarded(lambda: panel._submit("just words", []))()
    assert "Nothing to upload" in text_of(panel._memos.board)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """A store with one clip that is still processed."""
    with Store() as server:
        server.quirks.steps = 99
        server.groups["group-1"] = {"Id": "group-1", "Name": "heroes"}
        clip = {"Id": "asset-1", "Name": "a clip", "AssetType": "Video", "GroupId": "group-1", "lost": False}
        server.assets["asset-1"] = clip
        monkeypatch.setenv("ANYFAST_BASE_URL", server.url)
        monkeypatch.setenv("ANYFAST_API_KEY", KEY)
        monkeypatch.chdir(tmp_path)
        yield server


@pytest.fixture
def stores_panel(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[AssetPanel]:
    own = own_session(monkeypatch)
    panel = AssetPanel(session=own)
    rested(panel)
    yield panel
    panel.close()
    let_go(own)


def test_what_is_processed_is_looked_at_again_until_it_is_ready(
    store: Store, stores_panel: AssetPanel
) -> None:
    panel = stores_panel
    assert "processing Video · heroes" in text_of(panel._shelf)
    assert "use:asset-1" not in acts(panel._shelf)
    assert panel._waits()
    assert not io_loop().run(panel._look())
    store.quirks.steps = 0
    assert io_loop().run(panel._look())
    assert "ready Video · heroes" in text_of(panel._shelf)
    assert "use:asset-1" in acts(panel._shelf)
    assert not panel._waits()


def test_what_failed_says_why_without_the_key(store: Store, stores_panel: AssetPanel) -> None:
    store.quirks.steps, store.quirks.end = 0, "Failed"
    io_loop().run(stores_panel._look())
    assert "refused for" in text_of(stores_panel._shelf)
    assert KEY not in text_of(stores_panel._shelf)
    assert KEY not in stores_panel.essence()["text/html"]
    assert not stores_panel._waits()


def test_trouble_is_told_and_refresh_tries_again(
    wire_server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_BASE_URL", wire_server.url)
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-live-0123456789abcdef")
    own = own_session(monkeypatch)
    refusal = Reply.json({"error": {"message": "this key may not"}}, status=403)
    wire_server.script(refusal, refusal)
    panel = AssetPanel(session=own)
    try:
        panel._errands.rest(30)
        assert "403" in text_of(panel._memos.board)
        assert "sk-live" not in text_of(panel._memos.board)
    finally:
        panel.close()
        let_go(own)


def test_the_other_language(opens: Opens, own: Session) -> None:
    panel = opens()
    attach(panel, picture("cat.png"))
    own.configure(language="zh")
    panel.relabel()
    rested(panel)
    assert widget(panel, "分组").value == ""
    assert [one.name for one in panel._field.attached] == ["cat.png"]
    assert panel._field.words["send"] == "上传"
