"""Where a client's requests go: the gateway, or the built-in AnyFast, found or started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from anyfast_nb.http.transport import Limits, Transport
from anyfast_nb.secret import Secret
from anyfast_nb.settings import Endpoint, Settings, endpoint, normalise_base_url, wants_simulator

if TYPE_CHECKING:
    from anyfast_nb.http.retry import RetryPolicy


class Connection:
    """Gives the transport for the settings in force; one is kept per address and key.

    Args:
        settings: read at each call, so that `%anyfast config` counts at once.
        interactive: a person is looking (a magic, a panel): without key and base URL
            the built-in AnyFast answers. Elsewhere that is a `MissingKeyError`.
        policy, limits: for every transport made here.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        interactive: bool,
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._settings = settings
        self._interactive = interactive
        self._policy = policy
        self._limits = limits
        self._kept: dict[Endpoint, Transport] = {}

    def check(self) -> None:
        """Raise what would keep a request from being sent, before any work is done."""
        if not self.simulated():
            endpoint(self._settings())

    def simulated(self) -> bool:
        """Does the next request go to the built-in AnyFast?"""
        return wants_simulator(self._settings(), interactive=self._interactive)

    def known(self) -> Endpoint | None:
        """Where the next request goes, as far as it is known: nothing is started to find out."""
        if not self.simulated():
            return endpoint(self._settings())
        return next((target for target in reversed(self._kept) if target.simulated), None)

    async def transport(self) -> Transport:
        """The transport for the next request; starts the built-in AnyFast if it is needed.

        Raises:
            MissingKeyError, ConfigError: see `anyfast_nb.settings.endpoint`.
            SimulatorError: the built-in AnyFast does not start.
        """
        settings = self._settings()
        target = await _built_in(settings) if self.simulated() else endpoint(settings)
        if target not in self._kept:
            self._kept[target] = Transport(target, policy=self._policy, limits=self._limits)
        return self._kept[target]

    async def close(self) -> None:
        """Close all connections."""
        kept, self._kept = self._kept, {}
        for transport in kept.values():
            await transport.close()


async def _built_in(settings: Settings) -> Endpoint:
    from anyfast_nb.simulator import launcher

    running = await asyncio.to_thread(launcher.ensure, settings.home)
    base_url = normalise_base_url(running.base_url)
    return Endpoint(base_url=base_url, api_key=Secret(running.key), simulated=True)
