"""Tab completion: verbs, options, models, settings, threads, variable names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.magics.guide import VERBS
from anyfast_nb.magics.options import APIS, REASONING, verb_options

if TYPE_CHECKING:
    from anyfast_nb.session import Session

_LINE: Final = re.compile(r"^%{1,2}anyfast(?P<rest>\s.*)?$")
_BRACES: Final = re.compile(r"\{\{\s*(?P<name>\w*)$")


def matcher(shell: Any, session: Session) -> Callable[[Any], Any]:
    """A matcher of IPython's second completer protocol for this shell."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier="anyfast_matcher", priority=1000)  # type: ignore[untyped-decorator]
    def anyfast_matcher(context: Any) -> Any:
        found = candidates(
            context.full_text, context.cursor_line, context.cursor_position, shell=shell, session=session
        )
        if found is None:
            return {"completions": []}
        fragment, words = found
        completions = [SimpleCompletion(text=word, type="anyfast") for word in words]
        return {
            "completions": completions,
            "matched_fragment": fragment,
            "suppress": True,  # the place is ours: Python's names would mislead
            "ordered": True,
        }

    return anyfast_matcher  # type: ignore[no-any-return]


def candidates(
    text: str, line_number: int, column: int, *, shell: Any, session: Session
) -> tuple[str, list[str]] | None:
    """What may stand at the cursor: the fragment before it and the words, or None if it is not ours.

    Args:
        text: the whole cell.
        line_number: the cursor's line, from 0.
        column: the cursor's place in it, from 0.
        shell: gives the variable names.
        session: gives models and threads.
    """
    lines = text.split("\n")
    before = lines[line_number][:column]
    ours = before.lstrip().startswith(("%anyfast", "%%anyfast")) or text.lstrip().startswith("%%anyfast")
    if not ours:
        return None
    if braces := _BRACES.search(before):
        fragment = braces["name"]
        return fragment, _starting(_variables(shell), fragment)
    line = _LINE.match(before.lstrip())
    if line is None or line["rest"] is None:
        return None
    words = line["rest"].split()
    fragment = "" if line["rest"][-1].isspace() else words.pop()
    if fragment.startswith("--") and "=" in fragment:  # --model=do: the value alone is replaced
        name, _, fragment = fragment.partition("=")
        words.append(name)
    return fragment, _starting(
        _words(words, fragment, is_cell="%%" in before, shell=shell, session=session), fragment
    )


def _words(before: list[str], fragment: str, *, is_cell: bool, shell: Any, session: Session) -> Iterable[str]:
    verb = before[0] if before and before[0] in VERBS else ("chat" if is_cell or before else "")
    options = verb_options(verb or "chat")
    if not before and not fragment.startswith("-"):
        return VERBS
    last = before[-1] if before else ""
    if last.startswith("-") and options.takes_value(last):
        return _values(last, shell, session)
    if verb == "help":
        return VERBS
    if verb == "config" and not fragment.startswith("-"):
        return _settings(fragment, session)
    return options.names() if fragment.startswith("-") or not fragment else ()


def _values(option: str, shell: Any, session: Session) -> Iterable[str]:
    from anyfast_nb import catalog
    from anyfast_nb.magics import origin

    if option in {"-m", "--model"}:
        return catalog.names(ability="chat")
    if option == "--thread":
        return session.threads.names(notebook=origin.notebook(shell))
    if option == "--tools":
        return [name for name in _variables(shell) if callable(shell.user_ns[name])]
    words = {"--reasoning": REASONING, "--api": APIS, "--tool-choice": ("auto", "none", "required")}
    if option in words:
        return words[option]
    return _variables(shell) if option in {"--image", "--video", "--file", "--to"} else ()


def _settings(fragment: str, session: Session) -> Iterable[str]:
    from anyfast_nb import catalog
    from anyfast_nb.settings import CONFIGURABLE, FOOTERS, SIMULATOR

    name, equals, _ = fragment.partition("=")
    if not equals:
        return [f"{setting}=" for setting in CONFIGURABLE]
    known = {"model": catalog.names(ability="chat"), "footer": FOOTERS, "base_url": (SIMULATOR,)}
    return [f"{name}={value}" for value in known.get(name, ())]


def _variables(shell: Any) -> list[str]:
    hidden = getattr(shell, "user_ns_hidden", {})
    return sorted(name for name in shell.user_ns if not name.startswith("_") and name not in hidden)


def _starting(words: Iterable[str], fragment: str) -> list[str]:
    return [word for word in words if word.startswith(fragment)]
