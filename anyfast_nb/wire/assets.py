"""POST /volc/asset/<Action>: bodies of every action, and what the replies say.

Source: seed 004 (asset management workflow), wire reference 8. Replies are bare
objects in PascalCase; some deployments wrap them in ``Result``. An error inside
a 200 is told by `anyfast_nb.wire.problems`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from anyfast_nb.errors import InputError, ProtocolError
from anyfast_nb.wire import checks
from anyfast_nb.wire.plain import integer, link, moment, word
from anyfast_nb.wire.problems import read_problem
from anyfast_nb.wire.text import mended, one_line

PREFIX: Final = "/volc/asset/"
SCHEME: Final = "asset://"
PAGE_SIZE: Final = 100
_NAME_CHARS: Final = 64
_ABOUT_CHARS: Final = 300
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}")


class AssetType(StrEnum):
    """What an asset is, in the wire's words."""

    IMAGE = "Image"
    VIDEO = "Video"
    AUDIO = "Audio"

    @property
    def model(self) -> str:
        """The model that is billed for it."""
        return {"Image": "volc-asset", "Video": "volc-asset-video", "Audio": "volc-asset-audio"}[self.value]


class AssetStatus(StrEnum):
    """Where an asset stands. A word that is not known is pending: it may yet become usable."""

    ACTIVE = "active"
    PENDING = "pending"
    FAILED = "failed"

    @property
    def ends(self) -> bool:
        """Will it stay like this?"""
        return self is not AssetStatus.PENDING


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset as the server knows it.

    Attributes:
        id: opaque.
        name: as it was given.
        type: Image, Video or Audio, "" if the server did not say.
        group_id: the group it lies in.
        status: active, pending or failed; `raw_status` keeps the server's word.
        url: where the server keeps it, never shown.
        created_at, updated_at: aware, UTC; None is unknown.
        error: why it failed, "" if it did not; `error_code` as the server gave it.
    """

    id: str
    name: str = ""
    type: str = ""
    group_id: str = ""
    status: AssetStatus = AssetStatus.PENDING
    raw_status: str = ""
    url: str = field(default="", repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    error: str = ""
    error_code: str = ""

    @property
    def reference(self) -> str:
        """How a generation names it: ``asset://<id>``."""
        return f"{SCHEME}{self.id}"

    @property
    def usable(self) -> bool:
        """May a generation name it now?"""
        return self.status is AssetStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class AssetGroup:
    """A group of assets: a character, a project."""

    id: str
    name: str = ""
    about: str = ""
    type: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `total` is None where the server did not count."""

    items: tuple[Mapping[str, Any], ...] = field(repr=False)
    number: int
    total: int | None


@dataclass(frozen=True, slots=True)
class VisualSession:
    """A person is asked to show their face in a browser; link and token are secrets."""

    token: str = field(repr=False)
    link: str = field(repr=False)
    callback_url: str = field(default="", repr=False)


# --- building -----------------------------------------------------------------------------


def build_create_group(name: str, *, about: str = "", group_type: str = "") -> dict[str, Any]:
    """CreateAssetGroup.

    Args:
        name: at most 64 characters.
        about: at most 300 characters.
        group_type: such as AIGC; "" leaves it out.
    """
    body = {"model": AssetType.IMAGE.model, "Name": _name(name)}
    if about:
        body["Description"] = _short("about", about, _ABOUT_CHARS)
    return body | ({"GroupType": group_type} if group_type else {})


def build_create_asset(
    *, group_id: str, name: str, asset_type: str | AssetType, url: str | None = None
) -> dict[str, Any]:
    """CreateAsset: as JSON with `url`, or the fields beside the file of a multipart form without.

    Args:
        group_id: an existing group.
        name: unlike every other name in that group; at most 64 characters.
        asset_type: Image, Video or Audio. Always sent: without it a clip becomes an image.
        url: an http(s) URL or a data URI.
    """
    kind = asset_type_of(asset_type)
    body = {
        "model": kind.model,
        "GroupId": _id("group", group_id),
        "Name": _name(name),
        "AssetType": kind.value,
    }
    if url is None:
        return body
    if url[:8].lower().startswith(("http://", "https://", "data:")):
        return body | {"URL": url}
    raise InputError(
        "url is neither an http(s) URL nor a data URI",
        field="url",
        hint="For a file give item=…, or its path.",
    )


def build_one(id: str, *, field: str = "id") -> dict[str, Any]:
    """GetAsset, DeleteAsset, GetAssetGroup, DeleteAssetGroup: the id alone."""
    return {"Id": _id(field, id)}


def build_update(id: str, *, name: str, asset_type: str | AssetType = AssetType.IMAGE) -> dict[str, Any]:
    """UpdateAssetGroup: another name."""
    return {"model": asset_type_of(asset_type).model, "Id": _id("id", id), "Name": _name(name)}


def build_update_asset(
    id: str, *, name: str, group_id: str = "", asset_type: str | AssetType = AssetType.IMAGE
) -> dict[str, Any]:
    """UpdateAsset: another name, and perhaps another group."""
    body = build_update(id, name=name, asset_type=asset_type)
    return body | ({"GroupId": _id("group", group_id)} if group_id else {})


def build_list(
    *,
    group_ids: Sequence[str] = (),
    ids: Sequence[str] = (),
    name: str = "",
    statuses: Sequence[str] = (),
    group_type: str = "",
    page: int = 1,
    page_size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """ListAssets: one page, filtered; an empty filter is left out."""
    wanted = {
        "GroupIds": [_id("group", one) for one in group_ids],
        "Ids": [_id("ids", one) for one in ids],
        "Name": name,
        "GroupType": group_type,
        "Statuses": list(statuses),
    }
    return _page({key: value for key, value in wanted.items() if value}, page, page_size)


def build_list_groups(
    *, name: str = "", group_type: str = "", page: int = 1, page_size: int = PAGE_SIZE
) -> dict[str, Any]:
    """ListAssetGroups: one page, filtered."""
    wanted = {"Name": name, "GroupType": group_type}
    return _page({key: value for key, value in wanted.items() if value}, page, page_size)


def build_visual_session(callback_url: str) -> dict[str, Any]:
    """CreateVisualValidateSession; the pages call the callback optional, the server refuses without it."""
    if not link(callback_url):
        raise InputError(
            "callback_url must be an http(s) URL",
            field="callback_url",
            hint="The server refuses a session without the page to come back to.",
        )
    return {"CallbackURL": callback_url}


def build_visual_result(token: str) -> dict[str, Any]:
    """GetVisualValidateResult."""
    return {"BytedToken": checks.text("token", token)}


def asset_type_of(value: Any) -> AssetType:
    """``image``, ``Image``, ``.VIDEO`` and so on.

    Raises:
        InputError: no such type.
    """
    try:
        return AssetType(str(value).capitalize())
    except ValueError:
        checks.one_of("asset_type", value, allowed=tuple(AssetType))
        raise


def asset_id_of(asset: Asset | str) -> str:
    """The id of an asset, in ``asset://<id>`` (any case of the scheme), or an id itself."""
    text = str(asset.id if isinstance(asset, Asset) else asset).strip()
    if text[: len(SCHEME)].lower() == SCHEME:
        text = text[len(SCHEME) :]
    return _id("asset", text)


def group_id_of(group: AssetGroup | str) -> str:
    """The id of a group, or an id itself."""
    return _id("group", group.id if isinstance(group, AssetGroup) else group)


def _id(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        shown = repr(value) if not isinstance(value, str) or len(value) <= 60 else f"{len(value)} characters"
        raise InputError(f"{field} is {shown}; that is no id", field=field, hint="Nothing was sent.")
    return value


def _name(value: Any) -> str:
    return _short("name", checks.text("name", value), _NAME_CHARS)


def _short(field: str, value: Any, most: int) -> str:
    text = mended(checks.text(field, value)).strip()
    if len(text) > most:
        raise InputError(
            f"{field} has {len(text)} characters; at most {most} are allowed", field=field, hint="Shorten it."
        )
    return text


def _page(wanted: dict[str, Any], page: int, page_size: int) -> dict[str, Any]:
    return {
        "model": AssetType.IMAGE.model, "Filter": wanted, "PageNumber": page, "PageSize": page_size,
    }  # fmt: skip


# --- reading ------------------------------------------------------------------------------


def read_id(body: Mapping[str, Any]) -> str:
    """The id of what was made.

    Raises:
        ProtocolError: the reply holds none.
    """
    said = result(body)
    found = next((text for key in ("Id", "id", "AssetId") if (text := word(said.get(key)))), "")
    if not _ID.fullmatch(found):
        raise ProtocolError(
            "the server accepted, but its reply holds no id",
            hint="Sent, and may be billed: it was not repeated. Look for it in the list.",
        )
    return found


def read_asset(body: Mapping[str, Any]) -> Asset:
    """GetAsset's reply, or an item of a list."""
    found = result(body)
    code, message = _failure(found)
    raw_status = word(found.get("Status"))
    return Asset(
        id=word(found.get("Id") or found.get("AssetId")),
        name=word(found.get("Name")),
        type=word(found.get("AssetType")),
        group_id=word(found.get("GroupId")),
        status=_status(raw_status),
        raw_status=raw_status,
        url=link(found.get("URL")),
        created_at=moment(found.get("CreateTime")),
        updated_at=moment(found.get("UpdateTime")),
        error=message,
        error_code=code,
    )


def read_group(body: Mapping[str, Any]) -> AssetGroup:
    """GetAssetGroup's reply, or an item of a list."""
    found = result(body)
    return AssetGroup(
        id=word(found.get("Id") or found.get("GroupId")),
        name=word(found.get("Name")),
        about=word(found.get("Description")),
        type=word(found.get("GroupType")),
        created_at=moment(found.get("CreateTime")),
        updated_at=moment(found.get("UpdateTime")),
    )


def read_page(body: Mapping[str, Any]) -> Page:
    """One page of a list; items that are no objects are left out."""
    found = result(body)
    items = found.get("Items")
    return Page(
        items=tuple(item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else (),
        number=integer(found.get("PageNumber")) or 1,
        total=integer(found.get("TotalCount")),
    )


def read_visual_session(body: Mapping[str, Any]) -> VisualSession:
    """CreateVisualValidateSession's reply.

    Raises:
        ProtocolError: the reply holds no token and link.
    """
    found = result(body)
    session = VisualSession(
        token=word(found.get("BytedToken")),
        link=link(found.get("H5Link")),
        callback_url=link(found.get("CallbackURL")),
    )
    if not (session.token and session.link):
        raise ProtocolError("the reply holds no session", hint="Ask for a new one.")
    return session


def read_visual_result(body: Mapping[str, Any]) -> str:
    """The group of the validated person, "" until they are done."""
    return word(result(body).get("GroupId"))


def result(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A reply without its wrapper, where a deployment has one."""
    inner = body.get("Result")
    return inner if isinstance(inner, Mapping) else body


def _status(raw: str) -> AssetStatus:
    lowered = raw.lower()
    if lowered == "active":
        return AssetStatus.ACTIVE
    return AssetStatus.FAILED if lowered in {"failed", "inactive", "fail"} else AssetStatus.PENDING


def _failure(found: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of an item's ``Error`` (an object, or words) or ``FailReason`` (words, or JSON)."""
    error = found.get("Error") or found.get("FailReason")
    if not error:
        return "", ""
    problem = read_problem(error if isinstance(error, str) else json.dumps({"Error": error}, default=str))
    return one_line(problem.code), one_line(problem.message)
