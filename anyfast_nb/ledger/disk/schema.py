"""The names of the ledger: its version, its tables and their columns. No database is loaded for them.

`tables` says what each column is; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERSION: Final = 4
"""Of the tables, and of the lines of the journal."""

ENDS: Final = ("succeeded", "failed", "cancelled", "expired")
"""The statuses a job never leaves again."""

UNDER_WAY: Final = ("queued", "running", "unknown")
"""Those of a job that the server has accepted, and that has not ended as far as anybody has heard."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that records are written to.

    Attributes:
        name: of the table.
        columns: of the table.
        required: those a record cannot lack.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]


COLUMNS: Final = (
    "id", "time_us", "kind", "source", "base_url", "title", "model_asked", "model_served", "status", "billed",
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images", "video_s", "cost_nano",
    "currency", "price_version", "duration_s", "ttft_s", "thread", "notebook", "cell", "user_name", "session",
    "job", "task_id", "request_id", "attempts", "request_hash", "error_class", "error",
)  # fmt: skip

JOB_COLUMNS: Final = (
    "id", "request_row", "created_us", "kind", "routes", "base_url", "key_mark", "source", "model", "mode",
    "title", "request_hash", "request", "arguments", "notes", "task_id", "status", "raw_status", "progress",
    "error_code", "error", "tokens", "video_s", "path", "last_frame_path", "notebook", "cell", "identity",
    "take", "updated_us", "finished_us", "maker", "user_name",
)  # fmt: skip

EVENT_COLUMNS: Final = (
    "id", "job_id", "time_us", "status", "raw_status", "progress", "note", "user_name",
)  # fmt: skip

ASSET_COLUMNS: Final = (
    "asset_id", "group_id", "sha256", "asset_type", "base_url", "key_mark", "name", "created_us", "user_name",
)  # fmt: skip

TABLES: Final = {
    table.name: table
    for table in (
        Table(
            "requests",
            COLUMNS,
            ("id", "time_us", "kind", "source", "base_url", "model_asked", "status"),
        ),
        Table(
            "jobs",
            JOB_COLUMNS,
            (
                "id", "created_us", "kind", "routes", "base_url", "source", "model", "request_hash", "status",
                "updated_us",
            ),
        ),
        Table("job_events", EVENT_COLUMNS, ("id", "job_id", "time_us", "status")),
        Table("assets", ASSET_COLUMNS, ASSET_COLUMNS[:-1]),
        Table("forgotten_assets", ("asset_id", "time_us", "user_name"), ("asset_id", "time_us")),
    )
}  # fmt: skip
"""Every table that records are written to, by name."""
