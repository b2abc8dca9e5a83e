"""What `%load_ext anyfast_nb` adds to a bare IPython: best of five, in fresh processes.

`python tests/benchmarks/load_ext.py` prints the cumulative import time (`-X importtime`)
and the whole call, in milliseconds, and what of the heavy libraries is loaded afterwards.
"""

from __future__ import annotations

import re
import subprocess
import sys

RUNS = 5
HEAVY = ("pandas", "httpx", "mistune", "av", "PIL", "starlette", "ipywidgets", "numpy")
SCRIPT = f"""
import sys, time
from IPython.core.interactiveshell import InteractiveShell
import asyncio, zmq, ipykernel.ipkernel  # what a bare kernel has loaded anyway
shell = InteractiveShell.instance()
print("MARK", file=sys.stderr)
began = time.perf_counter()
shell.run_line_magic("load_ext", "anyfast_nb")
print((time.perf_counter() - began) * 1000)
print([name for name in {HEAVY} if name in sys.modules])
"""


def once(*flags: str) -> tuple[float, float, str]:
    """Milliseconds of the call and of its imports, and the heavy libraries loaded."""
    command = [sys.executable, *flags, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    call_ms, heavy = done.stdout.splitlines()
    imports = done.stderr.partition("MARK\n")[2].splitlines()
    own_us = [int(match[1]) for line in imports if (match := re.match(r"import time:\s+(\d+) \|", line))]
    return float(call_ms), sum(own_us) / 1000, heavy


def main() -> None:
    """Print the best of each."""
    calls = [once() for _ in range(RUNS)]
    imports = [once("-X", "importtime") for _ in range(RUNS)]
    print(f"%load_ext anyfast_nb: {min(c[0] for c in calls):.0f} ms (best of {RUNS})")
    print(f"its imports by -X importtime: {min(i[1] for i in imports):.0f} ms (best of {RUNS})")
    print(f"heavy libraries loaded: {calls[0][2]}")


if __name__ == "__main__":
    main()
