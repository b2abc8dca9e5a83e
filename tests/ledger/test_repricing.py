"""Costs of past requests: filled in, or computed anew, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import anyfast_nb as af
from anyfast_nb.errors import Billed, ConfigError, InputError, LedgerError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.prices import repricing
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.prices.repricing import Missing, Repriced, missing, reprice
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row

DAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOME = Usage(10, 5)
LITE = "doubao-seed-2.0-lite"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty one, on either."""
    place = tmp_path / "ledger.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Ledger(place, warn=pytest.fail) as ledger:
        yield ledger


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    return Prices(tmp_path / "own.toml")  # not the one that settling looks at: rows begin without a cost


def keep(ledger: Ledger, usage: Usage = SOME, **changes: Any) -> str:
    """A settled request."""
    ends = ("status", "billed", "images", "video_s", "model_served")
    told = {name: changes.pop(name) for name in ends if name in changes}
    served = told.pop("model_served", None)
    key = ledger.begin(request_row(**({"time": DAY} | changes)))
    ledger.settle(key, **({"status": Status.OK, "usage": usage, "model": served} | told))
    return key


def costs(ledger: Ledger) -> dict[str, tuple[int | None, str | None, str | None]]:
    row = REQUESTS.c
    with ledger.reading() as connection:
        found = connection.execute(select(row.id, row.cost_nano, row.currency, row.price_version))
        return {key: (nano, currency, version) for key, nano, currency, version in found}


def test_what_has_no_cost_gets_one_by_the_price_of_its_time(ledger: Ledger, prices: Prices) -> None:
    before = keep(ledger, time=DAY - timedelta(days=1))
    after = keep(ledger)
    picture = keep(ledger, Usage(), kind="seedream", model="of-mine", images=3, source=Source.SIMULATED)
    other = keep(ledger, model="other")
    old = prices.set("lite", currency="USD", input=1, output=2)
    new = prices.set("lite", currency="CNY", input=2, output=4, valid_from=DAY.date())
    mine = prices.set("of-*", currency="USD", image="0.03")

    done = reprice(ledger, prices=prices)

    assert costs(ledger) == {
        before: (20_000, "USD", old.version),
        after: (40_000, "CNY", new.version),
        picture: (90_000_000, "USD", mine.version),
        other: (None, None, None),
    }
    assert (done.changed, done.unpriced, done.unknown) == (3, 1, 0)
    assert done.totals == {
        ("live", "USD"): Decimal("0.00002"),
        ("live", "CNY"): Decimal("0.00004"),
        ("simulated", "USD"): Decimal("0.09"),
    }
    assert reprice(ledger, prices=prices) == Repriced(0, 1, 0, {})  # once is enough


def test_a_cost_that_is_there_stays_unless_everything_is_asked_for(ledger: Ledger, prices: Prices) -> None:
    one, other = keep(ledger), keep(ledger, model="other")
    first = prices.set("*", currency="USD", input=1, output=2)
    assert reprice(ledger, prices=prices).changed == 2
    second = prices.set("lite", currency="USD", input=3, output=2)
    assert reprice(ledger, prices=prices).changed == 0
    assert costs(ledger)[one] == (20_000, "USD", first.version)

    done = reprice(ledger, prices=prices, everything=True)
    assert done.changed == 1
    assert done.totals == {("live", "USD"): Decimal("0.00004")}
    assert costs(ledger) == {one: (40_000, "USD", second.version), other: (20_000, "USD", first.version)}


def test_what_can_no_longer_be_priced_keeps_its_cost(ledger: Ledger, prices: Prices, tmp_path: Path) -> None:
    one = keep(ledger)
    prices.set("lite", currency="USD", input=1, output=2)
    reprice(ledger, prices=prices)
    before = costs(ledger)
    others = Prices(tmp_path / "others.toml")
    others.set("another", currency="USD", input=9, output=9)
    done = reprice(ledger, prices=others, everything=True)
    assert (done.changed, done.unpriced) == (0, 1)
    assert costs(ledger) == before
    assert before[one][0] == 20_000


def test_only_the_period_and_the_models_that_are_asked_for(ledger: Ledger, prices: Prices) -> None:
    old = keep(ledger, time=DAY - timedelta(days=9))
    lite = keep(ledger)
    pro = keep(ledger, model="pro", model_served="doubao-seed-2.0-pro")
    prices.set("*", currency="USD", input=1, output=2)

    def priced() -> set[str]:
        return {key for key, cost in costs(ledger).items() if cost[0] is not None}

    assert reprice(ledger, prices=prices, since=DAY - timedelta(days=1), model="lite").changed == 1
    assert priced() == {lite}
    assert reprice(ledger, prices=prices, since=DAY, model=["pro"]).changed == 1
    assert priced() == {lite, pro}
    assert reprice(ledger, prices=prices, model=[LITE]).changed == 1
    assert priced() == {lite, pro, old}


def test_what_wants_no_cost_is_left_alone_and_not_counted(ledger: Ledger, prices: Prices) -> None:
    prices.set("*", currency="USD", input=1, output=2, image=1, video_second=1)
    keep(ledger, billed=Billed.NO)
    keep(ledger, Usage(), kind="asset")
    keep(ledger, Usage(), kind="seedance")  # its film is being made
    ledger.begin(request_row())
    assert missing(ledger, prices.table()) == []
    assert reprice(ledger, prices=prices) == Repriced(0, 0, 0, {})
    assert {cost for cost, _, _ in costs(ledger).values()} == {None}


def test_what_is_unknown_stays_unknown(ledger: Ledger, prices: Prices) -> None:
    prices.set("lite", currency="USD", input=1, output=2, cached="0.1")
    keep(ledger, Usage())
    keep(ledger, Usage(10, 5), status=Status.INTERRUPTED)  # how many were cached is not known
    done = reprice(ledger, prices=prices)
    assert (done.changed, done.unpriced, done.unknown) == (0, 0, 2)
    assert "2 requests whose tokens" in str(done)


def test_many_rows_go_in_batches(ledger: Ledger, prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "_BATCH", 3)
    for _ in range(10):  # of one moment: the id tells where a batch ends
        keep(ledger)
    prices.set("lite", currency="USD", input=1, output=2)
    assert reprice(ledger, prices=prices).changed == 10
    assert {cost for cost, _, _ in costs(ledger).values()} == {20_000}
    prices.set("lite", currency="USD", input=2, output=4)
    assert reprice(ledger, prices=prices, everything=True).changed == 10
    assert {cost for cost, _, _ in costs(ledger).values()} == {40_000}


def test_nothing_else_of_a_row_changes(ledger: Ledger, prices: Prices) -> None:
    def rows() -> list[dict[str, Any]]:
        with ledger.reading() as connection:
            found = connection.execute(select(REQUESTS).order_by(REQUESTS.c.id)).mappings()
            return [{name: row[name] for name in row if name not in money} for row in found]

    money = ("cost_nano", "currency", "price_version")
    keep(ledger, Usage(10, 5, 2, 1), status=Status.TRUNCATED, model_served="served", thread="t", notebook="n")
    before = rows()
    prices.set("*", currency="USD", input=1, output=2)
    assert reprice(ledger, prices=prices).changed == 1
    prices.set("*", currency="USD", input=2, output=2)
    assert reprice(ledger, prices=prices, everything=True).changed == 1
    assert rows() == before


def test_what_has_no_price_is_counted_by_model(ledger: Ledger, prices: Prices) -> None:
    prices.set("lite", currency="USD", input=1, output=2)
    keep(ledger)
    keep(ledger, Usage())
    for _ in range(2):
        keep(ledger, model="x")
    keep(ledger, model="x", model_served="y")
    for _ in range(3):
        keep(ledger, Usage(), kind="seedream", model="z", images=1, source=Source.SIMULATED)
    assert missing(ledger, prices.table()) == [
        Missing("chat", "live", LITE, 2, 1, priced=True),
        Missing("chat", "live", "x", 2, 2, priced=False),
        Missing("chat", "live", "y", 1, 1, priced=False),
        Missing("seedream", "simulated", "z", 3, 3, priced=False),
    ]


def test_without_prices_and_with_broken_ones(ledger: Ledger, prices: Prices) -> None:
    with pytest.raises(InputError, match=f"no price is set in {prices.path}"):
        reprice(ledger, prices=prices, everything=True)
    prices.path.write_text("[[price]")
    with pytest.raises(ConfigError, match="line 1"):
        reprice(ledger, prices=prices)


def test_a_failure_half_way_changes_nothing(
    ledger: Ledger, prices: Prices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing, "_BATCH", 1)
    keep(ledger)
    keep(ledger, time=DAY + timedelta(days=1))
    prices.set("lite", currency="USD", input=1, output=2)
    reprice(ledger, prices=prices)
    prices.set("lite", currency="USD", input=2, output=2)
    changes = repricing._Tally.changes
    seen: list[Any] = []

    def broken(self: Any, rows: Any) -> Any:
        seen.append(rows)
        if len(seen) == 2:
            raise OSError("the disk is gone")
        return changes(self, rows)

    monkeypatch.setattr(repricing._Tally, "changes", broken)
    with pytest.raises(LedgerError, match="the disk is gone; all is as it was"):
        reprice(ledger, prices=prices, everything=True)
    assert {cost for cost, _, _ in costs(ledger).values()} == {20_000}


def test_from_python_it_is_the_users_ledger_and_prices() -> None:
    with Ledger() as ledger:
        keep(ledger)
    af.ledger.set_price("lite", currency="USD", input=1, output=2)
    done = af.ledger.reprice(since="2026-11-01")
    assert done.changed == 1
    assert str(done) == "1 request priced: 0.00002 USD live."
    with Ledger() as ledger:
        assert [cost[0] for cost in costs(ledger).values()] == [20_000]


def test_a_student_fills_in_and_the_owner_computes_anew(postgres_url: str, prices: Prices) -> None:
    from anyfast_nb.ledger.classroom.classroom import Classroom

    classroom = Classroom(postgres_url)
    classroom.init()
    (ada, bob) = classroom.add(["prices-ada", "prices-bob"])
    try:
        with Ledger(ada.url) as own, Ledger(bob.url) as others, Ledger(postgres_url) as owner:
            mine, theirs = keep(own), keep(others)
            own.absorb()
            others.absorb()
            prices.set("lite", currency="USD", input=1, output=2)
            assert reprice(own, prices=prices).changed == 1
            assert {key: cost[0] for key, cost in costs(owner).items()} == {mine: 20_000, theirs: None}

            prices.set("lite", currency="USD", input=2, output=4)
            with pytest.raises(LedgerError, match="by its owner alone; nothing was changed"):
                reprice(own, prices=prices, everything=True)
            assert costs(own)[mine][0] == 20_000
            assert reprice(owner, prices=prices, everything=True).changed == 2
            assert {key: cost[0] for key, cost in costs(owner).items()} == {mine: 40_000, theirs: 40_000}
    finally:
        classroom.remove(["prices-ada", "prices-bob"])
