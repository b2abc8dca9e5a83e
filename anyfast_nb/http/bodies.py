"""What a request carries: JSON, or a form with one file. Checked and measured before anything is sent.

Source: seed 000 (file size limits), seed 003 (content type), wire reference 1 and 8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.http.redact import redact

MAX_BODY_BYTES: Final = 64_000_000
_PER_PART: Final = 300  # bytes of boundary and headers around each part, generously


@dataclass(frozen=True, slots=True)
class FilePart:
    """The file of a form.

    Attributes:
        content: its bytes, or the path it is read from piece by piece.
        filename: what the server is told it is called.
        media_type: such as ``video/mp4``.
        name: of the form's field.
    """

    content: bytes | Path = field(repr=False)
    filename: str
    media_type: str = "application/octet-stream"
    name: str = "file"

    def size_bytes(self) -> int:
        """How large it is now.

        Raises:
            InputError: it cannot be read.
        """
        if isinstance(self.content, bytes):
            return len(self.content)
        try:
            return self.content.stat().st_size
        except OSError as error:
            raise _unreadable(self.content, error) from None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A body that can be sent, and sent again: `opened` gives what httpx builds a request from."""

    content: bytes | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: FilePart | None = None

    @contextmanager
    def opened(self) -> Iterator[dict[str, Any]]:
        """The arguments of one try; a file is open for that long, from its beginning."""
        if self.file is None:
            yield {"content": self.content}
            return
        with _opened(self.file.content) as source:
            part = (self.file.filename, source, self.file.media_type)
            yield {"data": dict(self.fields), "files": {self.file.name: part}}


def outgoing(body: Mapping[str, Any] | None, file: FilePart | None) -> Outgoing:
    """A body as JSON, or as the fields of a form beside `file`.

    Raises:
        InputError: it cannot be written, read, or is too large; nothing was sent.
    """
    if file is not None:
        return _form(body or {}, file)
    if body is None:
        return Outgoing()
    try:
        content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the request cannot be written as JSON: {redact(str(error))}", hint="Nothing was sent."
        ) from None
    _check_size(len(content), "base64 grows media by a third: give a URL, or smaller media.", field="body")
    return Outgoing(content)


def _form(body: Mapping[str, Any], file: FilePart) -> Outgoing:
    for name, value in body.items():
        if not isinstance(value, str):
            raise InputError(
                f"the form's field {name} is {type(value).__name__}, not text",
                field=f"body.{name}",
                hint="Nothing was sent.",
            )
    fields = {name: str(value) for name, value in body.items()}
    texts = sum(len(name) + len(value.encode("utf-8", "replace")) for name, value in fields.items())
    size = file.size_bytes() + texts + _PER_PART * (1 + len(fields))
    _check_size(size, "Give a URL, or a smaller file.", field=file.name)
    return Outgoing(fields=fields, file=file)


def _check_size(size_bytes: int, remedy: str, *, field: str) -> None:
    if size_bytes > MAX_BODY_BYTES:
        raise InputError(
            f"the request has {size_bytes:,} bytes; a body is at most {MAX_BODY_BYTES:,}",
            field=field,
            hint=f"Nothing was sent. {remedy}",
        )


@contextmanager
def _opened(content: bytes | Path) -> Iterator[Any]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        source = content.open("rb")
    except OSError as error:
        raise _unreadable(content, error) from None
    with source:
        yield source


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path.name} cannot be read: {error.strerror or type(error).__name__}",
        field="file",
        hint="Nothing was sent.",
    )
