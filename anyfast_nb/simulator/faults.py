"""Every word that makes the server behave in a chosen way, as one table."""

from __future__ import annotations

from collections.abc import Iterator

from anyfast_nb.simulator import triggers
from anyfast_nb.simulator.assets import faults as of_assets
from anyfast_nb.simulator.tasks import faults as of_tasks

# Where the words belong; each module describes its own, one a line, indented, in its docstring.
PLACES = (
    ("the last message of a chat, the input of a response, a picture's prompt", triggers.__doc__),
    ("the prompt of a Seedance or Kling film", of_tasks.__doc__),
    ("the Name of an asset or group", of_assets.__doc__),
)
_INDENT = "    "
_MARK = f"{_INDENT}sim:"


def table() -> str:
    """The words, where each belongs, and what each does."""
    lines = ["Words for lessons and tests. Put them, apart from other words, into"]
    for place, described in PLACES:
        lines += ["", f"{place}:", "", *_rows(described or "")]
    return "\n".join(lines) + "\n"


def _rows(described: str) -> Iterator[str]:
    """The lines that describe a word, and those that go on about it."""
    inside = False
    for line in described.splitlines():
        inside = line.startswith(_MARK) or (inside and line.startswith(_INDENT))
        if inside:
            yield line
