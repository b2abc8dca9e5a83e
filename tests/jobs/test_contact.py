"""A job's contact sheet, and a film that is carried on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import ConfigError, InputError, StatusError
from anyfast_nb.jobs.contact import frames_of, seams_of
from anyfast_nb.jobs.job import Job
from tests.conftest import Simulator
from tests.jobs.conftest import (
    MakeClient,
    Time,
    created,
    film_reply,
    link,
    posts,
    succeeded,
    task,
)
from tests.wire_server import Reply, WireServer


def made(server: WireServer, film: bytes) -> list[Reply]:
    return [created(), succeeded(link(server)), film_reply(film)]


def test_a_job_shows_its_frames_and_keeps_the_sheet(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film))
    job = client().seedance("A cat")
    sheet = job.frames()  # waits for the film
    assert sheet.path == job.path.with_name(f"{job.path.stem}-frames.png")
    first, last = (sheet.image.convert("RGB").getpixel(place) for place in ((60, 60), (900, 300)))
    assert first[0] > 200 > last[0]  # red at the beginning, blue at the end
    assert last[2] > 200 > first[2]
    before = sheet.path.stat().st_mtime_ns
    assert job.frames().path.stat().st_mtime_ns == before
    assert job.frames(2).path.name == f"{job.path.stem}-frames-2.png"
    assert job.frames(2).size[0] < sheet.size[0]
    assert "data:image/jpeg;base64," in sheet._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("n", [0, 65, True, "6", 2.0])
def test_a_number_of_frames_that_cannot_be_is_refused_before_it_waits(
    wire_server: WireServer, client: MakeClient, folder: Path, n: object
) -> None:
    wire_server.script(created())
    job = client().seedance("A cat")
    with pytest.raises(InputError) as caught:
        job.frames(n)  # type: ignore[arg-type]
    assert caught.value.field == "n"
    assert len(wire_server.requests) == 1


def test_a_sheet_that_cannot_be_written_says_so(tmp_path: Path, film: bytes) -> None:
    path = tmp_path / ("a" * 240 + ".mp4")
    path.write_bytes(film)
    with pytest.raises(ConfigError, match="cannot be written: File name too long"):
        frames_of(path)
    with pytest.raises(InputError, match="a single film has no seams"):
        seams_of([path], ["one"])


# --- carried on -------------------------------------------------------------------------------


@pytest.fixture
def studio(simulator: Simulator, folder: Path, time: Time) -> Iterator[Client]:
    with Client(api_key=simulator.key, base_url=simulator.base_url) as made_client:
        made_client.pace = time.pace()
        yield made_client


def test_a_film_is_carried_on(studio: Client) -> None:
    job = studio.seedance("A red kite", duration=4, resolution="480p", ratio="1:1", audio=False)
    longer = job.extend("It falls into the sea", duration=5, audio=True)
    assert longer.mode == "extend"
    assert longer.request["resolution"] == "480p"
    assert longer.request["ratio"] == "1:1"
    assert (longer.request["duration"], longer.request["generate_audio"]) == (5, True)
    content = longer.request["content"]
    assert content[0]["text"] == "Extend @video1: It falls into the sea"
    assert content[1]["video_url"]["url"].startswith("asset://")
    assert f"carries on job {job.row.short_id}" in longer.notes
    assert f"carries on job {job.row.short_id}" in studio.job(longer.id).notes
    assert longer.path.is_file()


def test_what_is_said_outweighs_what_is_kept(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    clip = "https://films.example/b.mp4"
    wire_server.script(*made(wire_server, film))
    job = client().kling("A cat", duration=5).wait()
    for wrong in ("", " ", 5):
        with pytest.raises(InputError) as caught:
            job.extend(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "prompt"
    for name in ("first_frame", "last_frame"):
        with pytest.raises(InputError) as caught:
            job.extend("It bows", **{name: clip})
        assert caught.value.field == name
    with pytest.raises(InputError) as caught:
        job.extend("It bows", videos=clip)
    assert caught.value.field == "videos"
    with pytest.raises(InputError, match="knows no argument"):
        job.extend("It bows", lenght=4)
    assert len(posts(wire_server)) == 1


def test_a_film_that_failed_cannot_be_carried_on(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], folder: Path
) -> None:
    async def carry_on() -> Job:
        async with async_client() as mine:
            job = await mine.seedance("A cat")
            return await job.extend_async("It bows")

    wire_server.script(created(), task("FAILURE", "100%", fail_reason="upstream timeout"))
    with pytest.raises(StatusError, match="upstream timeout"):
        asyncio.run(carry_on())
    assert len(posts(wire_server)) == 1
