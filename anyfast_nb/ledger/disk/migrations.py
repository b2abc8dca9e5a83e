"""How an older SQLite ledger becomes one of this version: forward only, in one transaction, nothing lost.

A new file is made from `tables`; the statements here are for files that exist
already, and are only ever added to.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger.disk.schema import VERSION

STEPS: Final[tuple[tuple[str, ...], ...]] = (
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
    (
        *(
            f"ALTER TABLE requests ADD COLUMN {column}"
            for column in (
                "billed TEXT", "images INTEGER", "video_s DOUBLE", "price_version TEXT", "user_name TEXT",
                "session TEXT", "job TEXT", "error_class TEXT",
            )
        ),
        *(
            f"ALTER TABLE {table} ADD COLUMN user_name TEXT"
            for table in ("jobs", "job_events", "assets", "forgotten_assets")
        ),
        """
        CREATE TABLE budgets (
            id TEXT NOT NULL PRIMARY KEY, created_us BIGINT NOT NULL, amount BIGINT NOT NULL,
            unit TEXT NOT NULL, per TEXT NOT NULL, zone TEXT NOT NULL, scope TEXT NOT NULL,
            hard INTEGER NOT NULL, ended_us BIGINT, user_name TEXT
        )
        """,
        """
        CREATE TABLE reservations (
            id TEXT NOT NULL PRIMARY KEY, time_us BIGINT NOT NULL, expires_us BIGINT NOT NULL, tokens BIGINT,
            cost_nano BIGINT, currency TEXT, notebook TEXT, thread TEXT, released_us BIGINT, user_name TEXT
        )
        """,
        "CREATE INDEX reservations_time ON reservations (time_us)",
        # What a generation used is in its request's row from now on.
        """
        UPDATE requests SET
            job = (SELECT MAX(jobs.id) FROM jobs WHERE jobs.request_row = requests.id),
            video_s = (SELECT MAX(jobs.video_s) FROM jobs WHERE jobs.request_row = requests.id),
            output_tokens = COALESCE(
                output_tokens, (SELECT MAX(jobs.tokens) FROM jobs WHERE jobs.request_row = requests.id)
            )
        WHERE id IN (SELECT request_row FROM jobs)
        """,
    ),
)  # fmt: skip
"""Statements that lead from version N to N + 1."""


class NewerSchemaError(LedgerError):
    """The ledger was written by a later version of this package: it is read, never written."""


def newer(version: int) -> NewerSchemaError:
    """That the ledger is of a later version than this package knows."""
    return NewerSchemaError(
        f"the ledger has schema {version}, and this version of anyfast-nb knows {VERSION}",
        hint="Update anyfast-nb.",
    )


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file's tables; 0 for an empty file."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
    if known is None:
        return 0
    return int(connection.execute("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, *, steps: tuple[tuple[str, ...], ...] = STEPS, fresh: bool = True
) -> None:
    """Bring the tables to the version of ``steps``; nothing is changed if that fails.

    Args:
        connection: in autocommit mode.
        steps: see `STEPS`.
        fresh: make an empty file from `tables` at once, not step by step.

    Raises:
        NewerSchemaError: the ledger is already beyond it.
    """
    if version_of(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _move_forward(connection, steps, fresh=fresh)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _move_forward(connection: sqlite3.Connection, steps: tuple[tuple[str, ...], ...], *, fresh: bool) -> None:
    # Read again under the lock: another kernel may have migrated meanwhile.
    version = version_of(connection)
    if version > len(steps):
        raise newer(version)
    if version == 0 and fresh and steps is STEPS:
        statements = _of_tables()
    else:
        begin = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, time_us BIGINT)"
        statements = [begin, *(statement for step in steps[version:] for statement in step)]
    for statement in statements:
        connection.execute(statement)
    for number in range(version + 1, len(steps) + 1):
        connection.execute("INSERT INTO schema_version VALUES (?, ?)", (number, time.time_ns() // 1000))


def _of_tables() -> list[str]:
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

    from anyfast_nb.ledger.disk.tables import METADATA

    speech: Any = sqlite.dialect()
    made: list[str] = []
    for table in METADATA.sorted_tables:
        elements: list[DDLElement] = [CreateTable(table)]
        elements += [CreateIndex(index) for index in sorted(table.indexes, key=str)]
        made += [str(element.compile(dialect=speech)) for element in elements]
    return made
