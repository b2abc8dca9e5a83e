"""Runs notebooks on the built-in AnyFast, in a copy, and compares what a reader sees in the end.

`python -m tests.notebooks.running` stores the outputs: that is `make notebooks`.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns

from tests.environment import ROOT, clean_environ, end_simulator

NOTEBOOKS = ROOT / "notebooks"
SANITIZE = Path(__file__).parent / "sanitize.cfg"
LIMIT_BYTES = 1_500_000
KEY = re.compile(r"\b(sk|ak|Bearer)[- ][A-Za-z0-9_-]{12,}")
PASSWORD = re.compile(r"://[^/\s:@\"]+:[^…\s@]+@")
TEMPORARY = re.compile(r"(?<![\w.])/(tmp|var/folders)/")


def environ(home: Path) -> dict[str, str]:
    """The environment notebooks run in: nobody's, on the built-in AnyFast, without its waits."""
    made = clean_environ(home) | {"ANYFAST_BASE_URL": "simulator", "ANYFAST_SIM_SPEED": "0"}
    made["ANYFAST_LANGUAGE"] = "en"
    if programs := made.pop("ANYFAST_TEST_POSTGRES", ""):  # a lesson looks where a person's would be
        made["PATH"] = f"{programs}{os.pathsep}{made['PATH']}"
    return made


def execute(path: Path, *, environ: Mapping[str, str], timeout_s: int = 120) -> NotebookNode:
    """The notebook with fresh outputs; the file and its folder stay as they are.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(path.parent, Path(folder) / path.parent.name)
        notebook = nbformat.read(copy / path.name, as_version=4)
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=timeout_s,
            resources={"metadata": {"path": str(copy)}},
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
        )
        # As a Jupyter server does: what is shown names files from the notebook, not from this folder.
        client.execute(env=dict(environ) | {"JPY_SESSION_NAME": str(copy / path.name)})
        return tidy(without_folder(notebook, copy))


def without_folder(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The same notebook with the paths in this folder as paths from it."""
    text = nbformat.writes(notebook)
    for place in {folder, folder.resolve()}:
        text = text.replace(f"{place.as_posix()}/", "")
    return nbformat.reads(text, as_version=4)


def tidy(notebook: NotebookNode) -> NotebookNode:
    """The same notebook without what depends on the machine that ran it."""
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(display_name="Python 3 (ipykernel)", language="python", name="python3"),
        language_info=NotebookNode(name="python", file_extension=".py", mimetype="text/x-python"),
    )
    return notebook


def run_nbval(path: Path, *, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """nbval's verdict on a copy of the notebook: return code 0 is a pass."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(path.parent, Path(folder) / path.parent.name)
        (copy / "pytest.ini").write_text("[pytest]\n")  # not the settings of our own tests
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
        command += ["--nbval-sanitize-with", str(SANITIZE), path.name]
        return subprocess.run(
            command, cwd=copy, env=dict(environ), capture_output=True, text=True, stdin=subprocess.DEVNULL
        )


# --- what a reader sees ---------------------------------------------------------------------------


def seen(cell: NotebookNode) -> str:
    """A cell's outputs as text: streams, text/plain, errors; and which other forms come with them."""
    parts: list[str] = []
    before = ""
    for output in cell.outputs:
        name = output.name if output.output_type == "stream" else ""
        if name and name == before:  # one stream, however many pieces it came in
            parts[-1] += output.text
        elif name:
            parts.append(f"[{name}]\n{output.text}")
        elif output.output_type == "error":
            parts.append(f"[error]\n{output.ename}: {output.evalue}")
        else:
            forms = " ".join(sorted(output.data))
            parts.append(f"[{forms}]\n{output.data.get('text/plain', '')}")
        before = name
    return sanitized("\n".join(parts))


def sanitized(text: str) -> str:
    """The text with everything that may differ replaced, by nbval's own reading of the file."""
    for pattern, replacement in get_sanitize_patterns(SANITIZE.read_text()):
        text = re.sub(pattern, replacement, text)
    return text


def differences(committed: NotebookNode, now: NotebookNode) -> list[str]:
    """One unified diff for each code cell whose final outputs changed."""
    found = []
    pairs = zip(code_cells(committed), code_cells(now), strict=True)
    for number, (old, new) in enumerate(pairs, start=1):
        before, after = seen(old).splitlines(), seen(new).splitlines()
        if before != after:
            lines = difflib.unified_diff(before, after, "committed", "now", lineterm="")
            found.append(f"code cell {number}\n{old.source}\n" + "\n".join(lines))
    return found


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# --- what may be in git ---------------------------------------------------------------------------


def faults(path: Path) -> list[str]:
    """What a committed notebook must not have, or lacks."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    found = [f"code cell {n} has no output" for n, c in enumerate(code_cells(notebook), 1) if not c.outputs]
    found += [f"code cell {n} failed" for n, c in enumerate(code_cells(notebook), 1) if _failed(c)]
    if any("execution" in cell.metadata for cell in notebook.cells):
        found.append("cells carry times of execution")
    if "widgets" in notebook.metadata:
        found.append("the state of widgets is stored")
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not python3")
    if len(text.encode()) > LIMIT_BYTES:
        found.append(f"{len(text.encode()):,} bytes, more than {LIMIT_BYTES:,}")
    if TEMPORARY.search(text):
        found.append("a temporary folder is named in it")
    if KEY.search(text):
        found.append("something in it looks like a key")
    if PASSWORD.search(text):
        found.append("a URL in it holds a password")
    if all(_unchecked(cell) for cell in code_cells(notebook)):
        found.append("nbval checks no cell")
    return found


def _failed(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _unchecked(cell: Any) -> bool:
    return "NBVAL_IGNORE_OUTPUT" in cell.source or "nbval-ignore-output" in cell.metadata.get("tags", [])


# --- storing the outputs --------------------------------------------------------------------------


def store(path: Path, *, environ: Mapping[str, str]) -> list[str]:
    """Run the notebook and keep its new outputs where they differ; gives the differences."""
    committed = nbformat.read(path, as_version=4)
    now = execute(path, environ=environ)
    changed = differences(committed, now)
    if changed or committed.metadata != now.metadata:
        nbformat.write(now, path)
    return changed


def main() -> None:
    """`make notebooks`."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as home:
            chosen = environ(Path(home))
            try:
                changed = store(path, environ=chosen)
            finally:
                end_simulator(chosen)
        print(f"{os.path.relpath(path)}: {len(changed)} cells changed")
        found = faults(path)
        if found:
            sys.exit(f"{path.name}: " + "; ".join(found))


if __name__ == "__main__":
    main()
