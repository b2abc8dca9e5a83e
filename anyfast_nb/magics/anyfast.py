"""`%anyfast` and `%%anyfast`: a line to a verb."""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from anyfast_nb.errors import Interrupted
from anyfast_nb.magics import origin
from anyfast_nb.magics.guide import VERBS, guide, unknown_verb

if TYPE_CHECKING:
    from anyfast_nb.session import Session

_ROOMS: Final = {
    "budget": "budget_verbs",
    "panel": "panel_verbs",
    "prices": "price_verbs",
    "usage": "usage_verbs",
}
"""The verbs that have a module of their own."""


@magics_class
class AnyFastMagics(Magics):
    """The magics, for one shell and its session."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self._shell = shell
        self._session = session

    @no_var_expand
    @line_cell_magic
    def anyfast(self, line: str, cell: str | None = None) -> None:
        """Ask a model, and look after keys, settings and usage."""
        try:
            self._dispatch(line, cell)
        except Interrupted:
            raise
        except KeyboardInterrupt:  # before a request was under way, or while it looked something up
            raise Interrupted("stopped") from None

    def _dispatch(self, line: str, cell: str | None) -> None:
        verb, rest = _verb(line, is_cell=cell is not None)
        if _wants_help(rest, cell):
            self._show_text(guide(verb))
        elif verb == "help":
            self._show_text(guide(rest.strip()))
        elif verb == "chat":
            from anyfast_nb.magics.chat import chat

            chat(self._session, self._shell, rest, cell, show=self._show)
        elif verb in {"assets", "jobs", "resume"}:
            self._run_elsewhere(verb, rest)
        else:
            self._run(verb, rest)

    def _run(self, verb: str, rest: str) -> None:
        room = import_module(f"anyfast_nb.magics.{_ROOMS.get(verb, 'verbs')}")
        call = getattr(room, verb)
        if verb == "code":
            call = partial(call, insert=partial(self._shell.set_next_input, replace=False))
        if verb == "models" and (told := self._session.simulator_notice()):
            self._show_text(told)
        call(self._session, rest, self._show)

    def _run_elsewhere(self, verb: str, rest: str) -> None:
        """The verbs about films and what goes into them: they need the shell for its names."""
        if verb == "assets":
            from anyfast_nb.magics.asset_verbs import assets as call
        else:
            from anyfast_nb.magics.job_verbs import jobs, resume

            call = jobs if verb == "jobs" else resume
        call(self._session, self._shell, rest, show=self._show)

    def _show(self, bundle: dict[str, Any]) -> None:
        origin.show(self._shell, bundle)

    def _show_text(self, text: str) -> None:
        print(text)  # noqa: T201 - help is text in every front end


def _verb(line: str, *, is_cell: bool) -> tuple[str, str]:
    """The verb and the rest of the line; without a verb a prompt or options mean chat."""
    word, rest = [*line.split(None, 1), "", ""][:2]
    if word in VERBS:
        return word, rest
    if word.rstrip("?") in VERBS:
        return word.rstrip("?"), "--help"
    if is_cell or word[:1] in {'"', "'"} or (word.startswith("-") and word not in {"-h", "--help"}):
        return "chat", line.strip()
    if not word or word in {"-h", "--help", "?"}:
        return "help", ""
    raise unknown_verb(word)


def _wants_help(rest: str, cell: str | None) -> bool:
    return (cell is None and bool(re.fullmatch(r"\s*(--help|-h)\s*", rest))) or (
        cell is not None and bool(re.search(r"(^|\s)--help(\s|$)", rest))
    )


AnyFastMagics.anyfast.__doc__ = (
    "Ask a model, and look after keys, settings and usage.\n\n" + guide("") + "\n\n" + guide("chat")
)
