"""Where a magic runs: which notebook, which cell, in a kernel or in a terminal."""

from __future__ import annotations

from typing import Any

from anyfast_nb.gateway.whence import cell_id, notebook, run_id

__all__ = ["cell_id", "in_kernel", "notebook", "run_id", "show"]


def in_kernel(shell: Any) -> bool:
    """Is this a Jupyter kernel (not IPython in a terminal)?"""
    return getattr(shell, "kernel", None) is not None


def show(shell: Any, bundle: dict[str, Any]) -> None:
    """Show a bundle where a person looks: in the cell, or as text in a terminal."""
    if in_kernel(shell):
        shell.display_pub.publish(bundle)
    else:
        print(bundle["text/plain"])  # noqa: T201 - a terminal shows text
