"""Cards of jobs where no browser is: what nbclient keeps, and what the exported page holds."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from tests.environment import end_simulator
from tests.notebooks.running import environ, execute

pytestmark = pytest.mark.kernel

SETUP = """%load_ext anyfast_nb
import anyfast_nb as af
from anyfast_nb.magics.watch import attach, watch, watch_pictures
from anyfast_nb.session import session"""
SMALL = "duration=4, resolution='480p', ratio='16:9', audio=False"
CELLS = (
    SETUP,
    f"job = watch(session(), af.seedance('A cat', {SMALL}))",
    f"ended = attach(session(), af.seedance('A dog sim:polls=1', {SMALL}))",
    "pictures = watch_pictures(session(), 'A kite', {'size': '1K', 'model': 'doubao-seedream-4-0-250828'})",
    "ended.wait(60)",
)


@pytest.fixture
def ran(tmp_path: Path) -> NotebookNode:
    place = tmp_path / "notebooks"
    place.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), place / "cards.ipynb")
    around = environ(tmp_path / "home")
    try:
        return execute(place / "cards.ipynb", environ=around)
    finally:
        end_simulator(around)


def test_each_cell_ends_as_one_static_output(ran: NotebookNode) -> None:
    _, watched, attached, painted, ended = (cell.outputs for cell in ran.cells)
    assert ended[0].data["text/plain"] == "True"
    for (output,) in (watched, attached, painted):
        assert sorted(output.data) == ["text/html", "text/plain"]
        assert output.output_type == "display_data"
    for (output,) in (watched, attached):
        assert "<video" in output.data["text/html"]
        assert 'src="anyfast_media/seedance-' in output.data["text/html"]
        assert output.metadata["anyfast"]["status"] == "succeeded"
        assert output.data["text/plain"].startswith("Film · simulated · seedance · 4 s · 40,594 tokens")
    assert "<img" in painted[0].data["text/html"]
    assert "widgets" not in ran.metadata

    html, _ = HTMLExporter().from_notebook_node(ran)
    fallback = r'<a href="anyfast_media/seedance-[^"]+\.mp4"><img [^>]*src="data:image/jpeg;base64,'
    assert len(re.findall(fallback, html)) == 2
    assert len(re.findall(r"<video ", html)) == 2
