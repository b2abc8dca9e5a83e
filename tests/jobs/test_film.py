"""A film from its wish to its file: the deployed shapes end to end, and all that may come between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import (
    AuthenticationError,
    ConfigError,
    InputError,
    Interrupted,
    ModerationError,
    NotFoundError,
    ProtocolError,
    ServerError,
    StatusError,
    StillRunning,
)
from anyfast_nb.jobs.poll import Pace, deadline_s
from anyfast_nb.ledger import JobStatus, Ledger, jobs
from anyfast_nb.settings import home
from anyfast_nb.wire.values import Source
from tests.client.conftest import press_ctrl_c
from tests.jobs.conftest import (
    KEY,
    SECRETS,
    TASK,
    MakeClient,
    Time,
    created,
    everything_on_disk,
    film_reply,
    gets,
    ledger_rows,
    link,
    names,
    picture_reply,
    png,
    posts,
    succeeded,
    task,
)
from tests.wire_server import CUT, HANG, RESET, Reply, WireServer

PROMPT = "A cat plays the piano"


def test_a_film_comes_and_is_on_this_disk(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path, time: Time
) -> None:
    wire_server.script(
        created(),
        task("NOT_START", "0%"),
        task("QUEUED", "10%"),
        task("IN_PROGRESS", "50%"),
        succeeded(link(wire_server)),
        film_reply(film),
    )
    job = client().seedance(PROMPT, duration=4, ratio="16:9")
    assert (job.status, job.task_id, job.kind, job.mode) == (JobStatus.QUEUED, TASK, "seedance", "text")
    seen: list[tuple[str, int | None]] = []
    assert job.wait(on_change=lambda one: seen.append((one.status.value, one.progress))) is job

    assert job.path.read_bytes() == film
    assert job.path.parent == folder / "anyfast_media"
    assert (job.tokens, job.duration_s, job.usage.output_tokens) == (108_900, 4, 108_900)
    assert seen == [("queued", 0), ("queued", 10), ("running", 50), ("succeeded", 100), ("succeeded", 100)]
    assert names(folder) == [".gitignore", "seedance-T.json", "seedance-T.mp4"]
    assert (folder / "anyfast_media/.gitignore").read_text() == "*\n"
    assert len(posts(wire_server)) == 1
    assert gets(wire_server)[:4] == [f"/v1/video/generations/{TASK}"] * 4
    assert "Authorization" not in wire_server.requests[-1].headers
    assert time.slept == pytest.approx([3, 3.18, 3.37], abs=0.01)


def test_what_is_kept_of_it_holds_no_secret(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    picture = png()
    job = client().seedance(f"{PROMPT} with {KEY}", first_frame=picture)
    job.wait()

    sent = wire_server.requests[0].json()
    frame = next(item for item in sent["content"] if item["type"] == "image_url")
    assert frame["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    sidecar = json.loads(job.path.with_suffix(".json").read_text())
    assert sidecar["job"] == job.id
    assert sidecar["task_id"] == TASK
    assert sidecar["file"]["bytes"] == len(film)
    assert sidecar["usage"]["tokens"] == 108_900
    assert sidecar["versions"]["anyfast_nb"]
    assert sidecar["response"]["data"]["data"]["id"] == "cgt-1"
    kept = next(item for item in sidecar["request"]["content"] if item["type"] == "image_url")
    assert kept["image_url"]["url"]["bytes"] == len(picture)
    on_disk = everything_on_disk(home(), folder)
    assert PROMPT.encode() in on_disk
    seen = repr(job) + repr(job.row) + repr(vars(job.row) if hasattr(job.row, "__dict__") else "")
    seen += json.dumps(job.request) + str(job._repr_mimebundle_())
    for secret in (*SECRETS, frame["image_url"]["url"][30:80]):
        assert secret.encode() not in on_disk
        assert secret not in seen
    row = ledger_rows()[0]
    assert (row["kind"], row["status"], row["task_id"]) == ("seedance", "ok", TASK)
    assert row["request_hash"] == job.request_hash
    assert job.request_hash in str(jobs()["request_hash"][0])


def test_the_same_wish_has_the_same_hash_and_another_has_not(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(created(), created(), created())
    mine = client()
    first, same, other = (
        mine.seedance(PROMPT, first_frame=png(colour), duration=5) for colour in ("red", "red", "blue")
    )
    assert first.request_hash == same.request_hash != other.request_hash
    assert first.id != same.id


# --- every shape of a poll ----------------------------------------------------------------------


def _shapes(url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    wrapped = {"code": "success", "message": ""}
    return {
        "flat, March": ("seedance", {"id": "gen-1", "status": "completed", "video_url": url}),
        "the provider's": ("seedance", {"id": "cgt-1", "status": "succeeded", "content": {"video_url": url}}),
        "OpenAI's": (
            "seedance",
            {"id": "x", "object": "video", "status": "completed", "metadata": {"url": url}},
        ),
        "Alibaba's": (
            "seedance",
            wrapped
            | {"data": {"task_id": "x", "data": {"output": {"task_status": "SUCCEEDED", "video_url": url}}}},
        ),
        "Kling's, wrapped": (
            "kling",
            wrapped
            | {
                "data": {
                    "task_id": "860", "status": "SUCCESS", "progress": "100%",
                    "data": {"code": 0, "message": "SUCCEED", "data": {
                        "task_id": "860", "task_status": "succeed",
                        "task_result": {"videos": [{"id": "1", "url": url, "duration": "5.041"}]}}},
                }
            },
        ),
        "Kling's own": (
            "kling",
            {"code": 0, "message": "SUCCEED", "data": {
                "task_id": "860", "task_status": "succeed", "task_result": {"videos": [{"url": url}]}}},
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", _shapes("").keys())
def test_every_shape_of_success_gives_the_film(
    wire_server: WireServer, client: MakeClient, film: bytes, name: str
) -> None:
    kind, body = _shapes(link(wire_server))[name]
    wire_server.script(created("860"), Reply.json(body), film_reply(film))
    job = client().kling(PROMPT) if kind == "kling" else client().seedance(PROMPT)
    assert job.path.read_bytes() == film


@pytest.mark.parametrize(
    "body",
    [
        {"id": "cgt-1", "status": "failed", "error": {"code": "InternalServiceError", "message": "no"}},
        {"id": "x", "object": "video", "status": "failed", "error": {"code": "X", "message": "no"}},
        {"id": "gen-1", "status": "failed", "error": "no"},
        {
            "code": "success",
            "data": {"task_id": "x", "status": "FAILURE", "fail_reason": "no", "progress": "100%"},
        },
    ],
)
def test_every_shape_of_failure_is_a_failure_of_the_job(
    wire_server: WireServer, client: MakeClient, body: dict[str, Any]
) -> None:
    wire_server.script(created(), Reply.json(body))
    job = client().seedance(PROMPT)
    with pytest.raises(StatusError, match=f"seedance job {job.id[-8:]} failed.*: no") as caught:
        job.wait()
    assert caught.value.partial is job
    assert caught.value.billed == "no"
    assert job.status is JobStatus.FAILED
    again = client().job(job.id)
    assert str(again.error) == str(job.error) == str(caught.value)
    with pytest.raises(type(caught.value)):
        again.wait()
    assert len(wire_server.requests) == 2  # an end is not asked for again


# --- where to ask -------------------------------------------------------------------------------


def test_kling_is_asked_for_at_each_place_until_one_knows_it_and_there_from_then_on(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(
        created("860260753860210752"),
        Reply.json({"error": {"message": "Invalid URL", "type": "x"}}, status=404),
        Reply(body=(b"<!doctype html><title>AnyFast</title>",), content_type="text/html"),
        Reply.json({"code": "task_not_exist", "message": "task_not_exist", "data": None}, status=400),
        task("IN_PROGRESS"),
        succeeded(link(wire_server)),
        film_reply(film),
    )
    job = client().kling(PROMPT)
    job.wait()
    asked = gets(wire_server)[:-1]
    assert len(asked) == 5
    assert len(set(asked)) == 4
    assert asked[4] == asked[3]
    assert job.path.read_bytes() == film
    with Ledger() as ledger:
        row = ledger.job(job.id)
    assert row is not None
    assert row.poll_paths[0].replace("{id}", job.task_id) == asked[3]
    assert set(row.poll_paths) == set(job.row.poll_paths)


def test_a_task_nobody_knows_is_said_to_be_unknown_and_not_failed(
    wire_server: WireServer, client: MakeClient, time: Time
) -> None:
    missing = Reply.json({"code": "task_not_exist", "message": "task_not_exist", "data": None}, status=400)
    wire_server.script(created(), *[missing] * 40)
    job = client().seedance(PROMPT)
    with pytest.raises(NotFoundError, match="knows no task"):
        job.wait()
    assert 60 <= time.passed < 80  # a new task may not be known everywhere yet
    assert job.status is JobStatus.QUEUED
    with pytest.raises(NotFoundError, match="knows no task") as caught:
        client(api_key="sk-another-0123456").job(job.id).wait()
    assert "another key" in caught.value.hint
    assert [event.note for event in _events(job.id) if event.note][-1] == "not found: task_not_exist"


def _events(id: str) -> list[Any]:
    with Ledger() as ledger:
        return ledger.job_events(id)


# --- patience -----------------------------------------------------------------------------------


def test_no_trouble_of_the_network_and_no_odd_word_ends_a_job(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    busy = Reply.json({"error": {"message": "busy"}}, status=429)
    down = Reply.json({"error": {"message": "down"}}, status=502)
    wire_server.script(
        created(),
        *[busy] * 4,
        *[down] * 4,
        *[Reply(body=(RESET,))] * 4,
        *[Reply(body=(b'{"code":', CUT))] * 4,
        task("DREAMING", "60%"),
        succeeded(link(wire_server)),
        film_reply(film),
    )
    job = client().seedance(PROMPT)
    seen: list[str] = []
    job.wait(on_change=lambda one: seen.append(one.row.raw_status))
    assert seen == ["DREAMING", "SUCCESS", "SUCCESS"]
    assert job.path.read_bytes() == film
    assert len(posts(wire_server)) == 1


def test_a_wrong_key_is_no_passing_trouble(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created(), Reply.json({"error": {"message": "No token provided"}}, status=401))
    job = client().seedance(PROMPT)
    with pytest.raises(AuthenticationError):
        job.wait()
    assert job.status is JobStatus.QUEUED


def test_a_deadline_ends_the_waiting_and_never_the_job(
    wire_server: WireServer, client: MakeClient, film: bytes, time: Time
) -> None:
    wire_server.script(created(), *[task("IN_PROGRESS", "50%")] * 80)
    job = client().seedance(PROMPT, duration=15)
    with pytest.raises(StillRunning, match=r"still running \(running, at 50 %\)") as caught:
        job.wait()
    assert time.passed == pytest.approx(600)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.partial is job
    assert "job.wait()" in caught.value.hint
    assert job.status is JobStatus.RUNNING
    slept = [round(seconds, 6) for seconds in time.slept]
    assert sorted(slept[:-1]) == slept[:-1]
    assert max(slept) == 15
    assert min(slept[:-1]) == 3
    with pytest.raises(StillRunning):
        job.wait(timeout_s=0)


def test_the_gap_grows_is_spread_and_stays_within_its_bounds() -> None:
    low = Pace(uniform=lambda low, high: low)
    high = Pace(uniform=lambda low, high: high)
    ages = [0, 10, 60, 120, 240, 1000]
    assert low.gap_s(0) == 3
    assert [low.gap_s(age) for age in ages] == sorted(low.gap_s(age) for age in ages)
    assert all(3 <= low.gap_s(age) <= high.gap_s(age) <= 15 for age in ages)
    assert high.gap_s(60) > low.gap_s(60)
    assert high.gap_s(1000) == 15
    assert [deadline_s(video) for video in (None, -1, 4, 15, 30, 60)] == [600, 600, 600, 600, 900, 1200]


def test_an_interrupt_ends_the_waiting_and_says_that_the_job_goes_on(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"))
    mine = client()

    time = Time()

    async def never(seconds: float) -> None:
        time.passed += seconds
        press_ctrl_c()
        await asyncio.Event().wait()

    mine.pace = time.pace(sleep=never)
    job = mine.seedance(PROMPT)
    with pytest.raises(Interrupted, match=f"job {job.id[-8:]} goes on at AnyFast") as caught:
        job.wait()
    assert caught.value.partial is job
    assert job.status is JobStatus.RUNNING

    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    assert job.wait().path.read_bytes() == film


def test_cancel_ends_the_waiting_elsewhere_and_says_what_it_cannot(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"))
    mine, said = client(), []

    async def pause(seconds: float) -> None:
        said.append(job.cancel())
        await asyncio.Event().wait()

    mine.pace = Time().pace(sleep=pause)
    job = mine.seedance(PROMPT)
    with pytest.raises(StillRunning, match="stopped by cancel"):
        job.wait()
    assert "documents no way to cancel" in said[0]
    assert job.status is JobStatus.RUNNING
    assert len(wire_server.requests) == 2


# --- the file -----------------------------------------------------------------------------------


def test_a_job_is_found_again_after_a_restart_and_its_film_is_fetched(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"))
    job = client().seedance(PROMPT, duration=4)
    job.poll()
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    for name in (job.id, job.id[-8:], TASK):
        found = client().job(name)
        assert (found.id, found.prompt, found.status) == (job.id, PROMPT, JobStatus.RUNNING)
    assert found.path.read_bytes() == film
    before = len(wire_server.requests)
    assert client().job(job.id).path == found.path
    assert [one.id for one in client().jobs(status="succeeded")] == [job.id]
    assert len(wire_server.requests) == before
    with pytest.raises(InputError, match="no job"):
        client().job("ffff")


def test_a_film_that_succeeded_but_was_not_fetched_is_fetched_when_asked_for(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)))
    job = client().seedance(PROMPT)
    job.poll()  # the kernel ends here
    assert job.done
    assert job.file is None
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    found = client().job(job.id)
    assert found.path.read_bytes() == film

    found.path.unlink()  # and whoever removed it gets it again
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    assert client().job(job.id).video.path.read_bytes() == film


def test_an_expired_link_is_asked_for_once_more(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    expired = Reply(status=403, body=(b"<Error><Code>AccessDenied</Code></Error>",), content_type="text/xml")
    wire_server.script(
        created(),
        succeeded(link(wire_server)),
        expired,
        succeeded(link(wire_server, "again.mp4")),
        film_reply(film),
    )
    job = client().seedance(PROMPT)
    assert job.path.read_bytes() == film
    assert "/store/again.mp4" in gets(wire_server)[-1]

    wire_server.script(
        created(), succeeded(link(wire_server)), expired, succeeded(link(wire_server)), expired
    )
    other = client().seedance(PROMPT)
    with pytest.raises(NotFoundError, match="expired"):
        other.wait()
    assert other.status is JobStatus.SUCCEEDED  # it can be asked for again


def test_half_a_film_never_gets_its_name(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    cut = Reply(body=(film[: len(film) // 2], CUT), content_type="video/mp4", declared_size=len(film))
    half = film_reply(film[: len(film) // 2])
    page = Reply(body=(b"<html><title>sign in</title></html>",), content_type="text/html")
    wire_server.script(created(), succeeded(link(wire_server)), *[cut] * 4)
    job = client().seedance(PROMPT)
    with pytest.raises(Exception, match="broke off"):
        job.wait()
    assert not list((folder / "anyfast_media").glob("*.mp4"))
    for bad in (half, page):
        wire_server._replies.clear()
        wire_server.script(bad)
        with pytest.raises(ProtocolError):
            job.wait()
        assert not list((folder / "anyfast_media").glob("*.mp4"))
    wire_server.script(film_reply(film))
    assert job.path.read_bytes() == film


def test_a_success_without_a_link_says_so(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created(), task("SUCCESS", "100%"), task("SUCCESS", "100%"))
    job = client().seedance(PROMPT)
    with pytest.raises(ProtocolError, match="names no film"):
        job.wait()
    assert job.status is JobStatus.SUCCEEDED


def test_the_last_frame_comes_from_its_link_or_out_of_the_film(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(
        created(),
        succeeded(link(wire_server), last_frame_url=link(wire_server, "last.png")),
        film_reply(film),
        picture_reply(png("green")),
    )
    job = client().seedance(PROMPT, return_last_frame=True)
    assert job.last_frame.image.getpixel((5, 5)) == (0, 128, 0)
    assert job.last_frame.path.name == f"{job.path.stem}-last.png"

    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    other = client().seedance(PROMPT)
    red, green, blue = other.last_frame.image.getpixel((5, 5))
    assert blue > 200 > 60 > max(red, green)
    assert other.last_frame.size == (480, 320)
    assert client().job(other.id).last_frame.path == other.last_frame.path
    assert not list((folder / "anyfast_media").glob("*.part"))


def test_a_folder_that_cannot_be_written_is_replaced_and_told(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    (folder / "anyfast_media").write_text("a file is in the way")
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = client().seedance(PROMPT)
    assert job.path.parent == home() / "media"
    assert any("cannot be written" in note and str(home() / "media") in note for note in job.notes)


def test_the_folder_is_a_setting(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_MEDIA_DIR", "films/of today")
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = client().seedance(PROMPT)
    assert job.path.parent == folder / "films/of today"
    assert job.save("figures/cat.mp4").read_bytes() == film
    assert job.save(str(folder / "figures") + "/").name == job.path.name


# --- another gateway ------------------------------------------------------------------------------


def test_a_job_is_asked_for_where_it_was_made(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created())
    job = client().seedance(PROMPT)
    with pytest.raises(ConfigError, match="is at http://127"):
        client(base_url="https://www.anyfast.example").job(job.id).wait()
    assert len(wire_server.requests) == 1


def test_who_answered_is_kept_with_the_job(wire_server: WireServer, client: MakeClient) -> None:
    simulated = created()
    wire_server.script(
        Reply(200, {"X-AnyFast-Simulated": "1"}, simulated.body, declared_size=simulated.declared_size)
    )
    job = client().seedance(PROMPT)
    assert job.source is Source.SIMULATED
    assert ledger_rows()[0]["source"] == "simulated"
    assert list(jobs()["source"]) == ["simulated"]


# --- async ----------------------------------------------------------------------------------------


async def test_a_film_is_awaited(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    async with async_client() as client:
        job = await client.seedance(PROMPT)
        assert await job is job
        assert job.path.read_bytes() == film
        wire_server.script(created())
        with pytest.raises(InputError):
            await client.kling("")


async def test_several_wait_for_one_job_and_one_question_is_asked_at_a_time(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes
) -> None:
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    async with async_client() as client:
        job = await client.seedance(PROMPT)
        found = await asyncio.gather(*(job.wait_async() for _ in range(5)))
        assert set(map(id, found)) == {id(job)}
    assert len(wire_server.requests) == 4


async def test_a_cancelled_await_leaves_the_job_alone(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes
) -> None:
    wire_server.script(created(), Reply(body=(HANG,)))
    async with async_client() as client:
        job = await client.seedance(PROMPT)
        waiting = asyncio.ensure_future(job.wait_async())
        await asyncio.to_thread(wire_server.wait_for_requests, 2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert job.status is JobStatus.QUEUED
        wire_server.script(succeeded(link(wire_server)), film_reply(film))
        assert (await job).path.read_bytes() == film


def test_moderation_at_100_percent_names_the_argument_and_says_what_to_try(
    wire_server: WireServer, client: MakeClient
) -> None:
    reason = json.dumps(
        {
            "error": {
                "code": "OutputVideoSensitiveContentDetected",
                "message": "'content[1]' did not pass review.",
            }
        }
    )
    wire_server.script(created(), task("FAILURE", "100%", fail_reason=reason))
    job = client().seedance(PROMPT, images=[png()])
    with pytest.raises(ModerationError, match=r"failed at 100 %: 'content\[1\] \(images\[0\]\)'") as caught:
        job.wait()
    assert "Replace images[0], or change the prompt" in caught.value.hint
    assert "gives the credit back" in caught.value.hint
    assert caught.value.code == "OutputVideoSensitiveContentDetected"
    assert "failed at 100 %" in repr(job.error)
    assert not caught.value.retryable
    assert len(posts(wire_server)) == 1
    with pytest.raises(ModerationError, match=r"images\[0\]"):
        client().job(job.id).wait()


def test_a_failure_of_the_server_is_told_with_its_words(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created(), task("FAILURE", "100%", fail_reason="upstream timeout"))
    with pytest.raises(ServerError, match="failed at 100 %: upstream timeout") as caught:
        client().seedance(PROMPT).wait()
    assert "moderation" in caught.value.hint
    assert caught.value.billed == "no"
