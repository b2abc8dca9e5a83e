"""Where a magic runs, and what `%anyfast doctor` says of it."""

from __future__ import annotations

from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.gateway import whence
from anyfast_nb.magics import origin, verbs


def shell_of(*, cell: str) -> Any:
    parent = ContextVar("parent")
    parent.set({"header": {"msg_id": "m1"}, "metadata": {"cellId": cell}})
    app = SimpleNamespace(connection_file="/run/kernel-77.json")
    published: list[Any] = []
    return SimpleNamespace(
        user_ns={},
        kernel=SimpleNamespace(_shell_parent=parent, parent=app),
        display_pub=SimpleNamespace(publish=published.append),
        published=published,
    )


def test_a_bundle_is_shown_where_a_person_looks(capsys: pytest.CaptureFixture[str]) -> None:
    shell, bundle = shell_of(cell="c1"), {"text/plain": "hello", "text/html": "<b>hello</b>"}
    assert origin.in_kernel(shell)
    origin.show(shell, bundle)
    assert shell.published == [bundle]
    terminal = SimpleNamespace(user_ns={})
    assert not origin.in_kernel(terminal)
    origin.show(terminal, bundle)
    assert capsys.readouterr().out == "hello\n"


def test_doctor_names_what_a_row_would_and_says_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verbs._here_words() == "notebook unknown, cell unknown, session unknown, user unknown"
    monkeypatch.setattr(whence, "running_shell", lambda: shell_of(cell="c1"))
    monkeypatch.setenv("JPY_SESSION_NAME", "/lessons/a.ipynb")
    monkeypatch.setenv("JUPYTERHUB_USER", "ada sk-abcdef0123456789")
    said = verbs._here_words()
    assert said.startswith("notebook /lessons/a.ipynb, cell c1, session 77, user ada ")
    assert "abcdef0123456789" not in said
