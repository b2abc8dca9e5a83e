"""What the asset panel asks of AnyFast: on the private loop, never on the kernel's own thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.client.assets import item_of
from anyfast_nb.errors import AnyFastError, LedgerError
from anyfast_nb.panels.scratch import Scratch
from anyfast_nb.panels.words import say

if TYPE_CHECKING:
    from anyfast_nb.assets.assets import Assets
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.session import Session
    from anyfast_nb.wire.assets import Asset, AssetGroup

_PIXELS: Final = 240
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Checked:
    """A medium that was read, and fits.

    Attributes:
        item: it.
        about: its kind, size and length, in words.
        before: the asset that this very file is already, ``asset://…``; "" is none known.
    """

    item: MediaItem = field(repr=False)
    about: str
    before: str = ""


class AssetStore:
    """The assets of a session's gateway.

    Args:
        session: whose gateway.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._small: dict[str, Path | None] = {}
        self._scratch = Scratch()
        self._few = asyncio.Semaphore(_AT_ONCE)

    @property
    def core(self) -> Assets:
        """The asset store of the gateway as it is set now."""
        from anyfast_nb.assets.assets import Assets

        self._session.gateway.connection.check()
        return Assets(self._session.gateway)

    async def listed(self) -> tuple[list[Asset], list[AssetGroup]]:
        """All assets and all groups of this key."""
        core = self.core
        every, groups = await asyncio.gather(core.list(), core.groups())
        return every, groups

    async def checked(self, medium: Any) -> Checked:
        """Read a medium and check it against the limits; nothing is sent.

        Raises:
            InputError: says what does not fit.
        """
        item = await asyncio.to_thread(item_of, medium, None)
        return Checked(item, facts_of(item), await self._before(item))

    async def added(self, item: MediaItem, *, group: str, name: str) -> tuple[Asset, bool]:
        """The asset of a medium once it can be used, and whether it was there before.

        Raises:
            AnyFastError: it was refused, or cannot be used.
        """
        before = await self._before(item)
        core = self.core
        if item.data is None:
            return await core.wait(await core.create(item=item, group=group or None, name=name)), False
        asset = await core.ensure(item, group=group or None, name=name)
        return asset, asset.reference == before

    async def small(self, asset: Asset) -> Path | None:
        """A small copy of a picture on this disk; None for what is none, or does not come."""
        if asset.type != "Image" or not asset.url:
            return None
        async with self._few:
            if asset.id not in self._small:
                self._small[asset.id] = await self._fetched(asset)
        return self._small[asset.id]

    def known_small(self, id: str) -> Path | None:
        """The small copy that is there already."""
        return self._small.get(id)

    def close(self) -> None:
        """Remove the small copies."""
        self._scratch.close()

    async def _fetched(self, asset: Asset) -> Path | None:
        from anyfast_nb.http.download import download
        from anyfast_nb.media.frames import thumbnail

        origin = (await self._session.gateway.connection.transport()).endpoint.base_url
        whole = self._scratch.path / f"{len(self._small)}.whole"
        try:
            whole = (await download(asset.url, to=whole, kind="image", own_origin=origin)).path
        except AnyFastError:
            return None
        small = await asyncio.to_thread(thumbnail, whole, longest=_PIXELS)
        whole.unlink(missing_ok=True)
        if small is None:
            return None
        path = whole.with_suffix(f".{small.media_type.rpartition('/')[2]}")
        path.write_bytes(small.data)
        return path

    async def _before(self, item: MediaItem) -> str:
        """The asset that this file was made before, by its content."""
        if item.data is None:
            return ""
        endpoint = (await self._session.gateway.connection.transport()).endpoint
        with suppress(LedgerError):  # of that, the ledger tells by itself
            stored = self._session.gateway.ledger.asset(
                base_url=endpoint.base_url,
                key_mark=endpoint.api_key.mark(),
                sha256=item.sha256,
                asset_type=item.kind.value.capitalize(),
            )
            return f"asset://{stored.asset_id}" if stored is not None else ""
        return ""


def facts_of(item: MediaItem) -> str:
    """Kind, pixels, length and size of a medium, as far as they are known."""
    facts = [
        say(f"asset.{item.kind.value}"),
        f"{item.width} × {item.height}" if item.width and item.height else "",
        f"{item.duration_s:.1f} s" if item.duration_s else "",
        "" if item.size_bytes is None else _size(item.size_bytes),
    ]
    return " · ".join(fact for fact in facts if fact)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e3:.0f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"
