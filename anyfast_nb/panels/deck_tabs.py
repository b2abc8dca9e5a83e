"""A row of tabs: named, reachable by keyboard, and wrapped where the page is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

from anyfast_nb.panels.board import FRONT, STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SCRIPT: Final = FRONT / "tabs.js"


class Tabs(anywidget.AnyWidget):
    """The row.

    Args:
        label: what it is, for those who do not see it.
        names: the tabs' words by their names.
        chosen: the one that is open.
        on_choose: called with the name of another.
    """

    _esm = _SCRIPT.read_text("utf-8")
    _css = STYLE
    label = traitlets.Unicode().tag(sync=True)
    names: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, *, label: str, names: Mapping[str, str], chosen: str, on_choose: Callable[[str], None]
    ) -> None:
        super().__init__(label=label, names=[list(pair) for pair in names.items()], chosen=chosen)
        self.observe(lambda change: on_choose(str(change["new"])), "chosen")
