"""The desk for what is no generation: whether the server is there, and which models it knows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from anyfast_nb.simulator import models
from anyfast_nb.simulator.delivery import json_reply
from anyfast_nb.simulator.gate import HEALTH_PATH
from anyfast_nb.simulator.handshake import proof

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from anyfast_nb.simulator.workshop import Workshop

LONGEST_CHALLENGE = 128


class SystemDesk:
    """``GET /healthz`` and ``GET /v1/models``."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """The routes it answers."""
        return [
            Route(HEALTH_PATH, self.health, methods=["GET"]),
            Route("/v1/models", self.models, methods=["GET"]),
        ]

    async def health(self, request: Request) -> Response:
        """Whether the server is there, and, for a launcher, that it holds the key."""
        config, activity = self._shop.config, self._shop.activity
        challenge = request.query_params.get("challenge", "")[:LONGEST_CHALLENGE]
        activity.touch()
        found: dict[str, Any] = {
            "status": "closing" if activity.closing else "ok",
            "simulated": True,
            "profile": config.profile.value,
        }
        if config.proves and challenge:
            found |= {
                "version": config.version,
                "pid": os.getpid(),
                "running": activity.running,
                "speed": config.speed,
                "tokens_per_second": config.tokens_per_second,
                "strict": config.strict,
                "link_s": config.link_s,
                "proof": proof(config.key, challenge),
            }
        return json_reply(found)

    async def models(self, _: Request) -> Response:
        """``GET /v1/models``."""
        return json_reply(models.listing())
