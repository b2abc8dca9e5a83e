"""`--dry-run`: what a request may use and cost at most, and what a budget would say; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.errors import NotAllowedError
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.magics.chat import chat
from anyfast_nb.magics.film import film, pictures
from anyfast_nb.session import Session
from tests.wire_server import WireServer


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as found:
        yield found


@pytest.fixture
def live(wire_server: WireServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """A server that is taken for the real one; nothing may come to it."""
    monkeypatch.setenv("ANYFAST_BASE_URL", wire_server.url)
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-live-0123456789abcdef")
    yield wire_server
    assert not wire_server.requests


def shown(run: Any, *arguments: Any) -> str:
    bundles: list[Any] = []
    run(Session(), SimpleNamespace(user_ns={}), *arguments, show=bundles.append)
    return "\n".join(bundle["text/plain"] for bundle in bundles)


def test_a_chat_shows_its_worst_case(live: WireServer) -> None:
    text = shown(chat, "-m pro --max-tokens 400 --dry-run", "Hello")
    assert "tokens in and 400 out, no price set (%anyfast prices set doubao-seed-2.0-pro" in text
    assert "budget" not in text


def test_a_chat_shows_its_price(live: WireServer) -> None:
    Prices().set("pro", currency="USD", input=0, output=10)
    assert "and 400 out, 0.004 USD" in shown(chat, "-m pro --max-tokens 400 --dry-run", "Hello")


def test_a_chat_without_a_bound_says_what_gives_one(live: WireServer) -> None:
    assert "--max-tokens N (max_tokens=N) gives a bound" in shown(chat, "-m of-tomorrow --dry-run", "Hello")


def test_a_chat_shows_that_a_budget_refuses_it(live: WireServer, ledger: Ledger) -> None:
    ledger.set_budget(100, "tokens", per="day")
    text = shown(chat, "-m pro --max-tokens 400 --dry-run", "Hello")
    assert "a budget refuses it: The budget of 100 tokens a day has 100 tokens left" in text
    assert ledger.budgets()[0].reserved == 0


def test_a_chat_is_looked_at_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_BASE_URL", "https://example.com")
    assert "and 400 out" in shown(chat, "-m pro --max-tokens 400 --dry-run", "Hello")


def test_what_is_not_allowed_says_so(live: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_ALLOW", "chat:mini")
    with pytest.raises(NotAllowedError, match="allows chat:mini"):
        shown(chat, "-m pro --dry-run", "Hello")
    with pytest.raises(NotAllowedError, match="allows chat:mini"):
        shown(film, "seedance", '"A cat" --dry-run', None)


def test_a_film_shows_its_price_and_its_budget(live: WireServer, ledger: Ledger) -> None:
    line = '"A cat" --resolution 720p --ratio 16:9 --duration 5 --dry-run'
    assert "no price set" in shown(film, "seedance", line, None)
    Prices().set("seedance", currency="USD", video_token=10)
    ledger.set_budget(100, "tokens", per="day")
    text = shown(film, "seedance", line, None)
    assert "about 1.09 USD" in text
    assert "a budget refuses it" in text


def test_pictures_show_their_price(live: WireServer) -> None:
    Prices().set("doubao-seedream-5-0-260128", currency="CNY", image="0.2")
    assert "about 0.60 CNY" in shown(pictures, '"kites" --count 3 --dry-run', None)
