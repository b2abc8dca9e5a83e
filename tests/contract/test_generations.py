"""Our client against the built-in AnyFast, over a socket: films and pictures, in all shapes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from anyfast_nb import errors as e
from anyfast_nb.client.faces import Client
from anyfast_nb.errors import Billed
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.jobs.poll import Pace
from anyfast_nb.ledger.job_rows import JobStatus
from tests.conftest import Simulator
from tests.environment import clean_environ

SMALL: dict[str, Any] = {"duration": 4, "resolution": "480p", "ratio": "1:1"}
PACE = Pace(first_s=0.02, most_s=0.05)
KEY = "sk-sim-profiles"


@contextmanager
def client_of(base_url: str, key: str) -> Iterator[Client]:
    with Client(base_url=base_url, api_key=key, policy=RetryPolicy(base_s=0, cap_s=0)) as client:
        client.pace = PACE
        yield client


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Films land here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    with client_of(simulator.base_url, simulator.key) as client:
        yield client


@pytest.fixture(params=["current", "flat", "ark", "oldest"])
def profiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a strict server that speaks one generation of the vendor's shapes."""
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--port", "0", "--speed", "0", "--strict"]
    command += ["--key", KEY, "--profile", request.param]
    environ = clean_environ(tmp_path_factory.mktemp("profile"))
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            (url,) = [word for word in line.split() if word.startswith("http://")]
            with client_of(url.rstrip("."), KEY) as client:
                yield client
        finally:
            process.terminate()


def facts(path: Path) -> tuple[int, int, str, int, float]:
    with av.open(str(path)) as film:
        (stream,) = film.streams.video
        frames = sum(1 for _ in film.decode(stream))
        return stream.width, stream.height, stream.codec_context.name, frames, float(stream.average_rate or 0)


def films_accepted(simulator: Simulator) -> int:
    headers = {"Authorization": f"Bearer {simulator.key}"}
    url = f"{simulator.base_url.removesuffix('/v1')}/sim/requests"
    return int(httpx.get(url, headers=headers, trust_env=False).json()["accepted"]["seedance"])


def picture() -> Image.Image:
    return Image.new("RGB", (400, 400), "teal")


def test_every_generation_of_shapes_is_understood_to_the_end(profiled: Client) -> None:
    film = profiled.seedance("A cat", **SMALL).wait()
    assert facts(film.path) == (640, 640, "h264", 96, 24)
    horse = profiled.kling("A horse", duration=3).wait()
    assert facts(horse.path) == (1280, 720, "h264", 72, 24)
    makes: list[Callable[[], Any]] = [
        lambda: profiled.kling("A horse", image=picture()),
        lambda: profiled.kling("A horse", images=[picture(), picture()]),
    ]
    for make in makes:
        assert make().poll().status is JobStatus.SUCCEEDED
    (drawn,) = profiled.seedream("A cat", size="2K")
    with Image.open(drawn.path) as opened:
        assert opened.size == (2048, 2048)


def test_every_generation_of_refusals_is_understood(profiled: Client) -> None:
    makes: list[Callable[[], Any]] = [
        lambda: profiled.seedance("sim:moderated A cat", **SMALL).wait(),
        lambda: profiled.kling("sim:moderated A horse", duration=3).wait(),
        lambda: profiled.seedance("sim:bad-words A cat", **SMALL),
        lambda: profiled.kling("sim:bad-words A horse", duration=3),
        lambda: profiled.seedream("sim:moderated A cat"),
    ]
    for make in makes:
        with pytest.raises(e.ModerationError) as caught:
            make()
        assert caught.value.billed is Billed.NO
        assert caught.value.hint.startswith("Not billed")


@pytest.mark.parametrize(
    "word",
    [
        "polls=3", "odd-status", "empty-status", "inner-status", "reason-url",
        "poll-503x2", "link-expired", "file-drop=2", "429x2/0",
    ],
)  # fmt: skip
def test_trouble_on_the_way_ends_with_a_film(client: Client, word: str) -> None:
    job = client.seedance(f"sim:{word} A cat", **SMALL).wait()
    assert job.status is JobStatus.SUCCEEDED
    assert facts(job.path)[3] == 96


@pytest.mark.parametrize(
    ("word", "kind", "says", "then"),
    [
        ("fails", e.ServerError, "failed at 100 %", "Change the prompt"),
        ("file-short", e.ProtocolError, "bytes are missing", "job.wait() fetches it again"),
        ("file-html", e.ProtocolError, "a web page instead of the video", "job.wait() fetches it again"),
    ],
)
def test_what_ends_without_a_film_costs_nothing_more(
    client: Client, folder: Path, word: str, kind: type[e.AnyFastError], says: str, then: str
) -> None:
    job = client.seedance(f"sim:{word} A cat", **SMALL)
    with pytest.raises(kind, match=says) as caught:
        job.wait()
    assert caught.value.billed is Billed.NO
    assert then in caught.value.hint
    assert not list(folder.rglob("*.mp4"))


@pytest.mark.parametrize(("word", "accepted"), [("after-drop", 1), ("after-500", 1), ("html", 0)])
def test_after_a_doubt_nothing_is_sent_again_and_the_error_says_how_to_go_on(
    client: Client, simulator: Simulator, word: str, accepted: int
) -> None:
    before = films_accepted(simulator)
    with pytest.raises(e.AnyFastError, match="may be billed: look in the console") as caught:
        client.seedance(f"sim:{word} A cat", **SMALL)
    assert films_accepted(simulator) - before == accepted
    (job,) = client.jobs()
    assert caught.value.partial.id == job.id  # type: ignore[attr-defined]
    assert job.status is JobStatus.SUBMIT_UNKNOWN
    assert "--task-id asyntask_" in caught.value.hint


@pytest.mark.parametrize("word", ["stuck", "poll-404"])
def test_what_does_not_end_is_not_waited_for_for_ever(client: Client, word: str) -> None:
    job = client.seedance(f"sim:{word} A cat", **SMALL)
    with pytest.raises(e.StillRunning, match="it is not lost"):
        job.wait(0.2)
