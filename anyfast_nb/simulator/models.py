"""The models this server knows: the documented chat ids, and the ids of the other families."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from anyfast_nb.simulator.problems import Refusal

# The list endpoint gives one constant date for all models, as AnyFast's own example does.
CREATED = 1626777600

CHAT = ("openai", "openai-response")
IMAGE = ("image-generation",)
VIDEO = ("video",)

_DOUBAO = (
    "doubao-seed-2.0-pro",
    "doubao-seed-2.0-code",
    "doubao-seed-2.0-lite",
    "doubao-seed-2.0-mini",
    "doubao-seed-1-8-251228",
    "doubao-seed-1-6-flash-250828",
    "doubao-seed-1-6-251015",
    "doubao-seed-1-6-lite-251015",
    "doubao-seed-1-6-vision-250815",
    "glm-4-7-251222",
)
_SEEDREAM = (
    "doubao-seedream-3-0-t2i-250415",
    "doubao-seedream-4-0-250828",
    "doubao-seedream-4-5-251128",
    "doubao-seedream-4-5",
    "doubao-seedream-5-0-260128",
    "seedream-5-0-lite-260128",
    "doubao-seedream-5-0-pro-260628",
)
_SEEDANCE = (
    "seedance",
    "seedance-fast",
    "seedance-2.0",
    "seedance-2.0-fast",
    "seedance-2.0-mini",
    "seedance-2.0-ultra",
    "seedance-2.5",
    "doubao-seedance-1-5-pro-251215",
    "doubao-seedance-1-0-pro-250528",
    "doubao-seedance-1-0-pro-fast-251015",
    "doubao-seedance-1-0-lite-t2v-250428",
    "doubao-seedance-1-0-lite-i2v-250428",
)
_KLING = (
    "kling-v1",
    "kling-v1-5",
    "kling-v1-6",
    "kling-v2-master",
    "kling-v2-1",
    "kling-v2-1-master",
    "kling-v2-5-turbo",
    "kling-v2-6",
    "kling-v3",
    "kling-v3-omni",
    "kling-3.0-turbo",
    "kling-video-o1",
)


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the model list."""

    id: str
    owned_by: str
    endpoints: tuple[str, ...]


MODELS: dict[str, Model] = {
    row.id: row
    for row in (
        *(Model(name, "volcengine", CHAT) for name in _DOUBAO),
        Model("claude-3-5-sonnet-20241022", "vertex-ai", ("openai", "anthropic")),
        *(Model(name, "volcengine", IMAGE) for name in _SEEDREAM),
        *(Model(name, "volcengine", VIDEO) for name in _SEEDANCE),
        *(Model(name, "custom", VIDEO) for name in _KLING),
    )
}


def listing() -> dict[str, object]:
    """The reply of ``GET /v1/models``."""
    rows = [
        {
            "id": row.id,
            "object": "model",
            "created": CREATED,
            "owned_by": row.owned_by,
            "supported_endpoint_types": list(row.endpoints),
        }
        for row in MODELS.values()
    ]
    return {"object": "list", "data": rows}


def check_chat_model(id: str) -> None:
    """Refuse an id that is unknown, or that makes pictures or clips.

    Raises:
        Refusal: 404 ``model_not_found``, or 400 for a model of another endpoint.
    """
    _check(id, "openai", "POST /v1/chat/completions needs a chat model")


def check_response_model(id: str) -> None:
    """Refuse an id that does not answer at ``/v1/responses``.

    Raises:
        Refusal: 404 ``model_not_found``, or 400 for a model of another endpoint.
    """
    _check(id, "openai-response", "POST /v1/responses needs a Doubao or GLM model")


def check_image_model(id: str) -> None:
    """Refuse an id that makes no pictures.

    Raises:
        Refusal: 404 ``model_not_found``, or 400 for a model of another endpoint.
    """
    _check(id, "image-generation", "POST /v1/images/generations needs a Seedream model")


def check_clip_model(id: str) -> None:
    """Refuse an id that makes no clips.

    Raises:
        Refusal: 404 ``model_not_found``, or 400 for a model of another endpoint.
    """
    _check(id, "video", "this endpoint needs a Seedance or Kling model")


_MAKES = {"image-generation": "makes pictures", "video": "makes clips"}


def _check(id: str, endpoint: str, needs: str) -> None:
    model = MODELS.get(id)
    if model is None:
        close = difflib.get_close_matches(id, MODELS, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise Refusal(
            404, f"The model {id[:80]!r} does not exist here.{hint}", code="model_not_found", param="model"
        )
    if endpoint not in model.endpoints:
        makes = _MAKES.get(model.endpoints[0], "chats, but not here")
        raise Refusal(400, f"The model {id!r} {makes}; {needs}.", code="model_not_supported", param="model")
