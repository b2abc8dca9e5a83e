"""Every public function of the rooms that speak with AnyFast is documented, and names its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.environment import ROOT

PACKAGE = ROOT / "anyfast_nb"
ROOMS = ("wire", "http", "assets", "client")
MODULES = (
    *("media/limits.py", "media/checks.py", "media/parts.py", "media/sniff.py", "media/probe.py"),
    *("jobs/submit.py", "jobs/poll.py", "jobs/prepare.py", "jobs/failures.py", "jobs/fetch.py"),
    *("jobs/drawing.py", "jobs/pictures.py"),
)


def functions(node: ast.AST, above: str) -> Iterator[tuple[str, str, str]]:
    """Name, docstring, and the docstrings around each public function and method."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef) and not inner.name.startswith("_"):
            yield from functions(inner, above + (ast.get_docstring(inner) or ""))
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
            decorators = {ast.unparse(one) for one in inner.decorator_list}
            if not any(one == "overload" or one.endswith(".setter") for one in decorators):
                yield inner.name, ast.get_docstring(inner) or "", above


def files() -> list[Path]:
    rooms = [path for room in ROOMS for path in sorted((PACKAGE / room).glob("*.py"))]
    return [*rooms, *(PACKAGE / module for module in MODULES)]


def test_every_public_function_says_what_it_does_and_where_that_is_written() -> None:
    silent, count = [], 0
    for path in files():
        tree = ast.parse(path.read_text("utf-8"))
        for name, own, above in functions(tree, ast.get_docstring(tree) or ""):
            count += 1
            if not own or "Source:" not in own + above:
                silent.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert silent == []
    assert count > 200
