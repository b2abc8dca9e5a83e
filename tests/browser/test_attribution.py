"""Which notebook and which cell asked, as JupyterLab and Notebook 7 really tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab import Browser, Lab, open_notebook, run_cell, save_notebook, write_notebook

pytestmark = pytest.mark.browser

SETUP = (
    "%env ANYFAST_BASE_URL=simulator\n%env ANYFAST_SIM_SPEED=0\n%load_ext anyfast_nb\nimport anyfast_nb as af"
)
CELLS = (
    SETUP,
    "%anyfast chat 'magic'",
    "_ = af.chat('af.chat')",
    "_ = await af.AsyncClient().chat('async')",
    """import json
from pathlib import Path
from sqlalchemy import select
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.session import session
with session().gateway.ledger.reading() as connection:
    rows = [dict(row._mapping) for row in connection.execute(select(REQUESTS))]
here = [row for row in rows if (row['notebook'] or '').endswith(Path(__session__).name)]
Path(__session__).with_suffix('.json').write_text(json.dumps(here))
print('read', len(here))""",
)
TITLES = ("magic", "af.chat", "async")


def check(folder: Path, name: str) -> None:
    """Each row has the id that its cell has in the saved notebook."""
    cells = nbformat.read(folder / name, as_version=4).cells
    rows: dict[str, Any] = {
        row["title"]: row for row in json.loads((folder / name).with_suffix(".json").read_text())
    }
    assert {title: rows[title]["cell"] for title in TITLES} == {
        title: cell.id for title, cell in zip(TITLES, cells[1:4], strict=True)
    }
    assert {row["notebook"] for row in rows.values()} == {str(folder / name)}
    assert len({row["session"] for row in rows.values()}) == 1
    assert {row["user_name"] for row in rows.values()} == {None}


def kernels(browser: Browser, lab: Lab) -> list[str]:
    """The ids of the kernels that run, as the server calls them."""
    found: list[str] = browser.page.evaluate(
        "url => fetch(url).then(r => r.json()).then(all => all.map(one => one.id))",
        f"{lab.url}/api/kernels?token={lab.token}",
    )
    return found


def test_jupyterlab_tells_the_notebook_and_the_cell(browser: Browser, lab: Lab, folder: Path) -> None:
    name = "attribution-lab.ipynb"
    write_notebook(folder / name, CELLS)
    open_notebook(browser, lab, name)
    for index in range(len(CELLS)):
        run_cell(browser, index)
    save_notebook(browser)
    check(folder, name)
    (row, *_) = json.loads((folder / name).with_suffix(".json").read_text())
    assert row["session"] in kernels(browser, lab)


def test_notebook_7_tells_the_notebook_and_the_cell(browser: Browser, lab: Lab, folder: Path) -> None:
    below = folder / "a folder"
    below.mkdir(exist_ok=True)
    write_notebook(below / "attribution-7.ipynb", CELLS)
    open_notebook(browser, lab, "a%20folder/attribution-7.ipynb", in_notebook_7=True)
    for index in range(len(CELLS)):
        run_cell(browser, index)
    check(below, "attribution-7.ipynb")
