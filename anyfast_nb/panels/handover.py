"""Where a picture goes that a person sends to the video panel: a hook that whoever shows both panels sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from anyfast_nb.session import Session

TakePicture = Callable[[Path, str], None]
"""Takes a picture and its role: ``first_frame`` or ``images``."""

_TARGETS: WeakKeyDictionary[Session, TakePicture] = WeakKeyDictionary()


def films_take(session: Session, take: TakePicture | None) -> None:
    """Send pictures of this session there from now on; None takes it back."""
    if take is None:
        _TARGETS.pop(session, None)
    else:
        _TARGETS[session] = take


def film_target(session: Session) -> TakePicture | None:
    """Where pictures of this session go, None if nobody said."""
    return _TARGETS.get(session)
