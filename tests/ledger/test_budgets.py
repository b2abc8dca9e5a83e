"""Budgets, on SQLite and on a real PostgreSQL: set, asked, ended; what counts and what a person is told."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anyfast_nb.errors import Billed, BudgetError, InputError
from anyfast_nb.ledger import Ledger, budgets, end_budget, set_budget
from anyfast_nb.ledger.budget.functions import NEVER_SENT_S
from anyfast_nb.ledger.budget.values import Ask, BudgetState, amount_text, parse_amount
from anyfast_nb.ledger.prices.book import set_line
from anyfast_nb.ledger.prices.table import Cost
from anyfast_nb.ledger.rows import microseconds
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.budgeting import ask, fill, noon_zone, request_record, reservation_record
from tests.ledger.conftest import request_row


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite3")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    with Ledger(place, warn=pytest.fail) as opened:
        yield opened


@pytest.fixture
def zone() -> str:
    return noon_zone(datetime.now(UTC))


def only(ledger: Ledger, **asker: str) -> BudgetState:
    (state,) = ledger.budgets(**asker)  # type: ignore[arg-type]
    return state


def refused(ledger: Ledger, asked: Ask) -> BudgetError:
    with pytest.raises(BudgetError) as caught:
        ledger.reserve(asked)
    assert caught.value.sent is False
    assert len(caught.value.lines()) <= 3
    return caught.value


# --- amounts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("5 USD", 5 * 10**9, "USD"),
        ("0.20 CNY", 200_000_000, "CNY"),
        ("0.000000001 usd", 1, "USD"),
        ("200k tokens", 200_000, "tokens"),
        ("1.5M tokens", 1_500_000, "tokens"),
        ("1,250,000 Tokens", 1_250_000, "tokens"),
        ("200ktokens", 200_000, "tokens"),
        ("1 token", 1, "tokens"),
        ("0 USD", 0, "USD"),
        ("2k USD", 2000 * 10**9, "USD"),
        ("5MXN", 5 * 10**9, "MXN"),
        ("5 KRW", 5 * 10**9, "KRW"),
    ],
)
def test_amounts_are_exact(text: str, amount: int, unit: str) -> None:
    assert parse_amount(text) == (amount, unit)
    assert parse_amount(amount_text(amount, unit)) == (amount, unit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5", '"5 USD" or as "200k tokens"'),
        ("200k", "the unit is missing"),
        ("¥5", 'Write "5 CNY"'),
        ("5 $", 'Write "5 USD"'),
        ("5 dollars", "neither tokens nor a currency"),
        ("1.5m tokens", "no amount"),
        ("0,20 CNY", "no amount"),
        ("0.5 tokens", "a token is not divided"),
        ("0.0000000001 USD", "nine decimals"),
        ("-5 USD", "below zero"),
        ("5美元", 'Write "5 USD"'),
        ("五美元", 'Write "5 USD"'),
        ("99999999999 USD", "more than can be counted"),
        ("", "no amount"),
        ("tokens", "no amount"),
        ("1e3 tokens", "no amount"),
    ],
)
def test_an_amount_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_amount(text)
    assert says in str(caught.value)
    assert caught.value.field == "amount"


def test_a_number_without_a_unit_is_no_amount() -> None:
    with pytest.raises(InputError, match="its unit is missing"):
        parse_amount(5)  # type: ignore[arg-type]


# --- reserve, send, settle ----------------------------------------------------------------


def test_a_request_takes_its_reservations_place(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    row = request_row()
    reserved = ledger.reserve(ask(id=row.id, tokens=600))
    assert (list(reserved), reserved.stands) == ([], True)
    assert (only(ledger).spent, only(ledger).reserved, only(ledger).left) == (0, 600, 400)

    ledger.begin(row, reserved=True)
    assert only(ledger).reserved == 600
    ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=100, output_tokens=20))
    assert (only(ledger).spent, only(ledger).reserved, only(ledger).left) == (120, 0, 880)


def test_the_amount_itself_fits_and_one_more_does_not(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    error = refused(ledger, ask(tokens=1001, fix="--max-tokens N"))
    assert only(ledger).reserved == 0
    assert "The budget of 1,000 tokens a day has 1,000 tokens left" in error.message
    assert "a chat with pro may take up to 1,001 tokens" in error.message
    assert "--max-tokens N" in error.hint
    assert f"{only(ledger).anew}" in error.hint
    assert zone in error.hint
    who = "the owner of the ledger set it" if ledger.shared else "`%anyfast budget end N` ends it"
    assert who in error.hint
    ledger.reserve(ask(tokens=1000))
    assert only(ledger).left == 0


def test_more_than_was_reserved_counts_and_the_next_is_refused(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    row = request_row()
    ledger.reserve(ask(id=row.id, tokens=1000))
    ledger.begin(row, reserved=True)
    ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=900, output_tokens=350))
    assert (only(ledger).spent, only(ledger).left, only(ledger).excess) == (1250, -250, 250)
    error = refused(ledger, ask(tokens=0))
    assert "is used up, 250 tokens more than it" in error.message
    assert "1,250 tokens were used" in error.hint


def test_what_may_have_been_sent_stands_and_what_was_not_expires(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    now = datetime.now(UTC)
    long_ago = {"time_us": microseconds(now - timedelta(hours=1)), "expires_us": microseconds(now) - 1}
    sent, never = reservation_record(tokens=300, **long_ago), reservation_record(tokens=500, **long_ago)
    fill(ledger, requests=[request_record(id=sent["id"])], reservations=[sent, never])
    assert only(ledger).reserved == 300
    assert [one.tokens for one in ledger.unsettled(since=now - timedelta(days=1))] == [300]


def test_a_reservation_lives_so_long_when_nothing_is_sent(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    asked = ask(tokens=300)
    ledger.reserve(asked)
    with ledger.transaction() as connection:
        from anyfast_nb.ledger.disk.tables import RESERVATIONS

        ((begins, ends),) = connection.execute(
            RESERVATIONS.select().with_only_columns(RESERVATIONS.c.time_us, RESERVATIONS.c.expires_us)
        )
    assert ends - begins == NEVER_SENT_S * 10**6


def test_what_was_not_sent_is_given_back(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    asked = ask(tokens=1000)
    ledger.reserve(asked)
    assert ledger.release(asked.id) is True
    assert only(ledger).left == 1000
    assert ledger.release(asked.id) is False
    assert ledger.release("nothing") is False


def test_what_was_sent_is_given_back_by_a_person_alone(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    row = request_row()
    ledger.reserve(ask(id=row.id, tokens=1000))
    ledger.begin(row, reserved=True)
    assert ledger.release(row.id) is False
    assert only(ledger).reserved == 1000
    assert ledger.release(row.id, sent=True) is True
    assert only(ledger).left == 1000
    ledger.settle(row.id, status=Status.OK, usage=Usage(output_tokens=70))
    assert only(ledger).spent == 70  # it was used after all


@pytest.mark.parametrize(("billed", "reserved"), [(Billed.NO, 0), (Billed.MAYBE, 400), (None, 400)])
def test_what_is_known_not_to_be_billed_counts_nothing(
    ledger: Ledger, zone: str, billed: Billed | None, reserved: int
) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    held = reservation_record(tokens=400)
    words = {"status": "error", "billed": None if billed is None else billed.value}
    fill(ledger, requests=[request_record(id=held["id"], **words)], reservations=[held])
    assert only(ledger).reserved == reserved


@pytest.mark.parametrize("source", ["simulated", "replayed"])
def test_simulated_and_replayed_requests_never_count(ledger: Ledger, zone: str, source: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    held = reservation_record(tokens=400)
    rows = [request_record(source=source, input_tokens=900), request_record(id=held["id"], source=source)]
    fill(ledger, requests=rows, reservations=[held])
    assert only(ledger).left == 1000


def test_requests_without_a_figure_are_counted_and_uploads_are_not(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(5 * 10**9, "USD", per="day", zone=zone)
    rows = [
        request_record(status="ok", input_tokens=5, cost_nano=7, currency="USD"),
        request_record(status="ok", input_tokens=5),
        request_record(status="ok", input_tokens=5, cost_nano=7, currency="CNY"),
        request_record(status="error", billed="no"),
        request_record(kind="asset", status="ok"),
    ]
    fill(ledger, requests=rows)
    assert (only(ledger).spent, only(ledger).unknown) == (7, 2)


# --- what is refused for want of a figure -------------------------------------------------


def test_without_a_bound_a_hard_budget_says_what_gives_one(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    error = refused(ledger, ask(fix="--max-tokens N"))
    assert "Nobody can say how much a chat with pro takes at most" in error.message
    assert "--max-tokens N" in error.hint


def test_without_a_price_a_money_budget_prints_the_line_that_sets_it(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(5 * 10**9, "CNY", per="day", zone=zone)
    asked = ask(tokens=500, fix="--max-tokens N", price_line=set_line("pro", "chat"))
    error = refused(ledger, asked)
    assert "No price in CNY is known for a chat with pro" in error.message
    assert error.hint.endswith("%anyfast prices set doubao-seed-2.0-pro input=… output=… currency=CNY")


def test_no_exchange_rate_is_assumed(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(5 * 10**9, "USD", per="day", zone=zone)
    error = refused(ledger, ask(tokens=5, cost=Cost(1, "CNY", "p1")))
    assert "no exchange rate is assumed" in error.message
    assert "CNY" in error.message


def test_money_is_counted_to_the_billionth(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(*parse_amount("0.3 USD"), per="day", zone=zone)
    for _ in range(3):
        ledger.reserve(ask(usd="100000000"))
    assert only(ledger).left == 0
    assert "0.3 USD reserved" in refused(ledger, ask(usd="1")).hint


# --- soft -----------------------------------------------------------------------------------


def test_a_soft_budget_warns_and_lets_it_pass(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", hard=False, zone=zone)
    assert ledger.reserve(ask(tokens=900)) == []
    (line,) = ledger.reserve(ask(tokens=101))
    assert "A chat with pro may take up to 101 tokens" in line
    assert "100 tokens left" in line
    (line,) = ledger.reserve(ask(tokens=5))
    assert "is used up, 1 token more than it" in line
    assert only(ledger).reserved == 1006
    assert len(ledger.reserve(ask())) == 1  # used up; what this one takes nobody knows


def test_all_budgets_must_have_room(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="week", zone=zone)
    ledger.set_budget(5 * 10**9, "USD", per="day", zone=zone)
    ledger.set_budget(100, "tokens", per="day", hard=False, zone=zone)
    assert "1,000 tokens a week" in refused(ledger, ask(tokens=1001, usd="1")).message
    assert "5 USD a day" in refused(ledger, ask(tokens=1, usd="5000000001")).message
    assert "No price in USD" in refused(ledger, ask(tokens=1)).message
    assert [state.reserved for state in ledger.budgets()] == [0, 0, 0]
    assert len(ledger.reserve(ask(tokens=200, usd="1"))) == 1
    assert [state.reserved for state in ledger.budgets()] == [200, 1, 200]


# --- scopes ---------------------------------------------------------------------------------


def test_each_user_has_the_amount(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", scope="user", zone=zone)
    ledger.reserve(ask(tokens=900, user="ada"))
    ledger.reserve(ask(tokens=800, user="bob"))
    assert "for ada" in refused(ledger, ask(tokens=200, user="ada")).message
    assert {state.name: state.reserved for state in ledger.budgets(everyone=True)} == {"ada": 900, "bob": 800}
    assert only(ledger, user="bob").left == 200


def test_each_notebook_and_each_thread_has_the_amount(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", scope="notebook", zone=zone)
    ledger.set_budget(500, "tokens", per="day", scope="thread", zone=zone)
    ledger.reserve(ask(tokens=400, notebook="a.ipynb", thread="story"))
    ledger.reserve(ask(tokens=400, notebook="b.ipynb", thread="story"))
    assert "for thread story" in refused(ledger, ask(tokens=101, notebook="a.ipynb", thread="story")).message
    ledger.reserve(ask(tokens=500, notebook="a.ipynb"))  # outside of threads
    assert "for a.ipynb" in refused(ledger, ask(tokens=101, notebook="a.ipynb", thread="other")).message
    ledger.reserve(ask(tokens=1000))  # unknown notebooks have one amount together
    assert "an unknown notebook" in refused(ledger, ask(tokens=1)).message
    names = {state.name for state in ledger.budgets()}
    assert names == {"a.ipynb", "b.ipynb", "(unknown notebook)", "story in a.ipynb", "story in b.ipynb"}


def test_a_budget_of_ones_own_binds_nobody_else(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone, user="ada")
    assert ledger.reserve(ask(tokens=5000, user="bob")).stands is False
    assert "of ada" in refused(ledger, ask(tokens=5000, user="ada")).message


# --- set, replaced, ended -------------------------------------------------------------------


def test_a_new_amount_takes_the_old_ones_place_and_goes_on_counting(ledger: Ledger) -> None:
    old = ledger.set_budget(1000, "tokens", per="total")
    ledger.reserve(ask(tokens=900))
    new = ledger.set_budget(2000, "tokens", per="total")
    assert new.id != old.id
    assert only(ledger).budget == new
    assert (only(ledger).reserved, only(ledger).begins, only(ledger).ends) == (900, old.created_at, None)


def test_a_total_counts_from_when_it_was_set(ledger: Ledger) -> None:
    before = microseconds(datetime.now(UTC)) - 1_000_000
    fill(ledger, requests=[request_record(time_us=before, input_tokens=900)])
    ledger.set_budget(1000, "tokens", per="total")
    assert only(ledger).left == 1000


def test_an_ended_budget_holds_no_more(ledger: Ledger, zone: str) -> None:
    made = ledger.set_budget(1, "tokens", per="day", zone=zone)
    refused(ledger, ask(tokens=2))
    ledger.end_budget(made.id)
    assert ledger.budgets() == []
    assert ledger.reserve(ask(tokens=2)).stands is False
    with pytest.raises(InputError, match="no budget"):
        ledger.end_budget(made.id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"per": "month"}, "per"),
        ({"scope": "cell"}, "scope"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"unit": "dollars"}, "unit"),
        ({"amount": -1}, "amount"),
        ({"amount": 1.5}, "amount"),
    ],
)
def test_what_cannot_be_a_budget_is_refused(ledger: Ledger, changes: dict[str, object], field: str) -> None:
    values = {"amount": 5, "unit": "tokens", "per": "day"} | changes
    with pytest.raises(InputError) as caught:
        ledger.set_budget(values.pop("amount"), values.pop("unit"), **values)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert ledger.budgets() == []


# --- is there a budget at all? ----------------------------------------------------------------


def test_another_kernels_budget_is_seen_at_once(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite3"
    with Ledger(place, warn=pytest.fail) as mine, Ledger(place, warn=pytest.fail) as other:
        assert mine.guarded() is False
        assert not place.exists()
        mine.begin(request_row())
        mine.absorb()
        assert mine.guarded() is False
        made = other.set_budget(5, "tokens", per="day")
        assert mine.guarded() is True
        other.end_budget(made.id)
        assert mine.guarded() is False


def test_asking_whether_there_is_a_budget_loads_no_sqlalchemy(tmp_path: Path) -> None:
    import subprocess
    import sys

    place = tmp_path / "ledger.sqlite3"
    with Ledger(place, warn=pytest.fail) as ledger:
        ledger.set_budget(5, "tokens", per="day")
    code = (
        "import sys; from anyfast_nb.ledger import Ledger\n"
        f"print(Ledger({str(place)!r}).guarded(), 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_a_broken_ledger_with_a_hard_budget_sends_nothing(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite3"
    with Ledger(place) as ledger:
        ledger.set_budget(5, "tokens", per="day")
    (mark,) = tmp_path.glob("*.hard-budget")
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    place.unlink()
    place.mkdir()
    told: list[str] = []
    with Ledger(place, warn=told.append) as broken:
        assert broken.guarded() is True
        assert "cannot be checked, so nothing was sent" in refused(broken, ask(tokens=1)).message


def test_a_server_that_is_away_stops_nobody_who_never_saw_a_hard_budget(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "postgresql+psycopg://ada:geheim@127.0.0.1:9/ledger"
    told: list[str] = []
    with Ledger(url, warn=told.append) as away:
        assert away.guarded() is True
        assert away.reserve(ask(tokens=1)).stands is False
        assert away.reserve(ask(tokens=1)).stands is False
        about = [text for text in told if "cannot be asked for budgets" in text]
        assert len(about) == 1
        assert "geheim" not in repr(told)
        away._remember(True)
        assert "geheim" not in str(refused(away, ask(tokens=1)))


def test_a_hard_budget_of_a_server_is_remembered_until_there_is_none(postgres_url: str) -> None:
    with Ledger(postgres_url, warn=pytest.fail) as owner:
        owner.reserve(ask(tokens=1))
        assert not owner._hint.exists()
        made = owner.set_budget(5, "tokens", per="day")
        owner._hint.unlink()
        owner.reserve(ask(tokens=1))  # another home sees it with its first request
        assert owner._hint.exists()
        owner.end_budget(made.id)
        assert not owner._hint.exists()


# --- from Python ------------------------------------------------------------------------------


def test_budgets_as_a_frame(place: str, zone: str) -> None:
    made = set_budget("0.5 USD", per="day", zone=zone, path=place)
    set_budget("200k tokens", per="total", hard=False, path=place)
    with Ledger(place, warn=pytest.fail) as ledger:
        fill(ledger, requests=[request_record(cost_nano=125_000_000, currency="USD", input_tokens=1000)])
    frame = budgets(path=place)
    assert frame["left"].tolist() == [0.375, 199_000.0]
    assert frame["unit"].tolist() == ["USD", "tokens"]
    assert frame["hard"].tolist() == [True, False]
    assert frame["ends"].isna().tolist() == [False, True]
    end_budget(made, path=place)
    assert len(budgets(path=place)) == 1


def test_a_frame_without_budgets_has_its_columns(tmp_path: Path) -> None:
    frame = budgets(path=tmp_path / "ledger.sqlite3")
    assert frame.empty
    assert str(frame["begins"].dtype) == "datetime64[us, UTC]"
    assert {"spent", "reserved", "left", "excess", "unknown"} <= set(frame.columns)


def test_source_of_a_request_may_be_known_only_at_its_end(ledger: Ledger, zone: str) -> None:
    ledger.set_budget(1000, "tokens", per="day", zone=zone)
    row = request_row()
    ledger.reserve(ask(id=row.id, tokens=100))
    ledger.begin(row, reserved=True)
    ledger.settle(row.id, status=Status.OK, source=Source.SIMULATED, usage=Usage(output_tokens=50))
    assert only(ledger).left == 1000


# --- what a lost file does not end --------------------------------------------------------


def damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


@pytest.mark.parametrize("lose", [damage, Path.unlink])
def test_a_hard_budget_does_not_end_with_the_file_that_knew_it(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path, told = tmp_path / "ledger.sqlite3", list[str]()
    with Ledger(path) as before:
        before.set_budget(100, "tokens", per="total")
    lose(path)

    with Ledger(path, warn=told.append) as ledger:
        assert ledger.guarded()
        error = refused(ledger, ask(tokens=10))
        assert "knows it no more" in error.message
        (mark,) = tmp_path.glob("*.hard-budget")
        assert str(mark) in error.hint
        assert "%anyfast budget" in error.hint
        made = ledger.set_budget(100, "tokens", per="total")  # the one way out
        assert ledger.reserve(ask(tokens=10)).stands
        ledger.end_budget(made.id)
        assert not ledger.guarded()

        lose_mark = Ledger(path)
        lose_mark.set_budget(5, "tokens", per="day", hard=True)
        lose_mark.close()
        path.unlink()
        mark.unlink()  # the other
        assert not ledger.guarded()
        assert not ledger.reserve(ask(tokens=10)).stands
    assert all("was damaged" in line for line in told)


def test_a_soft_budget_may_go_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger(path) as ledger:
        ledger.set_budget(100, "tokens", per="total", hard=False)
        path.unlink()
        assert not ledger.guarded()
        assert not ledger.reserve(ask(tokens=1000)).stands
