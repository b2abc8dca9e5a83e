"""One POST and no more: what is repeated, what never is, and what is said after a doubt."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import (
    AnyFastError,
    BadRequestError,
    Billed,
    ConnectFailed,
    InputError,
    Interrupted,
    ModerationError,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
)
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.http.transport import Limits
from anyfast_nb.jobs import submit
from anyfast_nb.jobs.job import Job
from anyfast_nb.ledger import JobStatus, Ledger, jobs
from tests.client.conftest import press_ctrl_c
from tests.jobs.conftest import (
    TASK,
    MakeClient,
    Time,
    created,
    film_reply,
    ledger_rows,
    link,
    png,
    posts,
    refused,
    succeeded,
)
from tests.wire_server import CUT, HANG, RESET, Gate, Reply, WireServer

PROMPT = "A cat plays the piano"
LOST: dict[str, tuple[Reply, type[AnyFastError]]] = {
    "the connection closes before a byte of the reply": (Reply(body=(RESET,)), WireCut),
    "the reply is cut in the middle": (Reply(body=(b'{"id":"asynt', CUT)), WireCut),
    "the server says 500 after it began": (
        Reply.json({"code": "do_request_failed", "message": "x", "data": None}, status=500),
        ServerError,
    ),
    "the gateway in front times out": (Reply(status=504, content_type="text/html"), ServerError),
    "the reply holds no id": (Reply.json({"object": "video", "status": ""}), ProtocolError),
    "the reply is a web page": (
        Reply(body=(b"<html><title>x</title>",), content_type="text/html"),
        ProtocolError,
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_after_a_doubt_nothing_is_sent_again_and_the_row_says_so(
    wire_server: WireServer, client: MakeClient, name: str
) -> None:
    reply, kind = LOST[name]
    wire_server.script(reply, created(), created())
    with pytest.raises(kind) as caught:
        client().seedance(PROMPT)

    error = caught.value
    assert len(wire_server.requests) == 1
    job = error.partial
    assert isinstance(job, Job)
    assert job.status is JobStatus.SUBMIT_UNKNOWN
    row = ledger_rows()[0]
    assert (row["status"], row["kind"]) == ("submit_unknown", "seedance")
    assert row["request_hash"] == job.request_hash
    assert row["time_us"] > 0
    assert list(jobs()["status"]) == ["submit_unknown"]
    assert error.billed is Billed.MAYBE
    assert not error.retryable
    said = str(error)
    assert "may be billed" in said
    assert "look in the console" in said
    for part in (job.id, job.request_hash[:16], f"{job.created_at.astimezone():%Y-%m-%d %H:%M}", "adopt("):
        assert part in said
    assert len(error.lines()) <= 3
    assert job.error is not None
    assert "may be billed" in str(job.error)


def test_silence_is_a_doubt_as_well(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply(body=(HANG,)), created())
    with pytest.raises(ReadTimedOut, match="may be billed"):
        client(limits=Limits(response_s=0.2, idle_s=0.2)).kling(PROMPT)
    assert len(posts(wire_server)) == 1
    assert ledger_rows()[0]["status"] == "submit_unknown"


def test_a_job_whose_reply_was_lost_goes_on_with_the_id_of_the_console(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(Reply(body=(RESET,)))
    with pytest.raises(WireCut) as caught:
        client().seedance(PROMPT)
    lost = caught.value.partial
    assert isinstance(lost, Job)
    found = client().job(lost.id[-8:])
    with pytest.raises(AnyFastError, match="may be billed") as unknown:
        found.wait()
    assert unknown.value.partial is found
    for bad in ("", "no id", "x" * 300, "../../x"):
        with pytest.raises(InputError, match="no task id"):
            found.adopt(bad)
    assert len(wire_server.requests) == 1

    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    assert found.adopt(f" {TASK} ").path.read_bytes() == film
    assert len(posts(wire_server)) == 1
    assert client().job(TASK).status is JobStatus.SUCCEEDED
    with pytest.raises(InputError, match="needs no task id"):
        found.adopt(TASK)


@pytest.mark.parametrize(
    ("replies", "tries"),
    [
        ([Reply.json({"error": {"message": "slow down"}}, status=429)], 2),
        ([Reply.json({"error": {"message": "busy"}}, status=503, headers={"Retry-After": "0"})] * 3, 4),
    ],
)
def test_what_was_surely_not_done_is_sent_again(
    wire_server: WireServer, client: MakeClient, replies: list[Reply], tries: int
) -> None:
    wire_server.script(*replies, created())
    job = client().seedance(PROMPT)
    assert job.task_id == TASK
    assert len(posts(wire_server)) == tries
    row = ledger_rows()[0]
    assert (row["status"], row["attempts"]) == ("ok", tries)


def test_429_to_the_end_is_no_doubt(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(*[Reply.json({"error": {"message": "slow down"}}, status=429)] * 4)
    with pytest.raises(RateLimitError) as caught:
        client().seedance(PROMPT)
    assert caught.value.billed is Billed.NO
    assert ledger_rows()[0]["status"] == "error"
    assert list(jobs()["status"]) == ["failed"]


def test_no_connection_is_tried_again_and_is_no_doubt(client: MakeClient) -> None:
    with WireServer() as gone:
        url = gone.url
    with pytest.raises(ConnectFailed) as caught:
        client(base_url=url, policy=RetryPolicy(attempts=3, base_s=0)).seedance(PROMPT)
    assert caught.value.billed is Billed.NO
    row = ledger_rows()[0]
    assert (row["status"], row["attempts"]) == ("error", 3)
    assert list(jobs()["status"]) == ["failed"]


def test_a_plain_refusal_is_a_failure_and_is_not_billed(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(refused("duration is wrong"))
    with pytest.raises(BadRequestError, match="duration is wrong") as caught:
        client().seedance(PROMPT)
    job = caught.value.partial
    assert isinstance(job, Job)
    assert (job.status, job.row.error_code) == (JobStatus.FAILED, "InvalidParameter")
    assert caught.value.billed is Billed.NO
    assert ledger_rows()[0]["status"] == "error"
    with pytest.raises(AnyFastError, match="duration is wrong"):
        job.wait()
    assert len(wire_server.requests) == 1


def test_moderation_at_the_door_names_the_argument(wire_server: WireServer, client: MakeClient) -> None:
    inner = (
        '{"error":{"code":"InputImageSensitiveContentDetected.PrivacyInformation","message":'
        '"The input image \'content[2]\' may contain real person.","param":"","type":"BadRequest"}}'
    )
    wire_server.script(Reply.json({"code": "fail_to_fetch_task", "message": inner, "data": None}, status=400))
    with pytest.raises(ModerationError, match=r"content\[2\] \(last_frame\)") as caught:
        client().seedance(PROMPT, first_frame=png("red"), last_frame=png("blue"))
    assert "last_frame may show a real person" in caught.value.hint
    assert "asset" in caught.value.hint
    assert caught.value.billed is Billed.NO
    assert len(posts(wire_server)) == 1
    assert list(jobs()["error_code"]) == ["InputImageSensitiveContentDetected.PrivacyInformation"]


def test_an_asset_that_has_not_arrived_is_waited_for(
    wire_server: WireServer, client: MakeClient, time: Time
) -> None:
    late = refused("The specified asset asset-1 is not found", code="NotFound.asset_id")
    wire_server.script(late, late, created())
    job = client().seedance(PROMPT, first_frame="asset://asset-1")
    assert job.task_id == TASK
    assert time.slept == [3, 12]
    assert ledger_rows()[0]["attempts"] == 3
    with Ledger() as ledger:
        notes = [event.note for event in ledger.job_events(job.id)]
    assert sum("asset has not arrived" in note for note in notes) == 2


def test_without_an_asset_the_same_words_are_a_refusal(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(refused("invalid url scheme"), created())
    with pytest.raises(BadRequestError):
        client().seedance(PROMPT, first_frame="https://example.com/a.png")
    assert len(posts(wire_server)) == 1


# --- before the POST --------------------------------------------------------------------------------


def test_the_job_is_in_the_ledger_before_a_byte_leaves(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply(body=(HANG,)))
    mine, found = client(), []

    def submit() -> None:
        try:
            mine.seedance(PROMPT)
        except AnyFastError as error:
            found.append(error)

    thread = threading.Thread(target=submit)
    thread.start()
    wire_server.wait_for_requests(1)
    with Ledger() as ledger:
        rows = ledger.jobs()
    assert [(row.status, row.task_id) for row in rows] == [(JobStatus.SUBMITTING, "")]
    assert ledger_rows()[0]["status"] == "unfinished"

    # Another kernel that looks now sees that this one is at it; once it is gone, there is a doubt.
    other = client()
    assert other.job(rows[0].id).status is JobStatus.SUBMITTING
    mine._gateway.ledger.close()
    assert other.job(rows[0].id).status is JobStatus.SUBMIT_UNKNOWN
    wire_server._closing.set()
    thread.join()
    assert found


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"duration": 99}, "duration"),
        ({"images": ["https://h/a.png"], "first_frame": "https://h/b.png"}, ""),
        ({"images": "a.png"}, "images"),
        ({"first_frame": "no/such/file.png"}, "first_frame"),
        ({"videos": [b"no film"]}, "videos[0]"),
        ({"durration": 5}, "durration"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent_or_written(
    wire_server: WireServer, client: MakeClient, options: dict[str, Any], field: str
) -> None:
    mine = client()
    with pytest.raises(InputError) as caught:
        mine.seedance(PROMPT, **options)
    assert caught.value.field == field or not field
    assert wire_server.requests == []
    assert len(jobs()) == 0


def test_a_misspelt_argument_gets_a_suggestion(client: MakeClient) -> None:
    with pytest.raises(InputError, match="knows no argument 'durration'") as caught:
        client().seedance(PROMPT, durration=5)  # type: ignore[call-arg]
    assert "Did you mean duration?" in caught.value.hint


def test_a_ledger_in_trouble_breaks_no_generation(
    wire_server: WireServer, client: MakeClient, film: bytes, tmp_path: Path
) -> None:
    place = tmp_path / "in the way" / "ledger.sqlite3"
    place.mkdir(parents=True)
    told: list[str] = []
    ledger = Ledger(place, warn=told.append)
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    job = client(ledger=ledger).seedance(PROMPT)
    assert job.path.read_bytes() == film
    assert len(told) == 1
    ledger.close()
    place.rmdir()

    with Ledger(place) as mended:  # the rows come back from the journal
        row = mended.job(job.id)
        assert row is not None
        assert (row.status, row.path, row.task_id) == (JobStatus.SUCCEEDED, str(job.path), TASK)
        with mended.reading() as store:
            assert store.exec_driver_sql("SELECT COUNT(*) FROM requests").scalar() == 1
    connection = sqlite3.connect(place)
    assert connection.execute("SELECT COUNT(*) FROM job_events").fetchone()[0] >= 3
    connection.close()


# --- interrupts ---------------------------------------------------------------------------------------


def test_an_interrupt_while_it_is_sent_leaves_a_doubt_and_says_so(
    wire_server: WireServer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "_LAST_WORDS_S", 0.01)
    wire_server.script(Reply(body=(HANG,)))
    presser = threading.Thread(target=lambda: (wire_server.wait_for_requests(1), press_ctrl_c()))
    presser.start()
    with pytest.raises(Interrupted, match="may have been accepted and billed"):
        client().seedance(PROMPT)
    presser.join()
    assert list(jobs()["status"]) == ["submit_unknown"]
    assert ledger_rows()[0]["status"] == "submit_unknown"


def test_after_an_interrupt_the_reply_is_still_heard(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    gate, mine = Gate(), client()
    wire_server.script(Reply(body=(gate, *created().body)))
    presser = threading.Thread(target=lambda: (wire_server.wait_for_requests(1), press_ctrl_c()))
    presser.start()
    with pytest.raises(Interrupted, match="as soon as the reply comes"):
        mine.seedance(PROMPT)
    presser.join()
    (job,) = mine.jobs()
    assert job.status is JobStatus.SUBMITTING  # no doubt yet: it is being heard
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    gate.opened.set()
    assert job.wait().path.read_bytes() == film
    assert job.task_id == TASK
    assert ledger_rows()[0]["status"] == "ok"
    assert len(posts(wire_server)) == 1


@pytest.mark.parametrize("busy", [429, 503])
def test_after_an_interrupt_nothing_is_sent_and_a_refusal_is_no_doubt(
    wire_server: WireServer, client: MakeClient, busy: int
) -> None:
    mine = client(policy=RetryPolicy(base_s=30))
    wire_server.script(Reply.json({"error": {"message": "busy"}}, status=busy), created())
    presser = threading.Thread(
        target=lambda: (wire_server.wait_for_requests(1)[0].answered.wait(5), press_ctrl_c())
    )
    presser.start()
    with pytest.raises(Interrupted):
        mine.seedance(PROMPT)
    presser.join()
    (job,) = mine.jobs()
    while job.status is JobStatus.SUBMITTING:  # the interrupt came before the refusal was read
        io_loop().run(asyncio.sleep(0))
    assert len(posts(wire_server)) == 1
    assert client().job(job.id).status is JobStatus.FAILED
    assert ledger_rows()[0]["status"] == "interrupted"


def test_an_interrupt_while_an_asset_is_waited_for_is_no_doubt(
    wire_server: WireServer, client: MakeClient
) -> None:
    late = refused("The specified asset asset-1 is not found", code="NotFound.asset_id")
    wire_server.script(late, created())
    mine = client()

    async def pause(seconds: float) -> None:
        press_ctrl_c()
        await asyncio.Event().wait()

    mine.pace = Time().pace(sleep=pause)
    with pytest.raises(Interrupted):
        mine.seedance(PROMPT, first_frame="asset://asset-1")
    assert list(jobs()["status"]) == ["failed"]
    assert len(posts(wire_server)) == 1


async def test_a_cancelled_create_leaves_a_doubt(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "_LAST_WORDS_S", 0.01)
    wire_server.script(Reply(body=(HANG,)))
    async with async_client() as client:
        asking = asyncio.ensure_future(client.seedance(PROMPT))
        await asyncio.to_thread(wire_server.wait_for_requests, 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.to_thread(wire_server.requests[0].gone.wait, 5)
    assert ledger_rows()[0]["status"] == "submit_unknown"
    assert list(jobs()["status"]) == ["submit_unknown"]


# --- what goes out ------------------------------------------------------------------------------------


def test_an_earlier_job_is_a_medium(wire_server: WireServer, client: MakeClient, film: bytes) -> None:
    mine = client()
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    first = mine.seedance(PROMPT)
    wire_server.script(created(), created(), created())
    mine.kling("It sleeps", image=first)  # asks for what it needs
    mine.kling("It sleeps", image=first.last_frame, image_tail=first.last_frame.path)
    sent = [request.json() for request in posts(wire_server)[1:]]
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", sent[0]["image"])  # bare, without data:
    assert sent[0]["image"] == sent[1]["image"] == sent[1]["image_tail"]


def test_kling_s_pictures_are_not_kept(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created("860"))
    job = client().kling(PROMPT, image=png())
    kept = job.request["image"]
    assert set(kept) == {"sha256", "bytes", "media_type"}
    assert kept["media_type"] == "image/png"
