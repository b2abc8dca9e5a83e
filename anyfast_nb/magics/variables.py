"""The user's Python names as a magic sees them: in `{{…}}`, and after --image or --video."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.magics import template
from anyfast_nb.magics.insertion import as_text, told

if TYPE_CHECKING:
    from anyfast_nb.session import Session

_SUFFIX_CHARS: Final = 5  # of `.jpeg`


class Variables:
    """Looks names up in the user's namespace and remembers what went into the prompt.

    Args:
        session: knows the last error, for ``{{error}}``.
        shell: has the user's names.
        on: False sends all braces as they are.

    Attributes:
        notes: a line for each thing that went in.
    """

    def __init__(self, session: Session, shell: Any, *, on: bool = True) -> None:
        self._session = session
        self._namespace: Mapping[str, Any] = shell.user_ns
        self._hidden = getattr(shell, "user_ns_hidden", {})  # IPython's own names are nobody's mistake
        self._on = on
        self.notes: list[str] = []

    def text(self, text: str) -> str:
        """A text with every `{{…}}` of our form replaced by its value.

        Raises:
            InputError: an unknown name, a frame that is too long, a picture.
        """
        if not self._on or "{{" not in text:
            return text
        return template.expand(text, lookup=self._lookup, names=self._names, as_text=self._as_text)

    def medium(self, word: str, *, kind: str) -> Any:
        """What --image or --video names: a URL, else a file, else a variable or a part of one.

        A part is written as in Python, without calls: ``shot.last_frame``, ``pics[0]``.

        Args:
            word: as it stands on the line.
            kind: the option's name, without dashes.

        Raises:
            InputError: both a file and a variable, or neither.
            AnyFastError: a part that had to be waited for failed.
        """
        field = kind.replace("-", "_")
        if (match := template.FIELD.fullmatch(word)) and (tree := template.parse(match[2])) is not None:
            return template.evaluate(tree, match[2].strip(), lookup=self._lookup, names=self._names)
        if "://" in word or word.startswith("data:"):
            return word
        if not word.strip():
            raise InputError(f"--{kind} is empty", field=field, hint="Give a URL, a path or a variable.")
        is_file, is_name = _is_there(word), word in self._namespace
        if is_file and is_name:
            raise InputError(
                f"--{kind} {word} is both a file and a variable",
                field=field,
                hint=f"Write --{kind} ./{word} for the file, --{kind} {{{{{word}}}}} for the variable.",
            )
        if is_name:
            return self._namespace[word]
        if not is_file and (root := template.root_of(word)) is not None:
            return self._part(word, root, kind)
        return Path(word)

    def _part(self, word: str, root: str, kind: str) -> Any:
        """A part of a variable, such as ``shot.last_frame``."""
        if root in self._namespace:
            tree = template.parse(word)
            assert tree is not None
            try:
                return template.evaluate(tree, word, lookup=self._lookup, names=self._names)
            except InputError as error:
                error.field = kind.replace("-", "_")
                error.message = f"--{kind} {error.message.replace(f'{{{{{word}}}}}', word)}"
                error.hint = f"There is no such file either: --{kind} takes a URL, a path or a variable."
                raise
        near = difflib.get_close_matches(root, list(self._names()), n=3, cutoff=0.6)
        if not near and 1 < len(Path(word).suffix) <= _SUFFIX_CHARS:  # `cat.png`, and nothing called cat
            return Path(word)
        raise InputError(
            f"--{kind} {word}: there is no such file and no such variable",
            field=kind.replace("-", "_"),
            hint=f"Did you mean {' or '.join(near)}?" if near else "Give a URL, a path or a variable.",
        )

    def names(self, word: str) -> bool:
        """Is this word a file or a variable?"""
        return word in self._namespace or _is_there(word)

    def function(self, name: str) -> Any:
        """What --tools names: a Python function of the user's.

        Raises:
            InputError: there is none of that name.
        """
        found = self._namespace.get(name)
        if "." in name and (tree := template.parse(name)) is not None:  # a method: shop.count
            found = template.evaluate(tree, name, lookup=self._lookup, names=self._names)
        if callable(found) or isinstance(found, Mapping):
            return found
        callables = [
            known for known, value in self._names().items() if callable(value) and not isinstance(value, type)
        ]
        near = difflib.get_close_matches(name, callables, n=3, cutoff=0.6)
        known = name in self._namespace or "." in name
        what = f"it is a {type(found).__name__}" if known else "there is no such function"
        raise InputError(
            f"--tools {name}: {what}",
            field="tools",
            hint=f"Did you mean {' or '.join(near)}?" if near else "Define it first: def name(x: int): …",
        )

    def _as_text(self, expression: str, value: Any) -> str:
        try:
            text = as_text(expression, value)
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's object raised
            raise InputError(
                f"{{{{{expression}}}}} cannot be put in: {type(error).__name__}: {str(error)[:200]}",
                hint=f"It is a {type(value).__name__}; give its text, such as {{{{{expression}_text}}}}.",
            ) from None
        self.notes.append(f"inserted {told(expression, value, text)}")
        return text

    def _lookup(self, name: str) -> Any:
        if name == "error":
            if self._session.failure is not None:
                return self._session.failure
            if name not in self._namespace:
                raise InputError("{{error}}: no cell has failed so far", hint="Nothing was sent.")
        return self._namespace[name]

    def _names(self) -> Mapping[str, Any]:
        return {
            name: value
            for name, value in self._namespace.items()
            if not name.startswith("_") and name not in self._hidden
        }


def _is_there(word: str) -> bool:
    try:
        return Path(word).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # too long for a path, or with a user nobody knows
        return False
