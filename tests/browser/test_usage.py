"""What was used, as a person sees it: a table and charts in JupyterLab, light and dark, and exported."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Locator

from anyfast_nb.ledger.views.palette import contrast
from tests.browser.conftest import Opens
from tests.browser.lab import Browser, Lab, open_notebook, run_cell, save_notebook

pytestmark = pytest.mark.browser

SETUP = """%load_ext anyfast_nb
import os, random, tempfile
os.environ["ANYFAST_HOME"] = tempfile.mkdtemp()
from datetime import UTC, datetime, timedelta
import anyfast_nb as af
from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.wire.values import Source, Status, Usage
af.ledger.set_price("doubao-seed-2.0-pro", currency="USD", input=3, output=9)
af.ledger.set_price("doubao-seed-2.0-mini", currency="USD", input="0.4", output="1.2")
dice = random.Random(7)
MODELS = ["doubao-seed-2.0-pro"] * 4 + ["doubao-seed-2.0-mini"] * 3 + ["deepseek-v3-2", "<b>hostile</b> $x$"]
begin = datetime(2026, 11, 1, 8, tzinfo=UTC)
with Ledger() as ledger:
    for number in range(220):
        row = RequestRow(
            kind="chat", source=Source.SIMULATED if number % 6 == 0 else Source.LIVE,
            base_url="https://www.anyfast.ai", model=dice.choice(MODELS), notebook="lesson.ipynb",
            title=dice.choice(["Why is the sky blue?", "天空为什么是蓝色的", "<img src=x onerror=hit()>"]),
            time=begin + timedelta(hours=2 * number + 12 * (number // 60)),
        )
        ledger.begin(row)
        if number % 31:
            ledger.settle(
                row.id, status=Status.ERROR if number % 23 == 0 else Status.OK,
                usage=Usage(input_tokens=dice.randint(200, 60000), output_tokens=dice.randint(50, 9000)),
                duration_s=dice.lognormvariate(1.4, 0.6), ttft_s=dice.lognormvariate(-0.5, 0.4),
            )
'ready'"""
TABLE, CHARTS, DAYS, NEWEST = 2, 3, 4, 5
CELLS = (
    SETUP,
    "%anyfast usage all",
    "%anyfast usage all --plot --by kind",
    "af.ledger.plot.tokens('all', by='day')",
    "%anyfast usage all --last 8",
    "af.ledger.plot.latency('all', theme='dark')",
)
LOADED = "image => image.complete && image.naturalWidth > 0"


def test_a_table_and_charts_stay_light_and_dark_tomorrow_and_elsewhere(
    browser: Browser, opened: Opens, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Live in both themes, narrow; reopened with no kernel; where nobody trusts it; as exported HTML."""
    page = browser.page
    page.set_viewport_size({"width": 1280, "height": 3400})
    opened(*CELLS)
    for cell in range(len(CELLS)):
        run_cell(browser, cell)
    check(browser)
    shoot("light")
    check_read_on(picture(browser, CHARTS), "#ffffff")
    themed(browser, "JupyterLab Dark")
    shoot("dark")
    check_read_on(picture(browser, CHARTS), "#111111")
    check_read_on(picture(browser, DAYS), "#111111")
    themed(browser, "JupyterLab Light")
    page.set_viewport_size({"width": 760, "height": 3400})
    shrunk = "image => { const {width} = image.getBoundingClientRect(); return 500 < width && width < 600 }"
    page.wait_for_function(shrunk, arg=picture(browser, CHARTS).element_handle())  # and stays readable
    shoot("narrow")
    page.set_viewport_size({"width": 1280, "height": 3400})
    save_notebook(browser)
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    name = "test_a_table_and_charts_stay_light_and_dark_tomorrow_and_elsewhere.ipynb"
    reopen(browser, lab, name)
    check(browser)

    saved = nbformat.read(folder / name, as_version=4)
    saved.metadata["touched"] = True  # the signature fits no more: its outputs are sanitised
    nbformat.write(saved, folder / "untrusted-usage.ipynb")
    reopen(browser, lab, "untrusted-usage.ipynb")
    trusted = "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).trusted"
    assert not page.evaluate(trusted)
    check(browser)
    shoot("untrusted")

    html, _ = HTMLExporter().from_filename(str(folder / name))
    target = (folder / name).with_suffix(".html")
    target.write_text(html, encoding="utf-8")
    page.goto(target.as_uri())
    page.locator("img[alt^='Tokens by day']").first.wait_for()
    assert page.locator("img[alt^='Tokens by day']").first.evaluate(LOADED)
    shoot("exported")
    assert not browser.dialogs
    for cell in saved.cells:
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            assert len(html) < 150_000


def check(browser: Browser) -> None:
    """The table's figures and bars, and the pictures with what they say."""
    table = output(browser, TABLE).locator("table")
    text = table.inner_text()
    for words in (
        "doubao-seed-2.0-pro",
        "live",
        "simulated · no money",
        "total",
        "USD",
        "<b>hostile</b> $x$",
    ):
        assert words in text
    bars = table.locator("td div div")
    widths = [float(bar.evaluate("bar => bar.getBoundingClientRect().width")) for bar in bars.all()]
    assert len(widths) >= 8
    assert max(widths) > 20
    colours = {str(bar.evaluate("bar => getComputedStyle(bar).backgroundColor")) for bar in bars.all()}
    assert colours == {"rgb(74, 134, 184)"}
    assert "without a price" in output(browser, TABLE).inner_text()
    for cell, says in ((CHARTS, "Cost by model"), (DAYS, "Tokens by day"), (6, "Time of a request")):
        image = picture(browser, cell)
        image.wait_for()
        assert image.evaluate(LOADED)
        assert says in str(image.get_attribute("alt"))
    assert output(browser, NEWEST).locator("tbody tr").count() == 8
    assert output(browser, NEWEST).locator("img").count() == 0


def check_read_on(image: Locator, background: str) -> None:
    """The picture lies on the page's own background, and much of it stands out from that at 3:1 or better."""
    shown = Image.open(io.BytesIO(image.screenshot())).convert("RGB")
    counts = sorted(shown.getcolors(1 << 24) or [], reverse=True)
    colours = [(count, "#{:02x}{:02x}{:02x}".format(*_channels(colour))) for count, colour in counts]
    assert colours[0][1] == background
    readable = sum(count for count, colour in colours if contrast(colour, background) >= 3)
    assert readable > 0.03 * shown.width * shown.height


def _channels(colour: Any) -> tuple[int, int, int]:
    red, green, blue = colour
    return int(red), int(green), int(blue)


def themed(browser: Browser, theme: str) -> None:
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    browser.page.evaluate(change, theme)
    light = str("Light" in theme).lower()
    browser.page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{light}'")
    browser.page.wait_for_timeout(300)


def reopen(browser: Browser, lab: Lab, name: str) -> None:
    browser.page.goto("about:blank")
    open_notebook(browser, lab, name)


def output(browser: Browser, cell: int) -> Locator:
    return browser.page.locator(f".jp-Notebook .jp-Cell:nth-child({cell}) .jp-OutputArea").first


def picture(browser: Browser, cell: int) -> Locator:
    return output(browser, cell).locator("img[alt]").first
