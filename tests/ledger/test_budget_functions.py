"""The functions of a PostgreSQL ledger, called by roles that have no right to any table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from anyfast_nb.errors import BudgetError, NotAllowedError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.budget.functions import SIGNATURES
from anyfast_nb.ledger.rows import microseconds
from tests.ledger.budgeting import ask, fill, noon_zone, request_record, reservation_record
from tests.postgres import Postgres

STUDENTS = ("budget_ada", "budget_bob")
PASSWORD = "of a student"


@pytest.fixture
def zone() -> str:
    return noon_zone(datetime.now(UTC))


@pytest.fixture
def owner(postgres_url: str) -> Iterator[Ledger]:
    with Ledger(postgres_url, warn=pytest.fail) as ledger:
        ledger.open()
        yield ledger


@pytest.fixture
def student(postgres: Postgres, owner: Ledger) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a role that may call the functions, and look at the version."""
    database = owner.place.rpartition("/")[2]
    for name in STUDENTS:
        postgres.run(
            database,
            f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'",
            f"GRANT USAGE ON SCHEMA anyfast TO {name}",
            f"GRANT SELECT ON anyfast.schema_version TO {name}",
            *(f"GRANT EXECUTE ON FUNCTION anyfast.{one} TO {name}" for one in SIGNATURES),
        )
    yield lambda name: postgres.url(database, user=name, password=PASSWORD)
    for name in STUDENTS:
        postgres.run(database, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def as_student(url: str, query: str, *values: Any) -> Any:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        (found,) = connection.execute(query, values).fetchone()  # type: ignore[arg-type, misc]
        return found


def test_a_student_reserves_and_sees_sums_without_any_right_to_rows(
    owner: Ledger, student: Callable[[str], str], zone: str
) -> None:
    owner.set_budget(1000, "tokens", per="day", zone=zone)
    owner.set_budget(600, "tokens", per="day", scope="user", zone=zone)
    with Ledger(student("budget_ada"), warn=pytest.fail) as ada:
        assert ada.reserve(ask(tokens=500)).stands
        assert [state.left for state in ada.budgets()] == [500, 100]
    with Ledger(student("budget_bob"), warn=pytest.fail) as bob:
        states = bob.budgets(everyone=True)  # is told no more than oneself
        assert [(state.name, state.reserved) for state in states] == [("", 500), ("budget_bob", 0)]
        with pytest.raises(BudgetError, match="1,000 tokens a day has 500 tokens left"):
            bob.reserve(ask(tokens=501))
    for table in ("budgets", "reservations", "requests"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_student(student("budget_bob"), f"SELECT count(*) FROM anyfast.{table}")
    for inner in (
        "states_of('budget_ada', NULL, NULL, true, true, true, 0)",
        "window_of('day', 'UTC', 0, now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_student(student("budget_bob"), f"SELECT anyfast.{inner}::text")
    everyone = {state.name: state.reserved for state in owner.budgets(everyone=True)}
    assert everyone == {"": 500, "budget_ada": 500}


def test_a_student_asks_in_nobody_elses_name(owner: Ledger, student: Callable[[str], str], zone: str) -> None:
    owner.set_budget(600, "tokens", per="day", scope="user", zone=zone)
    with Ledger(student("budget_bob"), warn=pytest.fail) as bob:
        bob.reserve(ask(tokens=500, user="budget_ada"))
        made = bob.set_budget(10, "tokens", per="day", user="budget_ada", zone=zone)
        assert made.user == "budget_bob"
    states = {(state.user, state.budget.user): state.reserved for state in owner.budgets(everyone=True)}
    assert states[("budget_bob", None)] == 500
    assert ("budget_ada", None) not in states


def test_a_students_own_budget_only_tightens(owner: Ledger, student: Callable[[str], str], zone: str) -> None:
    class_budget = owner.set_budget(1000, "tokens", per="day", zone=zone)
    with Ledger(student("budget_ada"), warn=pytest.fail) as ada:
        ada.set_budget(10**9, "tokens", per="day", zone=zone)  # of the same kind: it replaces nothing
        with pytest.raises(BudgetError, match="1,000 tokens a day") as refused:
            ada.reserve(ask(tokens=1001))
        assert "the owner of the ledger set it" in refused.value.hint
        assert "end N" not in refused.value.hint
        own = ada.set_budget(5, "tokens", per="day", zone=zone)
        with pytest.raises(BudgetError, match="5 tokens a day of budget_ada") as own_one:
            ada.reserve(ask(tokens=6))
        assert "`%anyfast budget end N` ends it" in own_one.value.hint
        with pytest.raises(NotAllowedError, match="the class's"):
            ada.end_budget(class_budget.id)
        ada.end_budget(own.id)
        assert ada.reserve(ask(tokens=1000)).stands


def test_a_student_gives_back_only_what_was_never_sent(
    owner: Ledger, student: Callable[[str], str], zone: str
) -> None:
    owner.set_budget(1000, "tokens", per="day", zone=zone)
    sent = reservation_record(tokens=100, user_name="budget_ada")
    never = reservation_record(tokens=200, user_name="budget_ada")
    others = reservation_record(tokens=300, user_name="budget_bob")
    fill(
        owner,
        requests=[request_record(id=sent["id"], user_name="budget_ada")],
        reservations=[sent, never, others],
    )
    with Ledger(student("budget_ada"), warn=pytest.fail) as ada:
        since = datetime.now(UTC) - timedelta(days=1)
        assert [one.id for one in ada.unsettled(since=since)] == [sent["id"]]
        assert ada.release(never["id"]) is True
        assert ada.release(others["id"]) is False
        assert ada.release(sent["id"]) is False
        with pytest.raises(NotAllowedError, match="its reservation stands"):
            ada.release(sent["id"], sent=True)
    assert owner.release(sent["id"], sent=True) is True
    assert [state.reserved for state in owner.budgets()] == [300]


def test_the_servers_clock_counts(owner: Ledger, student: Callable[[str], str], zone: str) -> None:
    owner.set_budget(1000, "tokens", per="day", zone=zone)
    with Ledger(student("budget_ada"), warn=pytest.fail) as ada:
        ada._wall = lambda: datetime(2031, 1, 1, tzinfo=UTC)
        asked = ask(tokens=700)
        ada.reserve(asked)
        # A request that says it was sent long ago counts when its room was reserved.
        long_ago = microseconds(datetime(2020, 1, 1, tzinfo=UTC))
        row = request_record(id=asked.id, time_us=long_ago, user_name="budget_ada", input_tokens=650)
        fill(owner, requests=[row])
        (state,) = ada.budgets()
        assert (state.spent, state.reserved) == (650, 0)
        with pytest.raises(BudgetError):
            ada.reserve(ask(tokens=400))


@pytest.mark.parametrize(
    "wish",
    [
        {"tokens": 1},
        {"id": "", "tokens": 1},
        {"id": "a", "tokens": -1},
        {"id": "a", "tokens": 1, "cost_nano": -1, "currency": "USD"},
    ],
)
def test_nothing_below_zero_is_reserved(
    owner: Ledger, student: Callable[[str], str], wish: dict[str, Any]
) -> None:
    owner.set_budget(1000, "tokens", per="day")
    with pytest.raises(psycopg.errors.RaiseException):
        as_student(student("budget_ada"), "SELECT anyfast.reserve(%s::jsonb)", json.dumps(wish))


@pytest.mark.parametrize(
    "changes",
    [
        {"per": "month"},
        {"scope": "cell"},
        {"unit": "usd"},
        {"amount": -1},
        {"zone": "Mars/Olympus"},
        {"hard": 2},
    ],
)
def test_what_is_no_budget_is_not_set(
    owner: Ledger, student: Callable[[str], str], changes: dict[str, Any]
) -> None:
    wish = {"id": "b", "amount": 5, "unit": "tokens", "per": "day", "scope": "all", "hard": 1, "zone": "UTC"}
    with pytest.raises(psycopg.Error):
        as_student(student("budget_ada"), "SELECT anyfast.set_budget(%s::jsonb)", json.dumps(wish | changes))
    assert owner.budgets(everyone=True) == []


def test_reserve_refuses_a_transaction_that_does_not_see_the_others(
    owner: Ledger, student: Callable[[str], str]
) -> None:
    owner.set_budget(1000, "tokens", per="day")
    url = student("budget_ada").replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"):
            connection.execute('SELECT anyfast.reserve(\'{"id": "a", "tokens": 1}\')')
