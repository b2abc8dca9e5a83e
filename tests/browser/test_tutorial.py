"""The second notebook as a person runs it: pictures, films, storyboard and sweep in JupyterLab."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Browser, Lab, jupyterlab, open_notebook
from tests.environment import ROOT, clean_environ, end_simulator

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
    environ = clean_environ(tmp_path_factory.mktemp("tutorial-home")) | {"ANYFAST_SIM_SPEED": "0"}
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


def test_it_runs_from_top_to_bottom(
    browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Run All: no key, no error, every cell with something to see, and the films play."""
    shutil.copy(ROOT / "notebooks" / "02_images_and_video.ipynb", folder / "tutorial.ipynb")
    open_notebook(browser, lab, "tutorial.ipynb")
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
    assert all(cell["outputs"] for cell in cells)
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
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
