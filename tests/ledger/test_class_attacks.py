"""The class's ledger as a student would attack it: every attack is refused, or has no effect on anybody."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from anyfast_nb.ledger import StoredAsset
from anyfast_nb.ledger.budget.values import Ask, Scope
from anyfast_nb.ledger.disk.tables import METADATA
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.classes import Class, a_class, job_row
from tests.ledger.conftest import request_row
from tests.postgres import Postgres

SECRET = "anna-s-own-notebook"


@pytest.fixture(scope="module")
def attacked(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Class, dict[str, str]]]:
    """A class in which anna has worked; and what ben may have come to know of it."""
    with pytest.MonkeyPatch.context() as patch, a_class(postgres, "anna", "ben") as room:
        patch.setenv("ANYFAST_HOME", str(tmp_path_factory.mktemp("home")))
        known = {"ANNA": room.name("anna"), "BEN": room.name("ben"), "GROUP": room.room.group}
        with room.ledger() as teacher:
            known["CLASS_BUDGET"] = teacher.set_budget(10_000, "tokens", per="day").id
            known["EACH_BUDGET"] = teacher.set_budget(1_000, "tokens", per="day", scope=Scope.USER).id
        with room.ledger("anna") as anna:
            known |= work_of(anna)
        room.tell("ANALYZE")
        yield room, known


def work_of(ledger: Any) -> dict[str, str]:
    """A settled request, one under way that holds a reservation, a job, an asset, a budget of one's own."""
    done = ledger.begin(request_row(notebook=SECRET))
    ledger.settle(done, status=Status.OK, usage=Usage(input_tokens=30, output_tokens=12))
    held = request_row(notebook=SECRET)
    ledger.reserve(Ask(id=held.id, tokens=100, notebook=SECRET))
    ledger.begin(held, reserved=True)
    job = job_row(request_row=done, notebook=SECRET)
    ledger.begin_job(job)
    asset = StoredAsset(
        asset_id="asset-of-anna", group_id="g", sha256="0" * 64, asset_type="Image",
        base_url="https://www.anyfast.ai", key_mark="mark", name=SECRET, created_at=datetime.now(UTC),
    )  # fmt: skip
    ledger.keep_asset(asset)
    own = ledger.set_budget(500, "tokens", per="day")
    ledger.absorb()
    return {"DONE": done, "HELD": held.id, "JOB": job.id, "ASSET": asset.asset_id, "OWN_BUDGET": own.id}


def worded(statement: str, known: dict[str, str]) -> str:
    for word, value in known.items():
        statement = statement.replace(f"<{word}>", value)
    return statement


REQUEST = "id, time_us, kind, source, base_url, model_asked, status, user_name"


def insert(
    id: str = "mine", *, user: str = "<BEN>", time_us: str = "1000", source: str = "live", **more: Any
) -> str:
    columns = ", ".join([REQUEST, *more])
    values = [
        f"'{id}'",
        time_us,
        "'chat'",
        f"'{source}'",
        "'b'",
        "'m'",
        "'ok'",
        f"'{user}'",
        *map(str, more.values()),
    ]
    return f"INSERT INTO anyfast.requests ({columns}) VALUES ({', '.join(values)})"


def put(table: str, **record: Any) -> str:
    """A call of the function that the client writes with; it takes whole records."""
    row = {column.name: None for column in METADATA.tables[table].columns} | record
    return f"SELECT anyfast.put_{table}('{json.dumps([row])}'::jsonb)"


def sent(id: str, **record: Any) -> dict[str, Any]:
    base = {"id": id, "time_us": 1000, "kind": "chat", "source": "live", "base_url": "b", "model_asked": "m"}
    return base | {"status": "ok"} | record


REFUSED = {
    "change own rows": "UPDATE anyfast.requests SET output_tokens = 0",
    "change another's row": "UPDATE anyfast.requests SET output_tokens = 0 WHERE user_name = '<ANNA>'",
    "change a job": "UPDATE anyfast.jobs SET status = 'failed'",
    "change a budget": "UPDATE anyfast.budgets SET amount = 1000000000",
    "end a budget in its table": "UPDATE anyfast.budgets SET ended_us = 1",
    "change a reservation": "UPDATE anyfast.reservations SET released_us = 1",
    "change the version": "UPDATE anyfast.schema_version SET version = 999",
    "delete own rows": "DELETE FROM anyfast.requests WHERE user_name = '<BEN>'",
    "delete all rows": "DELETE FROM anyfast.requests",
    "delete reservations": "DELETE FROM anyfast.reservations",
    "delete budgets": "DELETE FROM anyfast.budgets",
    "empty a table": "TRUNCATE anyfast.requests",
    "merge into a table": (
        "MERGE INTO anyfast.requests USING (SELECT '<DONE>' AS id) AS n ON requests.id = n.id "
        "WHEN MATCHED THEN UPDATE SET output_tokens = 0"
    ),
    "put a budget into its table": (
        "INSERT INTO anyfast.budgets (id, created_us, amount, unit, per, zone, scope, hard, user_name) "
        "VALUES ('b', 1, 1, 'tokens', 'day', 'UTC', 'all', 1, NULL)"
    ),
    "put a reservation into its table": (
        "INSERT INTO anyfast.reservations (id, time_us, expires_us, user_name) VALUES ('r', 1, 1, '<BEN>')"
    ),
    "put a version into its table": "INSERT INTO anyfast.schema_version VALUES (999, 1)",
    "take another's id": insert("<DONE>"),
    "overwrite by conflict": insert("<DONE>") + " ON CONFLICT (id) DO UPDATE SET output_tokens = 0",
    "lock another's rows": "SELECT id FROM anyfast.requests FOR UPDATE",
    "lock the table": "LOCK TABLE anyfast.requests IN ACCESS EXCLUSIVE MODE",
    "less than nothing used": insert(output_tokens=-1_000_000),
    "less than nothing paid": insert(cost_nano=-1, currency="'USD'"),
    "more than a sum can hold": insert(output_tokens=9_000_000_000_000_000_000),
    "seconds that are no number": insert(video_s="'NaN'"),
    "a time that breaks frames": (
        "INSERT INTO anyfast.assets "
        "(asset_id, group_id, sha256, asset_type, base_url, key_mark, name, created_us) "
        "VALUES ('a', 'g', 's', 'Image', 'b', 'm', 'n', 9000000000000000000)"
    ),
    "tell of a job in its table": (
        "INSERT INTO anyfast.job_events (id, job_id, time_us, status, user_name) "
        "VALUES ('e', '<JOB>', 1, 'failed', '<BEN>')"
    ),
    "forget an asset in its table": (
        "INSERT INTO anyfast.forgotten_assets (asset_id, time_us, user_name) VALUES ('<ASSET>', 1, '<BEN>')"
    ),
    "a time before there was time": insert(time_us="-1"),
    "a source that counts nowhere": insert(source="LIVE"),
    "less than nothing by the function": put("requests", **sent("mine", output_tokens=-1_000_000)),
    "reserve less than nothing": "SELECT anyfast.reserve('{\"id\": \"x\", \"tokens\": -1000000}')",
    "reserve negative money": (
        'SELECT anyfast.reserve(\'{"id": "x", "tokens": 1, "cost_nano": -5, "currency": "USD"}\')'
    ),
    "a budget below zero": (
        "SELECT anyfast.set_budget('{\"id\": \"x\", \"amount\": -5, \"unit\": \"tokens\", \"per\": \"day\", "
        '"scope": "all", "hard": 1, "zone": "UTC"}\')'
    ),
    "ask for states as anybody": "SELECT anyfast.states_of('<ANNA>', NULL, NULL, true, true, true, 1)",
    "call a trigger": "SELECT anyfast.own_row()",
    "become the owner": "SET ROLE owner",
    "become a student": "SET ROLE \"<ANNA>\"",
    "log in as another": "SET SESSION AUTHORIZATION \"<ANNA>\"",
    "be a superuser": "ALTER ROLE \"<BEN>\" SUPERUSER",
    "join the owner": "GRANT owner TO \"<BEN>\"",
    "let others in": "GRANT \"<GROUP>\" TO pg_monitor",
    "make a role": "CREATE ROLE mallory LOGIN",
    "change another's password": "ALTER ROLE \"<ANNA>\" PASSWORD 'x'",
    "lock another out": "ALTER ROLE \"<ANNA>\" NOLOGIN",
    "remove another": "DROP ROLE \"<ANNA>\"",
    "switch row security off for a table": "ALTER TABLE anyfast.requests DISABLE ROW LEVEL SECURITY",
    "read with row security off": "SET row_security = off; SELECT * FROM anyfast.requests",
    "drop a policy": "DROP POLICY student_reads ON anyfast.requests",
    "add a policy": "CREATE POLICY all_of_it ON anyfast.requests USING (true)",
    "drop the guard": "DROP TRIGGER own_row ON anyfast.requests",
    "sleep through the guard": "SET session_replication_role = replica",
    "drop the limits": "ALTER TABLE anyfast.requests DROP CONSTRAINT possible_figures",
    "drop a table": "DROP TABLE anyfast.requests",
    "make a table in the schema": "CREATE TABLE anyfast.budgets2 (id text)",
    "make a table in public": "CREATE TABLE public.requests (id text)",
    "make a table that shadows": "CREATE TEMP TABLE budgets (id text)",
    "make a view that shadows": "CREATE TEMP VIEW requests AS SELECT 1",
    "make a function that shadows": (
        "CREATE FUNCTION pg_temp.acting_user(text) RETURNS text LANGUAGE sql AS $$SELECT 'x'$$"
    ),
    "replace a function": (
        "CREATE OR REPLACE FUNCTION anyfast.reserve(jsonb) RETURNS jsonb LANGUAGE sql "
        "AS $$SELECT '{}'::jsonb$$"
    ),
    "make a schema": "CREATE SCHEMA mine",
    "make an extension": "CREATE EXTENSION dblink",
    "rename the database": "ALTER DATABASE postgres RENAME TO other",
    "read a file": "SELECT pg_read_file('/etc/passwd')",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'id'",
    "end another's session": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS DISTINCT FROM session_user"
    ),
}  # fmt: skip

NOTHING_TO_SEE = {
    **{
        f"another's rows of {table}": f"SELECT * FROM anyfast.{table} WHERE user_name = '<ANNA>'"
        for table in ("requests", "jobs", "job_events", "assets", "forgotten_assets", "reservations")
    },
    "any row that is not one's own": "SELECT * FROM anyfast.requests WHERE user_name <> session_user",
    "another's budget": "SELECT * FROM anyfast.budgets WHERE user_name <> session_user",
    "a row by its id": "SELECT * FROM anyfast.requests WHERE id = '<DONE>'",
    "as the group": "SET ROLE \"<GROUP>\"; SELECT * FROM anyfast.requests WHERE user_name = '<ANNA>'",
    "by a condition that fails on it": (
        "SELECT * FROM anyfast.requests WHERE 1 / (CASE WHEN user_name = '<ANNA>' THEN 0 ELSE 1 END) = 0"
    ),
    "by a cast that fails on it": (
        "SELECT * FROM anyfast.requests WHERE user_name = '<ANNA>' AND notebook::integer = 5"
    ),
    "by the planner's statistics": (
        "SELECT * FROM pg_stats WHERE schemaname = 'anyfast' AND most_common_vals::text LIKE '%anna%'"
    ),
    "by what others are running": (
        "SELECT query FROM pg_stat_activity WHERE usename <> session_user AND query LIKE '%requests%'"
    ),
    "passwords": "SELECT rolpassword FROM pg_roles WHERE rolpassword <> '********'",
    "by a join with reservations": (
        "SELECT * FROM anyfast.reservations AS r JOIN anyfast.requests AS q USING (id) WHERE id = '<HELD>'"
    ),
    "a job by its id": "SELECT * FROM anyfast.jobs WHERE id = '<JOB>'",
}  # fmt: skip

WITHOUT_EFFECT = {
    "settle another's request": put("requests", **sent("<HELD>", output_tokens=0, user_name="<ANNA>")),
    "settle another's request under one's own name": put("requests", **sent("<HELD>", user_name="<BEN>")),
    "settle a class's request": put("requests", **sent("<HELD>", user_name=None)),
    "fill a settled request again": put("requests", **sent("<DONE>", output_tokens=0, user_name="<ANNA>")),
    "insert beside another's id": insert("<HELD>", user="<ANNA>") + " ON CONFLICT DO NOTHING",
    "insert under another's name": insert("forged", user="<ANNA>"),
    "insert under no name": insert("nobody", user="").replace("''", "NULL"),
    "insert under another's name by the function": put("requests", **sent("forged too", user_name="<ANNA>")),
    "insert as the teacher by the function": put("requests", **sent("forged again", user_name="owner")),
    "end another's job": put(
        "jobs", id="<JOB>", created_us=1, kind="kling", routes="{}", base_url="b", source="live", model="m",
        request_hash="h", status="failed", updated_us=4_000_000_000_000_000, user_name="<ANNA>",
    ),
    "tell of another's job": put(
        "job_events", id="told", job_id="<JOB>", time_us=1, status="failed", user_name="<ANNA>"
    ),
    "forget another's asset": put("forgotten_assets", asset_id="<ASSET>", time_us=1, user_name="<ANNA>"),
    "get more rights": "GRANT UPDATE ON anyfast.requests TO \"<BEN>\"",
    "give rights away": "GRANT SELECT ON anyfast.requests TO PUBLIC",
    "release another's reservation": "SELECT anyfast.release('<HELD>', true)",
    "release another's reservation as unsent": "SELECT anyfast.release('<HELD>', false)",
    "end the class's budget": "SELECT anyfast.end_budget('<CLASS_BUDGET>')",
    "end everybody's budget": "SELECT anyfast.end_budget('<EACH_BUDGET>')",
    "end another's budget": "SELECT anyfast.end_budget('<OWN_BUDGET>')",
    **{
        f"set a budget for {whom}": (
            f"SELECT anyfast.set_budget('{{\"id\": \"{whom}\", \"amount\": 1, \"unit\": \"tokens\", "
            f'"per": "day", "scope": "{scope}", "hard": 1, "zone": "UTC", "user": {user}}}\')'
        )
        for whom, user, scope in (
            ("all", "null", "all"), ("each", "null", "user"), ("another", '"<ANNA>"', "all"),
        )
    },
    "more than a budget allows": "SELECT anyfast.reserve('{\"id\": \"much\", \"tokens\": 100000}')",
    "reserve in another's name": (
        "SELECT anyfast.reserve('{\"id\": \"hers\", \"tokens\": 1, \"user\": \"<ANNA>\"}')"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(attacked: tuple[Class, dict[str, str]], what: str) -> None:
    room, known = attacked
    before = room.snapshot(without="ben")
    with room.login("ben") as ben, pytest.raises(psycopg.Error) as caught:
        ben.execute(worded(REFUSED[what], known))
    assert not isinstance(caught.value, psycopg.errors.SyntaxError), caught.value
    assert not isinstance(caught.value, psycopg.errors.UndefinedObject), caught.value
    assert SECRET not in str(caught.value)
    assert room.snapshot(without="ben") == before


@pytest.mark.parametrize("what", NOTHING_TO_SEE)
def test_nothing_is_seen(attacked: tuple[Class, dict[str, str]], what: str) -> None:
    room, known = attacked
    with room.login("ben") as ben:
        cursor = ben.execute(worded(NOTHING_TO_SEE[what], known))
        while cursor.nextset():
            pass
        assert cursor.fetchall() == []


@pytest.mark.parametrize("what", WITHOUT_EFFECT)
def test_nobody_else_is_touched(attacked: tuple[Class, dict[str, str]], what: str) -> None:
    room, known = attacked
    before = room.snapshot(without="ben")
    with room.login("ben") as ben:
        told = ben.execute(worded(WITHOUT_EFFECT[what], known))
        shown = str(told.fetchall()) if told.description else ""
    assert SECRET not in shown
    assert room.snapshot(without="ben") == before


# --- what a student does to themselves ------------------------------------------------------------


def test_a_row_is_filed_under_who_sends_it_whatever_it_says(attacked: tuple[Class, dict[str, str]]) -> None:
    room, known = attacked
    with room.login("ben") as ben:
        ben.execute(worded(insert("claimed", user="<ANNA>"), known))
        ben.execute(worded(put("requests", **sent("claimed too", user_name="<ANNA>")), known))
    found = room.tell("SELECT DISTINCT user_name FROM anyfast.requests WHERE id LIKE 'claimed%'")
    assert found == [(known["BEN"],)]


def test_a_settled_row_is_not_filled_twice(attacked: tuple[Class, dict[str, str]]) -> None:
    room, _ = attacked
    with room.ledger("ben") as ledger:
        mine = ledger.begin(request_row())
        ledger.settle(mine, status=Status.OK, usage=Usage(input_tokens=70, output_tokens=7))
        ledger.absorb()
    with room.login("ben") as ben:
        ben.execute(put("requests", **sent(mine, status="error", input_tokens=0, output_tokens=0)))
    query = f"SELECT status, input_tokens, output_tokens FROM anyfast.requests WHERE id = '{mine}'"
    assert room.tell(query) == [("ok", 70, 7)]


def test_an_id_that_is_taken_shows_that_and_no_more(attacked: tuple[Class, dict[str, str]]) -> None:
    room, known = attacked
    with room.login("ben") as ben:
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            ben.execute(worded(insert("<DONE>"), known))
        assert caught.value.diag.message_detail is None
        assert ben.execute(worded(insert("<DONE>") + " ON CONFLICT DO NOTHING", known)).rowcount == 0


def test_no_request_is_of_the_future(attacked: tuple[Class, dict[str, str]]) -> None:
    room, _ = attacked
    tomorrow = int((time.time() + 86_400) * 1e6)
    with room.login("ben") as ben:
        ben.execute(put("requests", **sent("tomorrow", time_us=tomorrow)))
    ((noted,),) = room.tell("SELECT time_us FROM anyfast.requests WHERE id = 'tomorrow'")
    assert noted <= time.time() * 1e6


def test_a_back_dated_request_counts_for_the_day_it_was_reserved(postgres: Postgres) -> None:
    with a_class(postgres, "ben") as room:
        with room.ledger() as teacher:
            teacher.set_budget(1_000, "tokens", per="day", scope=Scope.USER)
        with room.ledger("ben") as ben:
            row = request_row(time=datetime.now(UTC) - timedelta(days=3))
            ben.reserve(Ask(id=row.id, tokens=600))
            ben.begin(row, reserved=True)
            ben.settle(row.id, status=Status.OK, usage=Usage(input_tokens=500, output_tokens=100))
            (state,) = ben.budgets()
        assert state.spent == 600


def test_states_are_of_oneself_and_of_the_class_as_a_whole(attacked: tuple[Class, dict[str, str]]) -> None:
    room, known = attacked
    wish = json.dumps({"user": known["ANNA"], "everyone": True})
    with room.login("ben") as ben:
        ((states,),) = ben.execute("SELECT anyfast.budget_states(%s::jsonb)", [wish]).fetchall()
    by_id = {state["budget"]["id"]: state["lines"] for state in states}
    assert known["OWN_BUDGET"] not in by_id, "anna's own"
    assert [line["user_name"] for line in by_id[known["CLASS_BUDGET"]]] == [None]
    assert {line["user_name"] for line in by_id[known["EACH_BUDGET"]]} <= {known["BEN"]}
    assert SECRET not in json.dumps(states)


def test_every_table_is_guarded(attacked: tuple[Class, dict[str, str]]) -> None:
    room, _ = attacked
    unguarded = room.tell(
        "SELECT relname FROM pg_class WHERE relnamespace = 'anyfast'::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relrowsecurity"
    )
    assert unguarded == []


def test_every_function_that_a_student_may_call_keeps_its_search_path(
    attacked: tuple[Class, dict[str, str]],
) -> None:
    room, known = attacked
    mine = (
        f"FROM pg_proc WHERE pronamespace = 'anyfast'::regnamespace "
        f"AND has_function_privilege('{known['BEN']}', oid, 'EXECUTE')"
    )
    names = {name for (name,) in room.tell(f"SELECT proname::text {mine}")}
    assert names == {
        "put_requests", "put_jobs", "put_job_events", "put_assets", "put_forgotten_assets", "reserve",
        "release", "set_budget", "end_budget", "budget_states", "budget_standing",
    }  # fmt: skip
    assert room.tell(f"SELECT proname {mine} AND (NOT prosecdef OR proconfig IS NULL)") == []
