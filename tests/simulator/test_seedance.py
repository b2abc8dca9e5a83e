from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.tasks.seedance_models import LIMITS, pixels, tokens
from tests.simulator.calls import (
    SEEDANCE,
    Clock,
    ark_error,
    audio,
    create,
    image,
    made,
    make_clip_of,
    png_uri,
    poll,
    seedance,
    text,
    timed,
    video,
    wav_uri,
)
from tests.simulator.conftest import KEY, connect, data_uri

FIRST, LAST = image(role="first_frame"), image(role="last_frame")
V1 = "doubao-seedance-1-0-pro-250528"
V15 = "doubao-seedance-1-5-pro-251215"
TEXT_ONLY = "doubao-seedance-1-0-lite-t2v-250428"
IMAGE_ONLY = "doubao-seedance-1-0-lite-i2v-250428"


@pytest.fixture
async def strict() -> Any:
    async with connect(Config(key=KEY, speed=0, strict=True)) as connected:
        yield connected


# --- what is accepted -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "action"),
    [
        ([text()], "generate"),
        ([text(), image(role="first_frame")], "generate"),
        ([text(), image(role="")], "generate"),
        ([image(role="")], "generate"),
        ([FIRST, LAST], "firstTailGenerate"),
        ([text(), LAST, FIRST], "firstTailGenerate"),
        ([text("@image1 and @image2"), image(), image()], "referenceGenerate"),
        ([text(), *[image()] * 9, *[video()] * 3, *[audio()] * 3], "omniGenerate"),
        ([text("@video1"), video()], "omniGenerate"),
        ([text(), image(), audio()], "omniGenerate"),
        ([image("http://example.com/a.png"), video()], "omniGenerate"),
        ([text(), image(png_uri(300, 600))], "referenceGenerate"),
        ([text(), image(), audio(wav_uri())], "omniGenerate"),
    ],
)
async def test_documented_requests_are_accepted_strictly_too(
    strict: httpx.AsyncClient, content: list[dict[str, Any]], action: str
) -> None:
    assert (await made(strict, seedance(*content)))["action"] == action


@pytest.mark.parametrize(
    "more",
    [
        {"resolution": "480p", "ratio": "21:9", "duration": 4, "generate_audio": False, "watermark": True},
        {"resolution": "1080p", "ratio": "adaptive", "duration": 15, "seed": 4_294_967_295},
        {"tools": [{"type": "web_search"}], "return_last_frame": True, "seed": -1},
        {"duration": None, "ratio": None, "service_tier": "flex", "callback_url": "https://example.com/x"},
        {"model": "seedance-2.5", "duration": -1},
        {"model": "seedance-2.5", "duration": 30},
        {"model": "seedance-2.0-ultra", "resolution": "2k"},
        {"model": V15, "duration": 4},
        {"model": V1, "duration": 2},
        {"model": TEXT_ONLY},
    ],
)
async def test_documented_values_are_accepted_strictly_too(
    strict: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    assert (await made(strict, seedance(**more)))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "body",
    [
        seedance(text("@image3"), image()),
        seedance(image(), text()),
        seedance(text(), video(), image()),
        seedance(text(), audio(), image()),
        seedance(text(), video(role="")),
        seedance(surprise=1),
        seedance(text(), FIRST, model="seedance-2.5", ratio="16:9"),
    ],
)
async def test_what_only_the_documentation_forbids_is_refused_strictly_only(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await client.post(SEEDANCE, json=body)).status_code == 200
    reply = await strict.post(SEEDANCE, json=body)
    assert reply.status_code == 400
    assert ark_error(reply)["code"] in {"InvalidParameter", "MissingParameter"}


async def test_a_clip_as_data_is_refused_strictly_only(
    client: httpx.AsyncClient, strict: httpx.AsyncClient, clip: bytes
) -> None:
    body = seedance(text("go on"), video(data_uri(clip, "video/mp4")))
    assert (await made(client, body))["data"]["duration"] == 5
    error = ark_error(await strict.post(SEEDANCE, json=body))
    assert error["param"] == "content[1].video_url.url"


# --- what is refused --------------------------------------------------------------------------------------

LONG = " ".join(["word"] * 1001)
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"content": None}, "content", "is required"),
    ({"content": []}, "content", "at least 1"),
    ({"content": "a cat"}, "content", "array"),
    ({"content": ["a cat"]}, "content[0]", "object"),
    ({"content": [{"text": "x"}]}, "content[0].type", "is required"),
    ({"content": [{"type": "input_text", "text": "x"}]}, "content[0].type", "one of text, image_url"),
    ({"content": [{"type": "text", "text": " "}]}, "content[0].text", "empty"),
    ({"content": [text("a"), text("b")]}, "content[1]", "second text"),
    ({"content": [text(LONG)]}, "content[0].text", "1000 English words"),
    ({"content": [text("猫" * 501)]}, "content[0].text", "500 Chinese characters"),
    ({"content": [text("w" * 20_001)]}, "content[0].text", "at most 20000 characters, got 20001"),
    ({"content": [{"type": "image_url"}]}, "content[0].image_url", "is required"),
    ({"content": [{"type": "image_url", "image_url": "x"}]}, "content[0].image_url", "object"),
    ({"content": [image("")]}, "content[0].image_url.url", "empty"),
    ({"content": [image("ftp://example.com/a.png")]}, "content[0].image_url.url", "invalid url scheme"),
    ({"content": [image("data:image/png;base64,%%%")]}, "content[0].image_url.url", "base64"),
    ({"content": [image("data:image/png,abc")]}, "content[0].image_url.url", "base64"),
    ({"content": [image(data_uri(b"no picture", "image/png"))]}, "content[0].image_url.url", "format"),
    ({"content": [image(png_uri(299, 400))]}, "content[0].image_url.url", "PixelCountTooSmall"),
    ({"content": [image(png_uri(6001, 3000))]}, "content[0].image_url.url", "PixelCountTooLarge"),
    ({"content": [image(png_uri(300, 800))]}, "content[0].image_url.url", "ratio"),
    ({"content": [image(), audio(wav_uri(1.0))]}, "content[1].audio_url.url", "2 to 15 s"),
    ({"content": [image(), audio(wav_uri(16.0))]}, "content[1].audio_url.url", "2 to 15 s"),
    ({"content": [image(), audio(png_uri())]}, "content[1].audio_url.url", "must be of type audio"),
    ({"content": [image(), *[audio(wav_uri(8.0))] * 2]}, "content", "all together may be 15 s"),
    ({"content": [video(png_uri())]}, "content[0].video_url.url", "must be of type video"),
    ({"content": [image(role="reference_video")]}, "content[0].role", "one of first_frame"),
    ({"content": [video(role="first_frame")]}, "content[0].role", "one of reference_video"),
    ({"content": [image(role=""), image(role="")]}, "content[0].role", "is required"),
    ({"content": [FIRST, image()]}, "content[1].role", "exclude each other"),
    ({"content": [FIRST, video()]}, "content[1].role", "exclude each other"),
    ({"content": [FIRST, LAST, audio()]}, "content[2].role", "exclude each other"),
    ({"content": [FIRST, FIRST]}, "content[1].role", "twice"),
    ({"content": [FIRST, LAST, LAST]}, "content[2].role", "twice"),
    ({"content": [LAST]}, "content[0].role", "needs a first_frame"),
    ({"content": [text(), *[image()] * 10]}, "content[10]", "at most 9"),
    ({"content": [text(), *[video()] * 4]}, "content[4]", "at most 3"),
    ({"content": [text(), image(), *[audio()] * 4]}, "content[5]", "at most 3"),
    ({"content": [text(), audio()]}, "content[1]", "only reference"),
    ({"content": [text(), image("asset://asset-none")]}, "content[1].image_url.url", "is not found"),
    ({"content": [text(), image()], "model": V1}, "content[1]", "at most 0"),
    ({"content": [text(), FIRST], "model": TEXT_ONLY}, "content[1]", "text only"),
    ({"model": IMAGE_ONLY}, "content", "must hold an image"),
    ({"content": [image()] * 52, "model": "seedance-2.5"}, "content", "at most 51"),
    ({"content": [text(), *[video()] * 11], "model": "seedance-2.5"}, "content[11]", "at most 10"),
    ({"resolution": "4k"}, "resolution", "480p, 720p, 1080p"),
    ({"resolution": "480p", "model": "seedance-2.0-ultra"}, "resolution", "720p, 1080p, 2k"),
    ({"resolution": "2K", "model": "seedance-2.0-ultra"}, "resolution", "720p, 1080p, 2k"),
    ({"model": "seedance-2.0-ultra"}, "resolution", "is required"),
    ({"ratio": "2:1"}, "ratio", "16:9"),
    ({"duration": 3}, "duration", "from 4 to 15"),
    ({"duration": 16}, "duration", "from 4 to 15"),
    ({"duration": -1}, "duration", "from 4 to 15"),
    ({"duration": "5"}, "duration", "integer"),
    ({"duration": 5.5}, "duration", "integer"),
    ({"duration": 31, "model": "seedance-2.5"}, "duration", "from 4 to 30 seconds, or -1"),
    ({"duration": 13, "model": V15}, "duration", "from 4 to 12"),
    ({"duration": 1, "model": V1}, "duration", "from 2 to 12"),
    ({"seed": -2}, "seed", "at least -1"),
    ({"seed": 2**32}, "seed", "4294967295"),
    ({"generate_audio": "yes"}, "generate_audio", "true or false"),
    ({"watermark": 1}, "watermark", "true or false"),
    ({"return_last_frame": "no"}, "return_last_frame", "true or false"),
    ({"tools": [{"type": "browser"}]}, "tools[0].type", "web_search"),
    ({"tools": [{"type": "web_search"}], "content": [text(), FIRST]}, "tools", "text-to-video only"),
    ({"service_tier": "fast"}, "service_tier", "default, flex"),
    ({"execution_expires_after": 5}, "execution_expires_after", "between"),
    ({"safety_identifier": "x" * 65}, "safety_identifier", "64"),
]


@pytest.mark.parametrize(("more", "param", "words"), REFUSED)
async def test_what_the_upstream_refuses_is_its_error_in_a_string(
    client: httpx.AsyncClient, more: dict[str, Any], param: str, words: str
) -> None:
    reply = await client.post(SEEDANCE, json=seedance() | more)
    assert reply.status_code == 400, reply.text
    error = ark_error(reply)
    assert words in error["message"]
    assert error["param"] == param
    missing = "is required" in words or words == "must hold an image"
    assert error["code"] == ("MissingParameter" if missing else "InvalidParameter")
    assert (await client.get("/sim/requests")).json()["accepted"]["seedance"] == 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "invalid_request"),
        (b"[]", "invalid_request"),
        (json.dumps(seedance(model=None)).encode(), "invalid_request"),
        (json.dumps(seedance(model="kling-v3")).encode(), "invalid_request"),
        (json.dumps(seedance(model="doubao-seed-2.0-pro")).encode(), "invalid_request"),
    ],
)
async def test_what_the_gateway_refuses_is_plain(client: httpx.AsyncClient, raw: bytes, code: str) -> None:
    reply = await client.post(SEEDANCE, content=raw, headers={"content-type": "application/json"})
    assert reply.status_code == 400
    assert (reply.json()["code"], reply.json()["data"]) == (code, None)
    assert reply.json()["message"]


async def test_a_model_nobody_knows_is_404_with_the_nearest_name(client: httpx.AsyncClient) -> None:
    reply = await client.post(SEEDANCE, json=seedance(model="seedence"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
    assert "seedance" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("seconds", "rate", "words"), [(1.0, 24, "2 to 15 s"), (16.0, 4, "2 to 15 s"), (9.0, 4, "together")]
)
async def test_the_length_of_clips_is_measured(
    client: httpx.AsyncClient, tmp_path: Path, seconds: float, rate: int, words: str
) -> None:
    data = make_clip_of(tmp_path / "clip.mp4", width=160, height=120, seconds=seconds, rate=rate)
    body = seedance(text(), *[video(data_uri(data, "video/mp4"))] * 2)
    assert words in ark_error(await client.post(SEEDANCE, json=body))["message"]


# --- life -------------------------------------------------------------------------------------------------


async def test_the_life_of_a_task_by_the_clock() -> None:
    clock = Clock()
    async with timed(clock) as client:
        task = await create(client, seedance(resolution="480p", ratio="1:1"))
        assert task == {
            "id": task["id"],
            "task_id": task["id"],
            "object": "video",
            "model": "seedance",
            "status": "",
            "progress": 0,
            "created_at": 1_777_288_506,
        }
        assert task["id"].removeprefix("asyntask_").isalnum()
        assert len(task["id"]) == 41
        seen = []
        for after in (0, 0.9, 1.1, 3.9, 4.1, 12.0, 19.9, 20.1, 3600):
            clock.at = 1_777_288_506.25 + after
            found = await poll(client, task["id"])
            seen.append((found["status"], found["progress"], found["start_time"], found["finish_time"]))
            assert ("result_url" in found) == (found["status"] == "SUCCESS")
            assert found["submit_time"] == 1_777_288_506
    begun, over = 1_777_288_510, 1_777_288_526
    assert seen == [
        ("NOT_START", "0%", 0, 0),
        ("NOT_START", "0%", 0, 0),
        ("QUEUED", "10%", 0, 0),
        ("QUEUED", "10%", 0, 0),
        ("IN_PROGRESS", "50%", begun, 0),
        ("IN_PROGRESS", "75%", begun, 0),
        ("IN_PROGRESS", "99%", begun, 0),
        ("SUCCESS", "100%", begun, over),
        ("SUCCESS", "100%", begun, over),
    ]


async def test_speed_divides_the_wait_and_a_longer_film_takes_longer() -> None:
    clock = Clock()
    async with timed(clock, speed=10) as client:
        short = (await create(client, seedance(duration=4)))["id"]
        long = (await create(client, seedance(duration=15)))["id"]
        clock.at += 1.7
        assert (await poll(client, short))["status"] == "SUCCESS"
        assert (await poll(client, long))["status"] == "IN_PROGRESS"


async def test_a_finished_task_tells_everything_the_page_tells(client: httpx.AsyncClient) -> None:
    found = await made(client, seedance(ratio="16:9", seed=4304, return_last_frame=True))
    inner = found["data"]
    assert found["action"] == "generate"
    assert found["fail_reason"] == ""
    assert len(found["request_id"]) == 31
    assert inner["content"]["video_url"] == found["result_url"]
    assert inner["content"]["last_frame_url"].startswith("http://127.0.0.1:8765/files/")
    assert inner["id"].startswith("cgt-")
    del inner["content"], inner["id"], inner["created_at"], inner["updated_at"]
    assert inner == {
        "model": "doubao-seedance-2-0-260128",
        "status": "succeeded",
        "draft": False,
        "duration": 5,
        "framespersecond": 24,
        "generate_audio": True,
        "ratio": "16:9",
        "resolution": "720p",
        "seed": 4304,
        "service_tier": "default",
        "usage": {"completion_tokens": 108_900, "total_tokens": 108_900},
    }


async def test_the_ultra_model_tells_what_it_was_enlarged_from(client: httpx.AsyncClient) -> None:
    found = await made(client, seedance(model="seedance-2.0-ultra", resolution="1080p", ratio="16:9"))
    inner = found["data"]
    assert found["original_result_url"] != found["result_url"]
    assert (inner["resolution"], inner["super_resolution"]) == ("720p", "1080p")
    assert inner["usage"]["super_resolution_tokens"] == 245_025
    assert inner["usage"]["completion_tokens"] == 108_900
    assert "original_result_url" not in await made(client, seedance())


@pytest.mark.parametrize(
    ("content", "ratio"),
    [
        ([text()], "16:9"),
        ([text(), image(png_uri(320, 560), "first_frame")], "9:16"),
        ([text(), image("https://example.com/a.png"), image(png_uri(700, 300))], "21:9"),
        ([text(), image("https://example.com/a.png")], "16:9"),
    ],
)
async def test_adaptive_is_the_ratio_of_the_first_input_that_can_be_measured(
    client: httpx.AsyncClient, content: list[dict[str, Any]], ratio: str
) -> None:
    assert (await made(client, seedance(*content)))["data"]["ratio"] == ratio


async def test_a_duration_of_its_own_is_that_of_the_clip(client: httpx.AsyncClient, clip: bytes) -> None:
    body = seedance(text(), video(data_uri(clip, "video/mp4")), model="seedance-2.5", duration=-1)
    assert (await made(client, body))["data"]["duration"] == 5


async def test_the_same_request_is_the_same_film_and_another_seed_is_not(client: httpx.AsyncClient) -> None:
    async def name(**more: Any) -> str:
        url: str = (await made(client, seedance(**more)))["result_url"]
        return url.partition("?")[0]

    assert await name() == await name()
    assert await name() != await name(seed=7)
    assert await name(seed=7) != await name(seed=8)


async def test_an_address_of_this_machine_is_read_and_one_that_fails_is_a_placeholder(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    link = await made(client, seedance(image(png_uri(320, 560)), resolution="480p", return_last_frame=True))
    own = link["data"]["content"]["last_frame_url"]
    again = await made(client, seedance(image(own, "first_frame")))
    assert again["data"]["ratio"] == "9:16"
    for url in (own.replace("Expires=43200", "Expires=1"), "http://127.0.0.1:1/a.png", "http://[::1/a.png"):
        assert (await made(client, seedance(image(url, "first_frame"))))["data"]["ratio"] == "16:9"


async def test_a_task_of_nobody_does_not_exist(client: httpx.AsyncClient) -> None:
    reply = await client.get(f"{SEEDANCE}/asyntask_none")
    assert reply.status_code == 400
    assert reply.json() == {"code": "task_not_exist", "message": "task_not_exist", "data": None}


async def test_what_was_accepted_can_be_counted(client: httpx.AsyncClient) -> None:
    await made(client, seedance())
    task = (await create(client, seedance(text(), image())))["id"]
    found = (await client.get("/sim/requests")).json()
    assert found["accepted"] == {"seedance": 2, "kling": 0, "asset": 0}
    assert (found["tasks"][0]["id"], found["tasks"][0]["polls"]) == (task, 0)
    assert found["tasks"][1]["polls"] == 1


# --- numbers ----------------------------------------------------------------------------------------------


def test_tokens_are_those_of_the_pages_own_sample() -> None:
    assert tokens(1280, 720, 5) == 108_900
    assert tokens(1920, 1080, 5) == 245_025


def test_every_model_has_pixels_for_all_it_takes() -> None:
    for limits in LIMITS.values():
        for resolution in limits.resolutions:
            for ratio in ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"):
                width, height = pixels(resolution, ratio)
                assert width % 2 == height % 2 == 0
    assert pixels("2k", "16:9") == (2560, 1440)
