"""Every way to ask from a notebook, in a real kernel: its row names user, kernel, notebook and cell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Simulator
from tests.kernels import Kernel, Run

pytestmark = pytest.mark.kernel

NOTEBOOK = "/home/ada/lessons/films.ipynb"
READ = """
import json
from sqlalchemy import select
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.session import session
with session().gateway.ledger.reading() as _c:
    _rows = [dict(r._mapping) for r in _c.execute(select(REQUESTS).order_by(REQUESTS.c.time_us))]
print(json.dumps([r for r in _rows if r["title"] != "warm"]))
"""
SMALL = "duration=4, resolution='480p', ratio='16:9'"

TOOL = "def clock(city: str) -> str:\n    'Time.'\n    return {}\n"
CLOCK = 'client.chat(\'sim:tool clock {"city": "Oslo"}\', tools=[clock])'
PICTURE = "size='1K', model='doubao-seedream-4-0-250828'"
WAYS = {
    "magic line": "%anyfast chat 'one'",
    "magic cell": "%%anyfast\none",
    "a thread of chat": "%%anyfast --thread plot\none",
    "af.chat": "af.chat('one')",
    "client": "client.chat('one')",
    "client, whole": "client.chat('one', stream=False)",
    "client's stream": "list(client.stream('one'))",
    "async client": "await aclient.chat('one')",
    "async client's stream": "[event async for event in aclient.stream('one')]",
    "a tool's rounds": TOOL.format("'9:00'") + CLOCK,
    "a call inside of a tool": TOOL.format("client.chat('two').text") + CLOCK,
    "a call inside of a callback": "seen = []\n"
    "def on_event(event):\n    if not seen:\n        seen.append(1)\n        client.chat('two')\n"
    "client.chat('one', on_event=on_event)",
    "a task": "await asyncio.create_task(aclient.chat('one'))",
    "to_thread": "await asyncio.to_thread(client.chat, 'one')",
    "a plain thread": "t = threading.Thread(target=client.chat, args=['one']); t.start(); t.join()",
    "a pool": "with ThreadPoolExecutor(2) as pool:\n    list(pool.map(client.chat, ['one', 'two']))",
    "film magic": "%seedance 'a cat' --duration 4 --resolution 480p --ratio 16:9",
    "film": f"af.seedance('a cat', {SMALL}).wait()",
    "film of a client": f"client.seedance('a cat', {SMALL})",
    "film of an async client": f"await aclient.seedance('a cat', {SMALL})",
    "kling": "af.kling('a cat', duration=3, aspect_ratio='16:9')",
    "pictures magic": "%seedream 'a cat' --size 1K --model doubao-seedream-4-0-250828",
    "pictures": f"af.seedream('a cat', {PICTURE})",
    "pictures of a client": f"client.seedream('a cat', {PICTURE})",
    "sweep": f"af.sweep('a cat', {SMALL}, seed=[1, 2])",
    "sweep of a client": f"client.sweep('a cat', name='s', {SMALL}, seed=[1, 2])",
    "sweep of pictures": f"client.sweep(['a', 'b'], kind='seedream', {PICTURE})",
    "a group of assets": "client.assets.create_group('people')",
}
SETUP = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
import anyfast_nb as af
%load_ext anyfast_nb
client, aclient = af.Client(), af.AsyncClient()
'ready'
"""


def ok(run: Run) -> str:
    assert run.status == "ok", run.text
    return run.text


def rows(k: Kernel) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ok(k.execute(READ)).strip().splitlines()[-1])
    return found


@pytest.fixture
def k(kernel: Callable[..., Kernel], simulator: Simulator) -> Kernel:
    return kernel(
        ANYFAST_BASE_URL=simulator.base_url,
        ANYFAST_API_KEY=simulator.key,
        JPY_SESSION_NAME=NOTEBOOK,  # as Jupyter's server sets it
        JUPYTERHUB_USER="ada",
    )


def test_every_way_to_ask_names_the_cell(k: Kernel) -> None:
    ok(k.execute(SETUP, cell_id="setup"))
    for name, source in WAYS.items():
        ok(k.execute(source, cell_id=name, timeout_s=120))
    found = rows(k)
    of_way = {name: [row for row in found if row["cell"] == name] for name in WAYS}
    assert [name for name, own in of_way.items() if not own] == []
    two = {name for name, own in of_way.items() if len(own) == 2}
    assert two == {
        "a tool's rounds", "a call inside of a callback", "a pool",
        "sweep", "sweep of a client", "sweep of pictures",
    }  # fmt: skip
    assert len(of_way["a call inside of a tool"]) == 3
    assert {row["notebook"] for row in found} == {NOTEBOOK}
    assert {row["user_name"] for row in found} == {"ada"}
    (kernel_id,) = {row["session"] for row in found}
    file = ok(k.execute("print(get_ipython().kernel.parent.connection_file)")).strip()
    assert Path(file).name == f"kernel-{kernel_id}.json"
    assert {row["thread"] for row in found} == {None, "plot"}
    assert [row["thread"] for row in of_way["a thread of chat"]] == ["plot"]


def test_work_that_goes_on_keeps_its_cell_and_what_is_not_told_is_unknown(k: Kernel) -> None:
    ok(k.execute(SETUP, cell_id="setup"))
    ok(k.execute("go, pool = asyncio.Event(), ThreadPoolExecutor(1)\n"
                 "pool.submit(lambda: None).result()\n"
                 "free = threading.Event()\n"
                 "def later():\n    free.wait()\n    client.chat('by a thread')\n"
                 "async def then():\n    await go.wait()\n    await aclient.chat('by a task')\n"
                 "thread, task = threading.Thread(target=later), asyncio.create_task(then())\n"
                 "thread.start()", cell_id="first"))  # fmt: skip
    ok(k.execute("go.set(); free.set(); thread.join(); await task\n"
                 "pool.submit(client.chat, 'by an old pool').result()", cell_id="second"))  # fmt: skip
    cells = {row["title"]: (row["cell"], row["notebook"]) for row in rows(k)}
    assert cells == {
        "by a task": ("first", NOTEBOOK),
        "by a thread": (None, NOTEBOOK),
        "by an old pool": (None, NOTEBOOK),
    }


def test_a_named_storyboard_runs_where_it_runs_and_is_the_same_everywhere(k: Kernel) -> None:
    board = f"af.Storyboard(['a cat sits', 'it plays'], name='recital', {SMALL})"
    ok(k.execute(SETUP, cell_id="setup"))
    ok(k.execute(f"board = {board}", cell_id="made"))
    ok(k.execute("board.run()", cell_id="run", timeout_s=120))
    ok(k.execute(f"{board}.run()", cell_id="again", timeout_s=120))
    assert [row["cell"] for row in rows(k)] == ["run", "run"]


def test_without_the_extension_python_knows_the_cell_as_well(k: Kernel) -> None:
    ok(k.execute("import anyfast_nb as af\nclient = af.Client()", cell_id="setup"))
    ok(k.execute("client.chat('one')", cell_id="c1"))
    ok(k.execute("af.chat('one')", cell_id="c2"))
    assert [row["cell"] for row in rows(k)] == ["c1", "c2"]


def test_vs_code_tells_the_notebook_by_a_variable_and_the_cell_by_an_address(
    kernel: Callable[..., Kernel], simulator: Simulator
) -> None:
    k = kernel(ANYFAST_BASE_URL=simulator.base_url, ANYFAST_API_KEY=simulator.key)
    k.collect(k.send(f"__vsc_ipynb_file__ = {NOTEBOOK!r}", silent=True))
    cell = "vscode-notebook-cell:/home/ada/lessons/films.ipynb#W3sZmlsZQ%3D%3D"
    ok(k.execute("import anyfast_nb as af\naf.Client().chat('one')", cell_id=cell))
    (row,) = rows(k)
    assert (row["notebook"], row["cell"], row["user_name"]) == (NOTEBOOK, "W3sZmlsZQ%3D%3D", None)


def test_a_script_and_the_kernel_of_another_notebook_are_not_this_notebook(k: Kernel, tmp_path: Path) -> None:
    """What a cell starts inherits its environment, and is something else all the same."""
    (tmp_path / "script.py").write_text("import anyfast_nb as af\naf.Client().chat('by a script')\n")
    ok(k.execute(SETUP, cell_id="setup"))
    ok(
        k.execute(
            "import subprocess, sys\nsubprocess.run([sys.executable, 'script.py'], check=True)", cell_id="c1"
        )
    )
    inner = "import anyfast_nb as af; af.Client().chat('by a kernel')"
    ok(k.execute("import nbformat\n"
                 f"book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({inner!r})])\n"
                 "nbformat.write(book, 'inner.ipynb')\n"
                 "subprocess.run([sys.executable, '-c', 'from nbclient.cli import main; main()', "
                 "'inner.ipynb'], check=True)", cell_id="c2"))  # fmt: skip
    script, book = rows(k)
    assert (script["notebook"], script["cell"], script["session"], script["user_name"]) == (
        None, None, None, "ada",
    )  # fmt: skip
    assert (book["notebook"], book["cell"], book["user_name"]) == (None, None, "ada")
    assert book["session"]
    assert not ok(k.execute("import anyfast_nb\nprint(anyfast_nb.gateway.whence.here().session)")).startswith(
        book["session"]
    )


def test_doctor_says_what_a_row_of_this_cell_would(k: Kernel) -> None:
    ok(k.execute(SETUP, cell_id="setup"))
    said = ok(k.execute("%anyfast doctor", cell_id="c7"))
    assert f"notebook {NOTEBOOK}, cell c7, session " in said
    assert "user ada" in said
