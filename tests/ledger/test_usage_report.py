"""What was used, from a real ledger to lines that add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb import ledger
from anyfast_nb.errors import InputError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.views.lines import notes, sections
from anyfast_nb.ledger.views.report import usage
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def write(path: Path, *rows: dict[str, Any]) -> None:
    """Rows as a kernel writes them: begun, and settled if they say how."""
    with Ledger(path) as book:
        for row in rows:
            settled = {name: row.pop(name) for name in ("status", "usage", "duration_s") if name in row}
            made = request_row(**({"time": NOW - timedelta(hours=1)} | row))
            book.begin(made)
            if settled:
                book.settle(made.id, **({"status": Status.OK} | settled))


def tokens(given: int, made: int) -> Usage:
    return Usage(input_tokens=given, output_tokens=made)


@pytest.fixture
def filled(path: Path) -> Path:
    write(
        path,
        {"model": "pro", "usage": tokens(700, 200), "duration_s": 2.0, "notebook": "a.ipynb"},
        {"model": "pro", "usage": tokens(50, 50), "duration_s": 4.0, "status": Status.ERROR},
        {"model": "mini", "usage": tokens(0, 0), "duration_s": 1.0, "time": NOW - timedelta(days=40)},
        {"model": "mini", "title": "<b>x</b>\nnext", "time": NOW - timedelta(minutes=40)},
        {
            "model": "pro",
            "usage": tokens(9, 1),
            "source": Source.SIMULATED,
            "duration_s": 3.0,
            "time": NOW - timedelta(minutes=30),
        },
    )
    return path


def test_by_model_sources_apart(filled: Path) -> None:
    report = usage("month", tz="UTC", path=filled, now=lambda: NOW)
    assert repr(report).splitlines() == [
        "Usage by model · this month, since 2026-11-01",
        "model  requests  errors  tokens in  tokens out  mean time  share of tokens",
        "-----  --------  ------  ---------  ----------  ---------  ----------------",
        "live",
        "pro           2       1        750         250     3.00 s  100 % ██████████",
        "mini          1",
        "-----  --------  ------  ---------  ----------  ---------  ----------------",
        "total         3       1        750         250     3.00 s",
        "",
        "simulated · no money",
        "pro           1                  9           1     3.00 s  100 % ██████████",
        "3 requests without a price · `%anyfast prices set MODEL input=… output=… currency=…` sets it",
        "1 request without known usage: not in the sums",
    ]
    assert "<table>" in report._repr_mimebundle_()["text/html"]


def test_by_day_in_a_zone(filled: Path) -> None:
    report = usage("all", by="day", tz="Asia/Shanghai", source="live", path=filled, now=lambda: NOW)
    lines = repr(report).splitlines()
    assert lines[0] == "Usage by day · all time · source live"
    assert [line.split()[:2] for line in lines[4:6]] == [["2026-10-12", "1"], ["2026-11-21", "3"]]


def test_by_notebook_unknown_is_said(filled: Path) -> None:
    text = repr(usage("all", by="notebook", path=filled, now=lambda: NOW))
    assert "a.ipynb" in text
    assert "no notebook" in text


def test_the_newest(filled: Path) -> None:
    report = usage("week", last=2, tz="Asia/Shanghai", path=filled, now=lambda: NOW)
    assert repr(report).splitlines() == [
        "The newest 2 requests · this week, since 2026-11-16",
        "time                 source     model  status      tokens in  tokens out    took  title",
        "-------------------  ---------  -----  ----------  ---------  ----------  ------  -------------",
        "2026-11-21 02:00:00  simulated  pro    ok                  9           1  3.00 s  Hello",
        "2026-11-21 01:50:00  live       mini   unfinished                                 <b>x</b> next",
    ]
    assert len(report.frame) == 2
    assert "<b>" not in report._repr_mimebundle_()["text/html"]


def test_nothing(path: Path, filled: Path) -> None:
    assert repr(usage("all", path=path.with_name("empty.sqlite3"))) == "The ledger is empty."
    said = repr(usage("yesterday", model="pro", path=filled, now=lambda: NOW + timedelta(days=99)))
    assert said.startswith("No requests: yesterday, 2027-02-26 (model pro)")
    assert "%anyfast usage all" in said


def test_a_budget_stands_below(filled: Path) -> None:
    with Ledger(filled) as book:
        book.set_budget(5_000, "tokens", per="total")
    text = repr(usage("all", path=filled))
    assert "budget 5,000 tokens" in text
    assert "left" in text


def test_budgets_of_notebooks_are_told_without_brackets_in_brackets_and_not_endlessly(filled: Path) -> None:
    with Ledger(filled) as book:
        for per in ("day", "total"):
            book.set_budget(5_000, "tokens", per=per, scope="notebook")
        for number in range(12):
            row = request_row(source=Source.LIVE, notebook=f"notes ({number}).ipynb" if number else None)
            book.begin(row)
            book.settle(row.id, status=Status.OK, usage=Usage(input_tokens=1, output_tokens=1))
    text = repr(usage("all", path=filled))
    assert "each notebook (unknown notebook): " in text
    assert "(notes (1).ipynb)" in text
    assert text.count("budget 5,000 tokens") == 12
    assert "more lines · `%anyfast budget` shows them" in text


def test_what_there_is_not(path: Path) -> None:
    for options in ({"by": "colour"}, {"last": 0}, {"tz": "Asia/Nowhere"}):
        with pytest.raises(InputError):
            usage("all", path=path, **options)  # type: ignore[arg-type]


def test_it_is_at_the_front_door() -> None:
    assert ledger.usage is usage
    assert {"usage", "plot"} <= set(dir(ledger))
    assert ledger.plot.__name__ == "anyfast_nb.ledger.plot"


# --- the sums -----------------------------------------------------------------------------

COUNT = st.one_of(st.none(), st.integers(0, 10**9))
LINE = st.fixed_dictionaries({
    "model": st.sampled_from([None, "a", "b", "模型", *(f"m{number}" for number in range(60))]),
    "source": st.sampled_from(["live", "simulated", "replayed"]),
    "requests": st.integers(1, 1000),
    "errors": st.integers(0, 5),
    "input_tokens": COUNT,
    "cached_tokens": COUNT,
    "output_tokens": COUNT,
    "reasoning_tokens": COUNT,
    "images": COUNT,
    "video_s": st.one_of(st.none(), st.floats(0, 1e4)),
    "cost": st.one_of(st.none(), st.integers(0, 10**6).map(lambda nano: nano / 1000)),
    "currency": st.sampled_from(["USD", "CNY"]),
    "without_usage": st.integers(0, 9),
    "without_price": st.integers(0, 9),
})  # fmt: skip


def totals(lines: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(lines)
    whole = ["requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens",
             "images", "without_usage", "without_price"]  # fmt: skip
    types = dict.fromkeys(whole, "Int64") | {"cost": "Float64", "video_s": "Float64"}
    types |= dict.fromkeys(("model", "source", "currency"), "category")
    return table.astype(types)


@settings(max_examples=40)
@given(st.lists(LINE, min_size=1, max_size=80))
def test_lines_and_totals_are_the_frames_sums(lines: list[dict[str, Any]]) -> None:
    table = totals(lines)
    made = sections(table, by="model")
    assert [section.source for section in made] == [
        source for source in ("live", "simulated", "replayed") if source in set(table["source"])
    ]
    for section in made:
        own = table[table["source"] == section.source]
        for name in ("requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "images"):
            known = own[name].dropna()
            expected = int(known.sum()) if len(known) else None
            assert getattr(section.total, name) == expected
            told = [value for line in section.lines if (value := getattr(line, name)) is not None]
            assert (sum(told) if told else None) == expected
        shares = [line.share for line in section.lines if line.share is not None]
        assert not shares or sum(shares) == pytest.approx(1)
        priced = own[own["cost"].notna()].groupby(own["currency"].astype(str))["cost"].sum()
        expected_costs = dict(priced) if section.source == "live" else {}
        assert dict(section.total.costs) == pytest.approx(expected_costs)
        assert len(section.lines) <= 30
    unknown = int(table["without_usage"].sum())
    assert any(line.startswith(f"{unknown:,} request") for line in notes(table)) == bool(unknown)


def test_a_thousand_models_fit_a_page() -> None:
    unknown = ("cached_tokens", "reasoning_tokens", "images", "video_s", "cost", "currency")
    base = dict.fromkeys(unknown) | {"source": "live", "errors": 0, "without_usage": 0, "without_price": 1}
    table = totals(
        [
            base | {"model": f"model-{number:04}", "requests": 1, "input_tokens": number, "output_tokens": 1}
            for number in range(1000)
        ]
    )
    (section,) = sections(table, by="model")
    assert len(section.lines) == 30
    assert section.lines[0].name == "model-0999"
    assert section.lines[-1].name == "971 others"
    assert section.lines[-1].requests == 971
