"""Does anybody take what a magic gives back?

`shot = %seedance "…"` needs the job; a bare `%seedance "…"` has shown it already, and what it gave
back would be shown a second time as the cell's result. IPython turns both into the same call: which of
them it was stands in the instruction after that call.
"""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Final

_CALLS: Final = frozenset({"run_line_magic", "run_cell_magic"})
_DROPS: Final = frozenset({"POP_TOP", "PRINT_EXPR"})


def result_is_used() -> bool:
    """Is the result of the magic that is running assigned or passed on, rather than dropped or shown?

    True as well where no IPython is between the caller and the magic.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_magic_call(frame):
        frame = frame.f_back
    caller = None if frame is None else frame.f_back
    return caller is None or not _drops_result(caller)


def _is_magic_call(frame: FrameType) -> bool:
    return frame.f_code.co_name in _CALLS and "IPython" in frame.f_code.co_filename


def _drops_result(caller: FrameType) -> bool:
    """Is the instruction after the call that runs one that throws the value away, or prints it?"""
    for found in dis.get_instructions(caller.f_code):
        if found.offset > caller.f_lasti:
            prints = found.opname == "CALL_INTRINSIC_1" and "PRINT" in found.argrepr
            return found.opname in _DROPS or prints
    return False
