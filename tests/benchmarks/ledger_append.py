"""What a ledger row costs: begin and settle in one process, and eight processes at once.

    python tests/benchmarks/ledger_append.py [FOLDER]

FOLDER is on the disk to measure (by default the one of temporary files).
Beside them stands the floor: one INSERT by plain sqlite3 with the same settings.
"""

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.wire.values import Source, Status, Usage

ROWS = 2000
PROCESSES = 8
WRITER = Path(__file__).parents[1] / "ledger" / "writer.py"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(name: str, times_s: list[float]) -> None:
    """One line: the median, and the slow end."""
    times_ms = sorted(time_s * 1000 for time_s in times_s)
    p50, p95, p99 = (times_ms[int(len(times_ms) * share)] for share in (0.5, 0.95, 0.99))
    print(f"{name:<24} p50 {p50:6.3f}  p95 {p95:6.3f}  p99 {p99:6.3f}  max {times_ms[-1]:6.2f} ms")


def floor(path: Path) -> None:
    """Plain sqlite3, WAL, FULL."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, text TEXT)")
    insert = "INSERT INTO t VALUES (?, ?)"
    show(
        "plain sqlite3",
        [seconds(lambda n=n: connection.execute(insert, (f"{n}", "x" * 300))) for n in range(ROWS)],
    )
    connection.close()


def one_process(path: Path) -> None:
    """Begin and settle, one after the other."""
    rows = [
        RequestRow(
            kind="chat",
            source=Source.SIMULATED,
            base_url="http://127.0.0.1:8765/v1",
            model="doubao-seed-2.0-lite",
            title="Which of these three is the odd one out, and why? Explain in two sentences.",
        )
        for _ in range(ROWS)
    ]
    with Ledger(path) as ledger:
        print(f"{'opening a new ledger':<24} {seconds(ledger.open) * 1000:10.3f} ms")
        show("begin", [seconds(lambda row=row: ledger.begin(row)) for row in rows])
        usage = Usage(input_tokens=120, output_tokens=300, reasoning_tokens=80)
        settle = [
            seconds(lambda row=row: ledger.settle(row.id, status=Status.OK, usage=usage, duration_s=4.2))
            for row in rows
        ]
        show("settle", settle)
    with Ledger(path) as ledger:
        print(f"{'opening it again':<24} {seconds(ledger.open) * 1000:10.3f} ms")


def many_processes(path: Path) -> None:
    """Eight writers; every second row is settled too."""

    def run() -> None:
        command = [sys.executable, str(WRITER), str(path), str(ROWS)]
        writers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(PROCESSES)]
        assert {writer.wait() for writer in writers} == {0}

    took_s = seconds(run)
    with Ledger(path) as ledger:
        stored = sum(total.requests for total in ledger.totals_by_model())
    print(f"{PROCESSES} x {ROWS} rows: {stored} stored in {took_s:.1f} s")


def main() -> None:
    """Run all three."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        floor(Path(folder) / "floor.sqlite3")
        one_process(Path(folder) / "one" / "ledger.sqlite3")
        many_processes(Path(folder) / "many" / "ledger.sqlite3")


if __name__ == "__main__":
    main()
