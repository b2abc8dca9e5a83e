"""An asset store with a memory and every quirk of the real one, switched on by the test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.assets.assets import Assets
from anyfast_nb.gateway.gateway import Gateway
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.ledger import Ledger, frame
from anyfast_nb.settings import Settings
from tests.wire_server import Reply, Request, WireServer

KEY = "sk-live-0123456789abcdef"


@dataclass
class Quirks:
    """What goes wrong, and how often."""

    group_lag: int = 0  # CreateAsset does not know its group so many times
    asset_lag: int = 0  # a new asset is unknown to so many questions
    steps: int = 1  # questions until an asset is active
    end: str = "Active"
    ids_ignored: bool = False
    wants_group_type: bool = False
    forms_are_lost: bool = False
    hidden: bool = False  # GetAsset does not know them, lists do
    wrapped: bool = False
    errors_in_200: bool = False
    page_size: int = 100
    no_group_action: bool = False


class Store(WireServer):
    """Answers from its memory; scripted replies come first."""

    def __init__(self) -> None:
        super().__init__()
        self.quirks = Quirks()
        self.groups: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, int] = {}
        self._count = itertools.count(1)

    def actions(self, name: str = "") -> list[str]:
        """Which actions were called."""
        found = [request.path.removeprefix("/volc/asset/") for request in self.requests]
        return [action for action in found if not name or action == name]

    def take(self, request: Request) -> Reply:
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
            if self._replies:
                return self._replies.popleft()
            answer = getattr(self, request.path.removeprefix("/volc/asset/"), None)
            if answer is None:
                return self.no(404, f"Invalid URL (POST {request.path})")
            reply: dict[str, Any] | Reply = answer(self.body(request))
        if isinstance(reply, Reply):
            return reply
        return Reply.json(
            {"ResponseMetadata": {"RequestId": "r"}, "Result": reply} if self.quirks.wrapped else reply
        )

    @staticmethod
    def body(request: Request) -> dict[str, Any]:
        kind = request.headers.get("Content-Type", "")
        if not kind.startswith("multipart/"):
            return dict(request.json())
        form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
        fields: dict[str, Any] = {}
        for part in form.iter_parts():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = part["Content-Disposition"].params["name"]
            fields[name] = content if name == "file" else content.decode()
        return fields

    def no(self, status: int, message: str) -> Reply:
        return Reply.json(
            {"error": {"message": message}}, status=200 if self.quirks.errors_in_200 else status
        )

    # --- the actions ----------------------------------------------------------------------

    def CreateAssetGroup(self, body: dict[str, Any]) -> Any:  # noqa: N802 - the wire's names
        new = f"group-{next(self._count)}"
        self.groups[new] = {"Id": new, "Name": body["Name"], "GroupType": body.get("GroupType", "")}
        return {"Id": new}

    def CreateAsset(self, body: dict[str, Any]) -> Any:  # noqa: N802
        group = body["GroupId"]
        if group not in self.groups or self.quirks.group_lag > 0:
            self.quirks.group_lag -= 1
            return self.no(
                404, f"upstream_error: [NotFound.group_id] The specified asset_group {group} is not found."
            )
        if any(asset["Name"] == body["Name"] for asset in self.assets.values()):
            return self.no(404, "not found")
        new = f"asset-{next(self._count)}"
        self.assets[new] = {**body, "Id": new, "lost": "file" in body and self.quirks.forms_are_lost}
        return {"Id": new}

    def GetAsset(self, body: dict[str, Any]) -> Any:  # noqa: N802
        item = None if self.quirks.hidden else self._item(body["Id"], asked=True)
        return item or self.no(404, f"[NotFound.asset_id] The specified asset {body['Id']} is not found")

    def ListAssets(self, body: dict[str, Any]) -> Any:  # noqa: N802
        wanted = body["Filter"]
        if self.quirks.wants_group_type and not wanted.get("GroupType"):
            return self.no(400, "The required parameter GroupType is missing")
        ids = [] if self.quirks.ids_ignored else wanted.get("Ids", [])
        items = [item for one in self.assets if (not ids or one in ids) and (item := self._item(one))]
        return self._page(items, body)

    def ListAssetGroups(self, body: dict[str, Any]) -> Any:  # noqa: N802
        return self._page(list(self.groups.values()), body)

    def GetAssetGroup(self, body: dict[str, Any]) -> Any:  # noqa: N802
        if self.quirks.no_group_action:
            return self.no(404, "Invalid URL (POST /volc/asset/GetAssetGroup)")
        return self.groups.get(body["Id"]) or self.no(404, "[NotFound.group_id] no such group")

    def UpdateAsset(self, body: dict[str, Any]) -> Any:  # noqa: N802
        self.assets[body["Id"]] |= {key: body[key] for key in ("Name", "GroupId") if key in body}
        return {"Id": body["Id"]}

    def UpdateAssetGroup(self, body: dict[str, Any]) -> Any:  # noqa: N802
        self.groups[body["Id"]]["Name"] = body["Name"]
        return {"Id": body["Id"]}

    def DeleteAsset(self, body: dict[str, Any]) -> Any:  # noqa: N802
        return {} if self.assets.pop(body["Id"], None) else self.no(404, "[NotFound.asset_id] no such asset")

    def DeleteAssetGroup(self, body: dict[str, Any]) -> Any:  # noqa: N802
        return {} if self.groups.pop(body["Id"], None) else self.no(404, "[NotFound.group_id] no such group")

    def CreateVisualValidateSession(self, body: dict[str, Any]) -> Any:  # noqa: N802
        return {"BytedToken": "s3cr3t-token", "H5Link": "https://h5.example/?t=s3cr3t", **body}

    def GetVisualValidateResult(self, body: dict[str, Any]) -> Any:  # noqa: N802
        return {"GroupId": "group-face" if body["BytedToken"] == "s3cr3t-token" else ""}

    # --- details --------------------------------------------------------------------------

    def _item(self, id: str, *, asked: bool = False) -> dict[str, Any] | None:
        asset = self.assets.get(id)
        if asset is None or asset["lost"]:
            return None
        times = self._asked[id] = self._asked.get(id, 0) + asked
        if times + (not asked) <= self.quirks.asset_lag and not self.quirks.hidden:
            return None
        ready = self.quirks.hidden or times >= self.quirks.asset_lag + self.quirks.steps
        item = {key: asset[key] for key in ("Id", "Name", "AssetType", "GroupId")}
        item["Status"] = self.quirks.end if ready else "Processing"
        if item["Status"] == "Active":
            item["URL"] = f"https://store.example/{id}?X-Sig=s3cr3t"
        if item["Status"] == "Failed":
            item["Error"] = {"Code": "InputImageSensitiveContentDetected", "Message": f"refused for {KEY}"}
        return item

    def _page(self, items: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        size = min(self.quirks.page_size, body["PageSize"])
        first = (body["PageNumber"] - 1) * size
        return {
            "PageNumber": body["PageNumber"],
            "TotalCount": len(items),
            "Items": items[first : first + size],
        }


@dataclass(slots=True)
class Time:
    """A clock that moves by what is slept."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)
    most: int = 99  # so many waits; then someone interrupts

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) >= self.most:
            raise asyncio.CancelledError
        self.slept.append(round(seconds, 2))
        self.passed += seconds

    def now(self) -> float:
        return self.passed


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        yield server


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        yield ledger


Open = Callable[..., Assets]


@pytest.fixture
async def open_assets(store: Store, time: Time, ledger: Ledger, tmp_path: Path) -> AsyncIterator[Open]:
    """Assets of the store, by any key; names get a running number."""
    made: list[Gateway] = []
    numbers = itertools.count(1)

    def open_(*, key: str = KEY, gateway: Gateway | None = None) -> Assets:
        settings = Settings(home=tmp_path).with_changes(origin="test", base_url=store.url, api_key=key)
        gateway = gateway or Gateway(lambda: settings, ledger=ledger, policy=RetryPolicy(base_s=0, cap_s=0))
        made.append(gateway)
        return Assets(gateway, clock=time.now, sleep=time.sleep, suffix=lambda: f"{next(numbers):06d}")

    yield open_
    for gateway in made:
        await gateway.close()


@pytest.fixture
def assets(open_assets: Open) -> Assets:
    return open_assets()


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The ledger's rows by column."""
    table = frame(columns="all", path=ledger.path).astype(object)
    return table.where(table.notna(), None).to_dict("records")
