"""The table of what was used: as text, as HTML that holds nothing but text."""

from __future__ import annotations

import re

import pytest

from anyfast_nb.ledger.views.palette import contrast
from anyfast_nb.render.usage import (
    BAR_COLOUR,
    UsageLine,
    UsageSection,
    money,
    money_places,
    newest_bundle,
    number,
    percent,
    seconds,
    usage_bundle,
)

LIVE = UsageSection(
    "live",
    (
        UsageLine(
            name="seed-2.0-pro", requests=1_204, errors=3, input_tokens=12_345_678, output_tokens=98_765,
            costs=(("USD", 4.2),), unpriced=2, mean_s=3.25, share=0.9,
        ),
        UsageLine(
            name="模型一号", requests=7, input_tokens=1_200, output_tokens=80, costs=(("USD", 0.0042),),
            mean_s=75.0, share=0.1,
        ),
    ),
    UsageLine(
        name="total", requests=1_211, errors=3, input_tokens=12_346_878, output_tokens=98_845,
        costs=(("USD", 4.2042),), unpriced=2, mean_s=3.7,
    ),
)  # fmt: skip
SIMULATED = UsageSection(
    "simulated",
    (UsageLine(name="seed-2.0-pro", requests=2, share=None),),
    UsageLine(name="total", requests=2),
)


def test_golden_text() -> None:
    bundle = usage_bundle(
        [LIVE, SIMULATED], key="model", caption="Usage by model · this month", share_of="tokens",
        notes=["2 requests without a price"],
    )  # fmt: skip
    assert bundle["text/plain"].splitlines() == [
        "Usage by model · this month",
        "model         requests  errors  tokens in  tokens out          cost  mean time  share of tokens",
        "------------  --------  ------  ---------  ----------  ------------  ---------  ---------------",
        "live",
        "seed-2.0-pro     1,204       3     12.35M      98,765  ≥ 4.2000 USD     3.25 s   90 % █████████",
        "模型一号             7              1,200          80    0.0042 USD     75.0 s   10 % █",
        "------------  --------  ------  ---------  ----------  ------------  ---------  ---------------",
        "total            1,211       3     12.35M      98,845  ≥ 4.2042 USD     3.70 s",
        "",
        "simulated · no money",
        "seed-2.0-pro         2",
        "2 requests without a price",
    ]


def test_html_has_a_bar_for_each_share() -> None:
    html = usage_bundle([LIVE, SIMULATED], key="model", caption="c", share_of="tokens")["text/html"]
    assert re.findall(r"width:([\d.]+)%", html) == ["90.0", "10.0"]
    assert html.count("<tbody>") == 2
    assert html.count('<th style="text-align:right') - html.count("<thead>") >= 5  # a total stands out
    assert "<script" not in html
    for background in ("#ffffff", "#111111"):
        assert contrast(BAR_COLOUR, background) >= 3


def test_no_share_and_no_empty_column_for_one_line() -> None:
    text = usage_bundle([SIMULATED], key="model", caption="c", share_of="tokens")["text/plain"]
    assert text.splitlines()[1].split() == ["model", "requests"]
    assert "share" not in text


def test_each_currency_has_its_column() -> None:
    line = UsageLine(name="m", requests=2, costs=(("CNY", 1.0), ("USD", 2.0)))
    text = usage_bundle([UsageSection("live", (line,), line)], key="model", caption="", share_of="tokens")[
        "text/plain"
    ]
    assert "1.00 CNY  2.00 USD" in text


HOSTILE = '<script>alert(1)</script><img src=x onerror="hit()">\x1b[31m\n$\\href{javascript:x}{y}$'


@pytest.mark.parametrize("place", ["name", "caption", "note", "title"])
def test_hostile_names_stay_text(place: str) -> None:
    line = UsageLine(name=HOSTILE if place == "name" else "m", requests=1)
    if place == "title":
        bundle = newest_bundle([["now", HOSTILE]], columns=["time", "title"], right=(), caption="c")
    else:
        bundle = usage_bundle(
            [UsageSection("live", (line,), line)],
            key="model",
            caption=HOSTILE if place == "caption" else "c",
            share_of="tokens",
            notes=[HOSTILE] if place == "note" else [],
        )
    html = bundle["text/html"].replace("<style>", "").replace("</style>", "")
    assert set(re.findall(r"<([a-z]+)", html)) <= {
        "div", "small", "table", "thead", "tbody", "tr", "th", "td", "em", "span", "br",
    }  # fmt: skip
    assert "$" not in re.sub(r"<span>[$\\]</span>", "", html)  # nothing that a typesetter would take
    assert "\x1b" not in bundle["text/plain"]


def test_newest_leaves_out_what_is_empty_everywhere() -> None:
    bundle = newest_bundle(
        [["12:00", "", "7"], ["12:01", "", "1,234"]],
        columns=["time", "cost", "tokens"],
        right=(1, 2),
        caption="N",
    )
    assert bundle["text/plain"].splitlines() == [
        "N", "time   tokens", "-----  ------", "12:00       7", "12:01   1,234",
    ]  # fmt: skip
    assert "cost" not in bundle["text/html"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (0, "0"), (999, "999"), (1_234_567, "1,234,567"), (9_999_999, "9,999,999"),
        (12_345_678, "12.35M"), (2_500_000_000, "2.50G"), (4.25, "4.2"),
    ],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.836, "0.84 s"), (12.54, "12.5 s"), (200, "3 min 20 s"), (7_260, "2 h 01 min")],
)
def test_seconds(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_money_has_the_places_it_needs() -> None:
    assert money(1234.5) == "1,234.50"
    assert money(0.0123) == "0.012"
    assert money(0.00000001) == "<0.000001"
    assert money(0.0) == "0.00"
    assert money_places([12.0, 0.0042]) == 4
    assert money_places([]) == 2


def test_percent() -> None:
    assert [percent(share) for share in (None, 0, 0.001, 0.456, 1.0)] == ["", "0 %", "<1 %", "46 %", "100 %"]


def test_a_narrow_page_scrolls_the_table_in_its_own_box_without_its_bars() -> None:
    html = usage_bundle([LIVE, SIMULATED], key="model", caption="c", share_of="tokens")["text/html"]
    assert '<div class="anyfast-wide" style="overflow-x:auto"><table>' in html
    assert "::-webkit-scrollbar" in html  # always there: those of a system may hide
    assert '<td class="anyfast-bar"' in html
    heads, _, figures = html.partition("</thead>")
    assert "nowrap" not in heads.partition("<table>")[2]
    assert "nowrap" in figures
