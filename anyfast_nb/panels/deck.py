"""All panels in tabs: one deck for a kernel, each tab made when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.panels.board import Board
from anyfast_nb.panels.deck_registry import NAMES, Panels, checked
from anyfast_nb.panels.deck_tabs import Tabs
from anyfast_nb.panels.deck_words import respoken
from anyfast_nb.panels.handover import films_take
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.reach import reachable_while_busy
from anyfast_nb.panels.words import say
from anyfast_nb.render.essence import together
from anyfast_nb.render.notice import notice
from anyfast_nb.render.shelf import line_html, note_html
from anyfast_nb.session import session as kernels_session

if TYPE_CHECKING:
    from pathlib import Path

    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session

_LANGUAGES: Final = ("auto", "en", "zh")
_OWN_NAMES: Final = {"en": "English", "zh": "中文"}


class Deck(Panel):
    """The tabs, and the panel of the one that is open; `panel` gives the deck of the kernel.

    Args:
        session: of the kernel.
    """

    def __init__(self, *, session: Session | None = None) -> None:
        super().__init__(session=session)
        self.add_class("anyfast-deck")
        self._panels: Panels = self.session.panels
        self._listened: set[str] = set()
        self._speaking = False
        self._tabs = Tabs(label=say("deck.label"), names=_words(), chosen="", on_choose=self._chosen)
        self._language = ipywidgets.Dropdown(
            options=_languages(),
            value=self.session.settings.language,
            description=say("deck.language"),
            layout={"width": "auto"},
        )
        self._language.observe(self.guarded(self._language_chosen), "value")
        head = ipywidgets.HBox([self._tabs, self._language])
        head.add_class("anyfast-deck-head")
        films_take(self.session, self._take_picture)
        self._told = Board(label=say("deck.label"))
        self._bodies: dict[str, Any] = {}
        self._body = ipywidgets.VBox()
        self._body.add_class("anyfast-deck-body")
        self.children = [head, self._told, self._body]

    @property
    def chosen(self) -> str:
        """The name of the tab that is open, "" before the first."""
        return str(self._tabs.chosen)

    def turn_to(self, name: str) -> Panel:
        """Open a tab.

        Raises:
            InputError: there is no such panel.
        """
        self._tabs.chosen = checked(name)
        return self._panels.get(name)

    def _take_picture(self, path: Path, role: str) -> None:
        """A picture of the image panel goes to the video panel."""
        video: Any = self._panels.show("video")
        video.take(path, role)

    def speak(self, language: str) -> None:
        """Say everything in another language: ``en``, ``zh``, or ``auto`` for the locale's."""
        self.session.configure(language=None if language == "auto" else language, origin="af.panel()")
        self._tabs.names = [list(pair) for pair in _words().items()]
        self._tabs.label = say("deck.label")
        self._language.description = say("deck.language")
        self._speaking = True  # new options choose the first of them
        try:
            self._language.options = _languages()
            self._language.value = language
        finally:
            self._speaking = False
        for panel in self._panels.made.values():
            try:
                respoken(panel)
            except Exception as error:  # noqa: BLE001 - the others are said anew all the same
                self.tell(error)
            reachable_while_busy(panel)
        self.keep(now=True)

    def _language_chosen(self, change: Any) -> None:
        if not self._speaking:
            self.speak(change["new"])

    # --- tabs -----------------------------------------------------------------------------

    def _chosen(self, name: str) -> None:
        if name not in self._bodies:
            self._bodies[name] = body = ipywidgets.VBox()
            self._body.children = [*self._body.children, body]
        for known, one in self._bodies.items():
            one.layout.display = "" if known == name else "none"
        self._told.show({})
        try:
            self._fill(name)
        except Exception as error:  # noqa: BLE001 - a tab that does nothing helps nobody
            self.tell(error)

    def _fill(self, name: str) -> None:
        body = self._bodies[name]
        if body.children:
            body.children[0].refresh()
            return
        self._told.show({"opening": line_html(say("deck.opening"))})
        panel = self._panels.get(name)
        self._listen(panel)
        body.children = [panel]
        reachable_while_busy(body)
        self._told.show({})
        self.keep(now=True)

    def _listen(self, panel: Panel) -> None:
        """What stays of a panel stays of the deck."""
        if panel.model_id not in self._listened:
            self._listened.add(panel.model_id)
            panel.on_keep(self.keep)

    def tell(self, error: BaseException) -> None:
        """Show what went wrong above the panel."""
        self._told.show({"trouble": note_html(lines_of(error), kind="trouble")})
        self._told.announce(lines_of(error)[0])

    # --- what stays -----------------------------------------------------------------------

    def as_magic(self) -> str:
        """The line of the open panel."""
        made = self._panels.made.get(self.chosen)
        return "%anyfast panel" if made is None else made.as_magic()

    def essence(self) -> Bundle:
        """The essences of the panels that were opened here, one below the other."""
        made = self._panels.made
        opened = [(say(f"deck.{name}"), made[name].essence()) for name in self._bodies if name in made]
        return together(opened) if opened else notice(say("deck.nothing"))

    def _ipython_display_(self) -> None:
        """The first tab is open when it is first shown."""
        if not self.chosen:
            self.turn_to(NAMES[0])
        super()._ipython_display_()


def panel(name: str | None = None, *, session: Session | None = None) -> Panel:
    """Everything by mouse, in one cell: tabs of all panels, or one of them.

    There is one of each for a kernel: shown again it has what it had.

    Args:
        name: chat, video, image, asset, jobs or usage; by default tabs of all.
        session: of the kernel.

    Returns:
        A panel that shows itself.

    Raises:
        InputError: there is no such panel.

    Example:
        >>> panel("usage").as_magic()  # doctest: +SKIP
        '%anyfast usage month --by model --plot'
    """
    panels = (session or kernels_session()).panels
    return panels.deck() if name is None else panels.get(name)


def _words() -> dict[str, str]:
    return {name: say(f"deck.{name}") for name in NAMES}


def _languages() -> list[tuple[str, str]]:
    return [(_OWN_NAMES.get(one) or say("deck.auto"), one) for one in _LANGUAGES]
