"""`%anyfast usage`: a period, filters, single requests, charts."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.magics.complete import candidates
from anyfast_nb.magics.usage_verbs import usage
from anyfast_nb.session import Session
from anyfast_nb.wire.values import Source, Status, Usage


@pytest.fixture
def filled() -> None:
    """Two live models now, one simulated, and a live one of last year."""
    now = datetime.now(UTC)
    sent = (
        ("pro", Source.LIVE, now),
        ("mini", Source.LIVE, now),
        ("mini", Source.SIMULATED, now),
        ("old", Source.LIVE, now - timedelta(days=400)),
    )
    with Ledger() as book:
        for model, source, when in sent:
            row = RequestRow(
                kind="chat", source=source, base_url="https://x.example", model=model, title="Why?", time=when
            )
            book.begin(row)
            book.settle(
                row.id, status=Status.OK, usage=Usage(input_tokens=10, output_tokens=5), duration_s=1.5
            )


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    return []


Asks = Callable[[str], str]


@pytest.fixture
def ask(shown: list[dict[str, Any]]) -> Asks:
    """Runs the verb; gives the text of what it showed first."""

    def run(line: str) -> str:
        shown.clear()
        usage(Session(), line, shown.append)
        return str(shown[0]["text/plain"])

    return run


@pytest.mark.usefixtures("filled")
def test_this_month_by_model(ask: Asks, shown: list[dict[str, Any]]) -> None:
    text = ask("")
    assert text.startswith("Usage by model · this month, since ")
    assert "simulated · no money" in text
    assert "old" not in text
    assert len(shown) == 1


@pytest.mark.usefixtures("filled")
def test_periods_and_filters(ask: Asks) -> None:
    assert "old" in ask("all")
    assert "pro" not in ask("all --model mini --model old")
    assert str(10**30) not in ask(f"all --last {10**30}")
    assert "simulated" not in ask("24h --source live --by kind")
    assert ask("7d --by day --tz Asia/Shanghai").startswith("Usage by day · the last 7 days")
    assert ask("yesterday").startswith("No requests: yesterday")


@pytest.mark.usefixtures("filled")
def test_the_newest(ask: Asks) -> None:
    lines = ask("all --last 3").splitlines()
    assert lines[0] == "The newest 3 requests · all time"
    assert len(lines) == 6
    assert "Why?" in lines[3]


@pytest.mark.usefixtures("filled")
def test_charts_come_below_the_table(ask: Asks, shown: list[dict[str, Any]]) -> None:
    ask("all --plot --theme dark --source simulated")
    table, chart = shown
    assert "<table>" in table["text/html"]
    assert chart["text/html"].count("<img") == 1
    assert chart["text/plain"].startswith("Tokens by day · simulated: 15 tokens in all")


def test_an_empty_ledger_has_no_chart(ask: Asks, shown: list[dict[str, Any]]) -> None:
    assert ask("all --plot") == "The ledger is empty."
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tomorrow", "is no period"),
        ("week month", "one word too many"),
        ("--by colour", "--by"),
        ("--plott", "Did you mean --plot?"),
        ("--tz Asia/Nowhere", "no time zone"),
        ("--last 0", "below 1"),
        ("--kind film", "seedance"),
        ("--source sim", "simulated"),
    ],
)
def test_what_is_refused(ask: Asks, line: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(line)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%anyfast usage we", ["week"]),
        ("%anyfast usage week --by no", ["notebook"]),
        ("%anyfast usage --source sim", ["simulated"]),
        ("%anyfast usage --theme=da", ["dark"]),
        ("%anyfast usage --tz Asia/Shang", ["Asia/Shanghai"]),
        ("%anyfast usage --pl", ["--plot"]),
        ("%anyfast usage --kind see", ["seedream", "seedance"]),
    ],
)
def test_completion(line: str, expected: list[str]) -> None:
    found = candidates(line, 0, len(line), shell=None, session=Session())
    assert found is not None
    assert found[1] == expected


@pytest.mark.usefixtures("filled")
def test_what_the_ledger_has_to_tell_stands_above_the_table(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from anyfast_nb.ledger.views import report

    real = report.usage

    def warned(*given: Any, **more: Any) -> Any:
        warnings.warn("The ledger is brought to schema 4.", stacklevel=2)
        return real(*given, **more)

    monkeypatch.setattr(report, "usage", warned)
    usage(Session(), "all", shown.append)
    assert [one["text/plain"].split("\n")[0] for one in shown] == [
        "The ledger is brought to schema 4.",
        "Usage by model · all time",
    ]


def test_what_the_ledger_says_of_itself_is_said_once(filled: None, shown: list[dict[str, Any]]) -> None:
    with Ledger() as book, book.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO schema_version VALUES (99, 0)")
    own = Session()
    usage(own, "all", shown.append)
    usage(own, "week", shown.append)
    newer = ["schema 99" in one["text/plain"] for one in shown]
    assert newer == [True, False, False]


def test_single_requests_are_not_added_up(ask: Asks) -> None:
    with pytest.raises(InputError, match="last=3 lists requests") as caught:
        ask("all --last 3 --by day")
    assert caught.value.field == "by"
