"""A class for tests: a database of its own on the real PostgreSQL, a teacher, and students."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import text

from anyfast_nb.ledger import JobRow, Ledger
from anyfast_nb.ledger.classroom.classroom import Classroom
from anyfast_nb.wire.values import Source
from tests.postgres import Postgres

TABLES = (
    "requests", "jobs", "job_events", "assets", "forgotten_assets", "budgets", "reservations",
)  # fmt: skip


def job_row(**changes: Any) -> JobRow:
    """A job that a test changes where it matters."""
    values: dict[str, Any] = {
        "kind": "seedance",
        "create_path": "/v1/video/generations",
        "poll_paths": ("/v1/video/generations/{id}",),
        "base_url": "https://www.anyfast.ai",
        "source": Source.LIVE,
        "model": "seedance",
        "request_hash": "a" * 64,
        "key_mark": "0123456789abcdef",
    }
    return JobRow(**(values | changes))


def ids(ledger: Ledger, table: str = "requests") -> set[str]:
    """The rows that a ledger shows, by their ids."""
    with ledger.reading() as connection:
        return set(connection.scalars(text(f"SELECT id FROM {table}")))


@dataclass
class Class:
    """A database made ready; roles are the whole server's, so each class has names of its own."""

    server: Postgres
    owner: str
    room: Classroom
    desk: psycopg.Connection[Any]  # the teacher's
    urls: dict[str, str] = field(default_factory=dict)

    def name(self, student: str) -> str:
        """What the student is called in this class."""
        return f"{student}.{self.room.database}"

    def add(self, *students: str) -> None:
        for student in students:
            (member,) = self.room.add([self.name(student)])
            self.urls[student] = member.url

    def ledger(self, student: str = "", **how: Any) -> Ledger:
        """The ledger as a student has it; the teacher's without a name."""
        return Ledger(self.urls[student] if student else self.owner, **how)

    def tell(self, *statements: str) -> list[Any]:
        """What the teacher gets."""
        for statement in statements:
            cursor = self.desk.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def login(self, student: str) -> Iterator[psycopg.Connection[Any]]:
        """A student with a connection of their own and no library between."""
        where = self.urls[student].replace("+psycopg", "")
        with psycopg.connect(where, autocommit=True) as connection:
            yield connection

    def snapshot(self, *, without: str) -> list[Any]:
        """Everything in the class that is not one student's, as the teacher sees it."""
        mine = self.name(without)
        rows = [
            f"SELECT '{table}', t::text FROM anyfast.{table} AS t WHERE user_name IS DISTINCT FROM '{mine}'"
            for table in TABLES
        ]
        rooms = "IN ('anyfast'::regnamespace, 'public'::regnamespace)"
        rows += [
            "SELECT 'version', v::text FROM anyfast.schema_version AS v",
            "SELECT 'role', r::text FROM pg_roles AS r",
            "SELECT 'member', m::text FROM pg_auth_members AS m",
            "SELECT 'policy', p::text FROM pg_policies AS p",
            "SELECT 'trigger', concat_ws(' ', tgname, tgenabled, tgrelid::regclass) FROM pg_trigger",
            f"""SELECT 'limit', concat_ws(' ', conname, conrelid::regclass, pg_get_constraintdef(oid))
                FROM pg_constraint WHERE connamespace {rooms}""",
            f"""SELECT 'relation', concat_ws(' ', relname, relacl, relrowsecurity)
                FROM pg_class WHERE relnamespace {rooms}""",
            f"""SELECT 'function', concat_ws(' ', oid::regprocedure, proacl, md5(prosrc))
                FROM pg_proc WHERE pronamespace {rooms}""",
        ]
        return self.tell(" UNION ALL ".join(rows) + " ORDER BY 1, 2")


@contextmanager
def a_class(postgres: Postgres, *students: str) -> Iterator[Class]:
    """A class that ends with the block."""
    owner = postgres.database()
    with psycopg.connect(owner.replace("+psycopg", ""), autocommit=True) as desk:
        made = Class(postgres, owner, Classroom(owner), desk)
        made.room.init()
        made.add(*students)
        yield made
    postgres.drop(owner)
