"""Measure a long answer in the chat panel, in JupyterLab in Chromium, beside the limits it has to keep.

    python tests/benchmarks/panel_stream.py [--chars 100000] [--rate 1000]

The lag is from the last byte in the kernel's server to its paint on the page; a long task is a time for
which the page could do nothing else; keys are typed into another cell while the answer streams.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
sys.path.insert(0, str(HERE))

from tests.benchmarks.browser_stream import (  # noqa: E402
    _PROBE,
    END,
    GIVE_UP_S,
    environ,
    timed_server,
    type_meanwhile,
)
from tests.browser.lab import (  # noqa: E402
    Browser,
    chromium_page,
    jupyterlab,
    open_notebook,
    run_cell,
    write_notebook,
)

LIMITS = {"kB to the browser": 1_000.0, "lag ms": 2_500.0, "longest task ms": 300.0}
_LOG = ".anyfast-pieces[role=log]"
_IN_PANEL = _PROBE.replace(
    ".querySelector('.jp-OutputArea-output')?.closest('.jp-OutputArea')", f".querySelector('{_LOG}')"
).replace(":scope > .jp-OutputArea-child", ":scope > div")


def measure(browser: Browser, folder: Path) -> dict[str, Any]:
    """Ask in the panel of the third cell, and read the probe."""
    page = browser.page
    run_cell(browser, 0)
    run_cell(browser, 2)
    field = page.locator(".anyfast-composer textarea").first
    field.wait_for()
    field.fill("hi")
    page.wait_for_timeout(1_500)
    page.evaluate("end => window.watchCell(2, end)", END)
    page.keyboard.press("Control+Enter")
    keys = type_meanwhile(browser)
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline and not page.evaluate("() => window.probe.painted"):
        page.wait_for_timeout(200)
    page.wait_for_timeout(3_000)  # the essence follows
    probe = page.evaluate("() => { window.probe.over = true; return window.probe }")
    ended = json.loads((folder / "ended.json").read_text())["at_ms"]
    return {**probe, **keys, "lag": probe["painted"] - ended if probe["painted"] else float("inf")}


def main() -> None:
    """Stream once, and print what was found beside the limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chars", type=int, default=100_000, help="of the answer")
    parser.add_argument("--rate", type=int, default=1_000, help="pieces a second")
    options = parser.parse_args()
    model = f"c{options.chars}-r{options.rate}-k0"
    panel = f"from anyfast_nb.panels.chat import ChatPanel\nChatPanel(model={model!r})"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_notebook(folder / "panel.ipynb", ["%load_ext anyfast_nb", "", panel])
        with (
            timed_server(folder) as url,
            jupyterlab(folder, env=environ(folder, url)) as lab,
            chromium_page(init_script=_IN_PANEL) as browser,
        ):
            open_notebook(browser, lab, "panel.ipynb")
            found = measure(browser, folder)
    table(found)


def table(found: dict[str, Any]) -> None:
    """What was found, and what is allowed."""
    values = {
        "kB to the browser": found["bytes"] / 1000,
        "lag ms": found["lag"],
        "longest task ms": found["longest"],
        "sum of long tasks ms": found["longTasks"],
        "pieces": found["outputs"],
        "slowest key ms": found["slowest_key"],
    }
    print("| measure | found | limit |  |")
    print("| --- | --- | --- | --- |")
    for name, value in values.items():
        limit = LIMITS.get(name)
        verdict = "" if limit is None else "kept" if value <= limit else "BROKEN"
        print(f"| {name} | {value:,.0f} | {'' if limit is None else f'{limit:,.0f}'} | {verdict} |")
    print(f"| typed as it was meant | {'yes' if found['typed'] else 'NO'} | yes |  |")


if __name__ == "__main__":
    main()
