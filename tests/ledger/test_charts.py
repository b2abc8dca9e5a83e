"""The charts: what they draw, say, and leave alone."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import dates, font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.ledger import Ledger, plot
from anyfast_nb.ledger.views import charts
from anyfast_nb.ledger.views import data as chart_data
from anyfast_nb.ledger.views.charts import Chart, cjk_fonts, label, short
from anyfast_nb.ledger.views.palette import BACKGROUNDS, PALETTES, contrast
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row

mdates: Any = dates  # it has no types

HOSTILE = "<b>$x_1$</b>\n\x1b[31m\\frac{"


def totals(keys: list[Any], *, by: str = "day", source: str = "live", **changes: Any) -> pd.DataFrame:
    """Totals of these days or models: 300 tokens in and 100 out each, and half a dollar."""
    count = len(keys)
    columns: dict[str, Any] = {
        by: pd.to_datetime(pd.Series(keys, dtype="object")) if by == "day" else pd.Categorical(keys),
        "source": pd.Categorical([source] * count, categories=["live", "simulated", "replayed"]),
        "requests": pd.array([2] * count, dtype="Int64"),
        "input_tokens": pd.array([300] * count, dtype="Int64"),
        "output_tokens": pd.array([100] * count, dtype="Int64"),
        "cost": pd.array([0.5] * count, dtype="Float64"),
        "currency": pd.Categorical(["USD"] * count),
        "without_usage": pd.array([0] * count, dtype="Int64"),
        "without_price": pd.array([0] * count, dtype="Int64"),
    }
    return pd.DataFrame(columns | changes)


def rows(*models: str, **changes: Any) -> pd.DataFrame:
    """Requests, one for each name."""
    count = len(models)
    columns: dict[str, Any] = {
        "time": pd.date_range("2026-11-01", periods=count, freq="h", tz="UTC"),
        "source": ["live"] * count,
        "model": list(models),
        "duration_s": pd.array([2.0 + number for number in range(count)], dtype="Float64"),
        "ttft_s": pd.array([0.5] * count, dtype="Float64"),
    }
    return pd.DataFrame(columns | changes)


def jobs(*statuses: str, title: str = "A cat") -> pd.DataFrame:
    """Jobs that took a minute each, if they ended."""
    start = pd.Timestamp("2026-11-01 09:00", tz="UTC")
    ended = {"succeeded", "failed", "cancelled", "expired"}
    return pd.DataFrame({
        "time": [start + pd.Timedelta(minutes=number) for number in range(len(statuses))],
        "finished": pd.to_datetime(
            [start + pd.Timedelta(minutes=number + 1) if status in ended else None
             for number, status in enumerate(statuses)], utc=True),
        "status": list(statuses),
        "source": "live",
        "kind": "seedance",
        "title": title,
    })  # fmt: skip


def picture(chart: Chart | Axes) -> Image.Image:
    assert isinstance(chart, Chart)
    png = chart.png()
    assert len(png) < 110_000  # 150 kB as it is kept
    return Image.open(io.BytesIO(png)).convert("RGBA")


def texts(figure: Figure | Axes) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]


def only(chart: Chart | Axes) -> Axes:
    assert isinstance(chart, Chart)
    (axes,) = chart.axes
    return axes


# --- colours ------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", list(PALETTES))
def test_every_colour_reads_on_its_background(theme: str) -> None:
    palette = PALETTES[theme]
    for background in BACKGROUNDS[theme]:
        for colour in (palette.ink, palette.quiet, *palette.series):
            assert contrast(colour, background) >= 3
        assert contrast(palette.ink, background) >= 3.9
    assert len(set(palette.series)) == len(palette.series)


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("theme", "corner"), [("light", (255, 255, 255, 255)), ("dark", (17, 17, 17, 255))])
def test_a_theme_has_its_own_ground(theme: Any, corner: tuple[int, ...]) -> None:
    found = picture(plot.tokens(totals(["2026-11-01"]), theme=theme)).getpixel((2, 2))
    assert isinstance(found, tuple)
    assert max(abs(one - other) for one, other in zip(found, corner, strict=True)) <= 2


def test_auto_has_no_ground_at_all() -> None:
    found = picture(plot.tokens(totals(["2026-11-01"]))).getpixel((2, 2))
    assert isinstance(found, tuple)
    assert found[3] == 0


def test_no_series_is_told_by_colour_alone() -> None:
    bars = only(plot.tokens(totals(["2026-11-01", "2026-11-02"]))).containers
    assert len({bar.patches[0].get_hatch() for bar in bars}) == 2  # type: ignore[attr-defined]
    statuses = ("succeeded", "failed", "cancelled", "expired", "running", "queued", "submit_unknown")
    explained = only(plot.jobs(jobs(*statuses))).get_legend()
    assert explained is not None
    assert len({handle.get_marker() for handle in explained.legend_handles}) == len(statuses)  # type: ignore[union-attr]


# --- what is drawn ------------------------------------------------------------------------


def test_days_without_requests_keep_their_place() -> None:
    axes = only(plot.tokens(totals(["2026-11-01", "2026-11-04"])))
    inside, outside = axes.containers
    assert [bar.get_height() for bar in inside] == [300, 0, 0, 300]  # type: ignore[attr-defined]
    assert [bar.get_y() for bar in outside] == [300, 0, 0, 300]  # type: ignore[attr-defined]
    assert axes.get_ylabel() == "tokens"
    assert axes.get_title(loc="left") == "Tokens by day · live"


def test_a_year_is_drawn_by_week_and_adds_up() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    chart = plot.tokens(totals(days))
    axes = only(chart)
    assert axes.get_title(loc="left") == "Tokens by week · live"
    heights = [bar.get_height() for bar in axes.containers[0]]  # type: ignore[attr-defined]
    assert len(heights) == 53
    assert sum(heights) == 365 * 300
    picture(chart)


def test_a_thousand_models_are_eight_and_the_others() -> None:
    names = [f"model-{number}" for number in range(1000)]
    axes = only(plot.tokens(totals(names, by="model"), by="model"))
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert len(labels) == 9
    assert labels[-1] == "992 others"
    assert sum(bar.get_width() for group in axes.containers for bar in group) == 1000 * 400  # type: ignore[attr-defined]


def test_sources_are_never_mixed() -> None:
    mixed = pd.concat([totals(["2026-11-01"]), totals(["2026-11-01"], source="simulated")])
    axes = only(plot.tokens(mixed))
    assert axes.containers[0][0].get_height() == 300  # type: ignore[attr-defined]
    simulated = only(plot.tokens(totals(["2026-11-01"], source="simulated")))
    assert simulated.get_title(loc="left") == "Tokens by day · simulated"
    assert "nothing here yet" in texts(plot.cost(totals(["2026-11-01"], source="simulated")))


def test_unknown_costs_are_counted_and_currencies_kept_apart() -> None:
    table = totals(
        ["2026-11-01", "2026-11-02", "2026-11-03"],
        cost=pd.array([1.0, 2.0, None], dtype="Float64"),
        currency=["USD", "CNY", None],
        requests=pd.array([5, 2, 9], dtype="Int64"),
        without_price=pd.array([1, 0, 9], dtype="Int64"),
    )
    chart = plot.cost(table)
    assert isinstance(chart, Chart)
    assert only(chart).get_ylabel() == "USD"
    assert chart.says == (
        "Cost by day · USD: 1 USD in all, 2026-11-01 to 2026-11-01, most on 2026-11-01 (1). "
        "10 requests without a price are not in it. Not in it: CNY."
    )
    other = plot.cost(table, currency="CNY")
    assert [bar.get_height() for bar in only(other).containers[0]] == [2.0]  # type: ignore[attr-defined]


def test_latency_is_logarithmic_and_by_model() -> None:
    chart = plot.latency(rows("a", "a", "b", ttft_s=pd.array([0.1, None, None], dtype="Float64")))
    axes = only(chart)
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a (2)", "b (1)"]
    assert axes.get_xlabel() == "seconds, logarithmic"
    picture(chart)


def test_one_row_and_nothing_known() -> None:
    picture(plot.latency(rows("a")))
    assert "nothing here yet" in texts(plot.latency(rows("a", duration_s=pd.array([None], dtype="Float64"))))


def test_jobs_in_their_zone() -> None:
    chart = plot.jobs(jobs("succeeded", "failed"), tz="Asia/Shanghai")
    picture(chart)
    assert any("17:0" in text for text in texts(chart))  # 09:00 UTC
    assert isinstance(chart, Chart)
    assert chart.says == "Jobs · live: 1 succeeded, 1 failed."


def test_many_jobs_are_the_newest() -> None:
    chart = plot.jobs(jobs(*["succeeded"] * 500))
    assert only(chart).get_title(loc="left") == "Jobs · live · the newest 60 of 500"
    picture(chart)


def test_a_job_under_way_reaches_to_now() -> None:
    now = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    (span,) = chart_data.spans(jobs("running"), now=now)
    assert span.end == now
    (doubtful,) = chart_data.spans(jobs("submit_unknown"), now=now)
    assert doubtful.end == doubtful.start


@pytest.mark.parametrize("by", ["day", "model"])
def test_nothing_is_said_quietly(by: Any) -> None:
    for chart in (plot.tokens(totals([], by=by), by=by), plot.cost(totals([], by=by), by=by)):
        assert isinstance(chart, Chart)
        assert "nothing here yet" in texts(chart)
        assert "nothing" in chart.says
        picture(chart)
    assert "nothing here yet" in texts(plot.jobs(jobs()))
    assert "nothing here yet" in texts(plot.latency(rows()))


def test_hostile_names_stay_text() -> None:
    chart = plot.tokens(totals([HOSTILE, "b"], by="model"), by="model")
    picture(chart)  # maths that cannot be parsed would fail here
    assert "<b>$x_1$</b> [31m\\frac{" in texts(chart)
    assert isinstance(chart, Chart)
    html = chart._repr_mimebundle_()[0]["text/html"]
    assert "<b>" not in html
    assert "\x1b" not in html
    picture(plot.jobs(jobs("succeeded", title=HOSTILE)))


# --- from the ledger ----------------------------------------------------------------------


@pytest.fixture
def filled(path: Path) -> Path:
    with Ledger(path) as book:
        for number in range(30):
            source = Source.SIMULATED if number % 5 == 0 else Source.LIVE
            when = datetime(2026, 11, 1 + number % 9, 20, tzinfo=UTC)
            row = request_row(model=f"m{number % 3}", source=source, time=when)
            book.begin(row)
            book.settle(
                row.id,
                status=Status.OK,
                usage=Usage(input_tokens=10, output_tokens=5),
                duration_s=1.0 + number,
                ttft_s=0.5,
            )
    return path


def test_an_overview_of_a_ledger(filled: Path) -> None:
    chart = plot.overview("all", path=filled, tz="Asia/Shanghai")
    titles = [axes.get_title(loc="left") for axes in chart.axes]
    assert titles == ["Tokens by day · live", "Tokens by model · live", "Time of a request by model · live"]
    assert "2026-11-02 to 2026-11-10" in chart.says  # 20:00 UTC is the next day there
    assert "360 tokens in all" in chart.says
    bundle, metadata = chart._repr_mimebundle_()
    assert bundle["text/plain"] == chart.says
    assert f'alt="{chart.says}"' in bundle["text/html"]
    assert metadata["image/png"]["alt"] == chart.says
    assert len(bundle["text/html"]) < 150_000


def test_filters_periods_and_frames_say_the_same(filled: Path) -> None:
    from anyfast_nb.ledger import by_day, frame

    asked = plot.tokens("2026-11-03..2026-11-05", model="m1", source="live", path=filled, tz="UTC")
    narrowed = {"until": "2026-11-06", "model": "m1", "source": "live", "path": filled}
    of_rows = plot.tokens(frame("2026-11-03", columns="all", **narrowed), tz="UTC")  # type: ignore[arg-type]
    of_totals = plot.tokens(by_day("2026-11-03", tz="UTC", **narrowed))  # type: ignore[arg-type]
    drawn = [[bar.get_height() for group in only(one).containers for bar in group]  # type: ignore[attr-defined]
             for one in (asked, of_rows, of_totals)]  # fmt: skip
    assert drawn[0] == drawn[1] == drawn[2]
    assert sum(drawn[0]) > 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"theme": "blue"}, "light, dark, auto"),
        ({"by": "hour"}, "by='day'"),
        ({"tz": "Asia/Nowhere"}, "Asia/Shanghai"),
        ({"model": "m"}, "Narrow the frame"),
    ],
)
def test_what_there_is_not(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        plot.tokens(totals(["2026-11-01"]), **options)
    assert says in str(caught.value)


def test_jobs_know_no_thread(filled: Path) -> None:
    with pytest.raises(InputError, match="no thread"):
        plot.jobs("all", thread="t", path=filled)
    assert len(plot.overview("all", thread="t", path=filled).axes) == 3


def test_a_frame_of_something_else() -> None:
    with pytest.raises(InputError, match="has no column"):
        plot.latency(pd.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="needs the ledger"):
        plot.overview(totals([]))


# --- what is left alone -------------------------------------------------------------------


def test_the_users_matplotlib_is_left_alone() -> None:
    """No pyplot, no backend, no rcParams: also where somebody's style is dark and uses TeX."""
    program = """
import sys, warnings
warnings.simplefilter("error")
import matplotlib as mpl
mpl.rcParams.update({"text.usetex": True, "axes.grid": True, "figure.autolayout": True,
                     "axes.facecolor": "red", "savefig.bbox": "tight"})
def settings():
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}  # which would choose one
before = settings()
import pandas as pd
from tests.ledger.test_charts import jobs, plot, rows, totals
for chart in (plot.tokens(totals(["2026-11-01"])), plot.tokens(totals(["a"], by="model"), by="model"),
              plot.latency(rows("a")), plot.jobs(jobs("succeeded", "running"))):
    chart.png()
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr


def test_axes_that_somebody_brought() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    assert plot.tokens(totals(["2026-11-01"]), ax=axes) is axes
    assert plot.jobs(jobs("succeeded"), ax=figure.add_subplot()) in figure.axes
    assert figure.get_facecolor() == mpl.colors.to_rgba(mpl.rcParams["figure.facecolor"])


def test_brought_axes_keep_their_look_and_their_title() -> None:
    figure = Figure(facecolor="black")
    before, after = figure.subplots(1, 2)
    look = {"facecolor": "navy", "title": "My class, $x^2$", "ylabel": "T"}
    before.set(**look)
    before.tick_params(colors="white")
    plot.tokens(totals([HOSTILE], by="model"), by="model", ax=before)
    assert before.get_title() == look["title"]
    assert before.get_title(loc="left") == ""
    assert before.title.get_parse_math()
    assert before.get_ylabel() == "T"
    assert before.get_facecolor() == mpl.colors.to_rgba("navy")
    assert all(spine.get_visible() for spine in before.spines.values())
    assert {tick.get_color() for tick in before.get_yticklabels()} == {"white"}

    unpriced = totals(["2026-11-01"], without_usage=pd.array([1], dtype="Int64"))
    plot.tokens(unpriced, ax=after)
    assert after.get_title() == "Tokens by day · live"
    assert after.get_xlabel().strip() == "1 request without known usage is not in it."
    after.set_title("Mine")
    assert {text for text in texts(after) if "Tokens" in text} == set()
    own = mpl.rcParams["axes.titlecolor"]
    assert after.title.get_color() == (mpl.rcParams["text.color"] if own == "auto" else own)
    FigureCanvasAgg(figure).draw()


def test_what_shares_an_axis_is_not_cut_off() -> None:
    many, few = totals(["2026-11-01", "2026-11-20"]), totals(["2026-11-10"])
    few[["input_tokens", "output_tokens"]] = few[["input_tokens", "output_tokens"]] // 100
    for order in ((many, few), (few, many)):
        figure = Figure()
        places = figure.subplots(2, 1, sharex=True, sharey=True)
        for axes, table in zip(places, order, strict=True):
            plot.tokens(table, ax=axes)
        low, high = places[0].get_ylim()
        assert low == 0
        assert high >= 400
        begin, end = (mdates.num2date(edge).date() for edge in places[1].get_xlim())
        assert begin <= date(2026, 11, 1)
        assert end >= date(2026, 11, 20)
    for tables in ((["a"], ["a", "b", "c", "d", "e"]), (["a", "b", "c", "d", "e"], ["a"])):
        places = Figure().subplots(1, 2, sharey=True)
        for axes, names in zip(places, tables, strict=True):
            plot.tokens(totals(names, by="model"), by="model", ax=axes)
        assert places[0].get_ylim()[1] >= 4.4


def test_the_ledger_does_not_load_matplotlib() -> None:
    program = (
        "import sys, anyfast_nb, anyfast_nb.ledger as l; l.frame; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- letters ------------------------------------------------------------------------------


def test_chinese_is_drawn_where_a_font_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a font that has the letter it is that font's glyph; without one nothing is complained of."""
    table = totals(["模"], by="model")
    monkeypatch.setattr(charts, "_cjk_fonts", lambda: ())
    without = picture(plot.tokens(table, by="model", theme="light"))

    font = tmp_path / "noto.ttf"
    a_font_with("模", name="Noto Sans CJK SC", path=font)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    font_manager.fontManager.addfont(font)
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    monkeypatch.setattr(charts, "_cjk_fonts", lambda: cjk_fonts(known)[:1])
    having = picture(plot.tokens(table, by="model", theme="light"))
    assert having.tobytes() != without.tobytes()
    # Its glyph is a full square: so many dark points no box of the last resort has.
    assert dark(having) > dark(without) + 100


def dark(image: Image.Image) -> int:
    left = image.crop((0, 0, image.width // 8, image.height)).convert("L")
    return sum(left.histogram()[:80])


def a_font_with(letter: str, *, name: str, path: Path) -> None:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((1000, 0), (1000, 1000), (0, 1000)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(letter): "square"})
    builder.setupGlyf({".notdef": square, "square": square})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def test_fonts_are_chosen_of_those_there_are() -> None:
    assert cjk_fonts({"DejaVu Sans"}) == ()
    assert cjk_fonts({"SimHei", "PingFang SC", "Malgun Gothic"}) == ("PingFang SC", "SimHei")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950, "950"), (12_345, "12.3k"), (2_000_000, "2M"), (0.0042, "0.0042"), (2.55, "2.5")],
)
def test_figures_in_few_letters(value: float, text: str) -> None:
    assert short(value) in {text, "2.6" if value == 2.55 else text}


def test_labels_are_one_line_and_not_too_long() -> None:
    assert label("a\nb\x00c") == "a b c"
    assert label("x" * 99, chars=10) == "x" * 9 + "…"
