"""Which notebook and which cell is running, as far as the front end says."""

from __future__ import annotations

import os
from typing import Any


def cell_id(shell: Any) -> str | None:
    """The id of the running cell: JupyterLab, Notebook 7 and VS Code send it; None elsewhere."""
    metadata = _request(shell).get("metadata")
    found = metadata.get("cellId") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and found else None


def run_id(shell: Any) -> str | None:
    """Which execution of a cell this is, None if unknown: the front end's id of its request."""
    header = _request(shell).get("header")
    found = header.get("msg_id") if isinstance(header, dict) else None
    return found if isinstance(found, str) else None


def _request(shell: Any) -> dict[str, Any]:
    """The front end's request that is being carried out; {} outside of kernels."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return {}
    try:
        parent = kernel.get_parent("shell")
    except (AttributeError, LookupError, TypeError):
        parent = getattr(kernel, "_parent_header", None)
    return parent if isinstance(parent, dict) else {}


def notebook(shell: Any) -> str | None:
    """The running notebook's path: from Jupyter's session, or VS Code's variable; None elsewhere."""
    namespace = getattr(shell, "user_ns", {})
    path = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return path if isinstance(path, str) and path.endswith(".ipynb") else None


def in_kernel(shell: Any) -> bool:
    """Is this a Jupyter kernel (not IPython in a terminal)?"""
    return getattr(shell, "kernel", None) is not None


def show(shell: Any, bundle: dict[str, Any]) -> None:
    """Show a bundle where a person looks: in the cell, or as text in a terminal."""
    if in_kernel(shell):
        shell.display_pub.publish(bundle)
    else:
        print(bundle["text/plain"])  # noqa: T201 - a terminal shows text
