"""The panels of a kernel: one of each kind, made when it is first wanted, found again by its name."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from anyfast_nb.errors import InputError
from anyfast_nb.panels.words import say

if TYPE_CHECKING:
    from anyfast_nb.panels.deck import Deck
    from anyfast_nb.panels.panel import Panel
    from anyfast_nb.session import Session

_CLASSES: Final = {
    "chat": ("chat", "ChatPanel"),
    "video": ("video", "VideoPanel"),
    "image": ("image", "ImagePanel"),
    "asset": ("asset", "AssetPanel"),
    "jobs": ("jobs", "JobsPanel"),
    "usage": ("usage", "UsagePanel"),
}
NAMES: Final = tuple(_CLASSES)


class Panels:
    """The panels of one session.

    Args:
        session: theirs.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made: dict[str, Panel] = {}
        self._deck: Deck | None = None

    @property
    def made(self) -> dict[str, Panel]:
        """Those that were opened, by name."""
        return dict(self._made)

    def get(self, name: str) -> Panel:
        """The panel of a name; it is made if it was not there.

        Raises:
            InputError: there is no such panel.
        """
        name = checked(name)
        if name not in self._made:
            self._made[name] = _made(*_CLASSES[name], session=self._session)
        return self._made[name]

    def deck(self) -> Deck:
        """The tabs of all panels."""
        if self._deck is None:
            self._deck = _made("deck", "Deck", session=self._session)
        return self._deck

    def show(self, name: str) -> Panel:
        """Bring a panel to the front of the tabs.

        Raises:
            InputError: there is no such panel.
        """
        found = self.get(name)
        self.deck().turn_to(name)
        return found

    def hand(self, name: str, item: Any) -> str:
        """Give something to a panel, and bring it to the front: an asset, a picture, a film.

        Args:
            name: of the panel: video.
            item: a file, or an asset.

        Returns:
            Where to find it, in words; "" where it is on the page.

        Raises:
            InputError: there is no such panel, or it does not take that.
        """
        panel: Any = self.show(name)
        medium, role = _as_medium(item)
        panel.take(medium, role)
        return "" if panel.is_shown or self.deck().is_shown else say("deck.not_shown", name=name)


def _made(room: str, kind: str, *, session: Session) -> Any:
    """A panel, of a module that is loaded only now."""
    return getattr(import_module(f"anyfast_nb.panels.{room}"), kind)(session=session)


def _as_medium(item: Any) -> tuple[Any, str]:
    """An asset as a reference, anything else as the first frame."""
    from anyfast_nb.panels.roles import Medium
    from anyfast_nb.wire.assets import Asset

    if not isinstance(item, Asset):
        return item, "first_frame"
    kind = item.type.lower() or "image"
    return Medium(uuid4().hex, item.name or item.id, item, item.reference, (kind,)), f"{kind}s"


def checked(name: str) -> str:
    """A panel's name.

    Raises:
        InputError: there is no such panel.
    """
    if name in _CLASSES:
        return name
    near = difflib.get_close_matches(str(name), NAMES, n=1, cutoff=0.5)
    meant = f"{near[0]}? " if near else ""
    raise InputError(
        say("deck.unknown", name=name), field="name", hint=meant + say("deck.names", names=", ".join(NAMES))
    )
