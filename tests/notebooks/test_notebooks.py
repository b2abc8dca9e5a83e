"""Every notebook runs from top to bottom on the built-in AnyFast, and nbval finds what is in git.

That the final outputs are those in git as well is seen where a hosted notebook runs: `tests/binder`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.environment import end_simulator
from tests.notebooks import running

pytestmark = [pytest.mark.kernel, pytest.mark.project]
PATHS = sorted(running.NOTEBOOKS.glob("*.ipynb"))
MOST_CELLS = {
    "01_quickstart": 12,
    "02_images_and_video": 26,
    "05_usage_and_budgets": 28,
    "06_teaching_a_class": 18,
    "07_panels": 16,
}
each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    environ = running.environ(tmp_path)
    yield environ
    end_simulator(environ)


@each
def test_nbval_agrees(path: Path, environ: dict[str, str]) -> None:
    done = running.run_nbval(path, environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr


@each
def test_it_is_fit_for_git(path: Path) -> None:
    assert running.faults(path) == []


@each
def test_it_is_short_and_says_what_it_does(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert 4 <= len(running.code_cells(notebook)) <= MOST_CELLS[path.stem]
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")


def test_the_stored_films_are_posters_with_a_link_to_the_file() -> None:
    """No film is in git; each output has a picture of it, so that it is seen without the file."""
    notebook = nbformat.read(running.NOTEBOOKS / "02_images_and_video.ipynb", as_version=4)
    outputs = [output for cell in running.code_cells(notebook) for output in cell.outputs]
    shown = [output.data.get("text/html", "") for output in outputs if "data" in output]
    films = [html for html in shown if "<video" in html]
    assert len(films) >= 10
    for html in films:
        assert re.search(r'src="anyfast_media/(seedance|kling|storyboard)-[^"/]+\.mp4"', html)
        assert "data:image/jpeg;base64," in html
        assert "data:video" not in html
