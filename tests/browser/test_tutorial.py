"""Notebooks as a person runs them in JupyterLab: pictures and films; usage and budgets; a class; panels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.lab import Browser, Lab, jupyterlab, open_notebook
from tests.environment import ROOT, end_simulator
from tests.notebooks.running import environ as running_environ

pytestmark = pytest.mark.browser

PLAYS = """async number => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[number];
  const film = cell.node.querySelector('video');
  film.muted = true;
  await film.play();
  film.pause();
  return [film.videoWidth, film.videoHeight, Math.round(film.duration)];
}"""


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Lab]:
    """JupyterLab with a built-in AnyFast that does not wait."""
    environ = running_environ(tmp_path_factory.mktemp("tutorial-home"))
    del environ["ANYFAST_BASE_URL"]  # nobody chose who answers
    with jupyterlab(folder, env=environ) as running:
        yield running
    end_simulator(environ)


def cells_of(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".map((cell, at) => ({at, type: cell.type, source: cell.sharedModel.source,"
        " outputs: cell.type === 'code' ? cell.outputs.toJSON() : []}))"
    )
    return [cell for cell in found if cell["type"] == "code"]


def run_all(browser: Browser, lab: Lab, folder: Path, name: str) -> list[dict[str, Any]]:
    """Run All, from nothing: every code cell as it is then, none failed, each with something to see."""
    shutil.copytree(ROOT / "notebooks", folder, dirs_exist_ok=True)
    open_notebook(browser, lab, f"{name}.ipynb")
    page = browser.page
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs') }")
    page.wait_for_function("() => !document.querySelector('.jp-OutputArea-output')")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".filter(c => c.type === 'code').every(c => c.executionCount !== null)",
        timeout=180_000,
    )
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    cells = cells_of(browser)
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    assert all(cell["outputs"] for cell in cells)
    return cells


def test_it_runs_from_top_to_bottom(
    browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Run All: no key, no error, every cell with something to see, and the films play."""
    page = browser.page
    cells = run_all(browser, lab, folder, "02_images_and_video")
    texts = json.dumps(cells, ensure_ascii=False)
    assert "No key is set" in texts  # nobody chose the built-in AnyFast: it says so
    assert "`--take 2` for another" in texts

    for number, size in ((3, [640, 640, 4]), (7, [864, 496, 4]), (19, [864, 496, 12])):
        at = cells[number]["at"]
        page.evaluate(
            "n => window.jupyterapp.shell.currentWidget.content.widgets[n]"
            ".node.scrollIntoView({block: 'start'})",
            at,
        )
        page.wait_for_function(
            "n => !!window.jupyterapp.shell.currentWidget.content.widgets[n].node.querySelector('video')",
            arg=at,
        )
        assert page.evaluate(PLAYS, at) == size, cells[number]["source"]
        shoot(f"cell-{number}")
    page.evaluate(
        "n => window.jupyterapp.shell.currentWidget.content.widgets[n].node.scrollIntoView({block: 'start'})",
        cells[21]["at"],
    )
    page.wait_for_timeout(500)
    shoot("sweep")
    assert not browser.errors


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("05_usage_and_budgets", ["was not sent", "Set it: %anyfast prices set doubao-seed-2.0-lite"]),
        ("06_teaching_a_class", ["was not sent", "is not allowed here", "permission denied", "filed as ben"]),
    ],
    ids=["05", "06"],
)
def test_a_lesson_on_the_ledger_is_seen_light_and_dark(
    name: str, told: list[str], browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Run All: requests are refused as the lesson tells, charts are drawn, and it reads on both themes."""
    page = browser.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    cells = run_all(browser, lab, folder, name)
    texts = json.dumps(cells, ensure_ascii=False)
    assert [words for words in told if words not in texts] == []
    assert "rehearsal-" not in texts  # the key
    charts = [
        cell["at"] for cell in cells if any("image/png" in out.get("data", {}) for out in cell["outputs"])
    ]
    assert charts
    for theme in ("Light", "Dark"):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        light = str(theme == "Light").lower()
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{light}'")
        for number, at in enumerate(charts):
            page.evaluate(
                "n => window.jupyterapp.shell.currentWidget.content.widgets[n]"
                ".node.scrollIntoView({block: 'start'})",
                at,
            )
            page.wait_for_function(
                "n => [...window.jupyterapp.shell.currentWidget.content.widgets[n].node"
                ".querySelectorAll('.jp-OutputArea img')].some(i => i.complete && i.naturalWidth > 0)",
                arg=at,
            )
            shoot(f"{theme.lower()}-{number}")
    assert not browser.errors


def test_the_lesson_on_panels_is_alive_from_top_to_bottom(
    browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Run All: every panel is there, holds what Python asked of it, and reads on both themes."""
    page = browser.page
    page.set_viewport_size({"width": 1280, "height": 2400})
    cells = run_all(browser, lab, folder, "07_panels")
    for cell in cells:  # a page makes what comes into view
        page.evaluate(
            "n => window.jupyterapp.shell.currentWidget.content.widgets[n]"
            ".node.scrollIntoView({block: 'start'})",
            cell["at"],
        )
        page.wait_for_timeout(300)
    assert page.locator(".anyfast-deck").count() == 2
    assert page.locator(".anyfast-essence:visible").count() == 0  # the living ones are seen alone
    for theme in ("Light", "Dark"):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        light = str(theme == "Light").lower()
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{light}'")
        page.wait_for_timeout(600)
        assert violations(page, ".anyfast-panel") == []
        shoot(theme.lower())
    assert not browser.errors
    assert not browser.outside
