"""The README's table of what panels do: each line can be typed, each call made, each button is there."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import anyfast_nb as af
from anyfast_nb.client.assets import AssetsFace
from anyfast_nb.client.faces import ChatOptions, Client
from anyfast_nb.client.generations import KlingOptions, SeedanceOptions, SeedreamOptions
from anyfast_nb.jobs.job import Job
from anyfast_nb.ledger.prices.file import KEYS
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.ledger.views.data import Filters
from anyfast_nb.magics.film import Asked
from anyfast_nb.magics.guide import VERBS
from anyfast_nb.magics.job_options import ASSET_ACTIONS, job_options
from anyfast_nb.magics.options import chat_options, split, verb_options
from anyfast_nb.panels.words import catalogue
from anyfast_nb.session import Session
from anyfast_nb.wire.assets import Asset
from tests.environment import ROOT

PANELS = ROOT / "anyfast_nb" / "panels"
# Which files of the catalogue a panel's words come from.
ROOMS = {
    "all": ("deck",),
    "chat": ("chat", "composer"),
    "video": ("video", "role", "option"),
    "image": ("image", "role", "option"),
    "asset": ("asset",),
    "jobs": ("jobs",),
    "usage": ("usage",),
}
MADE: Mapping[str, Any] = {
    "client": Client,
    "assets": AssetsFace,
    "job": Job,
    "one": Asset,
    "session": Session,
    "row": SimpleNamespace,
}
NAMED: Mapping[str, Any] = {
    "chat": ChatOptions.__annotations__,
    "seedance": SeedanceOptions.__annotations__,
    "kling": KlingOptions.__annotations__,
    "seedream": SeedreamOptions.__annotations__,
    "set_price": KEYS,
    "overview": Filters.__annotations__,
    "extend": SeedanceOptions.__annotations__,
    "configure": Session().settings.origins.keys() | {"language"},
    "jobs": inspect.signature(Ledger.jobs).parameters,
}


def rows() -> list[list[str]]:
    text = (ROOT / "README.md").read_text("utf-8").partition("\n## Panels\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


ROWS = rows()
NAMES = [f"{row[0]}: {row[1]}, {row[2][:40]}" for row in ROWS]


def test_every_panel_is_in_the_table() -> None:
    assert {row[0] for row in ROWS} == set(ROOMS)
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_magic_can_be_typed(row: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cat.png").write_bytes(b"")
    line = row[2].strip("`").removeprefix("%")
    magic, _, rest = line.partition(" ")
    if magic != "anyfast":
        asked = Asked(Session(), SimpleNamespace(user_ns={}), magic, rest, None)
        assert asked.prompt
        return
    verb, _, rest = rest.partition(" ")
    assert verb in VERBS
    words = split(rest)
    options = (
        chat_options() if verb == "chat" else job_options(verb) if verb in JOB_VERBS else verb_options(verb)
    )
    found = options.read(words)
    if verb == "assets":
        assert found.words[0] in ASSET_ACTIONS
    assert shlex.split(rest)[: len(words)] == words


JOB_VERBS = ("jobs", "resume", "assets")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_python_can_be_called(row: list[str]) -> None:
    tree = ast.parse(row[3].strip("`"), mode="eval")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            resolved(node)
    for call in calls:
        check(call)


def resolved(node: ast.expr) -> Any:
    """What an expression names: a module, a class in place of its instance, a function."""
    if isinstance(node, ast.Name):
        return af if node.id == "af" else MADE[node.id]
    if isinstance(node, ast.Call):
        return MADE.get(last_name(node.func), SimpleNamespace)
    assert isinstance(node, ast.Attribute)
    owner = resolved(node.value)
    found = getattr(owner, node.attr, None)
    if found is None and owner is not SimpleNamespace:
        assert node.attr in getattr(owner, "__annotations__", {}), f"{owner} has no {node.attr}"
    return MADE[node.attr] if node.attr in {"assets", "row"} else found


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def check(call: ast.Call) -> None:
    """Do the arguments fit?"""
    name = last_name(call.func)
    if name == "session":
        return
    function: Callable[..., Any] = resolved(call.func)
    signature = inspect.signature(function)
    first = [None] if inspect.isclass(resolved(call.func.value)) else []  # type: ignore[attr-defined]
    given = {word.arg: None for word in call.keywords if word.arg}
    signature.bind(*first, *call.args, **given)
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in signature.parameters.values()):
        assert set(given) <= set(NAMED[name]) | set(signature.parameters), f"{name} takes no {given}"


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_panel_has_it(row: list[str]) -> None:
    words = catalogue()
    keys = [key for key, said in words.items() if said["en"] == row[1] and key.split(".")[0] in ROOMS[row[0]]]
    assert keys, f"no panel says {row[1]!r}"
    source = "".join(path.read_text("utf-8") for path in PANELS.glob("*.py"))
    source += "".join(path.read_text("utf-8") for path in (ROOT / "anyfast_nb" / "render").glob("*.py"))
    assert any(used(key, source) for key in keys), f"{keys} are said nowhere"


def used(key: str, source: str) -> bool:
    """Is a key said somewhere, whole or put together of its parts?"""
    room, *parts = key.split(".")
    together = re.search(rf'f"{room}\.[\w.]*\{{', source) is not None
    return f'"{key}"' in source or (together and re.search(rf'[".:]{parts[-1]}[":]', source) is not None)
