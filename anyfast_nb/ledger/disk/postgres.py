"""The ledger in PostgreSQL: the schema ``anyfast``, filled by functions that any user of it may call.

The tables' owner makes schema and functions with the first use; everybody else
only looks whether they are there. Who may not change rows anyhow is, to the
functions, the role that logged in, whatever the client says, and changes no
row but its own. A function that is changed is a new `schema.VERSION`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    insert,
    literal_column,
    make_url,
    or_,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError

from anyfast_nb.errors import ConfigError, LedgerError
from anyfast_nb.ledger.budget import functions as budget_functions
from anyfast_nb.ledger.disk.engine import Store
from anyfast_nb.ledger.disk.migrations import newer
from anyfast_nb.ledger.disk.schema import TABLES, VERSION
from anyfast_nb.ledger.disk.tables import METADATA, VERSIONS, upsert

if TYPE_CHECKING:
    from anyfast_nb.ledger.disk.location import Location
    from anyfast_nb.ledger.rows import Kept

_LOCK: Final = 0x616E7966617374  # "anyfast"
_SMALL_POOL: Final = 2
# A server that does not answer must not hold up a notebook.
_CONNECT: Final = {"connect_timeout": "5", "tcp_user_timeout": "20000", "application_name": "anyfast-nb"}
_WRITE_MS: Final = 30_000


class PostgresStore(Store):
    """A database, through a small pool of connections.

    Args:
        location: of the ledger, with the password.

    Raises:
        ConfigError: psycopg is not installed, or the URL is none.
    """

    def __init__(self, location: Location) -> None:
        self._place = location.place
        self._url = _url(location)
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._checked = False

    def ready(self) -> None:
        """See `Store.ready`."""
        with self._connected().begin() as connection:
            _limit(connection)
            version = self._version(connection)
            if version < VERSION:
                self._check_rights(connection)
                install(connection)
            elif version > VERSION:
                raise newer(version)
        self._checked = True

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """See `Store.writing`."""
        if not self._checked:
            self.ready()
        with self._connected().begin() as connection:
            _limit(connection)
            yield connection

    @contextlib.contextmanager
    def reading(self, waiting: Callable[[], Iterable[Kept]]) -> Iterator[Connection]:
        """See `Store.reading`; what waits is not shown."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._connected().connect().execution_options(**options) as connection, connection.begin():
            if not self._version(connection):
                self._refuse("has no tables yet")
            yield connection

    @contextlib.contextmanager
    def readable(self) -> Iterator[str]:
        """See `Store.readable`."""
        options = f"{self._url.query.get('options', '')} -csearch_path=anyfast".strip()
        address = self._url.set(drivername="postgresql").update_query_dict({"options": options})
        yield address.render_as_string(hide_password=False).replace("+", "%20")

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _connected(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = create_engine(
                    self._url,
                    pool_size=_SMALL_POOL,
                    pool_pre_ping=True,
                    hide_parameters=True,
                    connect_args={
                        name: said for name, said in _CONNECT.items() if name not in self._url.query
                    },
                )
                event.listen(self._engine, "connect", _in_schema)
            return self._engine

    def _version(self, connection: Connection) -> int:
        """Of the tables; 0 if there are none.

        Raises:
            LedgerError: this role may not look.
        """
        there, usable = connection.execute(
            text(
                "SELECT count(*) > 0, bool_or(has_schema_privilege(oid, 'USAGE')) FROM pg_namespace "
                "WHERE nspname = 'anyfast'"
            )
        ).one()
        if not there:
            return 0
        if not usable:
            self._refuse("is not open to this role")
        if connection.scalar(text("SELECT to_regclass('anyfast.schema_version')")) is None:
            return 0
        versions = connection.scalars(select(VERSIONS.c.version)).all()
        return max(versions, default=0)

    def _check_rights(self, connection: Connection) -> None:
        may = text(
            "SELECT CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE') "
            "ELSE pg_has_role(n.nspowner, 'USAGE') END "
            "FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON n.nspname = 'anyfast'"
        )
        if not connection.scalar(may):
            self._refuse(f"has no tables of version {VERSION} yet")

    def _refuse(self, what: str) -> None:
        raise LedgerError(
            f"The ledger {self._place} {what}.",
            hint="Ask its owner to run `anyfast-ledger init` for it, and to add you.",
        )


def install(connection: Connection) -> None:
    """Make schema, tables and functions; what is there stays, functions are replaced.

    Args:
        connection: of the owner, in a transaction.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS anyfast"))
    METADATA.create_all(connection)
    known = connection.scalars(select(VERSIONS.c.version)).all()
    if VERSION not in known:
        connection.execute(insert(VERSIONS).values(version=VERSION, time_us=time.time_ns() // 1000))
    for statement in (*statements(), *budget_functions.statements()):
        connection.exec_driver_sql(statement)
    for everything in ("SCHEMA", "ALL TABLES IN SCHEMA", "ALL FUNCTIONS IN SCHEMA"):
        connection.exec_driver_sql(f"REVOKE ALL ON {everything} anyfast FROM PUBLIC")


# --- functions --------------------------------------------------------------------------------

SIGNATURES: Final = tuple(f"put_{name}(jsonb)" for name in TABLES)
"""What every user of the ledger may call."""

# Who may change rows anyhow, the owner or whom the owner lets, may also say whose they are.
_TRUSTED: Final = """
CREATE OR REPLACE FUNCTION anyfast.is_trusted() RETURNS boolean
LANGUAGE sql STABLE SET search_path = anyfast, pg_temp AS $body$
    SELECT has_table_privilege(session_user, 'anyfast.requests', 'UPDATE')
$body$
"""

_ACTING_USER: Final = """
CREATE OR REPLACE FUNCTION anyfast.acting_user(told text) RETURNS text
LANGUAGE sql STABLE SET search_path = anyfast, pg_temp AS $body$
    SELECT CASE WHEN is_trusted() THEN told ELSE session_user::text END
$body$
"""

# What a record belongs to: a stranger adds nothing to it.
_BELONGS: Final = {
    "job_events": "EXISTS (SELECT FROM jobs WHERE id = told.job_id AND user_name IS DISTINCT FROM who)",
    "forgotten_assets": (
        "EXISTS (SELECT FROM assets WHERE asset_id = told.asset_id AND user_name IS DISTINCT FROM who)"
    ),
}

# What is one's own, no stranger has spoken for before.
_OUSTS: Final = {
    "forgotten_assets": (
        "DELETE FROM forgotten_assets WHERE asset_id = told.asset_id AND user_name IS DISTINCT FROM who "
        "AND EXISTS (SELECT FROM assets WHERE asset_id = told.asset_id AND user_name = who);"
    ),
}


def statements() -> tuple[str, ...]:
    """What makes the functions that take records; carried out again, they are replaced."""
    return (_TRUSTED, _ACTING_USER, *(_put(METADATA.tables[name]) for name in TABLES))


def _put(table: Table) -> str:
    # A loop, for one statement must not meet the same row twice.
    strangers = _BELONGS.get(table.name, "false")
    return f"""
CREATE OR REPLACE FUNCTION anyfast.put_{table.name}(told_rows jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = anyfast, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    told {table.name};
    trusted boolean := is_trusted();
    who text := session_user::text;
BEGIN
    FOR told IN SELECT * FROM jsonb_populate_recordset(NULL::{table.name}, told_rows) LOOP
        IF NOT trusted THEN
            told.user_name := who;
            CONTINUE WHEN {strangers};
            {_OUSTS.get(table.name, "")}
        END IF;
        {_upsert(table)};
    END LOOP;
END
$body$
"""  # noqa: S608  constants of this room


def _upsert(table: Table) -> str:
    """The one statement of `tables`, about a record in a variable."""
    mine = or_(literal_column("trusted"), table.c.user_name == literal_column("who"))
    told: dict[str, Any] = {column.name: literal_column(f"told.{column.name}") for column in table.columns}
    statement = upsert(table, dialect="postgresql", mine=mine).values(told).inline()
    dialect: Any = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


# --- connections ------------------------------------------------------------------------------


def _url(location: Location) -> URL:
    if find_spec("psycopg") is None:
        raise ConfigError(
            f"The ledger {location.place} is in PostgreSQL, and psycopg is not installed.",
            hint='Run: pip install "anyfast-nb[postgres]"',
        )
    try:
        return make_url(location.url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        # Its own words would show the password.
        raise ConfigError(
            f"The ledger URL for {location.place} cannot be read.",
            hint="Write @ : / ? # in user and password as %40 %3A %2F %3F %23.",
        ) from None


def _in_schema(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = anyfast")
    connection.commit()


def _limit(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_WRITE_MS}")
