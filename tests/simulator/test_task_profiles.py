from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.config import Config, Profile
from tests.simulator.calls import KLING, SEEDANCE, Clock, create, poll, seedance, text, timed
from tests.simulator.conftest import KEY, connect

OLD = [Profile.FLAT, Profile.ARK, Profile.OLDEST]


def at(profile: Profile, **config: Any) -> httpx.AsyncClient:
    return connect(Config(key=KEY, speed=0, profile=profile, **config))


async def both(profile: Profile, **more: Any) -> list[dict[str, Any]]:
    """The replies to create, to a poll half way and to the last poll."""
    clock = Clock()
    async with timed(clock, profile=profile) as client:
        created = await create(client, seedance(**more))
        clock.at += 10
        running = await poll(client, created["id"])
        clock.at += 100
        return [created, running, await poll(client, created["id"])]


async def test_flat_is_the_march_page() -> None:
    created, running, done = await both(Profile.FLAT)
    assert re.fullmatch(r"gen-[a-z0-9]{12}", created["id"])
    common = {"id": created["id"], "model": "seedance", "created_at": 1_777_288_506}
    assert created == common | {"status": "processing"}
    assert running == common | {"status": "processing"}
    assert done.pop("video_url").startswith("http://")
    assert done == common | {"status": "completed"}


async def test_ark_is_the_upstreams_own_object() -> None:
    created, running, done = await both(Profile.ARK)
    assert re.fullmatch(r"cgt-20260427111506-[a-z0-9]{5}", created.pop("id"))
    assert created == {}
    assert running["status"] == "running"
    assert "content" not in running
    assert done["status"] == "succeeded"
    assert done["content"]["video_url"].startswith("http://")
    assert done["usage"]["completion_tokens"] == 108_900
    assert done["model"] == "doubao-seedance-2-0-260128"


async def test_oldest_writes_dates_as_text() -> None:
    created, running, done = await both(Profile.OLDEST)
    assert re.fullmatch(r"doubao_task_\d{12}", created["id"])
    common = {"id": created["id"], "created_at": "2026-04-27T11:15:06Z"}
    assert created == common | {"status": "submitted"}
    assert running == common | {"status": "processing"}
    assert done.pop("video_url").startswith("http://")
    assert done == common | {"status": "succeeded"}


@pytest.mark.parametrize("profile", [Profile.FLAT, Profile.ARK, Profile.OLDEST])
async def test_a_failed_task_has_an_error_object(profile: Profile) -> None:
    async with at(profile) as client:
        task = await create(client, seedance(text("sim:moderated")))
        found = await poll(client, task["id"])
    assert found["status"] == "failed"
    assert found["error"]["code"] == "OutputVideoSensitiveContentDetected"
    assert "video_url" not in found


async def test_parameters_in_the_prompt_count_where_they_were_documented() -> None:
    body = seedance(text("A cat --rs 480p --rt 1:1 --dur 6 --seed 11 --cf false --wm true --dance 3"))
    tokens = 640 * 640 * (24 * 6 + 1) // 1024
    async with at(Profile.ARK) as client:
        inner = await poll(
            client, (await create(client, body | {"model": "doubao-seedance-1-0-pro-250528"}))["id"]
        )
        assert (inner["usage"]["total_tokens"], inner["seed"], inner["duration"]) == (tokens, 11, 6)
        plain = await poll(client, (await create(client, body))["id"])
        assert (plain["resolution"], plain["duration"]) == ("720p", 5)
        beside = body | {"model": "doubao-seedance-1-0-pro-250528", "duration": 7}
        assert (await poll(client, (await create(client, beside))["id"]))["duration"] == 7
    async with at(Profile.OLDEST) as client:
        refused = await client.post(SEEDANCE, json=seedance(text("A cat --dur 99")))
    assert "from 4 to 15" in refused.json()["error"]["message"]


@pytest.mark.parametrize("profile", OLD)
async def test_refusals_are_the_common_envelope_or_the_upstreams_own(profile: Profile) -> None:
    async with at(profile) as client:
        bad = await client.post(SEEDANCE, json=seedance(duration=99))
        unknown = await client.get(f"{SEEDANCE}/nobody")
        no_json = await client.post(SEEDANCE, content=b"{", headers={"content-type": "application/json"})
    assert (bad.status_code, unknown.status_code, no_json.status_code) == (400, 404, 400)
    assert bad.json()["error"]["code"] == "InvalidParameter"
    assert unknown.json()["error"]["code"] in {"NotFound", "task_not_exist"}
    assert no_json.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("profile", OLD)
async def test_kling_is_passed_through(profile: Profile) -> None:
    async with at(profile) as client:
        created = await create(
            client, {"prompt": "A horse", "external_task_id": "mine"}, f"{KLING}/text2video"
        )
        assert (created["code"], created["data"]["task_status"]) == (0, "submitted")
        assert created["data"]["task_info"] == {"external_task_id": "mine"}
        task = created["data"]["task_id"]
        found = await poll(client, task, KLING)
    assert found["data"]["task_status"] == "succeed"
    assert found["data"]["task_result"]["videos"][0]["url"].startswith("http://")


async def test_the_profile_is_told_to_those_who_ask() -> None:
    async with at(Profile.FLAT) as client:
        assert (await client.get("/healthz")).json()["profile"] == "flat"
