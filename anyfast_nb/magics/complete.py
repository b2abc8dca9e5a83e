"""Tab completion: verbs, options, models, settings, threads, variable names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.magics.guide import VERBS
from anyfast_nb.magics.guide_generations import TOPICS
from anyfast_nb.magics.options import APIS, PERIODS, REASONING, SCOPES, verb_options
from anyfast_nb.magics.panel_verbs import NAMES as PANELS

if TYPE_CHECKING:
    from anyfast_nb.session import Session

_OURS: Final = r"(?P<magic>anyfast|seedance|kling|seedream)"
_LINE: Final = re.compile(rf"^\s*(?:[\w.]+\s*=\s*)?%{{1,2}}{_OURS}(?P<rest>\s.*)?$")
_CELL: Final = re.compile(rf"^\s*%%{_OURS}(?:\s|$)")
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
    line = _LINE.match(before)
    if line is None and not _CELL.match(text):
        return None
    if braces := _BRACES.search(before):
        fragment = braces["name"]
        return fragment, _starting(_variables(shell), fragment)
    if line is None or line["rest"] is None:
        return None
    words = line["rest"].split()
    fragment = "" if line["rest"][-1].isspace() else words.pop()
    if fragment.startswith("--") and "=" in fragment:  # --model=do: the value alone is replaced
        name, _, fragment = fragment.partition("=")
        words.append(name)
    if words and words[-1] == "--tools":  # one name after the other: f,g
        fragment = fragment.rpartition(",")[2]
    found = _of_generations(line["magic"], words, fragment, shell=shell, session=session)
    if found is None:
        found = _words(words, fragment, is_cell="%%" in before, shell=shell, session=session)
    return fragment, _starting(found, fragment)


def _of_generations(
    magic: str, before: list[str], fragment: str, *, shell: Any, session: Session
) -> Iterable[str] | None:
    """What stands in the lines about films, pictures, jobs and assets; None on all others."""
    from anyfast_nb.magics import complete_generations as theirs

    def media() -> list[str]:
        return [*theirs.media_names(shell.user_ns, _variables(shell)), *_paths(fragment)]

    if before[-1:] == ["--to"]:
        return _variables(shell)
    if magic != "anyfast":
        return theirs.words(magic, before, fragment, media=media, session=session)
    if before and before[0] in theirs.VERBS:
        return theirs.words(before[0], before[1:], fragment, media=media, session=session)
    return None


def _words(before: list[str], fragment: str, *, is_cell: bool, shell: Any, session: Session) -> Iterable[str]:
    verb = before[0] if before and before[0] in VERBS else ("chat" if is_cell or before else "")
    options = verb_options(verb or "chat")
    if not before and not fragment.startswith("-"):
        return VERBS
    last = before[-1] if before else ""
    if last.startswith("-") and options.takes_value(last) and verb != "prices":  # these are of all models
        return _values(last, before, fragment, shell=shell, session=session)
    if verb in {"help", "panel"}:
        names = (*VERBS, *TOPICS) if verb == "help" else PANELS
        return () if verb == "panel" and len(before) > 1 else names
    if verb in {"budget", "prices", "usage"}:
        return _of_the_ledger(verb, before[1:], fragment, session)
    if verb == "config" and not fragment.startswith("-"):
        return _settings(fragment, session)
    return options.names() if fragment.startswith("-") or not fragment else ()


def _of_the_ledger(verb: str, before: list[str], fragment: str, session: Session) -> Iterable[str]:
    from anyfast_nb.magics import budget_verbs, price_verbs, usage_verbs

    if verb == "usage":
        return (not fragment.startswith("-") and usage_verbs.words(before)) or verb_options(verb).names()
    words = budget_verbs.words if verb == "budget" else price_verbs.words
    return words(before, fragment, session)


def _values(option: str, before: list[str], fragment: str, *, shell: Any, session: Session) -> Iterable[str]:
    from anyfast_nb import catalog
    from anyfast_nb.magics import origin, usage_verbs

    ability = None if before[:1] == ["usage"] else "chat"  # films are used as well
    found: dict[str, Callable[[], Iterable[str]]] = {
        "-m": lambda: catalog.names(ability=ability),
        "--model": lambda: catalog.names(ability=ability),
        "--thread": lambda: session.threads.names(notebook=origin.notebook(shell)),
        "--tools": lambda: [name for name in _variables(shell) if callable(shell.user_ns[name])],
        "--tool-choice": lambda: ("auto", "none", "required", *_tools_in(before)),
        "--reasoning": lambda: REASONING,
        "--api": lambda: APIS,
        "--per": lambda: PERIODS,
        "--scope": lambda: SCOPES,
        "--to": lambda: _variables(shell),
    }
    if option in {"--image", "--video", "--file"}:
        return [*_variables(shell), *_paths(fragment)]
    return found[option]() if option in found else usage_verbs.values(option)


def _tools_in(words: list[str]) -> Iterable[str]:
    """The names that --tools has on this line."""
    given = [word for option, word in pairwise(words) if option == "--tools"]
    given += [word.partition("=")[2] for word in words if word.startswith("--tools=")]
    return [name for word in given for name in word.split(",") if name]


def _paths(fragment: str) -> list[str]:
    """Files and folders that begin so; one with a space in its name would need quotes, and is left out."""
    folder, slash, _ = fragment.rpartition("/")
    try:
        found = list(Path(folder + slash or ".").expanduser().iterdir())
    except (OSError, RuntimeError, ValueError):
        return []
    names = [f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}" for path in found]
    hidden = f"{folder}{slash}."
    return sorted(
        name
        for name in names
        if " " not in name and (fragment.startswith(hidden) or not name.startswith(hidden))
    )


def _settings(fragment: str, session: Session) -> Iterable[str]:
    from anyfast_nb import catalog
    from anyfast_nb.settings import CONFIGURABLE, FOOTERS, SIMULATOR

    name, equals, _ = fragment.partition("=")
    if not equals:
        return [f"{setting}=" for setting in CONFIGURABLE]
    known = {"model": catalog.names(ability="chat"), "footer": FOOTERS, "base_url": (SIMULATOR,)}
    known["wait"] = ("true", "false")
    return [f"{name}={value}" for value in known.get(name, ())]


def _variables(shell: Any) -> list[str]:
    hidden = getattr(shell, "user_ns_hidden", {})
    return sorted(name for name in shell.user_ns if not name.startswith("_") and name not in hidden)


def _starting(words: Iterable[str], fragment: str) -> list[str]:
    return [word for word in words if word.startswith(fragment)]
