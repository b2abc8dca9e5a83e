"""What a request passes before it is sent: ANYFAST_ALLOW, then the budgets; live ones alone."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from anyfast_nb.errors import BudgetError, ConfigError, InputError, LedgerError, NotAllowedError
from anyfast_nb.gateway import gate as gate_room
from anyfast_nb.gateway.bound import Bound
from anyfast_nb.gateway.gate import Admission, Gate
from anyfast_nb.ledger.prices.book import Prices, prices_path
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.session import Session
from anyfast_nb.settings import Settings, load, save_file
from anyfast_nb.wire.values import Money, Source
from tests.client.conftest import MakeClient, whole
from tests.wire_server import WireServer


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as found:
        yield found


def row(kind: str = "chat", model: str = "doubao-seed-2.0-pro", **facts: Any) -> RequestRow:
    return RequestRow(
        **({"kind": kind, "source": Source.LIVE, "base_url": "https://host.cn", "model": model} | facts)
    )


def gate(ledger: Ledger, *, allow: str | None = None) -> Gate:
    settings = Settings() if allow is None else Settings().with_changes(origin="environment", allow=allow)
    return Gate(lambda: ledger, settings=lambda: replace(settings, home=load().home))


def never() -> Bound:
    raise AssertionError("nobody asked for a bound")


def statuses(ledger: Ledger) -> list[tuple[Any, ...]]:
    from sqlalchemy import text

    with ledger.reading() as connection:
        found = connection.execute(text("SELECT status, billed FROM requests ORDER BY time_us"))
        return [tuple(one) for one in found]


# --- ANYFAST_ALLOW ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "kind", "model"),
    [
        ("chat", "chat", "anything"),
        ("chat", "responses", "anything"),
        ("chat:mini", "responses", "doubao-seed-2.0-mini"),
        ("chat:doubao-seed-2.0-mini", "chat", "mini"),
        ("chat:doubao-seed-2.0-*", "chat", "pro"),
        ("chat:DOUBAO-seed-2.0-pro", "chat", "doubao-seed-2.0-pro"),
        ("seedream, chat:mini", "seedream", "doubao-seedream-5-0-260128"),
        ("seed*", "seedance", "seedance-fast"),
        ("*", "kling", "kling-v3"),
        ("responses", "responses", "pro"),
    ],
)
def test_what_is_allowed_passes(ledger: Ledger, allow: str, kind: str, model: str) -> None:
    assert gate(ledger, allow=allow).admit(row(kind, model), never) == Admission()


@pytest.mark.parametrize(
    ("allow", "kind", "model"),
    [
        ("chat:mini", "chat", "doubao-seed-2.0-pro"),
        ("chat:mini", "seedance", "seedance"),
        ("seedream", "chat", "mini"),
        ("responses", "chat", "mini"),
        ("chat", "asset", "volc-asset"),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(
    ledger: Ledger, allow: str, kind: str, model: str
) -> None:
    with pytest.raises(NotAllowedError) as caught:
        gate(ledger, allow=allow).admit(row(kind, model), never)
    said = f"{caught.value}"
    assert model in said
    assert f"ANYFAST_ALLOW allows {allow}" in said
    assert not caught.value.sent


@pytest.mark.parametrize("allow", [" , ", "chats", "chat:", "film:seedance", "chat:mini seedream"])
def test_a_list_that_can_name_nothing_is_a_mistake_and_does_not_let_all_pass(
    monkeypatch: pytest.MonkeyPatch, allow: str
) -> None:
    monkeypatch.setenv("ANYFAST_ALLOW", allow)
    with pytest.raises(ConfigError, match="environment"):
        load()


def test_the_file_may_say_it_and_a_notebook_may_not_change_it() -> None:
    home = load().home
    home.mkdir(exist_ok=True, parents=True)
    (home / "settings.json").write_text(json.dumps({"allow": ["chat:mini", "seedream"]}))
    assert load().allow == ("chat:mini", "seedream")
    with pytest.raises(InputError, match="not changed in a notebook"):
        save_file(home, allow="*")
    save_file(home, model="pro")  # another value leaves it there
    assert load().allow == ("chat:mini", "seedream")


def test_the_config_table_shows_it_and_does_not_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from anyfast_nb.magics.verbs import config

    monkeypatch.setenv("ANYFAST_ALLOW", "chat:mini")
    shown: list[Any] = []
    config(Session(), "", shown.append)
    assert "chat:mini" in shown[0]["text/plain"]
    with pytest.raises(InputError, match="not changed in a notebook"):
        config(Session(), "allow=*", shown.append)


def test_it_holds_for_simulated_requests_as_well(
    wire_server: WireServer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_ALLOW", "chat:mini")
    with pytest.raises(NotAllowedError):
        client(api_key="sk-sim-x").chat("Hi", model="pro")
    assert not wire_server.requests
    wire_server.script(whole())
    assert client(api_key="sk-sim-x").chat("Hi", model="mini").text == "Hello"


# --- budgets ----------------------------------------------------------------------------------


def test_without_a_budget_nobody_asks_for_a_bound(ledger: Ledger) -> None:
    assert asyncio.run(gate(ledger).enter(row(), never)) == Admission()
    assert statuses(ledger) == [("unfinished", None)]


@pytest.mark.parametrize(
    "facts", [{"source": Source.SIMULATED}, {"source": Source.REPLAYED}, {"kind": "asset"}]
)
def test_only_what_is_live_and_billed_by_use_is_budgeted(ledger: Ledger, facts: dict[str, Any]) -> None:
    ledger.set_budget(0, "tokens", per="day")
    assert asyncio.run(gate(ledger).enter(row(**facts), never)) == Admission()


def test_a_reservation_is_made_and_its_row_begun(ledger: Ledger) -> None:
    ledger.set_budget(1000, "tokens", per="day")
    admission = asyncio.run(gate(ledger).enter(row(), lambda: Bound(300, 400)))
    assert admission == Admission(reserved=True)
    (state,) = ledger.budgets()
    assert (state.spent, state.reserved, state.left) == (0, 700, 300)
    with pytest.raises(BudgetError):
        asyncio.run(gate(ledger).enter(row(), lambda: Bound(300, 1)))
    assert len(statuses(ledger)) == 1


def test_money_is_asked_for_at_its_price(ledger: Ledger) -> None:
    ledger.set_budget(10_000_000, "USD", per="day")  # 0.01 USD
    line = "%anyfast prices set doubao-seed-2.0-pro input=… output=… currency=USD"
    with pytest.raises(BudgetError, match=re.escape(line)):
        gate(ledger).admit(row(), lambda: Bound(300, 400))
    Prices().set("pro", currency="USD", input=1, output=10)
    gate(ledger).admit(row(), lambda: Bound(300, 400))
    (state,) = ledger.budgets()
    assert state.reserved == 300 * 1_000 + 400 * 10_000


def test_what_was_set_aside_and_is_not_sent_is_free_again(ledger: Ledger) -> None:
    ledger.set_budget(1000, "tokens", per="day")

    async def changed_mind() -> None:
        entry, asked = gate(ledger), row()
        entry.withdraw(asked, await entry.reserve(asked, lambda: Bound(300, 400)))

    asyncio.run(changed_mind())
    assert ledger.budgets()[0].left == 1000


def test_a_row_that_cannot_be_written_gives_back_what_was_set_aside(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.set_budget(1000, "tokens", per="day")

    def fail(*_: Any, **__: Any) -> str:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(ledger, "begin", fail)
    with pytest.raises(LedgerError):
        asyncio.run(gate(ledger).enter(row(), lambda: Bound(300, 400)))
    assert ledger.budgets()[0].left == 1000


Waits = Callable[[Gate, RequestRow, Callable[[], Bound]], Any]


@pytest.mark.parametrize("how", ["enter", "reserve"])
def test_an_interrupt_while_it_is_asked_leaves_nothing_set_aside(ledger: Ledger, how: str) -> None:
    ledger.set_budget(1000, "tokens", per="day")
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> Bound:
        asked.set()
        go_on.wait(10)
        return Bound(300, 400)

    async def interrupted() -> None:
        entering = asyncio.create_task(getattr(gate(ledger), how)(row(), slow))
        await asyncio.to_thread(asked.wait, 10)
        entering.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(interrupted())
    assert ledger.budgets()[0].left == 1000
    assert statuses(ledger) == ([("interrupted", "no")] if how == "enter" else [])


def test_the_loop_goes_on_while_the_store_is_asked(ledger: Ledger) -> None:
    ledger.set_budget(1000, "tokens", per="day")
    loops = []

    async def both() -> None:
        def bound() -> Bound:
            loops.append(threading.current_thread())
            return Bound(1, 1)

        await gate(ledger).enter(row(), bound)
        loops.append(threading.current_thread())

    asyncio.run(both())
    assert loops[0] is not loops[1]


# --- forecasts --------------------------------------------------------------------------------


def test_a_forecast_tells_and_reserves_nothing(ledger: Ledger) -> None:
    Prices().set("pro", currency="USD", input=1, output=10)
    ledger.set_budget(500, "tokens", per="day")
    told = gate(ledger).forecast(row(), Bound(300, 400, fix="--max-tokens N"))
    assert told.cost == Money(4_300_000, "USD")
    first, refusal = told.lines()
    assert first == "at most 300 tokens in and 400 out, 0.0043 USD"
    assert "a budget refuses it" in refusal
    assert ledger.budgets()[0].reserved == 0
    assert statuses(ledger) == []


def test_a_forecast_names_what_is_missing(ledger: Ledger) -> None:
    told = gate(ledger).forecast(row(), Bound(300, None, fix="--max-tokens N"))
    (line,) = told.lines()
    assert "--max-tokens N gives a bound" in line
    assert "no price set (%anyfast prices set doubao-seed-2.0-pro" in line


def test_a_forecast_is_of_the_own_notebook(ledger: Ledger) -> None:
    ledger.set_budget(500, "tokens", per="day", scope="notebook")
    other = row(notebook="other.ipynb")
    asyncio.run(gate(ledger).enter(other, lambda: Bound(0, 500)))
    assert gate(ledger).forecast(row(notebook="own.ipynb"), Bound(0, 400)).budgets == ()
    assert gate(ledger).forecast(row(notebook="other.ipynb"), Bound(0, 400)).budgets != ()


def test_a_price_of_tokens_is_none_for_a_film(ledger: Ledger) -> None:
    Prices(prices_path(load().home)).set("seedance", currency="USD", input=1, output=2)
    told = gate(ledger).forecast(row("seedance", "seedance"), Bound(0, None, 0, 8.0))
    assert not told.priced
    assert "video_second=…" in told.price_line
    ledger.set_budget(10**9, "USD", per="day")
    with pytest.raises(BudgetError, match="video_second=… currency=USD"):
        gate(ledger).admit(row("seedance", "seedance"), lambda: Bound(0, None, 0, 8.0))


# --- a ledger that never answers --------------------------------------------------------------


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_ledger_that_never_answers_holds_up_nobody_for_ever(
    interrupted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_room, "_PATIENCE_S", 60.0 if interrupted else 0.0)
    monkeypatch.setattr(gate_room, "_LAST_WORDS_S", 0.0)
    answers, inside = threading.Event(), threading.Event()
    undone: list[str] = []

    def work() -> str:
        inside.set()
        assert answers.wait(60)
        return "reserved"

    async def asked() -> None:
        asking = asyncio.ensure_future(gate_room._whole(work, undo=undone.append))
        try:
            if interrupted:
                await asyncio.to_thread(inside.wait)
                asking.cancel()
            expected = asyncio.CancelledError if interrupted else LedgerError
            with pytest.raises(expected):
                await asking
            assert not undone
        finally:
            answers.set()
        while not undone:  # what came of it in the end is taken back
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(asked(), 60))
    assert undone == ["reserved"]
