"""Groups and assets of one server, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from anyfast_nb.simulator.assets.faults import AssetFaults, read_asset_faults
from anyfast_nb.simulator.assets.refusals import AssetRefusal, no_asset, no_group
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.tasks.media import Found

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.ids import Ids

MOST_GROUPS, MOST_ASSETS = 5_000, 10_000
AIGC, LIVENESS = "AIGC", "LivenessFace"
# Seconds of processing at speed 1.
PROCESSING_S = {"Image": 3.0, "Video": 8.0, "Audio": 5.0}


class AssetStatus(StrEnum):
    """Where an asset is."""

    PROCESSING = "Processing"
    ACTIVE = "Active"
    FAILED = "Failed"


@dataclass(slots=True)
class Group:
    """One group.

    Attributes:
        type: as it was given; "" for a group created without one, which a filter by type does not find.
        lag: how many CreateAsset calls will not find it yet.
    """

    id: str
    name: str
    created_at: float
    owner: str
    description: str = ""
    type: str = ""
    project: str = "default"
    updated_at: float = 0.0
    lag: int = 0


@dataclass(slots=True)
class Asset:
    """One asset.

    Attributes:
        type: Image, Video or Audio.
        url: where it came from, "" for bytes that were sent along.
        found: the bytes, or a placeholder.
        ready_at: when it has been processed.
        looks: how often it was looked at.
        uses: how often a film referred to it while it was active.
    """

    id: str
    name: str
    type: str
    group: Group
    url: str = field(repr=False)
    found: Found
    created_at: float
    ready_at: float
    faults: AssetFaults
    updated_at: float = 0.0
    looks: int = 0
    uses: int = 0

    def status(self, now: float) -> AssetStatus:
        """Where it is at a time; the first looks may be told that it is not ready."""
        held_back = self.faults.lag + self.faults.polls
        if now < self.ready_at or 0 < self.looks <= held_back:
            return AssetStatus.PROCESSING
        return AssetStatus.FAILED if self.faults.failed else AssetStatus.ACTIVE

    @property
    def is_hidden(self) -> bool:
        """Whether looks do not find it yet."""
        return self.looks <= self.faults.lag and bool(self.faults.lag)


class AssetShelf:
    """All groups and assets; each key sees its own.

    Args:
        ids: makes new ids.
        now: seconds since 1970.
        speed: divides the time of processing; 0 is none.

    Attributes:
        accepted: how many assets were made.
    """

    def __init__(self, ids: Ids, *, now: Callable[[], float], speed: float) -> None:
        self._ids = ids
        self._now = now
        self._speed = speed
        self._groups: OrderedDict[str, Group] = OrderedDict()
        self._assets: OrderedDict[str, Asset] = OrderedDict()
        self._lock = threading.Lock()
        self.accepted = 0

    # --- groups -------------------------------------------------------------------------------------

    def add_group(
        self, name: str, *, owner: str, description: str = "", type: str = "", project: str = ""
    ) -> Group:
        """A new group."""
        group = Group(
            id=self._ids.asset("group"),
            name=name,
            created_at=self._now(),
            updated_at=self._now(),
            owner=owner,
            description=description,
            type=type,
            project=project or "default",
            lag=read_asset_faults(name).lag,
        )
        with self._lock:
            self._groups[group.id] = group
            while len(self._groups) > MOST_GROUPS:
                self._groups.popitem(last=False)
        return group

    def group(self, id: str, *, owner: str, to_fill: bool = False) -> Group:
        """A group.

        Args:
            id: of the group.
            owner: whose it must be.
            to_fill: an asset shall go into it; this is what a lag hides it from.

        Raises:
            AssetRefusal: 404, it is not there (yet).
        """
        with self._lock:
            group = self._groups.get(id)
            if group is None or group.owner != owner:
                raise no_group(id)
            if to_fill and group.lag:
                group.lag -= 1
                raise no_group(id)
            return group

    def groups(self, *, owner: str) -> list[Group]:
        """All groups that a list shows, newest first: those of a validated face are never among them."""
        with self._lock:
            found = [g for g in self._groups.values() if g.owner == owner and g.type != LIVENESS]
        return found[::-1]

    def rename_group(self, id: str, *, owner: str, name: str = "", description: str = "") -> Group:
        """Change a group.

        Raises:
            AssetRefusal: 404, it is not there.
        """
        group = self.group(id, owner=owner)
        group.name = name or group.name
        group.description = description or group.description
        group.updated_at = self._now()
        return group

    def remove_group(self, id: str, *, owner: str) -> None:
        """Remove a group and what is in it.

        Raises:
            AssetRefusal: 404, it is not there.
        """
        group = self.group(id, owner=owner)
        with self._lock:
            for asset in [a for a in self._assets.values() if a.group is group]:
                del self._assets[asset.id]
            del self._groups[id]

    # --- assets -------------------------------------------------------------------------------------

    def add(self, group: Group, name: str, *, type: str, url: str, found: Found) -> Asset:
        """A new asset, to be processed.

        Raises:
            AssetRefusal: 404, the name is taken: the service says so with this status.
        """
        faults = read_asset_faults(name)
        waits_s = (PROCESSING_S[type] + faults.slow_s) / self._speed if self._speed else 0.0
        at = self._now()
        asset = Asset(
            id=self._ids.asset("asset"),
            name=name,
            type=type,
            group=group,
            url=url,
            found=found,
            created_at=at,
            updated_at=at,
            ready_at=at + waits_s,
            faults=faults,
        )
        with self._lock:
            self._check_free(name, group)
            self._assets[asset.id] = asset
            self.accepted += 1
            while len(self._assets) > MOST_ASSETS:
                self._assets.popitem(last=False)
        return asset

    def look(self, id: str, *, owner: str) -> Asset:
        """An asset, as GetAsset finds it.

        Raises:
            AssetRefusal: 404, it is not there (yet), or of a validated face.
        """
        asset = self._own(id, owner)
        with self._lock:
            asset.looks += 1
        if asset.is_hidden or asset.group.type == LIVENESS:
            raise no_asset(id)
        return asset

    def listed(self, *, owner: str) -> list[Asset]:
        """All assets that a list shows, newest first."""
        with self._lock:
            found = [asset for asset in self._assets.values() if asset.group.owner == owner]
            for asset in found:
                asset.looks += asset.looks <= asset.faults.lag + asset.faults.polls
        return [asset for asset in reversed(found) if not asset.is_hidden]

    def rename(self, id: str, *, owner: str, name: str) -> Asset:
        """Change an asset's name.

        Raises:
            AssetRefusal: 404, it is not there, or the name is taken.
        """
        asset = self._own(id, owner)
        with self._lock:
            if name != asset.name:
                self._check_free(name, asset.group)
            asset.name = name
        asset.updated_at = self._now()
        return asset

    def remove(self, id: str, *, owner: str) -> None:
        """Remove an asset.

        Raises:
            AssetRefusal: 404, it is not there.
        """
        self._own(id, owner)
        with self._lock:
            self._assets.pop(id, None)

    def use(self, id: str, *, owner: str, kind: str, path: str, label: str) -> Found:
        """The bytes of an asset for a film.

        Raises:
            Refusal: 400, it is not there, of another type, not processed, or not known everywhere yet.
        """
        try:
            asset = self._own(id, owner)
        except AssetRefusal:
            raise bad_field(path, f"cannot be read: The specified asset {id[:80]} is not found") from None
        if asset.type.lower() != kind:
            raise bad_field(path, f"must be of type {kind}, the asset is of type {asset.type.lower()}")
        status = asset.status(self._now())
        if status is AssetStatus.FAILED:
            raise bad_field(path, f"cannot be read: asset {id[:80]} could not be processed")
        if status is AssetStatus.PROCESSING:
            raise bad_field(
                path, f"cannot be read: asset {id[:80]} is still processing and is not available yet"
            )
        with self._lock:
            asset.uses += 1
        if asset.uses <= asset.faults.lag:
            raise bad_field(path, "cannot be read: invalid url scheme")
        return Found(
            f"{label} · {asset.name}",
            name=asset.found.name,
            size_bytes=asset.found.size_bytes,
            container=asset.found.container,
            measured=asset.found.measured,
        )

    def _check_free(self, name: str, group: Group) -> None:
        if any(other.group is group and other.name == name for other in self._assets.values()):
            raise AssetRefusal(404, "NotFound.name", f"The asset name {name[:80]!r} is taken in the group.")

    def _own(self, id: str, owner: str) -> Asset:
        with self._lock:
            asset = self._assets.get(id)
            if asset is None or asset.group.owner != owner:
                raise no_asset(id)
            return asset
