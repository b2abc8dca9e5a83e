"""Makers of films that are broken off at random moments, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from anyfast_nb.client.faces import Client
from anyfast_nb.errors import AnyFastError
from anyfast_nb.jobs.fetch import film_type
from anyfast_nb.ledger import JobStatus, Ledger
from tests.environment import ROOT
from tests.jobs.breaker import PACE, film

BREAKER = Path(__file__).with_name("breaker.py")
SIGNALS = ("SIGKILL", "SIGINT")
# The longest delay after a phase has begun: about as long as it takes.
PHASES = {"submit": 0.08, "poll": 0.15, "download": 0.6}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run left.

    Attributes:
        found: nothing, in doubt, task id, or film: how far it had come.
        accepted: creates that the server accepted.
        half: a part of a film lay there, under another name.
    """

    found: str
    accepted: int
    half: bool


def run(server: tuple[str, str], phase: str, signal_name: str, *, seed: int, folder: Path) -> Outcome:
    """Break one maker off, then look, resume, and run its cell again.

    Args:
        server: base URL and key of a simulator.
        phase: submit, poll or download.
        signal_name: SIGKILL or SIGINT.
        seed: of the moment.
        folder: empty; becomes home and working folder.

    Raises:
        AssertionError: something was lost, halved or sent twice.
    """
    base_url, key = server
    delay_s = random.Random(f"{phase} {signal_name} {seed}").uniform(0, PHASES[phase])
    before = accepted(server)
    home, place = folder / "home", folder / "notebook"
    place.mkdir(parents=True)
    environ = os.environ | {"ANYFAST_HOME": str(home), "PYTHONPATH": _python_path()}
    command = [sys.executable, str(BREAKER), base_url, key, phase, signal_name, f"{delay_s:.4f}"]
    done = subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True, timeout=120)
    assert signal_name == "SIGKILL" or "Traceback" not in done.stderr, done.stderr
    with _at(place, home=home):
        return _looked_at(server, before, folder=place, home=home)


def accepted(server: tuple[str, str]) -> int:
    """How many creates a simulator has accepted."""
    base_url, key = server
    request = urllib.request.Request(
        f"{base_url.removesuffix('/v1')}/sim/requests", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request) as reply:
        return int(json.load(reply)["accepted"].get("seedance", 0))


def _looked_at(server: tuple[str, str], before: int, *, folder: Path, home: Path) -> Outcome:
    base_url, key = server
    once = accepted(server) - before
    media = folder / "anyfast_media"
    half = bool(list(media.glob("*.part")))
    for path in media.glob("*.mp4"):
        assert film_type(path) == "video/mp4"  # under a final name nothing is half
    with Ledger(home / "ledger.sqlite3") as ledger:
        rows = ledger.jobs()
    assert once <= 1
    assert len(rows) in {once, 1}  # a row before each POST
    found = "nothing"
    if rows:
        found = "film" if rows[0].path else "task id" if rows[0].task_id else "in doubt"
    with Client(api_key=key, base_url=base_url) as client:
        client.pace = PACE
        _resume(client, media)
        if rows:
            _again(client)
    assert accepted(server) - before == once
    return Outcome(found, once, half)


def _resume(client: Client, media: Path) -> None:
    """What has a task id comes to its end, everything else is in doubt."""
    for job in client.jobs():
        if job.task_id:
            assert film_type(job.wait().path) == "video/mp4"
            assert job.status is JobStatus.SUCCEEDED
            assert json.loads(job.path.with_suffix(".json").read_text())["job"] == job.id
        else:
            assert job.status is JobStatus.SUBMIT_UNKNOWN, job
    assert {path.suffix for path in media.glob("*")} <= {".mp4", ".json", ""}


def _again(client: Client) -> None:
    """The cell is run again: its film is shown, or there is a doubt; nothing is sent."""
    (job,) = client.jobs()
    if not job.task_id:
        with pytest.raises(AnyFastError, match="nothing was sent"):
            film(client)
        return
    again = film(client)
    assert again.id == job.id
    assert again.reused_from is not None


def _python_path() -> str:
    """The offline hook, if there is one, and this checkout: the breaker is run as a file."""
    return os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])


@contextmanager
def _at(folder: Path, *, home: Path) -> Iterator[None]:
    before, environ = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ["ANYFAST_HOME"] = str(home)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environ)
