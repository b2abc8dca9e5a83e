"""The asset panel as a person uses it in JupyterLab, at the built-in AnyFast."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.lab import Browser, Lab, into_view, run_cell
from tests.browser.panels import PATIENT, SETUP, Shoots, begin, looks, quiet, stays

pytestmark = pytest.mark.browser


def test_groups_uploads_and_use(
    browser: Browser, opened: Opens, lab: Lab, shoot: Shoots, tmp_path: Path
) -> None:
    cat, tiny = tmp_path / "cat.png", tmp_path / "tiny.png"
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(cat)
    Image.new("RGB", (80, 60), "red").save(tiny)
    opened(SETUP, "af.AssetPanel()", "af.panel('video')")
    begin(browser, 0, 1)
    page = browser.page
    panel = page.locator(".anyfast-panel").first
    expect(panel).to_contain_text("No assets yet", timeout=PATIENT)
    panel.get_by_role("button", name="Edit groups").click()
    panel.get_by_label("Name", exact=True).fill("heroes")
    panel.get_by_role("button", name="Create", exact=True).click()
    expect(panel).to_contain_text("Group heroes is there now", timeout=PATIENT)

    panel.locator("input[type=file]").set_input_files([str(cat), str(tiny)])
    expect(panel).to_contain_text("Image · 640 × 480", timeout=PATIENT)
    expect(panel).to_contain_text("300 to 6,000 pixels")
    shoot("checked")
    panel.get_by_role("button", name="Remove tiny.png").click()
    expect(panel).not_to_contain_text("300 to 6,000 pixels")
    panel.get_by_role("button", name="Upload").click()
    card = panel.locator(".anyfast-card", has_text="cat")
    expect(card.locator(".anyfast-is-active")).to_be_visible(timeout=PATIENT)
    expect(card.locator("img")).to_have_count(1, timeout=PATIENT)
    panel.locator("input[type=file]").set_input_files(str(cat))
    expect(panel).to_contain_text("is an asset already", timeout=PATIENT)
    panel.get_by_role("button", name="Remove cat.png").click()
    looks(browser, shoot)

    card.get_by_role("button", name="Copy asset://").click()
    panel.get_by_label("Search", exact=True).fill("no such")
    expect(panel).to_contain_text("No asset fits.")
    panel.get_by_label("Search", exact=True).fill("CAT")
    card.get_by_role("button", name="Use in video").click()
    expect(panel).to_contain_text("is in the video panel")
    run_cell(browser, 2)
    video = page.locator(".anyfast-panel").nth(1)
    expect(video).to_contain_text("cat", timeout=PATIENT)
    into_view(video)
    shoot("in-video")
    quiet(browser)
    stays(browser, lab, "test_groups_uploads_and_use.ipynb", "asset://", shoot)


def test_deleting_by_keyboard(browser: Browser, opened: Opens, shoot: Shoots) -> None:
    make = "from PIL import Image\nImage.new('RGB', (400, 400), 'teal').save('teal.png')\n"
    make += "%anyfast assets add teal.png"
    opened(SETUP, make, "af.AssetPanel()")
    begin(browser, 0, 1, 2)
    page = browser.page
    panel = page.locator(".anyfast-panel").first
    card = panel.locator(".anyfast-card", has_text="teal")
    delete = card.get_by_role("button", name="Delete")
    delete.focus(timeout=PATIENT)
    page.keyboard.press("Enter")
    sure = card.get_by_role("button", name="Press again to delete")
    expect(sure).to_be_focused()
    shoot("sure")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(panel).to_contain_text("is deleted")
    quiet(browser)
