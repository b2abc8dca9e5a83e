"""The film and picture panels in a real kernel: what a cell shows, what stays in it, a panel shown again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Simulator
from tests.kernels import Kernel, Run

pytestmark = pytest.mark.kernel

VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = """import anyfast_nb as af
panel = af.VideoPanel()
panel.choose(duration=4, resolution='480p', ratio='16:9')
panel"""
FILM = """panel.create('A cat plays the piano'); panel.wait(30)
panel.jobs[0].wait(60).status"""
PUT = "panel._put_essence()"  # as its timer does


@pytest.fixture
def k(kernel: Callable[..., Kernel], simulator: Simulator) -> Kernel:
    return kernel(ANYFAST_BASE_URL=simulator.base_url, ANYFAST_API_KEY=simulator.key)


def ok(run: Run) -> Run:
    assert run.status == "ok", run.text
    return run


def views(run: Run) -> list[str]:
    """The widgets that a cell shows."""
    return [output["data"][VIEW]["model_id"] for output in run.outputs if VIEW in output.get("data", {})]


def updates(run: Run) -> list[dict[str, Any]]:
    """What outputs of other cells became."""
    return [m["content"] for m in run.messages if m["msg_type"] == "update_display_data"]


def test_a_panel_leaves_its_films_in_the_notebook(k: Kernel, tmp_path: Path) -> None:
    first = ok(k.execute(SETUP, cell_id="one"))
    assert len(views(first)) == 1
    (essence,) = [one for one in first.outputs if "anyfast-essence" in str(one["data"].get("text/html"))]
    assert "Nothing has been asked for" in essence["data"]["text/html"]
    assert "succeeded" in ok(k.execute(FILM)).text
    (update,) = updates(ok(k.execute(PUT)))
    assert update["transient"]["display_id"] == essence["transient"]["display_id"]
    (film,) = (tmp_path / "anyfast_media").glob("seedance-*.mp4")
    assert f'src="anyfast_media/{film.name}"' in update["data"]["text/html"]

    again = ok(k.execute("panel", cell_id="two"))
    assert views(again) == views(first)
    assert film.name in str([one["data"].get("text/html") for one in again.outputs])
    places = {one["transient"]["display_id"] for one in updates(ok(k.execute(PUT)))}
    assert len(places) == 2


def test_the_same_wish_in_the_cell_that_runs_again_is_the_same_film(k: Kernel) -> None:
    cell = f"{SETUP}\n_ = None\n{FILM}"
    ok(k.execute(cell, cell_id="one"))
    ok(k.execute(cell, cell_id="one"))
    counted = k.execute("from anyfast_nb.session import session\nlen(session().desk.jobs())")
    assert ok(counted).text == "1\n"


def test_a_panel_puts_its_cell_below(k: Kernel) -> None:
    ok(k.execute(SETUP, cell_id="one"))
    run = ok(k.execute("panel._composer.write('x'); panel._typed('A cat'); panel.to_cell()"))
    (payload,) = run.reply["content"]["payload"]
    assert payload["text"] == '%seedance "A cat" --duration 4 --ratio 16:9 --resolution 480p'
