"""Notebooks that run without a front end: what their rows can know, and nothing that is guessed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.environment import end_simulator
from tests.notebooks import running

ASK = "import anyfast_nb as af\naf.Client().chat('one').status"
TELL = """import json
from pathlib import Path
from sqlalchemy import select
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.tables import REQUESTS
with Ledger() as ledger, ledger.reading() as connection:
    rows = [dict(row._mapping) for row in connection.execute(select(REQUESTS))]
_ = Path('rows.json').write_text(json.dumps(rows))"""

Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[Environ]:
    made = running.environ(tmp_path / "home") | {"JUPYTERHUB_USER": "ada"}
    yield made
    end_simulator(made)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in (ASK, TELL)]
    path = tmp_path / "book.ipynb"
    nbformat.write(running.tidy(nbformat.v4.new_notebook(cells=cells)), path)
    return path


def by_nbclient(book: Path, environ: Environ) -> None:
    client = NotebookClient(
        nbformat.read(book, as_version=4),
        kernel_name="python3",
        resources={"metadata": {"path": str(book.parent)}},
        store_widget_state=False,
        record_timing=False,
    )
    client.execute(env=environ)


def by_command(*words: str) -> Callable[[Path, Environ], None]:
    def run(book: Path, environ: Environ) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=book.parent, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


NBCONVERT = by_command("nbconvert", "--execute", "--to", "notebook", "--output", "done", "book.ipynb")
NBVAL = by_command("pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.",
                   "--nbval-lax", "book.ipynb")  # fmt: skip
PAPERMILL = by_command("papermill", "book.ipynb", "done.ipynb")
NAMED_PAPERMILL = by_command("papermill", "--inject-paths", "book.ipynb", "done.ipynb")


@pytest.mark.parametrize(
    ("run", "named", "notebook"),
    [
        (by_nbclient, None, None),
        (by_nbclient, "/home/ada/book.ipynb", "/home/ada/book.ipynb"),
        (NBCONVERT, None, None),
        (NBCONVERT, "book.ipynb", "book.ipynb"),
        (NBVAL, None, None),
        (PAPERMILL, None, None),
        (NAMED_PAPERMILL, None, "book.ipynb"),
    ],
    ids=[
        "nbclient", "nbclient, named", "nbconvert", "nbconvert, named", "nbval",
        "papermill", "papermill, with paths",
    ],
)  # fmt: skip
def test_who_runs_a_notebook_may_name_it_and_names_no_cell(
    run: Callable[[Path, Environ], None],
    named: str | None,
    notebook: str | None,
    book: Path,
    environ: Environ,
) -> None:
    run(book, environ if named is None else environ | {"JPY_SESSION_NAME": named})
    (row,) = json.loads((book.parent / "rows.json").read_text())
    assert (row["notebook"], row["cell"], row["user_name"]) == (notebook, None, "ada")
    assert row["session"]
    assert "/" not in row["session"]


def test_a_notebook_that_a_cell_runs_is_not_the_cells_notebook(book: Path, environ: Environ) -> None:
    """`!jupyter nbconvert --execute` in a cell: its environment is that of the cell's kernel."""
    cell: dict[str, Any] = {"JPY_SESSION_NAME": "/home/ada/outer.ipynb", "JPY_PARENT_PID": "1"}
    NBCONVERT(book, environ | cell)
    (row,) = json.loads((book.parent / "rows.json").read_text())
    assert row["notebook"] is None
