"""The scripts behind `make`, on machines that lack things: each machine is a folder of stand-ins."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.environment import ROOT

NEEDED = ("sh", "env", "echo", "cat", "mkdir", "touch", "rm", "chmod")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
WORKS = f'exec {sys.executable} "$@"'


@dataclass
class Machine:
    """A PATH of stand-ins, a working folder, and a log of what they were asked."""

    folder: Path

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def has(self, name: str, script: str) -> None:
        """Put a command on the PATH: what it is given is logged, then the script runs."""
        path = self.folder / "bin" / name if "/" not in name else self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{path.name} $*" >>{self.folder}/log\n{script}\n')
        path.chmod(0o755)

    def run(self, script: str, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder), **environ}
        command = [str(ROOT / ".ci" / script), *args]
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in NEEDED:
        (bin_folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    made = Machine(tmp_path)
    made.has("id", "echo 1000")
    (tmp_path / "constraints.txt").touch()
    return made


class TestPython:
    """Which interpreter builds the environment."""

    def test_the_chosen_one_if_it_is_new_enough(self, machine: Machine) -> None:
        machine.has("python3", WORKS)
        machine.has("python3.13", "exit 127")
        assert machine.run("python").stdout.strip() == sys.executable

    def test_a_name_that_does_not_run_is_passed_over(self, machine: Machine) -> None:
        own = f"python{OWN}"
        for name in {"python3", "python3.13", "python3.12", "python3.11"} - {own}:
            machine.has(name, "echo 'pyenv: command not found' >&2; exit 127")
        machine.has(own, WORKS)
        assert machine.run("python").stdout.strip() == sys.executable

    def test_a_name_with_another_version_behind_it_is_passed_over(self, machine: Machine) -> None:
        other = "python3.13" if sys.version_info[:2] != (3, 13) else "python3.12"
        machine.has(other, WORKS)
        assert machine.run("python").returncode == 1

    def test_none_gives_one_hint(self, machine: Machine) -> None:
        machine.has("python3", "exit 1")
        done = machine.run("python")
        assert done.returncode == 1
        assert done.stdout == ""
        assert "apt-get install python3 python3-venv" in done.stderr

    @pytest.mark.parametrize(("main", "other"), [("3.11", "3.13"), ("3.12", "3.13"), ("3.13", "3.11")])
    def test_the_other_one_is_the_farthest(self, machine: Machine, main: str, other: str) -> None:
        for version in ("3.11", "3.12", "3.13"):
            fake = f"""[ "$3" = {version} ] && echo {machine.folder}/its/{version}"""
            machine.has(f"python{version}", fake)
            machine.has(f"its/{version}", "true")
        assert machine.run("python", "other", main).stdout.split() == [other, f"{machine.folder}/its/{other}"]

    def test_another_one_is_found_where_pyenv_keeps_it(self, machine: Machine) -> None:
        machine.has(f"pyenv/versions/{OWN}.9/bin/python", WORKS)
        machine.has(f"python{OWN}", "exit 127")
        found = machine.run("python", "other", "2.7", PYENV_ROOT=str(machine.folder / "pyenv")).stdout
        assert found.startswith(f"{OWN} ")


class TestVenv:
    """python3-venv is a package of its own on Debian."""

    WITHOUT = """
        case "$*" in
          *ensurepip*) test -e installed ;;
          *version_info*) echo 3.11 ;;
          --version) echo Python 3.11.2 ;;
          "-m venv"*) mkdir -p .venv/bin && echo '#!/bin/sh' >.venv/bin/python && chmod +x .venv/bin/python ;;
        esac"""

    def test_root_gets_it(self, machine: Machine) -> None:
        machine.has("python3", self.WITHOUT)
        machine.has("id", "echo 0")
        machine.has("apt-get", 'case "$1" in install) touch installed ;; esac')
        done = machine.run("venv", ".venv", "python3")
        assert done.returncode == 0, done.stderr
        assert "apt-get update" in machine.log
        assert "apt-get install -y -qq --no-install-recommends python3.11-venv" in machine.log
        assert (machine.folder / ".venv/bin/python").exists()

    def test_anyone_else_gets_one_line(self, machine: Machine) -> None:
        machine.has("python3", self.WITHOUT)
        machine.has("apt-get", "exit 100")
        done = machine.run("venv", ".venv", "python3")
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "sudo apt-get install python3.11-venv" in done.stderr
        assert "apt-get" not in machine.log
        assert not (machine.folder / ".venv").exists()

    def test_where_it_is_there_nothing_is_installed(self, machine: Machine) -> None:
        machine.has("python3", self.WITHOUT)
        machine.has("id", "echo 0")
        machine.has("apt-get", "exit 100")
        (machine.folder / "installed").touch()
        assert machine.run("venv", ".venv", "python3").returncode == 0
        assert "apt-get" not in machine.log


class TestChromium:
    """A browser for the tests."""

    PLAYWRIGHT = """
        case "$*" in
          *executable_path*) echo "$PWD/bin/playwright-chromium" ;;
          *"playwright install"*) echo '#!/bin/sh' >bin/playwright-chromium; chmod +x bin/playwright-* ;;
        esac"""

    def test_the_one_on_the_path(self, machine: Machine) -> None:
        machine.has("chromium", "exit 0")
        assert machine.run("chromium").stdout == f"{machine.folder}/bin/chromium\n"

    def test_root_gets_debians(self, machine: Machine) -> None:
        machine.has("chromium-browser", "exit 1")  # a stub that asks for a snap
        machine.has("id", "echo 0")
        installs = 'printf "#!/bin/sh\\n" >bin/chromium; chmod +x bin/chromium'
        machine.has("apt-get", f'echo noise; case "$1" in install) {installs} ;; esac')
        assert machine.run("chromium").stdout == f"{machine.folder}/bin/chromium\n"
        assert machine.log.count("apt-get update") == 1

    @pytest.mark.parametrize("user", ["0", "1000"])
    def test_else_playwrights(self, machine: Machine, user: str) -> None:
        machine.has("id", f"echo {user}")
        machine.has("apt-get", "exit 100")
        machine.has(".venv/bin/python", self.PLAYWRIGHT)
        done = machine.run("chromium")
        assert done.stdout == f"{machine.folder}/bin/playwright-chromium\n", done.stderr
        with_deps = "playwright install --with-deps chromium"
        assert (with_deps in machine.log) == (user == "0")

    def test_none_at_all_fails(self, machine: Machine) -> None:
        machine.has(".venv/bin/python", "exit 1")
        done = machine.run("chromium")
        assert done.returncode != 0
        assert done.stdout == ""

    def test_one_that_is_named_must_start(self, machine: Machine) -> None:
        machine.has("chromium", "exit 0")
        done = machine.run("chromium", ANYFAST_TEST_CHROMIUM="/nowhere/chromium")
        assert done.returncode == 1
        assert "/nowhere/chromium, which does not start" in done.stderr


class TestLab:
    """How JupyterLab is started."""

    @pytest.fixture
    def lab(self, machine: Machine) -> Callable[..., subprocess.CompletedProcess[str]]:
        machine.has(".venv/bin/python", 'echo "$ANYFAST_BASE_URL|$*"')
        return lambda *args, **environ: machine.run("lab", *args, **environ)

    def test_the_built_in_anyfast_even_with_a_key(
        self, lab: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        done = lab(ANYFAST_API_KEY="sk-live", ANYFAST_BASE_URL="https://gateway.example")
        assert done.stdout.startswith("simulator|-m jupyterlab ")

    def test_live_leaves_the_environment_alone(
        self, lab: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        assert lab(LIVE="1", ANYFAST_BASE_URL="https://gateway.example").stdout.startswith(
            "https://gateway.example|"
        )
        assert lab(LIVE="1").stdout.startswith("|")
        assert lab(LIVE="0").stdout.startswith("simulator|")

    def test_flags_are_passed_on(self, lab: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        assert lab("--no-browser", "--port", "8899").stdout.endswith(" --no-browser --port 8899\n")
        assert "--allow-root" not in lab().stdout

    @pytest.mark.parametrize("flag", ["--ip=0.0.0.0", "--ip 0.0.0.0", "--ServerApp.ip=0.0.0.0"])
    def test_root_is_let_in_on_loopback_only(
        self, machine: Machine, lab: Callable[..., subprocess.CompletedProcess[str]], flag: str
    ) -> None:
        machine.has("id", "echo 0")
        assert "--allow-root --ip=127.0.0.1" in lab("--no-browser").stdout
        assert "--allow-root" not in lab(*flag.split()).stdout


@pytest.mark.project
class TestRealLab:
    """JupyterLab itself, as `make lab` starts it."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        flags = ["--no-browser", f"--port={port}", "--IdentityProvider.token=t"]
        keyboard, terminal = os.openpty()  # JupyterLab asks "are you sure" only where somebody can answer
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                [ROOT / ".ci/lab", *flags], cwd=ROOT, stdin=terminal, stdout=log, stderr=log, text=True
            )
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()
            os.close(keyboard)
            os.close(terminal)

    def test_it_opens_the_quickstart_and_ends_quietly(
        self, server: tuple[subprocess.Popen[str], str], tmp_path: Path
    ) -> None:
        process, url = server
        page = answer(f"{url}/lab/tree/notebooks/01_quickstart.ipynb?token=t")
        assert "jupyter-config-data" in page
        assert '"type": "notebook"' in answer(
            f"{url}/api/contents/notebooks/01_quickstart.ipynb?content=0&token=t"
        )
        log = tmp_path / "log"
        assert "/lab/tree/notebooks/01_quickstart.ipynb?token=" in log.read_text(), "what a person clicks on"

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0
        assert "Traceback" not in log.read_text()
        assert "(y/[n])" not in log.read_text()


def answer(url: str, *, timeout_s: float = 60) -> str:
    """The page, once the server is up."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{url}: {error.code} {error.read()[:500]!r}") from None
        except OSError:
            assert time.monotonic() < end, f"{url} did not answer"
            time.sleep(0.1)


def test_make_shows_its_commands() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in ("lab", "test", "check", "notebooks", "bench", "clean"):
        assert f"  make {name} " in done.stdout
