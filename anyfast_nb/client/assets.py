"""`Client.assets`: pictures, clips and sounds that AnyFast keeps, to be named in generations.

The verbs are those of `anyfast_nb.assets.assets.Assets`; here a medium may be
anything: a path, bytes, a PIL image, a URL, an earlier picture or film.

Source: seed 004 (asset management), wire reference 8.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.settings import DEFAULT_BASE_URL

if TYPE_CHECKING:
    from anyfast_nb.assets.assets import Assets
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.wire.assets import Asset, AssetGroup

T = TypeVar("T")

_KINDS: Final = ("image", "video", "audio")


class _Face:
    """What both faces share: each verb as a coroutine for the private loop."""

    def __init__(self, gateway: Gateway, *, pace: Pace | None = None) -> None:
        self._gateway = gateway
        self._pace = pace

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._gateway.settings().base_url or DEFAULT_BASE_URL}>"

    def _assets(self) -> Assets:
        from anyfast_nb.assets.assets import Assets

        self._gateway.connection.check()
        if self._pace is None:
            return Assets(self._gateway)
        return Assets(self._gateway, clock=self._pace.clock, sleep=self._pace.sleep)

    async def _create(
        self, medium: Any, asset_type: str | None, group: AssetGroup | str | None, name: str
    ) -> Asset:
        item = await asyncio.to_thread(item_of, medium, asset_type)
        return await self._assets().create(item=item, asset_type=asset_type, group=group, name=name)

    async def _ensure(self, medium: Any, asset_type: str | None, group: AssetGroup | str | None) -> Asset:
        item = await asyncio.to_thread(item_of, medium, asset_type)
        return await self._assets().ensure(item, asset_type=asset_type, group=group)


class AssetsFace(_Face):
    """The synchronous verbs. An asset or a group may be given as itself or by its id.

    What the store takes, checked before anything is sent:

    - pictures: JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC; below 30 MB, 300 to 6,000 pixels on each side,
      width / height from 0.4 to 2.5.
    - clips: MP4, MOV; below 50 MB, 2 to 15 s, 480p or 720p, 24 to 60 frames per second.
    - sounds: MP3, WAV; below 15 MB, 2 to 15 s.

    Source: seed 004 (asset management), wire reference 8.

    Example:
        >>> import anyfast_nb as af
        >>> assets = af.Client(base_url="simulator").assets
        >>> cat = assets.ensure("cat.png")  # doctest: +SKIP
        >>> af.seedance("@image1 sleeps", images=[cat])  # doctest: +SKIP
    """

    def create(
        self,
        medium: Any,
        *,
        asset_type: str | None = None,
        group: AssetGroup | str | None = None,
        name: str = "",
    ) -> Asset:
        """Make an asset; it is pending at first, see `wait`. It may be billed.

        Args:
            medium: a URL, path, bytes, a picture of the notebook.
            asset_type: Image, Video or Audio; by default what a file is, or Image for a URL.
            group: by default one named ``anyfast-nb``, made when it is first needed.
            name: its beginning; a few characters are added.
        """
        return io_loop().run(self._create(medium, asset_type, group, name))

    def ensure(
        self, medium: Any, *, asset_type: str | None = None, group: AssetGroup | str | None = None
    ) -> Asset:
        """An asset of this medium that can be used now; the same file is uploaded once."""
        return io_loop().run(self._ensure(medium, asset_type, group))

    def wait(self, asset: Asset | str, *, deadline_s: float = 300.0) -> Asset:
        """Wait until a generation may name it."""
        return io_loop().run(self._assets().wait(asset, deadline_s=deadline_s))

    def get(self, id: Asset | str) -> Asset:
        """One asset, by itself, its id or ``asset://…``."""
        return io_loop().run(self._assets().get(id))

    def list(
        self,
        *,
        group: AssetGroup | str | None = None,
        ids: Sequence[Asset | str] = (),
        name: str = "",
        statuses: Sequence[str] = (),
    ) -> list[Asset]:
        """All assets of this key that fit."""
        return io_loop().run(self._assets().list(group=group, ids=ids, name=name, statuses=statuses))

    def update(self, id: Asset | str, *, name: str, group: AssetGroup | str | None = None) -> None:
        """Give an asset another name, and perhaps another group."""
        io_loop().run(self._assets().update(id, name=name, group=group))

    def delete(self, id: Asset | str) -> None:
        """Delete an asset."""
        io_loop().run(self._assets().delete(id))

    def create_group(self, name: str, *, about: str = "", group_type: str = "") -> AssetGroup:
        """Make a group: a character, a project. It may be billed."""
        return io_loop().run(self._assets().create_group(name, about=about, group_type=group_type))

    def groups(self, *, name: str = "") -> Groups:
        """All groups, or those whose name holds `name`."""
        return io_loop().run(self._assets().groups(name=name))

    def get_group(self, id: AssetGroup | str) -> AssetGroup:
        """One group."""
        return io_loop().run(self._assets().get_group(id))

    def update_group(self, id: AssetGroup | str, *, name: str) -> None:
        """Give a group another name."""
        io_loop().run(self._assets().update_group(id, name=name))

    def delete_group(self, id: AssetGroup | str) -> None:
        """Delete a group."""
        io_loop().run(self._assets().delete_group(id))


class AsyncAssetsFace(_Face):
    """The same verbs to be awaited, in any event loop; arguments as in `AssetsFace`."""

    async def create(
        self,
        medium: Any,
        *,
        asset_type: str | None = None,
        group: AssetGroup | str | None = None,
        name: str = "",
    ) -> Asset:
        """Make an asset; it is pending at first, see `wait`. It may be billed."""
        return await _there(self._create(medium, asset_type, group, name))

    async def ensure(
        self, medium: Any, *, asset_type: str | None = None, group: AssetGroup | str | None = None
    ) -> Asset:
        """An asset of this medium that can be used now; the same file is uploaded once."""
        return await _there(self._ensure(medium, asset_type, group))

    async def wait(self, asset: Asset | str, *, deadline_s: float = 300.0) -> Asset:
        """Wait until a generation may name it."""
        return await _there(self._assets().wait(asset, deadline_s=deadline_s))

    async def get(self, id: Asset | str) -> Asset:
        """One asset, by itself, its id or ``asset://…``."""
        return await _there(self._assets().get(id))

    async def list(
        self,
        *,
        group: AssetGroup | str | None = None,
        ids: Sequence[Asset | str] = (),
        name: str = "",
        statuses: Sequence[str] = (),
    ) -> list[Asset]:
        """All assets of this key that fit."""
        return await _there(self._assets().list(group=group, ids=ids, name=name, statuses=statuses))

    async def update(self, id: Asset | str, *, name: str, group: AssetGroup | str | None = None) -> None:
        """Give an asset another name, and perhaps another group."""
        await _there(self._assets().update(id, name=name, group=group))

    async def delete(self, id: Asset | str) -> None:
        """Delete an asset."""
        await _there(self._assets().delete(id))

    async def create_group(self, name: str, *, about: str = "", group_type: str = "") -> AssetGroup:
        """Make a group: a character, a project. It may be billed."""
        return await _there(self._assets().create_group(name, about=about, group_type=group_type))

    async def groups(self, *, name: str = "") -> Groups:
        """All groups, or those whose name holds `name`."""
        return await _there(self._assets().groups(name=name))

    async def get_group(self, id: AssetGroup | str) -> AssetGroup:
        """One group."""
        return await _there(self._assets().get_group(id))

    async def update_group(self, id: AssetGroup | str, *, name: str) -> None:
        """Give a group another name."""
        await _there(self._assets().update_group(id, name=name))

    async def delete_group(self, id: AssetGroup | str) -> None:
        """Delete a group."""
        await _there(self._assets().delete_group(id))


if TYPE_CHECKING:
    Groups = list[AssetGroup]  # inside the faces `list` is a verb


async def _there(work: Coroutine[Any, Any, T]) -> T:
    """Run on the private loop, awaited from any other."""
    return await io_loop().wait(work)


def item_of(medium: Any, asset_type: str | None) -> MediaItem:
    """A medium read and checked for the asset store."""
    from anyfast_nb.media.limits import Use
    from anyfast_nb.media.parts import media_item

    try:
        return media_item(medium, use=Use(f"asset_{_kind_of(medium, asset_type)}"))
    except InputError as error:
        error.field = error.field or "medium"
        raise


def _kind_of(medium: Any, asset_type: str | None) -> str:
    """What a medium is: as it was said, else as its first bytes say, else an image."""
    if asset_type is not None:
        from anyfast_nb.wire.assets import asset_type_of

        return asset_type_of(asset_type).value.lower()
    from anyfast_nb.media.sniff import HEAD_BYTES, sniff

    head = b""
    if isinstance(medium, bytes | bytearray | memoryview):
        head = bytes(medium[:HEAD_BYTES])
    elif isinstance(medium, str | os.PathLike) and (path := Path(medium)).is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    kind = sniff(head).kind.value if head else "image"
    return kind if kind in _KINDS else "image"
