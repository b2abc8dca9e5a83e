"""The desk for ``POST /volc/asset/*``."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse
from starlette.routing import Route

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.assets.faults import read_asset_faults
from anyfast_nb.simulator.assets.reading import (
    MOST_DESCRIPTION,
    Filter,
    check_model,
    name_of,
    read_asset,
    read_body,
    read_filter,
    read_page,
)
from anyfast_nb.simulator.assets.refusals import AssetRefusal, asset_terms
from anyfast_nb.simulator.assets.shelf import AIGC, LIVENESS, Asset, AssetShelf, AssetStatus, Group
from anyfast_nb.simulator.delivery import PAGE, json_reply
from anyfast_nb.simulator.files import absolute
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.tasks.life import key_mark
from anyfast_nb.simulator.triggers import read_triggers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from anyfast_nb.simulator.fields import Body
    from anyfast_nb.simulator.tasks.ids import Ids
    from anyfast_nb.simulator.tasks.media import Library
    from anyfast_nb.simulator.workshop import Workshop

MOST_SESSIONS = 1_000
H5_PAGE = "https://validate.invalid/h5?token="


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: its fields, the file beside them, and by whom and how it came."""

    body: Body
    file: bytes | None
    owner: str
    request: Request


class AssetDesk:
    """Groups, assets and the face validation, all by POST."""

    def __init__(self, shop: Workshop, shelf: AssetShelf, library: Library, ids: Ids) -> None:
        self._shop = shop
        self._shelf = shelf
        self._library = library
        self._ids = ids
        self._sessions: OrderedDict[str, str] = OrderedDict()
        self._actions: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "CreateAssetGroup": self._create_group,
            "GetAssetGroup": self._get_group,
            "ListAssetGroups": self._list_groups,
            "UpdateAssetGroup": self._update_group,
            "DeleteAssetGroup": self._delete_group,
            "CreateAsset": self._create_asset,
            "GetAsset": self._get_asset,
            "ListAssets": self._list_assets,
            "UpdateAsset": self._update_asset,
            "DeleteAsset": self._delete_asset,
            "CreateVisualValidateSession": self._create_session,
            "GetVisualValidateResult": self._get_result,
        }

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [Route(f"/volc/asset/{name}", self.answer, methods=["POST"]) for name in self._actions]

    async def answer(self, request: Request) -> ASGIApp:
        """Any of the actions."""
        raw = await request.body()
        return await self._shop.read(self._work_out, request, raw)

    def _work_out(self, request: Request, raw: bytes) -> ASGIApp:
        authorization = request.headers.get("authorization", "")
        with asset_terms():
            body, file = read_body(raw, content_type=request.headers.get("content-type", ""))
            name = fields.string(body, "Name")
        triggers = read_triggers(name)
        self._shop.check(triggers, authorization=authorization, prompt=name)
        if triggers.html:
            return HTMLResponse(PAGE)
        action = request.url.path.rpartition("/")[2]
        with asset_terms():
            check_model(body)
            if action.startswith("Create") and read_asset_faults(name).ok_with_error:
                return json_reply({"error": {"message": "Simulated on request: an error with status 200."}})
            reply = self._actions[action](Asked(body, file, key_mark(authorization), request))
        if action.startswith("Create") and read_asset_faults(name).envelope:
            reply = {
                "ResponseMetadata": {"RequestId": self._ids.request(), "Action": action},
                "Result": reply,
            }
        return json_reply(reply)

    # --- groups -------------------------------------------------------------------------------------

    def _create_group(self, asked: Asked) -> dict[str, Any]:
        body = asked.body
        name = name_of(body)
        description = fields.string(body, "Description")
        if len(description) > MOST_DESCRIPTION:
            raise bad_field(
                "Description", f"must be at most {MOST_DESCRIPTION} characters", got=len(description)
            )
        kind = fields.choice(body, "GroupType", (AIGC, LIVENESS))
        if kind == LIVENESS:
            raise bad_field("GroupType", "LivenessFace groups are made by a validation session only")
        project = fields.string(body, "ProjectName")
        group = self._shelf.add_group(
            name, owner=asked.owner, description=description, type=kind, project=project
        )
        return {"Id": group.id}

    def _get_group(self, asked: Asked) -> dict[str, Any]:
        return _group_row(self._shelf.group(_id(asked.body), owner=asked.owner))

    def _list_groups(self, asked: Asked) -> dict[str, Any]:
        page, wanted = read_page(asked.body), read_filter(asked.body)
        ids = (*wanted.ids, *wanted.group_ids)
        rows = [
            _group_row(group)
            for group in self._shelf.groups(owner=asked.owner)
            if (not ids or group.id in ids)
            and wanted.name.lower() in group.name.lower()
            and wanted.group_type in {"", group.type}
        ]
        return dict(page.of(rows))

    def _update_group(self, asked: Asked) -> dict[str, Any]:
        name = name_of(asked.body) if asked.body.get("Name") is not None else ""
        description = fields.string(asked.body, "Description")
        group = self._shelf.rename_group(
            _id(asked.body), owner=asked.owner, name=name, description=description
        )
        return {"Id": group.id}

    def _delete_group(self, asked: Asked) -> dict[str, Any]:
        self._shelf.remove_group(_id(asked.body), owner=asked.owner)
        return {}

    # --- assets -------------------------------------------------------------------------------------

    def _create_asset(self, asked: Asked) -> dict[str, Any]:
        new = read_asset(
            asked.body,
            asked.file,
            library=self._library,
            host=asked.request.headers.get("host", ""),
            strict=self._shop.config.strict,
        )
        group = self._shelf.group(new.group_id, owner=asked.owner, to_fill=True)
        asset = self._shelf.add(group, new.name, type=new.type, url=new.url, found=new.found)
        return {"Id": asset.id}

    def _get_asset(self, asked: Asked) -> dict[str, Any]:
        return self._asset_row(self._shelf.look(_id(asked.body), owner=asked.owner), asked.request)

    def _list_assets(self, asked: Asked) -> dict[str, Any]:
        page, wanted = read_page(asked.body), read_filter(asked.body)
        rows = [
            self._asset_row(asset, asked.request)
            for asset in self._shelf.listed(owner=asked.owner)
            if self._shows(asset, wanted)
        ]
        return dict(page.of(rows))

    def _shows(self, asset: Asset, wanted: Filter) -> bool:
        return (
            (not wanted.ids or asset.id in wanted.ids)
            and (not wanted.group_ids or asset.group.id in wanted.group_ids)
            and wanted.name.lower() in asset.name.lower()
            # A group made without a type is not of type AIGC to the filter: the service's own quirk.
            and wanted.group_type in {"", asset.group.type}
            and (not wanted.statuses or asset.status(self._shop.now()) in wanted.statuses)
        )

    def _update_asset(self, asked: Asked) -> dict[str, Any]:
        asset = self._shelf.rename(_id(asked.body), owner=asked.owner, name=name_of(asked.body))
        return {"Id": asset.id}

    def _delete_asset(self, asked: Asked) -> dict[str, Any]:
        self._shelf.remove(_id(asked.body), owner=asked.owner)
        return {}

    def _asset_row(self, asset: Asset, request: Request) -> dict[str, Any]:
        status = asset.status(self._shop.now())
        url = asset.url
        if not url and asset.found.name:
            url = absolute(request, self._shop.store.link(asset.found.name))
        row: dict[str, Any] = {
            "Id": asset.id,
            "Name": asset.name,
            "URL": url if status is AssetStatus.ACTIVE else "",
            "AssetType": asset.type,
            "GroupId": asset.group.id,
            "Status": status.value,
            "ProjectName": asset.group.project,
            "CreateTime": _iso(asset.created_at),
            "UpdateTime": _iso(asset.updated_at),
        }
        if status is AssetStatus.FAILED:
            row["Error"] = {"Code": "ProcessFailed", "Message": "Simulated on request: it failed."}
        return row

    # --- faces --------------------------------------------------------------------------------------

    def _create_session(self, asked: Asked) -> dict[str, Any]:
        callback = fields.string(asked.body, "CallbackURL")
        if not callback:
            raise AssetRefusal(400, "***.CallbackURL", "The required parameter CallbackURL is missing.")
        token = self._ids.asset("byted")
        self._sessions[token] = ""
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return {"BytedToken": token, "CallbackURL": callback, "H5Link": H5_PAGE + token}

    def _get_result(self, asked: Asked) -> dict[str, Any]:
        """Nobody shows a face here: the first look finds it unfinished, the second finished."""
        token = fields.needed_string(asked.body, "BytedToken")
        if token not in self._sessions:
            raise AssetRefusal(404, "NotFound.byted_token", "The specified session is not found.")
        told = self._sessions[token]
        if not told:
            group = self._shelf.add_group("validated face", owner=asked.owner, type=LIVENESS)
            self._sessions[token] = group.id
        return {"GroupId": told}


def _id(body: Body) -> str:
    return fields.needed_string(body, "Id")


def _group_row(group: Group) -> dict[str, Any]:
    row = {
        "Id": group.id,
        "Name": group.name,
        "GroupType": group.type or AIGC,
        "Description": group.description,
        "ProjectName": group.project,
        "CreateTime": _iso(group.created_at),
        "UpdateTime": _iso(group.updated_at),
    }
    return row if group.description else {name: value for name, value in row.items() if name != "Description"}


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
