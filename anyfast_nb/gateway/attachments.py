"""What goes with a prompt: pictures, clips and documents, as parts of a message."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire.conversation import file_part, image_part, video_part

if TYPE_CHECKING:
    from anyfast_nb.media import Kind, MediaItem, Use

_LIGHT_BYTES: Final = 32_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller gave.

    Attributes:
        images: URLs, paths, bytes, objects that are pictures.
        videos: URLs, paths, bytes.
        files: documents: URLs, paths, bytes, open files.
        fps: of the videos, None for the server's default.
        downscale: pictures that are too large are made to fit.
    """

    images: Sequence[Any] = ()
    videos: Sequence[Any] = ()
    files: Sequence[Any] = ()
    fps: float | None = None
    downscale: bool = False

    @property
    def any(self) -> bool:
        """Is there anything?"""
        return bool(self.images or self.videos or self.files)

    def and_those_of(self, prompt: Sequence[Any]) -> tuple[str, Given]:
        """The text of a mixed prompt, and its media after those that were given.

        Texts stay texts and frames become tables; anything else is what its first bytes say.
        """
        from anyfast_nb.media import Kind, table_markdown

        texts: list[str] = []
        found: dict[Any, list[Any]] = {Kind.IMAGE: [], Kind.VIDEO: [], None: []}
        for number, item in enumerate(prompt):
            if item is None or isinstance(item, bool | int | float | complex):
                raise InputError(
                    f"prompt[{number}] is {item!r}, and neither text nor a medium",
                    field="prompt",
                    hint="Give texts, frames, pictures, paths and bytes.",
                )
            text = item if isinstance(item, str) else table_markdown(item)
            if text is not None:
                texts.append(text)
            else:
                kind = _kind(item)
                found[kind if kind in found else None].append(item)
        more = replace(
            self,
            images=[*_listed(self.images, "images"), *found[Kind.IMAGE]],
            videos=[*_listed(self.videos, "videos"), *found[Kind.VIDEO]],
            files=[*_listed(self.files, "files"), *found[None]],
        )
        return "\n\n".join(texts), more

    def parts(self, *, text_bytes: int) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """Content parts (images, then videos, then documents), and a note for each doubt about them.

        Args:
            text_bytes: of the prompt itself, and of what was said before it.

        Raises:
            InputError: something that is no such medium, is too big, or is not there.
        """
        if self.fps is not None and not self.videos:
            raise InputError("fps is given without a video", field="fps", hint="Add --video (videos=[…]).")
        if not self.any:  # the common case imports nothing
            return [], ()
        from anyfast_nb.media import Use, check_body

        pictures = _items(self.images, "images", Use.CHAT_IMAGE, downscale=self.downscale)
        clips = _items(self.videos, "videos", Use.CHAT_VIDEO)
        documents = _items(self.files, "files", Use.DOCUMENT)
        every = [*pictures, *clips, *documents]
        check_body(every, other_bytes=text_bytes)
        parts = [
            *(image_part(item.url) for item in pictures),
            *(video_part(item.url, fps=self.fps) for item in clips),
            *(_file_part(item) for item in documents),
        ]
        return parts, tuple(note for item in every for note in item.notes)


def weight_bytes(value: Any) -> int:
    """About how much of a request's body this is: its texts, data URIs among them."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(weight_bytes, value.values()))
    return sum(map(weight_bytes, value)) if isinstance(value, list | tuple) else 0


def check_weight(messages: Sequence[Any]) -> None:
    """Refuse a conversation that is too large for one request, documents and pictures of before included.

    Raises:
        InputError: with its size, and the most that is taken.
    """
    size_bytes = weight_bytes(messages)
    if size_bytes < _LIGHT_BYTES:  # the common case imports nothing
        return
    from anyfast_nb.media.checks import limit_text, size_text
    from anyfast_nb.media.limits import BODY_LIMIT

    if size_bytes >= BODY_LIMIT:
        raise InputError(
            f"the conversation has {size_text(size_bytes)} with all its media; "
            f"a request must be below {limit_text(BODY_LIMIT)}",
            field="history",
            hint="Start it over (--new), leave earlier files out, or give them by URL.",
        )


def _items(given: Any, field: str, use: Use, *, downscale: bool = False) -> list[MediaItem]:
    """The media of one argument, checked; a refusal tells which one it is about."""
    from anyfast_nb.media import media_item
    from anyfast_nb.media.tables import as_frame

    items = []
    for number, value in enumerate(_listed(given, field)):
        if as_frame(value) is not None:
            raise InputError(
                f"{field}[{number}] is a {type(value).__name__}, and no {use.kind.value}",
                field=field,
                hint="A table goes into the text: {{df}} in a cell, or the prompt as a list [text, df].",
            )
        try:
            items.append(media_item(value, use=use, downscale=downscale))
        except InputError as error:
            error.field = error.field or f"{field}[{number}]"
            raise
    return items


def _file_part(item: MediaItem) -> dict[str, Any]:
    return file_part(item.url) if item.data is None else file_part(data=item.url, filename=item.filename)


def _kind(value: Any) -> Kind:
    """What a thing in a prompt is; where it cannot be read, reading it as a document will say why."""
    from anyfast_nb.media import Kind, MediaItem
    from anyfast_nb.media.source import unwrapped

    if isinstance(value, MediaItem):
        return value.kind
    name, value = type(value).__name__, unwrapped(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _sniffed(io.BytesIO(value))
    if isinstance(value, os.PathLike):
        try:
            with Path(value).expanduser().open("rb") as file:
                return _sniffed(file)
        except OSError:
            return Kind.OTHER
    if callable(getattr(value, "read", None)):
        return _sniffed(value)
    # An object of the notebook: a picture, or refused as none. (A clip of IPython's may be a URL.)
    return Kind.VIDEO if name == "Video" else Kind.IMAGE


def _sniffed(file: Any) -> Kind:
    from anyfast_nb.media.sniff import HEAD_BYTES, Kind, sniff

    try:
        place = file.tell()
        head = file.read(HEAD_BYTES)
        file.seek(place)
    except (OSError, ValueError, AttributeError):
        raise InputError(
            f"a {type(file).__name__} in the prompt cannot be looked into",
            field="prompt",
            hint="Give its bytes, or put it into images=[…], videos=[…] or files=[…].",
        ) from None
    return sniff(head).kind if isinstance(head, bytes) else Kind.OTHER


def _listed(media: Any, field: str) -> list[Any]:
    if isinstance(media, list | tuple):
        return list(media)
    raise InputError(
        f"{field} must be a list", field=field, hint=f"Write {field}=[…], also for a single one."
    )
