"""What `%load_ext anyfast_nb` puts into a shell, and takes out again."""

from __future__ import annotations

import re
from typing import Any, Final

from anyfast_nb.errors import AnyFastError, Interrupted
from anyfast_nb.gateway.whence import CELLS
from anyfast_nb.magics import warmup
from anyfast_nb.magics.anyfast import AnyFastMagics
from anyfast_nb.magics.complete import matcher
from anyfast_nb.magics.generations import GenerationMagics
from anyfast_nb.session import Failure, Session, session

_MAGICS: Final = ("anyfast", "seedance", "kling", "seedream")
_QUESTION: Final = re.compile(r"^%(?P<magic>anyfast|seedance|kling|seedream)\s+(?P<line>\S.*\?)\s*$")
_CELL_FILE: Final = re.compile(r'File "[^"]*ipykernel_\d+[^"]*"')  # a cell's source has a temporary name
_KEY: Final = "anyfast_nb_extension"


class Extension:
    """Everything that is hooked into one shell."""

    def __init__(self, shell: Any, own: Session) -> None:
        self._shell = shell
        self._session = own
        self._matcher = matcher(shell, own)

    def load(self) -> None:
        """Register magics, completion, and the hooks."""
        self._shell.register_magics(AnyFastMagics(self._shell, self._session))
        self._shell.register_magics(GenerationMagics(self._shell, self._session))
        self._shell.Completer.custom_matchers.append(self._matcher)
        self._shell.input_transformers_cleanup.append(keep_questions)
        self._shell.events.register("pre_run_cell", self._begin_cell)
        self._shell.events.register("post_run_cell", self._end_cell)
        self._begin_cell()
        self._shell.events.register("post_run_cell", self._remember_failure)
        warmup.after_this_cell(self._shell)

    def unload(self) -> None:
        """Take all of it out again."""
        for kind in ("line", "cell"):
            for name in _MAGICS:
                self._shell.magics_manager.magics[kind].pop(name, None)
        self._shell.Completer.custom_matchers.remove(self._matcher)
        self._shell.input_transformers_cleanup.remove(keep_questions)
        self._shell.events.unregister("post_run_cell", self._remember_failure)
        self._shell.events.unregister("pre_run_cell", self._begin_cell)
        self._shell.events.unregister("post_run_cell", self._end_cell)
        self._end_cell()

    def _begin_cell(self, *_: Any) -> None:
        CELLS.began(self._shell)

    def _end_cell(self, *_: Any) -> None:
        CELLS.ended(self._shell)

    def _remember_failure(self, result: Any) -> None:
        error = result.error_in_exec or result.error_before_exec
        if error is None or isinstance(error, AnyFastError | Interrupted | KeyboardInterrupt):
            return
        import traceback

        from anyfast_nb.http.redact import redact

        # A cell that cannot be read has no frames of its own: the error shows the line.
        frames = None if isinstance(error, SyntaxError) else _own_frames(error)
        lines = "".join(traceback.format_exception(type(error), error, frames))
        self._session.failure = Failure(
            cell=redact((result.info.raw_cell or "").strip()),
            traceback=redact(_CELL_FILE.sub('File "<cell>"', lines).strip()),
        )


def _own_frames(error: BaseException) -> Any:
    """The traceback from the user's cell on: IPython's own frames say nothing to a model."""
    frame = error.__traceback__
    while frame is not None and "IPython" in frame.tb_frame.f_code.co_filename:
        frame = frame.tb_next
    return frame or error.__traceback__


def keep_questions(lines: list[str]) -> list[str]:
    """`%anyfast chat why?` reaches the magic, which can say that a prompt is quoted.

    IPython takes a line that ends in a question mark for a request for help on its last word.
    """
    if len(lines) == 1 and (asked := _QUESTION.match(lines[0])):
        return [f"get_ipython().run_line_magic({asked['magic']!r}, {asked['line']!r})\n"]
    return lines


def load(shell: Any) -> None:
    """Load the extension into a shell; a second time replaces the first."""
    unload(shell)
    extension = Extension(shell, session())
    extension.load()
    setattr(shell, _KEY, extension)


def unload(shell: Any) -> None:
    """Take the extension out of a shell."""
    extension = getattr(shell, _KEY, None)
    if extension is not None:
        extension.unload()
        setattr(shell, _KEY, None)
