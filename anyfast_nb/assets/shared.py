"""What all that talk to one gateway's asset store share: the default group, and who is uploading what.

Two clients of one kernel, and two kernels, must not upload the same file at once: the second one
waits, and then finds it in the ledger.

Source: seed 004 (asset groups), wire reference 8.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.settings import Endpoint

_LOOK_S: Final = 0.2
_MOST_LOOKS: Final = 3000  # ten minutes: longer than any upload; then it is done all the same
_Key = tuple[asyncio.AbstractEventLoop, Path, str]
_LOCKS: Final[dict[_Key, tuple[asyncio.Lock, int]]] = {}


class Shared:
    """One for each gateway object; it goes when that goes. Used on one loop."""

    def __init__(self) -> None:
        self._groups: dict[Endpoint, str] = {}

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
async def alone(
    what: str, *, endpoint: Endpoint, beside: Path, sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[None]:
    """One at a time does this, over all clients and kernels of a ledger: the others then find it done.

    Args:
        what: the kind of work, a space, and what it is done to.
        endpoint: base URL and key.
        beside: the ledger; the lock files are in a folder beside it.
        sleep: waits.
    """
    kind, _, thing = what.partition(" ")
    mark = hashlib.sha256(f"{endpoint.base_url} {endpoint.api_key.mark()} {thing}".encode()).hexdigest()
    async with (
        _in_this_process((asyncio.get_running_loop(), beside, f"{kind} {mark}")),
        _over_processes(beside.with_name("locks") / f"{kind}-{mark[:2]}.lock", sleep),
    ):
        yield


@asynccontextmanager
async def _in_this_process(key: _Key) -> AsyncIterator[None]:
    lock, users = _LOCKS.get(key, (asyncio.Lock(), 0))
    _LOCKS[key] = (lock, users + 1)
    try:
        async with lock:
            yield
    finally:
        lock, users = _LOCKS.pop(key)
        if users > 1:
            _LOCKS[key] = (lock, users - 1)


@asynccontextmanager
async def _over_processes(path: Path, sleep: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
    """Hold a lock file. Where there are no locks, the work is done without: at worst it is done twice."""
    file = -1
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        for _ in range(_MOST_LOOKS if file >= 0 else 0):
            if _locked(file):
                break
            await sleep(_LOOK_S)
        yield
    finally:
        if file >= 0:
            os.close(file)


def _locked(file: int) -> bool:
    """Try to lock; True as well where that cannot be done at all."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


_BY_GATEWAY: Final[WeakKeyDictionary[Gateway, Shared]] = WeakKeyDictionary()


def shared_by(gateway: Gateway) -> Shared:
    """What belongs to this gateway."""
    return _BY_GATEWAY.setdefault(gateway, Shared())
