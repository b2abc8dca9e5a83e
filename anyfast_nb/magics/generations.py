"""The magics `%seedance`, `%kling` and `%seedream`, in a line or above a cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from anyfast_nb.errors import Interrupted
from anyfast_nb.magics import origin
from anyfast_nb.magics.assigned import result_is_used
from anyfast_nb.magics.guide import guide

if TYPE_CHECKING:
    from anyfast_nb.session import Session


@magics_class
class GenerationMagics(Magics):
    """The magics, for one shell and its session."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self._shell = shell
        self._session = session

    @no_var_expand
    @line_cell_magic
    def seedance(self, line: str, cell: str | None = None) -> Any:
        """Make a film with Seedance."""
        return self._run("seedance", line, cell)

    @no_var_expand
    @line_cell_magic
    def kling(self, line: str, cell: str | None = None) -> Any:
        """Make a film with Kling."""
        return self._run("kling", line, cell)

    @no_var_expand
    @line_cell_magic
    def seedream(self, line: str, cell: str | None = None) -> Any:
        """Make pictures with Seedream."""
        return self._run("seedream", line, cell)

    def _run(self, kind: str, line: str, cell: str | None) -> Any:
        """Run one of them. What it shows is shown; its result is for whoever takes it."""
        if wants_help(line, cell):
            print(guide(kind))  # noqa: T201 - help is text in every front end
            return None
        try:
            made = self._made(kind, line, cell)
        except Interrupted:
            raise
        except KeyboardInterrupt:  # while it read a file, or looked something up
            raise Interrupted("stopped; nothing was sent") from None
        return made if result_is_used() else None

    def _made(self, kind: str, line: str, cell: str | None) -> Any:
        from anyfast_nb.magics.film import film, pictures

        if kind == "seedream":
            return pictures(self._session, self._shell, line, cell, show=self._show)
        return film(self._session, self._shell, kind, line, cell, show=self._show)

    def _show(self, bundle: dict[str, Any]) -> None:
        origin.show(self._shell, bundle)


def wants_help(line: str, cell: str | None) -> bool:
    """Is this a question for help: nothing but --help, or nothing at all?"""
    if cell is None:
        return bool(re.fullmatch(r"\s*(--help|-h|\?)?\s*", line))
    return bool(re.search(r"(^|\s)--help(\s|$)", line))


for _kind in ("seedance", "kling", "seedream"):
    getattr(GenerationMagics, _kind).__doc__ = guide(_kind)
