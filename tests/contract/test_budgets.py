"""Budgets as a person meets them: clients against a server that does not say it is simulated."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import BudgetError, ConnectFailed, InputError, NotAllowedError
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.wire.values import Event, Finished, Money, Noted, Source
from tests.client.conftest import KEY, NO_WAITS, MakeClient, chunk, client, whole
from tests.environment import clean_environ
from tests.wire_server import HANG, Reply, WireServer

__all__ = ["client"]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as found:
        yield found


def answer(*, read: int = 3, written: int = 5) -> Reply:
    usage = {"prompt_tokens": read, "completion_tokens": written}
    end = json.dumps({"id": "0217", "choices": [], "usage": usage})
    return Reply.sse(chunk("Hello"), chunk(finish="stop"), end, done=True)


def requests(ledger: Ledger, *names: str) -> list[tuple[Any, ...]]:
    from sqlalchemy import text

    with ledger.reading() as connection:
        found = connection.execute(text(f"SELECT {', '.join(names)} FROM requests ORDER BY time_us, id"))
        return [tuple(one) for one in found]


# --- tokens -----------------------------------------------------------------------------------


def test_a_hard_budget_refuses_before_anything_is_sent(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(2_000, "tokens", per="total")
    wire_server.script(answer(read=300, written=500))
    one = client()
    assert one.chat("Hi", max_tokens=600).text == "Hello"
    with pytest.raises(BudgetError) as caught:
        one.chat("Hi", max_tokens=1_200)
    assert len(wire_server.requests) == 1
    assert not caught.value.sent
    assert "--max-tokens N (max_tokens=N)" in f"{caught.value}"
    (state,) = ledger.budgets()
    assert (state.spent, state.reserved) == (800, 0)
    wire_server.script(answer())
    assert one.chat("Hi", max_tokens=600).text == "Hello"  # a smaller one has room


def test_a_request_without_a_bound_is_refused_and_max_tokens_helps(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(10_000, "tokens", per="day")
    with pytest.raises(BudgetError, match="max_tokens=N"):
        client().chat("Hi")
    assert not wire_server.requests
    wire_server.script(answer())
    assert client().chat("Hi", max_tokens=100).text == "Hello"


def test_more_than_the_bound_is_recorded_and_the_next_one_refused(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(2_000, "tokens", per="total")
    wire_server.script(answer(read=300, written=9_000))
    client().chat("Hi", max_tokens=100)
    (state,) = ledger.budgets()
    assert (state.spent, state.excess) == (9_300, 7_300)
    with pytest.raises(BudgetError, match="7,300 tokens more"):
        client().chat("Hi", max_tokens=1)
    assert len(wire_server.requests) == 1


def test_thirty_at_once_never_spend_more(wire_server: WireServer, ledger: Ledger) -> None:
    amount = 6_000
    ledger.set_budget(amount, "tokens", per="total")
    wire_server.script(*[answer(read=100, written=200) for _ in range(30)])

    async def race() -> list[Any]:
        async with AsyncClient(api_key=KEY, base_url=wire_server.url, model="m", policy=NO_WAITS) as one:
            chats = [one.chat("Hi", max_tokens=700) for _ in range(30)]
            return await asyncio.gather(*chats, return_exceptions=True)

    ended = asyncio.run(race())
    refused = [one for one in ended if isinstance(one, BudgetError)]
    assert len(refused) + len(wire_server.requests) == 30
    assert 0 < len(wire_server.requests) < 30
    (state,) = ledger.budgets()
    assert (state.spent, state.reserved) == (300 * len(wire_server.requests), 0)
    assert state.spent <= amount


def test_each_round_of_tools_asks(wire_server: WireServer, client: MakeClient, ledger: Ledger) -> None:
    def roll() -> int:
        """Roll a die."""
        ledger.set_budget(1, "tokens", per="day")  # now there is no more room
        return 4

    ledger.set_budget(20_000, "tokens", per="day")
    called = {"index": 0, "id": "c1", "type": "function", "function": {"name": "roll", "arguments": "{}"}}
    wire_server.script(Reply.sse(chunk(tool_calls=[called]), chunk(finish="tool_calls"), done=True))
    with pytest.raises(BudgetError) as caught:
        client().chat("Roll", tools=[roll], max_tokens=100)
    assert len(wire_server.requests) == 1
    assert caught.value.partial is None or not caught.value.sent


def test_repeats_keep_one_reservation(wire_server: WireServer, client: MakeClient, ledger: Ledger) -> None:
    ledger.set_budget(1_000, "tokens", per="day")
    busy = Reply.json({"error": {"message": "busy"}}, status=429, headers={"Retry-After": "0"})
    wire_server.script(busy, busy, answer())
    patient = client(policy=RetryPolicy(base_s=0, cap_s=0, attempts=3))
    assert patient.chat("Hi", max_tokens=600).text == "Hello"
    assert requests(ledger, "attempts") == [(3,)]
    assert ledger.budgets()[0].spent == 8


def test_what_never_left_costs_nothing(client: MakeClient, ledger: Ledger) -> None:
    ledger.set_budget(1_000, "tokens", per="day")
    with WireServer() as gone:
        url = gone.url
    with pytest.raises(ConnectFailed):
        client(base_url=url).chat("Hi", max_tokens=600)
    assert requests(ledger, "billed") == [("no",)]
    assert ledger.budgets()[0].left == 1_000


def test_what_may_be_billed_stands_at_its_worst_case(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(1_000, "tokens", per="day")
    wire_server.script(Reply.json({"error": {"message": "oops"}}, status=500))
    with pytest.raises(Exception, match="500"):
        client().chat("Hi", max_tokens=600)
    assert ledger.budgets()[0].reserved >= 600


def test_an_input_error_reserves_nothing(client: MakeClient, ledger: Ledger) -> None:
    ledger.set_budget(1_000, "tokens", per="day")
    with pytest.raises(InputError):
        client().chat("Hi", max_tokens=600, temperature=9)
    assert ledger.budgets()[0].left == 1_000


# --- money ------------------------------------------------------------------------------------


def test_an_unpriced_model_is_refused_with_the_line_that_prices_it(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(10**9, "CNY", per="day")
    with pytest.raises(BudgetError, match="%anyfast prices set m input=… output=… currency=CNY"):
        client().chat("Hi", max_tokens=100)
    assert not wire_server.requests


def test_what_it_cost_is_in_the_answer(wire_server: WireServer, client: MakeClient, ledger: Ledger) -> None:
    ledger.set_budget(10**9, "USD", per="day")
    Prices().set("m", currency="USD", input=100, output=200)
    wire_server.script(answer(read=3, written=5))
    said = client().chat("Hi", max_tokens=100)
    assert said.cost == said.total_cost == Money(3 * 100_000 + 5 * 200_000, "USD")
    assert ledger.budgets()[0].spent == 1_300_000


def test_the_cost_of_all_rounds_is_told(wire_server: WireServer, client: MakeClient) -> None:
    from anyfast_nb.render.answer import footer_text

    def roll() -> int:
        """Roll a die."""
        return 4

    Prices().set("m", currency="USD", input=100, output=200)
    called = {"index": 0, "id": "c1", "type": "function", "function": {"name": "roll", "arguments": "{}"}}
    usage = json.dumps({"id": "1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    asks = Reply.sse(chunk(tool_calls=[called]), chunk(finish="tool_calls"), usage, done=True)
    wire_server.script(asks, answer(read=3, written=5))
    said = client().chat("Roll", tools=[roll])
    assert said.cost == Money(1_300_000, "USD")
    assert said.total_cost == Money(1_600_000, "USD")
    assert footer_text(said).endswith("3 → 5 tokens · 0.0016 USD")
    assert footer_text(said, "short").endswith("0.0016 USD")


def test_an_unpriced_answer_tells_no_cost(wire_server: WireServer, client: MakeClient) -> None:
    from anyfast_nb.render.answer import footer_text

    wire_server.script(whole())
    said = client().chat("Hi")
    assert said.cost is None
    assert footer_text(said).endswith("tokens")


# --- soft ones --------------------------------------------------------------------------------


def test_a_soft_budget_warns_and_lets_it_pass(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.set_budget(10, "tokens", per="day", hard=False)
    wire_server.script(answer())
    with caplog.at_level(logging.WARNING, "anyfast_nb.ledger"):
        assert client().chat("Hi", max_tokens=100).text == "Hello"
    (line,) = [record.getMessage() for record in caplog.records]
    assert "10 tokens a day" in line


def test_who_listens_is_told_once_for_all_rounds(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    def roll() -> int:
        """Roll a die."""
        return 4

    ledger.set_budget(10, "tokens", per="day", hard=False)
    called = {"index": 0, "id": "c1", "type": "function", "function": {"name": "roll", "arguments": "{}"}}
    wire_server.script(
        Reply.sse(chunk(tool_calls=[called]), chunk(finish="tool_calls"), done=True), answer(), answer()
    )
    events: list[Event] = list(client().stream("Roll", tools=[roll], max_tokens=100))
    assert [type(event) for event in events].count(Noted) == 1
    assert isinstance(events[0], Noted)
    assert isinstance(events[-1], Finished)
    assert not caplog.records


# --- what is not counted ----------------------------------------------------------------------


def test_simulated_requests_are_never_refused_by_budgets(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(0, "tokens", per="total")
    wire_server.script(whole())
    assert client(api_key="sk-sim-x").chat("Hi").source is Source.SIMULATED
    assert ledger.budgets()[0].spent == 0


def test_what_a_server_marks_as_simulated_does_not_count(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(10_000, "tokens", per="total")
    reply = answer()
    wire_server.script(Reply(200, {"X-AnyFast-Simulated": "1"}, reply.body, reply.content_type))
    client().chat("Hi", max_tokens=100)
    assert (ledger.budgets()[0].spent, ledger.budgets()[0].reserved) == (0, 0)


# --- killed -----------------------------------------------------------------------------------

BETWEEN = """
import os, signal
from anyfast_nb.client.faces import Client
from anyfast_nb.gateway import gate

def killed(self, row, admission):
    os.kill(os.getpid(), signal.SIGKILL)

gate.Gate._begun = killed
Client(api_key={key!r}, base_url={url!r}, model="m").chat("Hi", max_tokens=600)
"""
SENT = """
from anyfast_nb.client.faces import Client
Client(api_key={key!r}, base_url={url!r}, model="m").chat("Hi", max_tokens=600)
"""


def test_killed_before_it_was_sent_it_expires(wire_server: WireServer, ledger: Ledger) -> None:
    from datetime import timedelta

    ledger.set_budget(1_000, "tokens", per="total")
    code = BETWEEN.format(key=KEY, url=wire_server.url)
    done = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False)
    assert done.returncode == -signal.SIGKILL
    assert not wire_server.requests
    assert ledger.budgets()[0].reserved >= 600
    now = ledger._wall()
    ledger._wall = lambda: now + timedelta(days=1)  # type: ignore[method-assign]
    assert ledger.budgets()[0].left == 1_000


def test_killed_after_it_was_sent_it_stands(wire_server: WireServer, ledger: Ledger) -> None:
    from datetime import timedelta

    ledger.set_budget(1_000, "tokens", per="total")
    wire_server.script(Reply.sse(chunk("Hel"), HANG))
    code = SENT.format(key=KEY, url=wire_server.url)
    with subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) as process:
        wire_server.wait_for_requests(1)
        process.kill()
    now = ledger._wall()
    ledger._wall = lambda: now + timedelta(days=1)  # type: ignore[method-assign]
    assert ledger.budgets()[0].reserved >= 600


# --- the rehearsal ----------------------------------------------------------------------------


@pytest.fixture
def rehearsal(tmp_path: Any) -> Iterator[str]:
    """An anyfast-sim that does not say what it is."""
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--port", "0", "--speed", "0", "--unmarked"]
    environ = clean_environ(tmp_path)
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.terminate()


def test_budgets_can_be_rehearsed(rehearsal: str, ledger: Ledger) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(Client(base_url=rehearsal, api_key="sk-rehearsal", policy=NO_WAITS))
        said = one.chat("What is 6 * 7?", max_tokens=400)
        assert said.source is Source.LIVE
        assert requests(ledger, "source", "billed") == [("live", "yes")]
        ledger.set_budget(10, "tokens", per="day")
        with pytest.raises(BudgetError):
            one.chat("What is 6 * 7?", max_tokens=400)


def test_a_lesson_is_held_to_what_is_allowed(
    rehearsal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYFAST_ALLOW", "chat:mini")
    with Client(base_url=rehearsal, api_key="sk-rehearsal") as one:
        assert one.chat("Hi", model="mini").text
        with pytest.raises(NotAllowedError, match="ANYFAST_ALLOW allows chat:mini"):
            one.seedream("a kite")
        with pytest.raises(NotAllowedError):
            one.assets.create_group("x")
