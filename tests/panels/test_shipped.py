"""What the panels need besides Python goes with the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.environment import ROOT


@pytest.mark.project
def test_the_wheel_holds_scripts_styles_and_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    panels = ROOT / "anyfast_nb" / "panels"
    files = [*(panels / "front").iterdir(), *(panels / "catalogue").glob("*.json")]
    assert len(files) > 6
    assert {str(file.relative_to(ROOT)) for file in files} <= names
