"""What a person writes for a medium: an address, a path, a variable, an earlier film."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from anyfast_nb.errors import InputError
from anyfast_nb.jobs.film import Clip, Still
from anyfast_nb.jobs.job import Job
from anyfast_nb.jobs.pictures import Picture, Pictures
from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff
from anyfast_nb.panels.as_magic import Name
from anyfast_nb.panels.roles import Medium
from anyfast_nb.panels.words import say
from anyfast_nb.render.view import running_shell

if TYPE_CHECKING:
    from anyfast_nb.session import Session

_ANY: Final = ("image", "video", "audio")
_JOB: Final = re.compile(r"(?P<id>[0-9a-f]{8}|[0-9a-f]{32}|asyntask_\w+)(?P<frame>\.last_frame)?")
_SHOWN: Final = {  # types that can be a medium, by the names of their classes
    "Image": ("image",), "Figure": ("image",), "Axes": ("image",), "AxesSubplot": ("image",),
    "ndarray": ("image",), "Video": ("video",), "Audio": ("audio",),
}  # fmt: skip
_MOST_NAMES: Final = 200
_LEAST_SIDE: Final = 16


def medium_of_file(path: Path) -> Medium:
    """A file as a medium.

    Raises:
        InputError: it is no picture, clip or sound.
    """
    try:
        with path.expanduser().open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES)).kind
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(say("role.unread", name=path.name, why=why), field="medium") from None
    if kind not in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO):
        raise InputError(say("role.no_medium", name=path.name), field="medium")
    return Medium(uuid4().hex, path.name, path, near(path), (kind.value,))


def media_of(word: str, session: Session) -> list[Medium]:
    """What a word names: an address, a file, an earlier job, or a variable; several for a group of pictures.

    Raises:
        InputError: there is no such thing, or it is no medium.
    """
    word = word.strip()
    if not word:
        raise InputError(say("role.empty"), field="medium")
    if "://" in word:
        return [Medium(uuid4().hex, short_address(word), word, word, guessed(word))]
    if _is_file(word):
        return [medium_of_file(Path(word))]
    names = namespace()
    match = _JOB.fullmatch(word)
    if match is not None and word not in names and session.gateway.ledger.job(match["id"]) is not None:
        return [_of_job(session.desk.job(match["id"]), last=bool(match["frame"]))]
    return _of_value(_value(word, names), word)


def variables() -> list[str]:
    """Names of the notebook's variables that can be media."""
    found = (name for name, value in namespace().items() if kinds_of(value))
    return sorted(found)[:_MOST_NAMES]


def namespace() -> Mapping[str, Any]:
    """The notebook's own variables."""
    shell = running_shell()
    if shell is None:
        return {}
    hidden = getattr(shell, "user_ns_hidden", {})
    listed = list(shell.user_ns.items())
    return {name: value for name, value in listed if not name.startswith("_") and name not in hidden}


def kinds_of(value: Any) -> tuple[str, ...]:
    """What an object can be: image, video, audio; () if it is no medium."""
    match value:
        case Job() | Clip():
            return ("video",)
        case Still() | Picture() | Pictures():
            return ("image",)
        case Path():
            found = guessed(value.name)
            return found if len(found) == 1 and value.is_file() else ()
    return _kinds_of_type(value)


def _kinds_of_type(value: Any) -> tuple[str, ...]:
    """By its type's name; nothing is imported to find out."""
    kind = getattr(value, "type", "")
    if getattr(type(value), "reference", None) is not None and kind in {"Image", "Video", "Audio"}:
        return (str(kind).lower(),)  # an asset
    if type(value).__name__ == "ndarray":
        shape = getattr(value, "shape", ())
        return ("image",) if len(shape) in (2, 3) and min(shape[:2]) >= _LEAST_SIDE else ()
    return next((_SHOWN[base.__name__] for base in type(value).__mro__ if base.__name__ in _SHOWN), ())


def guessed(address: str) -> tuple[str, ...]:
    """What an address may be, by its ending; any kind if that tells nothing."""
    import mimetypes

    kind = (mimetypes.guess_type(address.partition("?")[0])[0] or "").partition("/")[0]
    return (kind,) if kind in _ANY else _ANY


def short_address(address: str) -> str:
    """An address as it is shown: no query, which may be a signature."""
    plain = address.partition("?")[0]
    return plain if len(plain) <= 40 else f"…{plain[-38:]}"


def near(path: Path) -> Path:
    """A path as a person writes it: from the notebook's folder, if it lies in it."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path


def _is_file(word: str) -> bool:
    try:
        return Path(word).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def _of_job(job: Job, *, last: bool) -> Medium:
    """The film of an earlier job, or its last frame: a file that every kernel finds."""
    if job.file is None:
        raise InputError(say("role.not_done", job=job.row.short_id), field="medium")
    found = medium_of_file(job.last_frame.path if last else job.file)
    found.name = say("role.last_frame_of" if last else "role.film_of", job=job.row.short_id)
    return found


def _of_value(value: Any, word: str) -> list[Medium]:
    if isinstance(value, Pictures):
        made = [(one, f"{word}[{one.index}]") for one in value.made]
        return [Medium(uuid4().hex, name, one, Name(name)) for one, name in made]
    if isinstance(value, Path):
        found = medium_of_file(value)
        found.name, found.word = f"{word} ({value.name})", Name(word)
        return [found]
    if isinstance(value, str) and ("://" in value or _is_file(value)):
        return [Medium(uuid4().hex, word, value, Name(word), guessed(value))]
    kinds = kinds_of(value)
    if not kinds:
        raise InputError(say("role.unfit", name=word, kind=type(value).__name__), field="medium")
    return [Medium(uuid4().hex, word, value, Name(word), kinds)]


# --- names ----------------------------------------------------------------------------------


def _value(word: str, names: Mapping[str, Any]) -> Any:
    """A variable, or a part of one: ``shot.last_frame``, ``pics[0]``; nothing is called."""
    try:
        tree: ast.expr | None = ast.parse(word, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    steps = None if tree is None else list(_steps(tree))
    if not steps or any(step is None for step in steps):
        raise InputError(say("role.no_such", name=word), field="medium", hint=say("role.write"))
    root = steps[0]
    if root not in names:
        close = difflib.get_close_matches(str(root), list(names), n=3, cutoff=0.6)
        hint = say("role.meant", names=", ".join(close)) if close else say("role.write")
        raise InputError(say("role.no_such", name=word), field="medium", hint=hint)
    found = names[root]
    try:
        for step in steps[1:]:
            found = getattr(found, step[0]) if isinstance(step, tuple) else found[step[0]]
    except Exception as error:  # noqa: BLE001 - whatever the person's object raises
        why = f"{type(error).__name__}: {str(error)[:120]}"
        raise InputError(f"{word}: {why}", field="medium", hint=say("role.write")) from None
    return found


def _steps(tree: ast.expr) -> Iterator[Any]:
    """The name, then each attribute as a tuple and each index as a list; None for anything else."""
    match tree:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(value=inner, attr=name) if not name.startswith("_"):
            yield from _steps(inner)
            yield (name,)
        case ast.Subscript(value=inner, slice=ast.Constant(value=index)):
            yield from _steps(inner)
            yield [index]
        case ast.Subscript(
            value=inner, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(index)))
        ):
            yield from _steps(inner)
            yield [-index]
        case _:
            yield None
