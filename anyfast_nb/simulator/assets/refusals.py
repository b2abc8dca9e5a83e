"""How the asset store refuses: the upstream's code in brackets, inside one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from anyfast_nb.simulator.problems import Refusal


class AssetRefusal(Refusal):
    """An asset call that is refused: an ``error`` with nothing but a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.error = {"message": f"upstream_error: [{code}] {message}"}


def no_group(id: str) -> AssetRefusal:
    """No such group."""
    return AssetRefusal(404, "NotFound.group_id", f"The specified asset_group {id[:80]} is not found.")


def no_asset(id: str) -> AssetRefusal:
    """No such asset."""
    return AssetRefusal(404, "NotFound.asset_id", f"The specified asset {id[:80]} is not found.")


@contextlib.contextmanager
def asset_terms() -> Iterator[None]:
    """Turns a 400 about a field into the asset store's refusal."""
    try:
        yield
    except AssetRefusal:
        raise
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        missing = refusal.error["code"] == "missing_parameter"
        param = str(refusal.error.get("param", "")) or "body"
        if missing:
            message = f"The required parameter {param} is missing."
            raise AssetRefusal(400, f"MissingParameter.{param}", message) from refusal
        raise AssetRefusal(400, f"InvalidParameter.{param}", f"{str(refusal).rstrip('.')}.") from refusal
