"""Thirty callers at once against one hard budget, on SQLite and on a PostgreSQL of its own.

    python tests/benchmarks/budget_race.py [FOLDER]

Six processes with five callers each reserve, send and settle until nothing
more fits. Shown is what they used of the amount: never more than all of it,
and less than one request of it left. FOLDER is on the disk to measure (by
default the one of temporary files).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from anyfast_nb.ledger import Ledger  # noqa: E402
from anyfast_nb.ledger.budget.values import Ask  # noqa: E402
from anyfast_nb.ledger.rows import new_id  # noqa: E402
from tests.postgres import Postgres  # noqa: E402

AMOUNT, WORST = 20_000, 100
PROCESSES, CALLERS = 6, 5
LOOKS, ALONE = 1_000, 100
SPENDER = ROOT / "tests" / "ledger" / "spender.py"


def race(name: str, place: str) -> None:
    """All callers, until nothing more fits."""
    with Ledger(place) as ledger:
        ledger.set_budget(AMOUNT, "tokens", per="total")
    command = [sys.executable, str(SPENDER), place, str(CALLERS), str(WORST)]
    started_s = time.perf_counter()
    processes = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True)
        for seed in range(PROCESSES)
    ]
    told = [process.communicate()[0].split() for process in processes]
    took_s = time.perf_counter() - started_s
    used, refused = (sum(int(words[at]) for words in told) for at in (0, 1))
    verdict = "ok" if AMOUNT - WORST < used <= AMOUNT else "WRONG"
    print(f"{name:<11} {used:,} of {AMOUNT:,} used, {refused:,} refused, {took_s:.1f} s: {verdict}")


def alone(name: str, place: str) -> None:
    """What one caller waits: for the cheap look, and for a reservation."""
    with Ledger(place) as ledger:
        ledger.set_budget(10**9, "tokens", per="day")
        for what, count, work in (
            ("is there a budget?", LOOKS, ledger.guarded),
            ("reserve", ALONE, lambda: ledger.reserve(Ask(id=new_id(), tokens=1))),
        ):
            times_ms = []
            for _ in range(count):
                started_s = time.perf_counter()
                work()
                times_ms.append((time.perf_counter() - started_s) * 1000)
            times_ms.sort()
            print(f"{name:<11} {what:<18} p50 {times_ms[count // 2]:7.3f}  max {times_ms[-1]:7.2f} ms")


def main(folder: Path) -> None:
    """Both stores, one after the other."""
    with tempfile.TemporaryDirectory(dir=folder) as room:
        race("SQLite", f"{room}/race.sqlite3")
        alone("SQLite", f"{room}/alone.sqlite3")
    done = subprocess.run(["sh", str(ROOT / ".ci" / "postgres")], capture_output=True, text=True, check=True)
    with Postgres(Path(done.stdout.strip())) as server:
        race("PostgreSQL", server.database())
        alone("PostgreSQL", server.database())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()))
