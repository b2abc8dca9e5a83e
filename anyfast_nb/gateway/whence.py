"""Where a request comes from: user, kernel, notebook, cell, as far as somebody says so.

| run by                  | notebook                    | cell                          | session |
| ----------------------- | --------------------------- | ----------------------------- | ------- |
| JupyterLab, Notebook 7  | ``JPY_SESSION_NAME``        | ``cellId`` of the request     | yes     |
| VS Code                 | ``__vsc_ipynb_file__``      | ``cellId``, its last part     | yes     |
| nbclient, nbconvert,    | ``JPY_SESSION_NAME``, if    | not told                      | yes     |
| nbval                   | who runs it sets it         |                               |         |
| papermill               | ``--inject-paths``          | not told                      | yes     |
| a plain script          | not told                    | not told                      | no      |

What is not told is None, and nothing is guessed: not from the working folder,
and not from a variable that a kernel inherited from another one.

Work on the private loop belongs to the cell that asked for it, and so does an
asyncio task or `asyncio.to_thread`, also after the cell has ended. A plain
thread is told nothing: with the extension loaded it belongs to the cell that
runs, if it began in that cell; from any other thread the cell is unknown.

IPython is not imported here: where it is not loaded there is no notebook.

Source: jupyter_server's session manager (``JPY_SESSION_NAME``), jupyter_client's launcher
(``JPY_PARENT_PID``), ipykernel's `get_parent`, VS Code's Jupyter extension.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

if TYPE_CHECKING:
    from anyfast_nb.ledger.rows import RequestRow

_SUFFIX: Final = ".ipynb"
_VS_CODE: Final = "vscode-"  # cells are named by addresses: vscode-notebook-cell:/path/of.ipynb#W2sZmlsZQ
_PAPERMILL: Final = ("PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; None is unknown.

    Attributes:
        notebook: its path, as the front end tells it.
        cell: the cell's id.
        thread: the conversation.
        user: of the JupyterHub.
        session: the kernel.
        scope: the notebook and cell within which a wish is the same wish; None: these ones.
    """

    notebook: str | None = None
    cell: str | None = None
    thread: str | None = None
    user: str | None = None
    session: str | None = None
    scope: tuple[str | None, str | None] | None = None

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The notebook and cell within which a wish is the same wish; None is this process."""
        return (self.notebook, self.cell) if self.scope is None else self.scope

    def of_thread(self, thread: str | None) -> Self:
        """The same, in a conversation."""
        return replace(self, thread=thread)

    def of_kernel(self) -> Self:
        """The same; a wish is the same from every cell of this kernel."""
        return replace(self, scope=(None, None))

    def named(self, name: str) -> Self:
        """The same; a wish is the same wherever the notebook or script asks for it under this name."""
        return replace(self, scope=(self.place[0], name))

    def within(self, place: tuple[str | None, str | None]) -> Self:
        """The same; a wish is the same within another place."""
        return replace(self, scope=place)

    def signed(self, row: RequestRow) -> RequestRow:
        """A ledger row that says all this."""
        return replace(
            row,
            notebook=self.notebook,
            cell=self.cell,
            thread=self.thread,
            user=self.user,
            session=self.session,
        )


_carried: ContextVar[Origin | None] = ContextVar("_carried", default=None)


def carry(context: contextvars.Context) -> None:
    """Let work that runs in `context`, on another thread, know where it was asked for."""
    context.run(_carried.set, here())


def here(shell: Any = None) -> Origin:
    """Where the caller is.

    Args:
        shell: the running IPython; by default the one there is, if there is one.
    """
    if (carried := _carried.get()) is not None:
        return carried
    shell = shell or running_shell()
    if shell is None:
        return Origin(user=user())
    return Origin(notebook=notebook(shell), cell=cell_id(shell), user=user(), session=session(shell))


# --- what the environment says --------------------------------------------------------------


def user(environ: Mapping[str, str] = os.environ) -> str | None:
    """The JupyterHub's user; None elsewhere: a login name of this machine is nobody's business."""
    return environ.get("JUPYTERHUB_USER") or None


def notebook_of(namespace: Mapping[str, Any], environ: Mapping[str, str], *, inherited: bool) -> str | None:
    """The notebook's path, from a kernel's variables and environment.

    Args:
        namespace: the kernel's variables.
        environ: its environment.
        inherited: its environment speaks of the notebook of another kernel.
    """
    named = None if inherited else environ.get("JPY_SESSION_NAME")
    found = (namespace.get("__vsc_ipynb_file__"), named, *(namespace.get(name) for name in _PAPERMILL))
    return next((path for path in found if isinstance(path, str) and path.endswith(_SUFFIX)), None)


def cell_of(request: Mapping[str, Any]) -> str | None:
    """The cell's id in a front end's request; None if it sends none."""
    metadata = request.get("metadata")
    found = metadata.get("cellId") if isinstance(metadata, Mapping) else None
    if not isinstance(found, str):
        return None
    if found.startswith(_VS_CODE):
        found = found.partition("#")[2]  # before it stands the notebook's path
    return found or None


def kernel_id(connection_file: str) -> str | None:
    """A kernel's id, from the name of its connection file; None for no name."""
    stem = Path(connection_file).stem
    return stem.removeprefix("kernel-") or None


def is_inherited(environ: Mapping[str, str], launcher: Mapping[str, str]) -> bool:
    """Is the notebook in a kernel's environment that of another kernel, which started the launcher?

    `jupyter nbconvert --execute` in a cell hands the cell's environment on to the kernel that it
    starts. A server names the notebook for each kernel anew, and is no kernel's child itself.

    Args:
        environ: the kernel's.
        launcher: of the process that started the kernel.
    """
    named = environ.get("JPY_SESSION_NAME")
    return named is not None and named == launcher.get("JPY_SESSION_NAME") and "JPY_PARENT_PID" in launcher


# --- what the kernel says -------------------------------------------------------------------


def running_shell() -> Any | None:
    """The running IPython; None where there is none."""
    module = sys.modules.get("IPython.core.getipython")
    return None if module is None else module.get_ipython()


def notebook(shell: Any) -> str | None:
    """The running notebook's path, None if it is not told."""
    foreign = getattr(shell, "kernel", None) is None or _inherits(os.environ.get("JPY_PARENT_PID", ""))
    return notebook_of(getattr(shell, "user_ns", {}), os.environ, inherited=foreign)


def cell_id(shell: Any) -> str | None:
    """The id of the cell that this code belongs to, None if it is not told."""
    return cell_of(request_of(shell))


def run_id(shell: Any) -> str | None:
    """Which execution of a cell this is, None if unknown: the front end's id of its request."""
    header = request_of(shell).get("header")
    found = header.get("msg_id") if isinstance(header, Mapping) else None
    return found if isinstance(found, str) else None


def session(shell: Any) -> str | None:
    """The kernel's id; None outside of kernels."""
    app = getattr(getattr(shell, "kernel", None), "parent", None)
    found = getattr(app, "connection_file", None)
    return kernel_id(found) if isinstance(found, str) else None


def request_of(shell: Any) -> Mapping[str, Any]:
    """The front end's request that this code belongs to; {} if it is not known."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    # ipykernel 7 keeps it in the context; in a plain thread it would name whatever cell runs.
    own = getattr(kernel, "_shell_parent", None)
    if isinstance(own, ContextVar):
        found = own.get(None)
    else:
        found = _asked(kernel) if threading.current_thread() is threading.main_thread() else None
    return found if isinstance(found, Mapping) else CELLS.of_thread()


def _asked(kernel: Any) -> Any:
    try:
        return kernel.get_parent("shell")
    except (AttributeError, LookupError, TypeError):
        return getattr(kernel, "_parent_header", None)


@cache
def _inherits(launcher: str) -> bool:
    """Does this process know its notebook from another kernel? Where it cannot be seen: no."""
    if not launcher.isdecimal():
        return False
    try:
        found = Path(f"/proc/{launcher}/environ").read_bytes()
    except OSError:
        return False
    lines = (line.partition(b"=") for line in found.split(b"\0"))
    return is_inherited(os.environ, {os.fsdecode(name): os.fsdecode(value) for name, _, value in lines})


class Cells:
    """Which cells run, and which threads were there before them."""

    def __init__(self) -> None:
        self._running: dict[str | None, tuple[Mapping[str, Any], WeakSet[threading.Thread]]] = {}

    def began(self, shell: Any) -> None:
        """A cell begins, on this thread."""
        # A cell inside of a cell, such as of %run, is the outer one's.
        self._running.setdefault(run_id(shell), (request_of(shell), WeakSet(threading.enumerate())))

    def ended(self, shell: Any) -> None:
        """It has ended: of a thread that goes on nobody knows for whom it works now."""
        self._running.pop(run_id(shell), None)

    def of_thread(self) -> Mapping[str, Any]:
        """The request of the one cell that runs, if this thread began in it; else {}."""
        running = list(self._running.values())
        if len(running) != 1:
            return {}
        request, before = running[0]
        return {} if threading.current_thread() in before else request


CELLS: Final = Cells()
"""Of this process; the extension tells it when cells begin and end."""
