"""What reading the ledger costs, at 10,000, 100,000 and 1,000,000 rows: seconds, and memory on top of pandas.

    python tests/benchmarks/ledger_read.py [--postgres] [FOLDER]

Each reading has a process of its own that has imported pandas and nothing else.
The limits are of time on the clock, so leave the machine alone. FOLDER is on the
disk to measure (by default the one of temporary files). With --postgres the same
on a PostgreSQL of its own, up to 100,000 rows. The last 50 rows are asked for
again and again: once in a process SQLAlchemy has to be loaded, which is the
first time shown.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SIZES = (10_000, 100_000, 1_000_000)
YEAR_US = 365 * 86_400_000_000
BEGIN_US = 1_735_689_600_000_000  # 2025-01-01
# At a million rows: seconds, and megabytes.
LIMITS: dict[str, tuple[float, float | None]] = {
    "by_day": (4.0, 200),
    "all columns": (8.0, 1000),
    "last 50": (0.05, None),
}
READINGS = ("by_day", "by_model", "narrow", "all columns", "all, no extra", "last 50")


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Rows as a year of a class's work might leave them, in the order of the table's columns."""
    from anyfast_nb.ledger.disk.tables import REQUESTS

    chance = random.Random(5)
    names = [column.name for column in REQUESTS.columns]
    models = ["doubao-seed-2.0-lite", "doubao-seed-2.0-mini", "doubao-seed-2.0-pro"]
    for number in range(count):
        failed = number % 29 == 0
        tokens_in, tokens_out = chance.randrange(20, 4000), chance.randrange(1, 2000)
        row = {
            "id": f"{number:032x}",
            "time_us": BEGIN_US + number * YEAR_US // count,
            "kind": "chat" if number % 7 else "responses",
            "source": "live" if number % 5 else "simulated",
            "base_url": "https://www.anyfast.ai/v1",
            "title": f"Explain in two sentences why {number} is the odd one out of these",
            "model_asked": models[number % 3],
            "model_served": None if failed else f"{models[number % 3]}-260215",
            "status": "error" if failed else "ok",
            "billed": "no" if failed else "yes",
            "input_tokens": None if failed else tokens_in,
            "cached_tokens": None if failed else tokens_in // 3,
            "output_tokens": None if failed else tokens_out,
            "reasoning_tokens": None if failed else tokens_out // 2,
            "cost_nano": None if failed else tokens_in * 150 + tokens_out * 900,
            "currency": None if failed else "USD",
            "price_version": None if failed else "2025-01-01",
            "duration_s": chance.random() * 20,
            "ttft_s": chance.random() * 2,
            "thread": f"thread {number % 50}",
            "notebook": f"work/{number % 40}.ipynb",
            "cell": f"{number % 4000:036x}",
            "user_name": f"student{number % 30}",
            "session": f"{number // 500:032x}",
            "request_id": f"req-{number:024x}",
            "attempts": 1,
            "request_hash": f"{number * 7919:064x}",
            "error_class": "RateLimitError" if failed else None,
            "error": "429: too many requests" if failed else None,
        }
        yield tuple(row.get(name) for name in names)


def fill(place: str, count: int) -> None:
    """Make a ledger, and put rows into its table as fast as its database takes them."""
    from anyfast_nb.ledger import Ledger
    from anyfast_nb.ledger.disk.tables import REQUESTS

    with Ledger(place) as ledger:
        ledger.open()
    names = [column.name for column in REQUESTS.columns]
    if "://" not in place:
        with closing(sqlite3.connect(place)) as connection:
            marks = ", ".join("?" * len(names))
            connection.executemany(f"INSERT INTO requests VALUES ({marks})", rows(count))
            connection.commit()
        return
    import psycopg

    with psycopg.connect(place.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY anyfast.requests ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows(count):
                copy.write_row(row)
        connection.commit()
        cursor.execute("ANALYZE anyfast.requests")


def reading(name: str, place: str) -> Callable[[], object]:
    """What is measured."""
    from anyfast_nb.ledger import by_day, by_model, frame
    from anyfast_nb.ledger.frames import scan

    if name == "all, no extra":
        scan.is_fast = lambda dialect: False
    return {
        "by_day": lambda: by_day(path=place, tz="Asia/Kathmandu"),
        "by_model": lambda: by_model(path=place),
        "narrow": lambda: frame(path=place),
        "all columns": lambda: frame(path=place, columns="all"),
        "all, no extra": lambda: frame(path=place, columns="all"),
        "last 50": lambda: frame(path=place, limit=50),
    }[name]


def measure(name: str, place: str) -> None:
    """In a process of its own: the seconds of the first time and of later ones, and megabytes."""
    import pandas as pd  # what it takes is not counted

    pd.DataFrame({"a": pd.array([1], dtype="Int64")})
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    started, busy = time.perf_counter(), time.process_time()
    work = reading(name, place)
    for _ in range(6 if name == "last 50" else 1):
        work()
        times.append(time.perf_counter() - started)
        started = time.perf_counter()
    busy_s = (time.process_time() - busy) / len(times)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    print(times[0], statistics.median(times[1:] or times), busy_s, grown_mb)


def show(place: str, count: int) -> bool:
    """A line for each reading; whether all limits hold."""
    fits = True
    for name in READINGS:
        command = [sys.executable, __file__, "--measure", name, place]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        first_s, again_s, busy_s, grown_mb = map(float, done.stdout.split())
        most_s, most_mb = LIMITS.get(name, (None, None)) if count == SIZES[-1] else (None, None)
        bounds = [f"{most_s:g} s" if most_s else "", f"{most_mb:g} MB" if most_mb else ""]
        within = (most_s is None or again_s <= most_s) and (most_mb is None or grown_mb <= most_mb)
        fits &= within
        told = " and ".join(filter(None, bounds))
        verdict = f"  limit {told}: {'ok' if within else 'TOO MUCH'}" if told else ""
        times = " ".join(f"{one:8.3f} s" for one in (first_s, again_s, busy_s))
        print(f"{count:>9,}  {name:<14} {times} {grown_mb:7.0f} MB{verdict}", flush=True)
    return fits


def postgres() -> None:
    """The same on a real PostgreSQL."""
    from tests.postgres import Postgres

    script = ["sh", str(ROOT / ".ci" / "postgres")]
    programs = subprocess.run(script, capture_output=True, text=True, check=True).stdout.strip()
    with Postgres(Path(programs)) as server:
        for count in SIZES[:-1]:
            place = server.database()
            fill(place, count)
            show(place, count)


def main() -> None:
    """Fill, read, show."""
    sys.path.insert(0, str(ROOT))
    words = sys.argv[1:]
    if words[:1] == ["--measure"]:
        measure(*words[1:])
        return
    on_postgres = "--postgres" in words
    folders = [word for word in words if not word.startswith("--")]
    print(f"{'rows':>9}  {'reading':<14} {'first':>10} {'again':>10} {'computing':>10} {'memory':>10}")
    fits = True
    with tempfile.TemporaryDirectory(dir=folders[0] if folders else None) as folder:
        for count in SIZES:
            place = str(Path(folder) / str(count) / "ledger.sqlite3")
            fill(place, count)
            fits &= show(place, count)
    if on_postgres:
        print("PostgreSQL")
        postgres()
    sys.exit(0 if fits else "A limit does not hold.")


if __name__ == "__main__":
    main()
