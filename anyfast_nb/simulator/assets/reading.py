"""A CreateAsset call, checked: JSON or multipart in, a typed value or a 400 out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.assets.multipart import read_form
from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.tasks import limits as rules
from anyfast_nb.simulator.tasks.media import decoded_base64
from anyfast_nb.simulator.validate import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyfast_nb.simulator.fields import Body
    from anyfast_nb.simulator.tasks.media import Found, Library

TYPES = ("Image", "Video", "Audio")
MODELS = {"volc-asset": "Image", "volc-asset-video": "Video", "volc-asset-audio": "Audio"}
MOST_NAME, MOST_DESCRIPTION = 64, 300
CLIP_BYTES, LONGEST_S = 50 * MIB, 15.0
LEAST_PIXELS, MOST_PIXELS = 407_696, 8_295_044
HD_PIXELS = 927_408  # 720p in the widest ratio
LEAST_RATE, MOST_RATE = 24.0, 60.0
_RATE_SLACK = 0.1  # 23.976 is called 24


@dataclass(frozen=True, slots=True)
class NewAsset:
    """What CreateAsset was asked.

    Attributes:
        url: the address it came from, "" for bytes that were sent along.
    """

    group_id: str
    name: str
    type: str
    url: str = field(repr=False)
    found: Found


def read_body(raw: bytes, *, content_type: str) -> tuple[Body, bytes | None]:
    """The fields of a call, and the file that came beside them.

    Raises:
        Refusal: 400, the body is neither JSON nor multipart.
    """
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        return read_form(raw, content_type=content_type)
    return parse_json(raw, content_type=content_type), None


def name_of(body: Body) -> str:
    """The Name of an asset or group.

    Raises:
        Refusal: 400, it is missing or too long.
    """
    name = fields.needed_string(body, "Name")
    if len(name) > MOST_NAME:
        raise bad_field("Name", f"must be at most {MOST_NAME} characters", got=len(name))
    return name


def check_model(body: Body) -> str:
    """The billing model, "" if none was named.

    Raises:
        Refusal: 400, it is none of the three.
    """
    return fields.choice(body, "model", tuple(MODELS))


def read_asset(body: Body, file: bytes | None, *, library: Library, host: str, strict: bool) -> NewAsset:
    """Check a CreateAsset call and resolve what it brings.

    Raises:
        Refusal: 400 with the field and the rule.
    """
    model = check_model(body)
    group_id = fields.needed_string(body, "GroupId")
    name = name_of(body)
    # A form without AssetType is taken for a picture, whatever it holds: so does the service.
    kind = "Image" if file is not None and not body.get("AssetType") else _type(body)
    if strict and model and MODELS[model] != kind:
        raise bad_field("model", f"must be the one for {kind}", got=model)
    url, found = _media(body, file, library=library, host=host)
    where = "URL" if file is None else "file"
    if found.has_bytes:
        _check(found, kind, path=where, strict=strict)
    return NewAsset(group_id, name, kind, url, found)


def _type(body: Body) -> str:
    fields.needed_string(body, "AssetType")
    return fields.choice(body, "AssetType", TYPES)


def _media(body: Body, file: bytes | None, *, library: Library, host: str) -> tuple[str, Found]:
    if file is not None:
        if not file:
            raise bad_field("file", "holds no data")
        return "", library.take(file, label="upload")
    url = fields.needed_string(body, "URL").strip()
    if url[:5].lower() == "data:":
        return "", library.data(url, path="URL", label="upload")
    if url.lower().startswith(("http://", "https://")):
        return url, library.address(url, label="asset", host=host)
    if "://" in url:
        raise bad_field("URL", "must be http(s), a data URI or base64")
    return "", library.take(decoded_base64(url, path="URL"), label="upload")


def _check(found: Found, type: str, *, path: str, strict: bool) -> None:
    if type == "Image":
        rules.check_image(found, path=path)
    elif type == "Audio":
        rules.check_sound(found, path=path, longest_s=LONGEST_S)
    else:
        rules.check_clip(found, path=path, longest_s=LONGEST_S, most_bytes=CLIP_BYTES)
        _check_pixels(found, path=path, most=HD_PIXELS if strict else MOST_PIXELS)


def _check_pixels(found: Found, *, path: str, most: int) -> None:
    assert found.measured is not None
    pixels, rate = found.measured.width * found.measured.height, found.measured.fps
    if not LEAST_PIXELS <= pixels <= most:
        word = "PixelCountTooSmall" if pixels < LEAST_PIXELS else "PixelCountTooLarge"
        raise bad_field(path, f"must have {LEAST_PIXELS} to {most} pixels, it has {pixels} ({word})")
    if not LEAST_RATE - _RATE_SLACK <= rate <= MOST_RATE + _RATE_SLACK:
        raise bad_field(path, f"must have {LEAST_RATE:g} to {MOST_RATE:g} frames per second", got=rate)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list was asked for.

    Attributes:
        number: from 1.
        size: 1 to 100.
    """

    number: int
    size: int

    def of(self, rows: list[dict[str, object]]) -> Mapping[str, object]:
        """The reply: this page, and how many rows there are in all."""
        start = (self.number - 1) * self.size
        return {
            "PageNumber": self.number,
            "PageSize": self.size,
            "TotalCount": len(rows),
            "Items": rows[start : start + self.size],
        }


def read_page(body: Body) -> Page:
    """The page asked for.

    Raises:
        Refusal: 400, a number out of range.
    """
    number = fields.integer(body, "PageNumber", low=1)
    size = fields.integer(body, "PageSize", low=1)
    if size is not None and size > 100:
        raise bad_field("PageSize", "must be at most 100", got=size)
    return Page(number or 1, size or 10)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shall show; empty fields let everything pass."""

    ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    name: str = ""
    group_type: str = ""
    statuses: tuple[str, ...] = ()


def read_filter(body: Body) -> Filter:
    """The filter of a list.

    Raises:
        Refusal: 400, a field of another type.
    """
    given = fields.mapping(body, "Filter") or {}
    one = fields.string(given, "Id", path="Filter")
    return Filter(
        ids=(*_strings(given, "Ids"), *([one] if one else [])),
        group_ids=_strings(given, "GroupIds"),
        name=fields.string(given, "Name", path="Filter"),
        group_type=fields.string(given, "GroupType", path="Filter"),
        statuses=_strings(given, "Statuses"),
    )


def _strings(body: Body, name: str) -> tuple[str, ...]:
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise bad_field(f"Filter.{name}", "must be an array of strings")
    return tuple(value)
