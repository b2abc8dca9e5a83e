"""The command `anyfast-ledger`, as a real process on the real PostgreSQL."""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from anyfast_nb.ledger import Ledger, cli
from anyfast_nb.ledger.classroom.classroom import Classroom
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.classes import Class, a_class, ids
from tests.ledger.conftest import request_row
from tests.postgres import Postgres

COMMAND = [sys.executable, "-m", "anyfast_nb.ledger.cli"]
SECRETS = ("owner-of-the-test",)


Ended = subprocess.CompletedProcess[str]


def process(*words: str, said: str = "", **environ: str) -> Ended:
    """A command as a person starts it."""
    return subprocess.run(
        [*COMMAND, *words], input=said, capture_output=True, text=True, env=os.environ | environ
    )


def run(*words: str) -> Ended:
    """The same, here: a process for each would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return Ended(list(words), code, out.getvalue(), err.getvalue())


def done(*words: str, by: Callable[..., Ended] = run, **how: str) -> str:
    """What a command printed that went well."""
    process = by(*words, **how)
    assert process.returncode == 0, process.stderr
    assert not any(secret in process.stdout + process.stderr for secret in SECRETS)
    return process.stdout


def refused(*words: str, by: Callable[..., Ended] = run, **how: str) -> str:
    """What a command said that was refused."""
    process = by(*words, **how)
    assert process.returncode == 1, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert not any(secret in process.stdout + process.stderr for secret in SECRETS)
    return process.stderr


@pytest.fixture
def room(postgres: Postgres) -> Iterator[Class]:
    with a_class(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def shared(postgres: Postgres) -> Iterator[Class]:
    """For commands that change nothing."""
    with a_class(postgres) as made:
        yield made


def used(room: Class, student: str, *, tokens: int, **row: object) -> None:
    with room.ledger(student) as ledger:
        begun = ledger.begin(request_row(**row))
        ledger.settle(begun, status=Status.OK, usage=Usage(input_tokens=tokens, output_tokens=0))
        ledger.absorb()


def test_a_class_from_nothing_to_a_students_first_row(postgres_url: str) -> None:
    do = partial(process, ANYFAST_LEDGER_ADMIN_URL=postgres_url)
    database = postgres_url.rpartition("/")[2]
    told = done("init", by=do)
    assert "was made" in told
    assert "whoever holds the key can spend" in told
    assert "the clients' own report" in told

    name = f"anna.{database}"
    line = done("add", name, by=do)
    shown, url = line.split()
    assert shown == name
    with Ledger(url) as ledger:
        ledger.settle(
            ledger.begin(request_row()), status=Status.OK, usage=Usage(input_tokens=7, output_tokens=5)
        )
        ledger.absorb()

    assert done("list", by=do) == f"{name}\n"
    usage = done("usage", by=do)
    assert name in usage

    again = do("add", name)
    assert again.stdout == "", "a password is shown once"
    assert "a member already" in again.stderr
    psycopg.connect(url.replace("+psycopg", "")).close()

    assert "may not log in" in done("remove", name, by=do)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("+psycopg", ""))
    assert done("list", by=do) == f"{name} (removed)\n"
    assert name in done("usage", by=do), "the rows stay"


def test_init_again_keeps_everything(room: Class) -> None:
    room.add("anna")
    used(room, "anna", tokens=3)
    told = done("init", room.owner)
    assert "was there" in told
    used(room, "anna", tokens=4)
    assert room.tell("SELECT sum(input_tokens)::int FROM anyfast.requests") == [(7,)]


def test_thirty_at_once_into_a_file_of_the_teachers_alone(room: Class, tmp_path: Path) -> None:
    path = tmp_path / "ledgers.txt"
    names = [room.name(f"s{number:02}") for number in range(30)]
    told = done("add", room.owner, *names, "--to", str(path))
    assert "postgresql" not in told, "no password on the screen"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = dict(line.split(" ") for line in path.read_text().splitlines())
    assert sorted(lines) == names
    assert len(set(lines.values())) == 30
    for url in list(lines.values())[::10]:
        psycopg.connect(url.replace("+psycopg", "")).close()

    later = room.name("later")
    done("add", room.owner, names[0], later, "--to", str(path))
    grown = dict(line.split(" ") for line in path.read_text().splitlines())
    assert grown == lines | {later: grown[later]}, "who is there keeps the URL"

    done("add", room.owner, names[0], "--reset", "--to", str(path))
    anew = dict(line.split(" ") for line in path.read_text().splitlines())
    assert anew[names[0]] != lines[names[0]]
    psycopg.connect(anew[names[0]].replace("+psycopg", "")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(lines[names[0]].replace("+psycopg", ""))


def test_if_the_file_cannot_be_written_nobody_is_added(room: Class, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    assert "cannot be" in refused("add", room.owner, room.name("anna"), "--to", str(folder))
    assert done("list", room.owner) == ""


@pytest.mark.parametrize(
    "name", ["anna smith", "анна", "a'; DROP TABLE requests; --", "", "-x", "pg_monitor", "public", "none",
             "a" * 64, 'a"b']
)  # fmt: skip
def test_names_that_cannot_be(shared: Class, name: str) -> None:
    assert "student's name" in refused("add", shared.owner, "--", name)
    assert done("list", shared.owner) == ""


def test_a_role_that_is_not_ours_is_never_touched(room: Class, postgres: Postgres) -> None:
    who = f"somebody_{room.room.database}"
    postgres.run("postgres", f"CREATE ROLE \"{who}\" LOGIN PASSWORD 'own'")
    assert "choose another name" in refused("add", room.owner, who, "--reset")
    assert "choose another name" in refused("add", room.owner, who.upper())
    assert "no student of this class" in refused("remove", room.owner, who)
    assert "choose another name" in refused("add", room.owner, "owner", "--reset")
    psycopg.connect(postgres.url("postgres", user=who, password="own").replace("+psycopg", "")).close()


def test_one_bad_name_adds_nobody(room: Class, postgres: Postgres) -> None:
    refused("add", room.owner, room.name("anna"), "owner")
    assert done("list", room.owner) == ""


def test_who_was_removed_may_come_back(room: Class) -> None:
    room.add("anna")
    old = room.urls["anna"]
    used(room, "anna", tokens=3)
    done("remove", room.owner, room.name("anna"))
    (_, url) = done("add", room.owner, room.name("anna")).split()
    assert url != old
    room.urls["anna"] = url
    used(room, "anna", tokens=4)
    with room.ledger("anna") as ledger:
        assert len(ids(ledger)) == 2


def test_students_may_reach_the_server_by_another_name(room: Class) -> None:
    (_, url) = done("add", room.owner, room.name("anna"), "--host", "db.example.org:6543").split()
    assert url.endswith(f"@db.example.org:6543/{room.room.database}")


@pytest.mark.parametrize("host", ["db:port", "a b", "db/x", "user@db", ":5432"])
def test_an_address_that_is_none(shared: Class, host: str) -> None:
    assert "HOST:PORT" in refused("add", shared.owner, shared.name("anna"), "--host", host)
    assert done("list", shared.owner) == ""


def test_two_classes_of_one_server_do_not_mix(postgres: Postgres) -> None:
    with a_class(postgres, "anna") as first, a_class(postgres, "ben") as second:
        elsewhere = first.urls["anna"].replace("+psycopg", "").rpartition("/")[0] + f"/{second.room.database}"
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(elsewhere)
        assert second.room.members() == [m for m in second.room.members() if m.name == second.name("ben")]
        assert "no student of this class" in refused("remove", second.owner, first.name("anna"))


# --- budgets --------------------------------------------------------------------------------------


def test_budgets_are_set_shown_and_ended(room: Class) -> None:
    room.add("anna", "ben")
    assert "No budget" in done("budget", room.owner)
    told = done(
        "budget", room.owner, "--each", "50k tokens", "--per", "day", "--class", "2M tokens", "--zone", "UTC"
    )
    assert told.splitlines() == [
        "Set: 50,000 tokens a day for each user, days of UTC.",
        "Set: 2,000,000 tokens a day, days of UTC.",
    ]
    used(room, "anna", tokens=1_234)
    used(room, "ben", tokens=60_000)
    assert f"for each user ({room.name('anna')}): 1,234 tokens spent" in done("usage", room.owner)
    shown = done("budget", room.owner)
    assert re.search(
        rf"for each user · {re.escape(room.name('anna'))} · spent 1,234 tokens .*left 48,766", shown
    )
    assert re.search(rf"{re.escape(room.name('ben'))} · .*left 0 tokens · 10,000 tokens over", shown)
    assert re.search(r"2,000,000 tokens a day · spent 61,234 tokens", shown)
    with room.ledger("anna") as anna:
        assert {state.budget.amount for state in anna.budgets()} == {50_000, 2_000_000}
    assert "Ended: 2 budgets" in done("budget", room.owner, "--end")
    assert "No budget" in done("budget", room.owner)


def test_a_new_amount_takes_the_place_of_the_old(room: Class) -> None:
    done("budget", room.owner, "--each", "50k tokens")
    done("budget", room.owner, "--each", "20k tokens")
    shown = done("budget", room.owner)
    assert "20,000" in shown
    assert "50,000" not in shown


def test_a_soft_budget_says_so(room: Class) -> None:
    assert "only warns" in done("budget", room.owner, "--class", "5 USD", "--per", "week", "--soft")
    assert "only warns" in done("budget", room.owner)


@pytest.mark.parametrize(
    ("amount", "says"),
    [("50k", "tokens"), ("tokens", "tokens"), ("-5 USD", "below zero"), ("5 tokens USD", "tokens")],
)
def test_an_amount_that_is_none(shared: Class, amount: str, says: str) -> None:
    assert says in refused("budget", shared.owner, f"--each={amount}")
    assert "No budget" in done("budget", shared.owner)


# --- usage and retention --------------------------------------------------------------------------


def test_usage_by_what_one_asks_for(room: Class) -> None:
    room.add("anna", "ben")
    used(room, "anna", tokens=11, model="doubao-seed-2.0-mini")
    used(room, "ben", tokens=22, model="doubao-seed-2.0-pro")
    by_user = done("usage", room.owner)
    assert room.name("anna") in by_user
    assert room.name("ben") in by_user
    by_model = done("usage", room.owner, "--by", "model", "--since", "today")
    assert "doubao-seed-2.0-mini" in by_model
    assert room.name("anna") not in by_model
    assert "No requests" in done("usage", room.owner, "--since", "2020-01-01..2020-01-02")


def test_a_students_words_do_not_steer_the_teachers_terminal(room: Class) -> None:
    room.add("anna")
    with room.login("anna") as anna:
        anna.execute(
            "INSERT INTO anyfast.requests (id, time_us, kind, source, base_url, model_asked, status) VALUES "
            "('x', (extract(epoch from now()) * 1e6)::bigint, 'chat', 'live', 'b', E'\\x1b[2Jgone\\r', 'ok')"
        )
    told = done("usage", room.owner, "--by", "model")
    assert "gone" in told
    assert "\x1b" not in told


def test_prune_asks_and_then_lets_go(room: Class) -> None:
    room.add("anna")
    old = datetime.now(UTC) - timedelta(days=400)
    used(room, "anna", tokens=3, time=old)
    used(room, "anna", tokens=4)
    shown = run("prune", room.owner, "--older-than", "365d")
    assert shown.returncode == 1
    assert "1 request would go" in shown.stdout
    assert "--yes" in shown.stderr
    assert "\N{REPLACEMENT CHARACTER}" not in shown.stdout  # it is told in lines
    assert "1 request would go" in done("prune", room.owner, "--older-than", "365d", "--dry-run")
    assert "1 request went" in done("prune", room.owner, "--older-than", "365d", "--yes")
    assert room.tell("SELECT input_tokens FROM anyfast.requests") == [(4,)]
    assert "nothing is so old" in done("prune", room.owner, "--before", old.date().isoformat())


def test_a_student_prunes_nothing(room: Class) -> None:
    room.add("anna")
    used(room, "anna", tokens=3, time=datetime.now(UTC) - timedelta(days=400))
    told = refused("prune", room.urls["anna"], "--older-than", "365d", "--yes")
    assert "permission denied" in told
    assert "owner" in told
    assert room.tell("SELECT count(*) FROM anyfast.requests") == [(1,)]


def test_prune_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger(path) as ledger:
        ledger.begin(request_row(time=datetime.now(UTC) - timedelta(days=400)))
        ledger.absorb()
    assert "1 request went" in done("prune", str(path), "--older-than", "365d", "--yes")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "no file" in refused("prune", str(tmp_path / "none.db"), "--older-than", "365d", "--yes")
    assert not (tmp_path / "none.db").exists()


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["add", "remove"])
def test_somebody_has_to_be_named(shared: Class, command: str) -> None:
    assert "no student is named" in refused(command, shared.owner)


def test_the_url_may_come_from_standard_input(room: Class) -> None:
    assert "row-level security" in done("init", "-", by=process, said=f"{room.owner}\n").lower()


def test_without_a_url_it_says_which(room: Class) -> None:
    assert "ANYFAST_LEDGER_ADMIN_URL" in refused("list", by=process)


@pytest.mark.parametrize(
    "url", ["sqlite:///a.db", "mysql://u:owner-of-the-test@h/d", "postgresql://h:owner-of-the-test"]
)
def test_a_url_of_something_else_is_not_repeated(url: str) -> None:
    told = refused("init", url)
    assert "PostgreSQL" in told


def test_a_database_that_is_not_ready_says_what_to_do(postgres_url: str) -> None:
    for words in (["add", postgres_url, "anna"], ["list", postgres_url], ["budget", postgres_url]):
        assert "anyfast-ledger init" in refused(*words)


def test_a_wrong_password_is_told_without_it(room: Class, postgres: Postgres) -> None:
    wrong = postgres.url(room.room.database, password="hunter2secret")
    told = refused("list", wrong)
    assert "hunter2secret" not in told
    assert "password authentication failed" in told


def test_a_student_may_run_no_command_of_the_teacher(room: Class) -> None:
    room.add("anna")
    url = room.urls["anna"]
    assert "permission denied" in refused("init", url)
    done("budget", room.owner, "--each", "5k tokens")
    for words in (
        ["add", url, room.name("ben")], ["remove", url, room.name("anna")], ["list", url],
        ["budget", url, "--end"], ["budget", url, "--class", "1 tokens"],
    ):  # fmt: skip
        assert "not the URL of the class's teacher" in refused(*words)
    assert [member.active for member in room.room.members()] == [True]
    assert "5,000 tokens a day for each user" in done("budget", room.owner)


def test_an_owner_that_is_no_superuser_can_hold_a_class(postgres: Postgres) -> None:
    owner = postgres.database()
    database = owner.rpartition("/")[2]
    who = f"teacher_{database}"
    postgres.run("postgres", f"CREATE ROLE {who} LOGIN CREATEROLE PASSWORD 'teach'")
    postgres.run("postgres", f"ALTER DATABASE {database} OWNER TO {who}")
    url = postgres.url(database, user=who, password="teach")
    try:
        done("init", url)
        name = f"anna.{database}"
        (_, hers) = done("add", url, name).split()
        with Ledger(hers) as ledger:
            ledger.begin(request_row())
            ledger.absorb()
            assert len(ids(ledger)) == 1
        done("budget", url, "--each", "5k tokens")
        assert name in done("usage", url)
        done("remove", url, name)
        assert [member.active for member in Classroom(url).members()] == [False]
    finally:
        postgres.drop(owner)


def test_help_says_it_plainly() -> None:
    told = done("--help", by=process)
    assert "whoever holds the key can spend" in told
    for command in ("init", "add", "remove", "list", "budget", "usage", "prune"):
        assert command in told


def test_usage_speaks_of_its_own_options(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger(path) as ledger:
        ledger.begin(request_row(time=datetime.now(UTC) - timedelta(days=400)))
        with ledger.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO schema_version VALUES (99, 0)")
    ended = run("usage", str(path))
    assert "--since all shows all time" in ended.stdout
    assert "%anyfast" not in ended.stdout
    assert ended.stderr.count("schema 99") == 1
    assert ".py" not in ended.stderr
    assert "in a notebook, `%anyfast prices set" in done("usage", str(path), "--since", "all")
    assert "--zone 'Mars' is no time zone" in refused("usage", str(path), "--zone", "Mars")
    assert "--before 'x' is" in refused("prune", str(path), "--before", "x")
