"""GET /v1/models: which models a key can use. Source: wire reference 9.1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MODELS_PATH: Final = "/v1/models"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model as the gateway lists it."""

    id: str
    owned_by: str
    endpoints: tuple[str, ...]


def read_models(body: Mapping[str, Any]) -> list[ServedModel]:
    """The list in a reply; entries without an id are left out."""
    return [
        ServedModel(
            id=str(entry["id"]),
            owned_by=str(entry.get("owned_by") or ""),
            endpoints=tuple(map(str, _listed(entry.get("supported_endpoint_types")))),
        )
        for entry in _listed(body.get("data"))
        if isinstance(entry, Mapping) and entry.get("id")
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
