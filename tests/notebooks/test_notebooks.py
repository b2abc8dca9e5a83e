"""Every notebook runs from top to bottom on the built-in AnyFast, and nbval finds what is in git.

That the final outputs are those in git as well is seen where a hosted notebook runs: `tests/binder`.
"""

from __future__ import annotations

import re
import subprocess
import sys
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
LESSONS = ("05_usage_and_budgets", "06_teaching_a_class")
each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    environ = running.environ(tmp_path)
    yield environ
    end_simulator(environ)


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path.stem not in LESSONS], ids=lambda path: path.stem
)
def test_nbval_agrees(path: Path, environ: dict[str, str]) -> None:
    done = running.run_nbval(path, environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", LESSONS)
def test_nbval_agrees_and_nothing_of_its_reader_is_touched(
    name: str, environ: dict[str, str], tmp_path: Path
) -> None:
    """A key, a ledger, prices and a budget of somebody's are there: afterwards they are as before."""
    reader = environ | {"ANYFAST_BASE_URL": "http://127.0.0.1:9/v1", "ANYFAST_API_KEY": "not-for-a-lesson"}
    prepare = (
        "import anyfast_nb as af; af.ledger.set_price('mini', currency='USD', input=1, output=2);"
        "af.ledger.set_budget('1 tokens', per='total')"
    )
    subprocess.run([sys.executable, "-c", prepare], env=reader, cwd=tmp_path, check=True)
    home = Path(reader["ANYFAST_HOME"])
    before = {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
    assert {path.name for path in before} >= {"prices.toml", "ledger.sqlite3"}
    beside = sorted(path.name for path in running.NOTEBOOKS.iterdir())
    done = running.run_nbval(running.NOTEBOOKS / f"{name}.ipynb", environ=reader)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()} == before
    assert sorted(path.name for path in running.NOTEBOOKS.iterdir()) == beside


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
