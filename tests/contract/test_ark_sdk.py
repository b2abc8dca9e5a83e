"""The vendor's own SDK, in its own environment, pointed at the built-in AnyFast, unchanged."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.environment import AS_STARTED, ROOT, installing_environ

HERE = Path(__file__).resolve().parent / "ark"
CASES = re.findall(r"^def (\w+)\(ark: Any\)", (HERE / "cases.py").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of the SDK's environment, made at first use."""
    made = subprocess.run(
        [ROOT / ".ci/ark"], cwd=ROOT, env=installing_environ(), capture_output=True, text=True, timeout=600
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.strip().splitlines()[-1]


@pytest.mark.project
def test_the_sdk_runs_unchanged(python: str, simulator: Any) -> None:
    environ = {name: AS_STARTED[name] for name in ("PATH", "LANG") if name in AS_STARTED}
    run = subprocess.run(
        [python, HERE / "cases.py", simulator.base_url, simulator.key],
        env=environ | {"HOME": os.environ["HOME"], "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.stdout.split("\n")[:-1] == [f"ok {name}" for name in CASES], run.stdout + run.stderr
