from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import ProtocolError
from anyfast_nb.wire.problems import is_problem
from anyfast_nb.wire.tasks import WORDS, Task, TaskStatus, is_task, read_created, read_task

QUEUED, RUNNING, SUCCEEDED = TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.SUCCEEDED
FAILED, UNKNOWN = TaskStatus.FAILED, TaskStatus.UNKNOWN
VIDEO = "https://store.example/v/result.mp4?X-Tos-Signature=abc"
OTHER = "https://store.example/other.mp4"
ARK = {
    "id": "cgt-20260427191505-9j2q7",
    "model": "doubao-seedance-2-0-260128",
    "status": "succeeded",
    "content": {"video_url": VIDEO},
    "created_at": 1777288506,
    "updated_at": 1777288796,
    "duration": 5,
    "framespersecond": 24,
    "generate_audio": True,
    "ratio": "16:9",
    "resolution": "720p",
    "seed": 4304,
    "usage": {"completion_tokens": 108900, "total_tokens": 108900},
}
MODERATED = {"error": {"code": "Output.Sensitive", "message": "It did not pass review."}}


def wrapped(**data: Any) -> dict[str, Any]:
    return {"code": "success", "message": "", "data": {"task_id": "asyntask_1", **data}}


def kling(status: str, *, outer: str = "", native: bool = False, url: str = VIDEO, why: str = "") -> Any:
    task = {
        "task_id": "860260753860210752",
        "task_status": status,
        "task_status_msg": why,
        "created_at": 1773130665000,
        "updated_at": 1773130790000,
        "task_result": {"videos": [{"id": "8602", "url": url, "duration": "5.041"}]},
    }
    envelope = {"code": 0, "message": "SUCCEED", "request_id": "7e91db5f", "data": task}
    if native:
        return envelope
    return {
        "code": "success",
        "message": "",
        "data": {
            "task_id": "860260753860210752",
            "action": "/kling/v1/videos/image2video_POST",
            "status": outer,
            "fail_reason": "",
            "submit_time": 1773130665,
            "data": envelope,
        },
    }


# --- status -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status"), [(word, status) for status, words in WORDS.items() for word in words]
)
def test_every_word_in_circulation_is_known_however_it_is_spelled(said: str, status: TaskStatus) -> None:
    for spelling in (said, said.lower(), f"  {said} ", said.replace("_", "-"), said.replace("_", " ")):
        task = read_task(wrapped(status=spelling))
        assert (task.status, task.raw_status) == (status, spelling.strip())


def test_what_ends() -> None:
    assert [status.value for status in TaskStatus if status.ends] == [
        "succeeded",
        "failed",
        "cancelled",
        "expired",
    ]


@pytest.mark.parametrize(
    ("outer", "inner", "status", "raw"),
    [
        ("IN_PROGRESS", "succeeded", RUNNING, "IN_PROGRESS"),  # the outer one counts
        ("SUCCESS", "failed", SUCCEEDED, "SUCCESS"),
        ("", "running", RUNNING, "running"),
        (None, "failed", FAILED, "failed"),
        ("UNKNOWN", "succeeded", SUCCEEDED, "succeeded"),
        ("Rendering…", "queued", QUEUED, "queued"),
        ("Rendering…", "", UNKNOWN, "Rendering…"),
        ("", "thinking", UNKNOWN, "thinking"),
        ("", "", QUEUED, ""),
        (7, None, QUEUED, ""),
    ],
)
def test_the_outer_status_counts_unless_it_says_nothing(
    outer: Any, inner: Any, status: TaskStatus, raw: str
) -> None:
    task = read_task(wrapped(status=outer, data={"id": "cgt-1", "status": inner}))
    assert (task.status, task.raw_status) == (status, raw)


@pytest.mark.parametrize("data", [None, "", {}, [], 3])
def test_no_inner_task_yet(data: Any) -> None:
    task = read_task(wrapped(status="NOT_START", progress="0%", start_time=0, finish_time=0, data=data))
    assert (task.id, task.status, task.progress) == ("asyntask_1", QUEUED, 0)
    assert (task.started_at, task.finished_at) == (None, None)


def test_a_result_without_any_status_is_a_success_but_progress_is_none() -> None:
    assert read_task({"id": "x", "video_url": VIDEO}).status is SUCCEEDED
    assert read_task({"id": "x", "video_url": VIDEO}).url == VIDEO
    assert read_task(wrapped(result_url=VIDEO, data={"status": ""})).status is SUCCEEDED
    assert read_task(wrapped(progress="100%")).status is QUEUED
    assert read_task({"id": "x", "progress": 100, "status": ""}).status is QUEUED


def test_a_result_beside_an_unknown_or_unfinished_word_is_not_given() -> None:
    for word in ("Polishing", "IN_PROGRESS", "QUEUED"):
        task = read_task(wrapped(status=word, result_url=VIDEO, original_result_url=OTHER))
        assert (task.url, task.original_url) == ("", "")


def test_a_body_without_anything_of_a_task_is_not_taken_for_a_waiting_one() -> None:
    for body in ({}, {"foo": 1}, {"code": "success", "message": "", "data": {}}, {"object": "list"}):
        assert read_task(body).status is UNKNOWN


# --- the shapes of create replies -----------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "id", "status", "model"),
    [
        (
            {
                "id": "asyntask_h8",
                "task_id": "asyntask_h8",
                "object": "video",
                "model": "seedance",
                "status": "",
                "progress": 0,
                "created_at": 1777288506,
            },
            "asyntask_h8",
            QUEUED,
            "seedance",
        ),
        (
            {
                "id": "gen-abc123",
                "model": "doubao-seedance-1-5-pro-251215",
                "status": "processing",
                "created_at": 1777288506,
            },
            "gen-abc123",
            RUNNING,
            "doubao-seedance-1-5-pro-251215",
        ),
        (
            {"id": "doubao_task_123456", "status": "submitted", "created_at": "2026-04-27T11:15:06Z"},
            "doubao_task_123456",
            QUEUED,
            "",
        ),
        (
            {"id": "cgt-20260312231129-7db6s", "created_at": 1777288506},
            "cgt-20260312231129-7db6s",
            QUEUED,
            "",
        ),
        ({"task_id": 860260753860210752, "created_at": 1777288506}, "860260753860210752", QUEUED, ""),
        (
            {
                "code": 0,
                "message": "SUCCEED",
                "request_id": "c0656403",
                "data": {
                    "task_id": "867283741759111202",
                    "task_status": "submitted",
                    "created_at": 1777288506000,
                    "updated_at": 1777288506000,
                },
            },
            "867283741759111202",
            QUEUED,
            "",
        ),
    ],
)
def test_create_replies(body: Any, id: str, status: TaskStatus, model: str) -> None:
    task = read_created(body)
    assert (task.id, task.status, task.model) == (id, status, model)
    assert task.submitted_at == datetime(2026, 4, 27, 11, 15, 6, tzinfo=UTC)
    assert not is_problem(body)


def test_an_older_gateway_gives_the_id_alone() -> None:
    assert read_created({"code": "success", "message": "", "data": "task_9"}).id == "task_9"
    assert read_created({"code": "fail", "message": "no", "data": "task_9"}).id == ""
    assert read_created({"code": "success", "data": "not an id"}).id == ""


def test_a_link_in_a_create_reply_is_no_result() -> None:
    created = read_created({"id": "x", "status": "", "url": "https://api.example/v1/videos/x"})
    assert (created.status, created.url) == (QUEUED, "")


def test_no_id_is_no_error_here() -> None:
    assert read_created({}).id == ""


# --- the shapes of poll replies -------------------------------------------------------------


def test_the_deployed_shape() -> None:
    body = wrapped(
        action="referenceGenerate",
        status="SUCCESS",
        result_url=VIDEO,
        fail_reason="",
        submit_time=1777288506,
        start_time=1777288508,
        finish_time=1777288800,
        progress="100%",
        request_id="20260427",
        data=ARK | {"content": {"video_url": OTHER, "last_frame_url": "https://store.example/last.png"}},
    )
    task = read_task(body)
    assert task == Task(
        id="asyntask_1",
        status=SUCCEEDED,
        raw_status="SUCCESS",
        progress=100,
        url=VIDEO,
        last_frame_url="https://store.example/last.png",
        model="doubao-seedance-2-0-260128",
        action="referenceGenerate",
        request_id="20260427",
        duration_s=5.0,
        fps=24.0,
        ratio="16:9",
        resolution="720p",
        seed=4304,
        audio=True,
        tokens=108900,
        submitted_at=datetime(2026, 4, 27, 11, 15, 6, tzinfo=UTC),
        started_at=datetime(2026, 4, 27, 11, 15, 8, tzinfo=UTC),
        finished_at=datetime(2026, 4, 27, 11, 20, tzinfo=UTC),
    )
    assert task.raw is body
    assert not is_problem(body)
    assert "store.example" not in repr(task)


def test_ultra_keeps_both_results_and_the_larger_resolution() -> None:
    task = read_task(
        wrapped(
            status="SUCCESS",
            result_url=VIDEO,
            original_result_url=OTHER,
            data=ARK | {"super_resolution": "1080p", "generate_audio": False},
        )
    )
    assert (task.url, task.original_url, task.resolution) == (VIDEO, OTHER, "1080p")
    assert task.audio is False


@pytest.mark.parametrize(
    "body",
    [
        ARK,
        {
            "id": "gen-abc123",
            "status": "completed",
            "video_url": VIDEO,
            "created_at": 1777288506,
            "error": None,
        },
        {
            "id": "v1",
            "object": "video",
            "status": "completed",
            "progress": 100,
            "seconds": "5",
            "created_at": 1777288506,
            "completed_at": 1777288800,
            "error": None,
            "metadata": {"url": VIDEO},
        },
        wrapped(
            status="SUCCESS",
            submit_time=1777288506,
            fail_reason=VIDEO,
            data={"output": {"task_status": "SUCCEEDED", "video_url": VIDEO}},
        ),
        {"code": "success", "message": "", "data": ARK},
        wrapped(
            status="",
            created_at=1777288506,
            data={"output": {"task_status": "SUCCEEDED", "video_url": VIDEO}},
        ),
        wrapped(status="SUCCESS", submit_time=1777288506, fail_reason=VIDEO, data=None),
        {
            "task_id": "t",
            "status": "SUCCESS",
            "result_url": VIDEO,
            "submit_time": 1777288506,
            "data": {"id": "cgt"},
        },
        {"id": "u", "status": "DONE", "url": VIDEO, "created_at": "2026-04-27T13:15:06+02:00"},
    ],
)
def test_every_shape_gives_the_result(body: Any) -> None:
    task = read_task(body)
    assert (task.status, task.url) == (SUCCEEDED, VIDEO)
    assert task.id == next(
        layer[k] for layer in (body, body.get("data")) for k in ("task_id", "id") if k in layer
    )
    assert task.submitted_at == datetime(2026, 4, 27, 11, 15, 6, tzinfo=UTC)
    assert not is_problem(body)


@pytest.mark.parametrize("native", [True, False])
def test_kling_in_one_or_three_wrappers(native: bool) -> None:
    task = read_task(kling("succeed", native=native))
    assert (task.id, task.status, task.raw_status) == ("860260753860210752", SUCCEEDED, "succeed")
    assert (task.url, task.duration_s, task.request_id) == (VIDEO, 5.041, "7e91db5f")
    assert task.submitted_at == datetime(2026, 3, 10, 8, 17, 45, tzinfo=UTC)
    assert task.finished_at == datetime(2026, 3, 10, 8, 19, 50, tzinfo=UTC)


def test_kling_in_two_wrappers() -> None:
    inner = kling("succeed", native=True)["data"]
    task = read_task(wrapped(status="SUCCESS", data=inner))
    assert (task.id, task.url) == ("asyntask_1", VIDEO)


def test_kling_that_failed_says_why() -> None:
    task = read_task(kling("failed", outer="FAILED", why="Failure to pass the risk control system"))
    assert (task.status, task.error_message) == (FAILED, "Failure to pass the risk control system")
    assert (task.error_code, task.url) == ("", "")


def test_a_reference_is_never_taken_for_the_result() -> None:
    task = read_task(
        wrapped(
            status="SUCCESS",
            properties={"input": {"url": OTHER}},
            data={
                "status": "succeeded",
                "content": [{"type": "image_url", "image_url": {"url": OTHER}, "url": OTHER}],
                "image_url": {"url": OTHER},
                "url": OTHER,
                "images": [{"url": OTHER}],
            },
        )
    )
    assert (task.status, task.url) == (SUCCEEDED, "")


@pytest.mark.parametrize("link", ["", "no link", "ftp://h/x", "data:video/mp4;base64,AA", 5, None, [VIDEO]])
def test_what_is_no_link_is_passed_over(link: Any) -> None:
    assert read_task(wrapped(status="SUCCESS", result_url=link, data=ARK)).url == VIDEO


# --- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            wrapped(
                status="FAILURE",
                progress="100%",
                fail_reason=json.dumps(MODERATED),
                data={"status": "failed"},
            ),
            "Output.Sensitive",
            "It did not pass review.",
        ),
        (wrapped(status="FAILURE", fail_reason=MODERATED), "Output.Sensitive", "It did not pass review."),
        (
            wrapped(status="FAILURE", fail_reason=json.dumps({"message": json.dumps(MODERATED)})),
            "Output.Sensitive",
            "It did not pass review.",
        ),
        (wrapped(status="FAILURE", fail_reason="no capacity"), "", "no capacity"),
        (
            wrapped(status="FAILURE", fail_reason="no capacity", data=MODERATED),
            "Output.Sensitive",
            "no capacity",
        ),
        (
            wrapped(status="FAILURE", fail_reason="", data=ARK | MODERATED),
            "Output.Sensitive",
            "It did not pass review.",
        ),
        (wrapped(status="FAILURE", fail_reason=VIDEO), "", ""),
        (
            wrapped(
                status="FAILURE",
                fail_reason=None,
                data={"output": {"code": "DataInspectionFailed", "message": "no"}},
            ),
            "DataInspectionFailed",
            "no",
        ),
        ({"id": "g", "status": "failed", "error": "out of memory"}, "", "out of memory"),
        ({"id": "g", "status": "failed", "error": {"code": "E1", "message": "bad"}}, "E1", "bad"),
        ({"id": "g", "status": "failed", "message": "broken"}, "", "broken"),
        (
            {"id": "g", "status": "cancelled", "error": {"code": "Cancelled", "message": "by you"}},
            "Cancelled",
            "by you",
        ),
        ({"id": "g", "status": "failed"}, "", ""),
        (
            {
                "code": 0,
                "message": "SUCCEED",
                "data": {"task_id": "1", "task_status": "failed", "task_status_msg": "x"},
            },
            "",
            "x",
        ),
    ],
)
def test_why_it_failed(body: Any, code: str, message: str) -> None:
    task = read_task(body)
    assert task.status.ends
    assert task.status is not SUCCEEDED
    assert (task.error_code, task.error_message, task.url) == (code, message, "")


def test_a_reason_too_long_to_parse_is_cut() -> None:
    long = json.dumps({"error": {"message": "x" * 20_000}})
    task = read_task(wrapped(status="FAILURE", fail_reason=long))
    assert task.error_message == long[:400]


def test_a_reason_nested_too_deep_does_no_harm() -> None:
    reason = "deep"
    for _ in range(9):
        reason = json.dumps({"message": reason})
    assert read_task(wrapped(status="FAILURE", fail_reason=reason)).status is FAILED


def test_a_success_has_no_error_and_a_reason_that_is_a_link_is_the_result() -> None:
    task = read_task(wrapped(status="SUCCESS", fail_reason=VIDEO))
    assert (task.url, task.error_message) == (VIDEO, "")
    task = read_task(wrapped(status="SUCCESS", fail_reason="see https://h/x", result_url=OTHER))
    assert (task.url, task.error_message) == (OTHER, "")


def test_errors_and_failed_tasks_are_told_apart() -> None:
    assert is_problem({"code": "task_not_exist", "message": "task_not_exist", "data": None})
    assert not is_task({"code": "task_not_exist", "message": "task_not_exist", "data": None})
    flat = {"id": "g", "status": "failed", "error": {"code": "E1", "message": "bad"}}
    assert is_problem(flat)  # it has an error, as errors do
    assert is_task(flat)
    assert not any(is_task(body) for body in (None, [], {}, {"error": {"message": "no"}}, {"id": "x"}))
    assert not is_task({"id": "req-1", "status": "weird", "error": {"message": "no"}})
    assert not is_problem(wrapped(status="FAILURE", fail_reason=json.dumps(MODERATED)))


# --- odd values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (50, 50),
        ("50%", 50),
        (" 50 % ", 50),
        ("50", 50),
        (33.9, 33),
        ("100%", 100),
        (250, 100),
        ("7.5%", 7),
        (-1, None),
        ("half", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("%", None),
    ],
)
def test_progress(said: Any, read: int | None) -> None:
    assert read_task(wrapped(status="IN_PROGRESS", progress=said)).progress == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (1777288506, "2026-04-27T11:15:06+00:00"),
        (1777288506000, "2026-04-27T11:15:06+00:00"),
        (1777288506.5, "2026-04-27T11:15:06.500000+00:00"),
        ("1777288506", "2026-04-27T11:15:06+00:00"),
        ("2026-04-27T11:15:06Z", "2026-04-27T11:15:06+00:00"),
        ("2026-04-27T19:15:06+08:00", "2026-04-27T11:15:06+00:00"),
        ("2026-04-27T11:15:06", "2026-04-27T11:15:06+00:00"),
        ("0001-01-01T00:00:00+08:00", None),
        (0, None),
        (-5, None),
        ("soon", None),
        (10**30, None),
        (10**400, None),
        (float("inf"), None),
        (True, None),
    ],
)
def test_times(said: Any, read: str | None) -> None:
    found = read_task(wrapped(status="SUCCESS", submit_time=said)).submitted_at
    assert (found and found.isoformat()) == read


def test_ids_lose_nothing() -> None:
    assert read_task({"id": 2**63 + 1, "status": "queued"}).id == "9223372036854775809"
    assert read_task({"id": " gen-1 ", "status": "queued"}).id == "gen-1"
    assert read_task({"id": True, "status": "queued"}).id == ""
    assert read_task({"id": 10**5000, "status": "queued"}).id == ""


def test_the_gateways_own_row_number_is_not_the_id() -> None:
    assert read_task(wrapped(id=4711, status="SUCCESS", data=ARK)).id == "asyntask_1"


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_what_is_no_object_is_no_reply(body: Any) -> None:
    for read in (read_task, read_created):
        with pytest.raises(ProtocolError, match="not a JSON object"):
            read(body)


# --- properties -----------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "code",
        "message",
        "data",
        "id",
        "task_id",
        "status",
        "task_status",
        "result_url",
        "content",
        "video_url",
        "output",
        "task_result",
        "videos",
        "url",
        "fail_reason",
        "error",
        "metadata",
        "progress",
        "created_at",
        "submit_time",
        "finish_time",
        "seed",
        "usage",
        "completion_tokens",
        "duration",
        "x",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["SUCCESS", "failed", "50%", VIDEO, '{"error": {"message": "x"}}', "{", "", "success"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=40,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=8)


@given(BODIES)
def test_no_body_breaks_the_readers(body: dict[str, Any]) -> None:
    for task in (read_task(body), read_created(body)):
        assert task.progress is None or 0 <= task.progress <= 100
        assert task.status is SUCCEEDED or not task.url
        assert not task.url or task.url.startswith("http")
        assert task.submitted_at is None or task.submitted_at.tzinfo is UTC
        assert bool(task.raw_status) or task.status in {QUEUED, UNKNOWN, SUCCEEDED}
    is_task(body)


WORD = st.sampled_from([word for words in WORDS.values() for word in words]).map(str.lower)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,40}", fullmatch=True)
SECONDS = st.integers(1_000_000_000, 4_000_000_000)


@st.composite
def replies(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reply in one of the shapes, and what was put in."""
    said, task_id, at = draw(WORD), draw(IDS), draw(SECONDS)
    status = next(status for status, words in WORDS.items() if said.upper() in words)
    url = f"https://store.example/{draw(st.integers(0, 10**6))}.mp4?sig=a%2Fb"
    code, why = (
        draw(st.sampled_from(["E1", "Output.X"])),
        draw(st.from_regex(r"[a-z]{1,10} [a-z]{1,10}", fullmatch=True)),
    )
    percent, tokens = draw(st.integers(0, 100)), draw(st.integers(0, 10**7))
    error = {"error": {"code": code, "message": why}} if status.ends and status is not SUCCEEDED else {}
    done = status is SUCCEEDED
    ark = {"id": "cgt-1", "status": said, "usage": {"total_tokens": tokens}, **error}
    ark |= {"content": {"video_url": url}} if done else {}
    tasks: dict[str, dict[str, Any]] = {
        "wrapped": {
            "code": "success",
            "message": "",
            "data": {
                "task_id": task_id,
                "status": said,
                "submit_time": at,
                "progress": f"{percent}%",
                "fail_reason": json.dumps(error) if error else "",
                "data": ark,
                **({"result_url": url} if done else {}),
            },
        },
        "inner status": {
            "code": "success",
            "data": {"task_id": task_id, "status": "", "submit_time": at, "progress": percent, "data": ark},
        },
        "flat": {
            "id": task_id,
            "status": said,
            "created_at": at,
            "progress": percent,
            "usage": {"total_tokens": tokens},
            **error,
            **({"video_url": url} if done else {}),
        },
        "ark": ark | {"id": task_id, "created_at": at, "progress": percent},
        "openai": {
            "id": task_id,
            "object": "video",
            "status": said,
            "progress": percent,
            "created_at": at,
            "usage": {"completion_tokens": tokens},
            "error": error.get("error"),
            "metadata": {"url": url if done else ""},
        },
        "alibaba": {
            "code": "success",
            "data": {
                "task_id": task_id,
                "status": "unknown",
                "submit_time": at,
                "progress": percent,
                "fail_reason": json.dumps(error),
                "data": {
                    "usage": {"total_tokens": tokens},
                    "output": {"task_status": said, "video_url": url},
                },
            },
        },
    }
    shape = draw(st.sampled_from(sorted(tasks)))
    return tasks[shape], {
        "id": task_id,
        "status": status,
        "raw_status": said,
        "progress": percent,
        "tokens": tokens,
        "submitted_at": datetime.fromtimestamp(at, UTC),
        "url": url if done else "",
        "error_code": code if error else "",
        "error_message": why if error else "",
    }


@given(replies())
def test_the_reading_is_what_was_put_in_whatever_the_shape(
    reply: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    body, facts = reply
    task = read_task(body)
    assert {name: getattr(task, name) for name in facts} == facts
    assert is_task(body)


@given(
    said=WORD,
    outer=st.sampled_from(["", "WORD"]),
    depth=st.integers(1, 3),
    at=SECONDS,
    id=st.integers(1, 2**70),
)
def test_kling_reads_the_same_at_every_depth(said: str, outer: str, depth: int, at: int, id: int) -> None:
    status = next(status for status, words in WORDS.items() if said.upper() in words)
    task: dict[str, Any] = {
        "task_id": str(id),
        "task_status": said,
        "task_status_msg": "why",
        "created_at": at * 1000,
        "task_result": {"videos": [{"id": "1", "url": VIDEO, "duration": "10"}]},
    }
    body: dict[str, Any] = {"code": 0, "message": "SUCCEED", "request_id": "r", "data": task}
    if depth == 2:
        body = {"code": "success", "data": {"task_id": str(id), "status": outer and said, "data": task}}
    if depth == 3:
        body = {"code": "success", "data": {"task_id": str(id), "status": outer and said, "data": body}}
    read = read_task(body)
    assert (read.id, read.status, read.duration_s) == (str(id), status, 10.0)
    assert read.submitted_at == datetime.fromtimestamp(at, UTC)
    assert read.url == (VIDEO if status is SUCCEEDED else "")
    assert read.error_message == ("why" if status.ends and status is not SUCCEEDED else "")
