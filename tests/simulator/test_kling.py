from __future__ import annotations

import base64
import io
import re
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.tasks.kling_request import Action, KlingRequest
from anyfast_nb.simulator.tasks.media import Found
from tests.simulator.calls import KLING, SEEDANCE, Clock, create, made, png, png_uri, poll, timed
from tests.simulator.conftest import KEY, connect

TEXT, IMAGE, IMAGES, OMNI = (f"{KLING}/{action.value}" for action in Action)
BARE = base64.b64encode(png()).decode()


def horse(**more: Any) -> dict[str, Any]:
    return {"prompt": "A horse runs"} | more


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TEXT, horse()),
        (TEXT, horse(model_name="kling-v3", duration="15", mode="pro", aspect_ratio="9:16", sound="on")),
        (TEXT, horse(model="kling-v2-6", duration="10", negative_prompt="rain", cfg_scale=None)),
        (TEXT, horse(cfg_scale=1, camera_control={"type": "simple", "config": {"zoom": -10}})),
        (TEXT, horse(camera_control={"type": "down_back"})),
        (
            TEXT,
            {
                "model_name": "kling-v3",
                "multi_shot": True,
                "shot_type": "customize",
                "multi_prompt": [
                    {"index": 1, "prompt": "a", "duration": "2"},
                    {"index": 2, "prompt": "b", "duration": "3"},
                ],
            },
        ),
        (IMAGE, horse(image=BARE)),
        (IMAGE, horse(image="https://example.com/a.png", image_tail=BARE)),
        (IMAGE, horse(image=BARE, image_tail=BARE, model_name="kling-v2-1", mode="pro")),
        (IMAGES, horse(image_list=[{"image": BARE}] * 4, model_name="kling-v1-6")),
        (OMNI, horse(aspect_ratio="1:1")),
        (OMNI, horse(image_list=[{"image_url": png_uri(), "type": "first_frame"}])),
        (OMNI, horse(video_list=[{"video_url": "https://example.com/a.mp4", "refer_type": "base"}])),
    ],
)
async def test_documented_requests_are_accepted_strictly_too(path: str, body: dict[str, Any]) -> None:
    async with connect(Config(key=KEY, speed=0, strict=True)) as client:
        assert (await made(client, body, path))["status"] == "SUCCESS"


async def test_the_life_of_a_task() -> None:
    clock = Clock()
    async with timed(clock) as client:
        task = await create(client, horse(model_name="kling-v3", external_task_id="mine"), TEXT)
        assert re.fullmatch(r"\d{18}", task["id"])
        assert task == {
            "id": task["id"],
            "task_id": task["id"],
            "object": "video",
            "model": "kling-v3",
            "status": "",
            "progress": 0,
            "created_at": 1_777_288_506,
        }
        seen = []
        for after in (0, 5, 21):
            clock.at = 1_777_288_506.25 + after
            found = await poll(client, task["id"], KLING)
            inner = (found["data"] or {}).get("data", {})
            seen.append((found["status"], found["progress"], inner.get("task_status")))
    assert seen == [
        ("SUBMITTED", "0%", None),
        ("PROCESSING", "53%", "processing"),
        ("SUCCESS", "100%", "succeed"),
    ]
    assert found["action"] == "/kling/v1/videos/text2video_POST"
    assert (found["submit_time"], found["start_time"], found["finish_time"]) == (
        1_777_288_506,
        1_777_288_510,
        1_777_288_526,
    )
    outer = found["data"]
    assert (outer["code"], outer["message"]) == (0, "SUCCEED")
    data = outer["data"]
    assert (data["created_at"], data["updated_at"]) == (1_777_288_506_250, 1_777_288_526_250)
    assert data["task_info"] == {"external_task_id": "mine"}
    [film] = data["task_result"]["videos"]
    assert re.fullmatch(r"\d{18}", film["id"])
    assert film["duration"] == "5.0"
    assert film["url"].startswith("http://127.0.0.1:8765/files/")


@pytest.mark.parametrize(
    ("path", "body", "action"),
    [
        (TEXT, horse(), "text2video"),
        (IMAGE, horse(image=BARE), "image2video"),
        (IMAGES, horse(image_list=[{"image": BARE}]), "image2video"),
        (OMNI, horse(aspect_ratio="16:9"), "text2video"),
    ],
)
async def test_a_task_is_polled_by_its_own_action_or_by_none(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], action: str
) -> None:
    task = (await create(client, body, path))["id"]
    for good in (f"{KLING}/{task}", f"{KLING}/{action}/{task}", f"{SEEDANCE}/{task}"):
        assert (await client.get(good)).json()["data"]["status"] == "SUCCESS"
    other = {"text2video": "image2video", "image2video": "text2video"}[action]
    for bad in (other, "multi-image2video", "lip-sync"):
        reply = await client.get(f"{KLING}/{bad}/{task}")
        assert (reply.status_code, reply.json()["code"]) == (400, "task_not_exist")


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (TEXT, {}, "prompt is required"),
        (TEXT, horse(prompt="x" * 2501), "at most 2500"),
        (TEXT, horse(negative_prompt="x" * 2501), "at most 2500"),
        (TEXT, horse(mode="ultra"), "std, pro"),
        (TEXT, horse(aspect_ratio="4:3"), "16:9, 9:16, 1:1"),
        (TEXT, horse(duration="7"), '"5" or "10"'),
        (TEXT, horse(duration="16", model_name="kling-v3"), '"3" to "15"'),
        (TEXT, horse(cfg_scale=1.5), "between 0 and 1"),
        (TEXT, horse(sound="on"), "kling-v2-6 or later"),
        (TEXT, horse(sound="loud"), "on, off"),
        (TEXT, horse(voice_list=[{"voice_id": "a"}], model_name="kling-v3"), 'needs sound: "on"'),
        (TEXT, horse(camera_control={"type": "spin"}), "down_back"),
        (TEXT, horse(camera_control={"type": "simple", "config": {"pan": 1, "zoom": 1}}), "exactly one"),
        (TEXT, horse(camera_control={"type": "simple", "config": {"pan": 11}}), "between -10 and 10"),
        (TEXT, horse(camera_control={"type": "forward_up", "config": {"pan": 1}}), "only with type: simple"),
        (TEXT, horse(multi_prompt=[{"prompt": "a", "duration": "5"}]), "multi_shot: true"),
        (TEXT, {"multi_shot": True}, "1 to 6 shots"),
        (TEXT, {"multi_shot": True, "multi_prompt": [{"prompt": "a", "duration": "4"}]}, "5 s in all"),
        (IMAGE, horse(), "image is required"),
        (IMAGE, horse(image=png_uri()), "data:"),
        (IMAGE, horse(image="???"), "valid base64"),
        (IMAGE, horse(image=base64.b64encode(b"no picture").decode()), "format"),
        (IMAGE, horse(image=base64.b64encode(png(299, 400)).decode()), "PixelCountTooSmall"),
        (IMAGE, horse(image=base64.b64encode(png(300, 800)).decode()), "ratio"),
        (IMAGE, horse(image=BARE, image_tail=BARE, model_name="kling-v2-1"), 'mode: "pro"'),
        (IMAGE, horse(image=BARE, image_tail=BARE, static_mask="x"), "static_mask"),
        (IMAGE, horse(image=BARE, dynamic_masks=[{"mask": "x", "trajectories": [{}]}]), "2 to 77"),
        (IMAGES, horse(), "image_list is required"),
        (IMAGES, horse(image_list=[]), "1 to 4 images"),
        (IMAGES, horse(image_list=[{"image": BARE}] * 5), "1 to 4 images"),
        (IMAGES, horse(image_list=[{"image": png_uri()}]), "image_list[0].image"),
        (IMAGES, horse(image_list=[{"image_url": BARE}]), "image_list[0].image is required"),
        (OMNI, horse(), "aspect_ratio is required"),
        (OMNI, horse(image_list=[{"image_url": BARE, "type": "end_frame"}]), "no first_frame"),
        (OMNI, horse(video_list=[{"video_url": "x.mp4"}]), "http(s)"),
    ],
)
async def test_what_kling_refuses(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], words: str
) -> None:
    reply = await client.post(path, json=body)
    assert reply.status_code == 400, reply.text
    assert (reply.json()["code"], reply.json()["data"]) == ("task_failed", None)
    assert words in reply.json()["message"]
    assert reply.json()["message"].endswith("(code 1201)")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (horse(duration=5), 400, "invalid_request"),
        (horse(mode=1), 400, "invalid_request"),
        (horse(model_name="seedance"), 400, "invalid_request"),
        (horse(prompt="sim:real-person"), 400, "task_failed"),
    ],
)
async def test_what_the_gateway_refuses(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    reply = await client.post(TEXT, json=body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert (await client.get("/sim/requests")).json()["accepted"]["kling"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (IMAGE, {"image": BARE}),
        (TEXT, horse(model_name="kling-v2-master", cfg_scale=0.5)),
        (TEXT, horse(surprise=1)),
    ],
)
async def test_what_only_the_documentation_forbids(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    assert (await client.post(path, json=body)).status_code == 200
    async with connect(Config(key=KEY, speed=0, strict=True)) as strict:
        assert (await strict.post(path, json=body)).json()["code"] == "task_failed"


async def test_a_name_of_ones_own_is_used_once(client: httpx.AsyncClient) -> None:
    await create(client, horse(external_task_id="a"), TEXT)
    assert "not unique" in (await client.post(TEXT, json=horse(external_task_id="a"))).json()["message"]
    await create(client, horse(external_task_id="b"), TEXT)


async def test_a_film_that_fails(client: httpx.AsyncClient) -> None:
    found = await made(client, horse(prompt="A horse sim:moderated"), TEXT)
    assert (found["status"], found["progress"]) == ("FAILED", "100%")
    inner = found["data"]["data"]
    assert inner["task_status"] == "failed"
    assert inner["task_status_msg"] == found["fail_reason"] == "Failure to pass the risk control system"
    assert "task_result" not in inner


@pytest.mark.parametrize(
    ("mode", "ratio", "picture", "size"),
    [
        ("std", "16:9", None, (1280, 720)),
        ("pro", "16:9", None, (1920, 1080)),
        ("std", "1:1", None, (960, 960)),
        ("pro", "1:1", None, (1440, 1440)),
        ("std", "9:16", None, (720, 1280)),
        ("std", "", (600, 600), (960, 960)),
        ("std", "", (320, 720), (640, 1440)),
        ("std", "", None, (1280, 720)),
    ],
)
def test_pixels(mode: str, ratio: str, picture: tuple[int, int] | None, size: tuple[int, int]) -> None:
    from anyfast_nb.simulator.studio import measure

    found = Found("image", measured=measure(png(*picture))) if picture else Found("image")
    request = KlingRequest(
        action=Action.IMAGE,
        model="kling-v1",
        prompt="",
        mode=mode,
        ratio=ratio,
        duration_s=5,
        sound=False,
        watermark=False,
        external_id="",
        digest=b"",
        first=found,
    )
    assert request.size == size


async def test_a_kling_film_has_the_pixels_and_the_length_it_tells(client: httpx.AsyncClient) -> None:
    import av

    body = horse(image=base64.b64encode(png(400, 400, "green")).decode(), model_name="kling-v3", duration="3")
    found = await made(client, body, IMAGE)
    [film] = found["data"]["data"]["task_result"]["videos"]
    with av.open(io.BytesIO((await client.get(film["url"])).content)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.width, stream.codec_context.height) == (960, 960)
        assert sum(1 for packet in container.demux(stream) if packet.size) == 72
    assert film["duration"] == "3.0"
