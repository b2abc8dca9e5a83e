"""What the browser tests of the panels about assets, jobs and usage share."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.lab import Browser, Lab, into_view, open_notebook, run_cell, save_notebook
from tests.environment import ROOT

PATIENT = 60_000
SETUP = f"""%env ANYFAST_BASE_URL=simulator
%env ANYFAST_LANGUAGE=en
%load_ext anyfast_nb
import os, sys, json, tempfile
os.makedirs(os.environ["ANYFAST_HOME"], exist_ok=True)
os.environ["ANYFAST_HOME"] = tempfile.mkdtemp(dir=os.environ["ANYFAST_HOME"])
sys.path.insert(0, {str(ROOT)!r})
import anyfast_nb as af
'ready'"""
JOBS = """from tests.ledger import made
from anyfast_nb.ledger import ledger_path
STATES = ["succeeded", "failed", "running", "submit_unknown", "queued"]
rows = [
    made.job(
        n, created_us=made.microseconds(made.NOON) + n * 60_000_000, status=STATES[n % 5],
        progress=45 if n % 5 == 2 else None, title=f"Scene {n}: a cat plays the piano",
        request=json.dumps({"content": [{"type": "text", "text": f"Scene {n}: a cat plays in the rain"}]}),
        notebook=f"lesson {n % 3}.ipynb",
        error="content[0] was refused by the moderation" if n % 5 == 1 else None,
    )
    for n in range(COUNT)
]
made.write(ledger_path(), made.many(200), jobs=rows)
'written'"""

Shoots = Callable[[str], None]


def begin(browser: Browser, *cells: int) -> None:
    """Run cells of the open notebook, with more room for them."""
    browser.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    for cell in cells:
        run_cell(browser, cell)


def looks(browser: Browser, shoot: Shoots, *, selector: str = ".anyfast-panel") -> None:
    """Light, dark and narrow; nothing in anybody's way, nothing wider than the page."""
    page = browser.page
    into_view(page.locator(selector).first)
    shoot("light")
    assert violations(page, selector) == []
    theme = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    page.evaluate(theme, "JupyterLab Dark")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    page.wait_for_timeout(600)
    shoot("dark")
    assert violations(page, selector) == []
    page.evaluate(theme, "JupyterLab Light")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 900})
    page.wait_for_timeout(600)
    into_view(page.locator(selector).first)
    shoot("narrow")
    wide = page.locator(selector).first.evaluate("panel => panel.scrollWidth - panel.clientWidth")
    assert wide <= 1
    assert size is not None
    page.set_viewport_size(size)


def reopened(browser: Browser, lab: Lab, name: str, *, with_its_kernel: bool = True) -> None:
    """Save, and load page and notebook anew; its kernel goes on, or has ended."""
    save_notebook(browser)
    if not with_its_kernel:
        browser.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    browser.page.goto("about:blank")
    open_notebook(browser, lab, name)


def stays(browser: Browser, lab: Lab, name: str, text: str, shoot: Shoots) -> None:
    """Saved, its kernel gone, opened again: the essence is there."""
    page = browser.page
    essence = page.locator(".anyfast-essence").first
    expect(essence).to_be_hidden()
    expect(essence).to_contain_text(text, timeout=PATIENT)  # it is put there soon after it changes
    reopened(browser, lab, name, with_its_kernel=False)
    essence = page.locator(".anyfast-essence").first
    expect(essence).to_be_visible(timeout=PATIENT)
    expect(essence).to_contain_text(text)
    into_view(essence)
    shoot("without-its-kernel")


def quiet(browser: Browser) -> None:
    """Nothing went outside, no script failed, nobody was asked."""
    assert browser.outside == [], browser.outside
    assert browser.dialogs == [], browser.dialogs
    assert browser.errors == [], browser.errors
