r"""What a panel asks for, as the magic and as the Python call that ask for the same.

A short prompt stands on the line, any other one below it. A few texts cannot stand on a line at all, such
as a negative prompt of several lines: such a cell calls Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_MANY: Final = {"images": "--image", "videos": "--video", "audios": "--audio", "files": "--file"}
_ONE: Final = {
    "model": "--model",
    "first_frame": "--first-frame",
    "last_frame": "--last-frame",
    "image": "--image",
    "image_tail": "--image-tail",
    "aspect_ratio": "--ratio",
}
_MEDIA: Final = frozenset({*_MANY, "first_frame", "last_frame", "image", "image_tail"})
_TRUTHS: Final = {  # option if true, option if false
    "audio": ("--sound", "--silent"),
    "sound": ("--sound", "--silent"),
    "strict": ("", "--no-strict"),
    "stream": ("", "--no-stream"),
}
_PLAIN_WORD: Final = re.compile(r"[\w./:@%+=,~-]*[\w./:@%+=,~]", re.ASCII)
_TASK: Final = re.compile(r"[0-9a-f]{8}|[0-9a-f]{32}|asyntask_\w+")
# A field in braces is never cut or unquoted on a line: what is in it stands there as it is.
_FIELD: Final = re.compile(r"\\?\{\{(?!\{)(?:(?!\{\{)[^\n]){1,300}?\}\}")
_DASHED: Final = re.compile(r"(?<=\s)'(?=-)")  # begins a quoted text on a line, in another text as well
_LONGEST_LINE: Final = 100
_NOT_ON_A_LINE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ue000\ue001]")
_IPYTHONS_PROMPT: Final = re.compile(r"^\s*(>>>|\.\.\.|In \[\d+\]:)", re.MULTILINE)
_IMPORT: Final = "import anyfast_nb as af"


class Name(str):
    """A variable of the notebook, or a part of one, as Python writes it: ``shot.last_frame``."""

    __slots__ = ()


def chat_cell(prompt: str, options: Mapping[str, Any], *, thread: str = "") -> str:
    """A chat as a cell.

    Args:
        prompt: the words.
        options: arguments of `af.chat`; media as paths, addresses and `Name`s.
        thread: the conversation it belongs to.

    Example:
        >>> print(chat_cell("Why is the sky blue?", {"model": "mini", "images": ["sky.png"]}))
        %%anyfast chat --model mini --image sky.png
        Why is the sky blue?
    """
    words = [*_line_words("chat", options), *(["--thread", quoted(thread)] if thread else [])]
    return _cell("%%anyfast chat", words, prompt, options, python=chat_python(prompt, options))


def chat_python(prompt: str, options: Mapping[str, Any]) -> str:
    """A chat as Python; arguments as of `chat_cell`."""
    return _call("chat", prompt, options)


def film_line(kind: str, prompt: str, options: Mapping[str, Any], *, take: int = 1) -> str:
    """A film as a line, or as a cell where its prompt is long.

    Args:
        kind: seedance or kling.
        prompt: the words.
        options: arguments of `af.seedance` or `af.kling`; media as paths, addresses and `Name`s. One of
            Kling's `images` alone is what begins the film: a line knows no difference.
        take: which take of it.

    Example:
        >>> film_line("seedance", "A cat plays", {"first_frame": "cat.png", "duration": 5})
        '%seedance "A cat plays" --first-frame cat.png --duration 5'
    """
    words = [*_line_words(kind, options), *(["--take", str(take)] if take > 1 else [])]
    return _lined(kind, prompt, words, options, python=film_python(kind, prompt, options, take=take))


def film_python(kind: str, prompt: str, options: Mapping[str, Any], *, take: int = 1) -> str:
    """A film as Python; arguments as of `film_line`.

    Example:
        >>> film_python("seedance", "A cat plays", {"first_frame": Name("cat"), "duration": 5})
        'af.seedance("A cat plays", first_frame=cat, duration=5)'
    """
    also = {"take": take, "reuse": True} if take > 1 else {}
    return _call(kind, prompt, {**options, **also})


def picture_line(prompt: str, options: Mapping[str, Any]) -> str:
    """Pictures as a line, or as a cell where their prompt is long; `options` are those of `af.seedream`."""
    words = _line_words("seedream", options)
    return _lined("seedream", prompt, words, options, python=picture_python(prompt, options))


def picture_python(prompt: str, options: Mapping[str, Any]) -> str:
    """Pictures as Python; arguments as of `picture_line`."""
    return _call("seedream", prompt, options)


# --- a line ---------------------------------------------------------------------------------


def quoted(text: str) -> str:
    r"""A text as one word of a magic's line.

    Example:
        >>> print(quoted('say "hi"'), quoted("16:9"))
        "say \"hi\"" 16:9
    """
    if _PLAIN_WORD.fullmatch(text) and not text.startswith("-"):
        return text
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    parts, at = [], 0
    for field in _FIELD.finditer(text):
        parts += [_escaped(text[at : field.start()]), field[0]]
        at = field.end()
    return '"' + "".join([*parts, _escaped(text[at:])]) + '"'


def _escaped(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return _DASHED.sub('"\\\\\'"', inner)


def _lined(kind: str, prompt: str, words: list[str], options: Mapping[str, Any], *, python: str) -> str:
    if _fits_a_line(prompt) and (prompt or not _MEDIA.isdisjoint(options)):
        said = [_in_quotes(prompt)] if prompt else []
        every = [f"%{kind}", *said, *_bare(prompt, options), *words]
        return " ".join(every) if _can_be_read(every) else _as_python(python)
    return _cell(f"%%{kind}", words, prompt, options, python=python)


def _cell(head: str, words: list[str], prompt: str, options: Mapping[str, Any], *, python: str) -> str:
    every = [head, *_bare(prompt, options), *words]
    # IPython takes the signs of an interactive session off a cell that holds them.
    changed = prompt != prompt.strip("\n") or _IPYTHONS_PROMPT.search(prompt)
    if not prompt or changed or not _can_be_read(every):
        return _as_python(python)
    return f"{' '.join(every)}\n{prompt}"


def _can_be_read(words: list[str]) -> bool:
    """Does a line of these words mean them?"""
    line = " ".join(words)
    fields = [field for word in words for field in _FIELD.findall(word)]
    return not _NOT_ON_A_LINE.search(line) and _FIELD.findall(line) == fields


def _as_python(call: str) -> str:
    return f"{_IMPORT}\n\n{call}"


def _fits_a_line(prompt: str) -> bool:
    return len(prompt) <= _LONGEST_LINE and not _NOT_ON_A_LINE.search(prompt)


def _bare(prompt: str, options: Mapping[str, Any]) -> list[str]:
    """A panel puts no variables into its texts."""
    texts = (prompt, options.get("negative_prompt"), options.get("system"), *(options.get("stop") or ()))
    return ["--no-vars"] if any("{{" in text for text in texts if text) else []


def _line_words(kind: str, options: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        words += _option(kind, name, value)
    return words


def _option(kind: str, name: str, value: Any) -> Iterable[str]:
    """One argument in the words of a line; what a line says by saying nothing is left out."""
    plain = _ONE.get(name, f"--{name.replace('_', '-')}")
    if name == "aspect_ratio" and kind != "kling":
        plain = "--aspect-ratio"
    match value:
        case None:
            return ()
        case list() | tuple():
            write = _medium if name in _MANY else quoted
            return [word for one in value for word in (_MANY.get(name, plain), write(one))]
        case bool():
            yes, no = _TRUTHS.get(name, (plain, ""))
            return [word for word in (yes if value else no,) if word]
        case Mapping():
            return _mapping(name, plain, value)
        case _ if name in _MEDIA:
            return [plain, _medium(value)]
    return [plain, quoted(value) if isinstance(value, str) else str(value)]


def _mapping(name: str, plain: str, value: Mapping[str, Any]) -> Iterable[str]:
    if name == "response_format":
        return ["--json"]
    if name == "extra":
        return [word for key in value for word in (plain, quoted(f"{key}={_json(value[key])}"))]
    return [plain, quoted(_json(value))]


def _medium(value: Any) -> str:
    """A path, an address or a name; a file whose name could be something else says where it is."""
    text = str(value)
    could_be_else = "/" not in text and (text.isidentifier() or bool(_TASK.fullmatch(text)))
    if not isinstance(value, Name) and "://" not in text and could_be_else:
        text = f"./{text}"
    return quoted(text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- Python ---------------------------------------------------------------------------------


def _call(verb: str, prompt: str, options: Mapping[str, Any]) -> str:
    given = [f"{name}={_python(value)}" for name, value in options.items() if value is not None]
    words = [_python(prompt)] if prompt or verb in {"chat", "seedream"} else []
    return f"af.{verb}({', '.join([*words, *given])})"


def _python(value: Any) -> str:
    match value:
        case Name():
            return str(value)
        case Path():
            return _python(str(value))
        case str():
            plain = value.isprintable() and '"' not in value and "\\" not in value
            return f'"{value}"' if plain else repr(value)
        case list() | tuple():
            return f"[{', '.join(map(_python, value))}]"
        case Mapping():
            return "{" + ", ".join(f"{_python(key)}: {_python(one)}" for key, one in value.items()) + "}"
    return repr(value)
