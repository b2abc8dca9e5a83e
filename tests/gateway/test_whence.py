"""Where a request comes from, as environments and front ends say it. What they do not say is None."""

from __future__ import annotations

import contextvars
import threading
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.gateway import whence
from anyfast_nb.gateway.whence import Cells, Origin, here
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.wire.values import Source

VS_CODE_CELL = "vscode-notebook-cell:/home/ada/films.ipynb#W2sZmlsZQ%3D%3D"


def kernel(*, cell: str | None = "c1", in_context: bool = True, run: str = "m1") -> Any:
    """A shell with a kernel as ipykernel 7 has it, or as ipykernel 6 has it."""
    request = {"header": {"msg_id": run}, "metadata": {} if cell is None else {"cellId": cell}}
    shell = SimpleNamespace(user_ns={})
    shell.kernel = SimpleNamespace(
        get_parent=lambda channel: request,
        parent=SimpleNamespace(connection_file="/run/user/1/kernel-3f2a.json"),
    )
    if in_context:
        shell.kernel._shell_parent = ContextVar("shell_parent")
        shell.kernel._shell_parent.set(request)
    return shell


def elsewhere(work: Any) -> Any:
    """What work gives on a plain thread, which has no context of its own."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize(
    ("namespace", "environ", "path"),
    [
        ({}, {"JPY_SESSION_NAME": "/home/ada/lessons/a.ipynb"}, "/home/ada/lessons/a.ipynb"),
        ({}, {"JPY_SESSION_NAME": "lessons/a.ipynb"}, "lessons/a.ipynb"),
        ({}, {"JPY_SESSION_NAME": "/home/ada/console-1"}, None),
        ({}, {"JPY_SESSION_NAME": ""}, None),
        ({}, {}, None),
        ({"__vsc_ipynb_file__": "/home/ada/b.ipynb"}, {}, "/home/ada/b.ipynb"),
        ({"__vsc_ipynb_file__": "/b.ipynb"}, {"JPY_SESSION_NAME": "/a.ipynb"}, "/b.ipynb"),
        ({"__vsc_ipynb_file__": None}, {"JPY_SESSION_NAME": "/a.ipynb"}, "/a.ipynb"),
        ({"PAPERMILL_INPUT_PATH": "in.ipynb", "PAPERMILL_OUTPUT_PATH": "out.ipynb"}, {}, "in.ipynb"),
        ({"PAPERMILL_OUTPUT_PATH": "out.ipynb"}, {}, "out.ipynb"),
        ({"PAPERMILL_INPUT_PATH": "in.ipynb"}, {"JPY_SESSION_NAME": "/out.ipynb"}, "/out.ipynb"),
        ({"PAPERMILL_INPUT_PATH": 3}, {}, None),
    ],
)
def test_the_notebook_is_what_the_front_end_says(
    namespace: dict[str, Any], environ: dict[str, str], path: str | None
) -> None:
    assert whence.notebook_of(namespace, environ, inherited=False) == path


def test_a_notebook_that_was_inherited_is_not_ones_own() -> None:
    own = {"JPY_SESSION_NAME": "/a.ipynb", "JPY_PARENT_PID": "7"}
    cell = {"JPY_SESSION_NAME": "/a.ipynb", "JPY_PARENT_PID": "3"}  # `!jupyter nbconvert --execute b.ipynb`
    server = {"HOME": "/home/ada"}
    person = {"JPY_SESSION_NAME": "/a.ipynb"}  # said so on the command line
    assert whence.is_inherited(own, cell)
    assert not whence.is_inherited(own, server)
    assert not whence.is_inherited(own, person)
    assert not whence.is_inherited(own, cell | {"JPY_SESSION_NAME": "/other.ipynb"})
    assert not whence.is_inherited({}, cell)
    assert whence.notebook_of({}, own, inherited=True) is None
    assert whence.notebook_of({"__vsc_ipynb_file__": "/b.ipynb"}, own, inherited=True) == "/b.ipynb"


@pytest.mark.parametrize(
    ("request_", "cell"),
    [
        ({"metadata": {"cellId": "5f6b1c9e-55aa"}}, "5f6b1c9e-55aa"),
        ({"metadata": {"cellId": VS_CODE_CELL}}, "W2sZmlsZQ%3D%3D"),
        ({"metadata": {"cellId": "vscode-notebook-cell://ssh-remote%2Bbox/nb.ipynb#X9"}}, "X9"),
        ({"metadata": {"cellId": "vscode-notebook-cell:/home/ada/films.ipynb"}}, None),
        ({"metadata": {"cellId": ""}}, None),
        ({"metadata": {"cellId": 3}}, None),
        ({"metadata": None}, None),
        ({}, None),
    ],
)
def test_the_cell_is_what_the_front_end_says_without_the_path(
    request_: dict[str, Any], cell: str | None
) -> None:
    assert whence.cell_of(request_) == cell


@pytest.mark.parametrize(
    ("file", "id"),
    [
        ("/run/user/1000/jupyter/kernel-3f2a-77.json", "3f2a-77"),  # Jupyter's server
        ("/home/ada/.local/share/jupyter/runtime/kernel-v2-4711abc.json", "v2-4711abc"),  # VS Code
        ("/tmp/tmpgeq38m1t.json", "tmpgeq38m1t"),  # nbclient, papermill
        ("kernel-.json", None),
        ("", None),
    ],
)
def test_a_kernel_is_named_by_its_connection_file_without_its_folder(file: str, id: str | None) -> None:
    assert whence.kernel_id(file) == id


def test_the_user_is_the_jupyterhubs_and_no_login_name() -> None:
    assert whence.user({"JUPYTERHUB_USER": "ada", "USER": "root"}) == "ada"
    assert whence.user({"USER": "root"}) is None
    assert whence.user({"JUPYTERHUB_USER": ""}) is None


def test_a_plain_script_knows_the_user_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/a.ipynb")  # a script that a cell started
    assert here() == Origin()
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert here() == Origin(user="ada")
    assert here(SimpleNamespace(user_ns={}, kernel=None)) == Origin(user="ada")  # IPython in a terminal


@pytest.mark.parametrize("in_context", [True, False])
def test_a_cell_knows_all(monkeypatch: pytest.MonkeyPatch, in_context: bool) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/a.ipynb")
    found = here(kernel(in_context=in_context))
    assert found == Origin(notebook="/home/ada/a.ipynb", cell="c1", session="3f2a")


@pytest.mark.parametrize("in_context", [True, False])
def test_a_plain_thread_belongs_to_no_cell(in_context: bool) -> None:
    shell = kernel(in_context=in_context)
    assert elsewhere(lambda: here(shell)) == Origin(session="3f2a")


def test_a_thread_with_the_cells_context_belongs_to_it() -> None:
    shell = kernel()
    context = contextvars.copy_context()
    assert elsewhere(lambda: context.run(here, shell)).cell == "c1"


def test_a_plain_thread_belongs_to_the_cell_in_which_it_began_while_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells, shell = Cells(), kernel()
    monkeypatch.setattr(whence, "CELLS", cells)
    steps: list[str | None] = []
    ask, done = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        while ask.acquire():
            steps.append(here(shell).cell)
            done.release()
            if len(steps) == 3:
                return

    def step() -> str | None:
        ask.release()
        done.acquire()
        return steps[-1]

    cells.began(shell)
    thread = threading.Thread(target=work)
    thread.start()
    assert step() == "c1"
    cells.ended(shell)
    assert step() is None  # it goes on, and nobody knows for whom
    shell.kernel._shell_parent.set({"header": {"msg_id": "m2"}, "metadata": {"cellId": "c2"}})
    cells.began(shell)
    assert step() is None  # the next cell is not its own
    assert elsewhere(lambda: here(shell).cell) == "c2"
    thread.join()


def test_among_several_running_cells_a_plain_thread_belongs_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    cells, one, two = Cells(), kernel(), kernel(cell="c2", run="m2")
    monkeypatch.setattr(whence, "CELLS", cells)
    cells.began(one)
    cells.began(one)  # %run inside of it
    assert elsewhere(lambda: here(one).cell) == "c1"
    cells.began(two)
    assert elsewhere(lambda: here(one).cell) is None
    cells.ended(two)
    assert elsewhere(lambda: here(one).cell) == "c1"


def test_what_was_carried_counts_wherever_the_work_runs() -> None:
    shell = kernel()
    context = contextvars.copy_context()
    context.run(whence._carried.set, here(shell).of_thread("plot"))
    found = elsewhere(lambda: context.run(here))
    assert (found.cell, found.thread, found.session) == ("c1", "plot", "3f2a")


def test_a_wish_is_the_same_wish_within_its_place() -> None:
    cell = Origin("/a.ipynb", "c1", session="k")
    assert cell.place == ("/a.ipynb", "c1")
    assert cell.of_kernel().place == (None, None)
    assert cell.named("storyboard:x").place == ("/a.ipynb", "storyboard:x")
    assert cell.of_kernel().named("storyboard:x").place == (None, "storyboard:x")
    assert cell.within(("/b.ipynb", "c9")).place == ("/b.ipynb", "c9")
    assert {one.cell for one in (cell.of_kernel(), cell.named("x"), cell.within((None, None)))} == {"c1"}


def test_a_row_says_it_all() -> None:
    row = RequestRow(kind="chat", source=Source.LIVE, base_url="https://host.cn/v1", model="pro")
    signed = Origin("/a.ipynb", "c1", "plot", "ada", "k1", (None, None)).signed(row)
    assert (signed.notebook, signed.cell, signed.thread, signed.user, signed.session) == (
        "/a.ipynb", "c1", "plot", "ada", "k1",
    )  # fmt: skip
    assert (signed.id, signed.time) == (row.id, row.time)
