from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from anyfast_nb.simulator.folders import PrivateFolder, sweep


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_only_its_owner_enters_it_and_it_goes_when_told(temporary: Path) -> None:
    folder = PrivateFolder()
    (folder.path / "film.mp4").write_bytes(b"x")
    assert folder.path.parent == temporary
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    folder.remove()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_server_left_behind_goes_at_once(temporary: Path) -> None:
    code = (
        "import os, signal, sys, tempfile\n"
        "from anyfast_nb.simulator.folders import PrivateFolder\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "left = PrivateFolder()\n"
        "(left.path / 'film.mp4').write_bytes(b'x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == -9
    running = PrivateFolder()  # the next start sweeps
    assert list(temporary.iterdir()) == [running.path]
    sweep()  # and leaves alone what is in use
    assert running.path.exists()
    running.remove()


def test_a_folder_without_a_lock_is_left_for_some_days(temporary: Path) -> None:
    names = ("anyfast-sim-old", "anyfast-sim-young", "other")
    old, young, other = (temporary / name for name in names)
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "film.mp4").write_bytes(b"x")
    (temporary / "anyfast-sim-link").symlink_to(other)
    for folder in (old, other):
        os.utime(folder, (time.time() - 10 * 86_400,) * 2)
    sweep()
    assert [folder.exists() for folder in (old, young, other)] == [False, True, True]
