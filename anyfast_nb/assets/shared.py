"""What all that talk to one gateway's asset store share: the default group, and who is uploading what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.settings import Endpoint


class Shared:
    """One for each gateway object; it goes when that goes. Used on one loop."""

    def __init__(self) -> None:
        self._groups: dict[Endpoint, str] = {}
        self._locks: dict[tuple[Endpoint, str], tuple[asyncio.Lock, int]] = {}

    def group(self, endpoint: Endpoint) -> str:
        """The default group's id, "" if it is not known yet."""
        return self._groups.get(endpoint, "")

    def keep_group(self, endpoint: Endpoint, id: str) -> None:
        """Remember the default group."""
        self._groups[endpoint] = id

    def forget_group(self, id: str) -> None:
        """That group is gone."""
        self._groups = {endpoint: known for endpoint, known in self._groups.items() if known != id}

    @asynccontextmanager
    async def lock(self, endpoint: Endpoint, what: str) -> AsyncIterator[None]:
        """One at a time does this: the others then find it done."""
        key = (endpoint, what)
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)


_BY_GATEWAY: Final[WeakKeyDictionary[Gateway, Shared]] = WeakKeyDictionary()


def shared_by(gateway: Gateway) -> Shared:
    """What belongs to this gateway."""
    return _BY_GATEWAY.setdefault(gateway, Shared())
