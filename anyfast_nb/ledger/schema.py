"""The tables of the ledger, their version, and the statement that fills them."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE requests (
            id               TEXT PRIMARY KEY,   -- made by the client: writing twice makes one row
            time_us          INTEGER NOT NULL,   -- when it was sent: microseconds since 1970, UTC
            kind             TEXT NOT NULL,      -- chat
            source           TEXT NOT NULL,      -- live | simulated | replayed
            base_url         TEXT NOT NULL,      -- no credentials, no query
            model_asked      TEXT NOT NULL,
            model_served     TEXT,               -- NULL until the server says
            status           TEXT NOT NULL,      -- unfinished, then ok | error | interrupted | truncated
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
)
"""Statements that lead from version N to N + 1; only ever added to."""

VERSION = len(MIGRATIONS)

COLUMNS = (
    "id", "time_us", "kind", "source", "base_url", "model_asked", "model_served", "status", "title",
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nano", "currency",
    "duration_s", "ttft_s", "notebook", "cell", "thread", "request_id", "attempts", "error",
)  # fmt: skip

REQUIRED = ("id", "time_us", "kind", "source", "base_url", "model_asked", "status")

_FILLED_AT_THE_END = (
    "source", "model_served", "status", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens",
    "duration_s", "ttft_s", "request_id", "attempts", "error",
)  # fmt: skip

# One statement begins, settles and merges. A settled row never changes, so
# records may come twice and in any order.
UPSERT = f"""
    INSERT INTO requests ({", ".join(COLUMNS)}) VALUES ({", ".join(":" + name for name in COLUMNS)})
    ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FILLED_AT_THE_END)}
    WHERE requests.status = 'unfinished'
"""  # noqa: S608  constants of this module

EVERYTHING = f"SELECT {', '.join(COLUMNS)} FROM requests"  # noqa: S608
