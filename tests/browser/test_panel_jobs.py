"""The jobs panel as a person uses it in JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.lab import Browser, Lab
from tests.browser.panels import JOBS, PATIENT, SETUP, Shoots, begin, looks, quiet, reopened, stays

pytestmark = pytest.mark.browser


def test_found_filtered_looked_at(browser: Browser, opened: Opens, lab: Lab, shoot: Shoots) -> None:
    """Pages, filters, details by keyboard; a reload shows the same; without a kernel the list is there."""
    opened(SETUP, f"COUNT = 130\n{JOBS}", "panel = af.JobsPanel()\npanel")
    begin(browser, 0, 1, 2)
    page = browser.page
    panel = page.locator(".anyfast-panel")
    rows = panel.locator(".anyfast-job-line")
    expect(rows).to_have_count(50, timeout=PATIENT)
    expect(rows.first).to_contain_text("Scene 129")
    panel.get_by_role("button", name="Older").first.click()
    expect(rows.first).to_contain_text("Scene 79")
    panel.get_by_role("button", name="Newer").first.click()
    expect(rows.first).to_contain_text("Scene 129")
    panel.get_by_label("Status", exact=True).select_option("failed")
    expect(rows).to_have_count(26)
    panel.get_by_label("Text", exact=True).fill("scene 6:")
    expect(rows).to_have_count(1)
    details = rows.first.get_by_role("button", name="Details")
    details.focus()
    page.keyboard.press("Enter")
    more = panel.locator(".anyfast-job-more")
    expect(more).to_contain_text("in the rain")
    expect(more).to_contain_text("Not billed")
    expect(panel.locator("[aria-expanded=true][data-act]")).to_be_focused()
    shoot("details")
    panel.get_by_label("Text", exact=True).fill("")
    panel.get_by_label("Status", exact=True).select_option("in doubt")
    expect(rows.first).to_contain_text("Scene 128")
    rows.first.get_by_role("button", name="Details").click()
    panel.get_by_label("Task id", exact=True).fill("no id")
    panel.get_by_role("button", name="Go on with it").click()
    expect(panel).to_contain_text("that is no task id")
    shoot("in-doubt")
    panel.get_by_label("Status", exact=True).select_option("All")
    looks(browser, shoot)
    reopened(browser, lab, "test_found_filtered_looked_at.ipynb")
    page.wait_for_selector(".anyfast-panel .anyfast-job-line")
    expect(rows).to_have_count(50)
    quiet(browser)
    stays(browser, lab, "test_found_filtered_looked_at.ipynb", "Scene 129", shoot)


def test_a_film_is_gone_on_with_and_played(browser: Browser, opened: Opens, shoot: Shoots) -> None:
    make = "job = af.seedance('A cat plays the piano', duration=4, resolution='480p', ratio='16:9'); 'sent'"
    opened(SETUP, make, "af.JobsPanel()")
    begin(browser, 0, 1, 2)
    panel = browser.page.locator(".anyfast-panel")
    panel.get_by_role("button", name="Resume: A cat").click(timeout=PATIENT)
    expect(panel).to_contain_text("its film is here", timeout=PATIENT)
    poster = panel.locator(".anyfast-tile img")
    expect(poster).to_have_count(1, timeout=PATIENT)
    panel.get_by_role("button", name="Play").click()
    film = panel.locator("video")
    expect(film).to_have_count(1)
    browser.page.wait_for_function("() => document.querySelector('.anyfast-panel video').readyState >= 1")
    assert film.evaluate("film => film.play().then(() => film.duration)") == pytest.approx(4, abs=0.3)
    panel.locator("summary").click()
    expect(panel).to_contain_text("downloaded")
    shoot("played")
    quiet(browser)
