"""What a person meets: the front door, how jobs, clips and pictures show themselves, the options."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anyfast_nb as af
from anyfast_nb.client import generations
from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import InputError, Interrupted, MissingKeyError
from anyfast_nb.jobs.film import Clip
from anyfast_nb.jobs.job import Job
from anyfast_nb.wire.images import build_seedream
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.seedance import build_seedance
from tests.client.conftest import press_ctrl_c
from tests.jobs.conftest import (
    KEY,
    MakeClient,
    Time,
    created,
    film_reply,
    ledger_rows,
    link,
    png,
    refused,
    succeeded,
    task,
)
from tests.wire_server import HANG, RESET, Gate, Reply, WireServer

PROMPT = "A <b>cat</b> plays for $5"


@pytest.mark.parametrize(
    ("options", "build"),
    [
        (generations.SeedanceOptions, build_seedance),
        (generations.KlingOptions, build_kling),
        (generations.SeedreamOptions, build_seedream),
    ],
)
def test_the_options_are_those_of_the_wire_and_each_is_explained(options: Any, build: Any) -> None:
    known = [name for name in inspect.signature(build).parameters if name != "prompt"]
    media = {"downscale"}  # for the media room: the wire has strings only
    assert [name for name in options.__annotations__ if name not in media] == known
    for name in (*known, *media):
        assert name in options.__doc__


def test_the_front_door_has_them() -> None:
    assert {"seedance", "kling", "seedream", "Job", "Pictures"} <= set(dir(af))
    assert af.Job is Job
    assert af.ledger.jobs().empty


def test_importing_a_client_stays_light() -> None:
    code = "import sys, anyfast_nb.client.faces; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"av", "PIL", "pandas", "numpy", "httpx"} & set(done.stdout.split())


def test_from_plain_python_it_needs_a_key_and_goes_to_the_gateway(
    wire_server: WireServer, monkeypatch: pytest.MonkeyPatch, folder: Path, film: bytes
) -> None:
    from anyfast_nb.magics import generate

    monkeypatch.setattr(generate, "_shell", lambda: None)
    generate._client.cache_clear()
    with pytest.raises(MissingKeyError):
        af.seedance(PROMPT)
    monkeypatch.setenv("ANYFAST_API_KEY", KEY)
    monkeypatch.setenv("ANYFAST_BASE_URL", wire_server.url)
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film), created("860"))
    try:
        assert af.seedance(PROMPT).path.read_bytes() == film
        assert af.kling(PROMPT).task_id == "860"
        wire_server.script(Reply.json({"data": [{"url": link(wire_server)}]}), film_reply(png()))
        assert len(af.seedream(PROMPT).made) == 1
    finally:
        generate._client().close()
        generate._client.cache_clear()


def test_in_a_notebook_the_row_says_where_it_comes_from(
    wire_server: WireServer, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    from anyfast_nb.gateway.gateway import io_loop
    from anyfast_nb.magics import generate
    from anyfast_nb.session import session

    class Shell:
        user_ns: dict[str, Any] = {"__vsc_ipynb_file__": "/home/ada/films.ipynb"}  # noqa: RUF012

    monkeypatch.setattr(generate, "_shell", Shell)
    monkeypatch.setenv("ANYFAST_API_KEY", KEY)
    monkeypatch.setenv("ANYFAST_BASE_URL", wire_server.url)
    session.cache_clear()
    wire_server.script(created())
    try:
        job = af.seedance(PROMPT)
        assert job.row.notebook == "/home/ada/films.ipynb"
        assert ledger_rows()[0]["notebook"] == "/home/ada/films.ipynb"
    finally:
        io_loop().run(session().gateway.close())
        session.cache_clear()


def test_a_job_shows_itself_from_its_wish_to_its_film(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    mine = client()
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    job = mine.seedance(PROMPT)
    job.poll()
    running = job._repr_mimebundle_()
    assert "running · 50 %" in running["text/plain"]
    assert f"%anyfast resume {job.row.short_id}" in running["text/plain"]
    assert "A &lt;b&gt;cat&lt;/b&gt; plays for <span>$</span>5" in running["text/html"]
    assert repr(job) == f"<Job {job.id[-8:]} seedance running 50 %>"
    assert len(wire_server.requests) == 2  # showing asks nobody

    job.wait()
    done = job._repr_mimebundle_()
    assert f'src="anyfast_media/{job.path.name}"' in done["text/html"]
    assert 'poster="data:image/jpeg;base64,' in done["text/html"]
    assert done["text/plain"].endswith(str(job.path))
    assert "480 × 320" in done["text/plain"]
    assert "data:video/mp4" not in done["text/html"]
    assert 'src="data:video/mp4;base64,' in job.video.embedded()._repr_mimebundle_()["text/html"]
    assert repr(job).endswith(f"{job.path}>")
    assert Path(job.video).read_bytes() == film
    public = {name for name in dir(job) if not name.startswith("_")}
    assert not public & {
        "next",
        "ask_once",
        "fetch",
        "told",
        "late",
        "gap_s",
        "patience_s",
    }  # the scheduler's
    frame = job.last_frame._repr_mimebundle_()
    assert str(job.last_frame.path) in frame["text/plain"]
    assert "data:image/jpeg;base64," in frame["text/html"]


def test_a_film_that_is_gone_says_so_and_how_to_have_it_again(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = client().seedance(PROMPT).wait()
    job.path.unlink()
    shown = job._repr_mimebundle_()
    assert "film is not on this disk" in shown["text/html"]
    assert "fetching" not in shown["text/html"]
    assert f"%anyfast resume {job.row.short_id} fetches it" in shown["text/plain"]


def test_a_film_that_no_page_reaches_is_put_inside(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    (folder / "anyfast_media").write_text("in the way")
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = client().seedance(PROMPT).wait()
    assert "data:video/mp4;base64," in job._repr_mimebundle_()["text/html"]


def test_a_job_that_failed_or_is_in_doubt_shows_why(wire_server: WireServer, client: MakeClient) -> None:
    mine = client()
    wire_server.script(refused("duration is <wrong>"), Reply(body=(RESET,)))
    shown = []
    for _ in range(2):
        with pytest.raises(af.errors.AnyFastError) as caught:
            mine.seedance(PROMPT)
        assert isinstance(caught.value.partial, Job)
        shown.append(caught.value.partial._repr_mimebundle_())
    assert "duration is &lt;wrong&gt;" in shown[0]["text/html"]
    assert "may be billed" in shown[1]["text/plain"]
    assert "adopt" in shown[1]["text/plain"]


def test_a_call_from_a_callback_nests(wire_server: WireServer, client: MakeClient, film: bytes) -> None:
    mine = client()
    wire_server.script(created(), task("IN_PROGRESS"), created("asyntask_2"), succeeded(link(wire_server)))
    wire_server.script(film_reply(film))
    second: list[Job] = []

    def again(job: Job) -> None:
        if not second:
            second.append(mine.seedance("another"))

    first = mine.seedance(PROMPT)
    assert first.wait(on_change=again).path.read_bytes() == film
    assert second[0].task_id == "asyntask_2"


def test_pace_is_the_callers_choice(wire_server: WireServer, client: MakeClient, time: Time) -> None:
    mine = client()
    mine.pace = time.pace(first_s=1, most_s=2)
    wire_server.script(created(), *[task("QUEUED", "10%")] * 10)
    with pytest.raises(TimeoutError):
        mine.seedance(PROMPT).wait(timeout_s=10)
    assert time.slept[0] == 1
    assert sum(time.slept) == pytest.approx(10, abs=0.2)  # questions are apart from each other


def test_a_film_is_shown_by_its_path_from_the_notebook_that_runs(
    folder: Path, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "anyfast_media/a.mp4"
    path.parent.mkdir()
    path.write_bytes(film)
    assert 'src="anyfast_media/a.mp4"' in Clip(path)._repr_mimebundle_()["text/html"]
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "sub/x.ipynb"))
    assert 'src="../anyfast_media/a.mp4"' in Clip(path)._repr_mimebundle_()["text/html"]
    notebook = str(folder / "anyfast_media/y.ipynb")
    assert 'src="a.mp4"' in Clip(path, notebook=notebook)._repr_mimebundle_()["text/html"]


def test_a_callback_that_would_wait_for_itself_is_told(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created(), task("IN_PROGRESS"))
    job = client().seedance(PROMPT)
    with pytest.raises(InputError, match="inside its own on_change"):
        job.wait(on_change=lambda one: one.path)


async def test_two_kernels_that_fetch_one_film_leave_one_film(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes
) -> None:
    gate = Gate()
    slow = Reply(body=(film[:1000], gate, film[1000:]), content_type="video/mp4", declared_size=len(film))
    wire_server.script(created(), succeeded(link(wire_server)), slow)
    async with async_client() as first, async_client() as second:
        job = await first.seedance(PROMPT)
        fetching = asyncio.ensure_future(job.wait_async())
        await asyncio.to_thread(wire_server.wait_for_requests, 3)
        wire_server.script(succeeded(link(wire_server)))
        other = second.job(job.id)

        async def pause(seconds: float) -> None:  # the other one sees that it is being fetched
            gate.opened.set()
            while not fetching.done():
                await asyncio.sleep(0.001)

        other._pace = Time().pace(sleep=pause)
        assert (await other).path.read_bytes() == film
        assert (await fetching).path == other.path
    assert len(wire_server.requests) == 4


def test_interrupted_pictures_say_what_may_have_happened(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply(body=(HANG,)))
    presser = threading.Thread(target=lambda: (wire_server.wait_for_requests(1), press_ctrl_c()))
    presser.start()
    with pytest.raises(Interrupted, match="may be billed"):
        client().seedream("A kite")
    presser.join()
    assert ledger_rows()[0]["status"] == "submit_unknown"
