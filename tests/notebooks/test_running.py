"""The notebook checks themselves: on small notebooks, right ones and wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import running

UPDATED = (
    "from IPython.display import display\n"
    "handle = display({'text/plain': 'first draw'}, raw=True, display_id=True)\n"
    "handle.update({'text/plain': 'the answer'}, raw=True)"
)
CLEARED = (
    "from IPython.display import clear_output\nprint('draft')\nclear_output(wait=True)\nprint('the answer')"
)
Make = Callable[..., Path]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return running.environ(tmp_path / "home")  # these notebooks send no request


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a notebook of these cells: (source, outputs), then a fine one that nbval checks."""

    def make(*cells: tuple[str, list[NotebookNode]], tags: tuple[str, ...] = ()) -> Path:
        path = tmp_path / "notebooks" / "small.ipynb"
        path.parent.mkdir()
        notebook = new_notebook(cells=[new_markdown_cell("# Small")])
        for number, (source, outputs) in enumerate(cells, start=1):
            cell = new_code_cell(source, outputs=outputs, execution_count=number)
            cell.metadata["tags"] = list(tags)
            notebook.cells.append(cell)
        notebook.cells.append(new_code_cell("1 + 1", outputs=[result("2")], execution_count=len(cells) + 1))
        nbformat.write(running.tidy(notebook), path)
        return path

    return make


def result(text: str) -> NotebookNode:
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def shown(text: str) -> NotebookNode:
    return new_output("display_data", {"text/plain": text})


def printed(text: str) -> NotebookNode:
    return new_output("stream", text=text)


def changed(path: Path, environ: dict[str, str]) -> list[str]:
    committed = nbformat.read(path, as_version=4)
    return running.differences(committed, running.execute(path, environ=environ))


@pytest.mark.kernel
@pytest.mark.project
class TestFinalOutputs:
    RIGHT: ClassVar = {
        "an updated display": (UPDATED, [shown("the answer")]),
        "a cleared output": (CLEARED, [printed("the answer\n")]),
        "another duration": ("print('took 0.42 s')", [printed("took 1.7 s\n")]),
        "streams in pieces": ("import sys\nprint('a'); sys.stdout.flush(); print('b')", [printed("a\nb\n")]),
        "its environment": (
            "import os; print(os.environ['ANYFAST_BASE_URL'], 'ANYFAST_API_KEY' in os.environ)",
            [printed("simulator False\n")],
        ),
    }
    WRONG: ClassVar = {
        "the first draw": (UPDATED, [shown("first draw")]),
        "what was cleared": (CLEARED, [printed("draft\nthe answer\n")]),
        "another result": ("6 * 7", [result("43")]),
        "another number": ("print('took 3 tokens')", [printed("took 4 tokens\n")]),
        "nothing": ("6 * 7", []),
        "one too many": ("None", [printed("said\n")]),
        "another form": ("6 * 7", [new_output("execute_result", {"text/plain": "42", "text/html": "42"})]),
    }

    @pytest.mark.parametrize("cell", RIGHT.values(), ids=RIGHT.keys())
    def test_the_same_passes(
        self, make: Make, environ: dict[str, str], cell: tuple[str, list[NotebookNode]]
    ) -> None:
        assert changed(make(cell), environ) == []

    @pytest.mark.parametrize("cell", WRONG.values(), ids=WRONG.keys())
    def test_a_change_fails(
        self, make: Make, environ: dict[str, str], cell: tuple[str, list[NotebookNode]]
    ) -> None:
        (said,) = changed(make(cell), environ)
        assert said.startswith("code cell 1\n")

    def test_an_error_fails(self, make: Make, environ: dict[str, str]) -> None:
        with pytest.raises(CellExecutionError):
            running.execute(make(("1/0", [])), environ=environ)

    def test_the_notebook_and_its_folder_stay_as_they_are(self, make: Make, environ: dict[str, str]) -> None:
        path = make(("open('made-here', 'w').close()", []))
        before = path.read_bytes()
        running.execute(path, environ=environ)
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    def test_paths_are_told_from_the_notebook(self, make: Make, environ: dict[str, str]) -> None:
        path = make(("import os; os.path.abspath('films/a.mp4')", []))
        now = running.execute(path, environ=environ)
        assert running.code_cells(now)[0].outputs[0].data["text/plain"] == "'films/a.mp4'"

    def test_storing_keeps_the_new_outputs_only_if_they_differ(
        self, make: Make, environ: dict[str, str]
    ) -> None:
        path = make(("6 * 7", [result("43")]), ("print('took 2 s')", [printed("took 1 s\n")]))
        assert len(running.store(path, environ=environ)) == 1
        stored = path.read_bytes()
        assert running.store(path, environ=environ) == []
        assert path.read_bytes() == stored
        assert running.faults(path) == []


@pytest.mark.kernel
@pytest.mark.project
class TestNbval:
    def test_the_same_passes(self, make: Make, environ: dict[str, str]) -> None:
        path = make(("print('took 0.42 s')", [printed("took 1.7 s\n")]))
        done = running.run_nbval(path, environ=environ)
        assert done.returncode == 0, done.stdout
        assert "2 passed" in done.stdout

    @pytest.mark.parametrize("cell", [("6 * 7", [result("43")]), ("1/0", [])], ids=["changed", "error"])
    def test_a_fault_fails(
        self, make: Make, environ: dict[str, str], cell: tuple[str, list[NotebookNode]]
    ) -> None:
        done = running.run_nbval(make(cell), environ=environ)
        assert done.returncode == 1
        assert "1 failed" in done.stdout

    def test_a_streamed_cell_is_left_to_the_other_test(self, make: Make, environ: dict[str, str]) -> None:
        path = make((UPDATED, [shown("the answer")]), tags=("nbval-ignore-output",))
        assert running.run_nbval(path, environ=environ).returncode == 0


def spoil(path: Path, change: Callable[[NotebookNode], object]) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    return running.faults(path)


FAULTS: dict[str, tuple[Callable[[NotebookNode], object], str]] = {
    "no output": (lambda n: n.cells[1].outputs.clear(), "code cell 1 has no output"),
    "an error": (lambda n: n.cells[1].outputs.append(new_output("error", ename="E")), "code cell 1 failed"),
    "timing": (lambda n: n.cells[1].metadata.update(execution={}), "cells carry times of execution"),
    "widgets": (lambda n: n.metadata.update(widgets={}), "the state of widgets is stored"),
    "kernel": (lambda n: n.metadata.kernelspec.update(name="anyfast-dev"), "the kernel is not python3"),
    "size": (lambda n: n.cells[1].update(source="#" * 1_600_000), "bytes, more than 1,500,000"),
    "folder": (
        lambda n: n.cells[1].outputs[0].data.update({"text/plain": "/tmp/tmpq1/film.mp4"}),
        "a temporary folder is named in it",
    ),
    "key": (lambda n: n.cells[0].update(source="sk-" + "a1B2" * 8), "looks like a key"),
    "unchecked": (
        lambda n: [c.metadata.update(tags=["nbval-ignore-output"]) for c in running.code_cells(n)],
        "nbval checks no cell",
    ),
}


def test_a_good_notebook_has_no_faults(make: Make) -> None:
    assert running.faults(make(("6 * 7", [result("42")]))) == []


@pytest.mark.parametrize(("change", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found(make: Make, change: Callable[[NotebookNode], object], said: str) -> None:
    (found,) = spoil(make(("6 * 7", [result("42")])), change)
    assert said in found
