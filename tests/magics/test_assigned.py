"""Is a magic's result taken by somebody?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from anyfast_nb.magics.assigned import result_is_used
from tests.shells import bare_shell

SEEN: list[bool] = []


@magics_class
class Probe(Magics):
    @no_var_expand
    @line_cell_magic
    def probe(self, line: str, cell: str | None = None) -> Any:
        SEEN.append(inner())
        return [1]


def inner() -> bool:
    return result_is_used()


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    with bare_shell() as shell:
        shell.register_magics(Probe(shell))
        SEEN.clear()
        yield shell


@pytest.mark.parametrize(
    ("cell", "used"),
    [
        ("%probe", [False]),
        ("%probe x\n1 + 1", [False]),
        ("1 + 1\n%probe", [False]),
        ("%%probe\nbody", [False]),
        ("a = %probe x", [True]),
        ("a = %probe x\na", [True]),
        ("a = %probe x\n%probe", [True, False]),
        ("for n in range(2):\n    %probe", [False, False]),
        ("for n in range(2):\n    a = %probe", [True, True]),
        ("def f():\n    %probe\n    return 1\nf()", [False]),
        ("a = b = get_ipython().run_line_magic('probe', '')", [True]),
        ("len(get_ipython().run_line_magic('probe', ''))", [True]),
        ("a = [get_ipython().run_cell_magic('probe', '', 'x')]", [True]),
        ("import asyncio\nawait asyncio.sleep(0)\n%probe", [False]),
        ("import asyncio\nawait asyncio.sleep(0)\na = %probe", [True]),
        ("%%time\n%probe", [False]),
        ("%%time\n%%probe\nbody", [False]),
        ("%%time\n1 + 1\n%probe", [False]),
        ("%%time\na = %probe", [True]),
        ("%time %probe", [False]),
        ("a = %time %probe", [True]),
        ("%time len(get_ipython().run_line_magic('probe', ''))", [True]),
        ("\n".join(f"a{n} = {n}" for n in range(300)) + "\n%probe\na = %probe", [False, True]),
    ],
)
def test_assigned_or_not(shell: InteractiveShell, cell: str, used: list[bool]) -> None:
    assert shell.run_cell(cell).success
    assert used == SEEN


def test_without_ipython_it_is_used() -> None:
    assert result_is_used()
