"""The same file is uploaded once: found again in the ledger by its content, made anew if it is gone.

Source: wire reference 8 (each key sees its own assets alone).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from anyfast_nb.assets.waiting import ASSET_FAILED
from anyfast_nb.errors import LedgerError, NotFoundError, StatusError
from anyfast_nb.ledger.assets import StoredAsset
from anyfast_nb.wire.assets import Asset, AssetGroup, AssetType
from anyfast_nb.wire.lag import FRESH_S, is_missing

if TYPE_CHECKING:
    from anyfast_nb.assets.assets import Assets
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.settings import Endpoint


class Reuse:
    """One file, and the asset that it is or becomes."""

    def __init__(
        self,
        assets: Assets,
        ledger: Ledger,
        endpoint: Endpoint,
        *,
        item: MediaItem,
        kind: AssetType,
        group: AssetGroup | str | None,
    ) -> None:
        self._assets = assets
        self._ledger = ledger
        self._endpoint = endpoint
        self._item = item
        self._kind = kind
        self._group = group
        self._name = ""

    async def asset(self, name: str = "") -> Asset:
        """The asset, usable.

        Args:
            name: that it must have; by default any.
        """
        self._name = name
        stored = self._stored()
        if stored is not None and self._name and self._name != stored.name:
            stored = None  # the same file under another name is wanted
        if stored is not None and (known := await self._still_good(stored)) is not None:
            return known
        made = await self._made(inline=False)
        try:
            return await self._waited(made)
        except NotFoundError as error:
            if self._kind is AssetType.IMAGE or not is_missing(error):
                raise
        # An upload as a file may give an id that is never known; what is sent inside the request is.
        return await self._waited(await self._made(inline=True))

    def _stored(self) -> StoredAsset | None:
        with suppress(LedgerError):  # of trouble the ledger tells by itself; the file is uploaded once more
            return self._ledger.asset(
                base_url=self._endpoint.base_url,
                key_mark=self._endpoint.api_key.mark(),
                sha256=self._item.sha256,
                asset_type=self._kind.value,
            )
        return None

    async def _still_good(self, stored: StoredAsset) -> Asset | None:
        """The stored asset if the server still has it and it did not fail; else it is forgotten."""
        try:
            if datetime.now(UTC) - stored.created_at > timedelta(seconds=FRESH_S):
                await self._assets.get(stored.asset_id)  # not known now: there is nothing to wait for
            return await self._assets.wait(stored.asset_id)
        except StatusError as error:
            if not _is_gone(error):
                raise
            self._ledger.forget_asset(stored.asset_id)
            return None

    async def _made(self, *, inline: bool) -> Asset:
        made = await self._assets.create(
            item=self._item, asset_type=self._kind, group=self._group, name=self._name, inline=inline
        )
        self._ledger.keep_asset(  # before the wait, so that an interrupt loses nothing
            StoredAsset(
                asset_id=made.id,
                group_id=made.group_id,
                sha256=self._item.sha256,
                asset_type=self._kind.value,
                base_url=self._endpoint.base_url,
                key_mark=self._endpoint.api_key.mark(),
                name=made.name,
            )
        )
        return made

    async def _waited(self, made: Asset) -> Asset:
        try:
            return await self._assets.wait(made)
        except StatusError as error:
            if _is_gone(error):
                self._ledger.forget_asset(made.id)
            raise


def _is_gone(error: StatusError) -> bool:
    """Is the asset itself of no use (any more), rather than the question wrong?"""
    return is_missing(error) or error.type == ASSET_FAILED
