from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb import errors as e
from anyfast_nb.errors import Billed
from anyfast_nb.wire.problems import Problem, is_problem, read_problem, to_error

ARK = {"error": {"code": "InvalidParameter.Duration", "message": "duration is too long", "param": "duration"}}

# name -> (body, HTTP status, class, code, request id, words of the message)
SHAPES: dict[str, tuple[Any, int, type[e.StatusError], str, str, str]] = {
    "E1 documented": (
        {
            "error": {
                "message": "Invalid API key provided.",
                "type": "authentication_error",
                "code": "invalid_api_key",
            }
        },
        401,
        e.AuthenticationError,
        "invalid_api_key",
        "",
        "Invalid API key provided",
    ),
    "E2 no type, no code": (
        {"error": {"message": "No token provided"}},
        401,
        e.AuthenticationError,
        "",
        "",
        "No token provided",
    ),
    "E3 the gateway's own, id in the message": (
        {
            "error": {
                "message": "当前分组上游负载已饱和 (request id: 20261121abc)",
                "type": "new_api_error",
                "code": "",
            }
        },
        429,
        e.RateLimitError,
        "",
        "20261121abc",
        "当前分组上游负载已饱和",
    ),
    "E4 JSON in a string": (
        {"code": "fail_to_fetch_task", "message": json.dumps(ARK), "data": None},
        400,
        e.BadRequestError,
        "InvalidParameter.Duration",
        "",
        "duration is too long",
    ),
    "E5 a task's plain words": (
        {"code": "task_not_exist", "message": "task not exist", "data": None},
        400,
        e.BadRequestError,
        "task_not_exist",
        "",
        "task not exist",
    ),
    "E6 a plain string": (
        {"error": "asset service is down"},
        502,
        e.ServerError,
        "",
        "",
        "asset service is down",
    ),
    "E7 Volcengine's envelope inside a 200": (
        {
            "ResponseMetadata": {
                "RequestId": "2026req",
                "Error": {"Code": "InvalidParameter", "Message": "bad group"},
            }
        },
        200,
        e.BadRequestError,
        "InvalidParameter",
        "2026req",
        "bad group",
    ),
    "E8 an error inside a 200": (
        {"error": {"message": "it broke", "code": "internal"}},
        200,
        e.ServerError,
        "internal",
        "",
        "it broke",
    ),
    "E9 a code in brackets": (
        {"error": {"message": "upstream_error: [NotFound.group_id] The asset_group group-x is not found."}},
        404,
        e.NotFoundError,
        "NotFound.group_id",
        "",
        "asset_group group-x is not found",
    ),
    "E10 Kling's number": (
        {"code": 1201, "message": "duration value '7' is invalid", "request_id": "kl-1"},
        400,
        e.BadRequestError,
        "1201",
        "kl-1",
        "duration value '7' is invalid",
    ),
    "E11 a task that failed": (
        {
            "code": "success",
            "message": "",
            "data": {
                "status": "FAILURE",
                "fail_reason": json.dumps(
                    {
                        "error": {
                            "code": "OutputVideoSensitiveContentDetected",
                            "message": "it may hold sensitive content",
                        }
                    }
                ),
            },
        },
        200,
        e.ModerationError,
        "OutputVideoSensitiveContentDetected",
        "",
        "it may hold sensitive content",
    ),
    "E12 a web page": (
        "<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head></html>",
        502,
        e.ServerError,
        "",
        "",
        "a web page (502 Bad Gateway)",
    ),
    "E12 nothing": ("", 500, e.ServerError, "", "", "no words"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_becomes_one_error(name: str) -> None:
    body, status, kind, code, request_id, words = SHAPES[name]
    text = body if isinstance(body, str) else json.dumps(body)
    error = to_error(read_problem(text), status=status)
    assert type(error) is kind
    assert (error.code, error.request_id, error.status) == (code, request_id, status)
    assert words in error.message
    assert error.message.startswith(f"{status} ")
    assert request_id in error.hint
    assert error.sent
    assert len(error.lines()) <= 3


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": {"message": "x", "code": "model_not_found"}}, 404, e.ModelNotFoundError),
        ({"error": {"message": "no available channel for model x under group y"}}, 503, e.ModelNotFoundError),
        ({"error": {"message": "用户额度不足", "code": "insufficient_user_quota"}}, 403, e.QuotaError),
        ({"error": {"message": "该令牌额度已用尽 !token.RemainQuota = 0"}}, 401, e.QuotaError),
        ({"error": {"message": "x", "code": "insufficient_quota"}}, 429, e.QuotaError),
        ({"code": 1102, "message": "resource pack exhausted"}, 429, e.QuotaError),
        ({"code": 1301, "message": "not suitable"}, 400, e.ModerationError),
        (
            {"code": "task_failed", "message": "not suitable (code 1301)", "data": None},
            400,
            e.ModerationError,
        ),
        ({"code": "task_failed", "message": "arrears (code 1101)", "data": None}, 400, e.QuotaError),
        ({"code": "task_failed", "message": "not base64 (code 1201)", "data": None}, 400, e.BadRequestError),
        (
            {"code": "x", "message": "", "data": {"fail_reason": "Failure to pass the risk control system"}},
            200,
            e.ModerationError,
        ),
        (
            {"error": {"message": "x", "code": "InputImageSensitiveContentDetected.PrivacyInformation"}},
            400,
            e.ModerationError,
        ),
        ({"error": {"message": "the moderation service is overloaded"}}, 500, e.ServerError),
        ({"error": {"message": "too many calls of the moderation endpoint"}}, 429, e.RateLimitError),
        ({"error": {"message": "x"}}, 403, e.PermissionDeniedError),
        ({"error": {"message": "x"}}, 404, e.NotFoundError),
        ({"error": {"message": "x"}}, 405, e.BadRequestError),
        ({"error": {"message": "x"}}, 413, e.BadRequestError),
        ({"error": {"message": "x"}}, 422, e.BadRequestError),
        ({"error": {"message": "x"}}, 408, e.ServerError),
        ({"error": {"message": "x"}}, 504, e.ServerError),
        ({"error": {"message": "x"}}, 599, e.ServerError),
        ({"error": {"message": "x", "type": "rate_limit_error"}}, 0, e.RateLimitError),
        ({"error": {"message": "x", "code": "invalid_api_key"}}, 200, e.AuthenticationError),
        ({"error": {"message": "x"}}, 0, e.ServerError),
    ],
)
def test_the_words_decide_where_the_status_does_not(
    body: Any, status: int, kind: type[e.StatusError]
) -> None:
    assert type(to_error(read_problem(json.dumps(body)), status=status)) is kind


def test_an_object_that_is_not_there_is_no_matter_of_the_base_url() -> None:
    words = "upstream_error: [NotFound.group_id] The specified asset_group group-x is not found."
    missing = to_error(read_problem(json.dumps({"error": {"message": words}})), status=404)
    assert "sees its own alone" in missing.hint
    assert "doctor" not in missing.hint
    nowhere = to_error(read_problem('{"error": {"message": "Invalid URL (POST /v2)"}}'), status=404)
    assert "doctor" in nowhere.hint


@pytest.mark.parametrize(
    ("status", "bills", "billed", "retryable"),
    [
        (400, True, Billed.NO, False),
        (429, True, Billed.NO, True),
        (503, True, Billed.NO, False),
        (500, True, Billed.MAYBE, False),
        (408, True, Billed.MAYBE, False),
        (500, False, Billed.NO, False),
        (0, True, Billed.MAYBE, False),
    ],
)
def test_every_error_says_whether_it_may_be_billed(
    status: int, bills: bool, billed: Billed, retryable: bool
) -> None:
    error = to_error(Problem(message="rate_limit" if status == 429 else "x"), status=status, bills=bills)
    assert (error.billed, error.retryable) == (billed, retryable)
    assert error.hint.startswith("Not billed." if billed is Billed.NO else "Sent, and may be billed")


def test_an_error_that_comes_in_the_middle_of_an_answer_may_be_billed_whatever_it_is() -> None:
    error = to_error(Problem(message="slow down", type="rate_limit_error"), status=0)
    assert (type(error), error.billed, error.retryable) == (e.RateLimitError, Billed.MAYBE, False)
    assert error.message.startswith("in the answer: ")
    assert error.status == 200


def test_a_long_message_is_read_whole_and_shown_in_part() -> None:
    body = json.dumps({"error": {"message": "m" * 30_000, "code": "deep"}})
    error = to_error(read_problem(body), status=400)
    assert error.code == "deep"
    assert len(error.message) < 500


def test_what_is_no_error_body_is_quoted_in_part() -> None:
    words = "upstream connect error " * 100
    assert read_problem(words).message == words[:400].strip()
    assert read_problem('{"error": ').message == '{"error":'


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"error": {"message": "x"}}, True),
        ({"error": "x"}, True),
        ({"ResponseMetadata": {"Error": {"Code": "x"}}}, True),
        ({"code": "fail_to_fetch_task", "message": "x", "data": None}, True),
        ({"code": 1201, "message": "x"}, True),
        ({"success": False, "message": "x"}, True),
        ({"error": None, "choices": []}, False),
        ({"code": "success", "message": "", "data": {"status": "FAILURE"}}, False),
        ({"code": 0, "message": "SUCCEED", "data": {}}, False),
        ({"code": {"odd": 1}, "choices": [{}]}, False),
        ({"ResponseMetadata": {"RequestId": "x"}}, False),
        ({"choices": [{}], "message": "x", "code": "y"}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_an_error_is_known_from_an_answer(body: Any, verdict: bool) -> None:
    assert is_problem(body) is verdict


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "data",
                    "fail_reason",
                    "type",
                    "param",
                    "Error",
                    "Message",
                    "ResponseMetadata",
                    "request_id",
                    "success",
                    "choices",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values, st.sampled_from([0, 200, 302, 400, 401, 403, 404, 408, 418, 429, 451, 500, 503, 599]))
def test_no_body_breaks_the_reader(value: Any, status: int) -> None:
    is_problem(value)
    for body in (json.dumps(value), json.dumps({"error": json.dumps(value)})):
        error = to_error(read_problem(body), status=status)
        assert isinstance(error, e.StatusError)
        assert all(isinstance(x, str) for x in (error.code, error.type, error.param, error.request_id))


def test_a_body_that_is_nested_without_end_is_survived() -> None:
    read_problem('{"error":' * 7_000)
    deep: Any = "x"
    for _ in range(50):
        deep = json.dumps({"error": deep})[:16_000]
    assert read_problem(deep).message
