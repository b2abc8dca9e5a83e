"""What a ledger row costs, in one run: the journal, the store, many processes, PostgreSQL, and growth.

    python tests/benchmarks/ledger_append.py [--folder FOLDER] [--million]

FOLDER is on the disk to measure (by default the one of temporary files).
Beside them stands the floor: one INSERT by plain sqlite3 with the same
settings (WAL, FULL). The store has to keep to 1 ms and to six times the floor.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.ledger.rows import Kept
from anyfast_nb.wire.values import Source, Status, Usage

ROOT = Path(__file__).parents[2]
ROWS = 2000
PROCESSES, EACH = 8, 5000
CLIENTS, OF_A_CLIENT = 30, 300
MOST_MS, MOST_TIMES = 1.0, 6.0
WRITER = ROOT / "tests" / "ledger" / "writer.py"
USAGE = Usage(input_tokens=120, output_tokens=300, reasoning_tokens=80)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(name: str, times_s: Iterable[float]) -> float:
    """One line: the median, and the slow end; the median in milliseconds."""
    times_ms = sorted(time_s * 1000 for time_s in times_s)
    p50, p95, p99 = (times_ms[int(len(times_ms) * share)] for share in (0.5, 0.95, 0.99))
    print(
        f"{name:<34} p50 {p50:6.3f}  p95 {p95:6.3f}  p99 {p99:6.3f}  max {times_ms[-1]:7.2f} ms", flush=True
    )
    return p50


def rows(number: int) -> list[RequestRow]:
    """Requests as a notebook sends them."""
    return [
        RequestRow(
            kind="chat",
            source=Source.SIMULATED,
            base_url="http://127.0.0.1:8765/v1",
            model="doubao-seed-2.0-lite",
            title="Which of these three is the odd one out, and why? Explain in two sentences.",
            notebook="lessons/week 3.ipynb",
        )
        for _ in range(number)
    ]


def one_process(folder: Path) -> None:
    """Plain sqlite3 and the store in turns, so that both meet the same disk; then the journal."""
    raw = sqlite3.connect(folder / "raw.sqlite3", isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("CREATE TABLE t (id TEXT PRIMARY KEY, text TEXT)")
    with Ledger(folder / "store.sqlite3") as ledger:
        ledger.open()
        store = ledger._store()
        times: dict[str, list[float]] = {"raw": [], "store": []}
        for row in rows(ROWS):
            kept = [Kept("requests", row.record())]
            values = (row.id, "x" * 300)
            times["raw"].append(seconds(lambda v=values: raw.execute("INSERT INTO t VALUES (?, ?)", v)))
            times["store"].append(seconds(lambda k=kept: store.put(k)))
    raw.close()
    floor_ms = show("plain sqlite3, WAL, FULL", times["raw"])
    store_ms = show("store: a row, a transaction", times["store"])
    good = store_ms <= MOST_MS and store_ms <= MOST_TIMES * floor_ms
    print(f"  {store_ms / floor_ms:.1f} times plain sqlite3: {'good' if good else 'TOO SLOW'}")
    with Ledger(folder / "journal.sqlite3", wait_s=0.5) as ledger:
        all_rows = rows(ROWS)
        show("begin, in the journal", [seconds(lambda row=row: ledger.begin(row)) for row in all_rows])
        settled = [
            seconds(lambda row=row: ledger.settle(row.id, status=Status.OK, usage=USAGE, duration_s=4.2))
            for row in all_rows
        ]
        show("settle, the thread at work beside", settled)


def many_processes(folder: Path) -> None:
    """Writers that all begin and settle; every row there in the end."""
    place = folder / "many" / "ledger.sqlite3"

    def run() -> None:
        command = [sys.executable, str(WRITER), str(place), str(EACH)]
        writers = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(PROCESSES)
        ]
        with ThreadPoolExecutor(PROCESSES) as pool:
            said = list(pool.map(lambda writer: writer.communicate()[0], writers))
        assert {writer.returncode for writer in writers} == {0}
        assert not [line for text in said for line in text.splitlines() if line.startswith("!")]

    took_s = seconds(run)
    with Ledger(place) as ledger:
        stored = sum(total.requests for total in ledger.totals_by_model())
    print(f"{PROCESSES} processes x {EACH} rows: {stored:,} of {PROCESSES * EACH:,} stored, {took_s:.1f} s")
    assert stored == PROCESSES * EACH


def growth(folder: Path, sizes: list[int]) -> None:
    """How the journal is taken over, and what a row costs in a ledger that has grown."""
    with Ledger(folder / "grown.sqlite3") as ledger:
        ledger.open()
        there = 0
        for size in sizes:
            took_s = 0.0
            while there < size:
                part = rows(min(10_000, size - there))
                ledger._write(*(Kept("requests", row.record()) for row in part))
                took_s += seconds(ledger.absorb)
                there += len(part)
            added = size - (sizes[sizes.index(size) - 1] if size != sizes[0] else 0)
            print(f"{added:>9,} rows taken over: {added / took_s:,.0f} a second")
            show(
                f"begin in the store at {size:,}",
                [seconds(lambda row=row: ledger.begin(row, reserved=True)) for row in rows(200)],
            )


def postgresql(folder: Path) -> None:
    """Writers with a home of their own each, on a server of their own."""
    sys.path.insert(0, str(ROOT))
    from tests.postgres import Postgres

    programs = subprocess.run(
        ["sh", str(ROOT / ".ci" / "postgres")], capture_output=True, text=True, check=True
    ).stdout.strip()
    with Postgres(Path(programs)) as server:
        url = server.database()
        ledgers = []
        for number in range(CLIENTS):
            os.environ["ANYFAST_HOME"] = str(folder / f"home{number}")
            ledgers.append(Ledger(url, wait_s=0.05))

        def write(ledger: Ledger) -> list[float]:
            with ledger:
                times = []
                for row in rows(OF_A_CLIENT):
                    times.append(seconds(lambda row=row: ledger.begin(row)))
                    times.append(
                        seconds(lambda row=row: ledger.settle(row.id, status=Status.OK, usage=USAGE))
                    )
                ledger.absorb()
                return times

        started = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            times = [one for several in pool.map(write, ledgers) for one in several]
        took_s = time.perf_counter() - started
        with Ledger(url) as ledger:
            stored = sum(total.requests for total in ledger.totals_by_model())
        print(f"PostgreSQL, {CLIENTS} x {OF_A_CLIENT} rows: {stored} stored in {took_s:.1f} s")
        show("  what a request waits for", times)
        assert stored == CLIENTS * OF_A_CLIENT


def main() -> None:
    """Run all."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--folder", help="on the disk to measure")
    options.add_argument("--million", action="store_true", help="grow to 1,000,000 rows")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        one_process(folder)
        growth(folder, [10_000, 100_000, *([1_000_000] if given.million else [])])
        many_processes(folder)
        postgresql(folder)


if __name__ == "__main__":
    main()
