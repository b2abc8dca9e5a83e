"""Every notebook runs from top to bottom on the built-in AnyFast and shows what is in git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.environment import end_simulator
from tests.notebooks import running

pytestmark = [pytest.mark.kernel, pytest.mark.project]
PATHS = sorted(running.NOTEBOOKS.glob("*.ipynb"))
QUICKSTART = running.NOTEBOOKS / "01_quickstart.ipynb"
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
def test_the_final_outputs_are_those_in_git(path: Path, environ: dict[str, str]) -> None:
    committed = nbformat.read(path, as_version=4)
    changed = running.differences(committed, running.execute(path, environ=environ))
    assert not changed, "`make notebooks` stores new outputs; look at them first\n" + "\n\n".join(changed)


@each
def test_it_is_fit_for_git(path: Path) -> None:
    assert running.faults(path) == []


def test_the_quickstart_is_short() -> None:
    notebook = nbformat.read(QUICKSTART, as_version=4)
    assert 4 <= len(running.code_cells(notebook)) <= 12
    assert notebook.cells[0].cell_type == "markdown"
