"""What the lessons play with ends with them, and nothing of the reader's is touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import pytest

from anyfast_nb.ledger.classroom.classroom import Classroom
from tests.environment import ROOT
from tests.notebooks import running
from tests.postgres import Postgres

pytestmark = pytest.mark.project
NOTEBOOKS = ROOT / "notebooks"
HOLDS = """
import os, sys
sys.path.insert(0, sys.argv[1])
import rehearsal
servers = [rehearsal.anyfast(), rehearsal.postgresql()]
(rehearsal.folder() / "ledgers.txt").write_text("a password")
print(servers[0].base_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    monkeypatch.setenv("ANYFAST_SIM_SPEED", "0")
    import rehearsal

    yield rehearsal
    sys.modules.pop("rehearsal")


def answers(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/models", timeout=30):
            return True
    except URLError as error:
        return hasattr(error, "code")  # refused for want of a key: it is there


def until_empty(folder: Path, *, patience_s: float = 60) -> None:
    """Wait until the keepers, which are no children of ours, have cleared up: the last thing they do."""
    deadline = time.monotonic() + patience_s
    while left := list(folder.glob("anyfast-*")):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_servers_end_with_the_kernel_however_it_ends(how: signal.Signals, tmp_path: Path) -> None:
    environ = running.environ(tmp_path / "home") | {"TMPDIR": str(tmp_path)}
    shutil.copy(NOTEBOOKS / "rehearsal.py", tmp_path)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if os.access(folder, os.W_OK) and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)  # PostgreSQL, as another user, goes through it
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        env=environ, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as kernel:  # fmt: skip
        assert kernel.stdout is not None
        base_url = kernel.stdout.readline().strip()
        assert answers(base_url)
        assert len(list(tmp_path.glob("anyfast-*"))) == 3
        kernel.send_signal(how)
    until_empty(tmp_path)
    assert not answers(base_url)


def test_an_anyfast_that_was_closed_is_gone(rehearsal: ModuleType) -> None:
    anyfast = rehearsal.anyfast()
    assert anyfast.key not in repr(anyfast)
    assert answers(anyfast.base_url)
    anyfast.close()
    assert not answers(anyfast.base_url)
    anyfast.close()  # a cell may run again


def test_without_programs_it_tells_how_to_get_them(
    rehearsal: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(rehearsal, "PLACES", ())
    with pytest.raises(RuntimeError, match="apt-get install postgresql") as caught:
        rehearsal.postgresql()
    assert len(str(caught.value).splitlines()) == 2


def test_a_database_of_somebody_is_left_as_it_was(
    rehearsal: ModuleType, monkeypatch: pytest.MonkeyPatch, postgres: Postgres, postgres_url: str
) -> None:
    monkeypatch.setenv("ANYFAST_LEDGER_ADMIN_URL", postgres_url)
    name = postgres_url.rpartition("/")[2]
    state = f"""
        SELECT (SELECT array_agg(rolname ORDER BY 1) FROM pg_roles),
               (SELECT array_agg(nspname ORDER BY 1) FROM pg_namespace WHERE nspname !~ '^pg_'),
               has_database_privilege('public', '{name}', 'CONNECT')
    """
    before = postgres.run(name, state)
    database = rehearsal.postgresql()
    assert "owner" not in repr(database)
    room = Classroom(database.url)
    room.init()
    room.add([f"lesson.{name}"])
    assert postgres.run(name, state) != before
    with pytest.raises(RuntimeError, match="holds a ledger already"):
        rehearsal.postgresql()
    database.close()
    assert postgres.run(name, state) == before
    database.close()
