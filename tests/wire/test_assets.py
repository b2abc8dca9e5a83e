from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import (
    InputError,
    ModelNotFoundError,
    ModerationError,
    NotFoundError,
    ProtocolError,
    QuotaError,
    StatusError,
)
from anyfast_nb.wire import assets
from anyfast_nb.wire.assets import AssetStatus, AssetType
from anyfast_nb.wire.lag import is_group_lag, is_missing, is_propagation, wants_group_type
from anyfast_nb.wire.problems import is_problem, read_problem, to_error

URL = "https://store.example/a.png?X-Sig=s3cr3t"


# --- bodies -----------------------------------------------------------------------------------


def test_bodies_are_as_documented() -> None:
    assert assets.build_create_group("hero") == {"model": "volc-asset", "Name": "hero"}
    assert assets.build_create_group("hero", about="a cat", group_type="AIGC") == {
        "model": "volc-asset", "Name": "hero", "Description": "a cat", "GroupType": "AIGC",
    }  # fmt: skip
    made = assets.build_create_asset(group_id="group-1", name="n", asset_type="Image", url=URL)
    assert made == {
        "model": "volc-asset", "GroupId": "group-1", "Name": "n", "AssetType": "Image", "URL": URL,
    }  # fmt: skip
    assert assets.build_one("asset-1") == {"Id": "asset-1"}
    assert assets.build_update("group-1", name="new") == {
        "model": "volc-asset",
        "Id": "group-1",
        "Name": "new",
    }
    assert assets.build_update_asset("a", name="n", group_id="g") == {
        "model": "volc-asset", "Id": "a", "Name": "n", "GroupId": "g",
    }  # fmt: skip
    assert assets.build_visual_session("https://me.example/back") == {
        "CallbackURL": "https://me.example/back"
    }
    assert assets.build_visual_result("token") == {"BytedToken": "token"}


@pytest.mark.parametrize(
    ("asset_type", "model"),
    [("Image", "volc-asset"), ("video", "volc-asset-video"), (AssetType.AUDIO, "volc-asset-audio")],
)
def test_the_type_is_always_sent_with_the_model_that_is_billed(asset_type: str, model: str) -> None:
    fields = assets.build_create_asset(group_id="g", name="n", asset_type=asset_type)
    assert (fields["model"], fields["AssetType"].lower()) == (model, asset_type.lower())
    assert "URL" not in fields


def test_lists_ask_for_what_is_wanted_only() -> None:
    assert assets.build_list() == {"model": "volc-asset", "Filter": {}, "PageNumber": 1, "PageSize": 100}
    assert assets.build_list(
        group_ids=["g"],
        ids=["a", "b"],
        name="n",
        statuses=["Active"],
        group_type="AIGC",
        page=3,
        page_size=10,
    ) == {
        "model": "volc-asset",
        "Filter": {
            "GroupIds": ["g"],
            "Ids": ["a", "b"],
            "Name": "n",
            "GroupType": "AIGC",
            "Statuses": ["Active"],
        },
        "PageNumber": 3,
        "PageSize": 10,
    }
    assert assets.build_list_groups(name="n")["Filter"] == {"Name": "n"}


@pytest.mark.parametrize(
    ("field", "build"),
    [
        ("name", lambda: assets.build_create_group("")),
        ("name", lambda: assets.build_create_group("x" * 65)),
        ("about", lambda: assets.build_create_group("x", about="y" * 301)),
        ("group", lambda: assets.build_create_asset(group_id="", name="n", asset_type="Image", url=URL)),
        ("asset_type", lambda: assets.build_create_asset(group_id="g", name="n", asset_type="gif", url=URL)),
        ("url", lambda: assets.build_create_asset(group_id="g", name="n", asset_type="Image", url="s3cr3t")),
        ("id", lambda: assets.build_one("../x")),
        ("id", lambda: assets.build_one("x" * 300)),
        ("callback_url", lambda: assets.build_visual_session("")),
        ("token", lambda: assets.build_visual_result("")),
        ("asset", lambda: assets.asset_id_of("asset://")),
    ],
)
def test_what_cannot_be_sent_names_the_argument(field: str, build: Any) -> None:
    with pytest.raises(InputError) as caught:
        build()
    assert caught.value.field == field
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("text", ["asset-1", "asset://asset-1", "Asset://asset-1", " ASSET://asset-1 "])
def test_references_are_read_in_any_case_and_written_in_one(text: str) -> None:
    assert assets.asset_id_of(text) == "asset-1"
    assert assets.read_asset({"Id": assets.asset_id_of(text)}).reference == "asset://asset-1"


# --- replies ----------------------------------------------------------------------------------

ASSET = {
    "Id": "asset-1", "Name": "hero", "URL": URL, "AssetType": "Image", "GroupId": "group-1",
    "Status": "Active", "ProjectName": "default",
    "CreateTime": "2026-05-28T06:09:22Z", "UpdateTime": "2026-05-28T06:10:22Z",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrap", [dict, lambda body: {"ResponseMetadata": {"RequestId": "r"}, "Result": body}]
)
def test_an_asset_is_read_bare_or_wrapped(wrap: Any) -> None:
    asset = assets.read_asset(wrap(ASSET))
    assert (asset.id, asset.name, asset.type, asset.group_id) == ("asset-1", "hero", "Image", "group-1")
    assert (asset.status, asset.usable, asset.url) == (AssetStatus.ACTIVE, True, URL)
    assert asset.created_at == datetime(2026, 5, 28, 6, 9, 22, tzinfo=UTC)
    assert "s3cr3t" not in repr(asset)
    assert assets.read_id(wrap({"Id": "asset-1"})) == "asset-1"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Active", AssetStatus.ACTIVE), ("ACTIVE", AssetStatus.ACTIVE), ("Failed", AssetStatus.FAILED),
        ("Inactive", AssetStatus.FAILED), ("Processing", AssetStatus.PENDING), ("", AssetStatus.PENDING),
        ("Reviewing", AssetStatus.PENDING),
    ],
)  # fmt: skip
def test_statuses(word: str, status: AssetStatus) -> None:
    asset = assets.read_asset({"Id": "a", "Status": word})
    assert (asset.status, asset.raw_status) == (status, word)
    assert status.ends == (status is not AssetStatus.PENDING)


@pytest.mark.parametrize(
    ("item", "code", "error"),
    [
        ({"Error": {"Code": "FaceMismatch", "Message": "another face"}}, "FaceMismatch", "another face"),
        ({"Error": "too large"}, "", "too large"),
        ({"FailReason": "too dark"}, "", "too dark"),
        ({"FailReason": '{"error": {"code": "X.Y", "message": "m"}}'}, "X.Y", "m"),
        ({"Error": None, "FailReason": ""}, "", ""),
    ],
)
def test_why_an_asset_failed(item: dict[str, Any], code: str, error: str) -> None:
    asset = assets.read_asset({"Id": "a", "Status": "Failed", **item})
    assert (asset.error_code, asset.error) == (code, error)


def test_groups_pages_and_sessions() -> None:
    group = assets.read_group(
        {
            "Id": "g",
            "Name": "n",
            "Description": "d",
            "GroupType": "AIGC",
            "CreateTime": "2026-05-28T06:09:22Z",
        }
    )
    assert (group.id, group.name, group.about, group.type) == ("g", "n", "d", "AIGC")
    page = assets.read_page({"Result": {"PageNumber": 2, "TotalCount": 7, "Items": [ASSET, None, 5]}})
    assert (page.number, page.total, len(page.items)) == (2, 7, 1)
    assert assets.read_page({}).items == ()
    session = assets.read_visual_session(
        {
            "BytedToken": "s3cr3t-token",
            "CallbackURL": "https://me.example",
            "H5Link": "https://h5.example?s3cr3t",
        }
    )
    assert session.token == "s3cr3t-token"
    assert "s3cr3t" not in repr(session)
    assert assets.read_visual_result({"GroupId": "group-2"}) == "group-2"
    assert assets.read_visual_result({"Result": {"GroupId": ""}}) == ""


def test_a_reply_without_what_was_made_is_told() -> None:
    with pytest.raises(ProtocolError, match="no id"):
        assets.read_id({"Name": "x"})
    with pytest.raises(ProtocolError):
        assets.read_visual_session({"BytedToken": "t"})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ASSET, "Error"]), inner),
    max_leaves=9,
)
keys = st.sampled_from([*ASSET, "Error", "FailReason", "Items", "TotalCount", "PageNumber", "Result"])


@given(st.dictionaries(keys, values))
def test_no_reply_breaks_the_readers(body: dict[str, Any]) -> None:
    assert isinstance(assets.read_asset(body).id, str)
    assert isinstance(assets.read_group(body).name, str)
    assert isinstance(assets.read_page(body).items, tuple)


# --- refusals that pass -----------------------------------------------------------------------


def refusal(message: str, *, status: int = 400, code: str = "") -> StatusError:
    body = f'{{"error": {{"message": "{message}", "code": "{code}"}}}}'
    return to_error(read_problem(body), status=status)


NOT_READY = "The asset asset-1 is still processing and is not available yet"
GROUP_GONE = "upstream_error: [NotFound.group_id] The specified asset_group group-x is not found."


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (NOT_READY, 400),
        ("The specified asset asset-20260427160000-xxxxx is not found", 400),
        ("[NotFound.asset_id] no such asset", 404),
        ("Error while connecting: invalid url scheme", 400),
    ],
)
def test_a_generation_that_was_too_early_may_be_sent_again(message: str, status: int) -> None:
    assert is_propagation(refusal(message, status=status))


@pytest.mark.parametrize(
    "error",
    [
        refusal(NOT_READY, status=500),
        refusal(NOT_READY, status=429),
        refusal("The duration is too long"),
        refusal("The asset was refused", code="InputImageSensitiveContentDetected"),
        refusal("no available channel for model seedance: asset not found", code="model_not_found"),
        refusal("insufficient_user_quota: asset not found"),
        refusal("page not found", status=404),
    ],
)
def test_other_refusals_are_final(error: StatusError) -> None:
    assert not is_propagation(error)


def test_a_group_that_is_not_known_yet() -> None:
    for status in (400, 404, 502):
        assert is_group_lag(refusal(GROUP_GONE, status=status))
    assert is_group_lag(refusal("502 upstream asset error: group group-1 not found", status=502))
    assert not is_group_lag(refusal("[NotFound.asset_id] asset not found", status=404))
    assert not is_group_lag(refusal("upstream timed out", status=502))
    assert not is_group_lag(refusal(GROUP_GONE, status=500))


def test_what_is_missing() -> None:
    assert is_missing(refusal("[NotFound.asset_id] asset-1", status=404))
    assert is_missing(refusal("gone", status=404))
    assert is_missing(refusal("The specified asset asset-1 is not found.", status=400))
    assert not is_missing(refusal("Invalid URL (POST /volc/asset/GetAsset)", status=404))
    assert not is_missing(refusal("bad", status=400))
    error = refusal("no available channel for model volc-asset", status=404)
    assert isinstance(error, ModelNotFoundError)
    assert not is_missing(error)


def test_a_list_that_wants_a_group_type() -> None:
    assert wants_group_type(refusal("The parameter GroupType is missing"))
    assert not wants_group_type(refusal("The parameter Name is missing"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            {"ResponseMetadata": {"Error": {"Code": "NotFound.asset_id", "Message": "no asset"}}},
            NotFoundError,
        ),
        ({"error": {"message": "[NotFound.group_id] The specified group is not found."}}, NotFoundError),
        ({"error": "The specified asset asset-1 is not found"}, NotFoundError),
        ({"error": {"code": "MissingParameter", "message": "[CallbackURL] is missing"}}, StatusError),
        ({"error": {"code": "FaceMismatch", "message": "Face consistency"}}, ModerationError),
        ({"error": {"code": "insufficient_user_quota", "message": "no"}}, QuotaError),
    ],
)
def test_an_error_inside_a_200_has_its_kind(body: dict[str, Any], kind: type[StatusError]) -> None:
    assert is_problem(body)
    error = to_error(read_problem(json.dumps(body)), status=200, bills=True)
    assert isinstance(error, kind)
    assert error.billed == "no"
