"""Does anybody take what a magic gives back?

`shot = %seedance "…"` needs the job; a bare `%seedance "…"` has shown it already, and what it gave
back would be shown a second time as the cell's result. IPython turns both into the same call: which of
them it was stands in the instruction after that call. `%%time` runs that call as an expression and gives
its value on: then it counts who takes that.
"""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Final

_CALLS: Final = frozenset({"run_line_magic", "run_cell_magic"})
_DROPS: Final = frozenset({"POP_TOP", "PRINT_EXPR"})
_TIMED: Final = frozenset({"<timed eval>", "<timed exec>"})  # what `%time` and `%%time` call what they run


def result_is_used() -> bool:
    """Is the result of the magic that is running assigned or passed on, rather than dropped or shown?

    True as well where no IPython is between the caller and the magic.
    """
    caller = _caller_of_magic(sys._getframe(1))
    while caller is not None and _is_timed(caller) and _gives_result_on(caller):
        caller = _caller_of_magic(caller)
    return caller is None or not _drops_result(caller)


def _caller_of_magic(frame: FrameType | None) -> FrameType | None:
    """Who called the magic in which this frame runs; None without IPython."""
    while frame is not None and not _is_magic_call(frame):
        frame = frame.f_back
    return None if frame is None else frame.f_back


def _is_magic_call(frame: FrameType) -> bool:
    return frame.f_code.co_name in _CALLS and "IPython" in frame.f_code.co_filename


def _drops_result(caller: FrameType) -> bool:
    """Is the instruction after the call that runs one that throws the value away, or prints it?"""
    found = _next(caller)
    prints = found is not None and found.opname == "CALL_INTRINSIC_1" and "PRINT" in found.argrepr
    return prints or (found is not None and found.opname in _DROPS)


def _gives_result_on(caller: FrameType) -> bool:
    """Is the value of the call that runs the value of the whole expression?"""
    found = _next(caller)
    return found is not None and found.opname == "RETURN_VALUE"


def _is_timed(caller: FrameType) -> bool:
    return caller.f_code.co_filename in _TIMED and caller.f_code.co_name == "<module>"


def _next(caller: FrameType) -> dis.Instruction | None:
    """The instruction after the call that runs."""
    every = dis.get_instructions(caller.f_code)
    return next((found for found in every if found.offset > caller.f_lasti), None)
