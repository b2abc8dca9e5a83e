"""The ledger in PostgreSQL: who makes it, who may write what, and what is told when it is out of reach."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from anyfast_nb.errors import ConfigError, LedgerError
from anyfast_nb.ledger import JobStatus, Ledger, StoredAsset
from anyfast_nb.ledger.disk import postgres
from anyfast_nb.ledger.disk.schema import TABLES, VERSION
from anyfast_nb.ledger.rows import Kept
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.conftest import request_row, rows_of
from tests.ledger.test_jobs import job_row, later
from tests.postgres import Postgres

PASSWORD = "ge@heim/5ec2e7"


@pytest.fixture
def student(postgres: Postgres, postgres_url: str) -> Iterator[str]:
    """Somebody who may call what fills the tables, and read them; nothing else."""
    name = "anna.of-the-ledger"
    database = postgres_url.rpartition("/")[2]
    with Ledger(postgres_url) as owner:
        owner.open()
    postgres.run(
        database,
        f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'",
        f'GRANT USAGE ON SCHEMA anyfast TO "{name}"',
        f'GRANT SELECT ON ALL TABLES IN SCHEMA anyfast TO "{name}"',
        *(f'GRANT EXECUTE ON FUNCTION anyfast.{one} TO "{name}"' for one in postgres_functions()),
    )
    yield postgres.url(database, user=name, password=PASSWORD)
    postgres.run(database, f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')


def postgres_functions() -> tuple[str, ...]:
    return postgres.SIGNATURES


def put(ledger: Ledger, table: str, **record: Any) -> None:
    """Call the function for a table as an attacker would."""
    rows = json.dumps([dict.fromkeys(TABLES[table].columns) | record])
    with ledger.transaction() as connection:
        connection.execute(text(f"SELECT anyfast.put_{table}(CAST(:rows AS jsonb))"), {"rows": rows})


# --- who may do what ----------------------------------------------------------------------


def test_who_fills_the_tables_does_it_in_their_own_name(student: str, postgres_url: str) -> None:
    with Ledger(student) as anna, Ledger(postgres_url) as owner:
        row = request_row(user="teacher")
        anna.begin(row)
        anna.settle(row.id, status=Status.OK, usage=Usage(1, 2))
        job = job_row(request_row=row.id, task_id="t", user="teacher")
        anna.begin_job(job)
        anna.update_job(later(job, status=JobStatus.SUCCEEDED, tokens=7, video_s=5.0))
        anna.keep_asset(asset("a1"))
        anna.forget_asset("a2")
        assert anna.totals_by_model()[0].output_tokens == 2
        for table in TABLES:
            found = rows_of(owner, table).values()
            assert {kept["user_name"] for kept in found} == {"anna.of-the-ledger"}
        assert rows_of(owner)[row.id]["video_s"] == 5.0


def test_who_owns_the_tables_says_whose_rows_they_are(postgres_url: str) -> None:
    with Ledger(postgres_url) as owner:
        row = request_row(user="bert")
        owner.begin(row)
        assert rows_of(owner)[row.id]["user_name"] == "bert"


def test_nothing_of_somebody_else_is_changed(student: str, postgres_url: str) -> None:
    with Ledger(postgres_url) as owner, Ledger(student) as anna:
        row = request_row(user="bert")
        owner.begin(row)
        job = job_row(request_row=row.id, user="bert", task_id="t")
        owner.begin_job(job)
        owner.keep_asset(asset("a1"))
        before = [rows_of(owner, table) for table in TABLES]

        put(anna, "requests", **row.record() | {"status": "ok", "input_tokens": 10**9, "user_name": "bert"})
        ended = later(job, status=JobStatus.SUCCEEDED, tokens=7, path="/elsewhere")
        put(anna, "jobs", **ended.record())
        put(anna, "job_events", **ended.event().record())
        put(anna, "assets", **replace(asset("a1"), name="mine").record())
        put(anna, "forgotten_assets", asset_id="a1", time_us=1)

        assert [rows_of(owner, table) for table in TABLES] == before
        for statement in ("UPDATE anyfast.requests SET user_name = 'x'", "DELETE FROM anyfast.jobs"):
            with pytest.raises(DBAPIError, match="permission denied"), anna.transaction() as connection:
                connection.execute(text(statement))


def test_a_row_of_ones_own_is_filled_once(student: str) -> None:
    with Ledger(student) as anna:
        row = request_row()
        anna.begin(row)
        anna.settle(row.id, status=Status.OK, usage=Usage(100, 200))
        put(anna, "requests", **row.record() | {"status": "error", "input_tokens": 1, "output_tokens": 2})
        kept = rows_of(anna)[row.id]
        assert (kept["status"], kept["input_tokens"], kept["output_tokens"]) == ("ok", 100, 200)


def asset(asset_id: str) -> StoredAsset:
    return StoredAsset(
        asset_id=asset_id, group_id="g", sha256="0" * 64, asset_type="Video", base_url="h", key_mark="k"
    )


# --- who makes it -------------------------------------------------------------------------


def test_functions_are_nobodys_before_they_are_granted(postgres: Postgres, postgres_url: str) -> None:
    with Ledger(postgres_url) as owner:
        owner.open()
    found = postgres.run(
        postgres_url.rpartition("/")[2],
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = 'anyfast' AND has_function_privilege('public', p.oid, 'EXECUTE')",
    )
    assert found == []


def test_who_may_make_nothing_is_told_whom_to_ask(
    postgres: Postgres, postgres_url: str, told: list[str]
) -> None:
    database = postgres_url.rpartition("/")[2]
    name = "nobody_of_the_ledger"
    postgres.run(database, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    url = postgres.url(database, user=name, password="x")
    try:
        with Ledger(url, warn=told.append) as ledger:
            ledger.begin(request_row())
            with pytest.raises(LedgerError, match="has no tables") as caught:
                ledger.totals_by_model()
            assert "1 row waits" in caught.value.message
            with Ledger(postgres_url) as owner:
                owner.open()
            with pytest.raises(LedgerError, match="not open to this role"):
                ledger.totals_by_model()
            assert "anyfast-ledger init" in told[0]
            postgres.run(
                database,
                f"GRANT USAGE ON SCHEMA anyfast TO {name}",
                f"GRANT SELECT ON ALL TABLES IN SCHEMA anyfast TO {name}",
                f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA anyfast TO {name}",
            )
            assert ledger.totals_by_model()[0].requests == 1
        assert len(told) == 1
    finally:
        postgres.run(database, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_later_version_is_read_and_not_written(
    postgres: Postgres, postgres_url: str, told: list[str]
) -> None:
    with Ledger(postgres_url) as old:
        old.begin(request_row())
        old.absorb()
    postgres.run(
        postgres_url.rpartition("/")[2], f"INSERT INTO anyfast.schema_version VALUES ({VERSION + 1}, 0)"
    )
    with Ledger(postgres_url, warn=told.append) as ledger:
        assert len(rows_of(ledger)) == 1
        ledger.begin(request_row())
        with pytest.raises(LedgerError, match=f"schema {VERSION + 1}.*1 row waits"):
            rows_of(ledger)
    assert len(told) == 1
    assert "is read, not written" in told[0]


def test_it_is_made_once_however_many_begin(postgres_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def begin(number: int) -> None:
        with Ledger(postgres_url) as ledger:
            with ledger._store().writing() as connection:
                assert connection.scalar(text("SELECT max(version) FROM schema_version")) == VERSION
            ledger._store().put([Kept("requests", request_row(title=str(number)).record())])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(8)))
    with Ledger(postgres_url) as ledger:
        assert len(rows_of(ledger)) == 8


# --- out of reach -------------------------------------------------------------------------


def test_without_its_server_requests_go_on_and_rows_wait(
    postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, _, rest = postgres_url.rpartition("@")
    gone = f"{address}@127.0.0.1:{port}/{rest.rpartition('/')[2]}"
    caplog.set_level(logging.DEBUG)
    with Ledger(gone, warn=told.append) as ledger:
        row = request_row()
        ledger.begin(row)
        ledger.settle(row.id, status=Status.OK, usage=Usage(1, 2))
        ledger.absorb()
        ledger.absorb()
        with pytest.raises(LedgerError, match=r"cannot be read.*2 rows wait") as caught:
            ledger.totals_by_model()
        with pytest.raises(LedgerError, match="cannot be written"):
            ledger.begin(request_row(), reserved=True)
    assert len(told) == 1
    assert "their rows wait in" in told[0]
    shown = f"{told} {caught.value!r} {caught.value} {caught.value.__cause__} {caplog.text} {ledger!r}"
    assert "owner-of-the-test" not in shown
    assert f"127.0.0.1:{port}" in told[0]

    # The journal is that place's; the rows come in as soon as the place is there.
    with Ledger(postgres_url) as there:
        assert rows_of(there) == {}
        monkeypatch.setattr(there, "_journal", ledger._journal)
        assert rows_of(there)[row.id]["status"] == "ok"


@pytest.mark.parametrize("wrong", ["wrong-5ec2e7", "wr@ng:5ec2e7/?"])
def test_no_password_is_shown(postgres_url: str, told: list[str], wrong: str) -> None:
    url = postgres_url.replace("owner-of-the-test", wrong)
    with Ledger(url, warn=told.append) as ledger:
        ledger.begin(request_row())
        with pytest.raises(LedgerError, match="password authentication failed") as caught:
            ledger.totals_by_model()
        on_disk = b"".join(
            f"{item}".encode() + (item.read_bytes() if item.is_file() else b"")
            for item in ledger.path.parent.rglob("*")
        )
        shown = f"{told} {caught.value!r} {caught.value.__cause__!r} {vars(ledger)} {vars(ledger._store())}"
    assert "5ec2e7" not in shown
    assert b"5ec2e7" not in on_disk


def test_without_psycopg_the_line_that_installs_it_is_told(
    postgres_url: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with Ledger(postgres_url, warn=told.append) as ledger:
        ledger.begin(request_row())
        with pytest.raises(ConfigError, match="psycopg is not installed") as caught:
            ledger.totals_by_model()
        assert caught.value.hint == 'Run: pip install "anyfast-nb[postgres]"'
        ledger.absorb()
    assert len(told) == 1
    assert 'pip install "anyfast-nb[postgres]"' in told[0]
    assert Path(ledger.path.parent / "journal").exists()


def test_the_urls_own_options_are_kept(postgres_url: str) -> None:
    with Ledger(f"{postgres_url}?sslmode=prefer&options=-cwork_mem%3D8MB") as ledger:
        with ledger.reading() as connection:
            assert connection.scalar(text("SHOW work_mem")) == "8MB"
            assert connection.scalar(text("SHOW search_path")) == "anyfast"
            assert connection.scalar(text("SHOW transaction_read_only")) == "on"
        with ledger.readable() as place:
            assert place is not None
            assert "work_mem" in place
            assert "search_path" in place
            assert "sslmode=prefer" in place
