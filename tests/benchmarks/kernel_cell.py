"""What one streaming cell sends and costs in a real kernel, beside the loop every tutorial shows.

`python tests/benchmarks/kernel_cell.py` prints a table: 2,000 chunks in the first call of
a fresh kernel, at full speed and at 200 a second, and how fast an interrupt ends a cell.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.environment import clean_environ
from tests.kernels import Kernel

INTERRUPTS = 10
KEY = "sk-sim-bench"
PROMPT = "sim:chunks=2000 sim:rate={rate} QX1"
OPENAI_20HZ = """
import time
import IPython.display as d
h, parts, last = None, [], 0.0
for c in client.chat.completions.create(model='doubao-seed-2.0-lite', stream=True,
        messages=[{{'role': 'user', 'content': '{prompt}'}}]):
    if c.choices and c.choices[0].delta.content:
        parts.append(c.choices[0].delta.content)
        now = time.monotonic()
        if now - last >= 0.05:
            last = now
            text = d.Markdown(''.join(parts))
            if h is None:
                h = d.display(text, display_id=True)
            else:
                h.update(text)
h.update(d.Markdown(''.join(parts)))
"""
CASES = {
    "%%anyfast": ("%load_ext anyfast_nb", "%%anyfast\n{prompt}"),
    "openai, redraw at 20 Hz": (
        "import os, openai\nclient = openai.OpenAI(base_url=os.environ['ANYFAST_BASE_URL'])",
        OPENAI_20HZ,
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One timed cell."""

    messages: int
    size_kb: float
    cpu_s: float
    ttft_s: float


@contextmanager
def simulator() -> Iterator[str]:
    """A built-in AnyFast of its own, without waits but those a prompt asks for."""
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--port", "0", "--speed", "0", "--key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.terminate()


@contextmanager
def fresh_kernel(base_url: str) -> Iterator[Kernel]:
    """A kernel in an empty home."""
    with tempfile.TemporaryDirectory() as folder:
        environ = clean_environ(Path(folder))
        environ |= {"ANYFAST_BASE_URL": base_url, "ANYFAST_API_KEY": KEY, "OPENAI_API_KEY": KEY}
        with Kernel(cwd=Path(folder), environ=environ) as kernel:
            yield kernel


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(base_url: str, case: str, rate: float) -> Figures:
    """The first call of a fresh kernel."""
    setup, cell = CASES[case]
    with fresh_kernel(base_url) as kernel:
        assert kernel.execute(setup).status == "ok"
        time.sleep(0.5)  # as a person reads what the cell said
        code = cell.format(prompt=PROMPT.format(rate=rate))
        before, began = cpu_s(kernel.pid), time.perf_counter()
        msg_id = kernel.send(code)
        seen = kernel.wait_for(msg_id, "text/")
        first = time.perf_counter()
        run = kernel.collect(msg_id)[0]
        run.messages[:0] = seen
        assert run.status == "ok", run.text
        used = cpu_s(kernel.pid) - before
    return Figures(len(run.messages), run.size_bytes / 1000, used, first - began)


def interrupts(base_url: str) -> list[float]:
    """Seconds from the signal to the cell's reply, in one kernel."""
    found = []
    with fresh_kernel(base_url) as kernel:
        kernel.execute("%load_ext anyfast_nb")
        for _ in range(INTERRUPTS):
            msg_id = kernel.send("%%anyfast\n" + PROMPT.format(rate=200))
            kernel.wait_for(msg_id, "text/")
            began = time.perf_counter()
            kernel.interrupt()
            run = kernel.collect(msg_id)[0]
            found.append(time.perf_counter() - began)
            assert run.reply["content"]["ename"] == "Interrupted"
    return found


def table(base_url: str, rate: int, runs: int) -> None:
    """Print the medians of all cases at one speed, and our ratio to the other."""
    figures: dict[str, list[Figures]] = {case: [] for case in CASES}
    for _ in range(runs):
        for case in CASES:  # in turn, so that both see the same machine
            figures[case].append(measure(base_url, case, rate))
    medians = {
        case: [statistics.median(getattr(f, name) for f in found) for name in Figures.__slots__]
        for case, found in figures.items()
    }
    for case, (messages, size_kb, cpu, first) in medians.items():
        print(f"| {case} | {rate or 'full'} | {messages:.0f} | {size_kb:.0f} | {cpu:.2f} | {first:.3f} |")
    ours, theirs = medians.values()
    ratios = [f"{mine / other:.2f}" for mine, other in zip(ours, theirs, strict=True)]
    print(f"| ratio | | {' | '.join(ratios)} |")


def main() -> None:
    """Run all and print the table."""
    with simulator() as base_url:
        measure(base_url, "openai, redraw at 20 Hz", 0)  # the server's first request is not anyone's cost
        print("| case | chunks/s | messages | kB | CPU s | first text s |\n|---|---|---|---|---|---|")
        table(base_url, rate=0, runs=5)
        table(base_url, rate=200, runs=3)
        ended = interrupts(base_url)
        median, most = statistics.median(ended), max(ended)
        print(f"\ninterrupt to reply: median {median:.3f} s, most {most:.3f} s of {len(ended)}")


if __name__ == "__main__":
    main()
