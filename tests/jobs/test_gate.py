"""Films and pictures pass the gate before anything is sent or uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import AnyFastError, BudgetError, LedgerError, NotAllowedError
from anyfast_nb.gateway.gate import Gate
from anyfast_nb.gateway.gateway import Gateway, io_loop
from anyfast_nb.jobs.card import card_of
from anyfast_nb.jobs.desk import Desk
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.store import Ledger
from tests.jobs.conftest import (
    NO_WAITS,
    MakeClient,
    created,
    film_reply,
    link,
    picture_reply,
    png,
    posts,
    refused,
    succeeded,
    task,
)
from tests.wire_server import Reply, WireServer

EXACT = {"resolution": "720p", "ratio": "16:9", "duration": 5}  # 108,900 tokens


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as found:
        yield found


def left(ledger: Ledger) -> int:
    (state,) = ledger.budgets()
    return state.left


def test_a_film_reserves_exactly_what_it_will_be_billed(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, film: bytes
) -> None:
    ledger.set_budget(150_000, "tokens", per="total")
    one = client()
    wire_server.script(created())
    job = one.seedance("A cat", **EXACT)
    assert left(ledger) == 150_000 - 108_900
    with pytest.raises(BudgetError, match="up to 108,900 tokens"):
        one.seedance("Another cat", **EXACT)
    assert len(posts(wire_server)) == 1
    assert len(ledger.jobs()) == 1
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    job.wait()
    (state,) = ledger.budgets()
    assert (state.spent, state.reserved) == (108_900, 0)


SOFT = "budget of 1,000 tokens in total"


def test_a_soft_budget_is_a_note_of_the_film_and_a_line_of_the_log(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.set_budget(1000, "tokens", per="total", hard=False)
    wire_server.script(created(), created())
    job = client().seedance("A cat", **EXACT)
    assert any(SOFT in note for note in job.notes)
    assert [SOFT in line.message for line in caplog.records if line.name == "anyfast_nb.ledger"] == [True]
    caplog.clear()
    one = client()
    magics = Gateway(one._gateway.settings, interactive=True, policy=NO_WAITS)  # its cards show the notes
    quiet = io_loop().run(Desk(magics, pace=one.pace).film("seedance", "A dog", EXACT))
    assert any(SOFT in note for note in card_of(quiet).notes)
    assert not [line for line in caplog.records if line.name == "anyfast_nb.ledger"]
    io_loop().run(magics.close())


def test_what_a_film_and_pictures_cost_is_shown_with_them(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, film: bytes
) -> None:
    Prices().set("seedance", currency="CNY", video_token="50")
    one = client()
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = one.seedance("A cat", **EXACT)
    assert job.cost is None
    job.wait()
    assert str(job.cost) == "5.445 CNY"
    assert job.facts()[-2:] == ("108,900 tokens", "5.44 CNY")
    again = client().job(job.id)  # another kernel: from the ledger's row
    assert again.cost == job.cost
    assert "5.44 CNY" in again.video._repr_mimebundle_()["text/html"]


def test_a_film_without_a_bound_names_the_options_that_give_one(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(10**9, "tokens", per="total")
    with pytest.raises(BudgetError, match=r"--resolution 720p .* --duration 5"):
        client().seedance("A cat", model="of-tomorrow")
    assert not wire_server.requests


def test_a_refused_film_gives_back_what_was_set_aside(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(150_000, "tokens", per="total")
    wire_server.script(refused())
    with pytest.raises(Exception, match="bad"):
        client().seedance("A cat", **EXACT)
    assert left(ledger) == 150_000


def test_a_film_that_failed_is_not_counted(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(150_000, "tokens", per="total")
    wire_server.script(created(), task("FAILURE", "100%", fail_reason="not good"))
    with pytest.raises(AnyFastError, match="not good"):
        client().seedance("A cat", **EXACT).wait()
    assert left(ledger) == 150_000


def test_the_same_wish_again_reserves_nothing(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(400_000, "tokens", per="total")
    one = client()
    wire_server.script(created())
    wished = {"take": 1, "reuse": True}
    first = io_loop().run(one.desk().film("seedance", "A cat", EXACT, **wished))
    again = io_loop().run(one.desk().film("seedance", "A cat", EXACT, **wished))
    assert again is first
    assert left(ledger) == 400_000 - 108_900


def test_who_was_slower_gives_back_what_was_set_aside(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kernels ask for the same film at once: the one that finds it begun has reserved already."""
    ledger.set_budget(400_000, "tokens", per="total")
    one = client()
    wire_server.script(created())
    wished = {"take": 1, "reuse": True}
    io_loop().run(one.desk().film("seedance", "A cat", EXACT, **wished))

    async def not_seen(*_: Any) -> None:
        return None

    desk = one.desk()
    monkeypatch.setattr(desk, "_found", not_seen)
    io_loop().run(desk.film("seedance", "A cat", EXACT, **wished))
    assert len(posts(wire_server)) == 1
    assert left(ledger) == 400_000 - 108_900


def test_a_film_whose_row_cannot_be_written_is_not_sent(
    wire_server: WireServer, client: MakeClient, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.set_budget(150_000, "tokens", per="total")

    def fail(*_: Any) -> None:
        raise LedgerError("the disk is full")

    async def begin(self: Gate, *_: Any) -> None:
        await asyncio.to_thread(fail)

    monkeypatch.setattr(Gate, "begin", begin)
    with pytest.raises(LedgerError):
        client().seedance("A cat", **EXACT)
    assert not wire_server.requests
    (row,) = ledger.jobs()
    assert row.status is JobStatus.FAILED


def test_kling_is_bounded_by_money_alone(wire_server: WireServer, client: MakeClient, ledger: Ledger) -> None:
    ledger.set_budget(0, "tokens", per="total")
    wire_server.script(created(), created("2"))
    client().kling("A cat", duration=5)
    Prices().set("kling-v3", currency="USD", video_second="0.1")
    ledger.set_budget(10**9 * 6 // 10, "USD", per="total")
    one = client()
    one.kling("A dog", model="kling-v3", duration=5)
    with pytest.raises(BudgetError, match="USD"):
        one.kling("A bird", model="kling-v3", duration=5)
    assert len(posts(wire_server)) == 2


def test_pictures_reserve_by_size_and_number(
    wire_server: WireServer, client: MakeClient, ledger: Ledger
) -> None:
    ledger.set_budget(40_000, "tokens", per="total")
    one = client()
    with pytest.raises(BudgetError, match="up to 49,152 tokens"):
        one.seedream("kites", size="2048x2048", count=3, stream=False)
    assert not wire_server.requests
    body = {
        "model": "doubao-seedream-5-0-260128",
        "data": [{"url": link(wire_server, "a.png"), "size": "2048x2048"}],
        "usage": {"generated_images": 1, "output_tokens": 16_384, "total_tokens": 16_384},
    }
    wire_server.script(Reply.json(body), picture_reply(png()))
    one.seedream("a kite", size="2048x2048")
    (state,) = ledger.budgets()
    assert (state.spent, state.reserved) == (16_384, 0)


def test_what_is_not_allowed_is_refused_before_media_are_uploaded(
    wire_server: WireServer, client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, film: bytes
) -> None:
    monkeypatch.setenv("ANYFAST_ALLOW", "asset,seedance:seedance-fast")
    clip = tmp_path / "a.mp4"
    clip.write_bytes(film)  # a clip travels as an asset
    one = client()
    with pytest.raises(NotAllowedError, match="seedance-fast"):
        one.seedance("as @video1", videos=[clip], strict=False, **EXACT)
    with pytest.raises(NotAllowedError):
        one.seedream("a kite")
    assert not wire_server.requests
    wire_server.script(created())
    one.seedance("A cat", model="seedance-fast", **EXACT)
    assert len(posts(wire_server)) == 1
