"""The video panel as a person uses it: a picture in, a film out, and on to the next shot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Opens
from tests.browser.lab import (
    Browser,
    Lab,
    into_view,
    open_notebook,
    run_cell,
    save_notebook,
    write_notebook,
)
from tests.browser.panels import reopened
from tests.browser.test_jobs import PLAY, in_the_dark

pytestmark = pytest.mark.browser

Shoots = Callable[[str], None]
PATIENT = 60_000
SETUP = """%env ANYFAST_BASE_URL=simulator
%env ANYFAST_SIM_SPEED=0
'ready'"""
MAKE = "import anyfast_nb as af\npanel = af.VideoPanel()\npanel"
CUT_OFF = """panel => [...panel.querySelectorAll('button, input, select, video, img')].filter(node => {
  const box = node.getBoundingClientRect(), out = panel.getBoundingClientRect();
  return box.width > 1 && (box.right > out.right + 1 || box.left < out.left - 1);
}).map(node => node.outerHTML.slice(0, 200))"""


def drawn_picture(path: Path, colour: str = "#e94") -> Path:
    """A picture with something in it."""
    image = Image.new("RGB", (1280, 720), "#234")
    ImageDraw.Draw(image).ellipse((400, 100, 900, 600), fill=colour)
    image.save(path)
    return path


class Video:
    """The panel on the page."""

    def __init__(self, page: Page, at: int = 0) -> None:
        self.page = page
        self.panel = page.locator(".anyfast-panel").nth(at)
        self.prompt = self.panel.locator(".anyfast-composer textarea").first
        self.create = self.panel.locator(".anyfast-send").first
        self.inputs = self.panel.locator(".anyfast-input")
        self.mode = self.panel.locator(".anyfast-mode").first
        self.figures = self.panel.locator(".anyfast-figures").first
        self.films = self.panel.locator(".anyfast-film")

    def add(self, *files: Path) -> None:
        """Add files by the picker."""
        self.panel.locator("input[type=file]").first.set_input_files([str(file) for file in files])

    def option(self, name: str) -> Locator:
        """A control by its label; each family has its own."""
        return self.panel.get_by_label(name, exact=True).locator("visible=true")

    def small(self) -> None:
        """Make it quick to make."""
        self.option("Length").select_option(label="4 s")
        self.option("Resolution").select_option(label="480p")

    def film(self, at: int = 0) -> Locator:
        """A film that is there."""
        video = self.films.nth(at).locator("video")
        video.wait_for(timeout=PATIENT)
        return video

    def plays(self, at: int = 0) -> dict[str, Any]:
        """Its time goes on."""
        video = self.film(at)
        into_view(video)
        self.page.wait_for_function("v => v.readyState >= 1", arg=video.element_handle())
        seen: dict[str, Any] = video.evaluate(PLAY)
        assert seen["at"] >= 0.3, seen
        return seen


def is_loaded(image: Locator) -> bool:
    loaded: bool = image.evaluate("image => image.decode().then(() => image.naturalWidth > 10)")
    return loaded


def test_from_a_picture_to_the_next_shot(
    browser: Browser, opened: Opens, lab: Lab, folder: Path, shoot: Shoots, tmp_path: Path
) -> None:
    opened(SETUP, MAKE)
    run_cell(browser, 0)
    run_cell(browser, 1)
    page = browser.page
    video = Video(page)
    expect(video.mode).to_contain_text("Write what the film shows")
    shoot("empty")

    video.add(drawn_picture(tmp_path / "sun.png"))
    expect(video.inputs).to_have_count(1)
    assert is_loaded(video.inputs.locator("img"))
    video.prompt.fill("The sun rises over the sea sim:polls=4")
    expect(video.mode).to_have_text("The film begins with your picture.")
    expect(video.inputs).to_contain_text("1280 × 720")
    expect(video.option("Web search")).to_be_hidden()  # from words alone
    video.small()
    expect(video.figures).to_contain_text("864 × 496")
    expect(video.figures).to_contain_text("no price set")
    video.option("Seed").fill("many")
    video.option("Seed").press("Tab")
    expect(video.panel.locator(".anyfast-option-seed")).to_contain_text("many is no number")
    shoot("wrong")
    video.option("Seed").fill("7")
    video.option("Seed").press("Tab")
    expect(video.panel.locator(".anyfast-option-seed .anyfast-wrong")).to_have_count(0)
    expect(video.mode).to_have_text("The film begins with your picture.")

    video.create.dblclick()  # one film all the same
    expect(video.films.first).to_contain_text("Queued")
    expect(video.films.first.get_by_role("progressbar")).to_have_count(1)
    shoot("running")
    seen = video.plays()
    assert (seen["width"], seen["height"]) == (864, 496)
    expect(video.films).to_have_count(1)
    assert violations(page, ".anyfast-panel") == []
    into_view(video.films.first)
    shoot("light")
    in_the_dark(browser, shoot, "dark")

    video.films.first.get_by_role("button", name="Last frame → next shot").click()
    expect(video.inputs).to_contain_text("last frame of film")
    expect(video.mode).to_have_text("The film begins with your picture.")
    video.prompt.fill("It sets again")
    page.keyboard.press("Control+Enter")
    expect(video.films).to_have_count(2)
    video.plays()

    save_notebook(browser)
    open_notebook(browser, lab, "test_from_a_picture_to_the_next_shot.ipynb")  # the page is loaded anew
    video = Video(page)
    expect(video.films).to_have_count(2)
    expect(video.prompt).to_have_value("It sets again")
    expect(video.inputs).to_contain_text("last frame of film")
    video.plays(1)
    reopened(browser, lab, "test_from_a_picture_to_the_next_shot.ipynb", with_its_kernel=False)
    kept = page.locator(".anyfast-essence video").first
    kept.wait_for()
    assert kept.evaluate(PLAY)["at"] >= 0.3
    expect(page.locator(".anyfast-essence video")).to_have_count(2)
    into_view(kept)
    shoot("without-its-kernel")
    assert browser.errors == []
    assert browser.outside == []


def test_media_by_name_and_their_roles(browser: Browser, opened: Opens, shoot: Shoots) -> None:
    cat, dog = "cat = Image.new('RGB', (800, 600), 'teal')", "dog = Image.new('RGB', (600, 800), 'plum')"
    names = f"from PIL import Image\n{cat}\n{dog}"
    opened(SETUP, names, MAKE)
    for cell in range(3):
        run_cell(browser, cell)
    page = browser.page
    video = Video(page)
    video.small()
    video.prompt.fill("@image1 meets @image2")
    for name in ("cat", "dog"):
        page.get_by_label("Or by name").fill(name)
        video.panel.get_by_role("button", name="Add", exact=True).click()
        expect(video.inputs.last).to_contain_text(name)
    expect(video.mode).to_contain_text("from your first picture to your last one")
    video.inputs.first.get_by_role("button", name="Reference", exact=True).click()
    expect(video.mode).to_contain_text("after your references")
    expect(video.inputs.last).to_contain_text("@image2")
    video.inputs.last.get_by_role("button", name="Earlier: dog").click()
    expect(video.inputs.first).to_contain_text("dog")
    copied = "() => navigator.clipboard.readText()"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    video.panel.get_by_role("button", name="Copy as Python").first.click()
    expect(video.panel.locator(".anyfast-toast")).to_be_visible()
    assert page.evaluate(copied) == (
        'af.seedance("@image1 meets @image2", images=[dog, cat], duration=4, resolution="480p")'
    )
    page.get_by_label("Or by name").fill("bird")
    video.panel.get_by_role("button", name="Add", exact=True).click()
    expect(video.panel.locator(".anyfast-wrong").first).to_contain_text("bird")
    shoot("roles")
    video.option("Family").select_option("Kling")
    expect(video.mode).to_contain_text("Several pictures put together")
    expect(video.option("Length").locator("option")).to_have_count(3)
    expect(video.option("Closeness")).to_be_hidden()
    shoot("kling")
    video.inputs.first.get_by_role("button", name="Remove dog").click()
    expect(video.inputs).to_have_count(1)
    assert violations(page, ".anyfast-panel") == []


def test_films_narrow_and_in_chinese(browser: Browser, opened: Opens, shoot: Shoots, tmp_path: Path) -> None:
    make = f"%env ANYFAST_LANGUAGE=zh\n{MAKE}\npanel.layout.width = '360px'\npanel"
    opened(SETUP, make)
    run_cell(browser, 0)
    run_cell(browser, 1)
    video = Video(browser.page)
    video.add(drawn_picture(tmp_path / "太阳.png"))
    expect(video.inputs).to_contain_text("首帧")
    video.option("时长").select_option(label="4 秒")
    video.option("清晰度").select_option(label="480p")
    video.prompt.fill("太阳从海上升起")
    expect(video.mode).to_have_text("影片以您的图片开始。")
    video.create.click()
    video.plays()
    wide = video.panel.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert wide[0] <= wide[1] + 1
    assert video.panel.evaluate(CUT_OFF) == []
    assert violations(browser.page, ".anyfast-panel") == []
    into_view(video.prompt)
    shoot("light")
    into_view(video.films.first)
    in_the_dark(browser, shoot, "dark")


def test_films_in_notebook_7(browser: Browser, lab: Lab, folder: Path, shoot: Shoots, tmp_path: Path) -> None:
    write_notebook(folder / "seven-films.ipynb", [SETUP, MAKE])
    page = browser.page
    open_notebook(browser, lab, "seven-films.ipynb", in_notebook_7=True)
    for cell in range(2):
        run_cell(browser, cell)
    video = Video(page)
    video.add(drawn_picture(tmp_path / "moon.png", "#dde"))
    expect(video.inputs).to_have_count(1)
    video.small()
    video.prompt.fill("The moon rises")
    expect(video.figures).to_contain_text("864 × 496")
    video.create.click()
    video.plays()
    expect(page.locator(".anyfast-essence").first).to_be_hidden()
    assert violations(page, ".anyfast-panel") == []
    into_view(video.films.first)
    shoot("notebook-7")
