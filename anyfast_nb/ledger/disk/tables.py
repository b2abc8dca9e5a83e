"""The ledger's tables, readable at a glance, and the one statement that fills each.

Times are whole microseconds since 1970 in UTC, money is whole billionths of a
unit of its currency, ids are made by the client. A record may come twice and
in any order: a row is begun, changed and merged by the same statement, which
fills what is empty and changes nothing that is said.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Index,
    Insert,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    case,
    func,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite

from anyfast_nb.ledger.disk.schema import ENDS

METADATA: Final = MetaData()

REQUESTS: Final = Table(
    "requests",
    METADATA,
    Column("id", Text, primary_key=True),  # made by the client: writing twice makes one row
    Column("time_us", BigInteger, nullable=False),  # when it was sent
    Column("kind", Text, nullable=False),  # chat | responses | seedream | seedance | kling | asset
    Column("source", Text, nullable=False),  # live | simulated | replayed
    Column("base_url", Text, nullable=False),  # no credentials, no query
    Column("title", Text),  # the prompt's first 80 characters; NULL in a shared ledger
    Column("model_asked", Text, nullable=False),
    Column("model_served", Text),  # NULL until the server says
    Column("status", Text, nullable=False),  # unfinished, then how it ended: a word of Status
    Column("billed", Text),  # no | maybe | yes; NULL until it ends
    Column("input_tokens", BigInteger),  # includes cached_tokens; NULL is unknown, never 0
    Column("cached_tokens", BigInteger),
    Column("output_tokens", BigInteger),  # includes reasoning_tokens
    Column("reasoning_tokens", BigInteger),
    Column("images", Integer),  # pictures made
    Column("video_s", Double),  # seconds of film made
    Column("cost_nano", BigInteger),  # billionths of a unit of currency; NULL is unknown
    Column("currency", Text),
    Column("price_version", Text),  # which price made the cost
    Column("duration_s", Double),
    Column("ttft_s", Double),  # time to the first text or reasoning
    Column("thread", Text),
    Column("notebook", Text),
    Column("cell", Text),
    Column("user_name", Text),
    Column("session", Text),  # the kernel
    Column("job", Text),  # jobs.id of what it asked for
    Column("task_id", Text),  # what the server calls that
    Column("request_id", Text),  # the server's, for the vendor's support
    Column("attempts", Integer),  # tries, retries included
    Column("request_hash", Text),  # sha256 of the body
    Column("error_class", Text),
    Column("error", Text),
    Index("requests_time", "time_us"),
)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("request_row", Text),  # requests.id of the POST that created it
    Column("created_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # seedance | kling
    Column("routes", Text, nullable=False),  # JSON: create path, and poll paths in the order to try
    Column("base_url", Text, nullable=False),
    Column("key_mark", Text),  # fingerprint of the key: a task is seen by its own key
    Column("source", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("mode", Text),
    Column("title", Text),
    Column("request_hash", Text, nullable=False),  # sha256 of the canonical body
    Column("request", Text),  # JSON: hashes instead of data, URLs without queries
    Column("arguments", Text),  # JSON: which argument made which item of the body
    Column("notes", Text),  # JSON: what was assumed, uploaded or reused
    Column("task_id", Text),  # the server's
    # submitting | submit_unknown | queued | running | unknown, then one of ENDS
    Column("status", Text, nullable=False),
    Column("raw_status", Text),
    Column("progress", Integer),  # 0 to 100, as the server says
    Column("error_code", Text),
    Column("error", Text),
    Column("tokens", BigInteger),
    Column("video_s", Double),
    Column("path", Text),  # the local file
    Column("last_frame_path", Text),
    Column("notebook", Text),
    Column("cell", Text),
    Column("identity", Text),  # which wish it is an attempt at
    Column("take", Integer),
    Column("updated_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger),
    Column("maker", Text),  # the kernel that sends it: while that lives, it is not in doubt
    Column("user_name", Text),
    Index("jobs_created", "created_us"),
    Index("jobs_request", "request_row"),
    Index("jobs_identity", "identity"),
    Index("jobs_kind", "kind", "status", "created_us"),
)

JOB_EVENTS: Final = Table(
    "job_events",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("raw_status", Text),
    Column("progress", Integer),
    Column("note", Text),
    Column("user_name", Text),
    Index("job_events_job", "job_id", "time_us"),
)

ASSETS: Final = Table(
    "assets",
    METADATA,
    Column("asset_id", Text, primary_key=True),
    Column("group_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),  # of the file that was uploaded
    Column("asset_type", Text, nullable=False),  # Image | Video | Audio
    Column("base_url", Text, nullable=False),
    Column("key_mark", Text, nullable=False),  # an asset is seen by its own key
    Column("name", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("user_name", Text),
    Index("assets_content", "sha256"),
)

FORGOTTEN_ASSETS: Final = Table(
    "forgotten_assets",
    METADATA,
    Column("asset_id", Text, primary_key=True),
    Column("time_us", BigInteger, nullable=False),
    Column("user_name", Text),
)

BUDGETS: Final = Table(
    "budgets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("created_us", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),  # tokens, or billionths of a unit of the currency
    Column("unit", Text, nullable=False),  # tokens | a currency such as USD
    Column("per", Text, nullable=False),  # day | week | total
    Column("zone", Text, nullable=False),  # whose midnight: an IANA name such as Asia/Shanghai
    Column("scope", Text, nullable=False),  # all | user | notebook | thread: each of them has the amount
    Column("hard", Integer, nullable=False),  # 1 refuses before sending, 0 warns
    Column("ended_us", BigInteger),  # when it was taken back
    Column("user_name", Text),  # who set it; NULL binds everybody
)

RESERVATIONS: Final = Table(
    "reservations",
    METADATA,
    # requests.id of what it is for. It counts until that request's own figures do; one whose request
    # never came into the ledger was never sent, and expires.
    Column("id", Text, primary_key=True),
    Column("time_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("tokens", BigInteger),  # at most; NULL: no token budget was asked about
    Column("cost_nano", BigInteger),
    Column("currency", Text),
    Column("notebook", Text),
    Column("thread", Text),
    Column("released_us", BigInteger),  # known not to be sent
    Column("user_name", Text),
    Index("reservations_time", "time_us"),
)

VERSIONS: Final = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger),
)


def upsert(table: Table, *, dialect: str, mine: ColumnElement[bool] | None = None) -> Insert:
    """The statement that begins a row of ``table``, changes it and merges it.

    Args:
        table: one that records are written to; budgets and reservations have their own ways.
        dialect: ``sqlite`` or ``postgresql``; the two speak alike here.
        mine: a condition on the row that is there already: others stay as they are.
    """
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    key = [column.name for column in table.primary_key]
    made: Insert
    if table is REQUESTS:
        made = statement.on_conflict_do_update(index_elements=key, set_=_request(statement), where=mine)
    elif table is JOBS:
        made = statement.on_conflict_do_update(index_elements=key, set_=_job(statement), where=mine)
    else:
        made = statement.on_conflict_do_nothing(index_elements=key)
    return made


_FIRST: Final = frozenset({"id", "kind", "base_url", "model_asked"})
_COST: Final = frozenset({"cost_nano", "currency", "price_version"})


def _request(statement: Any) -> dict[str, ColumnElement[Any]]:
    """How it ended is said once; each figure is filled in once."""
    told, row = statement.excluded, REQUESTS.c
    # Of a generation in doubt its job may prove later that it was accepted.
    news = or_(
        row.status == "unfinished",
        and_(row.status == "submit_unknown", told.status != "unfinished"),
    )
    sure = and_(row.billed.is_not(None), or_(row.billed != "maybe", told.billed.is_(None)))
    changes: dict[str, ColumnElement[Any]] = {
        "time_us": case((told.time_us < row.time_us, told.time_us), else_=row.time_us),
        "billed": case((sure, row.billed), else_=told.billed),
    }
    for column in REQUESTS.columns:
        name = column.name
        if name in {"status", "source"}:
            changes[name] = case((news, told[name]), else_=column)
        elif name in _COST:
            changes[name] = case((row.cost_nano.is_(None), told[name]), else_=column)
        elif name not in _FIRST | changes.keys():
            changes[name] = func.coalesce(column, told[name])
    return changes


def _job(statement: Any) -> dict[str, ColumnElement[Any]]:
    """How a job ended is told once; where its files are may be told later, and again.

    What is older than the row, from a journal, only fills what is empty, unless it tells of the end.
    """
    told, row = statement.excluded, JOBS.c
    newer = told.updated_us >= row.updated_us
    # Not IN: many rows are written by one statement, and SQLAlchemy expands no list in that.
    stands = and_(*(row.status != end for end in ENDS), or_(newer, *(told.status == end for end in ENDS)))
    changes: dict[str, ColumnElement[Any]] = {
        name: case((stands, told[name]), else_=row[name])
        for name in ("status", "raw_status", "progress", "error_code", "error", "finished_us")
    }
    for name in ("task_id", "tokens", "video_s", "path", "last_frame_path"):
        changes[name] = case(
            (newer, func.coalesce(told[name], row[name])), else_=func.coalesce(row[name], told[name])
        )
    changes |= {name: func.coalesce(row[name], told[name]) for name in ("request_row", "user_name")}
    changes |= {
        name: case((newer, told[name]), else_=row[name])
        for name in ("source", "routes", "notes", "updated_us")
    }
    return changes
