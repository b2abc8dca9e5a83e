"""The text a Python value becomes inside a prompt, and the line that tells what went in."""

from __future__ import annotations

import sys
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire.estimate import about_tokens
from anyfast_nb.wire.values import Answer

MAX_ROWS: Final = 50


def as_text(expression: str, value: Any) -> str:
    """A value as text for a prompt: answers as their text, frames as Markdown tables.

    Raises:
        InputError: a frame of more than 50 rows, or a picture.
    """
    if isinstance(value, Answer):
        return value.text
    if isinstance(value, str):
        return value
    if (frame := _as_frame(value)) is not None:
        if len(frame) > MAX_ROWS:
            raise InputError(
                f"{{{{{expression}}}}} has {len(frame):,} rows; at most {MAX_ROWS} go into a prompt",
                hint=f"Say which: {{{{{expression}.head({MAX_ROWS})}}}}",
            )
        from anyfast_nb.media.tables import table_markdown

        table = table_markdown(value, max_rows=None, max_columns=None)
        return f"\n\n{table}\n\n"  # a table needs lines of its own
    if _is_picture(value):
        raise InputError(
            f"{{{{{expression}}}}} is a picture, not text", hint=f"Attach it: --image {expression}"
        )
    return str(value)


def told(expression: str, value: Any, text: str) -> str:
    """What went in, in a few words: ``df.head(): 5 x 4, about 120 tokens``."""
    frame = _as_frame(value)
    size = f"{len(text):,} characters" if frame is None else f"{frame.shape[0]} x {frame.shape[1]}"
    tokens = about_tokens(text)
    return f"{expression}: {size}, about {tokens:,} token{'' if tokens == 1 else 's'}"


def _as_frame(value: Any) -> Any | None:
    """The frame of a frame, a series or a Styler; None for all else."""
    if "pandas" not in sys.modules:  # most prompts have no table: they load nothing for it
        return None
    from anyfast_nb.media.tables import as_frame

    return as_frame(value)


def _is_picture(value: Any) -> bool:
    module = type(value).__module__
    return module.startswith(("PIL.", "matplotlib.figure", "matplotlib.axes"))
