"""`%anyfast panel`: everything by mouse, in one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyfast_nb.magics.options import split, verb_options

if TYPE_CHECKING:
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session

NAMES = ("chat", "video", "image", "asset", "jobs", "usage")


def panel(session: Session, line: str, show: Show) -> None:
    """Show the tabs of all panels, or one panel.

    Args:
        session: whose panels.
        line: a name, or nothing.
        show: unused: a panel shows itself, and keeps on changing what it showed.

    Raises:
        InputError: there is no such panel.
    """
    from IPython.display import display

    words = verb_options("panel").read_words(split(line), most=1)
    display(session.panels.get(words[0]) if words else session.panels.deck())  # type: ignore[no-untyped-call]
