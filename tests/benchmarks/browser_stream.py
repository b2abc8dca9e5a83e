"""Measure the streaming display in JupyterLab in Chromium, beside a redraw per token.

    python tests/benchmarks/browser_stream.py [--only NAME] [--artifacts FOLDER]

Long tasks are the times the browser's main thread was busy for more than 50 ms;
the lag is from the last byte in the kernel to its paint on the page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.browser.lab import Browser, chromium_page, jupyterlab, open_notebook, run_cell, write_notebook  # noqa: E402

END = "THE-LAST-WORD"
TYPED = "typing works while it streams"
GIVE_UP_S = 90

# Runs before JupyterLab: counts what comes over websockets, then samples the streaming cell in each frame.
_PROBE = """
window.probe = {bytes: 0, longTasks: 0, longest: 0};
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', e => { window.probe.bytes += e.data.byteLength ?? e.data.length });
  }
};
new PerformanceObserver(list => list.getEntries().forEach(e => {
  window.probe.longTasks += e.duration; window.probe.longest = Math.max(window.probe.longest, e.duration);
})).observe({type: 'longtask'});
window.watchCell = (index, end) => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[index].node;
  const probe = Object.assign(window.probe, {bytes: 0, longTasks: 0, longest: 0});
  Object.assign(probe, {outputs: 0, height: 0, drop: 0, painted: null, over: false});
  const sample = () => {
    if (probe.over) return;
    const area = cell.querySelector('.jp-OutputArea-output')?.closest('.jp-OutputArea');
    if (area) {
      const height = area.getBoundingClientRect().height;
      probe.drop = Math.max(probe.drop, probe.height - height);
      probe.height = height;
      probe.outputs = Math.max(probe.outputs, area.querySelectorAll(':scope > .jp-OutputArea-child').length);
      if (!probe.painted && area.textContent.includes(end)) {
        requestAnimationFrame(() => { probe.painted ??= Date.now() });
      }
    }
    requestAnimationFrame(sample);
  };
  requestAnimationFrame(sample);
};
"""


@dataclass(frozen=True)
class Case:
    """One run: what the cell does, and for how long it streams."""

    name: str
    code: str
    typing: bool = False


CASES = (
    Case("%%anyfast, 8 kB, 1000/s", "%%anyfast -m c8000-r1000-k0\nhi"),
    Case("%%anyfast, 100 kB, 1000/s", "%%anyfast -m c100000-r1000-k0\nhi", typing=True),
    Case("%%anyfast, 8 kB, 100/s, after thinking", "%%anyfast -m c8000-r100-k300\nhi", typing=True),
    Case("8 kB, 1000/s", "stream(8_000, 1000)"),
    Case("8 kB, 1000/s, beside others", "stream(8_000, 1000, owns_cell=False)"),
    Case("8 kB, 100/s, after thinking", "stream(8_000, 100, thoughts=300)", typing=True),
    Case("100 kB, 1000/s", "stream(100_000, 1000)", typing=True),
    Case("100 kB, 1000/s, beside others", "stream(100_000, 1000, owns_cell=False)", typing=True),
    Case("8 kB, 1000/s, redraw per token", "redraw_per_token(8_000, 1000)"),
)

PICTURED = "stream(3_000, 150, thoughts=300)"


def measure(browser: Browser, folder: Path, case: Case) -> dict[str, Any]:
    """Run a case's cell (the third of the notebook) and read the probe."""
    page = browser.page
    (folder / "ended.json").unlink(missing_ok=True)
    run_cell(browser, 0)
    page.evaluate("end => window.watchCell(2, end)", END)
    run_cell(browser, 2, wait=False)
    keys = type_meanwhile(browser) if case.typing else {}
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline and not page.evaluate("() => window.probe.painted"):
        page.wait_for_timeout(200)
    page.wait_for_timeout(1_500)
    probe = page.evaluate("() => { window.probe.over = true; return window.probe }")
    ended = (
        json.loads((folder / "ended.json").read_text())["at_ms"] if (folder / "ended.json").exists() else None
    )
    lag = probe["painted"] - ended if probe["painted"] and ended else None
    return {**probe, **keys, "lag": lag}


def type_meanwhile(browser: Browser) -> dict[str, Any]:
    """Type into the second cell while the third streams."""
    page = browser.page
    page.wait_for_timeout(1_000)
    page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    slowest = 0.0
    for key in TYPED:
        start = time.monotonic()
        page.keyboard.press("Space" if key == " " else key)
        slowest = max(slowest, time.monotonic() - start)
    typed = page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").inner_text()
    return {"typed": typed.strip() == TYPED, "slowest_key": slowest * 1000}


def row(name: str, found: dict[str, Any]) -> str:
    """A line of the table."""
    lag = f"{found['lag']:,.0f}" if found["lag"] is not None else f"gave up after {GIVE_UP_S} s"
    typing = f"{'yes' if found['typed'] else 'NO'}, {found['slowest_key']:.0f}" if "typed" in found else "–"
    return (
        f"| {name} | {found['longTasks']:,.0f} | {found['longest']:,.0f} | {lag} | {found['outputs']} "
        f"| {found['drop']:.0f} | {found['bytes'] / 1000:,.0f} | {typing} |"
    )


def pictures(folder: Path, artifacts: Path, *, dark: bool) -> None:
    """Thinking, streaming, and done, to be looked at."""
    theme = "dark" if dark else "light"
    write_notebook(folder / "pictures.ipynb", ["from browser_driver import *", "", PICTURED])
    with jupyterlab(folder, dark=dark) as lab, chromium_page(init_script=_PROBE) as browser:
        open_notebook(browser, lab, "pictures.ipynb")
        run_cell(browser, 0)
        browser.page.evaluate("end => window.watchCell(2, end)", END)
        run_cell(browser, 2, wait=False)
        for moment, pause_ms in (("thinking", 1_500), ("streaming", 3_500)):
            browser.page.wait_for_timeout(pause_ms)
            browser.page.screenshot(path=artifacts / f"{theme}-{moment}.png")
        browser.page.wait_for_function("() => window.probe.painted")
        browser.page.wait_for_timeout(1_000)
        browser.page.screenshot(path=artifacts / f"{theme}-done.png")


def main() -> None:
    """Run the cases, print the table, keep the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="where the pictures go")
    options = parser.parse_args()
    options.artifacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        shutil.copy(HERE / "browser_driver.py", folder)
        table(folder, [case for case in CASES if options.only in case.name])
        for dark in (False, True):
            pictures(folder, options.artifacts, dark=dark)


@contextmanager
def timed_server(folder: Path) -> Iterator[str]:
    """A gateway of its own process that streams at the pace the model's name says."""
    command = [sys.executable, str(HERE / "timed_server.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def environ(folder: Path, url: str) -> dict[str, str]:
    """What the kernels need to find it; their ledger goes with the folder."""
    return {"ANYFAST_BASE_URL": url, "ANYFAST_API_KEY": "sk-sim-bench", "ANYFAST_HOME": str(folder / "home")}


def table(folder: Path, cases: list[Case]) -> None:
    """Run the cases, each in a page of its own, and print what was found."""
    print("| case | long tasks ms | longest ms | lag ms | outputs | drop px | kB | typed, slowest key ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with timed_server(folder) as url, jupyterlab(folder, env=environ(folder, url)) as lab:
        for number, case in enumerate(cases):
            notebook = f"case{number}.ipynb"
            setup = "from browser_driver import *\n%load_ext anyfast_nb"
            write_notebook(folder / notebook, [setup, "", case.code])
            with chromium_page(init_script=_PROBE) as browser:
                open_notebook(browser, lab, notebook)
                print(row(case.name, measure(browser, folder, case)), flush=True)


if __name__ == "__main__":
    main()
