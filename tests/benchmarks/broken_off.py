"""Break makers of films off at random moments: `python tests/benchmarks/broken_off.py [RUNS]`.

Twenty seeded runs for each phase (submit, poll, download) and signal (kill -9, Ctrl-C), each a
process of its own against the simulator. Afterwards everything is resumed and the cell is run again.
The table says how far the makers had come; anything lost, halved or sent twice ends the run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.environment import clean_environ
from tests.jobs.broken_off import PHASES, SIGNALS, Outcome, run

KEY = "sk-sim-bench"
RUNS = 20
FOUND = ("nothing", "in doubt", "task id", "film")


def main(runs: int = RUNS) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = ("--port", "0", "--speed", "0", "--key", KEY)
        command = [sys.executable, "-m", "anyfast_nb.simulator.cli", *options]
        environ = clean_environ(folder / "simulator")
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None
            base_url = next(
                word.rstrip(".") for word in process.stdout.readline().split() if word.startswith("http://")
            )
            try:
                _table(base_url, folder, runs)
            finally:
                process.terminate()


def _table(base_url: str, folder: Path, runs: int) -> None:
    print("| phase | signal | runs | " + " | ".join(FOUND) + " | part of a film | accepted |")
    print("| --- | --- |" + " ---: |" * (len(FOUND) + 3))
    for phase in PHASES:
        for signal_name in SIGNALS:
            outcomes: list[Outcome] = []
            for seed in range(runs):
                place = folder / f"{phase}-{signal_name}-{seed}"
                outcomes.append(run((base_url, KEY), phase, signal_name, seed=seed, folder=place))
            found = Counter(outcome.found for outcome in outcomes)
            half, accepted = (
                sum(outcome.half for outcome in outcomes),
                sum(outcome.accepted for outcome in outcomes),
            )
            cells = [str(runs), *(str(found[word]) for word in FOUND), str(half), str(accepted)]
            print(f"| {phase} | {signal_name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
