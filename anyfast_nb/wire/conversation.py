"""A conversation as this house keeps it: the messages of chat completions, and documents besides.

Threads, history and rounds of tools hold this form alone; `wire.response_items` says how it
goes to the Responses API. The one addition to chat's own form is a document,
``{"type": "input_file", …}``, which chat refuses.

Source: seed 000 (supported input types), seed 001 (messages).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks

ROLES: Final = ("system", "user", "assistant", "tool")
DETAILS: Final = ("low", "high", "auto")
DOCUMENT: Final = "input_file"


# --- parts and messages -------------------------------------------------------------------


def text_part(text: str) -> dict[str, Any]:
    """A content part of plain text."""
    return {"type": "text", "text": text}


def image_part(url: str, *, detail: str | None = None) -> dict[str, Any]:
    """An image by URL or data URI; `detail` is low, high or auto."""
    image = {"url": url}
    if detail is not None:
        image["detail"] = checks.one_of("detail", detail, allowed=DETAILS)
    return {"type": "image_url", "image_url": image}


def video_part(url: str, *, fps: float | None = None) -> dict[str, Any]:
    """A video by URL or data URI; `fps` frames a second are looked at, 0.2 to 5, by default 1."""
    video: dict[str, Any] = {"url": url}
    if fps is not None:
        video["fps"] = checks.in_range("fps", fps)
    return {"type": "video_url", "video_url": video}


def file_part(url: str | None = None, *, data: str | None = None, filename: str = "") -> dict[str, Any]:
    """A document; it can go to the Responses API alone.

    Args:
        url: an http(s) URL, or
        data: a data URI, which needs a file name.
        filename: what the document is called, such as ``report.pdf``.

    Example:
        >>> file_part("https://example.com/report.pdf")
        {'type': 'input_file', 'file_url': 'https://example.com/report.pdf'}

    Source: seed 000 (document by URL, document by base64).
    """
    part = {"type": DOCUMENT, "file_url": url, "file_data": data, "filename": filename}
    found = {name: value for name, value in part.items() if value}
    check_document("file", found)
    return found


def user_message(text: str, *, media: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A user's message: media first, as the vendor's pages order them, then the text."""
    if not media:
        return {"role": "user", "content": text}
    parts = [*map(dict, media), *([text_part(text)] if text else [])]
    return {"role": "user", "content": parts}


# --- checks -------------------------------------------------------------------------------


def check_listed(field: str, messages: Any) -> Sequence[Any]:
    """Refuse what is no list with something in it."""
    if isinstance(messages, str | Mapping) or not isinstance(messages, Sequence) or not messages:
        raise InputError(
            f"{field} must be a list with at least one message", field=field, hint="Nothing was sent."
        )
    return messages


def check_content(field: str, content: Any) -> None:
    """Refuse a content that is neither text, nor a list, nor absent."""
    if content is not None and not isinstance(content, str | list | tuple):
        raise InputError(f"{field} must be text or a list of parts", field=field)


def check_part(field: str, part: Any) -> None:
    """Check a text, an image or a video in chat's own form.

    Raises:
        InputError: another kind, or a value outside its range.
    """
    kind = part.get("type") if isinstance(part, Mapping) else None
    checks.one_of(f"{field}.type", kind, allowed=("text", "image_url", "video_url"))
    value = part.get(kind)
    if kind == "text":
        if not isinstance(value, str):
            raise InputError(f"{field}.text must be text", field=f"{field}.text")
        return
    url = value.get("url") if isinstance(value, Mapping) else None
    checks.text(f"{field}.{kind}.url", url)
    if kind == "image_url" and value.get("detail") is not None:
        checks.one_of(f"{field}.image_url.detail", value["detail"], allowed=DETAILS)
    if kind == "video_url" and value.get("fps") is not None:
        checks.in_range(f"{field}.video_url.fps", value["fps"], name="fps")


def check_document(field: str, part: Mapping[str, Any]) -> None:
    """Check a document: one place it is at, and a name for data.

    Raises:
        InputError: neither or both of URL and data; data without a name, or that are no data URI.
    """
    url, data = part.get("file_url"), part.get("file_data")
    if (url is None) == (data is None):
        if part.get("file_id"):
            return  # a file that the server keeps: no page of AnyFast's, passed through
        raise InputError(f"{field} must have a file_url or file_data, one of both", field=field)
    if url is not None:
        checks.text(f"{field}.file_url", url)
        return
    if not isinstance(data, str) or not data.startswith("data:"):
        raise InputError(
            f"{field}.file_data must be a data URI",
            field=f"{field}.file_data",
            hint="Write data:application/pdf;base64,… or give the file's path in files=[…].",
        )
    checks.text(f"{field}.filename", part.get("filename"))


# --- looking into one ---------------------------------------------------------------------


def is_document(part: Any) -> bool:
    """Is this content part a document?"""
    return isinstance(part, Mapping) and part.get("type") in {DOCUMENT, "file"}


def has_document(messages: Iterable[Any]) -> bool:
    """Does any message carry a document? Then only the Responses API can take the conversation."""
    return any(is_document(part) for message in messages for part in _parts(message))


def _parts(message: Any) -> Iterator[Any]:
    content = message.get("content") if isinstance(message, Mapping) else None
    yield from content if isinstance(content, list | tuple) else ()


def text_of(message: Mapping[str, Any]) -> str:
    """The words of one message, without its media."""
    return words(message.get("content"), between=" ")


def words(content: Any, *, between: str = "") -> str:
    """Text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else ()
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return between.join(text if isinstance(text, str) else "" for text in texts)


def prompt_of(messages: Iterable[Mapping[str, Any]]) -> str:
    """The text of the last user message: what a ledger's title is made of."""
    asked = [message for message in messages if message.get("role") == "user"]
    return text_of(asked[-1]) if asked else ""
