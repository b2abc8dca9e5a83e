"""The usage panel over a ledger of every sort: tables, charts, budgets, prices; sources never mixed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import anyfast_nb as af
from anyfast_nb.ledger import ledger_path
from anyfast_nb.panels.usage import UsagePanel
from anyfast_nb.session import Session
from tests.ledger import made
from tests.panels.pressing import acts, copied, let_go, own_session, press, rested, text_of, widget


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.setenv("ANYFAST_BASE_URL", "simulator")
    monkeypatch.chdir(tmp_path)
    own = own_session(monkeypatch)
    yield own
    let_go(own)


@pytest.fixture
def panel(own: Session) -> Iterator[UsagePanel]:
    made.write(ledger_path(), made.many(120))
    panel = UsagePanel(session=own)
    widget(panel, "Chart").value = ""  # drawing takes long, and few tests look at it
    widget(panel, "Period").value = "all"
    rested(panel)
    yield panel
    panel.close()


def table(panel: UsagePanel) -> str:
    return panel._board_of_figures.pieces["table"]


def test_sources_stand_apart_with_their_own_totals(panel: UsagePanel) -> None:
    frame = af.ledger.by_model()
    counts = frame.groupby("source", observed=True)["requests"].sum()
    totals = re.findall(r'<tr class="anyfast-whole-sum">.*?</th><td[^>]*>([\d,]+)</td>', table(panel))
    assert sorted(map(int, totals)) == sorted(map(int, counts))
    assert "simulated · no money" in text_of(panel._board_of_figures)
    widget(panel, "Source").value = "simulated"
    rested(panel)
    assert "live" not in table(panel)
    assert panel.as_magic() == "%anyfast usage all --by model --source simulated"
    assert copied(panel._board_of_figures, "magic") == panel.as_magic()


@pytest.mark.parametrize("by", ["day", "notebook", "user", "thread", "kind"])
def test_by_each_of_them(panel: UsagePanel, by: str) -> None:
    widget(panel, "By").value = by
    rested(panel)
    assert f'<th scope="col">{by}</th>' in table(panel)
    assert table(panel).count("anyfast-origin") == 3


def test_a_chart_in_both_themes_says_what_it_shows(panel: UsagePanel) -> None:
    assert "chart" not in panel._board_of_figures.pieces
    widget(panel, "Chart").value = "tokens"
    rested(panel)
    assert panel.as_magic().endswith("--plot")
    piece = panel._board_of_figures.pieces["chart"]
    media = re.findall(
        r'class="anyfast-(light|dark)" data-medium="(\w+)" alt="(Tokens by day · live[^"]+)"', piece
    )
    assert [theme for theme, _, _ in media] == ["light", "dark"]
    files = [panel._board_of_figures._media[name].read_bytes() for _, name, _ in media]
    assert all(data.startswith(b"\x89PNG") for data in files)
    assert files[0] != files[1]
    widget(panel, "Chart").value = ""
    rested(panel)
    assert "chart" not in panel._board_of_figures.pieces
    assert "--plot" not in panel.as_magic()


def test_a_wrong_period_is_told_and_the_panel_goes_on(panel: UsagePanel) -> None:
    widget(panel, "Period").value = "last summer"
    rested(panel)
    assert "last summer" in text_of(panel._memos.board)
    widget(panel, "Period").value = "all"
    rested(panel)
    assert not panel._memos.board.pieces
    widget(panel, "Period").value = "2031-01-01"
    rested(panel)
    assert "No requests" in text_of(panel._board_of_figures)


def test_a_budget_is_set_shown_refused_and_ended(panel: UsagePanel, own: Session) -> None:
    assert "No budget is set" in text_of(panel._board_of_budgets)
    widget(panel, "Amount").value = "5"
    widget(panel, "Set budget").click()
    rested(panel)
    assert "the unit is missing" in text_of(panel._memos.board)
    assert own.gateway.ledger.budgets() == []
    widget(panel, "Amount").value = "200k tokens"
    widget(panel, "Per").value = "week"
    widget(panel, "For").value = "notebook"
    widget(panel, "If beyond").value = False
    widget(panel, "Set budget").click()
    rested(panel)
    (state,) = own.gateway.ledger.budgets()
    assert (state.budget.amount, state.budget.per.value, state.budget.hard) == (200_000, "week", False)
    shown = text_of(panel._board_of_budgets)
    assert "200,000 tokens a week · for each notebook · only warns" in shown
    assert "0 % · 0 tokens spent · 200,000 tokens left" in shown
    assert 'role="meter"' in " ".join(panel._board_of_budgets.pieces.values())
    end = f"end:{state.budget.id}"
    press(panel._board_of_budgets, end)
    rested(panel)
    assert len(own.gateway.ledger.budgets()) == 1  # once is not enough
    assert "Press again to end" in text_of(panel._board_of_budgets)
    press(panel._board_of_budgets, end)
    rested(panel)
    assert own.gateway.ledger.budgets() == []


def test_models_without_a_price_get_one(panel: UsagePanel) -> None:
    toggle = panel._price_form.toggle
    before = int(re.search(r"\((\d+) requests", toggle.description)[1])  # type: ignore[index]
    toggle.value = True
    press(panel._board_of_prices, "price:mini")
    assert widget(panel, "Model").value == "mini"
    widget(panel, "Currency").value = "USD"
    widget(panel, "Set price").click()
    rested(panel)
    assert "at least one price" in text_of(panel._memos.board)
    widget(panel, "Input").value = "a lot"
    widget(panel, "Set price").click()
    rested(panel)
    assert "a lot" in text_of(panel._memos.board)
    widget(panel, "Input").value = "0.5"
    widget(panel, "Output").value = "1"
    widget(panel, "Picture").value = "1"
    widget(panel, "Film second").value = "1"
    widget(panel, "Set price").click()
    rested(panel)
    assert "has a price now" in text_of(panel._memos.board)
    (price,) = af.ledger.price_list().to_dict("records")
    assert (price["input"], price["currency"]) == (0.5, "USD")
    rested(panel)
    assert "price:mini" not in acts(panel._board_of_prices)
    assert "(" in toggle.description
    assert int(re.search(r"\((\d+) requests", toggle.description)[1]) < before  # type: ignore[index]
    press(panel._board_of_prices, "reprice:")
    rested(panel)
    assert "have a cost now" in text_of(panel._memos.board)


def test_the_figures_as_csv(panel: UsagePanel, tmp_path: Path) -> None:
    widget(panel, "Export CSV").click()
    rested(panel)
    (file,) = tmp_path.glob("usage-by-model-*.csv")
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert {row["source"] for row in rows} == {"live", "simulated", "replayed"}
    assert file.name in text_of(panel._memos.board)


def test_what_stays_is_the_table(panel: UsagePanel) -> None:
    essence = panel.essence()
    assert "<table>" in essence["text/html"]
    assert "simulated · no money" in essence["text/plain"]


def test_in_chinese(panel: UsagePanel, own: Session) -> None:
    own.configure(language="zh")
    panel.relabel()
    assert widget(panel, "时间").value == "all"
    assert "合计" in text_of(panel._board_of_figures)
    assert "输入令牌" in text_of(panel._board_of_figures)


@pytest.mark.parametrize(("period", "said"), [("week", r"this week · since DAY"), ("today", r"today · DAY")])
def test_the_period_is_said_with_its_days(panel: UsagePanel, period: str, said: str) -> None:
    widget(panel, "Period").value = period
    rested(panel)
    assert re.search(said.replace("DAY", r"\d{4}-\d\d-\d\d\b(?! –)"), text_of(panel._board_of_figures))
