"""The image panel as a person uses it: words in, a grid that fills, and on to a film."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Opens
from tests.browser.lab import (
    Browser,
    Lab,
    into_view,
    open_notebook,
    run_cell,
    write_notebook,
)
from tests.browser.panels import reopened
from tests.browser.test_jobs import in_the_dark
from tests.browser.test_panel_video import CUT_OFF, SETUP, Video, drawn_picture

pytestmark = pytest.mark.browser

Shoots = Callable[[str], None]
PATIENT = 60_000
MAKE = "import anyfast_nb as af\npanel = af.ImagePanel('doubao-seedream-4-0-250828')\npanel"


class Images:
    """The panel on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".anyfast-panel").first
        self.prompt = self.panel.locator(".anyfast-composer textarea").first
        self.create = self.panel.locator(".anyfast-send").first
        self.mode = self.panel.locator(".anyfast-mode").first
        self.sheets = self.panel.locator(".anyfast-sheet")
        self.pictures = self.panel.locator(".anyfast-grid img")

    def ask(
        self, text: str, *, pictures: int, label: str = "Pictures", size: str = "Size", few: str = ""
    ) -> None:
        """Ask for small pictures, and wait for all of them."""
        before = self.pictures.count()
        self.panel.get_by_label(size, exact=True).select_option(label="1K")
        if few:
            self.panel.get_by_label(label, exact=True).select_option(label=few)
        self.prompt.fill(text)
        self.create.click()
        expect(self.pictures).to_have_count(before + pictures, timeout=PATIENT)

    def are_drawn(self) -> bool:
        """Each picture is a picture."""
        for at in range(self.pictures.count()):
            into_view(self.pictures.nth(at))
            expect(self.pictures.nth(at)).to_have_js_property("complete", True)
        drawn = "image => image.naturalWidth > 100"
        self.page.wait_for_function(
            f"() => [...document.querySelectorAll('.anyfast-grid img')].every({drawn})"
        )
        return True


def test_a_grid_fills_and_goes_to_a_film(
    browser: Browser, opened: Opens, lab: Lab, shoot: Shoots, tmp_path: Path
) -> None:
    opened(SETUP, MAKE)
    run_cell(browser, 0)
    run_cell(browser, 1)
    page = browser.page
    images = Images(page)
    expect(images.mode).to_contain_text("Write what the pictures show")
    images.panel.locator("input[type=file]").first.set_input_files(str(drawn_picture(tmp_path / "sun.png")))
    expect(images.panel.locator(".anyfast-input img")).to_have_count(1)
    images.ask("A red kite over dunes", pictures=3, few="up to 3")
    expect(images.mode).to_have_text("After your picture.")
    expect(images.sheets.first).to_contain_text("3 of 3")
    expect(images.sheets.first).to_contain_text("1024 × 1024")
    assert images.are_drawn()
    assert violations(page, ".anyfast-panel") == []
    into_view(images.sheets.first)
    shoot("light")
    in_the_dark(browser, shoot, "dark")

    images.sheets.first.get_by_role("button", name="Larger").first.click()
    expect(images.sheets.first.locator(".anyfast-large")).to_have_count(1)
    assert images.are_drawn()
    images.sheets.first.get_by_role("button", name="Smaller").first.click()

    images.ask("One of ten sim:fail-item=2", pictures=2, few="up to 3")
    expect(images.sheets.first.locator(".anyfast-wrong")).to_contain_text("sensitive information")
    shoot("one-failed")

    images.sheets.last.get_by_role("button", name="→ First frame").first.click()
    video = Video(page, 1)
    expect(video.inputs).to_contain_text("First frame")
    video.small()
    video.prompt.fill("The kite climbs")
    expect(video.mode).to_have_text("The film begins with your picture.")
    video.create.click()
    video.plays()
    into_view(video.prompt)
    shoot("film-below")
    assert violations(page, ".anyfast-panel") == []

    reopened(browser, lab, "test_a_grid_fills_and_goes_to_a_film.ipynb", with_its_kernel=False)
    kept = page.locator(".anyfast-essence figure img")
    kept.first.wait_for()
    expect(kept).to_have_count(5)
    into_view(kept.first)
    assert all(kept.evaluate_all("all => all.map(image => image.complete && image.naturalWidth > 100)"))
    shoot("without-its-kernel")
    assert browser.errors == []
    assert browser.outside == []


def test_pictures_narrow_and_in_chinese(browser: Browser, opened: Opens, shoot: Shoots) -> None:
    make = f"%env ANYFAST_LANGUAGE=zh\n{MAKE}\npanel.layout.width = '360px'\npanel"
    opened(SETUP, make)
    run_cell(browser, 0)
    run_cell(browser, 1)
    images = Images(browser.page)
    images.ask("沙丘上空的红色风筝", pictures=2, label="张数", size="尺寸", few="最多 2 张")
    assert images.are_drawn()
    expect(images.sheets.first).to_contain_text("2 / 2")
    assert images.panel.evaluate(CUT_OFF) == []
    assert violations(browser.page, ".anyfast-panel") == []
    into_view(images.prompt)
    shoot("light")
    into_view(images.sheets.first)
    in_the_dark(browser, shoot, "dark")


def test_pictures_in_notebook_7(browser: Browser, lab: Lab, folder: Path, shoot: Shoots) -> None:
    write_notebook(folder / "seven-pictures.ipynb", [SETUP, MAKE])
    page = browser.page
    open_notebook(browser, lab, "seven-pictures.ipynb", in_notebook_7=True)
    for cell in range(2):
        run_cell(browser, cell)
    images = Images(page)
    images.ask("A red kite over dunes", pictures=2, few="up to 2")
    assert images.are_drawn()
    expect(page.locator(".anyfast-essence").first).to_be_hidden()
    assert violations(page, ".anyfast-panel") == []
    into_view(images.sheets.first)
    shoot("notebook-7")
