"""What a JupyterHub gives the servers of a class: the hook alone, and the shipped file in a real hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.ledger.classroom.hub import NoLedgerError, class_hook, pre_spawn_hook, read_ledgers
from tests.environment import ROOT

CONFIG = ROOT / "notebooks" / "class" / "jupyterhub_config.py"
ANNA = "postgresql+psycopg://anna:one@db.example.org/class"
BEN = "postgresql+psycopg://ben:two@db.example.org/class"


@dataclass
class Spawner:
    """As much of JupyterHub's as the hook touches."""

    name: str
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def user(self) -> Any:
        return SimpleNamespace(name=self.name)


@pytest.fixture
def ledgers(tmp_path: Path) -> Path:
    path = tmp_path / "ledgers.txt"
    path.write_text(f"# the class\nanna {ANNA}\n\nben {BEN}\n")
    path.chmod(0o600)
    return path


def test_each_student_gets_the_ledger_of_their_own(ledgers: Path) -> None:
    hook = class_hook(ledgers=ledgers, environ={})
    for name, url in (("anna", ANNA), ("ben", BEN)):
        spawner = Spawner(name)
        hook(spawner)
        assert spawner.environment == {"ANYFAST_LEDGER_URL": url}


def test_spawners_that_begin_with_one_dictionary_do_not_share_a_password(ledgers: Path) -> None:
    shared = {"LANG": "C.UTF-8"}
    anna, ben = Spawner("anna", shared), Spawner("ben", shared)
    hook = class_hook(ledgers=ledgers, environ={})
    hook(anna)
    hook(ben)
    assert shared == {"LANG": "C.UTF-8"}
    assert anna.environment == {"LANG": "C.UTF-8", "ANYFAST_LEDGER_URL": ANNA}


def test_what_the_class_shares_comes_from_the_hub_or_from_the_file(ledgers: Path) -> None:
    environ = {
        "ANYFAST_API_KEY": "sk-class",
        "ANYFAST_ALLOW": "chat",
        "ANYFAST_HOME": "/root",
        "PATH": "/bin",
    }
    spawner = Spawner("anna")
    class_hook(ledgers=ledgers, allow="chat:doubao-seed-2.0-mini", environ=environ)(spawner)
    assert spawner.environment == {
        "ANYFAST_API_KEY": "sk-class",
        "ANYFAST_ALLOW": "chat:doubao-seed-2.0-mini",
        "ANYFAST_LEDGER_URL": ANNA,
    }


def test_the_hook_by_its_name_is_told_by_the_environment(
    ledgers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_HUB_LEDGERS", str(ledgers))
    monkeypatch.setenv("ANYFAST_BASE_URL", "https://www.anyfast.ai")
    spawner = Spawner("ben")
    pre_spawn_hook(spawner)
    assert spawner.environment == {
        "ANYFAST_LEDGER_URL": BEN,
        "ANYFAST_BASE_URL": "https://www.anyfast.ai",
    }


def test_a_function_may_know_the_ledgers() -> None:
    spawner = Spawner("anna")
    class_hook(ledgers={"anna": ANNA}.get, environ={})(spawner)
    assert spawner.environment["ANYFAST_LEDGER_URL"] == ANNA
    with pytest.raises(NoLedgerError):
        class_hook(ledgers={"anna": ANNA}.get, environ={})(Spawner("ben"))


def test_nobody_works_outside_the_class_by_mistake(ledgers: Path) -> None:
    spawner = Spawner("chen")
    with pytest.raises(NoLedgerError, match="'chen'") as caught:
        class_hook(ledgers=ledgers, environ={})(spawner)
    assert caught.value.jupyterhub_message == "No ledger is set up for chen. Please tell your teacher."
    assert spawner.environment == {}


def test_the_staff_need_none(ledgers: Path) -> None:
    spawner = Spawner("teacher")
    class_hook(ledgers=ledgers, staff=("teacher",), api_key="sk-class", environ={})(spawner)
    assert spawner.environment == {"ANYFAST_API_KEY": "sk-class"}


def test_who_is_added_later_is_in_at_the_next_start(ledgers: Path) -> None:
    hook = class_hook(ledgers=ledgers, environ={})
    ledgers.write_text(ledgers.read_text() + f"chen {ANNA}\n")
    spawner = Spawner("chen")
    hook(spawner)
    assert spawner.environment["ANYFAST_LEDGER_URL"] == ANNA


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(ledgers: Path, mode: int) -> None:
    ledgers.chmod(mode)
    with pytest.raises(NoLedgerError, match="chmod 600") as caught:
        read_ledgers(ledgers)
    assert str(ledgers) not in caught.value.jupyterhub_message


def test_a_line_that_is_none_is_named_by_its_number_only(ledgers: Path) -> None:
    ledgers.write_text(f"anna {ANNA}\nben: {BEN} secret\n")
    with pytest.raises(NoLedgerError, match="Line 2") as caught:
        read_ledgers(ledgers)
    assert "two" not in str(caught.value)


def test_without_a_file_the_next_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoLedgerError, match="anyfast-ledger add"):
        read_ledgers(tmp_path / "none.txt")
    with pytest.raises(NoLedgerError, match="ANYFAST_HUB_LEDGERS"):
        class_hook(environ={})(Spawner("anna"))


# --- a real hub -----------------------------------------------------------------------------------

HUB = """
import asyncio, json, sys
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Hub
from jupyterhub.spawner import SimpleLocalProcessSpawner
from jupyterhub.user import User
from jupyterhub.utils import maybe_future

async def main():
    hub = JupyterHub(config_file=sys.argv[1], db_url="sqlite:///:memory:")
    hub.load_config_file(sys.argv[1])
    hub.init_db()
    told = {}
    for name in sys.argv[2:]:
        row = orm.User(name=name)
        hub.db.add(row)
        hub.db.commit()
        user = User(row, {"config": hub.config, "spawner_class": SimpleLocalProcessSpawner})
        spawner = user.spawner
        spawner.hub = Hub()
        spawner.api_token = "none"
        try:
            await maybe_future(spawner.run_pre_spawn_hook())
        except Exception as error:
            told[name] = {"refused": getattr(error, "jupyterhub_message", repr(error))}
        else:
            told[name] = {key: value for key, value in spawner.get_env().items()
                          if key.startswith("ANYFAST_") or key == "JUPYTERHUB_USER"}
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.mark.project
def test_a_real_jupyterhub_reads_the_shipped_file_and_gives_each_server_its_own(
    ledgers: Path, tmp_path: Path
) -> None:
    environ = os.environ | {"ANYFAST_HUB_LEDGERS": str(ledgers), "ANYFAST_API_KEY": "sk-class"}
    names = ("anna", "ben", "chen", "teacher")
    done = subprocess.run(
        [sys.executable, "-c", HUB, str(CONFIG), *names],
        capture_output=True,
        text=True,
        env=environ,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    shared = {"ANYFAST_API_KEY": "sk-class", "ANYFAST_ALLOW": "chat:doubao-seed-2.0-mini"}
    assert told == {
        "anna": {**shared, "ANYFAST_LEDGER_URL": ANNA, "JUPYTERHUB_USER": "anna"},
        "ben": {**shared, "ANYFAST_LEDGER_URL": BEN, "JUPYTERHUB_USER": "ben"},
        "chen": {"refused": "No ledger is set up for chen. Please tell your teacher."},
        "teacher": {**shared, "JUPYTERHUB_USER": "teacher"},
    }
