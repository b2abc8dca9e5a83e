"""kill -9 at any moment: no half file under a final name, no forgotten job, no second POST."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from anyfast_nb.ledger import JobStatus, Ledger
from tests.conftest import Simulator
from tests.jobs.broken_off import PHASES, SIGNALS, run
from tests.jobs.conftest import KEY, MakeClient, created, film_reply, link, posts, succeeded, task
from tests.wire_server import HANG, Pause, Reply, WireServer

MAKER = Path(__file__).with_name("maker.py")
CHOICE = random.Random(2611)


def one_job(server: WireServer, film: bytes, number: int) -> list[Reply]:
    """What the gateway answers to one job, each piece a little late."""
    pieces = tuple(film[start : start + 400] for start in range(0, len(film), 400))
    slow = [piece for part in pieces for piece in (part, Pause(0.005))]
    return [
        created(f"asyntask_{number}"),
        task("IN_PROGRESS"),
        succeeded(link(server)),
        Reply(body=tuple(slow), content_type="video/mp4", declared_size=len(film)),
    ]


def hanging(reply: Reply) -> Reply:
    """The beginning of a reply, and then nothing."""
    (body,) = [piece for piece in reply.body if isinstance(piece, bytes)][:1]
    return Reply(reply.status, body=(body[: len(body) // 2], HANG), content_type=reply.content_type)


def killed_at(server: WireServer, folder: Path, request: int) -> None:
    """Run the maker, and kill it once so many requests have arrived."""
    command = [sys.executable, str(MAKER), server.url, KEY, "2"]
    with subprocess.Popen(command, cwd=folder, env=dict(os.environ), stderr=subprocess.DEVNULL) as maker:
        server.wait_for_requests(request, timeout_s=60)
        maker.kill()
    server._replies.clear()


@pytest.mark.parametrize(
    ("request_number", "hangs"),
    [(1, True), (2, True), (4, True), *[(number, False) for number in CHOICE.sample(range(1, 9), 3)]],
    ids=str,
)
def test_nothing_is_lost_halved_or_sent_twice(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path, request_number: int, hangs: bool
) -> None:
    replies = [reply for number in range(2) for reply in one_job(wire_server, film, number)]
    if hangs:
        replies[request_number - 1] = hanging(replies[request_number - 1])
    wire_server.script(*replies)
    killed_at(wire_server, folder, request_number)
    sent = len(posts(wire_server))

    films = list((folder / "anyfast_media").glob("*.mp4"))
    assert all(path.read_bytes() == film for path in films)
    with Ledger() as ledger:
        rows = ledger.jobs()
    assert len(rows) >= sent  # a row for each POST, before it left
    for job in client().jobs():
        if job.task_id:
            wire_server.script(succeeded(link(wire_server)), film_reply(film))
            assert job.path.read_bytes() == film
            assert job.status is JobStatus.SUCCEEDED
        else:
            assert job.status is JobStatus.SUBMIT_UNKNOWN
        wire_server._replies.clear()
    assert len(posts(wire_server)) == sent
    left = {path.suffix for path in (folder / "anyfast_media").glob("*")} if films or rows else set()
    assert left <= {".mp4", ".json", ""}  # and nothing of what broke off


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("signal_name", SIGNALS)
def test_at_a_random_moment_nothing_is_lost_halved_or_sent_twice(
    simulator: Simulator, tmp_path: Path, phase: str, signal_name: str, seed: int
) -> None:
    outcome = run(
        (simulator.base_url, simulator.key), phase, signal_name, seed=seed, folder=tmp_path / "broken off"
    )
    if phase != "submit":  # the phase had begun, so there was an id
        assert outcome.found in {"task id", "film"}
        assert outcome.accepted == 1
