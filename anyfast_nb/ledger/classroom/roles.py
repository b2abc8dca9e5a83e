"""Who may do what in a class's PostgreSQL ledger: the SQL of its group role, its policies and its limits.

A student may connect, read and insert rows of their own, and call the functions that fill those rows and
reserve room in a budget. Everything else is refused by PostgreSQL itself. `session_user` is who they are:
it is the role they logged in as, which neither SET ROLE nor a SECURITY DEFINER function changes.

These guard against accidents. Figures are the clients' own report, and whoever holds the key can spend.
What a student can still do on purpose: report less than was used, more than was used, or nothing; date a row
back that holds no reservation; see the names of the server's roles, and that an id is taken; keep a
transaction open, for which others wait a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import BigInteger, Double, Integer, Table

from anyfast_nb.ledger.disk import tables

SCHEMA: Final = "anyfast"

OWN: Final = (tables.REQUESTS, tables.JOBS, tables.ASSETS)
"""What a student may insert where it is theirs. What belongs to another row, a function looks at first."""

_FILED: Final = (*OWN, tables.JOB_EVENTS, tables.FORGOTTEN_ASSETS)

_LONGEST_NAME: Final = 63  # bytes; PostgreSQL would cut it
# No request has as many, and sums over a class must not overflow.
_MOST_TOKENS: Final = 10**12
_MOST_NANO: Final = 10**16  # ten million of a currency, for one request
_MOST_AMOUNT: Final = 10**18  # of a budget
_MOST_COUNT: Final = 10**6
# Times later than that break the teacher's frames.
_END_OF_TIME_US: Final = 4_102_444_800_000_000  # the year 2100


def quoted(name: str) -> str:
    """A name as SQL reads it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def text_of(value: str) -> str:
    """A text as SQL reads it, whatever is in it."""
    return "'" + value.replace("'", "''") + "'"


def group_name(database: str) -> str:
    """The role that the students of a class are members of: roles are the whole server's, classes are not."""
    name = f"anyfast_students_{database}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"anyfast_students_{hashlib.sha256(database.encode()).hexdigest()[:32]}"


def mark(database: str) -> str:
    """The comment on a role that says it is a student's, made by us: no other role is ever touched."""
    return f"AnyFast: a student of the class in database {database}"


def rights(database: str, *, functions: Iterable[str]) -> Iterator[str]:
    """What gives the students their rights and takes all others away; may be carried out again.

    Args:
        database: the class's.
        functions: signatures such as ``put_requests(jsonb)`` that students may call.
    """
    group, schema = quoted(group_name(database)), SCHEMA
    yield f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted(database)} FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {quoted(database)} TO {group}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {group}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {group}"
    for everything in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        yield f"REVOKE ALL ON ALL {everything} IN SCHEMA {schema} FROM PUBLIC, {group}"
    for table in tables.METADATA.sorted_tables:
        may = "SELECT, INSERT" if table in OWN else "SELECT"
        yield f"GRANT {may} ON {schema}.{table.name} TO {group}"
    for function in functions:
        yield f"GRANT EXECUTE ON FUNCTION {schema}.{function} TO {group}"


def policies(database: str) -> Iterator[str]:
    """Row-level security on every table; the owner of the tables, the teacher, sees all."""
    group = quoted(group_name(database))
    for table in tables.METADATA.sorted_tables:
        name = f"{SCHEMA}.{table.name}"
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS student_reads ON {name}"
        yield f"CREATE POLICY student_reads ON {name} FOR SELECT TO {group} USING ({_seen(table)})"
        yield f"DROP POLICY IF EXISTS student_inserts ON {name}"
        if table in OWN:
            yield f"CREATE POLICY student_inserts ON {name} FOR INSERT TO {group} WITH CHECK ({_MINE})"


_MINE: Final = "user_name = session_user::text"


def _seen(table: Table) -> str:
    if table is tables.VERSIONS:
        return "true"
    # A budget that binds everybody is everybody's to see.
    return f"user_name IS NULL OR {_MINE}" if table is tables.BUDGETS else _MINE


def limits() -> Iterator[str]:
    """Figures that cannot be: a negative one would make room in a budget, a huge one would break its sum."""
    for table in tables.METADATA.sorted_tables:
        checks = [check for check in map(_limit, table.columns) if check]
        if table is tables.REQUESTS:
            checks.append("source IN ('live', 'simulated', 'replayed')")
        name = f"{SCHEMA}.{table.name}"
        yield f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS possible_figures"
        if checks:
            # NOT VALID: what is there already stays; NULL is unknown, and always possible.
            every = " AND ".join(checks)
            yield f"ALTER TABLE {name} ADD CONSTRAINT possible_figures CHECK ({every}) NOT VALID"


def _limit(column: object) -> str:
    name, kind = column.name, column.type  # type: ignore[attr-defined]
    if isinstance(kind, Double):
        return f"({name} >= 0 AND {name} < 'Infinity')"  # NaN is more than that in PostgreSQL
    if not isinstance(kind, BigInteger | Integer):
        return ""
    if name.endswith("_us"):
        most = _END_OF_TIME_US
    elif name in {"cost_nano", "amount"}:
        most = _MOST_NANO if name == "cost_nano" else _MOST_AMOUNT
    else:
        most = _MOST_TOKENS if isinstance(kind, BigInteger) else _MOST_COUNT
    return f"({name} BETWEEN 0 AND {most})"


def guards() -> Iterator[str]:
    """Triggers that file each row under the name of who sends it; they see every way in.

    No request is of the future: one could be kept out of today's sums. An old time is believed, for rows
    wait in a journal while the ledger is out of reach; what was reserved has the server's own time.
    """
    now = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    yield _guard("own_row", "")
    yield _guard("own_request", f"NEW.time_us := least(NEW.time_us, {now});")
    for table in _FILED:
        name = f"{SCHEMA}.{table.name}"
        function = "own_request" if table is tables.REQUESTS else "own_row"
        yield f"DROP TRIGGER IF EXISTS own_row ON {name}"
        yield (
            f"CREATE TRIGGER own_row BEFORE INSERT ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.{function}()"
        )


def _guard(name: str, more: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {SCHEMA}.{name}() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF NOT {SCHEMA}.is_trusted() THEN
                NEW.user_name := session_user;
                {more}
            END IF;
            RETURN NEW;
        END
        $$
    """
