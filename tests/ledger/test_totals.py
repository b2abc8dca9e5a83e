"""Totals by the database and by pandas, beside sums made by hand."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb import ledger as room
from anyfast_nb.errors import InputError
from anyfast_nb.ledger import by_day, by_kind, by_model, by_notebook, by_thread, by_user, frame
from tests.ledger.made import NOON, many, microseconds, record, write

FIGURES = [
    "requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images",
    "video_s", "cost", "currency", "without_usage", "without_price",
]  # fmt: skip
BY: dict[str, Callable[..., pd.DataFrame]] = {
    "model": by_model,
    "notebook": by_notebook,
    "user": by_user,
    "thread": by_thread,
    "kind": by_kind,
}
Lines = dict[tuple[Any, ...], dict[str, Any]]


def lines(table: pd.DataFrame) -> Lines:
    """A frame of totals by key, source and currency, with None for what is unknown."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    key = table.columns[0]
    return {(row.pop(key), row.pop("source"), row.pop("currency")): row for row in rows}


def by_hand(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], Any]) -> Lines:
    """The same sums, the slow way."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    currencies: dict[tuple[Any, str], set[str]] = {}
    for row in rows:
        currencies.setdefault((key(row), row["source"]), set()).update({row["currency"]} - {None})
    for row in rows:
        currency, others = row["currency"], currencies[key(row), row["source"]]
        if currency is None and len(others) == 1:
            (currency,) = others
        groups.setdefault((key(row), row["source"], currency), []).append(row)
    return {name: _figures(group) for name, group in groups.items()}


def _figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def total(name: str) -> Any:
        known = [row[name] for row in rows if row[name] is not None]
        return sum(known) if known else None

    counted = [row for row in rows if row["kind"] != "asset" and row["billed"] != "no"]
    used = ("input_tokens", "output_tokens", "images", "video_s")
    names = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images")
    nano, video_s = total("cost_nano"), total("video_s")
    return {
        "requests": len(rows),
        "errors": sum(row["status"] == "error" for row in rows),
        **{name: total(name) for name in names},
        "video_s": None if video_s is None else pytest.approx(video_s),
        "cost": None if nano is None else pytest.approx(nano / 1e9, rel=1e-12),
        "without_usage": sum(all(row[name] is None for name in used) for row in counted),
        "without_price": sum(row["cost_nano"] is None for row in counted),
    }


KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "model": lambda row: row["model_served"] or row["model_asked"],
    "notebook": lambda row: row["notebook"],
    "user": lambda row: row["user_name"],
    "thread": lambda row: row["thread"],
    "kind": lambda row: row["kind"],
}


def day_in(zone: str) -> Callable[[dict[str, Any]], Any]:
    """The calendar day of a row, as pandas would say it."""

    def day(row: dict[str, Any]) -> pd.Timestamp:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["time_us"])
        return pd.Timestamp(moment.astimezone(ZoneInfo(zone)).date())

    return day


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> str:
    return str(path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_every_total_is_what_one_would_count_by_hand(place: str) -> None:
    rows = many(500)
    write(place, rows)
    table = frame(path=place, columns="all")
    for name, by in BY.items():
        assert lines(by(path=place)) == by_hand(rows, KEYS[name]), name
        pd.testing.assert_frame_equal(getattr(table.anyfast, f"by_{name}")(), by(path=place))
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        assert lines(by_day(path=place, tz=zone)) == by_hand(rows, day_in(zone)), zone
        pd.testing.assert_frame_equal(table.anyfast.by_day(tz=zone), by_day(path=place, tz=zone))


words = st.none() | st.sampled_from(["a", "b"])
counts = st.none() | st.integers(0, 10**12)
rows_of_any_sort = st.lists(
    st.fixed_dictionaries(
        {
            "time_us": st.integers(microseconds(NOON), microseconds(NOON) + 400 * 86_400_000_000),
            "kind": st.sampled_from(["chat", "kling", "asset"]),
            "source": st.sampled_from(["live", "simulated"]),
            "model_served": words,
            "status": st.sampled_from(["ok", "error", "unfinished"]),
            "billed": st.sampled_from([None, "no", "yes"]),
            "input_tokens": counts,
            "output_tokens": counts,
            "cached_tokens": counts,
            "images": st.none() | st.integers(0, 15),
            "video_s": st.none() | st.floats(0, 1000),
            "price": st.none() | st.tuples(st.integers(0, 10**12), st.sampled_from(["USD", "CNY"])),
            "thread": words,
            "user_name": words,
            "notebook": words,
        }
    ),
    max_size=12,
)


@given(made=rows_of_any_sort, zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]))
@settings(max_examples=20)
def test_database_and_pandas_agree_on_any_ledger(made: list[dict[str, Any]], zone: str) -> None:
    rows = []
    for number, values in enumerate(made):
        nano, currency = values.pop("price") or (None, None)
        rows.append(record(number, cost_nano=nano, currency=currency, **values))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        write(path, rows)
        table = frame(path=path, columns="all")
        for name, by in BY.items():
            found = by(path=path)
            assert lines(found) == by_hand(rows, KEYS[name])
            pd.testing.assert_frame_equal(getattr(table.anyfast, f"by_{name}")(), found)
        found = by_day(path=path, tz=zone)
        assert lines(found) == by_hand(rows, day_in(zone))
        pd.testing.assert_frame_equal(table.anyfast.by_day(zone), found)


@pytest.mark.parametrize("by", [*BY.values(), by_day])
def test_columns_types_and_order(path: Path, by: Callable[..., pd.DataFrame]) -> None:
    key = by.__name__.removeprefix("by_")
    write(path, [])
    empty = by(path=path)
    write(path, many(200))
    full = by(path=path)
    assert list(full.columns) == list(empty.columns) == [key, "source", *FIGURES]
    assert list(map(str, full.dtypes)) == list(map(str, empty.dtypes))
    types = dict(full.dtypes.astype(str))
    assert types.pop(key) == ("datetime64[us]" if key == "day" else "category")
    assert {name for name, kind in types.items() if kind == "category"} == {"source", "currency"}
    assert {name for name, kind in types.items() if kind == "Float64"} == {"cost", "video_s"}
    assert set(types.values()) == {"category", "Int64", "Float64"}
    if key == "day":
        assert full["day"].is_monotonic_increasing
    else:
        order = ["live", "simulated", "replayed"]
        places = [
            (order.index(source), -count)
            for source, count in zip(full["source"], full["requests"], strict=True)
        ]
        assert places == sorted(places)


def test_costs_of_two_currencies_are_never_added_up(path: Path) -> None:
    write(
        path,
        [
            record(0, cost_nano=1_500_000_000, currency="USD"),
            record(1, cost_nano=2_000_000_000, currency="CNY"),
            record(2, cost_nano=500_000_000, currency="USD"),
            record(3),
            record(4, model_asked="pro", cost_nano=3, currency="USD"),
            *(record(number, model_asked="pro") for number in range(5, 17)),
            record(17, source="simulated", cost_nano=9, currency="USD"),
        ],
    )
    table = by_model(path=path)
    found = [
        tuple(None if pd.isna(value) else value for value in line)
        for line in table[["model", "source", "currency", "requests", "cost", "without_price"]].itertuples(
            index=False
        )
    ]
    assert found == [
        ("pro", "live", "USD", 13, 3e-9, 12),  # the others of that model cost dollars
        ("mini", "live", "USD", 2, 2.0, 0),
        ("mini", "live", "CNY", 1, 2.0, 0),
        ("mini", "live", None, 1, None, 1),  # it might be either
        ("mini", "simulated", "USD", 1, 9e-9, 0),
    ]
    assert int(table["without_price"].sum()) == 13
    costs = frame(path=path, columns="all", source="live").anyfast.cost()
    assert costs.drop(columns="cost").astype(object).values.tolist() == [
        ["live", np.nan, 13, 13],
        ["live", "USD", 3, 0],
        ["live", "CNY", 1, 0],
    ]
    assert costs["cost"].tolist() == [pd.NA, 2.000000003, 2.0]


def test_what_is_surely_free_is_not_missing_a_price(path: Path) -> None:
    write(
        path,
        [
            record(0, status="error", billed="no"),
            record(1, kind="asset"),
            record(2, status="unfinished"),
            record(3, status="error", billed="maybe"),
            record(4, kind="kling", video_s=5.0, billed="yes"),
            record(5, kind="seedream", images=2),
            record(6, output_tokens=0, cost_nano=0, currency="USD"),
        ],
    )
    (line,) = by_user(path=path).to_dict("records")
    assert (line["requests"], line["errors"]) == (7, 2)
    assert (line["without_usage"], line["without_price"]) == (2, 4)
    assert (line["images"], line["video_s"], line["output_tokens"]) == (2, 5.0, 0)
    assert by_user(path=path)["input_tokens"].isna().all()


def test_the_filters_are_those_of_the_frame(path: Path) -> None:
    write(path, many(3000))
    choice: dict[str, Any] = {
        "since": "2026-11-02", "until": "2026-11-03T06:00+00:00", "kind": ["chat", "kling", "asset"],
        "model": ["mini", "doubao-pro-250101"], "status": ["ok", "error"], "source": ["live", "replayed"],
        "thread": "trip", "user": ["ada", "grace"], "notebook": [f"{number}.ipynb" for number in range(4)],
    }  # fmt: skip
    everything = len(frame(path=path, **choice))
    assert everything > 0
    for left_out in choice:
        chosen = {name: value for name, value in choice.items() if name != left_out}
        table = frame(path=path, columns="all", **chosen)
        assert len(table) > everything, left_out
        for by in (by_day, by_kind):
            pd.testing.assert_frame_equal(getattr(table.anyfast, by.__name__)(), by(path=path, **chosen))


# --- days -----------------------------------------------------------------------------------------


def per_day(path: Path, zone: str | None) -> dict[str, int]:
    table = by_day(path=path, tz=zone)
    return {str(day.date()): count for day, count in zip(table["day"], table["requests"], strict=True)}


def every_quarter(start: datetime, end: datetime) -> list[dict[str, Any]]:
    """A request in the last microsecond of each quarter of an hour."""
    count = (end - start) // timedelta(minutes=15)
    quarter_us = 900_000_000
    return [
        record(number, time_us=microseconds(start) + (number + 1) * quarter_us - 1) for number in range(count)
    ]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Europe/Berlin", {"2026-10-24": 96, "2026-10-25": 100, "2026-10-26": 96}),
        ("America/New_York", {"2026-10-24": 96, "2026-10-25": 96, "2026-10-26": 96}),
        ("Asia/Kolkata", {"2026-10-24": 96, "2026-10-25": 96, "2026-10-26": 96}),
        ("Asia/Kathmandu", {"2026-10-24": 96, "2026-10-25": 96, "2026-10-26": 96}),
    ],
)
def test_a_day_begins_at_the_midnight_of_its_zone(path: Path, zone: str, days: dict[str, int]) -> None:
    begin = datetime(2026, 10, 24, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = datetime(2026, 10, 27, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    write(path, every_quarter(begin, end))
    assert per_day(path, zone) == days


def test_the_day_of_summer_time_has_23_hours_and_half_hour_changes_count(path: Path) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")  # puts its clocks back by half an hour
    begin, end = datetime(2026, 4, 4, tzinfo=zone), datetime(2026, 4, 7, tzinfo=zone)
    write(path, every_quarter(begin.astimezone(UTC), end.astimezone(UTC)))
    assert per_day(path, "Australia/Lord_Howe") == {"2026-04-04": 96, "2026-04-05": 98, "2026-04-06": 96}

    spring = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    other = path.with_name("spring.sqlite3")
    write(other, every_quarter(spring, spring + timedelta(hours=23)))
    assert per_day(other, "Europe/Berlin") == {"2026-03-29": 92}


@pytest.fixture
def chatham(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine lives at +12:45, and +13:45 in summer."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Chatham")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("chatham")
def test_without_a_zone_it_is_the_machine_s_own(path: Path) -> None:
    write(path, every_quarter(datetime(2026, 4, 3, 9, tzinfo=UTC), datetime(2026, 4, 6, 9, tzinfo=UTC)))
    expected = per_day(path, "Pacific/Chatham")
    assert per_day(path, None) == expected
    assert expected["2026-04-05"] == 100
    assert per_day(path, "UTC") != expected
    table = frame(path=path, columns="all")
    pd.testing.assert_frame_equal(table.anyfast.by_day(), by_day(path=path))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "America", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_named(path: Path, zone: str) -> None:
    write(path, [record()])
    for ask in (lambda: by_day(path=path, tz=zone), lambda: frame(path=path).anyfast.by_day(tz=zone)):
        with pytest.raises(InputError, match=f"tz='{zone}'") as caught:
            ask()
        assert caught.value.field == "tz"


# --- the accessor ---------------------------------------------------------------------------------


def test_a_narrow_frame_gives_what_it_can_know(path: Path) -> None:
    write(path, many(100))
    narrow = frame(path=path).anyfast.by_model()
    told = ["model", "source", "requests", "errors", "input_tokens", "output_tokens", "cost", "currency"]
    assert list(narrow.columns) == told
    pd.testing.assert_frame_equal(narrow, by_model(path=path)[told])
    with pytest.raises(InputError, match="no column 'user'") as caught:
        frame(path=path, columns=["time", "source"]).anyfast.by_user()
    assert 'columns="all"' in caught.value.hint


def test_a_frame_that_was_filtered_and_joined_still_adds_up(path: Path) -> None:
    write(path, many(200))
    table = frame(path=path, columns="all")
    some = pd.concat([table[table["status"] == "ok"], table[table["status"] == "error"]])
    pd.testing.assert_frame_equal(some.anyfast.by_thread(), by_thread(path=path, status=["ok", "error"]))
    plain = some.astype({"source": object, "currency": object, "model": "string"})
    pd.testing.assert_frame_equal(plain.anyfast.by_model(), by_model(path=path, status=["ok", "error"]))


def test_trouble_is_a_warning_for_who_asks(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no ledger" * 1000)
    with pytest.warns(UserWarning, match="was damaged") as caught:
        assert room.by_kind(path=path).empty
    assert [warning.filename for warning in caught] == [__file__]


def test_pandas_comes_with_the_first_frame_and_not_before() -> None:
    code = """
import sys
import anyfast_nb.ledger as room
room.frame, room.by_day, room.to_csv
assert "pandas" not in sys.modules
room.frame()
import pandas
assert hasattr(pandas.DataFrame, "anyfast")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
