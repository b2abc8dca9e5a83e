"""Calls to the asset store: queries, changes, and creations with a row in the ledger.

Source: wire reference 2.4 (creations are billed) and 8.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, Billed, NotFoundError, StatusError
from anyfast_nb.gateway.ending import GOOD, ending
from anyfast_nb.gateway.whence import here
from anyfast_nb.http.transport import Call, Transport
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.wire.assets import PAGE_SIZE, PREFIX, Asset, AssetGroup, read_asset, read_group, read_page
from anyfast_nb.wire.lag import wants_group_type
from anyfast_nb.wire.values import Source, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.http.bodies import FilePart
    from anyfast_nb.http.transport import Head
    from anyfast_nb.wire.values import Retrying

KIND: Final = "asset"
_MOST_PAGES: Final = 200
_GROUP_TYPE: Final = "AIGC"  # only where a deployment asks for it: it hides groups that were made without


class Calls:
    """One gateway's asset store.

    Args:
        gateway: connection and ledger.
        clock: seconds, monotonic; for durations in the ledger.
    """

    def __init__(self, gateway: Gateway, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.gateway = gateway
        self._clock = clock

    async def transport(self) -> Transport:
        """The transport in force."""
        return await self.gateway.connection.transport()

    async def query(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A question, or a change that may be said twice: free, and repeated after trouble."""
        return await (await self.transport()).json(Call("POST", PREFIX + action, body=body))

    async def once(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A free action that must not happen twice."""
        return await (await self.transport()).json(Call("POST", PREFIX + action, body=body, once=True))

    async def remove(self, action: str, body: Mapping[str, Any]) -> None:
        """A deletion; if a second try finds nothing, the first one did it."""
        tries: list[Retrying] = []
        transport = await self.transport()
        try:
            await transport.json(Call("POST", PREFIX + action, body=body), on_retry=tries.append)
        except NotFoundError:
            if not tries:
                raise

    async def create(
        self, action: str, body: Mapping[str, Any], booking: Booking, *, file: FilePart | None = None
    ) -> dict[str, Any]:
        """A creation: it may be billed, so it is not repeated after a doubt. Inside of `booked`."""
        call = Call("POST", PREFIX + action, body=body, file=file, bills=True)
        transport = await self.transport()
        booking.under_way = True
        try:
            reply = await transport.json(call, on_retry=booking.on_retry, on_head=booking.on_head)
        except AnyFastError as error:  # it says itself what may have happened
            booking.under_way, booking.doubtful = False, error.billed is not Billed.NO
            raise
        booking.under_way = False
        return reply

    async def clean(self, asset: Asset) -> Asset:
        """An asset whose texts hold no secret."""
        redact = (await self.transport()).redact
        return replace(
            asset, name=redact(asset.name), error=redact(asset.error), error_code=redact(asset.error_code)
        )

    async def assets(self, build: Callable[..., dict[str, Any]]) -> list[Asset]:
        """All pages of ListAssets; `build` takes ``page`` and perhaps ``group_type``."""
        items = await self._listed("ListAssets", build)
        return [await self.clean(asset) for item in items if (asset := read_asset(item)).id]

    async def groups(self, build: Callable[..., dict[str, Any]]) -> list[AssetGroup]:
        """All pages of ListAssetGroups."""
        items = await self._listed("ListAssetGroups", build)
        return [group for item in items if (group := read_group(item)).id]

    async def _listed(self, action: str, build: Callable[..., dict[str, Any]]) -> list[Mapping[str, Any]]:
        try:
            return await self._pages(action, build)
        except StatusError as error:
            if not wants_group_type(error):
                raise
        return await self._pages(action, lambda **more: build(**{"group_type": _GROUP_TYPE, **more}))

    async def _pages(self, action: str, build: Callable[..., dict[str, Any]]) -> list[Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for number in range(1, _MOST_PAGES + 1):
            page = read_page(await self.query(action, build(page=number)))
            new = {str(item.get("Id")): item for item in page.items if str(item.get("Id")) not in found}
            found |= new
            last = len(page.items) < PAGE_SIZE if page.total is None else len(found) >= page.total
            if last or not new:  # a server that knows one page only says it again and again
                break
        return list(found.values())

    @asynccontextmanager
    async def booked(self, *, model: str, title: str, look: str) -> AsyncIterator[Booking]:
        """A row in the ledger around a creation, settled however that ends.

        Args:
            model: that is billed.
            title: of the row.
            look: how to see whether it was made, for an error that leaves this open.
        """
        self.gateway.gate.allow(KIND, model)
        transport = await self.transport()
        source = Source.SIMULATED if transport.endpoint.simulated else Source.LIVE
        ledger, began = self.gateway.ledger, self._clock()
        row = RequestRow(
            kind=KIND,
            source=source,
            base_url=transport.endpoint.base_url,
            model=model,
            title=transport.redact(title),
        )
        row = here().signed(row)
        ledger.begin(row)
        booking, status, said = Booking(clock=self._clock), Status.OK, ""
        how = GOOD
        try:
            yield booking
        except AnyFastError as error:
            how = ending(error)
            status = Status.ERROR if error.billed is Billed.NO else Status.SUBMIT_UNKNOWN
            said = transport.redact(f"{type(error).__name__}: {error.message}")
            booking.request_id = getattr(error, "request_id", "") or booking.request_id
            if status is Status.SUBMIT_UNKNOWN:
                error.hint += transport.redact(f" To see whether it was made: {look}.")
            raise
        except BaseException as stopped:
            doubtful = booking.doubtful or (booking.under_way and not booking.rests())
            how = ending(stopped, rests=not doubtful)
            status, said = Status.INTERRUPTED, "interrupted"
            if doubtful:
                status, said = Status.SUBMIT_UNKNOWN, "interrupted while it was sent: it may have been made"
            raise
        finally:
            ledger.settle(
                row.id,
                status=status,
                source=Source.SIMULATED if booking.simulated else None,
                duration_s=self._clock() - began,
                error=said or None,
                error_class=how.error_class,
                billed=how.billed,
                request_id=booking.request_id or None,
                attempts=booking.attempts,
            )


@dataclass(slots=True)
class Booking:
    """A creation under way.

    Attributes:
        clock: seconds, monotonic.
        attempts, request_id, simulated: what its row will say besides how it ended.
        findable: its name is like no other, so after a doubt it can be looked for.
        under_way: it is being sent right now.
        doubtful: it may have been made, and is looked for.
    """

    clock: Callable[[], float]
    attempts: int = 1
    request_id: str = ""
    simulated: bool = False
    findable: bool = False
    under_way: bool = False
    doubtful: bool = False
    resting_until: float = float("-inf")

    def on_retry(self, event: Retrying) -> None:
        """It was refused, and is sent again after a while."""
        self.attempts += 1
        self.resting_until = self.clock() + event.delay_s

    def on_head(self, head: Head) -> None:
        """What the reply's headers told."""
        self.request_id, self.simulated = head.request_id, head.simulated

    def rests(self) -> bool:
        """Was it refused, and not sent again yet?"""
        return self.clock() < self.resting_until
