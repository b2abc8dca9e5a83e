"""Films by way of the route: what a client downloads is what it asked for."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.calls import create, image, made, poll, seedance, text, video
from tests.simulator.conftest import data_uri, two_coloured


async def download(client: httpx.AsyncClient, **more: Any) -> bytes:
    return (await client.get((await made(client, seedance(**more)))["result_url"])).content


def pictures(data: bytes) -> list[Any]:
    """First and last frame of a film."""
    import av

    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    return [frames[0], frames[-1]]


def halves(picture: Any) -> tuple[Any, Any]:
    """Mean colours of the middle of the left and of the right half."""
    width, height = picture.size
    left = picture.crop((width // 8, height // 3, width * 3 // 8, height * 2 // 3))
    right = picture.crop((width * 5 // 8, height // 3, width * 7 // 8, height * 2 // 3))
    return tuple(tuple(half.convert("RGB").resize((1, 1)).getpixel((0, 0))) for half in (left, right))


def near(found: Any, wanted: tuple[int, int, int], *, by: int = 40) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("resolution", "ratio", "size", "audio"),
    [
        ("480p", "16:9", (864, 496), True),
        ("480p", "9:16", (496, 864), False),
        ("480p", "21:9", (992, 432), True),
        ("720p", "4:3", (1112, 834), False),
        ("1080p", "3:4", (1248, 1664), False),
    ],
)
async def test_a_film_has_exactly_the_documented_pixels_frames_and_sound(
    client: httpx.AsyncClient, resolution: str, ratio: str, size: tuple[int, int], audio: bool
) -> None:
    import av

    data = await download(client, resolution=resolution, ratio=ratio, duration=4, generate_audio=audio)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.width, stream.codec_context.height) == size
        assert stream.codec_context.name == "h264"
        assert float(stream.average_rate or 0) == 24.0
        assert bool(container.streams.audio) == audio
        assert sum(1 for packet in container.demux(stream) if packet.size) == 96


async def test_first_and_last_frame_are_the_pictures_that_were_sent(client: httpx.AsyncClient) -> None:
    from PIL import Image

    first = two_coloured("red", "blue", (640, 640))
    last = two_coloured("lime", "yellow", (640, 640))
    body = seedance(
        image(data_uri(first, "image/png"), "first_frame"),
        image(data_uri(last, "image/png"), "last_frame"),
        resolution="480p",
        duration=4,
        return_last_frame=True,
    )
    done = await made(client, body)
    assert done["data"]["ratio"] == "1:1"
    begins, ends = pictures((await client.get(done["result_url"])).content)
    told = Image.open(io.BytesIO((await client.get(done["data"]["content"]["last_frame_url"])).content))
    left, right = halves(begins)
    assert near(left, (255, 0, 0))
    assert near(right, (0, 0, 255))
    for picture in (ends, told):
        left, right = halves(picture)
        assert near(left, (0, 255, 0))
        assert near(right, (255, 255, 0))
    assert told.size == (640, 640)


async def test_a_film_goes_on_where_its_clip_ends(client: httpx.AsyncClient, clip: bytes) -> None:
    body = seedance(
        text("Extend @video1"), video(data_uri(clip, "video/mp4")), resolution="480p", ratio="4:3", duration=4
    )
    begins, _ = pictures((await client.get((await made(client, body))["result_url"])).content)
    left, right = halves(begins)
    assert near(left, (0, 0, 255), by=70)
    assert near(right, (0, 0, 255), by=70)


async def test_a_reference_that_cannot_be_reached_does_not_spoil_the_film(client: httpx.AsyncClient) -> None:
    data = await download(
        client, content=[text(), image(), video()], resolution="480p", ratio="1:1", duration=4
    )
    assert len(pictures(data)) == 2


async def test_the_ultra_film_is_larger_than_its_original(client: httpx.AsyncClient) -> None:
    done = await made(
        client, seedance(model="seedance-2.0-ultra", resolution="720p", ratio="1:1", duration=4)
    )
    film, original = [
        pictures((await client.get(done[name])).content) for name in ("result_url", "original_result_url")
    ]
    assert (film[0].size, original[0].size) == ((960, 960), (640, 640))


async def test_the_prompts_words_for_faults_are_not_in_the_film(client: httpx.AsyncClient) -> None:
    plain = seedance(text("A cat"), resolution="480p", ratio="1:1", duration=4, seed=5)
    worded = seedance(text("A cat sim:reason-url"), resolution="480p", ratio="1:1", duration=4, seed=5)
    films = [(await client.get((await made(client, body))["result_url"])).content for body in (plain, worded)]
    assert films[0] == films[1]


async def test_other_requests_are_answered_while_a_film_is_made(client: httpx.AsyncClient) -> None:
    task = (await create(client, seedance(resolution="480p", ratio="1:1", duration=4)))["id"]
    url = (await poll(client, task))["result_url"]
    downloading = asyncio.ensure_future(client.get(url))
    answered = 0
    while not downloading.done():
        assert (await client.get("/v1/models")).status_code == 200
        answered += 1
        await asyncio.sleep(0.005)  # a busy loop would hold the interpreter, and the film with it
    assert (await downloading).status_code == 200
    assert answered > 3


def test_nothing_of_a_film_is_left_when_its_folder_goes(tmp_path: Path) -> None:
    from anyfast_nb.simulator import studio
    from anyfast_nb.simulator.store import Store
    from anyfast_nb.simulator.tasks.films import Script, order_film, order_last_frame

    store = Store(folder=tmp_path / "files")
    script = Script("A cat", width=64, height=48, duration_s=1, audio=False, key="k")
    film = order_film(store, script)
    frame = store.read(order_last_frame(store, film))
    assert frame == studio.last_frame(store.path(film).path)
    assert sorted(path.suffix for path in (tmp_path / "files").iterdir()) == [".mp4", ".png"]
