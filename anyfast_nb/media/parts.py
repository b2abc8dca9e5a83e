"""An image or a clip for a request: from a URL, a file, bytes, or an object of the notebook."""

from __future__ import annotations

import base64
import difflib
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import unquote_to_bytes, urlsplit

from anyfast_nb.errors import InputError
from anyfast_nb.media.encode import encoded
from anyfast_nb.media.mp4 import Movie, read_movie
from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff

MB: Final = 1024 * 1024
LIMITS: Final = {Kind.IMAGE: 10 * MB, Kind.VIDEO: 50 * MB}
BODY_LIMIT: Final = 64 * MB

_SCHEME = re.compile(r"data(?=:)|[a-z][a-z0-9+.-]+(?=://)", re.IGNORECASE)
_REMEDIES = {
    Kind.IMAGE: "Make it smaller, such as image.thumbnail((2048, 2048)), or save it as JPEG.",
    Kind.VIDEO: "Shorten it, or save it with a lower resolution or bit rate.",
}
_WORDS = {Kind.IMAGE: "an image", Kind.VIDEO: "a video"}


@dataclass(frozen=True, slots=True)
class MediaItem:
    """An image or a clip as a request carries it.

    Attributes:
        kind: ``image`` or ``video``.
        url: an http(s) URL as it was given, or a data URI; never shown.
        media_type: such as ``image/png``; "" for a URL.
        size_bytes: of the file itself; None for a URL.
        width: in pixels; None is unknown.
        height: in pixels; None is unknown.
        duration_s: of a clip, in seconds; None is unknown.
        label: what a person calls it: a file name, "PIL image", or the place of a URL.
    """

    kind: Kind
    url: str = field(repr=False)
    media_type: str = ""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    label: str = ""


def image_item(value: Any, *, label: str = "") -> MediaItem:
    """An image for a request.

    Args:
        value: an http(s) URL (passed on as it is), a path, a data URI, bytes, an open binary
            file, a PIL image, a numpy array (height x width, or x 3 or 4; uint8, or floats from
            0 to 1), a matplotlib figure or axes.
        label: what it is called in messages; by default its file name or kind.

    Raises:
        InputError: it is no image, 10 MB or more, or not there.

    Example:
        >>> image_item("https://example.com/pictures/cat.png?signature=5ec2e7").label
        'cat.png on example.com'

    Source: AnyFast's chat page, "File size limits".
    """
    return _item(value, Kind.IMAGE, label)


def video_item(value: Any, *, label: str = "") -> MediaItem:
    """A clip for a request.

    Args:
        value: an http(s) URL (passed on as it is), a path, a data URI, bytes or an open binary file.
        label: what it is called in messages; by default its file name.

    Raises:
        InputError: it is no video, 50 MB or more, cut off, or not there.

    Source: AnyFast's chat page, "File size limits".
    """
    return _item(value, Kind.VIDEO, label)


def check_body(items: Iterable[MediaItem], *, other_bytes: int = 0) -> None:
    """Refuse a request whose body would be 64 MB or more.

    Args:
        items: all images and clips of the request.
        other_bytes: size of the rest of the body.

    Raises:
        InputError: with the size of the files, and of the body they make.
    """
    sent = [item for item in items if item.size_bytes is not None]
    body_bytes = other_bytes + sum(len(item.url) for item in sent)
    if body_bytes < BODY_LIMIT:
        return
    names = ", ".join(item.label for item in sent)
    raw_bytes = sum(item.size_bytes or 0 for item in sent)
    raise InputError(
        f"{names}: {_size(raw_bytes)} grow by a third in base64, to a request of {_size(body_bytes)}; "
        f"it must be below {_limit(BODY_LIMIT)}.",
        hint="Give an http(s) URL instead of the file, send fewer files, or make them smaller "
        "(all together below 48 MB).",
    )


def _item(value: Any, kind: Kind, label: str) -> MediaItem:
    scheme = _scheme(value)
    if scheme in {"http", "https"}:
        place = _place(value)
        return MediaItem(kind, value.strip(), label=label or place)
    if scheme not in {"", "data"}:
        raise InputError(
            f"{_WORDS[kind].capitalize()} cannot be given by an address that begins with {scheme}://.",
            hint="Give an http or https URL, or the path of a file.",
        )
    data, name = _content(value, kind, label)
    return _checked(data, kind, label or name)


def _scheme(value: Any) -> str:
    match = _SCHEME.match(value.strip()) if isinstance(value, str) else None
    return match[0].lower() if match else ""


def _content(value: Any, kind: Kind, label: str) -> tuple[bytes, str]:
    """The bytes of the file, and what it is called."""
    if _scheme(value) == "data":
        return _from_data_uri(value.strip()), "data URI"
    if isinstance(value, str | os.PathLike):
        return _from_path(Path(value), kind, label)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), "bytes"
    if kind is Kind.IMAGE and (found := encoded(value)):
        return found
    if callable(getattr(value, "read", None)):
        return _from_file(value)
    raise InputError(
        f"An object of type {type(value).__name__} is not {_WORDS[kind]}.",
        hint="Give a URL, a path, bytes or an open file"
        + (", a PIL image, a numpy array or a matplotlib figure." if kind is Kind.IMAGE else "."),
    )


def _from_data_uri(uri: str) -> bytes:
    head, _, rest = uri.partition(",")
    try:
        return base64.b64decode(rest, validate=True) if head.endswith(";base64") else unquote_to_bytes(rest)
    except ValueError:
        raise InputError(
            "The base64 of a data URI cannot be read.", hint="Give the bytes or the path instead."
        ) from None


def _from_path(path: Path, kind: Kind, label: str) -> tuple[bytes, str]:
    with _opened(path) as file:
        # A look at the beginning first: nobody waits for a file that is refused.
        head = file.read(HEAD_BYTES)
        _check(head, os.fstat(file.fileno()).st_size, kind, label or path.name)
        return head + file.read(), path.name


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


def _check(head: bytes, size_bytes: int, kind: Kind, label: str) -> str:
    """The media type, if it is of that kind and below its limit."""
    found = sniff(head)
    if found.kind is not kind:
        raise InputError(f"{label} is {found.name}, not {_WORDS[kind]}.", hint=_instead(found.kind, kind))
    if size_bytes >= LIMITS[kind]:
        raise InputError(
            f"{label} has {_size(size_bytes)}; {_WORDS[kind]} must be below {_limit(LIMITS[kind])}.",
            hint=_REMEDIES[kind],
        )
    return found.media_type


def _instead(found: Kind, wanted: Kind) -> str:
    if found is not Kind.OTHER:
        return f"Give it as {_WORDS[found]}."
    if wanted is Kind.IMAGE:
        return "Give a PNG, JPEG, WebP, GIF, BMP, TIFF or HEIC file."
    return "Give an MP4, MOV, WebM or AVI file."


def _checked(data: bytes, kind: Kind, label: str) -> MediaItem:
    media_type = _check(data[:HEAD_BYTES], len(data), kind, label)
    movie = Movie()
    if kind is Kind.IMAGE:
        width, height = _pixels(data)
    else:
        if media_type in {"video/mp4", "video/quicktime"}:
            movie = read_movie(data)
        width, height = movie.width, movie.height
    if movie.missing_bytes:
        raise InputError(
            f"{label} is cut off: {movie.missing_bytes:,} bytes of it are missing.",
            hint="Download or save it again.",
        )
    url = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
    return MediaItem(kind, url, media_type, len(data), width, height, movie.duration_s, label)


def _pixels(data: bytes) -> tuple[int | None, int | None]:
    """Width and height by the header alone; unknown where PIL cannot read the format."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None, None


def _place(url: str) -> str:
    """File name and host of a URL: the rest may be a signature."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise InputError("A URL names no host.", hint="Give it as https://host/path.")
    name = parts.path.rpartition("/")[2]
    return f"{name} on {host}" if name else host


def _size(size_bytes: int) -> str:
    return f"{size_bytes / MB:.1f} MB ({size_bytes:,} bytes)"


def _limit(size_bytes: int) -> str:
    return f"{size_bytes // MB} MB ({size_bytes:,} bytes)"
