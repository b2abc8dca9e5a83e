"""A class at work: a student's ledger does all that a ledger does, for thirty students at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from anyfast_nb import ledger as room_of_ledgers
from anyfast_nb.errors import BudgetError, ConfigError, LedgerError, NotAllowedError
from anyfast_nb.ledger import JobStatus, Ledger, StoredAsset
from anyfast_nb.ledger.budget.values import Ask, Scope
from anyfast_nb.ledger.classroom.classroom import Classroom
from anyfast_nb.ledger.classroom.roles import group_name
from anyfast_nb.wire.values import Status, Usage
from tests.ledger.classes import Class, a_class, ids, job_row
from tests.ledger.conftest import request_row
from tests.postgres import Postgres


@pytest.fixture
def room(postgres: Postgres) -> Iterator[Class]:
    with a_class(postgres, "anna", "ben") as made:
        yield made


@pytest.fixture
def anna(room: Class, told: list[str]) -> Iterator[Ledger]:
    with room.ledger("anna", warn=told.append) as ledger:
        yield ledger
    assert told == []


def chat(ledger: Ledger, *, tokens: int) -> str:
    row = request_row()
    ledger.begin(row)
    ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=tokens, output_tokens=0))
    return row.id


def test_a_student_sees_their_own_rows_and_the_teacher_all(room: Class, anna: Ledger) -> None:
    chat(anna, tokens=3)
    with room.ledger("ben") as ben:
        chat(ben, tokens=4)
        assert len(ids(ben)) == len(ids(anna)) == 1
    with room.ledger() as teacher:
        assert len(ids(teacher)) == 2
    names = {room.name("anna"), room.name("ben")}
    assert set(room_of_ledgers.by_user(path=room.owner)["user"]) == names
    assert set(room_of_ledgers.by_user(path=room.urls["anna"])["user"]) == {room.name("anna")}


def test_frames_are_read_under_row_level_security_too(room: Class, anna: Ledger) -> None:
    chat(anna, tokens=3)
    with room.ledger("ben") as ben:
        chat(ben, tokens=4)
    for columns in ("narrow", "all"):
        frame = room_of_ledgers.frame(path=room.urls["anna"], columns=columns)
        assert list(frame["input_tokens"]) == [3]


def test_a_students_job_runs_to_its_end(room: Class, anna: Ledger) -> None:
    request = request_row(kind="seedance")
    anna.begin(request)
    job = job_row(request_row=request.id, task_id="t1")
    anna.begin_job(job)
    anna.settle(request.id, status=Status.OK, task_id="t1")
    end = job.updated_at + timedelta(minutes=1)
    done = replace(job, status=JobStatus.SUCCEEDED, tokens=900, video_s=5.0, updated_at=end, finished_at=end)
    anna.update_job(done)
    found = anna.job(job.id)
    assert found is not None
    assert (found.status, found.tokens) == (JobStatus.SUCCEEDED, 900)
    with room.ledger("ben") as ben:
        assert ben.job(job.id) is None
    query = f"SELECT video_s FROM anyfast.requests WHERE id = '{request.id}'"
    assert room.tell(query) == [(5.0,)]


def test_a_students_assets_are_remembered_and_forgotten(room: Class, anna: Ledger) -> None:
    asset = StoredAsset(
        asset_id="asset-1", group_id="g", sha256="0" * 64, asset_type="Image", base_url="https://www.anyfast.ai",
        key_mark="m", name="cat.png", created_at=datetime.now(UTC),
    )  # fmt: skip
    find = {"base_url": asset.base_url, "key_mark": "m", "sha256": asset.sha256, "asset_type": "Image"}
    anna.keep_asset(asset)
    with room.ledger("ben") as ben:
        assert ben.asset(**find) is None
        ben.forget_asset(asset.asset_id)
        ben.absorb()
    found = anna.asset(**find)
    assert found is not None
    assert found.asset_id == "asset-1"
    anna.forget_asset("asset-1")
    assert anna.asset(**find) is None


def test_a_students_own_budget_only_tightens(room: Class, anna: Ledger) -> None:
    with room.ledger() as teacher:
        each = teacher.set_budget(1_000, "tokens", per="day", scope=Scope.USER)
    anna.set_budget(1_000_000, "tokens", per="day")
    with pytest.raises(BudgetError, match="1,000 tokens"):
        anna.reserve(Ask(id="much", tokens=1_001))
    anna.set_budget(10, "tokens", per="day")
    with pytest.raises(BudgetError, match="10 tokens"):
        anna.reserve(Ask(id="more", tokens=11))
    with pytest.raises(NotAllowedError, match="class's"):
        anna.end_budget(each.id)
    with room.ledger("ben") as ben:
        ben.reserve(Ask(id="fits", tokens=1_000))
        assert [state.budget.id for state in ben.budgets()] == [each.id], "anna's own is anna's"


def test_thirty_students_at_once_lose_no_row_and_never_overspend(postgres: Postgres) -> None:
    students = [f"s{number:02}" for number in range(30)]
    amount, each, rows = 2_000, 100, 4
    with a_class(postgres, *students) as room:
        with room.ledger() as teacher:
            teacher.set_budget(amount, "tokens", per="day")
            teacher.set_budget(each, "tokens", per="day", scope=Scope.USER)

        def work(student: str) -> list[str]:
            warned: list[str] = []
            with room.ledger(student, warn=warned.append) as ledger:
                for _ in range(rows):
                    row = request_row()
                    try:
                        ledger.reserve(Ask(id=row.id, tokens=30))
                    except BudgetError:
                        chat(ledger, tokens=0)
                        continue
                    ledger.begin(row, reserved=True)
                    ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=30, output_tokens=0))
                ledger.absorb()
            return warned

        with ThreadPoolExecutor(30) as pool:
            warned = [line for lines in pool.map(work, students) for line in lines]
        assert warned == []
        figures = "user_name, count(*)::int, sum(input_tokens)::int"
        found = room.tell(f"SELECT {figures} FROM anyfast.requests GROUP BY 1 ORDER BY 1")
        assert [(name, count) for name, count, _ in found] == [(room.name(name), rows) for name in students]
        spent = [tokens for _, _, tokens in found]
        assert max(spent) <= each
        # No room for one more of 30 is left: the budget was used as far as it goes.
        assert amount - 30 < sum(spent) <= amount


def test_who_is_removed_loses_also_what_is_open(room: Class) -> None:
    with room.login("anna") as anna:
        anna.execute("SELECT count(*) FROM anyfast.requests")
        room.room.remove([room.name("anna")])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anna.execute("SELECT count(*) FROM anyfast.requests")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anna.execute("SELECT anyfast.put_requests('[]'::jsonb)")


def test_the_passwords_are_in_no_log_and_in_no_repr(room: Class) -> None:
    (member,) = room.room.add([room.name("chen")])
    assert member.url
    assert member.url not in repr(member)
    stored = room.tell(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{member.name}'")
    assert stored[0][0].startswith("SCRAM-SHA-256$")
    assert "owner-of-the-test" not in room.room.place


def test_a_url_that_is_no_postgresql() -> None:
    with pytest.raises(ConfigError, match="PostgreSQL"):
        Classroom("sqlite:///secret.db")


def test_a_class_that_is_not_there(room: Class) -> None:
    with pytest.raises(LedgerError) as caught:
        Classroom(room.owner.replace(room.room.database, "nowhere")).members()
    assert "does not exist" in caught.value.message
    assert "owner-of-the-test" not in str(caught.value)


def test_long_names_of_databases_make_different_groups() -> None:
    first, second = group_name("d" * 62 + "1"), group_name("d" * 62 + "2")
    assert first != second
    assert len(first) <= 63


def test_a_place_shows_no_option_that_may_be_a_secret() -> None:
    room = Classroom(
        "postgresql://anna:one@/class?host=h.cn&port=5433&sslpassword=two&options=-c%20x%3Dthree"
    )
    assert room.place == "postgresql+psycopg://anna:***@/class?host=h.cn&port=5433"
