"""The ledger: one durable row per request, and what they add up to, as pandas frames.

A row is written before its request is sent and settled when it ends, so that
an interrupted, failed or killed request leaves its trace too. Trouble with the
ledger never breaks a request: the row then waits in a journal beside it.

    import anyfast_nb as af
    af.ledger.frame(since="2026-11-01", status="ok")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyfast_nb.ledger.assets import StoredAsset
    from anyfast_nb.ledger.frames import frame, jobs
    from anyfast_nb.ledger.job_rows import JobEvent, JobRow, JobStatus
    from anyfast_nb.ledger.location import ledger_path
    from anyfast_nb.ledger.rows import ModelTotal, RequestRow
    from anyfast_nb.ledger.store import Ledger

__all__ = [
    "JobEvent", "JobRow", "JobStatus", "Ledger", "ModelTotal", "RequestRow", "StoredAsset", "frame", "jobs",
    "ledger_path",
]  # fmt: skip

_ROOM_OF = {
    "JobEvent": "job_rows",
    "JobRow": "job_rows",
    "JobStatus": "job_rows",
    "Ledger": "store",
    "ModelTotal": "rows",
    "RequestRow": "rows",
    "StoredAsset": "assets",
    "frame": "frames",
    "jobs": "frames",
    "ledger_path": "location",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
