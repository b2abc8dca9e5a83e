"""How a request ended, for its row: the kind of error, and whether it may be billed."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from anyfast_nb.errors import AnyFastError, Billed, Interrupted


class Ending(NamedTuple):
    """What a row says of an end.

    Attributes:
        error_class: the name of the error's class, None for a good end.
        billed: may it have cost money?
    """

    error_class: str | None
    billed: Billed


GOOD = Ending(None, Billed.YES)


def ending(error: BaseException, *, rests: bool = False) -> Ending:
    """What a row says of a request that ended in an error.

    Args:
        error: of ours, an interrupt, or what a callback raised.
        rests: it was refused, and was to be sent again later: what stops it then costs nothing.
    """
    if isinstance(error, AnyFastError):
        return Ending(type(error).__name__, Billed(error.billed))
    stopped = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
    name = Interrupted.__name__ if stopped else type(error).__name__
    return Ending(name, Billed.NO if rests else Billed.MAYBE)
