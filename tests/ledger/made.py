"""Ledgers with rows that a test wrote itself, straight into the store."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk.tables import JOBS, REQUESTS

EMPTY: dict[str, Any] = {column.name: None for column in REQUESTS.columns}
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


_TITLES = ["Hello", "=1+1", "你好, 'quoted' \"text\"", "two\nlines \\ %s $1"]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of the table ``requests``, settled and well, that a test changes where it matters."""
    values = {
        "id": f"{number:032x}",
        "time_us": microseconds(NOON) + number,
        "kind": "chat",
        "source": "live",
        "base_url": "https://www.anyfast.ai/v1",
        "model_asked": "mini",
        "status": "ok",
    }
    return EMPTY | values | changes


def job(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of the table ``jobs`` that is under way."""
    values = {
        "id": f"{number:032x}",
        "created_us": microseconds(NOON),
        "kind": "seedance",
        "routes": "{}",
        "base_url": "https://www.anyfast.ai",
        "source": "live",
        "model": "seedance",
        "request_hash": "0" * 64,
        "status": "running",
        "updated_us": microseconds(NOON),
    }
    return {column.name: None for column in JOBS.columns} | values | changes


def write(place: str | Path, rows: Iterable[dict[str, Any]], *, jobs: Iterable[dict[str, Any]] = ()) -> None:
    """Put rows into a ledger, new or not."""
    rows, jobs = list(rows), list(jobs)
    with Ledger(place) as ledger, ledger.transaction() as connection:
        if rows:
            connection.execute(insert(REQUESTS), rows)
        if jobs:
            connection.execute(insert(JOBS), jobs)


def many(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of every sort, the same for the same seed; what comes late is NULL for long."""
    chance = random.Random(seed)

    def maybe(value: Any, often: float = 0.7) -> Any:
        return value if chance.random() < often else None

    rows = []
    for number in range(count):
        late = number > count * 0.8
        currency = maybe(chance.choice(["USD", "CNY"]))
        rows.append(
            record(
                number,
                time_us=microseconds(NOON) + number * 61_000_003,
                kind=chance.choice(["chat", "responses", "seedream", "seedance", "kling", "asset"]),
                source=chance.choice(["live", "simulated", "replayed"]),
                title=maybe(chance.choice(_TITLES)),
                model_asked=chance.choice(["mini", "pro"]),
                model_served=maybe("doubao-pro-250101"),
                status=chance.choice(["ok", "error", "unfinished", "later_word"]),
                billed=maybe(chance.choice(["no", "maybe", "yes"])),
                input_tokens=maybe(chance.randrange(10**12)),
                output_tokens=maybe(chance.randrange(5000)),
                cached_tokens=maybe(7, 0.1),
                images=maybe(3) if late else None,
                video_s=maybe(chance.choice([5.0, 0.1, 7.25]), 0.3) if late else None,
                cost_nano=None if currency is None else chance.randrange(10**15),
                currency=currency,
                duration_s=maybe(chance.random() * 100),
                thread=maybe(chance.choice(["trip", "poem"])),
                notebook=maybe(f"{chance.randrange(5)}.ipynb"),
                user_name=maybe(chance.choice(["ada", "grace"])),
                error="late 错误" if late else None,
                attempts=maybe(1),
            )
        )
    return rows
