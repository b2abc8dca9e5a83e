"""The usage panel as a person uses it in JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.lab import Browser, Lab, into_view
from tests.browser.panels import JOBS, PATIENT, SETUP, Shoots, begin, looks, quiet, stays

pytestmark = pytest.mark.browser


def test_figures_budgets_and_prices(browser: Browser, opened: Opens, lab: Lab, shoot: Shoots) -> None:
    opened(SETUP, f"COUNT = 3\n{JOBS}", "af.UsagePanel()")
    begin(browser, 0, 1, 2)
    page = browser.page
    panel = page.locator(".anyfast-panel")
    panel.get_by_label("Period", exact=True).fill("all")
    page.keyboard.press("Enter")
    figures = panel.locator(".anyfast-sums")
    expect(figures).to_contain_text("doubao-pro-250101", timeout=PATIENT)
    panel.get_by_label("By", exact=True).select_option("kind")
    expect(figures).to_contain_text("seedream")
    chart = panel.locator(".anyfast-chart img.anyfast-light")
    expect(chart).to_have_attribute("alt", _words("Tokens by day"), timeout=PATIENT)
    into_view(chart)
    page.wait_for_function(
        "() => document.querySelector('.anyfast-chart img.anyfast-light').naturalWidth > 0"
    )
    expect(panel.locator(".anyfast-chart img.anyfast-dark")).to_be_hidden()

    panel.get_by_role("button", name="New budget").click()
    panel.get_by_label("Amount", exact=True).fill("5")
    panel.get_by_role("button", name="Set budget").click()
    expect(panel).to_contain_text("the unit is missing")
    shoot("refused")
    panel.get_by_label("Amount", exact=True).fill("5 USD")
    panel.get_by_role("button", name="Set budget").click()
    expect(panel.locator(".anyfast-budget")).to_contain_text("5 USD a day")
    expect(panel).not_to_contain_text("the unit is missing")

    panel.locator("button.widget-toggle-button", has_text="without a price").click()
    panel.get_by_role("button", name="Set a price: mini").click()
    expect(panel.get_by_label("Model", exact=True)).to_have_value("mini")
    panel.get_by_label("Currency", exact=True).fill("USD")
    panel.get_by_label("Input", exact=True).fill("0.5")
    panel.get_by_label("Output", exact=True).fill("1")
    panel.get_by_role("button", name="Set price", exact=True).click()
    expect(panel).to_contain_text("has a price now")
    looks(browser, shoot)
    panel.get_by_role("button", name="Export CSV").click()
    expect(panel).to_contain_text("usage-by-kind-")
    end = panel.get_by_role("button", name="End: 5 USD a day")
    end.click()
    panel.get_by_role("button", name="Press again to end").click()
    expect(panel.locator(".anyfast-budget")).to_have_count(0)
    quiet(browser)
    stays(browser, lab, "test_figures_budgets_and_prices.ipynb", "seedream", shoot)


def _words(beginning: str) -> object:
    import re

    return re.compile(f"^{re.escape(beginning)}")
