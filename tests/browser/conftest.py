"""One JupyterLab and one Chromium for all browser tests; screenshots are kept to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.lab import Browser, Lab, chromium_page, jupyterlab, open_in_place, write_notebook
from tests.environment import ROOT, clean_environ, end_simulator

ARTIFACTS = ROOT / "artifacts"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab as `make lab` starts it, without the waits of the built-in AnyFast's start-up text."""
    environ = clean_environ(tmp_path_factory.mktemp("lab-home"))
    with jupyterlab(folder, env=environ) as running:
        yield running
    for started in Path(environ["ANYFAST_HOME"]).rglob("simulator"):  # some lessons have a home below
        end_simulator({"ANYFAST_HOME": str(started.parent)})


@pytest.fixture(scope="session")
def _window(chromium: str) -> Iterator[Browser]:
    assert chromium
    with chromium_page() as page:
        yield page


@pytest.fixture
def browser(_window: Browser) -> Browser:
    """A page that reaches this machine alone; what an earlier test did there is forgotten."""
    page = _window.page
    page.context.clear_permissions()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.mouse.move(0, 0)
    _window.forget()
    return _window


Opens = Callable[..., None]


@pytest.fixture
def opened(lab: Lab, browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Opens:
    """Writes a notebook of these cells and opens it."""

    def open_cells(*cells: str) -> None:
        name = f"{request.node.name.partition('[')[0]}.ipynb"
        write_notebook(folder / name, cells)
        open_in_place(browser, lab, name)

    return open_cells


@pytest.fixture
def shoot(browser: Browser, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a screenshot under `artifacts/`."""

    def take(moment: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        browser.page.screenshot(path=str(ARTIFACTS / f"{request.node.name}-{moment}.png"))

    return take
