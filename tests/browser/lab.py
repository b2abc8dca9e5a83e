"""JupyterLab and a headless Chromium for tests: two context managers, loopback only.

with jupyterlab(folder) as lab, chromium_page() as browser:
    browser.page.goto(lab.notebook_url("demo.ipynb"))
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import Dialog, Locator, Page, Route, sync_playwright

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
          "--disable-sync", "--no-first-run"]  # fmt: skip
_LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str

    def notebook_url(self, path: str, *, workspace: str = "test") -> str:
        """Where one notebook opens, alone."""
        return f"{self.url}/lab/workspaces/{workspace}/tree/{path}?reset&token={self.token}"

    def notebook_7_url(self, path: str) -> str:
        """Where Jupyter Notebook 7 shows it."""
        return f"{self.url}/notebooks/{path}?token={self.token}"


@dataclass(frozen=True)
class Browser:
    """A page, and what it tried that it should not."""

    page: Page
    outside: list[str] = field(default_factory=list)
    """Addresses that are not on this machine; all were refused."""
    dialogs: list[str] = field(default_factory=list)
    """What alert() and its kin said."""
    errors: list[str] = field(default_factory=list)
    """Errors that no script caught."""

    def forget(self) -> None:
        """What it tried so far is of no interest any more."""
        for kept in (self.outside, self.dialogs, self.errors):
            kept.clear()


@contextmanager
def jupyterlab(folder: Path, *, env: Mapping[str, str] | None = None, dark: bool = False) -> Iterator[Lab]:
    """JupyterLab over a folder, with settings and state of its own.

    Args:
        folder: where the notebooks are.
        env: more environment for the server and its kernels.
        dark: the dark theme.
    """
    with tempfile.TemporaryDirectory(prefix="lab-") as state, _server(folder, Path(state), env, dark) as lab:
        yield lab


@contextmanager
def _server(folder: Path, state: Path, env: Mapping[str, str] | None, dark: bool) -> Iterator[Lab]:
    port, token = _free_port(), secrets.token_hex(16)
    _write_settings(state / "settings", dark)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    with (state / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(state, token, env), stdout=log, stderr=log
        )
        try:
            lab = Lab(f"http://127.0.0.1:{port}", token)
            _wait(lab, process, state / "server.log")
            yield lab
        finally:
            _stop(process)


def _environment(state: Path, token: str, env: Mapping[str, str] | None) -> dict[str, str]:
    """The server's environment: nothing of the person's own Jupyter, no proxy."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    own = {name: str(state / folder) for name, folder in folders.items()}
    return {**inherited, **own, "JUPYTER_TOKEN": token, **(env or {})}


def _write_settings(folder: Path, dark: bool) -> None:
    settings: dict[str, dict[str, Any]] = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "apputils-extension/themes": {"theme": "JupyterLab Dark" if dark else "JupyterLab Light"},
        "extensionmanager-extension/plugin": {"enabled": False},
    }
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


def _wait(lab: Lab, process: subprocess.Popen[bytes], log: Path, limit_s: float = 60) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(f"{lab.url}/api/status?token={lab.token}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # the server ends its kernels
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def chromium_page(*, width: int = 1280, height: int = 900, init_script: str = "") -> Iterator[Browser]:
    """A page in a headless Chromium that reaches nothing but this machine.

    Args:
        width: of the window, in CSS pixels.
        height: of the window, in CSS pixels.
        init_script: JavaScript to run before any page's own.
    """
    executable = os.environ.get("ANYFAST_TEST_CHROMIUM") or shutil.which("chromium")  # else Playwright's own
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        try:
            context = chromium.new_context(viewport={"width": width, "height": height})
            context.set_default_timeout(60_000)
            browser = Browser(context.new_page())

            def refuse(route: Route) -> None:
                browser.outside.append(route.request.url)
                route.abort()

            context.route(_is_outside, refuse)
            _watch(browser, init_script)
            yield browser
        finally:
            chromium.close()


@contextmanager
def another_page(beside: Browser, *, init_script: str) -> Iterator[Browser]:
    """A further page of the same Chromium.

    Args:
        beside: the first one.
        init_script: JavaScript to run before any page's own.
    """
    browser = Browser(beside.page.context.new_page(), outside=beside.outside)
    _watch(browser, init_script)
    try:
        yield browser
    finally:
        browser.page.close()


def _watch(browser: Browser, init_script: str) -> None:
    def answer(dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # JupyterLab's, of a notebook that changed since it was saved
            dialog.accept()
        else:
            browser.dialogs.append(dialog.message)
            dialog.dismiss()

    page = browser.page
    page.on("dialog", answer)
    page.on("pageerror", lambda error: browser.errors.append(str(error)))
    if init_script:
        page.add_init_script(init_script)


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in _LOOPBACK


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """A notebook of code cells that opens with a Python kernel, no question asked."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=metadata), path)


def open_notebook(browser: Browser, lab: Lab, path: str, *, in_notebook_7: bool = False) -> None:
    """Open a notebook and wait until its kernel is idle."""
    browser.page.goto(lab.notebook_7_url(path) if in_notebook_7 else lab.notebook_url(path))
    browser.page.wait_for_selector(".jp-Notebook .jp-Cell")
    browser.page.wait_for_function(
        "() => { const s = window.jupyterapp?.shell?.currentWidget?.sessionContext?.session;"
        " return s?.kernel?.status === 'idle' }"
    )


def open_in_place(browser: Browser, lab: Lab, path: str) -> None:
    """The same where JupyterLab is open already: loading all of it anew costs seconds.

    Every other notebook is closed, no question asked, and its kernel ended.
    """
    page = browser.page
    if not page.url.startswith(f"{lab.url}/lab/") or not page.evaluate("() => Boolean(window.jupyterapp)"):
        open_notebook(browser, lab, path)
        return
    page.evaluate(_IN_PLACE, path)
    page.wait_for_function(
        "path => { const c = window.jupyterapp.shell.currentWidget?.context;"
        " return c?.path === path && c.sessionContext.session?.kernel?.status === 'idle' }",
        arg=path,
    )


_IN_PLACE = """async path => {
  const { commands, serviceManager, shell } = window.jupyterapp;
  for (const open of [...shell.widgets('main')]) open.dispose();
  await serviceManager.sessions.shutdownAll();
  await commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' });
  shell.expandLeft();
  await commands.execute('docmanager:open', { path });
}"""


def run_cell(browser: Browser, index: int, *, wait: bool = True) -> None:
    """Run one cell of the open notebook, as the toolbar's button does."""
    browser.page.evaluate(
        "async ([index, wait]) => { const nb = window.jupyterapp.shell.currentWidget.content;"
        " nb.activeCellIndex = index; nb.deselectAll();"
        " const run = window.jupyterapp.commands.execute('notebook:run-cell'); if (wait) await run; }",
        [index, wait],
    )


def into_view(found: Locator) -> None:
    """Scroll to an element in one step: one that is drawn anew meanwhile is simply looked up."""
    found.evaluate("element => element.scrollIntoView({block: 'center'})")


def save_notebook(browser: Browser) -> None:
    """Save the open notebook."""
    browser.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
