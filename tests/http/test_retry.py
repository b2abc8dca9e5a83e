from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb import errors
from anyfast_nb.http import retry
from anyfast_nb.http.retry import RetryPolicy, delay_s, may_repeat, reason

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def status_error(kind: type[errors.StatusError], status: int) -> errors.StatusError:
    return kind("said", status=status)


# row of the table -> the errors that it speaks of
ROWS: dict[str, list[errors.AnyFastError]] = {
    "no connection: nothing was sent": [errors.ConnectFailed("x")],
    "429, 503: the work was not done": [
        status_error(errors.RateLimitError, 429),
        status_error(errors.ServerError, 503),
    ],
    "408, any other 5xx": [status_error(errors.ServerError, n) for n in (408, 500, 501, 502, 504, 520, 599)],
    "read timeout, cut wire": [errors.ReadTimedOut("x"), errors.WireCut("x")],
    "4xx, no credit, unknown model": [
        status_error(errors.BadRequestError, 400),
        status_error(errors.ModerationError, 400),
        status_error(errors.AuthenticationError, 401),
        status_error(errors.PermissionDeniedError, 403),
        status_error(errors.QuotaError, 429),
        status_error(errors.NotFoundError, 404),
        status_error(errors.ModelNotFoundError, 503),
    ],
}
NEVER = [
    errors.ProtocolError("x"),
    errors.ConfigError("x"),
    errors.MissingKeyError("x"),
    errors.InputError("x"),
    errors.RefusedHere("x"),
    errors.BudgetError("x"),
    errors.NotAllowedError("x"),
    errors.LedgerError("x"),
    errors.SimulatorError("x"),
    errors.StillRunning("x"),
]


def table() -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| (.+?)\s*\| (.+?)\s*\| (.+?)\s*\|$", retry.__doc__ or "", re.MULTILINE)
    return [row for row in rows if row[0] != "what happened" and not row[0].startswith("---")]


def test_the_table_of_the_docstring_is_the_rule() -> None:
    assert [row[0] for row in table()] == list(ROWS)
    for what, free, billed in table():
        for error in ROWS[what]:
            assert may_repeat(error, billed=False) == (free == "again"), (what, error)
            assert may_repeat(error, billed=True) == (billed == "again"), (what, error)


def test_every_error_class_is_in_the_table_or_never_repeated() -> None:
    spoken_of = {type(error) for row in ROWS.values() for error in row} | {type(error) for error in NEVER}
    bases = {errors.AnyFastError, errors.WireError, errors.StatusError}
    ours = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.AnyFastError)
    }
    assert ours - bases == spoken_of
    for error in NEVER:
        assert not may_repeat(error, billed=False)
        assert not may_repeat(error, billed=True)


# --- how long ---------------------------------------------------------------------------------


def no_jitter(low: float, high: float) -> float:
    return low


def wait(headers: dict[str, str], attempt: int = 1, *, cap_s: float = 60.0) -> float:
    return delay_s(attempt, policy=RetryPolicy(cap_s=cap_s), headers=headers, now=NOW, uniform=no_jitter)


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "8"}, 8),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": date(30)}, 30),
        ({"retry-after": date(-30)}, 0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:07 -0000"}, 7),
        ({"retry-after": date(10**6)}, 60),
        ({"retry-after": "99999999999"}, 60),
        ({"retry-after-ms": "1e300"}, 60),
    ],
)
def test_what_the_server_asked_for_counts_and_is_capped(headers: dict[str, str], seconds: float) -> None:
    assert wait(headers) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-5",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        "soon",
        "8 s",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Wed, 21 Oct 2026 07:28:00 +99999999999999999999",
        ",",
        "0x8",
    ],
)
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
def test_what_cannot_be_read_counts_as_absent(name: str, value: str) -> None:
    assert wait({name: value}) == wait({})


@pytest.mark.parametrize(
    ("attempt", "ceiling"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (7, 60), (5000, 60)]
)
def test_without_a_word_of_the_server_it_waits_longer_each_time_with_jitter(
    attempt: int, ceiling: float
) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    assert delay_s(attempt, policy=RetryPolicy(), headers={}, uniform=uniform) == ceiling
    assert asked == [(ceiling / 4, ceiling)]


def test_callers_that_were_told_the_same_spread_out_by_a_tenth_and_stay_below_the_cap() -> None:
    def highest(low: float, high: float) -> float:
        return high

    policy = RetryPolicy(cap_s=60)
    assert delay_s(1, policy=policy, headers={"retry-after": "10"}, uniform=highest) == 11
    assert delay_s(1, policy=policy, headers={"retry-after": "60"}, uniform=highest) == 60


@given(st.text(max_size=40), st.text(max_size=40), st.integers(1, 10_000))
def test_no_header_breaks_it(seconds: str, milliseconds: str, attempt: int) -> None:
    headers = {"retry-after": seconds, "retry-after-ms": milliseconds}
    assert 0 <= delay_s(attempt, policy=RetryPolicy(), headers=headers) <= 60


@pytest.mark.parametrize(
    "bad",
    [{"attempts": 0}, {"attempts": -1}, {"base_s": -1.0}, {"cap_s": float("inf")}, {"base_s": float("nan")}],
)
def test_a_policy_that_cannot_work_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(errors.InputError, match="cannot work"):
        RetryPolicy(**bad)  # type: ignore[arg-type]


def test_the_waiting_line_says_why_in_a_word() -> None:
    assert reason(errors.ConnectFailed("x")) == "no connection"
    assert reason(errors.ReadTimedOut("x")) == "no answer"
    assert reason(status_error(errors.RateLimitError, 429)) == "429"
    assert reason(status_error(errors.ServerError, 503)) == "503"
