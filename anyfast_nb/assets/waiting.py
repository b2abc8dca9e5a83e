"""Waiting for an asset: asked every 3 to 5 seconds, unknown for a while at first, 300 seconds in all.

Source: wire reference 8 (states, quirk 1, how often to ask).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from anyfast_nb.errors import (
    BadRequestError,
    Billed,
    ModerationError,
    NotFoundError,
    ReadTimedOut,
    StatusError,
)
from anyfast_nb.wire.assets import Asset, AssetStatus
from anyfast_nb.wire.lag import FRESH_S
from anyfast_nb.wire.problems import Problem, to_error

ASSET_FAILED: Final = "asset_failed"
_FIRST_S: Final = 3.0
_MOST_S: Final = 5.0
_GROWTH: Final = 1.2


@dataclass(frozen=True, slots=True)
class Patience:
    """The clock's part in waiting."""

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


async def wait_for(
    id: str,
    look: Callable[[str], Awaitable[Asset | None]],
    patience: Patience,
    *,
    deadline_s: float,
) -> Asset:
    """Ask `look` until the asset can be used.

    Raises:
        NotFoundError: still unknown after 20 s.
        BadRequestError, ModerationError: it failed.
        ReadTimedOut: not ready in time.
    """
    began, pause_s = patience.clock(), _FIRST_S
    while True:
        found = await look(id)
        passed = patience.clock() - began
        fresh = passed < FRESH_S
        if found is None and not fresh:
            raise _never_came(id)
        if found is not None and found.usable and (found.url or not fresh):  # active before it has a place
            return found
        if found is not None and found.status is AssetStatus.FAILED:
            raise failure_of(found)
        if passed + pause_s > deadline_s:
            raise _not_ready(id, found, deadline_s)
        await patience.sleep(pause_s)
        pause_s = min(pause_s * _GROWTH, _MOST_S)


def failure_of(asset: Asset) -> StatusError:
    """Why a failed asset cannot be used."""
    said = asset.error or f"its status is {asset.raw_status}"
    cause = to_error(Problem(message=said, code=asset.error_code), status=400, bills=False)
    kind = ModerationError if isinstance(cause, ModerationError) else BadRequestError
    return kind(
        f"asset {asset.id} failed: {said}",
        status=200,
        code=asset.error_code or ASSET_FAILED,
        type=ASSET_FAILED,
        raw_message=said,
        hint="Give another file, or one within the limits: `help(client.assets)`.",
    )


def _never_came(id: str) -> NotFoundError:
    return NotFoundError(
        f"404 not found: asset {id} is unknown after {FRESH_S:g} s",
        status=404,
        code="NotFound.asset_id",
        hint="Each key sees its own alone. Was it deleted? Not billed.",
    )


def _not_ready(id: str, found: Asset | None, deadline_s: float) -> ReadTimedOut:
    state = "unknown" if found is None else found.raw_status or "pending"
    error = ReadTimedOut(
        f"asset {id} is {state} after {deadline_s:g} s",
        hint=f"It goes on at the server: wait for {id} again.",
    )
    error.billed = Billed.NO
    return error
