"""A finished film or picture onto this disk: whole or not at all, taken up again after a cut.

The bytes go to ``<name>.part``, piece by piece, so that memory stays flat
whatever the size. The name itself appears when size and content have been
checked. Links are secrets with a short life: they are in no message, and one
that has run out is asked for once more.

Source: wire reference 6.7 (expiry), 1 (no key to the store).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from anyfast_nb.errors import AnyFastError, StatusError
from anyfast_nb.http import retry
from anyfast_nb.http.failures import limited
from anyfast_nb.http.fetching import (
    CHUNK,
    LINK_EXPIRED,
    Bounds,
    Check,
    Downloaded,
    Fetching,
    OnProgress,
    at_work,
)
from anyfast_nb.http.partial import BusyError, Partial
from anyfast_nb.http.reach import Reach, Resolve, Waits, look_up

__all__ = ["LINK_EXPIRED", "Bounds", "BusyError", "Downloaded", "download"]

Refresh = Callable[[], Awaitable[str]]


async def download(
    url: str,
    *,
    to: Path,
    kind: str,
    own_origin: str,
    refresh: Refresh | None = None,
    check: Check | None = None,
    on_progress: OnProgress | None = None,
    policy: retry.RetryPolicy | None = None,
    bounds: Bounds | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
    resolve: Resolve = look_up,
) -> Downloaded:
    """Fetch what a link leads to.

    Args:
        url: the signed link.
        to: the file to make, in a folder that exists; one of that name is replaced.
        kind: ``video`` or ``image``: what it must be.
        own_origin: the gateway's base URL; only its origin may be plain http or a private address.
        refresh: gives a fresh link; asked once, after the link has expired.
        check: looks at the whole file before it gets its name; gives its media type, or raises
            ValueError or one of our errors. Runs in a worker thread. By default the first bytes count.
        on_progress: told bytes so far and in all (None is unknown), on this loop.
        policy: how often without progress, and how long to wait.
        bounds: limits of time and size.
        sleep: the clock's part in waiting.
        uniform: chance's part in it.
        resolve: names to addresses.

    Returns:
        The file, with its hash.

    Raises:
        BusyError: another download is making it.
        InputError: the file cannot be made there; ``field`` is ``to``.
        NotFoundError: the link has expired, and a fresh one too; ``code`` is ``link_expired``.
        ProtocolError: the link leads elsewhere than it may, or what came is no such file.
        WireError, StatusError: see `anyfast_nb.errors`. What came stays in ``<name>.part`` for the next time.
    """
    bounds = bounds or Bounds()
    reach = Reach(own_origin, waits=Waits(bounds.connect_s, bounds.idle_s), resolve=resolve)
    waiting = _Waiting(policy or retry.RetryPolicy(), sleep, uniform)
    async with at_work(Partial(Path(to)), reach) as work:
        fetching = Fetching(work, reach, url, kind=kind, bounds=bounds, on_progress=on_progress)
        too_long = f"the download took more than {bounds.total_s:g} s in all"
        async with limited(bounds.total_s, too_long, bills=False):
            await _until_whole(fetching, waiting, refresh)
            return await fetching.finished(check)


@dataclass(frozen=True, slots=True)
class _Waiting:
    policy: retry.RetryPolicy
    sleep: Callable[[float], Awaitable[None]]
    uniform: Callable[[float, float], float]


async def _until_whole(fetching: Fetching, waiting: _Waiting, refresh: Refresh | None) -> None:
    failures = 0
    while True:
        before = fetching.part.size_bytes
        try:
            await fetching.once()
        except AnyFastError as error:
            error.__context__ = None  # a foreign exception holds the request, and with it the link
            if isinstance(error, StatusError) and error.code == LINK_EXPIRED and refresh is not None:
                fetching.url, refresh = await refresh(), None
                continue
            failures = 1 if fetching.part.size_bytes > before + CHUNK else failures + 1
            if failures >= waiting.policy.attempts or not retry.may_repeat(error, billed=False):
                raise
        else:
            return
        wait_s = retry.delay_s(
            failures, policy=waiting.policy, headers=fetching.headers, uniform=waiting.uniform
        )
        await waiting.sleep(wait_s)
