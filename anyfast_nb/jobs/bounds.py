"""Names and bounds of what makes several jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from anyfast_nb.errors import InputError

_NAME: Final = re.compile(r"\S(?:[^\x00-\x1f:]{0,78}\S)?")


def checked_name(name: Any) -> str:
    """The name of a storyboard or a sweep.

    Raises:
        InputError: it cannot be one.
    """
    if name == "" or (isinstance(name, str) and ":" not in name and _NAME.fullmatch(name)):
        return str(name)
    raise InputError(
        f"name is {str(name)[:80]!r}",
        field="name",
        hint="A name has 1 to 80 characters, no colon, and no space at its ends.",
    )


def positive(name: str, value: Any) -> int:
    """A whole number from 1.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} is {value!r}", field=name, hint="It is a whole number from 1.")
    return value


def total(estimates: Sequence[int | None], *, most: int | None) -> int | None:
    """The tokens of several jobs; None if those of any are unknown.

    Args:
        estimates: of each; None is unknown.
        most: tokens at most; None is no bound.

    Raises:
        InputError: they are more, or nobody knows.
    """
    known = [tokens for tokens in estimates if tokens is not None]
    unknown = len(estimates) - len(known)
    if most is not None and unknown:
        raise InputError(
            f"most_tokens is {most:,}, and of {unknown} of {len(estimates)} jobs nobody knows the tokens "
            "before they are made",
            field="most_tokens",
            hint="Give ratio, resolution and duration, or bound the jobs with most= instead. "
            "Nothing was sent.",
        )
    needed = sum(known)
    if most is not None and needed > most:
        raise InputError(
            f"{len(estimates)} jobs take about {needed:,} tokens, and most_tokens is {most:,}",
            field="most_tokens",
            hint=f"Vary less, make them smaller or shorter, or say most_tokens={needed}. Nothing was sent.",
        )
    return None if unknown else needed
