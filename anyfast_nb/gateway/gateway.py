"""What every face shares: settings, connection, ledger, and the private loop they run on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import MissingKeyError
from anyfast_nb.gateway.bound import chat_bound
from anyfast_nb.gateway.bound_generations import generation_bound
from anyfast_nb.gateway.connection import Connection
from anyfast_nb.gateway.exchange import Exchange, OnEvent
from anyfast_nb.gateway.gate import Gate
from anyfast_nb.gateway.loop import IOLoop
from anyfast_nb.gateway.whence import here
from anyfast_nb.http.transport import Call
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.wire.dialects import dialect_of
from anyfast_nb.wire.system import MODELS_PATH, ServedModel, read_models
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.gateway.forecast import Forecast
    from anyfast_nb.gateway.whence import Origin
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
        # What a magic or a panel makes shows such a line itself, with its notes.
        self.gate = Gate(lambda: self.ledger, settings=settings, shown=interactive)

    @property
    def ledger(self) -> Ledger:
        """The ledger of the state folder, opened at the first request."""
        if self._ledger is None:
            from anyfast_nb.ledger.store import Ledger

            settings = self.settings()
            self._ledger = Ledger(settings.ledger_url or settings.home / "ledger.sqlite3")
        return self._ledger

    def exchange(
        self, body: Mapping[str, Any], *, origin: Origin | None = None, tells: bool = True
    ) -> Exchange:
        """A checked request, ready to run.

        Args:
            body: what is sent.
            origin: for the ledger; by default where the caller is.
            tells: of soft budgets; not again in a later round of the same chat.

        Raises:
            MissingKeyError, ConfigError: it could not be sent.
            NotAllowedError: it may not be sent.
        """
        self.connection.check()
        self.gate.allow(dialect_of(body).kind, str(body.get("model") or ""))
        return Exchange(body, ledger=self.ledger, origin=origin, gate=self.gate, tells=tells)

    def forecast(
        self, kind: str, body: Mapping[str, Any], *, origin: Origin | None = None, budgets: bool = True
    ) -> Forecast:
        """What a checked request may use at most, and what prices and budgets say; nothing is sent.

        Args:
            kind: as the ledger calls it.
            body: what would be sent.
            origin: whose budgets count; by default those of where the caller is.
            budgets: ask them; else only prices.

        Raises:
            NotAllowedError: it may not be sent.
            ConfigError: the prices file cannot be read.
        """
        known = None
        with contextlib.suppress(MissingKeyError):  # a request may be looked at without a key
            known = self.connection.known()
        simulated = self.connection.simulated() or (known is not None and known.simulated)
        row = RequestRow(
            kind=kind,
            source=Source.SIMULATED if simulated else Source.LIVE,
            base_url="" if known is None else known.base_url,
            model=str(body.get("model") or body.get("model_name") or kind),
        )
        bound = chat_bound(body) if kind in ("chat", "responses") else generation_bound(kind, body)
        return self.gate.forecast((origin or here()).signed(row), bound, budgets=budgets)

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
