"""The house's rules, and a walker that finds what breaks them.

A *room* is a package or module directly below `anyfast_nb`; the front door is
`anyfast_nb/__init__.py` itself. Imports go down the list of floors only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FRONT_DOOR = "the front door"
SIMULATOR = "simulator"

# From the ground up. A room imports from floors below its own, and from itself.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "_version"}),
    frozenset({"keystore", "allowed", "secret"}),
    frozenset({"settings", "catalog"}),
    frozenset({"wire"}),
    frozenset({"http", "media", "ledger"}),
    frozenset({"gateway", "threads"}),
    frozenset({"assets"}),
    frozenset({"jobs"}),
    frozenset({"client"}),
    frozenset({"session"}),
    frozenset({"magics", "panels"}),
    frozenset({FRONT_DOOR}),
)
FACES = frozenset({"magics", "panels", FRONT_DOOR})
RENDER_MAY_IMPORT = frozenset({"errors", "wire"})
SIMULATOR_MAY_IMPORT = frozenset({"errors", "_version"})  # else one mistake could agree with itself
SIMULATOR_DOOR = "anyfast_nb.simulator.launcher"  # all that the rest may import of it, inside functions

# Upward imports that are meant, each inside a function.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("anyfast_nb.ledger.views.charts", "anyfast_nb.render.chart"): "a chart shows itself",
    ("anyfast_nb.ledger.views.lines", "anyfast_nb.render.usage"): "what was used shows itself",
    ("anyfast_nb.ledger.views.report", "anyfast_nb.render.notice"): "what was used shows itself",
    ("anyfast_nb.ledger.views.report", "anyfast_nb.render.usage"): "what was used shows itself",
    ("anyfast_nb.wire.values", "anyfast_nb.render.answer"): "an answer shows itself",
    ("anyfast_nb.jobs.film", "anyfast_nb.render.clip"): "a clip shows itself",
    ("anyfast_nb.jobs.film", "anyfast_nb.render.pictures"): "a film's last frame shows itself",
    ("anyfast_nb.jobs.job", "anyfast_nb.render.job_card"): "a job shows itself",
    ("anyfast_nb.jobs.job", "anyfast_nb.jobs.desk"): "a job asks for the one that carries it on",
    ("anyfast_nb.jobs.posters", "anyfast_nb.render.poster"): "jobs show themselves together",
    ("anyfast_nb.jobs.storyboard", "anyfast_nb.render.storyboard"): "a storyboard shows itself",
    ("anyfast_nb.jobs.sweep", "anyfast_nb.render.sweep"): "a sweep shows itself",
    ("anyfast_nb.jobs.pictures", "anyfast_nb.render.pictures"): "pictures show themselves",
    ("anyfast_nb.session", "anyfast_nb.panels.deck_registry"): "a kernel has one of each panel",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """Where a library may be imported: in which rooms at all, and in which as a module is loaded."""

    rooms: frozenset[str] | None  # None is everywhere
    eagerly: frozenset[str] = frozenset()


def _only(*rooms: str, eagerly: Iterable[str] | None = None) -> Outside:
    return Outside(frozenset(rooms), frozenset(rooms if eagerly is None else eagerly))


LIBRARIES: dict[str, Outside] = {
    "IPython": _only("magics", "render"),
    "ipykernel": _only("magics", "render", eagerly=()),
    "ipywidgets": _only("panels", "render"),
    "anywidget": _only("panels", "render"),
    "pandas": Outside(None, frozenset({"ledger"})),
    "numpy": Outside(None, frozenset({SIMULATOR, "ledger"})),  # the studio draws with it; pandas brings it
    "matplotlib": Outside(None, frozenset({"ledger"})),  # its charts, loaded when one is drawn
    "sqlalchemy": _only("ledger"),
    "psycopg": _only("ledger", eagerly=()),
    "adbc_driver_sqlite": _only("ledger", eagerly=()),
    "adbc_driver_postgresql": _only("ledger", eagerly=()),
    "pyarrow": _only("ledger", eagerly=()),
    "httpx": _only("http", SIMULATOR),
    "mistune": _only("render"),
    "starlette": _only(SIMULATOR),
    "uvicorn": _only(SIMULATOR),
    "av": _only("media", SIMULATOR, eagerly=(SIMULATOR,)),
    "PIL": _only("media", "ledger", SIMULATOR, eagerly=(SIMULATOR,)),
    "pypdf": _only(SIMULATOR, eagerly=()),
    "nest_asyncio": _only("gateway", eagerly=()),
    "pydantic": _only("gateway", eagerly=()),
    "keyring": _only("keystore", eagerly=()),
}
MODULE_LINES = 400
FUNCTION_LINES = 50  # of code: a docstring that says more is no fault
NAMES_THAT_SAY_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})


@dataclass(frozen=True, slots=True)
class Module:
    """One file, read."""

    name: str
    path: Path
    tree: ast.Module = field(repr=False)
    lines: int

    @property
    def room(self) -> str:
        """The part of the house it belongs to."""
        return room_of(self.name)


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's target, resolved."""

    source: str
    target: str
    line: int
    lazy: bool


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One broken rule, with the place."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def room_of(name: str) -> str:
    """`anyfast_nb.http.sse` is in `http`."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else FRONT_DOOR


def read(package: Path) -> dict[str, Module]:
    """Every module of the package by its dotted name."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        modules[name] = Module(name, path, ast.parse(text), len(text.splitlines()))
    return modules


def imports(module: Module, modules: dict[str, Module]) -> list[Import]:
    """Every import that runs some day: at module level, in functions, by `import_module("…")`."""
    found = []
    for node, lazy in _statements(module.tree, lazy=False):
        found += [
            Import(module.name, target, node.lineno, lazy) for target in _targets(node, module, modules)
        ]
    return found


def _statements(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.stmt | ast.Call, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), lazy=lazy)
            continue
        if isinstance(child, (ast.Import, ast.ImportFrom, ast.Call)):
            yield child, lazy
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _statements(child, lazy=lazy or inside)


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in {getattr(test, "id", ""), getattr(test, "attr", "")}


def _targets(node: ast.stmt | ast.Call, module: Module, modules: dict[str, Module]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, module)
        names = [f"{base}.{alias.name}" for alias in node.names]
        return [name if name in modules else base for name in names]
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[0] if node.args else None
        if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
            return [str(first.value)]
    return []


def _absolute(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    if module.path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


# --- the rules ------------------------------------------------------------------------------------


def violations(package: Path) -> list[Violation]:
    """Everything in the package that breaks a rule of the house."""
    modules = read(package)
    every = [one for module in modules.values() for one in imports(module, modules)]
    own = [one for one in every if one.target.split(".")[0] == package.name]
    return sorted(
        {
            *_directions(own),
            *_libraries(every),
            *_cycles(own),
            *_sizes(modules.values()),
            *_names(modules.values()),
            *_docstrings(modules.values()),
        }
    )


def _directions(found: Iterable[Import]) -> Iterator[Violation]:
    for one in found:
        source, target = room_of(one.source), room_of(one.target)
        reason = None if source == target else _why_not(one, source, target)
        if reason:
            yield Violation(f"{one.source}:{one.line}", f"imports {one.target}: {reason}")


def _why_not(one: Import, source: str, target: str) -> str | None:
    if (one.source, one.target) in EXCEPTIONS:
        return None if one.lazy else "allowed inside a function only"
    if source == SIMULATOR:
        return None if target in SIMULATOR_MAY_IMPORT else "the simulator shares no code with the house"
    if target == SIMULATOR:
        if one.target != SIMULATOR_DOOR:
            return f"of the simulator, only {SIMULATOR_DOOR}"
        return None if one.lazy else "the launcher is imported inside functions only"
    if source == "render":
        return None if target in RENDER_MAY_IMPORT else f"render may import {sorted(RENDER_MAY_IMPORT)}"
    if target == "render":
        return None if source in FACES else "render is imported by faces only"
    floors = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    unknown = {source, target} - set(floors)
    if unknown:
        return f"no floor is written down for {', '.join(sorted(unknown))}"
    return None if floors[target] < floors[source] else "imports go down only"


def _libraries(found: Iterable[Import]) -> Iterator[Violation]:
    for one in found:
        library = one.target.split(".")[0]
        rule, room = LIBRARIES.get(library), room_of(one.source)
        if rule is None:
            continue
        if rule.rooms is not None and room not in rule.rooms:
            yield Violation(
                f"{one.source}:{one.line}", f"imports {library}, which belongs to {sorted(rule.rooms)}"
            )
        elif not one.lazy and room not in rule.eagerly:
            yield Violation(f"{one.source}:{one.line}", f"imports {library} outside a function")


def _cycles(found: Iterable[Import]) -> Iterator[Violation]:
    edges: dict[str, set[str]] = {}
    for one in found:
        if one.source != one.target and (one.source, one.target) not in EXCEPTIONS:
            edges.setdefault(one.source, set()).add(one.target)
    reach: dict[str, set[str]] = {}
    for start, nearest in edges.items():
        seen: set[str] = set()
        waiting = list(nearest)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(edges.get(name, ()))
        reach[start] = seen
    for name, seen in reach.items():
        if name in seen:
            ring = sorted(other for other in seen if name in reach.get(other, ()))
            yield Violation(ring[0], f"is in a cycle: {', '.join(ring)}")


def _sizes(modules: Iterable[Module]) -> Iterator[Violation]:
    for module in modules:
        if module.lines > MODULE_LINES:
            yield Violation(module.name, f"has {module.lines} lines, more than {MODULE_LINES}")
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = _code_lines(node)
                if lines > FUNCTION_LINES:
                    yield Violation(
                        f"{module.name}:{node.lineno}",
                        f"{node.name} has {lines} lines, more than {FUNCTION_LINES}",
                    )


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        said = node.body[0]
        lines -= (said.end_lineno or said.lineno) - said.lineno + 1
    return lines


def _names(modules: Iterable[Module]) -> Iterator[Violation]:
    for module in modules:
        word = module.name.rsplit(".", 1)[-1]
        if word.strip("_") in NAMES_THAT_SAY_NOTHING:
            yield Violation(module.name, f"`{word}` does not say what is in it")


def _docstrings(modules: Iterable[Module]) -> Iterator[Violation]:
    for module in modules:
        private = module.name.rsplit(".", 1)[-1].startswith("_")
        if not private and ast.get_docstring(module.tree) is None:
            yield Violation(module.name, "has no docstring")
        for node in module.tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            if not node.name.startswith("_") and ast.get_docstring(node) is None:
                yield Violation(f"{module.name}:{node.lineno}", f"{node.name} is public and has no docstring")
