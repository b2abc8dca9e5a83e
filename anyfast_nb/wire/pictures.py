"""What Seedream answers: whole bodies in all their shapes, and the events of a stream.

Source: wire reference 5.3 (bodies) and 5.4 (events). A picture that failed
inside a group is an item with an error; the others count all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from anyfast_nb.wire.plain import moment, number, word
from anyfast_nb.wire.problems import read_problem
from anyfast_nb.wire.values import Usage

_PIXELS = re.compile(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})")
_DATA_URI = re.compile(r"data:[\w.+/-]{0,80};base64,", re.IGNORECASE)
_PREVIEW: Final = "partial_image"  # of OpenAI's models: a picture in the making
_LAST: Final = "image_generation.completed"


@dataclass(frozen=True, slots=True)
class Picture:
    """One item of a reply: a link or base64, or why it failed.

    Attributes:
        index: its place in the group, from 0.
        url: where it lies for 24 hours, "" if it came as base64 or failed.
        b64: base64 without a prefix, "" if it came as a link or failed.
        size: as the server says it, such as ``2048x2048``.
        width, height: from `size`, in pixels; None is unknown.
        error_code, error_message: why it failed, "" if it did not; the caller redacts.
    """

    index: int
    url: str = field(default="", repr=False)
    b64: str = field(default="", repr=False)
    size: str = ""
    width: int | None = None
    height: int | None = None
    error_code: str = ""
    error_message: str = ""

    @property
    def failed(self) -> bool:
        """Is there an error instead of a picture?"""
        return bool(self.error_code or self.error_message)


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """What was counted; None is unknown, never 0."""

    images: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_images: int | None = None
    input_tokens: int | None = None
    web_searches: int | None = None

    def tokens(self) -> Usage:
        """The tokens as the ledger keeps them."""
        output = self.total_tokens if self.output_tokens is None else self.output_tokens
        return Usage(input_tokens=self.input_tokens, output_tokens=output)


@dataclass(frozen=True, slots=True)
class PicturesReply:
    """All that a request for pictures gave."""

    pictures: tuple[Picture, ...] = ()
    model: str = ""
    created_at: datetime | None = None
    usage: ImageUsage = ImageUsage()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def made(self) -> tuple[Picture, ...]:
        """The pictures that did not fail."""
        return tuple(picture for picture in self.pictures if not picture.failed)


class PicturesReader:
    """Reads events of a stream, or one whole body, as they come."""

    def __init__(self) -> None:
        self.begun = False
        self.finished = False
        self._pictures: dict[int, Picture] = {}
        self._model = ""
        self._created_at: datetime | None = None
        self._usage = ImageUsage()
        self._raw: Mapping[str, Any] = {}

    @staticmethod
    def ends_in_error(event: Mapping[str, Any]) -> bool:
        """Is this frame the failure of the whole request, not of one picture in it?"""
        kind = word(event.get("type"))
        return bool(event.get("error")) and not kind.endswith("partial_failed") and "image_index" not in event

    def read(self, event: Mapping[str, Any]) -> list[Picture]:
        """Take one event or a whole body; give the pictures that are new."""
        kind = word(event.get("type"))
        self.begun = True
        self._head(event)
        if kind.endswith(_PREVIEW):
            return []
        items = list(_items(event))
        whole = bool(items) or _is_list(event.get("data"))
        if not whole and _holds_picture(event):
            items = [event]
        self.finished = self.finished or kind == _LAST or (whole and not kind)
        return [new for item in items if (new := self._keep(item)) is not None]

    def reply(self) -> PicturesReply:
        """What has come so far, by index."""
        return PicturesReply(
            pictures=tuple(self._pictures[index] for index in sorted(self._pictures)),
            model=self._model,
            created_at=self._created_at,
            usage=self._usage,
            raw=self._raw,
        )

    def _head(self, event: Mapping[str, Any]) -> None:
        self._model = word(event.get("model")) or self._model
        self._created_at = self._created_at or moment(event.get("created") or event.get("created_at"))
        usage = event.get("usage")
        if isinstance(usage, Mapping):
            self._usage = _usage(usage)
        self._raw = {key: value for key, value in event.items() if key not in _HEAVY}

    def _keep(self, item: Any) -> Picture | None:
        index = _count(item.get("image_index")) if isinstance(item, Mapping) else None
        if index is None:
            index = max(self._pictures, default=-1) + 1
        picture = _picture(item, index)
        known = self._pictures.get(index)
        if picture is None or (known is not None and not known.failed):
            return None  # said twice
        self._pictures[index] = picture
        return picture


def read_pictures(body: Mapping[str, Any]) -> PicturesReply:
    """A whole reply in any of its shapes; no picture at all is an empty reply."""
    reader = PicturesReader()
    reader.read(body)
    return reader.reply()


def pixels(size: str) -> tuple[int, int] | None:
    """Width and height of a size such as ``2048x1024``; None for anything else."""
    match = _PIXELS.fullmatch(size.strip())
    return (int(match[1]), int(match[2])) if match else None


# --- items --------------------------------------------------------------------------------

_HEAVY: Final = {"data", "images", "output", "b64_json", "url", "image_url"}  # pictures and their links


def _items(body: Mapping[str, Any]) -> Iterator[Any]:
    """The items of a whole body: ``data``, ``output.data`` or ``images``, the first that has any."""
    output, data = body.get("output"), body.get("data")
    for place in (
        data,
        data.get("data") if isinstance(data, Mapping) else None,
        output.get("data") if isinstance(output, Mapping) else output,
        body.get("images"),
    ):
        if _is_list(place) and place:
            yield from place
            return


def _holds_picture(item: Mapping[str, Any]) -> bool:
    return any(item.get(name) for name in ("url", "b64_json", "image_url")) or bool(
        item.get("error") and not PicturesReader.ends_in_error(item)
    )


def _picture(item: Any, index: int) -> Picture | None:
    if isinstance(item, str):
        item = {"url": item} if item.startswith(("http://", "https://")) else {"b64_json": item}
    if not isinstance(item, Mapping):
        return None
    if item.get("error"):
        problem = read_problem(json.dumps({"error": item["error"]}, default=str))
        return Picture(
            index, error_code=problem.code, error_message=problem.message or problem.code or "no reason given"
        )
    link = item.get("image_url")
    url = word(item.get("url")) or word(link.get("url") if isinstance(link, Mapping) else link)
    b64 = word(item.get("b64_json"))
    if url[:5].lower() == "data:":
        url, b64 = "", b64 or url
    b64 = _DATA_URI.sub("", b64, count=1)
    if not (url or b64):
        return None
    size = word(item.get("size"))
    width, height = pixels(size) or (None, None)
    return Picture(index, url=url, b64=b64, size=size, width=width, height=height)


def _usage(usage: Mapping[str, Any]) -> ImageUsage:
    tools = usage.get("tool_usage")
    old = usage.get("prompt_tokens")  # 0 on old pages, where nothing was counted
    return ImageUsage(
        images=_count(usage.get("generated_images")),
        output_tokens=_count(usage.get("output_tokens")),
        total_tokens=_count(usage.get("total_tokens")),
        input_images=_count(usage.get("input_images")),
        input_tokens=_count(usage.get("input_tokens")) if "input_tokens" in usage else _count(old or None),
        web_searches=_count(tools.get("web_search")) if isinstance(tools, Mapping) else None,
    )


def _count(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
