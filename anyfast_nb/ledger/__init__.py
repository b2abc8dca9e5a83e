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
    from anyfast_nb.ledger import plot as plot
    from anyfast_nb.ledger.assets import StoredAsset
    from anyfast_nb.ledger.budget.frames import budgets, end_budget, set_budget
    from anyfast_nb.ledger.disk.location import ledger_path
    from anyfast_nb.ledger.frames.export import to_csv, to_parquet
    from anyfast_nb.ledger.frames.requests import frame, jobs
    from anyfast_nb.ledger.frames.totals import by_day, by_kind, by_model, by_notebook, by_thread, by_user
    from anyfast_nb.ledger.job_rows import JobEvent, JobRow, JobStatus
    from anyfast_nb.ledger.prices.book import price_list, set_price
    from anyfast_nb.ledger.prices.repricing import reprice
    from anyfast_nb.ledger.retention import Pruned, prune
    from anyfast_nb.ledger.rows import ModelTotal, RequestRow
    from anyfast_nb.ledger.store import Ledger
    from anyfast_nb.ledger.views.report import UsageReport, usage

__all__ = [
    "JobEvent", "JobRow", "JobStatus", "Ledger", "ModelTotal", "Pruned", "RequestRow", "StoredAsset",
    "UsageReport", "budgets", "by_day", "by_kind", "by_model", "by_notebook", "by_thread", "by_user",
    "end_budget", "frame", "jobs", "ledger_path", "plot", "price_list", "prune", "reprice", "set_budget",
    "set_price", "to_csv", "to_parquet", "usage",
]  # fmt: skip

_ROOM_OF = {
    "JobEvent": "job_rows",
    "JobRow": "job_rows",
    "JobStatus": "job_rows",
    "Ledger": "store",
    "ModelTotal": "rows",
    "Pruned": "retention",
    "RequestRow": "rows",
    "StoredAsset": "assets",
    "budgets": "budget.frames",
    "by_day": "frames.totals",
    "by_kind": "frames.totals",
    "by_model": "frames.totals",
    "by_notebook": "frames.totals",
    "by_thread": "frames.totals",
    "by_user": "frames.totals",
    "end_budget": "budget.frames",
    "frame": "frames.requests",
    "jobs": "frames.requests",
    "ledger_path": "disk.location",
    "price_list": "prices.book",
    "prune": "retention",
    "reprice": "prices.repricing",
    "set_budget": "budget.frames",
    "set_price": "prices.book",
    "to_csv": "frames.export",
    "to_parquet": "frames.export",
    "UsageReport": "views.report",
    "usage": "views.report",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "plot":
        return import_module(f"{__name__}.plot")
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
