"""What stands around the package: README, wheel, pins, change log, and nothing of one machine."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.conftest import Simulator
from tests.environment import AS_STARTED, ROOT
from tests.kernels import Kernel

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
VERSION = re.search(r'"(.+)"', (ROOT / "anyfast_nb/_version.py").read_text())[1]  # type: ignore[index]


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every file git has or would add, that is text: (name, content)."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    for name in sorted(set(listed.split("\0")) - {""}):
        path = ROOT / name
        if path.is_file():
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


# --- README and CONTRIBUTING ------------------------------------------------------------------------


def blocks(name: str, language: str) -> list[str]:
    """The fenced code blocks of one language in a page."""
    page = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def on(simulator: Simulator) -> dict[str, str]:
    """What sends a reader's program to the simulator; also one it starts by itself does not wait."""
    return {
        "ANYFAST_BASE_URL": simulator.base_url,
        "ANYFAST_API_KEY": simulator.key,
        "ANYFAST_SIM_SPEED": "0",
    }


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_commands_on_the_page_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(
        re.findall(r"\bmake ([a-z]+)\b", "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL)))
    )
    assert {"lab", "test"} <= named
    assert named <= TARGETS


def test_the_readme_shows_how_to_install() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "git clone" in text
    assert re.search(r"pip install '?\"?anyfast-nb(\[lab\])?", text)


def test_the_readme_names_only_options_and_words_of_the_built_in_anyfast_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text.partition("## The built-in AnyFast")[2].partition("\n## ")[0]
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli"]
    usage, words = (
        subprocess.run([*command, option], capture_output=True, text=True, check=True).stdout
        for option in ("--help", "--list-faults")
    )
    options = set(re.findall(r"--[a-z][a-z-]+", part))
    named = set(re.findall(r"sim:([a-z-]+)", part))
    assert len(options) > 5
    assert options <= set(re.findall(r"--[a-z][a-z-]+", usage))
    assert len(named) >= 4
    assert named <= set(re.findall(r"sim:([a-z-]+)", words))


def test_the_readme_names_the_commands_of_the_class_and_no_others() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text.partition("## A class")[2].partition("\n## ")[0]
    command = [sys.executable, "-m", "anyfast_nb.ledger.cli"]
    usage = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^    ([a-z]+)  ", usage, re.MULTILINE))
    rows = re.findall(r"^\| `anyfast-ledger ([a-z]+)[^|]*\|(.+)\|$", part, re.MULTILINE)
    assert len(known) > 5
    assert {name for name, _ in rows} == known
    assert set(re.findall(r"anyfast-ledger ([a-z]+)", part)) == known
    for name, told in rows:
        options = set(re.findall(r"--[a-z][a-z-]+", told))
        told_by = subprocess.run(
            [*command, name, "--help"], capture_output=True, text=True, check=True
        ).stdout
        assert options <= set(re.findall(r"--[a-z][a-z-]+", told_by)), name


def test_the_readme_names_only_variables_that_are_read() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "anyfast_nb").rglob("*.py"))
    named = set(re.findall(r"\bANYFAST_[A-Z_]+\b", text))
    assert len(named) >= 10
    assert named <= set(re.findall(r"\bANYFAST_[A-Z_]+\b", source))


def test_python_in_the_readme_runs(simulator: Simulator, tmp_path: Path) -> None:
    examples = blocks("README.md", "python")
    assert examples
    environ = os.environ | on(simulator)
    for example in examples:
        command = [sys.executable, "-W", "error", "-c", example]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{example}\n{done.stderr}"


@pytest.mark.kernel
def test_cells_in_the_readme_run(simulator: Simulator, kernel: Callable[..., Kernel]) -> None:
    cells = blocks("README.md", "ipython")
    assert cells
    k = kernel(**on(simulator))
    for cell in cells:
        run = k.execute(cell)
        assert run.status == "ok", f"{cell}\n{run.text}"


def test_the_change_log_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(.+?)\](?: - (.+))?$", text, re.MULTILINE)
    assert text.startswith("# Changelog\n")
    assert VERSION in [version for version, _ in releases]
    for version, date in releases:
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}|Unreleased", date), f"{version} has the date {date!r}"
    parts = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert parts
    assert parts <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


# --- dependencies ---------------------------------------------------------------------------------


def requirements() -> list[Requirement]:
    """All that the project file asks for, in every extra and group."""
    groups = PYPROJECT["dependency-groups"].values()
    extras = [PROJECT["optional-dependencies"]["lab"]]
    listed = [PROJECT["dependencies"], *extras, *groups]
    return [Requirement(line) for lines in listed for line in lines if isinstance(line, str)]


def pins() -> dict[str, str]:
    """The constraints, by canonical name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in kept), (
        "names and versions only"
    )
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in kept)}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_a_dependency_is_pinned_and_the_pin_fits(requirement: Requirement) -> None:
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_pins_install_on_the_python_of_debian_12() -> None:
    needs = {
        f"{dist.name} {dist.version}": dist.metadata.get("Requires-Python")
        for dist in importlib.metadata.distributions()
        if pins().get(canonicalize_name(dist.name)) == dist.version
    }
    assert len(needs) > 60
    assert {name: need for name, need in needs.items() if need and "3.11.2" not in SpecifierSet(need)} == {}


def test_each_dependency_says_why_it_is_here() -> None:
    text = (ROOT / "pyproject.toml").read_text().partition("[project]")[2].partition("[tool.")[0]
    listed = re.findall(r'^(?:  |(?!requires)\w+ = \[)"[A-Za-z][^"]*[><=].*$', text, re.MULTILINE)
    assert len(listed) >= len(requirements())
    assert [line for line in listed if "  # " not in line] == []


@pytest.mark.project
def test_the_pre_commit_configuration_is_valid() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]
    subprocess.run(command, check=True)


# --- nothing of one machine -----------------------------------------------------------------------

# Written in two parts, so that this file does not hold what it looks for.
INDEX = re.compile(
    "|".join(["--(extra-)?index" + "-url", "--find" + "-links", "--trusted" + "-host", "/sim" + "ple/"])
)
HOSTS = re.compile(r"(pypi|pythonhosted|npmjs)" + r"\.(org|com)/(packages|simple)|//(mirror|proxy|index)s?\.")
HOMES = re.compile(r"(?<![\w.])/(root|Users/[\w.-]+)/")
SHARED = {"/", "/tmp", "/home", "/root", "/srv", "/mnt", "/src", "/app", "/opt", "/var/tmp"}


def foreign(text: str, *, here: tuple[str, ...] = ()) -> list[str]:
    """What in a text belongs to one machine: indexes, hosts, home folders, and the paths named."""
    found = [match[0] for rule in (INDEX, HOSTS, HOMES) for match in rule.finditer(text)]
    return found + [path for path in here if path + "/" in text]


def test_no_file_names_an_index_or_a_path_of_this_machine() -> None:
    places = {str(ROOT), str(ROOT.parent), AS_STARTED.get("HOME", "/")}
    here = tuple(places - SHARED)
    found = {name: foreign(text, here=here) for name, text in tracked_texts()}
    assert len(found) > 20, "git listed hardly any files"
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        "pip install --index" + "-url=https://x",
        "--extra-index" + "-url x",
        "--find" + "-links wheels",
        "https://files.pythonhosted" + ".org/packages/a",
        "https://mirrors" + ".example/pypi",
        "cd /ro" + "ot/project/",
        "/Us" + "ers/alice/notebooks/",
        "open('/srv/checkout/file')",
    ],
)
def test_what_belongs_to_one_machine_is_found(text: str) -> None:
    assert foreign(text, here=("/srv/checkout",))


def test_ordinary_text_is_not() -> None:
    assert not foreign("pip install anyfast-nb; https://pypi.org/project/anyfast-nb/; as root; /tmp/x")


# --- the wheel ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.mark.project
def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"anyfast_nb-{VERSION}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {str(path.relative_to(ROOT)) for path in (ROOT / "anyfast_nb").rglob("*.py")}
    assert source <= names
    assert {"anyfast_nb/py.typed", "anyfast_nb/catalog/models.json"} <= names
    assert {name.split("/")[0] for name in names} == {"anyfast_nb", f"anyfast_nb-{VERSION}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".ipynb")]


@pytest.mark.project
def test_the_wheel_says_what_it_is(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        about = archive.read(f"anyfast_nb-{VERSION}.dist-info/METADATA").decode()
        scripts = archive.read(f"anyfast_nb-{VERSION}.dist-info/entry_points.txt").decode()
    assert "Provides-Extra: lab" in about
    assert "License-Expression: MIT" in about
    assert "License-File: LICENSE" in about
    assert "anyfast-sim = anyfast_nb.simulator.cli:main" in scripts


@pytest.mark.project
def test_the_wheel_works_by_itself(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environ = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{os.environ['PYTHONPATH']}"}
    code = (
        "import anyfast_nb, anyfast_nb.catalog, sys; print(anyfast_nb.__file__);"
        "from anyfast_nb.simulator.cli import main; sys.argv = ['anyfast-sim', '--help']; main()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert "--tokens-per-second" in done.stdout


@pytest.mark.project
def test_the_source_archive_can_be_tested(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "constraints.txt", ".ci/run"} <= names
    assert {"tests/conftest.py", "binder/requirements.txt", "LICENSE"} <= names


# --- CI and Binder --------------------------------------------------------------------------------


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci/run"
    commands = [
        line for line in script.read_text().splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == ["exec make test"]
    assert os.access(script, os.X_OK)


def test_binder_installs_packages_by_name_and_a_font_the_studio_knows() -> None:
    lines = (ROOT / "binder/apt.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert {"fonts-noto-cjk", "postgresql"} <= set(packages)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package) for package in packages)


def test_binder_uses_a_python_that_is_supported() -> None:
    runtime = (ROOT / "binder/runtime.txt").read_text().strip()
    version = runtime.removeprefix("python-")
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]
