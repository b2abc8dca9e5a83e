"""Films and pictures as a person sees them: JupyterLab and Notebook 7 in a real Chromium.

All is made by the built-in AnyFast, small and short: 480p, three or four seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.browser.conftest import Opens
from tests.browser.lab import (
    Browser,
    Lab,
    open_notebook,
    run_cell,
    save_notebook,
    write_notebook,
)

pytestmark = pytest.mark.browser

SETUP = """%env ANYFAST_BASE_URL=simulator
%env ANYFAST_SIM_SPEED=0
%load_ext anyfast_nb
'ready'"""
SMALL = "--duration 4 --resolution 480p --ratio 16:9"
SEEDANCE = f'%seedance "A cat plays the piano at night, rain on the window" {SMALL}'
KLING = '%kling "A paper boat on a brook" --duration 3 --ratio 9:16'
SEEDREAM = '%seedream "A red kite over dunes" --count 3 --size 1K --model doubao-seedream-4-0-250828'
CELL = ".jp-Notebook .jp-Cell:nth-child({}) .jp-OutputArea"

PLAY = """async (video) => {
  video.scrollIntoView({block: 'center'});
  video.muted = true;
  await video.play();
  const until = performance.now() + 10000;
  while (video.currentTime < 0.3 && performance.now() < until) {
    await new Promise(done => setTimeout(done, 50));
  }
  const seen = {at: video.currentTime, width: video.videoWidth, height: video.videoHeight,
                seconds: video.duration, source: video.currentSrc};
  video.pause();
  video.currentTime = 1.5;
  return seen;
}"""


def test_films_play_live_and_tomorrow_and_elsewhere(
    browser: Browser, opened: Opens, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Live; reopened with a fresh kernel; in a notebook nobody trusts; in Notebook 7; as exported HTML."""
    opened(SETUP, SEEDANCE, KLING, SEEDREAM)
    for cell in range(4):
        run_cell(browser, cell)
    check_films(browser)
    check_pictures(browser)
    shoot("live-light")
    in_the_dark(browser, shoot, "live-dark")
    save_notebook(browser)
    name = "test_films_play_live_and_tomorrow_and_elsewhere.ipynb"
    outputs = [cell.outputs for cell in nbformat.read(folder / name, as_version=4).cells]
    assert [len(of_cell) for of_cell in outputs[1:]] == [1, 1, 1]  # one output stays of each
    end_kernels(browser)

    reopen(browser, lab, name)
    check_films(browser)
    check_pictures(browser)

    saved = nbformat.read(folder / name, as_version=4)
    saved.metadata["touched"] = True  # the signature fits no more: its outputs are sanitised
    nbformat.write(saved, folder / "untrusted.ipynb")
    reopen(browser, lab, "untrusted.ipynb")
    trusted = "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).trusted"
    assert not browser.page.evaluate(trusted)
    check_films(browser)
    check_pictures(browser)
    shoot("untrusted")

    browser.page.goto(lab.notebook_7_url(name))
    check_films(browser)
    check_pictures(browser)
    shoot("notebook-7")
    check_exported(browser, folder / name, shoot)


def test_a_film_plays_from_a_sub_folder(
    browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    below = folder / "a folder" / "below #1"
    below.mkdir(parents=True)
    write_notebook(below / "film.ipynb", [SETUP, SEEDANCE])
    open_notebook(browser, lab, "a%20folder/below%20%231/film.ipynb")
    run_cell(browser, 0)
    run_cell(browser, 1)
    check_film(browser, 2, (864, 496), 4)
    assert list((below / "anyfast_media").glob("seedance-*.mp4"))
    save_notebook(browser)
    end_kernels(browser)
    reopen(browser, lab, "a%20folder/below%20%231/film.ipynb")
    check_film(browser, 2, (864, 496), 4)


def test_a_card_lives_on_and_becomes_the_film(
    browser: Browser, opened: Opens, folder: Path, lab: Lab, shoot: Callable[[str], None]
) -> None:
    cell = f'%seedance "A cat plays the piano sim:polls=2" {SMALL} --no-wait'
    opened(SETUP, cell, "'the kernel is free'")
    for index in range(3):
        run_cell(browser, index)
    page = browser.page
    card = page.locator(CELL.format(2))
    page.wait_for_function(
        "() => /(Queued|Running)[^]*%anyfast resume [0-9a-f]{8}/"
        ".test(document.querySelector('.jp-Notebook .widget-html')?.innerText ?? '')"
    )
    shoot("live-light")
    in_the_dark(browser, shoot, "live-dark")
    check_film(browser, 2, (864, 496), 4)
    assert card.locator(".widget-html").count() == 0
    assert card.locator(".jp-OutputArea-child").count() == 1
    save_notebook(browser)
    saved = nbformat.read(folder / "test_a_card_lives_on_and_becomes_the_film.ipynb", as_version=4)
    (output,) = saved.cells[1].outputs
    assert sorted(output.data) == ["text/html", "text/plain"]
    assert output.metadata["anyfast"]["status"] == "succeeded"
    shoot("film")


def test_a_failure_and_an_interrupt_stay_as_cards(
    browser: Browser, opened: Opens, shoot: Callable[[str], None]
) -> None:
    failing = f'%seedance "A cat plays the piano sim:moderated" {SMALL}'
    stuck = f'%seedance "A cat plays the piano sim:stuck" {SMALL}'
    frame = "from PIL import Image\nframe = Image.new('RGB', (400, 400), 'teal')"
    dry = f'%seedance "She waves" --first-frame frame {SMALL} --dry-run'
    opened(SETUP, failing, stuck, frame, dry)
    run_cell(browser, 0)
    run_cell(browser, 1)
    run_cell(browser, 3)
    run_cell(browser, 4)
    page = browser.page
    assert "it will be cropped" in page.locator(CELL.format(5)).inner_text()
    page.locator(CELL.format(5)).scroll_into_view_if_needed()
    shoot("dry-run")
    seen = page.locator(CELL.format(2)).inner_text()
    assert "Failed" in seen
    assert "Traceback" not in seen
    run_cell(browser, 2, wait=False)
    page.locator(CELL.format(3)).get_by_text("Running").wait_for()
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    page.locator(CELL.format(3)).get_by_text("nobody waits in this cell any more").wait_for()
    seen = page.locator(CELL.format(3)).inner_text()
    assert re.search(r"still running · .%anyfast resume [0-9a-f]{8}", seen)
    assert "Traceback" not in seen
    shoot("light")
    in_the_dark(browser, shoot, "dark")


# --- looking ----------------------------------------------------------------------------------


def check_films(browser: Browser) -> None:
    check_film(browser, 2, (864, 496), 4)
    check_film(browser, 3, None, 3)


def check_film(browser: Browser, cell: int, size: tuple[int, int] | None, seconds: float) -> None:
    """It plays: time goes on, and its pixels and length are right."""
    area = browser.page.locator(CELL.format(cell))
    video, error = area.locator("video"), area.locator("[data-mime-type='application/vnd.jupyter.error']")
    video.or_(error).first.wait_for()
    assert error.count() == 0, error.inner_text()
    browser.page.wait_for_function("v => v.readyState >= 1 || v.error", arg=video.element_handle())
    seen: dict[str, Any] = video.evaluate(PLAY)
    assert seen["at"] >= 0.3, seen
    assert seen["seconds"] == pytest.approx(seconds, abs=0.15)
    if size is None:
        assert seen["height"] > seen["width"]
    else:
        assert (seen["width"], seen["height"]) == size
    assert not seen["source"].startswith("data:")
    assert video.get_attribute("poster", timeout=1000).startswith("data:image/jpeg;base64,")  # type: ignore[union-attr]
    link = browser.page.locator(f"{CELL.format(cell)} .anyfast-foot a").first
    assert ".mp4" in (link.get_attribute("href") or "")


def check_pictures(browser: Browser) -> None:
    """All three are there, and drawn."""
    images = browser.page.locator(f"{CELL.format(4)} figure img")
    images.first.wait_for()
    images.last.scroll_into_view_if_needed()
    assert images.count() == 3
    assert all(images.evaluate_all("all => all.map(image => image.complete && image.naturalWidth > 100)"))


def check_exported(browser: Browser, notebook: Path, shoot: Callable[[str], None]) -> None:
    html, _ = HTMLExporter().from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    target.write_text(html, encoding="utf-8")
    fallback = r'<a href="anyfast_media/seedance-[^"]+\.mp4"><img [^>]*src="data:image/jpeg;base64,'
    assert re.search(fallback, html)  # where no player is
    browser.page.goto(target.as_uri())
    video = browser.page.locator("video").first
    video.wait_for()
    seen = video.evaluate(PLAY)
    assert seen["at"] >= 0.3  # the file is beside
    assert browser.page.locator(".anyfast-foot a").first.get_attribute("href").endswith(".mp4")  # type: ignore[union-attr]
    shoot("exported")


def in_the_dark(browser: Browser, shoot: Callable[[str], None], moment: str) -> None:
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    browser.page.evaluate(change, "JupyterLab Dark")
    browser.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    browser.page.wait_for_timeout(300)
    shoot(moment)
    browser.page.evaluate(change, "JupyterLab Light")
    browser.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")


def end_kernels(browser: Browser) -> None:
    browser.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")


def reopen(browser: Browser, lab: Lab, name: str) -> None:
    browser.page.goto("about:blank")
    open_notebook(browser, lab, name)
