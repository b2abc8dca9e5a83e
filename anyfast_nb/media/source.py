"""The bytes of a medium, and what it is called: from a path, a data URI, bytes, a file or an object."""

from __future__ import annotations

import base64
import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import unquote_to_bytes, urlsplit

from anyfast_nb.errors import InputError
from anyfast_nb.media.checks import kind_word
from anyfast_nb.media.encode import encoded
from anyfast_nb.media.sniff import Kind

_SCHEME: Final = re.compile(r"data(?=:)|[a-z][a-z0-9+.-]+(?=://)", re.IGNORECASE)
_ASSET_ID: Final = re.compile(r"[\w.-]+", re.ASCII)

Look = Callable[[BinaryIO, int, str], None]


def unwrapped(value: Any) -> Any:
    """What an object of `IPython.display` (Image, Video, Audio) shows; all else as it is."""
    if not any(_is_display(base) for base in type(value).__mro__):
        return value
    data, filename, url = (getattr(value, name, None) for name in ("data", "filename", "url"))
    if isinstance(data, bytes) and data:
        return data
    if filename:
        return Path(filename)
    if isinstance(data, str) and data:
        return f"data:;base64,{data}"
    return url or value


def _is_display(known: type) -> bool:
    return known.__name__ in {"Image", "Video", "Audio"} and str(known.__module__).startswith("IPython.")


def address(value: Any, *, kind: Kind, by_asset: bool) -> tuple[str, str] | None:
    """An address that is passed on, and what it is called; None if the bytes are wanted.

    Raises:
        InputError: an address that this use does not take.
    """
    scheme = _scheme(value)
    if scheme in {"", "data"}:
        return None
    text = value.strip()
    if scheme in {"http", "https"}:
        return text, _place(text)
    if scheme == "asset" and by_asset:
        name = text.partition("://")[2]
        if not _ASSET_ID.fullmatch(name):
            raise InputError("An asset:// address names no asset.", hint="Give it as asset://asset-2026….")
        return f"asset://{name}", name
    raise InputError(
        f"{kind_word(kind).capitalize()} cannot be given by an address that begins with {scheme}://"
        f"{' here' if scheme == 'asset' else ''}.",
        hint="Give an http or https URL, or the path of a file.",
    )


def content(value: Any, *, kind: Kind, look: Look, label: str) -> tuple[bytes, str]:
    """The bytes of a medium, and what it is called.

    Args:
        value: a path, a data URI, bytes, an open binary file, or an object that is a picture.
        kind: what is wanted.
        look: is shown an opened file, its size and its name before it is read, and may refuse it.
        label: what a message calls it, if not by its own name.

    Raises:
        InputError: it cannot be read, or is nothing of this kind.
    """
    if _scheme(value) == "data":
        return _from_data_uri(value.strip()), "data URI"
    if isinstance(value, str | os.PathLike):
        return _from_path(Path(value), look, label)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), "bytes"
    if kind is Kind.IMAGE and (found := encoded(value)):
        return found
    if callable(getattr(value, "read", None)):
        return _from_file(value)
    raise InputError(
        f"An object of type {type(value).__name__} is not {kind_word(kind)}.",
        hint="Give a URL, a path, bytes or an open file"
        + (", a PIL image, a numpy array or a matplotlib figure." if kind is Kind.IMAGE else "."),
    )


def _scheme(value: Any) -> str:
    match = _SCHEME.match(value.strip()) if isinstance(value, str) else None
    return match[0].lower() if match else ""


def _from_data_uri(uri: str) -> bytes:
    head, _, rest = uri.partition(",")
    try:
        return base64.b64decode(rest, validate=True) if head.endswith(";base64") else unquote_to_bytes(rest)
    except ValueError:
        raise InputError(
            "The base64 of a data URI cannot be read.", hint="Give the bytes or the path instead."
        ) from None


def _from_path(path: Path, look: Look, label: str) -> tuple[bytes, str]:
    with _opened(path) as file:
        # A look at the beginning first: nobody waits for a file that is refused.
        look(file, os.fstat(file.fileno()).st_size, label or path.name)
        file.seek(0)
        return file.read(), path.name


def _opened(path: Path) -> BinaryIO:
    try:
        path = path.expanduser()
        if path.exists() and not path.is_file() and not path.is_dir():
            raise _not_a_file(path)  # a pipe would be waited for
        return path.open("rb")
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"There is no file {str(path)!r}.", hint=_nearby(path)) from None
    except IsADirectoryError:
        raise InputError(f"{str(path)!r} is a folder.", hint="Give the path of a file in it.") from None
    except (OSError, ValueError, RuntimeError) as error:
        shown = str(path) if len(str(path)) < 200 else f"{str(path)[:60]}…"
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{shown!r} cannot be read: {reason}.", hint="Give the path of a file.") from None


def _not_a_file(path: Path) -> InputError:
    return InputError(f"{str(path)!r} is no ordinary file.", hint="Give the path of a file.")


def _nearby(path: Path) -> str:
    folder = path.parent.absolute()
    try:
        names = [found.name for found in folder.iterdir() if found.is_file()]
    except OSError:
        return f"There is no folder {folder} to be read."
    close = difflib.get_close_matches(path.name, names, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"It was looked for in {folder}."


def _from_file(file: Any) -> tuple[bytes, str]:
    data = file.read()
    name = getattr(file, "name", "")
    name = Path(name).name if isinstance(name, str) and name else "file"
    if isinstance(data, str):
        raise InputError(f"{name} is open as text.", hint="Open it with mode 'rb'.")
    if not data:
        raise InputError(f"{name} gives no bytes.", hint="If it was read before, call seek(0) first.")
    return bytes(data), name


def _place(url: str) -> str:
    """File name and host of a URL: the rest may be a signature."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise InputError("A URL names no host.", hint="Give it as https://host/path.")
    name = parts.path.rpartition("/")[2]
    return f"{name} on {host}" if name else host
