"""Periods by their names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.periods import period

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)  # a Friday; Saturday in Shanghai


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("today", "2026-11-20", None),
        ("yesterday", "2026-11-19", "2026-11-20"),
        ("week", "2026-11-16", None),
        ("Month", "2026-11-01", None),
        ("2026-10-03", "2026-10-03", None),
        ("2026-10-03..2026-10-05", "2026-10-03", "2026-10-06"),
        ("2026-10-03..", "2026-10-03", None),
        ("all", None, None),
    ],
)
def test_days_begin_at_midnight(text: str, since: str | None, until: str | None) -> None:
    found = period(text, tz="UTC", now=lambda: NOW)
    for moment, day in ((found.since, since), (found.until, until)):
        assert moment == (None if day is None else datetime.fromisoformat(f"{day}T00:00+00:00"))


def test_back_from_now() -> None:
    assert period("24h", now=lambda: NOW).since == NOW - timedelta(hours=24)
    assert period("7d", now=lambda: NOW).since == NOW - timedelta(days=7)
    assert period("7d", now=lambda: NOW).words == "the last 7 days"


def test_midnight_of_another_zone() -> None:
    assert period("today", tz="Asia/Shanghai", now=lambda: NOW).since == datetime(
        2026, 11, 20, 16, tzinfo=UTC
    )
    spring = datetime(2026, 3, 29, 12, tzinfo=UTC)  # Berlin's clock went on this morning
    yesterday = period("yesterday", tz="Europe/Berlin", now=lambda: spring + timedelta(days=1))
    assert yesterday.since is not None
    assert yesterday.until is not None
    length = yesterday.until.astimezone(UTC) - yesterday.since.astimezone(UTC)
    assert length == timedelta(hours=23)


@pytest.mark.parametrize("text", ["", "tomorow", "2026-13-01", "2026-11-05..2026-11-01", "7", "-3d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        period(text)
    assert caught.value.hint


def test_a_zone_that_is_none() -> None:
    with pytest.raises(InputError, match="no time zone"):
        period("today", tz="Asia/Nowhere")
