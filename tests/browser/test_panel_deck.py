"""All panels in tabs, in JupyterLab and Notebook 7."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Opens
from tests.browser.lab import Browser, Lab, into_view, open_notebook, run_cell, write_notebook
from tests.browser.panels import JOBS, PATIENT, SETUP, Shoots, begin, looks, quiet, reopened, stays

pytestmark = pytest.mark.browser
TABS = ("Chat", "Video", "Image", "Assets", "Jobs", "Usage")


def test_tabs_by_mouse_and_keyboard(browser: Browser, opened: Opens, lab: Lab, shoot: Shoots) -> None:
    """Each tab opens; what was chosen stays there, in a second cell and after a reload; another language."""
    opened(SETUP, f"COUNT = 30\n{JOBS}", "af.panel()", "af.panel()")
    begin(browser, 0, 1, 2)
    page = browser.page
    deck = page.locator(".anyfast-deck").first
    tabs = deck.get_by_role("tab")
    expect(tabs).to_have_text(list(TABS), timeout=PATIENT)
    expect(deck.get_by_role("tabpanel")).to_have_attribute("aria-label", "Chat")
    for name in TABS:
        deck.get_by_role("tab", name=name).click()
        expect(deck.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(deck.locator(".anyfast-panel:visible")).to_have_count(1, timeout=PATIENT)
        page.wait_for_timeout(800)
        shoot(name.lower())
    deck.get_by_role("tab", name="Usage").focus()
    page.keyboard.press("ArrowLeft")
    expect(deck.get_by_role("tab", name="Jobs")).to_be_focused()
    page.keyboard.press("Enter")
    expect(deck.locator(".anyfast-job-line").first).to_be_visible()
    deck.get_by_label("Status", exact=True).select_option("failed")
    expect(deck.locator(".anyfast-job-line")).to_have_count(6)

    run_cell(browser, 3)  # the same again
    second = page.locator(".anyfast-deck").nth(1)
    expect(second.locator(".anyfast-job-line")).to_have_count(6, timeout=PATIENT)
    expect(second.get_by_role("tab", name="Jobs")).to_have_attribute("aria-selected", "true")
    into_view(deck)
    looks(browser, shoot, selector=".anyfast-deck")
    reopened(browser, lab, "test_tabs_by_mouse_and_keyboard.ipynb")
    expect(page.locator(".anyfast-deck").first.locator(".anyfast-job-line")).to_have_count(6, timeout=PATIENT)

    deck.get_by_label("Language", exact=True).select_option("中文")
    expect(tabs).to_have_text(["对话", "视频", "图片", "素材", "任务", "用量"])
    expect(deck.get_by_label("状态", exact=True).first).to_be_visible()
    expect(deck).to_contain_text("共 6 个任务")
    shoot("chinese")
    deck.get_by_role("tab", name="对话").click()
    expect(deck.get_by_role("button", name="发送").first).to_be_visible()
    shoot("chinese-chat")
    quiet(browser)
    stays(browser, lab, "test_tabs_by_mouse_and_keyboard.ipynb", "Scene", shoot)


def test_in_notebook_7(browser: Browser, lab: Lab, folder: Path, shoot: Shoots, tmp_path: Path) -> None:
    """Every tab; assets, jobs and usage are worked with. Chat, films and pictures have tests of their own."""
    cat = tmp_path / "cat.png"
    Image.new("RGB", (640, 480), "teal").save(cat)
    write_notebook(folder / "deck-seven.ipynb", [SETUP, f"COUNT = 8\n{JOBS}\n%anyfast panel"])
    page = browser.page
    open_notebook(browser, lab, "deck-seven.ipynb", in_notebook_7=True)
    for cell in range(2):
        run_cell(browser, cell)
    deck = page.locator(".anyfast-deck").first
    for name in TABS:
        deck.get_by_role("tab", name=name).click(timeout=PATIENT)
        expect(deck.locator(".anyfast-panel:visible")).to_have_count(1, timeout=PATIENT)
        page.wait_for_timeout(500)
        assert violations(page, ".anyfast-deck") == [], name
    panel = deck.locator(".anyfast-panel:visible")
    deck.get_by_role("tab", name="Assets").click()
    panel.locator("input[type=file]").set_input_files(str(cat))
    expect(panel).to_contain_text("Image · 640 × 480", timeout=PATIENT)
    panel.get_by_role("button", name="Upload").click()
    card = panel.locator(".anyfast-card", has_text="cat")
    expect(card.locator(".anyfast-is-active")).to_be_visible(timeout=PATIENT)
    shoot("assets")
    deck.get_by_role("tab", name="Jobs").click()
    expect(panel.locator(".anyfast-job-line")).to_have_count(8)
    panel.get_by_label("Status", exact=True).select_option("failed")
    expect(panel.locator(".anyfast-job-line")).to_have_count(2)
    panel.locator(".anyfast-job-line").first.get_by_role("button", name="Details").click()
    expect(panel.locator(".anyfast-job-more")).to_contain_text("in the rain")
    shoot("jobs")
    deck.get_by_role("tab", name="Usage").click()
    expect(panel.get_by_role("button", name="New budget")).to_be_visible()  # jobs have a period as well
    panel.get_by_label("Period", exact=True).fill("all")
    page.keyboard.press("Enter")
    panel.get_by_label("By", exact=True).select_option("kind")
    expect(panel.locator(".anyfast-sums")).to_contain_text("seedream", timeout=PATIENT)
    panel.get_by_role("button", name="New budget").click()
    panel.get_by_label("Amount", exact=True).fill("5 USD")
    panel.get_by_role("button", name="Set budget").click()
    expect(panel.locator(".anyfast-budget")).to_contain_text("5 USD a day", timeout=PATIENT)
    shoot("usage")
    assert page.locator(".anyfast-essence").first.is_hidden()
    assert browser.outside == []
    assert browser.dialogs == []
    # Notebook 7 looks for settings and commands that only JupyterLab has; no script of ours names either.
    own = [error for error in browser.errors if "schema" not in error and "filebrowser:" not in error]
    assert own == []
