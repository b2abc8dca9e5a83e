"""Thirty callers at once against one hard budget: never a unit over, and used up in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anyfast_nb.ledger import Ledger
from tests.ledger.spender import __file__ as spender
from tests.ledger.spender import spend

WORST = 100
AMOUNT = 6_000
CALLERS = 30
PROCESSES = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite3")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def budgeted(place: str) -> str:
    with Ledger(place, warn=pytest.fail) as ledger:
        ledger.set_budget(AMOUNT, "tokens", per="total")
    return place


def check(place: str, used: int) -> None:
    with Ledger(place, warn=pytest.fail) as ledger:
        (state,) = ledger.budgets()
    assert state.spent == used
    assert state.reserved == 0
    assert AMOUNT - WORST < used <= AMOUNT, "over the amount, or not used as far as it goes"


def test_threads_over_one_ledger_never_overspend(budgeted: str) -> None:
    with Ledger(budgeted, warn=pytest.fail) as ledger:
        used, refused = spend(ledger, callers=CALLERS, worst=WORST, seed=7)
    assert refused >= CALLERS
    check(budgeted, used)


def test_processes_with_ledgers_of_their_own_never_overspend(budgeted: str) -> None:
    command = [sys.executable, spender, budgeted, str(CALLERS // PROCESSES), str(WORST)]
    started = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in range(PROCESSES)
    ]
    told = [process.communicate() for process in started]
    assert [said for _, said in told if said] == []
    check(budgeted, sum(int(out.split()[0]) for out, _ in told))


def test_callers_that_reserve_nothing_overspend(budgeted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race is real: where nothing is kept for them, the same callers go over."""
    from anyfast_nb.ledger.budget import table as budget_table

    with Ledger(budgeted, warn=pytest.fail) as ledger:
        if ledger.dialect == "postgresql":
            with ledger.transaction() as connection:
                (body,) = connection.exec_driver_sql(
                    "SELECT pg_get_functiondef('anyfast.reserve'::regproc)"
                ).one()
                connection.exec_driver_sql(body.replace("IF v_fits THEN", "IF false THEN"))
        else:
            monkeypatch.setattr(budget_table, "fits", lambda ask, states: False)
        used, _ = spend(ledger, callers=CALLERS, worst=WORST, seed=7)
    assert used > AMOUNT
