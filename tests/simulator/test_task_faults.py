from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator import faults
from anyfast_nb.simulator.assets import faults as of_assets
from anyfast_nb.simulator.assets.faults import AssetFaults, read_asset_faults
from anyfast_nb.simulator.tasks import faults as of_tasks
from anyfast_nb.simulator.tasks.faults import JobFaults, read_job_faults, without_faults
from tests.conftest import Simulator
from tests.simulator.calls import (
    KLING,
    SEEDANCE,
    Clock,
    ark_error,
    create,
    image,
    made,
    poll,
    seedance,
    text,
    timed,
)

SMALL = {"resolution": "480p", "ratio": "1:1", "duration": 4}


@pytest.fixture
async def served(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server: only a socket can break."""
    async with httpx.AsyncClient(
        base_url=simulator.base_url.removesuffix("/v1"),
        headers={"authorization": f"Bearer {simulator.key}"},
        trust_env=False,
    ) as client:
        yield client


def words(prompt: str) -> dict[str, Any]:
    return seedance(text(f"A cat {prompt}"), **SMALL)


# --- how it ends ------------------------------------------------------------------------------------------


async def test_a_film_that_does_not_pass_review_fails_at_100_percent(client: httpx.AsyncClient) -> None:
    older = await made(client, words("sim:moderation"))  # the word that pictures had first
    found = await made(client, words("sim:moderated"))
    assert older["fail_reason"] == found["fail_reason"]
    assert (found["status"], found["progress"]) == ("FAILURE", "100%")
    reason = json.loads(found["fail_reason"])["error"]
    assert reason["code"] == "OutputVideoSensitiveContentDetected"
    assert "result_url" not in found
    assert found["data"]["status"] == "failed"


async def test_another_failure_is_a_plain_sentence(client: httpx.AsyncClient) -> None:
    found = await made(client, words("sim:fails"))
    assert found["status"] == "FAILURE"
    assert not found["fail_reason"].startswith("{")


async def test_a_link_as_the_reason_of_a_success(client: httpx.AsyncClient) -> None:
    found = await made(client, words("sim:reason-url"))
    assert found["status"] == "SUCCESS"
    assert found["fail_reason"] == found["result_url"]


async def test_a_stuck_task_never_ends() -> None:
    clock = Clock()
    async with timed(clock) as client:
        task = (await create(client, words("sim:stuck")))["id"]
        for _ in range(3):
            clock.at += 100_000
            found = await poll(client, task)
            assert (found["status"], found["progress"]) == ("IN_PROGRESS", "50%")


async def test_a_slow_queue() -> None:
    clock = Clock()
    async with timed(clock, speed=2) as client:
        task = (await create(client, words("sim:queue=60")))["id"]
        clock.at += 31
        assert (await poll(client, task))["status"] == "QUEUED"
        clock.at += 9
        assert (await poll(client, task))["status"] == "SUCCESS"


# --- what polls say ---------------------------------------------------------------------------------------


async def statuses(client: httpx.AsyncClient, prompt: str, count: int) -> list[tuple[str, str]]:
    task = (await create(client, words(prompt)))["id"]
    polls = [await poll(client, task) for _ in range(count)]
    return [(found["status"], (found["data"] or {}).get("status", "")) for found in polls]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "sim:polls=3",
            [("NOT_START", ""), ("QUEUED", ""), ("IN_PROGRESS", "running"), ("SUCCESS", "succeeded")],
        ),
        ("sim:polls=1", [("IN_PROGRESS", "running"), ("SUCCESS", "succeeded")]),
        ("sim:odd-status", [("REVIEWING", "running"), ("SUCCESS", "succeeded")]),
        ("sim:empty-status", [("", "running"), ("SUCCESS", "succeeded")]),
        ("sim:inner-status", [("", "succeeded"), ("", "succeeded")]),
        ("sim:inner-status sim:moderated", [("", "failed")]),
    ],
)
async def test_words_about_the_status(
    client: httpx.AsyncClient, prompt: str, expected: list[tuple[str, str]]
) -> None:
    assert await statuses(client, prompt, len(expected)) == expected


async def test_polls_that_fail_some_times(client: httpx.AsyncClient) -> None:
    task = (await create(client, words("sim:poll-503x2")))["id"]
    seen = [(await client.get(f"{SEEDANCE}/{task}")).status_code for _ in range(4)]
    assert seen == [503, 503, 200, 200]


async def test_polls_that_find_no_task_although_there_is_one(client: httpx.AsyncClient) -> None:
    task = (await create(client, words("sim:poll-404")))["id"]
    for _ in range(3):
        reply = await client.get(f"{SEEDANCE}/{task}")
        assert (reply.status_code, reply.json()["code"]) == (400, "task_not_exist")


# --- what create says -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "item"),
    [
        ([text("sim:real-person"), image(), image()], 1),
        ([image(), text("sim:real-person=2"), image()], 2),
        ([text("sim:real-person=1"), image(), image()], 1),
        ([text("sim:real-person=2"), image(), image()], 2),
        ([text("sim:real-person=9"), image()], 1),
    ],
)
async def test_a_face_is_refused_with_the_place_of_its_picture(
    client: httpx.AsyncClient, content: list[dict[str, Any]], item: int
) -> None:
    reply = await client.post(SEEDANCE, json=seedance(*content))
    assert reply.status_code == 400
    error = ark_error(reply)
    assert error["code"] == "InputImageSensitiveContentDetected.PrivacyInformation"
    assert f"'content[{item}]'" in error["message"]


async def test_bad_words_are_refused(client: httpx.AsyncClient) -> None:
    error = ark_error(await client.post(SEEDANCE, json=words("sim:bad-words")))
    assert error["code"] == "InputTextSensitiveContentDetected"


@pytest.mark.parametrize(
    ("prompt", "after"), [("sim:429x1/7", "7"), ("sim:429x1/none", None), ("sim:429x1", "0")]
)
async def test_too_many_requests_with_and_without_a_time_to_wait(
    client: httpx.AsyncClient, prompt: str, after: str | None
) -> None:
    reply = await client.post(SEEDANCE, json=words(prompt))
    assert (reply.status_code, reply.headers.get("retry-after")) == (429, after)
    assert (await client.post(SEEDANCE, json=words(prompt))).status_code == 200
    assert (await client.get("/sim/requests")).json()["accepted"]["seedance"] == 1


async def test_a_web_page_instead_of_a_reply_makes_no_task(client: httpx.AsyncClient) -> None:
    reply = await client.post(SEEDANCE, json=words("sim:html"))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await client.get("/sim/requests")).json()["accepted"]["seedance"] == 0


async def test_a_status_after_the_task_was_accepted(client: httpx.AsyncClient) -> None:
    assert (await client.post(SEEDANCE, json=words("sim:after-500"))).status_code == 500
    found = (await client.get("/sim/requests")).json()
    assert found["accepted"]["seedance"] == 1
    assert (await poll(client, found["tasks"][0]["id"]))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SEEDANCE, words("sim:after-drop")),
        (f"{KLING}/text2video", {"prompt": "A horse sim:after-drop"}),
    ],
)
async def test_a_reply_that_is_lost_after_the_task_was_accepted(
    served: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    before = (await served.get("/sim/requests")).json()["accepted"]
    with pytest.raises(httpx.RemoteProtocolError):
        await served.post(path, json=body)
    found = (await served.get("/sim/requests")).json()
    family = "kling" if "kling" in path else "seedance"
    assert found["accepted"][family] == before[family] + 1
    assert (await poll(served, found["tasks"][0]["id"]))["status"] == "SUCCESS"


async def test_silence_after_the_task_was_accepted(served: httpx.AsyncClient) -> None:
    before = (await served.get("/sim/requests")).json()["accepted"]["seedance"]
    waiting = asyncio.ensure_future(served.post(SEEDANCE, json=words("sim:after-hang")))
    while (await served.get("/sim/requests")).json()["accepted"]["seedance"] == before:
        await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


# --- files ------------------------------------------------------------------------------------------------


async def test_the_first_link_may_be_over_already(client: httpx.AsyncClient) -> None:
    task = (await create(client, words("sim:link-expired") | {"return_last_frame": True}))["id"]
    first, second = await poll(client, task), await poll(client, task)
    for url in (first["result_url"], first["data"]["content"]["last_frame_url"]):
        assert "Request has expired" in (await client.get(url)).text
    assert (await client.get(second["result_url"])).status_code == 200


async def test_a_page_instead_of_a_file(client: httpx.AsyncClient) -> None:
    reply = await client.get((await made(client, words("sim:file-html")))["result_url"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_half_a_file_that_says_it_is_whole(client: httpx.AsyncClient) -> None:
    whole = await client.get((await made(client, words("")))["result_url"])
    half = await client.get((await made(client, words("sim:file-short")))["result_url"])
    assert half.status_code == 200
    assert int(half.headers["content-length"]) == len(half.content)
    assert 0 < len(half.content) < len(whole.content)
    assert half.content[4:8] == b"ftyp"


async def test_a_download_that_breaks_and_can_go_on(served: httpx.AsyncClient) -> None:
    url = (await made(served, words("sim:file-drop=2")))["result_url"]
    for _ in range(2):
        got, size = await broken_off(served, url)
        assert len(got) == size // 2
    rest = await served.get(url, headers={"range": f"bytes={len(got)}-"})
    whole = await served.get(url)
    assert got + rest.content == whole.content
    assert len(whole.content) == size


async def broken_off(client: httpx.AsyncClient, url: str) -> tuple[bytes, int]:
    """What came of a file before the connection broke, and how much was promised."""
    got, size = b"", 0
    try:
        async with client.stream("GET", url) as reply:
            size = int(reply.headers["content-length"])
            async for piece in reply.aiter_bytes():
                got += piece
    except httpx.RemoteProtocolError:
        return got, size
    raise AssertionError("the download did not break")


# --- the words themselves ---------------------------------------------------------------------------------


def test_other_words_are_left_alone() -> None:
    assert read_job_faults("a cat, sim:unknown sim:polls nosim:stuck") == JobFaults()
    assert without_faults("A cat sim:polls=3 on a mat (sim:stuck)") == "A cat on a mat ()"


def test_the_table_names_every_word_with_its_place() -> None:
    table = faults.table()
    for word in ("sim:429x2/8", "sim:moderated", "sim:after-drop", "sim:file-drop=2", "sim:asset-lag=2"):
        assert f"    {word} " in table
    assert [place for place, _ in faults.PLACES if f"{place}:" not in table] == []


def test_every_word_described_does_something() -> None:
    jobs = [word for word in described(of_tasks.__doc__) if read_job_faults(word) == JobFaults()]
    assets = [word for word in described(of_assets.__doc__) if read_asset_faults(word) == AssetFaults()]
    assert (jobs, assets) == ([], [])
    assert len(described(of_tasks.__doc__)) > 15


def described(docstring: str | None) -> list[str]:
    return [line.split()[0] for line in (docstring or "").splitlines() if line.startswith("    sim:")]
