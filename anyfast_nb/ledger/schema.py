"""The tables of the ledger, their version, and the statements that fill them.

A table is filled by one statement, which begins a row, changes it and merges it from the journal:
records may come twice and in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE requests (
            id               TEXT PRIMARY KEY,   -- made by the client: writing twice makes one row
            time_us          INTEGER NOT NULL,   -- when it was sent: microseconds since 1970, UTC
            kind             TEXT NOT NULL,      -- chat | responses | seedream | seedance | kling | asset
            source           TEXT NOT NULL,      -- live | simulated | replayed
            base_url         TEXT NOT NULL,      -- no credentials, no query
            model_asked      TEXT NOT NULL,
            model_served     TEXT,               -- NULL until the server says
            status           TEXT NOT NULL,      -- unfinished, then how it ended: a word of Status
            title            TEXT,               -- the prompt's first 80 characters
            input_tokens     INTEGER,            -- includes cached_tokens; NULL is unknown, never 0
            cached_tokens    INTEGER,
            output_tokens    INTEGER,            -- includes reasoning_tokens
            reasoning_tokens INTEGER,
            cost_nano        INTEGER,            -- billionths of a unit of currency
            currency         TEXT,
            duration_s       REAL,
            ttft_s           REAL,               -- time to the first text or reasoning
            notebook         TEXT,
            cell             TEXT,
            thread           TEXT,
            request_id       TEXT,               -- the server's, for the vendor's support
            attempts         INTEGER,            -- tries, retries included
            error            TEXT
        )
        """,
        "CREATE INDEX requests_time ON requests (time_us)",
    ),
    (
        "ALTER TABLE requests ADD COLUMN request_hash TEXT",
        "ALTER TABLE requests ADD COLUMN task_id TEXT",
        """
        CREATE TABLE jobs (
            id              TEXT PRIMARY KEY,   -- made by the client, before the POST
            request_row     TEXT,               -- requests.id of the POST that created it
            created_us      INTEGER NOT NULL,   -- microseconds since 1970, UTC
            kind            TEXT NOT NULL,      -- seedance | kling
            routes          TEXT NOT NULL,      -- JSON: create path, and poll paths in the order to try
            base_url        TEXT NOT NULL,
            key_mark        TEXT,               -- fingerprint of the key: a task is seen by its own key
            source          TEXT NOT NULL,      -- live | simulated | replayed
            model           TEXT NOT NULL,
            mode            TEXT,
            title           TEXT,               -- the prompt's first 80 characters
            request_hash    TEXT NOT NULL,      -- sha256 of the canonical body
            request         TEXT,               -- JSON: hashes instead of data, URLs without queries
            arguments       TEXT,               -- JSON: which argument made which item of the body
            notes           TEXT,               -- JSON: what was assumed, uploaded or reused
            task_id         TEXT,               -- the server's
            status          TEXT NOT NULL,      -- submitting | submit_unknown | queued | running | unknown,
                                                -- then succeeded | failed | cancelled | expired
            raw_status      TEXT,
            progress        INTEGER,            -- 0 to 100, as the server says
            error_code      TEXT,
            error           TEXT,
            tokens          INTEGER,
            video_s         REAL,
            path            TEXT,               -- the local file
            last_frame_path TEXT,
            notebook        TEXT,
            cell            TEXT,
            identity        TEXT,
            take            INTEGER,
            updated_us      INTEGER NOT NULL,
            finished_us     INTEGER
        )
        """,
        "CREATE INDEX jobs_created ON jobs (created_us)",
        "CREATE INDEX jobs_request ON jobs (request_row)",
        "CREATE INDEX jobs_identity ON jobs (identity)",
        """
        CREATE TABLE job_events (
            id         TEXT PRIMARY KEY,
            job_id     TEXT NOT NULL,
            time_us    INTEGER NOT NULL,
            status     TEXT NOT NULL,
            raw_status TEXT,
            progress   INTEGER,
            note       TEXT
        )
        """,
        "CREATE INDEX job_events_job ON job_events (job_id, time_us)",
        """
        CREATE TABLE assets (
            asset_id   TEXT PRIMARY KEY,
            group_id   TEXT NOT NULL,
            sha256     TEXT NOT NULL,          -- of the file that was uploaded
            asset_type TEXT NOT NULL,          -- Image | Video | Audio
            base_url   TEXT NOT NULL,
            key_mark   TEXT NOT NULL,          -- an asset is seen by its own key
            name       TEXT NOT NULL,
            created_us INTEGER NOT NULL
        )
        """,
        "CREATE INDEX assets_content ON assets (sha256)",
        """
        CREATE TABLE forgotten_assets (
            asset_id TEXT PRIMARY KEY,
            time_us  INTEGER NOT NULL
        )
        """,
    ),
    (
        # The kernel that sends it: while that lives, a job without a task id is not in doubt.
        "ALTER TABLE jobs ADD COLUMN maker TEXT",
        "CREATE INDEX jobs_kind ON jobs (kind, status, created_us)",
    ),
)
"""Statements that lead from version N to N + 1; only ever added to."""

VERSION = len(MIGRATIONS)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the ledger writes it.

    Attributes:
        columns: in the order of the file.
        required: those a record cannot lack.
        upsert: the statement that takes a record.
        everything: the statement that reads all of it.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    on_conflict: str = field(repr=False)

    @property
    def upsert(self) -> str:
        """Begin a row, change it, merge it."""
        names, values = ", ".join(self.columns), ", ".join(":" + name for name in self.columns)
        return f"INSERT INTO {self.name} ({names}) VALUES ({values}) ON CONFLICT {self.on_conflict}"  # noqa: S608


COLUMNS = (
    "id", "time_us", "kind", "source", "base_url", "model_asked", "model_served", "status", "title",
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nano", "currency",
    "duration_s", "ttft_s", "notebook", "cell", "thread", "request_id", "attempts", "error",
    "request_hash", "task_id",
)  # fmt: skip

REQUIRED = ("id", "time_us", "kind", "source", "base_url", "model_asked", "status")

_FILLED_AT_THE_END = (
    "source", "model_served", "status", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens",
    "duration_s", "ttft_s", "request_id", "attempts", "error", "task_id",
)  # fmt: skip

JOB_COLUMNS = (
    "id", "request_row", "created_us", "kind", "routes", "base_url", "key_mark", "source", "model", "mode",
    "title", "request_hash", "request", "arguments", "notes", "task_id", "status", "raw_status", "progress",
    "error_code", "error", "tokens", "video_s", "path", "last_frame_path", "notebook", "cell", "identity",
    "take", "updated_us", "finished_us", "maker",
)  # fmt: skip

ENDS = ("succeeded", "failed", "cancelled", "expired")
"""The statuses a job never leaves again."""

_ENDS = "(" + ", ".join(f"'{word}'" for word in ENDS) + ")"
_ENDED = f"jobs.status IN {_ENDS}"
# How a job ended is told once; where its files are may be told later, and again.
_JOB_CHANGES = (
    [
        f"{name} = CASE WHEN {_ENDED} THEN jobs.{name} ELSE excluded.{name} END"
        for name in ("status", "raw_status", "progress", "error_code", "error", "finished_us")
    ]
    + [
        f"{name} = COALESCE(excluded.{name}, jobs.{name})"
        for name in ("task_id", "tokens", "video_s", "path", "last_frame_path")
    ]
    + [f"{name} = excluded.{name}" for name in ("source", "routes", "notes")]
    + ["updated_us = MAX(jobs.updated_us, excluded.updated_us)"]
)

_JOB_REQUIRED = (
    "id", "created_us", "kind", "routes", "base_url", "source", "model", "request_hash", "status",
    "updated_us",
)  # fmt: skip

_EVENT_COLUMNS = ("id", "job_id", "time_us", "status", "raw_status", "progress", "note")

_ASSET_COLUMNS = (
    "asset_id", "group_id", "sha256", "asset_type", "base_url", "key_mark", "name", "created_us",
)  # fmt: skip

TABLES = {
    table.name: table
    for table in (
        Table(
            "requests",
            COLUMNS,
            REQUIRED,
            # A settled row never changes.
            f"(id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _FILLED_AT_THE_END)} "
            "WHERE requests.status = 'unfinished'",
        ),
        Table(
            "jobs",
            JOB_COLUMNS,
            _JOB_REQUIRED,
            # What is older than the row, from a journal, changes nothing, unless it tells of the end.
            f"(id) DO UPDATE SET {', '.join(_JOB_CHANGES)} "
            f"WHERE excluded.updated_us >= jobs.updated_us OR excluded.status IN {_ENDS}",
        ),
        Table("job_events", _EVENT_COLUMNS, ("id", "job_id", "time_us", "status"), "(id) DO NOTHING"),
        Table("assets", _ASSET_COLUMNS, _ASSET_COLUMNS, "(asset_id) DO NOTHING"),
        Table("forgotten_assets", ("asset_id", "time_us"), ("asset_id", "time_us"), "(asset_id) DO NOTHING"),
    )
}
"""Every table that rows are written to, by name."""
