"""Storyboards and sweeps in a real kernel: what the cell shows, and a kernel that starts anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Simulator
from tests.kernels import Kernel, Run

pytestmark = pytest.mark.kernel

BOARD = """
import anyfast_nb as af
board = af.Storyboard(
    ["A red kite", "It falls"], name="kite", duration=4, resolution="480p", ratio="16:9", audio=False
)
board.run()
"""
SWEEP = """
swept = af.sweep(
    ["A red kite", "sim:moderated"], duration=4, resolution="480p", ratio="16:9", audio=False
)
swept
"""


def started(kernel: Callable[..., Kernel], simulator: Simulator) -> Kernel:
    made = kernel(ANYFAST_BASE_URL=simulator.base_url, ANYFAST_API_KEY=simulator.key)
    assert made.execute("%load_ext anyfast_nb").status == "ok"
    return made


def page(run: Run) -> str:
    """The HTML of the value of the cell."""
    (value,) = [one for one in run.outputs if one["output_type"] == "execute_result"]
    return str(value["data"]["text/html"])


def test_the_cell_tells_how_far_it_is_and_then_shows_the_film(
    kernel: Callable[..., Kernel], simulator: Simulator
) -> None:
    first = started(kernel, simulator)
    run = first.execute(BOARD, cell_id="a", timeout_s=120)
    assert run.status == "ok", run.text
    told = [str(message["content"]) for message in run.messages if "data" in message["content"]]
    assert "0 of 2 shots made" in told[0]
    told_last, shown = run.outputs
    assert told_last["data"]["text/plain"] == "Storyboard kite · 2 of 2 shots made"
    assert page(run).count("<video ") == 1
    assert page(run).count("<img ") >= 2
    assert "anyfast_media/storyboard-kite-" in str(shown["data"]["text/html"])

    second = started(kernel, simulator)
    again = second.execute(BOARD, cell_id="another", timeout_s=120)
    assert again.status == "ok", again.text
    counted = second.execute("print(len(af.ledger.jobs()), board.run().path.name)")
    assert counted.text.startswith("2 storyboard-kite-")  # nothing to do, nothing to tell

    grid = second.execute(SWEEP, timeout_s=120)
    assert grid.status == "ok", grid.text
    assert grid.outputs[0]["data"]["text/plain"] == "Sweep · 1 of 2 made · 1 failed"
    assert page(grid).count("<img ") == 1
    assert "prompt=sim:moderated · failed" in page(grid)

    failed = second.execute('af.sweep("sim:moderated", seed=[1, 2], duration=4)', timeout_s=120)
    assert failed.status == "error"
    assert "nothing was made: " in failed.text
    assert failed.outputs[0]["data"]["text/html"].count("<figure") == 2
