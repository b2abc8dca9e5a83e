"""What every test gets: a clean environment of its own, loopback only, and no skips."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

from tests.environment import OFFLINE, clean_environ, end_simulator
from tests.kernels import Kernel
from tests.postgres import Postgres
from tests.wire_server import WireServer


def _load_offline() -> ModuleType:
    loaded = sys.modules.get("sitecustomize")
    if loaded and loaded.__file__ == str(OFFLINE / "sitecustomize.py"):
        return loaded  # this pytest was started by a test: the hook is in place
    spec = spec_from_file_location("sitecustomize", OFFLINE / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


offline: Any = _load_offline()

# A busy machine is no failure; and in CI the same commit gets the same verdict twice.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
hypothesis.settings.load_profile("house")

# --- the environment --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders, one for each test. (pytest's own numbering reads all that are there for each new one.)"""
    below = tmp_path_factory.mktemp("homes")
    return (below / f"home{number}" for number in itertools.count())


@pytest.fixture(autouse=True)
def _alone(_homes: Iterator[Path], mpl_config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test runs in its own empty home, and fails if it reached for the network."""
    environ = clean_environ(next(_homes)) | {"MPLCONFIGDIR": str(mpl_config)}
    for name in set(os.environ) - set(environ):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    offline.blocked.clear()
    yield
    end_simulator(environ)
    assert not offline.blocked, f"the test reached for the network: {offline.blocked}"


@pytest.fixture(scope="session")
def mpl_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One font cache for the whole run: building it takes seconds."""
    return tmp_path_factory.mktemp("matplotlib")


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays to the end: the garbage collector need not look again."""
    gc.collect()
    gc.freeze()


# --- no skips -----------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"a skipped test proves nothing, so it fails: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"a skipped module proves nothing, so it fails: {report.longrepr}"


# --- programs tests talk to ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running built-in AnyFast."""

    base_url: str
    key: str


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A real `anyfast-sim`, without waits, for the whole run."""
    key = "sk-sim-test"
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--port", "0", "--speed", "0", "--key", key]
    environ = clean_environ(tmp_path_factory.mktemp("simulator"))
    log = tmp_path_factory.mktemp("simulator-log") / "stderr.txt"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()  # ends with the process, if that dies
            urls = [word for word in line.split() if word.startswith("http://")]
            assert urls, f"anyfast-sim printed no base URL: {line!r}\n{log.read_text()}"
            yield Simulator(base_url=urls[0].rstrip("."), key=key)
        finally:
            process.terminate()


@pytest.fixture
def wire_server() -> Iterator[WireServer]:
    """A server that says exactly what the test wrote, broken or not."""
    with WireServer() as server:
        yield server


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """Starts real kernels in the test's environment: `k = kernel(ANYFAST_BASE_URL="simulator")`."""
    with ExitStack() as stack:

        def start(**environ: str) -> Kernel:
            return stack.enter_context(Kernel(cwd=tmp_path, environ=dict(os.environ) | environ))

        yield start


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL on loopback, for the whole run."""
    programs = os.environ.get("ANYFAST_TEST_POSTGRES") or _found_postgres()
    with Postgres(Path(programs)) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database of one's own; the address of its owner."""
    url = postgres.database()
    yield url
    postgres.drop(url)


def _found_postgres() -> str:
    script = Path(__file__).parents[1] / ".ci" / "postgres"
    done = subprocess.run(["sh", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that starts; `make test` finds or installs it."""
    path = os.environ.get("ANYFAST_TEST_CHROMIUM", "")
    assert path, "ANYFAST_TEST_CHROMIUM is not set: run `make test`, or set it to what `.ci/chromium` prints"
    return path
