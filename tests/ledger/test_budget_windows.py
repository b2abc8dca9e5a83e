"""When a day and a week begin: through summer time, in Python and in PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import InputError
from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.budget.values import Per
from anyfast_nb.ledger.budget.windows import check_zone, local_zone, window
from anyfast_nb.ledger.rows import microseconds, moment_of
from tests.postgres import Postgres

# Those with summer time at every hour, at midnight and twice at midnight; with odd offsets; with none.
ZONES = [
    "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo",
    "Asia/Beirut", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
    "America/Asuncion", "Asia/Tehran", "Pacific/Kiritimati", "America/St_Johns", "Asia/Gaza",
]  # fmt: skip


def text_window(per: Per, zone: str, now: str) -> tuple[str, str]:
    begins, ends = window(per, zone=zone, created_us=0, now=datetime.fromisoformat(now))
    assert ends is not None
    place = ZoneInfo(zone)
    return tuple(f"{moment_of(at).astimezone(place):%Y-%m-%dT%H:%M%z}" for at in (begins, ends))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("per", "zone", "now", "begins", "ends"),
    [
        (Per.DAY, "Asia/Shanghai", "2026-11-21T15:59:59Z", "2026-11-21T00:00+0800", "2026-11-22T00:00+0800"),
        (Per.DAY, "Asia/Shanghai", "2026-11-21T16:00:00Z", "2026-11-22T00:00+0800", "2026-11-23T00:00+0800"),
        # 23 hours, and 25
        (Per.DAY, "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-29T00:00+0100", "2026-03-30T00:00+0200"),
        (Per.DAY, "Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-25T00:00+0200", "2026-10-26T00:00+0100"),
        # Monday to Monday, over a change; on a Sunday and on a Monday
        (Per.WEEK, "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-23T00:00+0100", "2026-03-30T00:00+0200"),
        (Per.WEEK, "Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-30T00:00+0200", "2026-04-06T00:00+0200"),
        # midnight comes twice in Havana: the day begins with the first
        (Per.DAY, "America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T00:00-0400", "2026-11-02T00:00-0500"),
        # and never in Cairo: it begins when the clock is put forward
        (Per.DAY, "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-24T01:00+0300", "2026-04-25T00:00+0300"),
    ],
)
def test_a_window_begins_at_the_zones_midnight(per: Per, zone: str, now: str, begins: str, ends: str) -> None:
    assert text_window(per, zone, now) == (begins, ends)


def test_a_total_never_begins_anew() -> None:
    assert window(Per.TOTAL, zone="UTC", created_us=7, now=datetime.now(UTC)) == (7, None)


moments = st.integers(0, 32 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(st.sampled_from([Per.DAY, Per.WEEK]), st.sampled_from(ZONES), moments)
def test_every_moment_is_in_its_window(per: Per, zone: str, now: datetime) -> None:
    begins, ends = window(per, zone=zone, created_us=0, now=now)
    assert ends is not None
    assert begins <= microseconds(now) < ends
    days = 7 if per is Per.WEEK else 1
    assert abs((ends - begins) - days * 86_400_000_000) <= 2 * 3_600_000_000
    # It begins where the one before ends.
    before = window(per, zone=zone, created_us=0, now=moment_of(begins - 1))
    assert before[1] == begins


def test_postgresql_knows_the_same_windows(postgres: Postgres, postgres_url: str) -> None:
    with Ledger(postgres_url, warn=pytest.fail) as ledger:
        ledger.set_budget(1, "tokens", per="day")
    query = (
        "SELECT begins_us, ends_us FROM anyfast.window_of(%s, %s, 7, "
        "'epoch'::timestamptz + %s * interval '1 microsecond')"
    )
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:

        @given(st.sampled_from(list(Per)), st.sampled_from(ZONES), moments)
        def check(per: Per, zone: str, now: datetime) -> None:
            found = connection.execute(query, (per.value, zone, microseconds(now))).fetchone()
            assert found == window(per, zone=zone, created_us=7, now=now)

        check()
        for zone in ZONES:  # the hours around each change of the clock
            for now in changes(zone):
                for per in (Per.DAY, Per.WEEK):
                    found = connection.execute(query, (per.value, zone, microseconds(now))).fetchone()
                    assert found == window(per, zone=zone, created_us=7, now=now), (zone, now)


def changes(zone: str) -> list[datetime]:
    """Moments around the changes of two years."""
    place, at = ZoneInfo(zone), datetime(2024, 1, 1, tzinfo=UTC)
    found = []
    while at.year < 2026:
        later = at + timedelta(hours=1)
        if at.astimezone(place).utcoffset() != later.astimezone(place).utcoffset():
            found += [
                at + timedelta(minutes=minutes) for minutes in (-1441, -61, -1, 0, 1, 31, 61, 121, 1441)
            ]
        at = later
    return found


@pytest.mark.parametrize(
    ("environ", "link", "zone"),
    [
        ({"TZ": "Asia/Shanghai"}, None, "Asia/Shanghai"),
        ({"TZ": ":Europe/Berlin"}, None, "Europe/Berlin"),
        ({"TZ": ":/usr/share/zoneinfo/Europe/Berlin"}, None, "Europe/Berlin"),
        ({"TZ": "XYZ-3:30"}, "zoneinfo/Europe/Paris", "UTC"),
        ({}, "zoneinfo/Europe/Paris", "Europe/Paris"),
        ({}, "elsewhere", "UTC"),
        ({}, None, "UTC"),
    ],
)
def test_the_systems_own_zone(tmp_path: Path, environ: dict[str, str], link: str | None, zone: str) -> None:
    localtime = tmp_path / "localtime"
    if link is not None:
        target = tmp_path / link
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        localtime.symlink_to(target)
    assert local_zone(environ=environ, localtime=localtime) == zone


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_zone(name)
    assert caught.value.field == "zone"
