"""What a hosted notebook does with `binder/`, step by step, in an empty folder.

The steps are repo2docker's for a repository with `binder/`: the Python of
runtime.txt, the whole repository copied, `pip install -r binder/requirements.txt`
from its root, `binder/postBuild`, and every program through `binder/start`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from tests.environment import ROOT, clean_environ, end_simulator, installing_environ
from tests.notebooks import running

pytestmark = [pytest.mark.project, pytest.mark.kernel]


@dataclass(frozen=True, slots=True)
class Hosted:
    """The repository as it lies in the image, and the environment of its programs."""

    root: Path
    environ: dict[str, str]

    def start(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program as the image does: through `binder/start`."""
        return subprocess.run(
            [self.root / "binder/start", *command],
            cwd=self.root,
            env=self.environ | more,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """The image, built once."""
    folder = tmp_path_factory.mktemp("binder")
    root = copy_repository(folder / "repository")
    environment = folder / "environment"
    subprocess.run([python_of(root / "binder/runtime.txt"), "-m", "venv", environment], check=True)
    programs = os.environ.get("ANYFAST_TEST_POSTGRES", "")  # apt.txt installs them there
    path = os.pathsep.join(filter(None, (str(environment / "bin"), programs, os.environ["PATH"])))
    # "no" turns it on, as pip's page says of this kind of option: most of it is never imported here.
    building = installing_environ() | {"PATH": path, "PIP_NO_COMPILE": "no"}
    for command in (["pip", "install", "-q", "-r", "binder/requirements.txt"], ["binder/postBuild"]):
        done = subprocess.run(command, cwd=root, env=building, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    running_environ = clean_environ(folder / "home") | {"PATH": path, "ANYFAST_SIM_SPEED": "0"}
    yield Hosted(root, running_environ)
    end_simulator(running_environ)


def copy_repository(target: Path) -> Path:
    """Everything git has or would add, and nothing that only lies about here."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def python_of(runtime: Path) -> str:
    """The Python of runtime.txt where this machine has it, else the one that runs the tests."""
    wanted = runtime.read_text().strip().removeprefix("python-")
    command = [str(ROOT / ".ci/python"), wanted]
    found = subprocess.run(command, env=installing_environ(), capture_output=True, text=True)
    return found.stdout.strip() or sys.executable


def test_the_package_is_the_copy(hosted: Hosted) -> None:
    done = hosted.start("python", "-c", "import anyfast_nb; print(anyfast_nb.__file__)")
    assert done.stdout.strip() == str(hosted.root / "anyfast_nb/__init__.py")


def test_the_versions_are_the_pinned_ones(hosted: Hosted) -> None:
    listed = set(hosted.start("pip", "freeze", "--exclude-editable").stdout.split())
    assert any(line.startswith("jupyterlab==") for line in listed)
    assert listed <= set((ROOT / "constraints.txt").read_text().split("\n"))


def test_programs_run_on_the_built_in_anyfast(hosted: Hosted) -> None:
    done = hosted.start("sh", "-c", 'echo "$ANYFAST_BASE_URL" "$@"', "sh", "two words", "*")
    assert done.stdout == "simulator two words *\n"
    assert hosted.start("sh", "-c", "exit 3").returncode == 3


def test_nothing_asks_about_news(hosted: Hosted) -> None:
    done = hosted.start("jupyter", "labextension", "list")
    listed = (done.stdout + done.stderr).partition("Disabled extensions:")[2]
    assert "@jupyterlab/apputils-extension:announcements" in listed


@pytest.mark.parametrize("path", sorted(running.NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_shows_there_what_it_shows_in_git(hosted: Hosted, path: Path) -> None:
    there = hosted.root / "notebooks" / path.name
    committed = nbformat.read(there, as_version=4)
    home = hosted.root / ".homes" / path.stem  # a lesson shows the jobs of its own run alone
    done = hosted.start("jupyter", "execute", "--inplace", str(there), ANYFAST_HOME=str(home))
    end_simulator({"ANYFAST_HOME": str(home)})
    assert done.returncode == 0, done.stderr[-3000:]
    changed = running.differences(committed, nbformat.read(there, as_version=4))
    assert not changed, "`make notebooks` stores new outputs; look at them first\n" + "\n\n".join(changed)
