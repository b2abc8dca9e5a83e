"""Tab completion through IPython's own completer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from anyfast_nb.magics import extension
from anyfast_nb.session import session


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    extension.load(shell)
    yield shell
    extension.unload(shell)
    InteractiveShell.clear_instance()
    session.cache_clear()


def complete(shell: Any, text: str) -> list[str]:
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(text, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%anyfast do", ["doctor"]),
        ("%anyfast lo", ["login", "logout"]),
        ("%anyfast help mo", ["models"]),
        ("%%anyfast chat --temp", ["--temperature"]),
        ("%%anyfast --thr", ["--thread"]),
        ("%%anyfast --model=pr", ["pro"]),
        ("%anyfast chat --thread nothing", []),
        ("%anyfast chat -m pr", ["pro"]),
        ("%%anyfast chat --model doubao-seed-1-6-v", ["doubao-seed-1-6-vision-250815"]),
        ("%anyfast config foot", ["footer="]),
        ("%anyfast config footer=s", ["footer=short"]),
        ("%anyfast config base_url=s", ["base_url=simulator"]),
        ("%%anyfast chat --image pictur", ["picture"]),
        ("%%anyfast\nTell me about {{pictu", ["picture"]),
        ("%%anyfast chat --thread sto", ["story"]),
    ],
)
def test_completion(shell: Any, text: str, expected: list[str]) -> None:
    shell.user_ns["picture"] = object()
    session().threads.thread("story", notebook=None)
    assert complete(shell, text) == expected


def test_other_lines_are_left_alone(shell: Any) -> None:
    shell.user_ns["picture"] = object()
    assert "picture" in complete(shell, "pictu")
    assert "doctor" not in complete(shell, "%%anyfast\nplain words do")


def test_unloading_takes_everything_out(shell: Any) -> None:
    before = len(shell.Completer.custom_matchers)
    extension.unload(shell)
    assert len(shell.Completer.custom_matchers) == before - 1
    assert "anyfast" not in shell.magics_manager.magics["line"]
    assert "doctor" not in complete(shell, "%anyfast do")
    extension.load(shell)
