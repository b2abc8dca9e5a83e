"""The asset store as Python: groups, assets, and files that are never uploaded twice.

Source: seed 004 (asset management workflow), wire reference 8 with its quirks:
a group or an asset that was made a moment ago may be unknown for some seconds;
filters may be ignored; a name that is taken is told as 404.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.assets.calls import Booking, Calls
from anyfast_nb.assets.shared import alone, shared_by
from anyfast_nb.assets.waiting import Patience, wait_for
from anyfast_nb.errors import (
    AnyFastError,
    Billed,
    InputError,
    NotFoundError,
    ProtocolError,
    StatusError,
    WireError,
)
from anyfast_nb.http.bodies import FilePart
from anyfast_nb.wire import assets as wire
from anyfast_nb.wire.assets import Asset, AssetGroup, AssetType, VisualSession
from anyfast_nb.wire.lag import GROUP_WAITS_S, is_group_lag, is_missing

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.settings import Endpoint

Build = Callable[..., dict[str, Any]]
DEFAULT_GROUP: Final = "anyfast-nb"
_STEM_CHARS: Final = 48
_ODD = re.compile(r"[^\w.-]+")


class Assets:
    """The assets that this key sees on this gateway. Async; runs on the private loop.

    Args:
        gateway: connection and ledger.
        clock: seconds, monotonic.
        sleep: waits.
        suffix: makes a name unlike all others.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        suffix: Callable[[], str] = lambda: os.urandom(3).hex(),
    ) -> None:
        self._calls = Calls(gateway, clock=clock)
        self._shared = shared_by(gateway)
        self._patience = Patience(clock=clock, sleep=sleep)
        self._suffix = suffix

    # --- groups ---------------------------------------------------------------------------

    async def create_group(self, name: str, *, about: str = "", group_type: str = "") -> AssetGroup:
        """Make a group: a character, a project. It may be billed, and is not repeated after a doubt.

        Args:
            name: at most 64 characters.
            about: at most 300 characters.
            group_type: such as AIGC; "" leaves it to the server.
        """
        body = wire.build_create_group(name, about=about, group_type=group_type)
        look = f"client.assets.groups(name={body['Name']!r})"
        async with self._calls.booked(model=body["model"], title=f"group {name}", look=look) as booking:
            made = wire.read_id(await self._calls.create("CreateAssetGroup", body, booking))
        return AssetGroup(id=made, name=body["Name"], about=about, type=group_type, created_at=_now())

    async def groups(self, *, name: str = "") -> list[AssetGroup]:
        """All groups, or those whose name holds `name`."""
        found = await self._calls.groups(partial(wire.build_list_groups, name=name))
        return [group for group in found if name.lower() in group.name.lower()]  # filters may be ignored

    async def get_group(self, id: AssetGroup | str) -> AssetGroup:
        """One group.

        Raises:
            NotFoundError: this key has no such group.
        """
        group_id = wire.group_id_of(id)
        try:
            found = wire.read_group(await self._calls.query("GetAssetGroup", wire.build_one(group_id)))
        except (StatusError, ProtocolError) as error:
            if isinstance(error, StatusError) and error.status not in {404, 405} and not is_missing(error):
                raise
            found = AssetGroup(id="")  # the action is not served everywhere: look into the list
        if found.id == group_id:
            return found
        for group in await self.groups():
            if group.id == group_id:
                return group
        raise _unknown("group", group_id)

    async def update_group(self, id: AssetGroup | str, *, name: str) -> None:
        """Give a group another name."""
        await self._calls.query("UpdateAssetGroup", wire.build_update(wire.group_id_of(id), name=name))

    async def delete_group(self, id: AssetGroup | str) -> None:
        """Delete a group."""
        group_id = wire.group_id_of(id)
        await self._calls.remove("DeleteAssetGroup", wire.build_one(group_id))
        self._shared.forget_group(group_id)

    # --- assets ---------------------------------------------------------------------------

    async def create(
        self,
        url: str | None = None,
        *,
        item: MediaItem | None = None,
        asset_type: str | AssetType | None = None,
        group: AssetGroup | str | None = None,
        name: str = "",
        inline: bool = False,
    ) -> Asset:
        """Make an asset; it is pending at first, see `wait`. It may be billed.

        Args:
            url: an http(s) URL or data URI, if there is no `item`.
            item: a medium that was read; a clip or sound is sent as a file, an image inside the request.
            asset_type: Image, Video or Audio; by default what `item` is, or Image.
            group: by default one named ``anyfast-nb``, made when it is first needed.
            name: one that is not taken in its group: such an asset is refused. By default one that
                tells what it is and is like no other.
            inline: send a clip or sound inside the request as well.

        Raises:
            InputError: neither or both of url and item; no such type.
        """
        if (url is None) == (item is None):
            raise InputError(
                "give either url or item", field="item" if url else "url", hint="Nothing was sent."
            )
        kind = _kind_of(item, asset_type)
        file = None
        if item is not None:
            url = item.address or None
            if not url and (inline or kind is AssetType.IMAGE):
                url = item.url
            elif not url:
                file = FilePart(item.data or b"", item.filename, item.media_type)
        chosen = group.id if isinstance(group, AssetGroup) else group
        full = name or self._name(item.label if item is not None else kind.value.lower())
        build = partial(wire.build_create_asset, name=full, asset_type=kind, url=url)
        build(group_id=chosen or "group")  # what is wrong with the arguments is said before a group is made
        look = f"client.assets.list(name={full!r})"
        async with self._calls.booked(model=kind.model, title=full, look=look) as booking:
            booking.findable = not name
            made, group_id = await self._placed(build, file, chosen, booking)
        return Asset(id=made, name=full, type=kind.value, group_id=group_id, created_at=_now())

    async def get(self, id: Asset | str) -> Asset:
        """One asset, by itself, its id or ``asset://…``.

        Raises:
            NotFoundError: this key has no such asset.
        """
        asset_id = wire.asset_id_of(id)
        found = await self._look(asset_id)
        if found is None:  # those of a validated person stand in lists alone
            found = next((asset for asset in await self.list() if asset.id == asset_id), None)
        if found is None:
            raise _unknown("asset", asset_id)
        return found

    async def list(
        self,
        *,
        group: AssetGroup | str | None = None,
        ids: Sequence[Asset | str] = (),
        name: str = "",
        statuses: Sequence[str] = (),
    ) -> list[Asset]:
        """All assets that fit, of all pages.

        Args:
            group: of this group.
            ids: only these.
            name: whose name holds this.
            statuses: the server's words, such as Active.
        """
        group_id = group.id if isinstance(group, AssetGroup) else group
        for field, several in (("ids", ids), ("statuses", statuses)):
            if isinstance(several, str):
                raise InputError(f"{field} must be a list", field=field, hint=f"Write {field}=[…].")
        wanted = [wire.asset_id_of(one) for one in ids]
        given: dict[str, Any] = {
            "group_ids": [group_id] if group_id else (), "ids": wanted, "name": name, "statuses": statuses,
        }  # fmt: skip
        found = await self._calls.assets(partial(wire.build_list, **given))
        lowered = {status.lower() for status in statuses}
        return [  # once more: a deployment may ignore a filter
            asset
            for asset in found
            if (not wanted or asset.id in wanted)
            and (not group_id or asset.group_id in {"", group_id})
            and name.lower() in asset.name.lower()
            and (not lowered or asset.raw_status.lower() in lowered)
        ]

    async def update(self, id: Asset | str, *, name: str, group: AssetGroup | str | None = None) -> None:
        """Give an asset another name, and perhaps another group."""
        group_id = group.id if isinstance(group, AssetGroup) else group or ""
        body = wire.build_update_asset(wire.asset_id_of(id), name=name, group_id=group_id)
        await self._calls.query("UpdateAsset", body)

    async def delete(self, id: Asset | str) -> None:
        """Delete an asset; the same file is uploaded anew when it is needed."""
        asset_id = wire.asset_id_of(id)
        await self._calls.remove("DeleteAsset", wire.build_one(asset_id))
        self._calls.gateway.ledger.forget_asset(asset_id)

    async def wait(self, asset: Asset | str, *, deadline_s: float = 300.0) -> Asset:
        """Wait until a generation may name an asset.

        Args:
            asset: the asset, its id, or ``asset://…``.
            deadline_s: give up after so long.

        Raises:
            NotFoundError: it is still unknown after 20 s.
            BadRequestError, ModerationError: the server could not use it.
            ReadTimedOut: it is not ready in time; it goes on at the server.
        """
        asset_id = wire.asset_id_of(asset)
        return await wait_for(asset_id, self._look, self._patience, deadline_s=deadline_s)

    async def ensure(
        self,
        item: MediaItem,
        *,
        asset_type: str | AssetType | None = None,
        group: AssetGroup | str | None = None,
        name: str = "",
    ) -> Asset:
        """An asset of this medium that can be used now; the same file is uploaded once for each key.

        Args:
            item: a file is known by its content; an ``asset://…`` is waited for; a URL is made one anew.
            asset_type: Image, Video or Audio; by default what `item` is.
            group: for an asset that must be made.
            name: that it must have: the same file under another name is another asset.
        """
        from anyfast_nb.assets.reuse import Reuse

        kind = _kind_of(item, asset_type)
        if item.address.lower().startswith(wire.SCHEME):
            return await self.wait(item.address)
        if item.data is None:
            return await self.wait(await self.create(item=item, asset_type=kind, group=group, name=name))
        transport = await self._calls.transport()
        reuse = Reuse(self, self._calls.gateway.ledger, transport.endpoint, item=item, kind=kind, group=group)
        async with self._alone(f"upload {kind} {item.sha256}", transport.endpoint):
            return await reuse.asset(name)

    # --- a person's face ------------------------------------------------------------------

    async def validate_person(self, callback_url: str) -> VisualSession:
        """Begin the validation of a real person: they open `link` and show their face.

        Args:
            callback_url: the page to come back to; the server refuses a session without.
        """
        body = wire.build_visual_session(callback_url)
        return wire.read_visual_session(await self._calls.once("CreateVisualValidateSession", body))

    async def validated_group(self, session: VisualSession | str) -> str:
        """The group of the validated person, "" until they are done."""
        token = session.token if isinstance(session, VisualSession) else session
        try:
            reply = await self._calls.query("GetVisualValidateResult", wire.build_visual_result(token))
        except StatusError as error:
            if "notready" in f"{error.code} {error.raw_message}".lower().replace(" ", ""):
                return ""
            raise
        return wire.read_visual_result(reply)

    # --- inside ---------------------------------------------------------------------------

    def _alone(self, what: str, endpoint: Endpoint) -> AbstractAsyncContextManager[None]:
        ledger = self._calls.gateway.ledger
        return alone(what, endpoint=endpoint, beside=ledger.path, sleep=self._patience.sleep)

    def _name(self, label: str) -> str:
        return f"{_ODD.sub('-', label).strip('-.')[:_STEM_CHARS] or 'asset'}-{self._suffix()}"

    async def _look(self, id: str) -> Asset | None:
        """One asset, None if it is not known (yet)."""
        try:
            reply = await self._calls.query("GetAsset", wire.build_one(id))
        except StatusError as error:
            if not is_missing(error):
                raise
        else:
            found = await self._calls.clean(wire.read_asset(reply))
            if found.id in {"", id} and found.raw_status:
                return replace(found, id=id)
        return next(iter(await self.list(ids=[id])), None)

    async def _placed(
        self,
        build: Callable[..., dict[str, Any]],
        file: FilePart | None,
        chosen: str | None,
        booking: Booking,
    ) -> tuple[str, str]:
        """CreateAsset in the chosen group or the default one: the asset's id, and the group's."""
        group_id, fresh = (chosen, True) if chosen else await self._default_group()
        try:
            return await self._created(build(group_id=group_id), file, booking, patient=fresh), group_id
        except StatusError as error:
            if fresh or not is_group_lag(error):
                raise
        self._shared.forget_group(group_id)  # the default group is gone: someone deleted it
        group_id, _ = await self._default_group(anew=True)
        return await self._created(build(group_id=group_id), file, booking, patient=True), group_id

    async def _created(
        self, body: dict[str, Any], file: FilePart | None, booking: Booking, *, patient: bool
    ) -> str:
        """CreateAsset, sent again while its group is not known yet: those were refusals."""
        for wait_s in GROUP_WAITS_S if patient else ():
            try:
                return await self._create_or_find(body, file, booking)
            except StatusError as error:
                if not is_group_lag(error):
                    raise
            booking.attempts += 1
            await self._patience.sleep(wait_s)
        return await self._create_or_find(body, file, booking)

    async def _create_or_find(self, body: dict[str, Any], file: FilePart | None, booking: Booking) -> str:
        """CreateAsset; after a doubt the asset is looked for by its name, if that is like no other."""
        try:
            return wire.read_id(await self._calls.create("CreateAsset", body, booking, file=file))
        except AnyFastError as error:
            lag = isinstance(error, StatusError) and is_group_lag(error)
            if error.billed is Billed.NO or lag or not booking.findable:
                raise
            doubt = error
        for wait_s in GROUP_WAITS_S:
            await self._patience.sleep(wait_s)
            try:
                listed = await self.list(group=body["GroupId"], name=body["Name"])
            except (WireError, StatusError):
                break
            for asset in listed:
                if asset.name == body["Name"]:
                    return asset.id
        raise doubt

    async def _default_group(self, *, anew: bool = False) -> tuple[str, bool]:
        """Its id, and whether it was made just now."""
        endpoint = (await self._calls.transport()).endpoint
        async with self._alone(f"group {DEFAULT_GROUP}", endpoint):
            if known := self._shared.group(endpoint):
                return known, False
            listed = [] if anew else await self.groups(name=DEFAULT_GROUP)
            found = next((group.id for group in listed if group.name == DEFAULT_GROUP), "")
            group_id = found or (await self.create_group(DEFAULT_GROUP)).id
            self._shared.keep_group(endpoint, group_id)
            return group_id, not found


def _kind_of(item: MediaItem | None, asset_type: str | AssetType | None) -> AssetType:
    if asset_type is not None:
        return wire.asset_type_of(asset_type)
    return AssetType.IMAGE if item is None else wire.asset_type_of(item.kind.value)


def _unknown(what: str, id: str) -> NotFoundError:
    return NotFoundError(
        f"404 not found: this key has no {what} {id}",
        status=404,
        code=f"NotFound.{what}_id",
        hint="Each key sees its own alone. Not billed.",
    )


def _now() -> datetime:
    return datetime.now(UTC)
