"""What a place allows to be sent, as ``ANYFAST_ALLOW`` writes it: ``chat:doubao-seed-2.0-mini,seedream``.

Each entry is a kind of request, and perhaps a model behind a colon; ``*``
stands for any letters. ``chat`` is both ways to have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from anyfast_nb.errors import InputError

KINDS: Final = ("chat", "responses", "seedream", "seedance", "kling", "asset")
_COVERS: Final = {"responses": "chat"}


def check_allowed(value: Any) -> tuple[str, ...]:
    """The entries of a list, normalised.

    Args:
        value: one text with commas, or the entries.

    Raises:
        InputError: there is no entry, or one that can name no request.

    Example:
        >>> check_allowed("chat : doubao-seed-2.0-mini, seedream")
        ('chat:doubao-seed-2.0-mini', 'seedream')
    """
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        words = [words]
    entries = [":".join(part.strip() for part in str(word).split(":", 1)) for word in words]
    entries = [entry for entry in entries if entry]
    for entry in entries or [""]:
        kind, colon, model = entry.partition(":")
        if (
            not any(fnmatchcase(known, kind) for known in KINDS)
            or (colon and not model)
            or len(entry.split()) > 1
        ):
            raise InputError(
                f"allow holds {entry[:80]!r}, which can name no request",
                field="allow",
                hint="Write kinds, and models behind a colon: ANYFAST_ALLOW=chat:mini,seedream. "
                f"Kinds are {', '.join(KINDS)}; * stands for any letters.",
            )
    return tuple(entries)


def is_allowed(entries: Iterable[str], *, kind: str, model: str, resolve: Callable[[str], str]) -> bool:
    """Does any entry name this request?

    Args:
        entries: of `check_allowed`.
        kind: as the ledger calls it.
        model: an id or an alias.
        resolve: gives the id behind an alias.
    """
    asked = resolve(model).lower()
    kinds = {kind, _COVERS.get(kind, kind)}
    for entry in entries:
        wanted, _, pattern = entry.partition(":")
        fits = any(fnmatchcase(name, wanted) for name in kinds)
        if fits and fnmatchcase(asked, resolve(pattern or "*").lower()):
            return True
    return False
