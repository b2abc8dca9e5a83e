"""`%anyfast prices` in a real IPython."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from anyfast_nb.errors import ConfigError, InputError
from anyfast_nb.ledger import RequestRow
from anyfast_nb.ledger.prices.book import Prices, prices_path, set_line
from anyfast_nb.ledger.prices.file import HEADER
from anyfast_nb.magics import origin
from anyfast_nb.session import session
from anyfast_nb.wire.values import Source, Status, Usage
from tests.shells import extended_shell

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOME = Usage(10, 5)
Run = Callable[[str], str]


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    with extended_shell() as shell:
        yield shell


@pytest.fixture
def run(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `%anyfast prices …`; gives what it shows as text."""
    shown: list[str] = []
    monkeypatch.setattr(origin, "show", lambda _, bundle: shown.append(bundle["text/plain"]))

    def run(rest: str) -> str:
        shown.clear()
        shell.run_line_magic("anyfast", f"prices {rest}")
        return "\n".join(shown)

    return run


def asked(model: str = "doubao-seed-2.0-lite", usage: Usage = SOME, **changes: Any) -> None:
    """A request of before, in the user's ledger."""
    ledger = session().gateway.ledger
    images = changes.pop("images", None)
    row: dict[str, Any] = {
        "kind": "chat", "source": Source.LIVE, "base_url": "https://x.example", "model": model, "time": NOW,
    }  # fmt: skip
    key = ledger.begin(RequestRow(**(row | changes)))
    ledger.settle(key, status=Status.OK, usage=usage, images=images)


def test_nothing_is_set(run: Run) -> None:
    said = run("")
    assert "No price is set" in said
    assert str(prices_path()) in said
    assert "%anyfast prices set MODEL" in said
    assert "without a price" not in said


def test_of_two_of_one_day_the_one_that_counts_is_listed(run: Run) -> None:
    for number in (1, 3):
        run(f"set lite input={number} output=9 currency=USD")
    run("set lite input=5 output=9 currency=USD from=2026-11-01")
    said = run("")
    assert "1 price in it replaced by a later one" in said
    assert [line.split()[2] for line in said.splitlines() if line.startswith("doubao")] == ["3", "5"]


def test_set_shows_what_it_wrote_and_the_list_has_it(run: Run) -> None:
    said = run('set lite input=0.5 output=2 cached=0.10 currency=usd from=2026-11-01 note="my contract"')
    assert "doubao-seed-2.0-lite: input 0.5, output 2, cached 0.10 USD, from 2026-11-01 (UTC)." in said
    assert str(prices_path()) in said
    run("set seedance video_second=0.1 currency=CNY")
    found = Prices().table().price("lite", at=NOW)
    assert found is not None
    assert (found.input, found.cached, found.note) == (Decimal("0.5"), Decimal("0.1"), "my contract")

    lines = run("").splitlines()
    assert str(prices_path()) in lines[0]
    assert "per 1,000,000" in lines[0]
    assert lines[1].split() == [
        "model", "from", "input", "output", "cached", "film", "second", "currency", "note"
    ]  # fmt: skip
    assert lines[3].split() == [
        "doubao-seed-2.0-lite",
        "2026-11-01",
        "0.5",
        "2",
        "0.10",
        "USD",
        "my",
        "contract",
    ]
    assert lines[4].split() == ["seedance", "always", "0.1", "CNY"]


def test_the_line_that_is_printed_works_when_it_is_filled_in(run: Run) -> None:
    for model, kind in (
        ("lite", "chat"),
        ("seedance", "seedance"),
        ("doubao-seedream-4-5-251128", "seedream"),
    ):
        line = set_line(model, kind)
        rest = line.removeprefix("%anyfast prices ")
        assert rest != line
        with pytest.raises(InputError, match="no number"):
            run(rest)
        run(rest.replace("…", "0.5"))
        assert Prices().table().can_price(kind=kind, models=[model], at=NOW)


def test_requests_without_a_price_are_counted_and_one_line_helps(run: Run) -> None:
    for _ in range(3):
        asked("of-tomorrow")
    asked("mine", Usage(), kind="seedream", images=1, source=Source.SIMULATED)
    said = run("")
    assert "4 requests (3 live, 1 simulated) without a price: of-tomorrow, mine." in said
    assert set_line("of-tomorrow", "chat") in said

    said = run("set of-tomorrow input=1 output=2 currency=USD")
    assert "does not know of-tomorrow" in said
    assert "3 earlier requests can have a cost now: `%anyfast prices reprice`" in said
    said = run("")
    assert "1 request (1 simulated) without a price: mine." in said
    assert set_line("mine", "seedream") in said
    assert "3 requests can be priced by now: `%anyfast prices reprice`" in said

    said = run("reprice")
    assert "3 requests priced: 0.00006 USD live." in said
    assert "1 request of models without a price" in said
    assert "can be priced by now" not in run("")


def test_what_nobody_knows_is_said_to_be_unknown(run: Run) -> None:
    run("set lite input=1 output=2 currency=USD")
    asked(usage=Usage())
    assert "1 request cannot be priced: what it used is not known." in run("")


def test_a_new_request_has_its_cost_at_once_and_all_computes_anew(run: Run) -> None:
    run("set lite input=1 output=2 currency=USD")
    asked()
    assert "0 requests priced." in run("reprice")
    run("set lite input=2 output=4 currency=USD")
    assert "0 requests priced." in run("reprice --all --since 2026-11-22")
    assert "0 requests priced." in run("reprice --all -m pro")
    assert "1 request priced: 0.00004 USD live." in run("reprice --all --since 2026-11-01 --model lite")


def test_the_example_is_the_head_of_the_file(run: Run) -> None:
    assert run("example") == HEADER.rstrip("\n")


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("sett lite", "Did you mean `%anyfast prices set`"),
        ("lite input=1", "There are set, reprice, example"),
        ("set", "no model is named"),
        ("set input=1 currency=USD", "no model is named"),
        ("set lite input=1 output=2", "Add currency=USD"),
        ("set lite inptu=1 currency=USD", "Did you mean input=?"),
        ("set lite what currency=USD", "It has input, output, cached"),
        ("set lite input currency=USD", "Write input=…, without spaces"),
        ("set lite input= currency=USD", "input has no value"),
        ("set lite input=1 input=2 currency=USD", "input comes twice"),
        ("set lite input=cheap currency=USD", "input is 'cheap', which is no number"),
        ("set lite input=-1 currency=USD", "no price is below 0"),
        ("set lite input=1 currency=dollars", "Three letters"),
        ("set lite input=1 currency=USD from=soon", "such as 2026-11-01"),
        ("set lite currency=USD", "at least one of"),
        ("set lite input=1 currency=USD --all", "--all belongs to reprice"),
        ("--since 7d", "--since belongs to reprice"),
        ("reprice lite", "one word too many"),
        ("reprice --al", "Did you mean --all?"),
        ("example now", "one word too many"),
    ],
)
def test_what_is_written_wrong(run: Run, rest: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        run(rest)
    assert says in str(caught.value)
    assert not prices_path().exists()


def test_reprice_refuses_a_period_that_is_none(run: Run) -> None:
    run("set lite input=1 output=2 currency=USD")
    for since in ("sometime", "2026-11-01..2026-11-07"):
        with pytest.raises(InputError):
            run(f"reprice --since {since}")


def test_reprice_without_prices_says_how_to_set_one(run: Run) -> None:
    with pytest.raises(InputError, match=r"no price is set in(.|\n)*%anyfast prices set MODEL"):
        run("reprice")


def test_a_broken_file_names_its_line(run: Run) -> None:
    prices_path().parent.mkdir(parents=True, exist_ok=True)
    prices_path().write_text("\n[[price]]\nmodel = 3\n")
    for rest in ("", "reprice", "set lite input=1 currency=USD"):
        with pytest.raises(ConfigError, match="line 3"):
            run(rest)


def test_another_file_by_the_environment(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_PRICES", str(tmp_path / "ours.toml"))
    assert str(tmp_path / "ours.toml") in run("set lite input=1 output=2 currency=USD")
    assert (tmp_path / "ours.toml").exists()


@pytest.mark.parametrize("line", ["prices -h", "prices --help", "help prices", "prices?"])
def test_help(shell: InteractiveShell, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("anyfast", line)
    said = capsys.readouterr().out
    assert "%anyfast prices set MODEL" in said
    assert "video_second=" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%anyfast pri", ["prices"]),
        ("%anyfast prices ", ["set", "reprice", "example"]),
        ("%anyfast prices re", ["reprice"]),
        ("%anyfast prices set doubao-seed-2.0-li", ["doubao-seed-2.0-lite"]),
        ("%anyfast prices set kling-v2-6 vid", ["video_second=", "video_token="]),
        ("%anyfast prices set lite input=1 ou", ["output="]),
        ("%anyfast prices set lite input=1 inp", []),
        ("%anyfast prices set lite currency=", ["currency=CNY", "currency=USD"]),
        ("%anyfast prices set lite fr", ["from="]),
        ("%anyfast prices reprice --s", ["--since"]),
        ("%anyfast prices reprice --model kling-v2-6", ["kling-v2-6"]),
        ("%anyfast help pri", ["prices"]),
    ],
)
def test_completion(shell: Any, text: str, expected: list[str]) -> None:
    with provisionalcompleter():
        assert [found.text for found in shell.Completer.completions(text, len(text))] == expected


def test_completion_offers_the_currencies_in_use(shell: Any) -> None:
    Prices().set("lite", currency="EUR", input=1)
    text = "%anyfast prices set pro currency="
    with provisionalcompleter():
        assert [found.text for found in shell.Completer.completions(text, len(text))] == ["currency=EUR"]
