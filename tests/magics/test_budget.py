"""`%anyfast budget`: set, shown, ended, given back; wrong lines say what is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.lib.pretty import pretty
from sqlalchemy import update

from anyfast_nb.errors import BudgetError, InputError
from anyfast_nb.ledger.disk.tables import BUDGETS
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.ledger.rows import microseconds
from anyfast_nb.magics.budget_verbs import budget
from anyfast_nb.magics.guide import guide
from anyfast_nb.session import Session, session
from anyfast_nb.wire.values import Status
from tests.ledger.budgeting import ask, fill, request_record, reservation_record
from tests.ledger.conftest import request_row
from tests.ledger.test_jobs import job_row
from tests.shells import extended_shell


class Shown(list[str]):
    """Collects what a verb shows, as text; the HTML is as safe as any."""

    def __call__(self, bundle: dict[str, Any]) -> None:
        assert "<script" not in json.dumps(bundle)
        self.append(bundle["text/plain"])

    @property
    def text(self) -> str:
        return "\n".join(self)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def own() -> Iterator[Session]:
    made = Session()
    yield made
    made.gateway.ledger.close()


def test_without_a_budget_it_says_how_one_is_set(own: Session, shown: Shown) -> None:
    budget(own, "", shown)
    assert "No budget is set" in shown.text
    assert '%anyfast budget "5 USD" --per day' in shown.text


@pytest.mark.parametrize(
    "line", ['"200k tokens" --per day', "200k tokens --per=day", "--per day 200k tokens"]
)
def test_a_budget_is_set_and_shown(own: Session, shown: Shown, line: str) -> None:
    budget(own, line, shown)
    assert "Budget: 200,000 tokens a day; a request that might exceed it is not sent." in shown[0]
    with pytest.raises(BudgetError):
        own.gateway.ledger.reserve(ask(tokens=200_001))
    own.gateway.ledger.reserve(ask(tokens=50_000))
    shown.clear()
    budget(own, "", shown)
    heads, _, row = shown.text.splitlines()
    assert heads.split() == [
        "N",
        "budget",
        "per",
        "scope",
        "spent",
        "reserved",
        "left",
        "used",
        "begins",
        "anew",
    ]
    cells = [cell for cell in row.split("  ") if cell]
    assert cells[:5] == ["1", "200,000 tokens", "day", "all", "0 tokens"]
    assert cells[5:8] == ["50,000 tokens", "150,000 tokens", "██░░░░░░░░ 25 %"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert f"{tomorrow} 00:00 (UTC)" in row or f"{tomorrow} 00:00 (Etc/UTC)" in row


def test_a_soft_one_of_money_for_each_notebook(own: Session, shown: Shown) -> None:
    budget(own, '"0.5 CNY" --per week --scope notebook --soft --zone Asia/Shanghai', shown)
    assert "0.5 CNY a week for each notebook; a request that may exceed it warns" in shown.text
    assert "only warns" in shown.text
    assert "(Asia/Shanghai)" in shown.text
    (state,) = own.gateway.ledger.budgets()
    assert state.budget.hard is False


def test_a_hard_one_of_money_says_what_becomes_of_models_without_a_price(own: Session, shown: Shown) -> None:
    budget(own, '"5 USD" --per total', shown)
    assert "A model without a price is refused" in shown.text
    assert "never; since" in shown.text
    shown.clear()
    budget(own, '"7 USD" --per total', shown)
    assert "It takes the place of 5 USD in total." in shown.text
    assert len(own.gateway.ledger.budgets()) == 1


def test_what_is_over_is_shown(own: Session, shown: Shown) -> None:
    budget(own, "100 tokens --per day", shown)
    fill(own.gateway.ledger, requests=[request_record(input_tokens=130), request_record()])
    shown.clear()
    budget(own, "", shown)
    assert "30 tokens over" in shown.text
    assert "██████████ 130 %" in shown.text
    assert "1 request without a figure, in no sum" in shown.text


def test_budgets_are_ended_by_number_or_all(own: Session, shown: Shown) -> None:
    for line in ("100 tokens --per day", "200 tokens --per week", "300 tokens --per total"):
        budget(own, line, shown)
    shown.clear()
    budget(own, "end 2", shown)
    assert "Ended: 200 tokens a week." in shown[0]
    assert "100 tokens" in shown[1]
    with pytest.raises(InputError, match="one of 2 budgets, or all"):
        budget(own, "end", shown)
    with pytest.raises(InputError, match="there are budgets 1 to 2"):
        budget(own, "end 3", shown)
    budget(own, "end all", shown)
    assert own.gateway.ledger.budgets() == []
    with pytest.raises(InputError, match="no budget to end"):
        budget(own, "end all", shown)


def test_the_only_budget_needs_no_number(own: Session, shown: Shown) -> None:
    budget(own, "100 tokens --per day", shown)
    budget(own, "end", shown)
    assert own.gateway.ledger.guarded() is False


def test_what_never_ended_is_listed_and_given_back(own: Session, shown: Shown) -> None:
    budget(own, "1000 tokens --per total", shown)
    budget(own, "5 USD --per day", shown)
    long_ago = {"time_us": microseconds(datetime.now(UTC) - timedelta(minutes=11))}
    held = reservation_record(tokens=400, cost_nano=2 * 10**9, currency="USD") | long_ago
    ended = reservation_record(tokens=50)
    rows = [request_record(id=held["id"]), request_record(id=ended["id"], output_tokens=20)]
    fill(own.gateway.ledger, requests=rows, reservations=[held, ended])
    with own.gateway.ledger.transaction() as connection:  # they began before
        connection.execute(update(BUDGETS).values(created_us=held["time_us"] - 1))
    shown.clear()
    budget(own, "", shown)
    assert "`%anyfast budget release ID`" in shown[1]
    assert held["id"][-8:] in shown[1]
    assert "11 min  chat" in shown[1]
    assert "400 tokens, 2 USD" in shown[1]
    assert ended["id"][-8:] not in shown[1]
    budget(own, f"release {held['id'][-8:]}", shown)
    assert "Released: 400 tokens, 2 USD" in shown.text
    assert [state.reserved for state in own.gateway.ledger.budgets()] == [0, 0]
    with pytest.raises(InputError, match="no request that stands"):
        budget(own, f"release {held['id'][-8:]}", shown)


def test_what_may_still_run_is_not_offered_to_be_given_back(own: Session, shown: Shown) -> None:
    ledger = own.gateway.ledger
    budget(own, "100000 tokens --per total", shown)
    young, stopped, film, doubtful, lost = (reservation_record(tokens=number) for number in range(1, 6))
    here = reservation_record(tokens=6)
    hours_ago = microseconds(datetime.now(UTC) - timedelta(hours=3))
    for old in (film, doubtful):
        old["time_us"] = hours_ago
    lost["time_us"] = microseconds(datetime.now(UTC) - timedelta(days=2))
    here["time_us"] = hours_ago
    running = request_row(id=here["id"])
    ledger.begin(running)
    ledger.absorb()
    rows = [
        request_record(id=young["id"]),
        request_record(id=stopped["id"], status="interrupted"),
        *(request_record(id=one["id"], kind="seedance", status="ok") for one in (film, lost)),
        request_record(id=doubtful["id"], kind="seedance", status="submit_unknown"),
    ]
    fill(ledger, requests=rows, reservations=[young, stopped, film, doubtful, lost, here])
    for one, status in ((film, "running"), (doubtful, "submit_unknown"), (lost, "running")):
        ledger.begin_job(job_row(request_row=one["id"], status=JobStatus(status)))
    with ledger.transaction() as connection:
        connection.execute(update(BUDGETS).values(created_us=lost["time_us"] - 1))
    shown.clear()
    budget(own, "", shown)
    listed = [line.split()[0] for line in shown[1].splitlines()[3:]]
    assert set(listed) == {one["id"][-8:] for one in (stopped, doubtful, lost)}
    for one in (young, film, here):
        with pytest.raises(InputError, match="may still run"):
            budget(own, f"release {one['id'][-8:]}", shown)
    ledger.settle(running.id, status=Status.INTERRUPTED)
    budget(own, f"release {here['id'][-8:]}", shown)
    assert "Released: 6 tokens" in shown.text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("5 --per day", "the unit is missing"),
        ("$5 --per day", '"5 USD"'),
        ('"5 USD"', "--per day, --per week, --per total"),
        ("5 USD --per month", "invalid choice"),
        ("5 USD --per day --scope cell", "invalid choice"),
        ("5 USD --per day --zone Mars/Olympus", "is not known"),
        ("5 USD --perr day", "Did you mean --per?"),
        ("--per day", "belongs to an amount"),
        ("end 1 --soft", "belongs to an amount"),
        ("release", "of which request?"),
        ("endd", "Did you mean `%anyfast budget end`?"),
        ("set 5 USD --per day", "Leave out set"),
        ("5 USD per day", "The period is an option"),
        ("list", "`%anyfast budget` alone shows"),
    ],
)
def test_a_wrong_line_says_what_is_right(own: Session, shown: Shown, line: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        budget(own, line, shown)
    assert says in str(caught.value)
    assert not shown
    assert own.gateway.ledger.budgets() == []


def test_the_guide_shows_every_option() -> None:
    text = guide("budget")
    for word in ("--per", "--scope", "--soft", "--zone", "end", "release", "5 USD"):
        assert word in text


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    with extended_shell() as shell:
        yield shell


def complete(shell: InteractiveShell, text: str) -> list[str]:
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(text, len(text))]


def test_completion(shell: InteractiveShell) -> None:
    assert complete(shell, "%anyfast bud") == ["budget"]
    assert complete(shell, "%anyfast budget e") == ["end"]
    assert complete(shell, '%anyfast budget "5 USD" --pe') == ["--per"]
    assert complete(shell, '%anyfast budget "5 USD" --per ') == ["day", "week", "total"]
    assert complete(shell, '%anyfast budget "5 USD" --per day --scope t') == ["thread"]
    shell.run_line_magic("anyfast", "budget 10 tokens --per day")
    assert complete(shell, "%anyfast budget end ") == ["1", "all"]
    held = reservation_record(tokens=4)
    sent = request_record(id=held["id"], status="interrupted")
    fill(session().gateway.ledger, requests=[sent], reservations=[held])
    assert complete(shell, "%anyfast budget release ") == [held["id"][-8:]]


def test_a_budget_is_shown_in_words(own: Session) -> None:
    made = own.gateway.ledger.set_budget(5 * 10**9, "USD", per="day")
    assert pretty(made) == f"Budget: 5 USD a day (id {made.id})"
