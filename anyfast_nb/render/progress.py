"""Several jobs under way as a few quiet lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.style import page, quiet
from anyfast_nb.wire.text import without_controls


def progress_bundle(head: str, lines: Sequence[str] = ()) -> dict[str, Any]:
    """How far several jobs are.

    Args:
        head: what they are, and a word about all of them.
        lines: one for each, or none.
    """
    told = [head, *lines]
    inner = "".join(quiet(escape_prose(line), name="anyfast-note") for line in told)
    return {
        "text/plain": without_controls("\n".join(told)).strip(),
        "text/html": page(inner, style=True),
    }
