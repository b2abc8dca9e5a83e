"""What a budget counts and refuses, against a model in plain Python, on random histories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anyfast_nb.errors import BudgetError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.tables import RESERVATIONS
from anyfast_nb.ledger.prices.table import Cost
from anyfast_nb.ledger.rows import microseconds
from tests.ledger.budgeting import ask, empty, fill, noon_zone, request_record, reservation_record

UNITS = ["tokens", "USD"]
HOUR = 3_600_000_000
NAMES = ("amount", "unit", "per", "scope", "hard", "user")

users = st.sampled_from([None, "ada", "bob"])
notebooks = st.sampled_from([None, "a.ipynb"])
threads = st.sampled_from([None, "t"])
figures = st.none() | st.integers(0, 40)
# Whole hours and a half: no row is near the midnight of a zone where it is about noon.
hours_ago = st.sampled_from([0, 1, 11, 13, 24 * 2, 24 * 5, 24 * 9])

budget_values = st.fixed_dictionaries(
    {
        "amount": st.integers(0, 150),
        "unit": st.sampled_from(UNITS),
        "per": st.sampled_from(["day", "week", "total"]),
        "scope": st.sampled_from(["all", "user", "notebook", "thread"]),
        "hard": st.booleans(),
        "user": st.sampled_from([None, None, "ada"]),
    }
)
money = st.fixed_dictionaries({"cost_nano": figures, "currency": st.sampled_from(["USD", "USD", "CNY"])}).map(
    lambda one: one if one["cost_nano"] is not None else {"cost_nano": None, "currency": None}
)
places = st.fixed_dictionaries({"user_name": users, "notebook": notebooks, "thread": threads})
requests = st.fixed_dictionaries(
    {
        "hours": hours_ago,
        "source": st.sampled_from(["live", "live", "live", "simulated"]),
        "kind": st.sampled_from(["chat", "chat", "asset"]),
        "billed": st.sampled_from([None, "no", "maybe", "yes"]),
        "input_tokens": figures,
        "output_tokens": figures,
        "place": places,
        "money": money,
    }
)
reservations = st.fixed_dictionaries(
    {
        "hours": hours_ago,
        "place": places,
        "money": money,
        "tokens": figures,
        "expired": st.booleans(),
        "released": st.booleans(),
    }
)
# Of each: a request alone, a reservation alone, or both.
histories = st.lists(
    st.tuples(requests, st.none()) | st.tuples(st.none(), reservations) | st.tuples(requests, reservations),
    max_size=8,
)
asks = st.fixed_dictionaries(
    {
        "user": users,
        "notebook": notebooks,
        "thread": threads,
        "tokens": figures,
        "cost": st.none()
        | st.builds(Cost, st.integers(0, 40), st.sampled_from(["USD", "CNY"]), st.just("p")),
    }
)


# --- the model --------------------------------------------------------------------------------


def figure(row: dict[str, Any], unit: str) -> int | None:
    """What a request used."""
    if unit == "tokens":
        known = [row[name] for name in ("input_tokens", "output_tokens") if row[name] is not None]
        return sum(known) if known else None
    return row["cost_nano"] if row["currency"] == unit else None


def counted(
    budget: dict[str, Any], asker: dict[str, Any], rows: list[tuple[Any, Any]], *, begins_us: int, now_us: int
) -> tuple[int, int, int]:
    """Spent, reserved, and requests of which neither is known."""
    spent = reserved = unknown = 0
    for request, held in rows:
        one = held or request
        if one["time_us"] < begins_us or not in_scope(budget, asker, one):
            continue
        if request and (request["source"] != "live" or (request["kind"] == "asset" and not held)):
            continue
        own = figure(request, budget["unit"]) if request else None
        if own is not None:
            spent += own
        elif request and request["billed"] == "no":
            continue
        elif not held:
            unknown += 1
        elif held["released_us"] is None and (request or held["expires_us"] > now_us):
            known = {"tokens": held["tokens"]}.get(budget["unit"])
            if budget["unit"] != "tokens" and held["currency"] == budget["unit"]:
                known = held["cost_nano"]
            reserved, unknown = (reserved, unknown + 1) if known is None else (reserved + known, unknown)
    return spent, reserved, unknown


def in_scope(budget: dict[str, Any], asker: dict[str, Any], row: dict[str, Any]) -> bool:
    if budget["user"] is not None and row["user_name"] != budget["user"]:
        return False
    names = {
        "all": (),
        "user": ("user",),
        "notebook": ("user", "notebook"),
        "thread": ("user", "notebook", "thread"),
    }
    column = {"user": "user_name", "notebook": "notebook", "thread": "thread"}
    return all(row[column[name]] == asker[name] for name in names[budget["scope"]])


def applies(budget: dict[str, Any], asker: dict[str, Any]) -> bool:
    if budget["user"] is not None and budget["user"] != asker["user"]:
        return False
    return budget["scope"] != "thread" or asker["thread"] is not None


def begin(budget: dict[str, Any], created_us: int, zone: str, now: datetime) -> int:
    if budget["per"] == "total":
        return created_us
    day = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return microseconds(day - timedelta(days=day.weekday() if budget["per"] == "week" else 0))


def record_of(
    entry: tuple[dict[str, Any] | None, dict[str, Any] | None], now_us: int
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The rows of one entry of a history."""
    said, kept = entry
    request = held = None
    if said is not None:
        names = ("source", "kind", "billed", "input_tokens", "output_tokens")
        request = request_record(
            time_us=now_us - said["hours"] * HOUR - HOUR // 2,
            **{name: said[name] for name in names}, **said["place"], **said["money"],
        )  # fmt: skip
    if kept is not None:
        held = reservation_record(
            time_us=now_us - kept["hours"] * HOUR - HOUR // 2,
            expires_us=now_us + (-HOUR if kept["expired"] else HOUR),
            released_us=now_us if kept["released"] else None,
            tokens=kept["tokens"], **kept["place"], **kept["money"],
        )  # fmt: skip
        if request is not None:
            held["id"] = request["id"]
    return request, held


# --- the test -----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    place = server.database() if server else str(tmp_path_factory.mktemp("model") / "ledger.sqlite3")
    with Ledger(place, warn=pytest.fail) as opened:
        yield opened
    if server:
        server.drop(place)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(budget_values, min_size=1, max_size=3), histories, st.lists(asks, min_size=1, max_size=3))
def test_reserve_does_what_the_model_says(
    ledger: Ledger, wanted: list[dict[str, Any]], history: list[Any], asked: list[dict[str, Any]]
) -> None:
    empty(ledger)
    now = datetime.now(UTC)
    zone, now_us = noon_zone(now), microseconds(now)
    rows: list[tuple[Any, Any]] = [record_of(entry, now_us) for entry in history]
    fill(ledger, requests=[one for one, _ in rows if one], reservations=[one for _, one in rows if one])
    made = {}
    for values in wanted:  # one of the same kind gives way to the next
        budget = ledger.set_budget(zone=zone, **values)
        kind = tuple(values[name] for name in ("user", "unit", "per", "scope", "hard"))
        made[kind] = (values, microseconds(budget.created_at))
    for values in asked:
        wish = ask(**values)
        verdicts = []
        expected = {}
        for budget, created_us in made.values():
            if not applies(budget, values):
                continue
            begins_us = begin(budget, created_us, zone, now)
            spent, reserved, unknown = counted(budget, values, rows, begins_us=begins_us, now_us=now_us)
            expected[tuple(budget[name] for name in NAMES)] = (spent, reserved, unknown)
            worst = wish.worst(budget["unit"])
            fits = worst is not None and spent + reserved + worst <= budget["amount"]
            verdicts.append(fits or not budget["hard"])
        assert states_for(ledger, values) == expected
        try:
            stands = ledger.reserve(wish).stands
        except BudgetError:
            assert not all(verdicts)
            continue
        assert all(verdicts)
        assert stands is bool(verdicts)
        if stands:
            rows.append((None, stored(ledger, wish.id)))


def states_for(ledger: Ledger, asker: dict[str, Any]) -> dict[Any, tuple[int, int, int]]:
    """What the ledger itself says of those that apply to one who asks, asked as `reserve` does."""
    from anyfast_nb.ledger.budget.states import states_here, states_told

    who = {name: asker[name] for name in ("user", "notebook", "thread")}
    with ledger.transaction() as connection:
        if ledger.dialect == "sqlite":
            states = states_here(connection, who, now=datetime.now(UTC))
        else:
            values = [*who.values(), microseconds(datetime.now(UTC))]
            found = connection.exec_driver_sql(
                "SELECT anyfast.states_of(%s, %s, %s, false, false, false, %s)", tuple(values)
            ).scalar_one()
            states = states_told(found, who)
    return {
        tuple(getattr(one.budget, name) for name in NAMES): (one.spent, one.reserved, one.unknown)
        for one in states
    }


def stored(ledger: Ledger, id: str) -> dict[str, Any]:
    with ledger.transaction() as connection:
        found = connection.execute(RESERVATIONS.select().where(RESERVATIONS.c.id == id)).mappings().one()
        return dict(found)
