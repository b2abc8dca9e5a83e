"""What every face shares: settings, connection, ledger, and the private loop they run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from anyfast_nb.gateway.connection import Connection
from anyfast_nb.gateway.exchange import Exchange, OnEvent, Origin
from anyfast_nb.gateway.loop import IOLoop
from anyfast_nb.http.transport import Call
from anyfast_nb.wire.system import MODELS_PATH, ServedModel, read_models

if TYPE_CHECKING:
    from anyfast_nb.http.retry import RetryPolicy
    from anyfast_nb.http.transport import Limits
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.settings import Settings
    from anyfast_nb.wire.values import Answer


@cache
def io_loop() -> IOLoop:
    """The private loop of this process."""
    return IOLoop()


class Gateway:
    """What both clients share: settings, connection, ledger. Not for direct use.

    Args:
        settings: read at each call.
        interactive: see `Connection`.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        interactive: bool = False,
        ledger: Ledger | None = None,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.connection = Connection(settings, interactive=interactive, policy=policy, limits=limits)
        self._ledger = ledger
        self._owns_ledger = ledger is None

    @property
    def ledger(self) -> Ledger:
        """The ledger of the state folder, opened at the first request."""
        if self._ledger is None:
            from anyfast_nb.ledger.store import Ledger

            settings = self.settings()
            self._ledger = Ledger(settings.ledger_url or settings.home / "ledger.sqlite3")
        return self._ledger

    def exchange(self, body: Mapping[str, Any], *, origin: Origin | None = None) -> Exchange:
        """A checked request, ready to run.

        Raises:
            MissingKeyError, ConfigError: it could not be sent.
        """
        self.connection.check()
        return Exchange(body, ledger=self.ledger, origin=origin)

    async def run(self, exchange: Exchange, on_event: OnEvent | None = None) -> Answer:
        """Run an exchange, on the private loop."""
        return await exchange.run(await self.connection.transport(), on_event)

    async def close(self) -> None:
        """Let go of connections, and of the ledger unless it was handed over; both open again when used."""
        await self.connection.close()
        await asyncio.sleep(0)  # a closed socket is let go of in the loop's next turn
        if self._owns_ledger and self._ledger is not None:
            self._ledger.close()

    async def models(self) -> list[ServedModel]:
        """The models this key can use."""
        transport = await self.connection.transport()
        return read_models(await transport.json(Call("GET", MODELS_PATH)))
