"""A class on PostgreSQL: its ledger is made ready, students come and go, each with a role of their own.

These guard against accidents. Figures are the clients' own report, and whoever holds the key can spend.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy.engine import make_url

from anyfast_nb.errors import ConfigError, InputError, LedgerError
from anyfast_nb.ledger.classroom import roles
from anyfast_nb.ledger.classroom.roles import SCHEMA, quoted, text_of
from anyfast_nb.ledger.disk import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

PLAINLY: Final = (
    "This guards against accidents: whoever holds the key can spend.",
    "Figures are the clients' own report; a budget is as true as they are.",
)

_Address = tuple[str, int | None]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
_NO_NAMES: Final = frozenset({"public", "none"})
# An idle transaction would hold up everybody who asks for room in the class's budget.
_SETTINGS: Final = {"idle_in_transaction_session_timeout": "60s", "lock_timeout": "30s"}
_CONNECT: Final = {"connect_timeout": "10", "application_name": "anyfast-ledger"}
_CONNECTIONS: Final = 20  # of one student: a loop that opens more must not lock out the class


@dataclass(frozen=True, slots=True)
class Member:
    """A student of the class.

    Attributes:
        name: the role's, and what the ledger calls them.
        active: may log in; False once removed.
        is_new: made now, or given a new password.
        url: with its password, once, if `is_new`; else "".
    """

    name: str
    active: bool = True
    is_new: bool = False
    url: str = field(default="", repr=False)


class Classroom:
    """A class's ledger, as the owner of its database sees it.

    Args:
        url: of the owner, such as ``postgresql+psycopg://owner:password@host/database``; the owner needs
            CREATEROLE, and the database should be the class's alone.

    Raises:
        ConfigError: it is no URL of a PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self._url = _postgres_url(url)
        self.database = self._url.database or ""
        self.group = roles.group_name(self.database)

    @property
    def place(self) -> str:
        """The URL as a person may see it: without password and options."""
        shown = {name: said for name, said in self._url.query.items() if name in {"host", "port"}}
        return self._url.set(query=shown).render_as_string()

    # --- the class ------------------------------------------------------------------------

    def init(self) -> list[str]:
        """Make the ledger ready for a class; a second time brings it up to date and keeps all rows.

        Returns:
            What was done, a line each.

        Raises:
            LedgerError: the database cannot be reached, or this role may not do it.
        """
        from anyfast_nb.ledger.budget import functions as budget_functions
        from anyfast_nb.ledger.disk import postgres

        functions = [*postgres.SIGNATURES, *budget_functions.SIGNATURES]
        self._ready_for_all()
        with self._transaction() as connection:
            postgres.install(connection)
            done = [f"Schema {SCHEMA} in database {self.database}: {len(tables.METADATA.tables)} tables."]
            done.append(self._make_group(connection))
            for statements in (
                roles.limits(),
                roles.guards(),
                roles.policies(self.database),
                roles.rights(self.database, functions=functions),
            ):
                _run(connection, statements)
        return [
            *done,
            "Row-level security is on for every table: students read and insert rows of their own.",
            f"They change nothing but by {len(functions)} functions, which fill in what is theirs.",
            f"Only they, their teacher and superusers may connect to database {self.database}.",
        ]

    def add(
        self,
        names: Sequence[str],
        *,
        reset: bool = False,
        host: str | None = None,
        keep: Callable[[list[Member]], object] | None = None,
    ) -> list[Member]:
        """Make a login role with a password of its own for each student.

        Args:
            names: letters, digits, ``_``, ``-`` and ``.``; on a JupyterHub the names of its users.
            reset: give those who are members already a new password; else they keep theirs.
            host: ``HOST`` or ``HOST:PORT`` by which the students reach the server, if not as in the URL.
            keep: puts the new members' URLs away; if it fails, nobody was added.

        Returns:
            The members in the order of their names as given; those that are new with their URL.

        Raises:
            InputError: a name cannot be a role's, or is somebody else's.
            LedgerError: the database cannot be reached, is not made ready, or this role may not do it.
        """
        for name in names:
            _check_name(name)
        reached = _address(host) if host else None
        with self._transaction() as connection:
            self._ready(connection)
            known = {member.name: member for member in self._members(connection)}
            made = []
            for name in dict.fromkeys(names):
                if name in known and known[name].active and not reset:
                    made.append(known[name])
                else:
                    made.append(self._admit(connection, name, known, reached))
                    known[name] = made[-1]
            if keep is not None:
                keep([member for member in made if member.is_new])
        return made

    def remove(self, names: Sequence[str]) -> list[Member]:
        """Take the students' login and rights away, also from what is open; their rows stay.

        Raises:
            InputError: a name is not a student's of this class; then nothing was done.
            LedgerError: the database cannot be reached, or this role may not do it.
        """
        with self._transaction() as connection:
            self._ready(connection)
            known = {member.name for member in self._members(connection)}
            for name in names:
                if name not in known:
                    raise InputError(
                        f"{name!r} is no student of this class.",
                        field="NAME",
                        hint="`anyfast-ledger list` shows who is.",
                    )
                who = quoted(name)
                _run(connection, (f"ALTER ROLE {who} NOLOGIN PASSWORD NULL", self._grant("REVOKE", who)))
        return [Member(name, active=False) for name in names]

    def members(self) -> list[Member]:
        """The students by name, those that were removed too.

        Raises:
            LedgerError: the database cannot be reached, or is not made ready.
        """
        with self._transaction() as connection:
            self._ready(connection)
            return self._members(connection)

    # --- details --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The owner's URL, password included: never to be shown."""
        return self._url.render_as_string(hide_password=False)

    def _ready_for_all(self) -> None:
        """Refuse the ledger of a later version, and what another than its owner would make."""
        from anyfast_nb.ledger.disk.location import locate
        from anyfast_nb.ledger.disk.postgres import PostgresStore

        store = PostgresStore(locate(self.url))
        try:
            with self._told():
                store.ready()
        finally:
            store.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        engine = sqlalchemy.create_engine(
            self._url, poolclass=sqlalchemy.NullPool, hide_parameters=True, connect_args=_CONNECT
        )
        try:
            with self._told(), engine.begin() as connection:
                _run(connection, (f"SET LOCAL search_path = {SCHEMA}",))
                yield connection
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise LedgerError(
                f"{self.place}: {_reason(error)}",
                hint="It takes the URL of the database's owner, a role with CREATEROLE.",
            ) from None

    def _make_group(self, connection: Connection) -> str:
        if _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = :name", name=self.group):
            return f"Role {self.group} for the students was there."
        _run(connection, (f"CREATE ROLE {quoted(self.group)} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE",))
        return f"Role {self.group} for the students was made."

    def _ready(self, connection: Connection) -> None:
        """Refuse a database that is no class's, and who is not its teacher."""
        there = _one(connection, "SELECT to_regclass('anyfast.requests') IS NOT NULL")
        if not there or not _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = :name", name=self.group):
            raise LedgerError(
                f"{self.place} is not made ready for a class.", hint="Run `anyfast-ledger init URL` first."
            )
        if not _one(connection, "SELECT has_table_privilege('anyfast.requests', 'UPDATE')"):
            raise LedgerError(
                f"{self.place} is not the URL of the class's teacher.",
                hint="Take the one that `anyfast-ledger init` was run with.",
            )

    def _members(self, connection: Connection) -> list[Member]:
        query = """
            SELECT role.rolname, role.rolcanlogin FROM pg_roles AS role
            WHERE shobj_description(role.oid, 'pg_authid') = :mark ORDER BY 1
        """
        rows = connection.execute(sqlalchemy.text(query), {"mark": roles.mark(self.database)})
        return [Member(name, active=active) for name, active in rows]

    def _admit(
        self, connection: Connection, name: str, known: dict[str, Member], reached: _Address | None
    ) -> Member:
        who = quoted(name)
        if name not in known:
            taken = "SELECT rolname FROM pg_roles WHERE lower(rolname) = lower(:name)"
            if other := _one(connection, taken, name=name):
                raise InputError(
                    f"The server has a role {other!r} already, and it is no student of this class.",
                    field="NAME",
                    hint="Roles are the whole server's: choose another name for this student.",
                )
            _run(
                connection,
                (
                    f"CREATE ROLE {who} NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT {_CONNECTIONS}",
                    f"COMMENT ON ROLE {who} IS {text_of(roles.mark(self.database))}",
                    *(f"ALTER ROLE {who} SET {word} = {text_of(value)}" for word, value in _SETTINGS.items()),
                ),
            )
        password = secrets.token_urlsafe(24)
        secret = text_of(_scram(connection, name, password))
        _run(connection, (f"ALTER ROLE {who} LOGIN PASSWORD {secret}", self._grant("GRANT", who)))
        return Member(name, is_new=True, url=self._url_of(name, password, reached))

    def _grant(self, verb: str, who: str) -> str:
        return f"{verb} {quoted(self.group)} {'TO' if verb == 'GRANT' else 'FROM'} {who}"

    def _url_of(self, name: str, password: str, reached: _Address | None) -> str:
        url = self._url.set(drivername="postgresql+psycopg", username=name, password=password)
        url = url.difference_update_query(["user", "password", "passfile", "service"])
        if reached is not None:
            url = url.set(host=reached[0]).set(port=reached[1])
        return url.render_as_string(hide_password=False)


def _postgres_url(url: str) -> sqlalchemy.URL:
    try:
        read = make_url(url.strip().replace("postgres://", "postgresql://", 1))
        good = read.get_backend_name() == "postgresql" and bool(read.database)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        good = False
    if not good:  # it may hold a password: nothing of it is shown
        raise ConfigError(
            "A class needs the URL of a PostgreSQL database, and this is none.",
            hint="It looks like postgresql+psycopg://owner:password@host/database.",
        )
    return read.set(drivername="postgresql+psycopg")


def _address(host: str) -> _Address:
    found = re.fullmatch(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?", host.strip())
    if found is None:
        raise InputError(
            f"{host[:80]!r} is no address of a server.", field="host", hint="Write HOST or HOST:PORT."
        )
    return found["name"].strip("[]"), int(found["port"]) if found["port"] else None


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:80]!r} cannot be a student's name.",
            field="NAME",
            hint="Letters a to z, digits, _, - and ., beginning with a letter or digit; at most 63 of them.",
        )
    if name.lower() in _NO_NAMES or name.lower().startswith("pg_"):
        raise InputError(
            f"{name!r} means something to PostgreSQL and cannot be a student's name.",
            field="NAME",
            hint="Choose another name for this student.",
        )


def _scram(connection: Connection, name: str, password: str) -> str:
    """What the server keeps of a password: so it is in no log of statements."""
    driver: Any = connection.connection.driver_connection
    verifier: bytes = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    return verifier.decode()


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _one(connection: Connection, query: str, **values: str) -> Any:
    return connection.execute(sqlalchemy.text(query), values).scalar()


def _reason(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    lines = [line for line in str(cause).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(cause).__name__
