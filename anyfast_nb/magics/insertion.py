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
        return f"\n\n{markdown_table(frame)}\n\n"  # a table needs lines of its own
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


def markdown_table(frame: Any) -> str:
    """A frame as a Markdown table; its index is a column unless it just counts."""
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(allow_duplicates=True)
    rows = [[_cell(name) for name in frame.columns]]
    rows.append(["---"] * len(frame.columns))
    rows += [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: Any) -> str:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    return " ".join(str(value).replace("|", "\\|").split())


def _as_frame(value: Any) -> Any | None:
    """A DataFrame from a frame, a series or a Styler; None for all else."""
    if "pandas" not in sys.modules:  # a value of pandas cannot be without it
        return None
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, pd.Series):
        return value.to_frame()
    data = getattr(value, "data", None)
    is_styler = type(value).__module__.startswith("pandas.io.formats.style")
    return data if is_styler and isinstance(data, pd.DataFrame) else None


def _is_picture(value: Any) -> bool:
    module = type(value).__module__
    return module.startswith(("PIL.", "matplotlib.figure", "matplotlib.axes"))
