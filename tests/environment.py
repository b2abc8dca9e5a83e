"""An environment in which nothing of the user's can be seen or touched."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = Path(__file__).resolve().parent / "offline"
AS_STARTED = dict(os.environ)  # for the few tests that install things as a person would


def clean_environ(home: Path) -> dict[str, str]:
    """This process's environment without the user's keys, settings and folders.

    Args:
        home: an empty folder that stands in for the user's own; made if it is not there.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _is_the_users(name) or name.startswith("ANYFAST_TEST_")
    }
    folders = {
        "HOME": home,
        "ANYFAST_HOME": home / "anyfast",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_RUNTIME_DIR": home / ".runtime",
        "IPYTHONDIR": home / ".ipython",
        "JUPYTER_CONFIG_DIR": home / ".jupyter",
        "JUPYTER_DATA_DIR": home / ".local/share/jupyter",
        "JUPYTER_RUNTIME_DIR": home / ".local/share/jupyter/runtime",
        "MPLCONFIGDIR": home / ".matplotlib",
        "PYTHONPATH": OFFLINE,
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return kept | {name: str(folder) for name, folder in folders.items()} | {"PATH": path, "TZ": "UTC"}


def installing_environ() -> dict[str, str]:
    """The environment the tests were started in, with its package index settings, less the keys."""
    return {name: value for name, value in AS_STARTED.items() if not name.startswith(("ANYFAST_", "PYTHON"))}


def end_simulator(environ: Mapping[str, str]) -> None:
    """End the built-in AnyFast that a program in this environment may have started."""
    home = Path(environ["ANYFAST_HOME"])
    if (home / "simulator").exists():
        from anyfast_nb.simulator import launcher

        launcher.stop(home)


def _is_the_users(name: str) -> bool:
    prefixes = ("ANYFAST_", "OPENAI_", "XDG_", "JUPYTER", "IPYTHON", "MPL", "PYTHON", "MAKE")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    return name.startswith(prefixes) or name.upper() in proxies or name.endswith("_API_KEY")
