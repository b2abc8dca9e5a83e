"""A magic's line to words and options; a wrong one is refused with the nearest name."""

from __future__ import annotations

import argparse
import difflib
import json
import keyword
import re
import shlex
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from anyfast_nb.errors import InputError
from anyfast_nb.magics.template import FIELD
from anyfast_nb.wire.values import Source

# Private use: no prompt holds them. The second keeps a quoted text with a dash from being an option.
_MARK: Final = "\ue000"
_GUARD: Final = "\ue001"
REASONING: Final = ("minimal", "low", "medium", "high", "off")
APIS: Final = ("chat", "responses")
USAGE_BY: Final = ("model", "day", "notebook", "user", "thread", "kind")
USAGE_KINDS: Final = ("chat", "responses", "seedream", "seedance", "kling", "asset")
USAGE_SOURCES: Final = tuple(word.value for word in Source)
PERIODS: Final = ("day", "week", "total")
SCOPES: Final = ("all", "user", "notebook", "thread")
_QUOTED_DASH: Final = re.compile(r"(?<!\S)([\"'])(?=-)")


class Options(argparse.ArgumentParser):
    """Options of one verb; errors are ours, and nothing exits."""

    def __init__(self, verb: str, *, prog: str = "") -> None:
        super().__init__(prog=prog or f"%anyfast {verb}", add_help=False, allow_abbrev=False)
        self.verb = verb
        self.add_argument("words", nargs="*")
        self.add_argument("--help", "-h", action="store_true")

    def names(self) -> list[str]:
        """All long options, for completion and for "did you mean"."""
        return sorted(name for action in self._actions for name in action.option_strings if name[:2] == "--")

    def takes_value(self, name: str) -> bool:
        """Does this option have a value?"""
        return any(name in action.option_strings and action.nargs != 0 for action in self._actions)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse; options may stand before and after the words.

        Raises:
            InputError: an unknown option, a value that is missing or of the wrong kind.
        """
        found, rest = self.parse_known_intermixed_args(list(words))
        if rest:
            self._refuse(rest[0])
        for name, value in vars(found).items():
            setattr(found, name, _unguarded(value))
        return found

    def read_words(self, words: Sequence[str], *, most: int = 0) -> list[str]:
        """Parse a verb that takes at most so many words and no options of its own.

        Raises:
            InputError: an option, or a word too many.
        """
        found: list[str] = self.read(words).words
        if len(found) > most:
            raise InputError(
                f"{self.prog}: {found[most]!r} is one word too many",
                hint=f"`%anyfast help {self.verb}` shows how it is written.",
            )
        return found

    def _refuse(self, word: str) -> NoReturn:
        name = word.partition("=")[0]
        plain = [known.removeprefix("--") for known in self.names()]
        near = difflib.get_close_matches(name.removeprefix("--"), plain, n=1, cutoff=0.6)
        hint = f"Did you mean --{near[0]}? " if near else ""
        raise InputError(
            f"unknown option {name} of {self.prog}",
            field=name,
            hint=f"{hint}`%anyfast help {self.verb}` lists them.",
        )

    def error(self, message: str) -> NoReturn:
        """Turn argparse's own complaints into ours."""
        raise InputError(
            f"{self.prog}: {message}", hint=f"`%anyfast help {self.verb}` shows how it is written."
        )


def split(line: str) -> list[str]:
    """A line to words as a shell would, with `{{…}}` never cut.

    Raises:
        InputError: a quote is not closed.
    """
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group(0))
        return f"{_MARK}{len(kept) - 1}{_MARK}"

    guarded = _QUOTED_DASH.sub(rf"\1{_GUARD}", FIELD.sub(keep, line))
    lexer = shlex.shlex(guarded, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        raise InputError(
            f"a quote is not closed: {line[:60]}", hint='A prompt with an apostrophe stands in "…".'
        ) from None
    words = [word[:1] + word[1:].replace(_GUARD, "") for word in words]  # within a text it guards nothing
    return [re.sub(f"{_MARK}(\\d+){_MARK}", lambda match: kept[int(match[1])], word) for word in words]


def _unguarded(value: Any) -> Any:
    if isinstance(value, list):
        return [_unguarded(item) for item in value]
    return value.removeprefix(_GUARD) if isinstance(value, str) else value


def line_prompt(words: Sequence[str], line: str, *, magic: str = "%anyfast chat") -> str:
    """The prompt of a line magic: one quoted text.

    Args:
        words: that are no options.
        line: as it was written.
        magic: how the line begins, and `%%` before a cell.

    Raises:
        InputError: none, or several words, which were not quoted.
    """
    if not words:
        raise InputError(
            "there is no prompt",
            hint=f'Write {magic} "your prompt", or %{magic.split(maxsplit=1)[0]} with it below.',
        )
    unquoted = len(words) == 1 and not re.search(r"[\"']", line)
    if len(words) > 1 or (unquoted and words[0].endswith("?")):
        why = " (IPython takes a trailing ? for a help request)" if words[-1].endswith("?") else ""
        raise InputError(f"a prompt on the line is quoted{why}", hint=f'Write {magic} "{" ".join(words)}"')
    return words[0]


def chat_options() -> Options:
    """The options of `chat`."""
    options = Options("chat")
    add = options.add_argument
    add("-m", "--model", metavar="MODEL")
    add("--system", metavar="TEXT")
    add("--temperature", type=float, metavar="0-2")
    add("--top-p", type=float, metavar="0-1")
    add("--max-tokens", type=int, metavar="N")
    add("--stop", action="append", metavar="TEXT")
    add("--image", action="append", default=[], metavar="URL|PATH|NAME")
    add("--video", action="append", default=[], metavar="URL|PATH|NAME")
    add("--fps", type=float, metavar="0.2-5")
    add("--file", action="append", default=[], metavar="URL|PATH|NAME")
    add("--reasoning", choices=REASONING, metavar="|".join(REASONING))
    add("--tools", action="append", default=[], metavar="NAME,NAME")
    add("--tool-choice", metavar="auto|none|required|NAME")
    add("--max-rounds", type=int, metavar="N")
    add("--api", choices=APIS, metavar="|".join(APIS))
    add("--extra", action="append", default=[], metavar="FIELD=VALUE")
    add("--thread", metavar="NAME")
    add("--to", metavar="VAR")
    for flag in (
        "--new",
        "--append",
        "--plain",
        "--json",
        "--no-stream",
        "--no-vars",
        "--dry-run",
        "--downscale",
    ):
        add(flag, action="store_true")
    return options


def verb_options(verb: str) -> Options:
    """The options of any verb."""
    if verb == "chat":
        return chat_options()
    options = Options(verb)
    if verb == "budget":
        options.add_argument("--per", choices=PERIODS, metavar="|".join(PERIODS))
        options.add_argument("--scope", choices=SCOPES, metavar="|".join(SCOPES))
        options.add_argument("--zone", metavar="NAME")
        options.add_argument("--soft", action="store_true")
    if verb == "prices":
        options.add_argument("--all", action="store_true")
        options.add_argument("--since", metavar="DATE")
        options.add_argument("-m", "--model", action="append", metavar="MODEL")
    if verb == "usage":
        _add_usage(options)
    if verb in {"login", "config"}:
        options.add_argument("--save", action="store_true")
    return options


def _add_usage(options: Options) -> None:
    add = options.add_argument
    add("--by", choices=USAGE_BY, metavar="|".join(USAGE_BY))
    add("--last", type=int, metavar="N")
    add("-m", "--model", action="append", metavar="MODEL")
    add("--kind", action="append", choices=USAGE_KINDS, metavar="|".join(USAGE_KINDS))
    add("--source", action="append", choices=USAGE_SOURCES, metavar="|".join(USAGE_SOURCES))
    for name in ("thread", "notebook", "user"):
        add(f"--{name}", action="append", metavar="NAME")
    add("--tz", metavar="ZONE")
    add("--plot", action="store_true")
    add("--csv", metavar="FILE")
    add("--theme", choices=("light", "dark", "auto"), default="auto", metavar="light|dark|auto")


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of `names` that were given."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def field_value(word: str) -> tuple[str, Any]:
    """`seed=7` as a field of the request: JSON where it is JSON, else the text itself.

    Raises:
        InputError: it is not written so.
    """
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise InputError(
            f"--extra {word}: a field is written NAME=VALUE", field="extra", hint="--extra seed=7"
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def check_name(name: str | None) -> None:
    """Refuse what --to gives if no variable can be called so.

    Raises:
        InputError: it is no name.
    """
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise InputError(f"--to {name}: that is no name for a variable", field="to", hint="Nothing was sent.")
