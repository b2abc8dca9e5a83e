from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.wire.images import ImageUsage, Picture, PicturesReader, read_pictures
from anyfast_nb.wire.values import Usage

URL = "https://store.example/x.jpeg?X-Tos-Signature=s3cr3t"
MODEL = "doubao-seedream-5-0-260128"
CREATED = datetime(2026, 4, 1, 8, 10, 15, tzinfo=UTC)


def test_the_documented_reply() -> None:
    reply = read_pictures(
        {
            "model": MODEL,
            "created": 1775031015,
            "data": [{"url": URL, "size": "2048x1024"}],
            "usage": {"generated_images": 1, "output_tokens": 8192, "total_tokens": 8192},
        }
    )
    assert reply.pictures == (Picture(0, url=URL, size="2048x1024", width=2048, height=1024),)
    assert (reply.model, reply.created_at) == (MODEL, CREATED)
    assert reply.usage == ImageUsage(images=1, output_tokens=8192, total_tokens=8192)
    assert reply.usage.tokens() == Usage(output_tokens=8192)
    assert "s3cr3t" not in repr(reply)
    assert "data" not in reply.raw


@pytest.mark.parametrize(
    "shape",
    [
        {"data": [{"url": URL}]},
        {"data": {"data": [{"url": URL}]}},
        {"output": {"data": [{"url": URL}]}},
        {"output": [{"url": URL}]},
        {"images": [{"url": URL}]},
        {"images": [URL]},
        {"data": [], "images": [{"image_url": URL}]},
        {"data": [{"image_url": {"url": URL}}]},
        {"data": [None, {"url": URL}]},
    ],
    ids=str,
)
def test_every_place_a_link_may_stand(shape: dict[str, Any]) -> None:
    assert [picture.url for picture in read_pictures(shape).pictures] == [URL]


@pytest.mark.parametrize("value", ["aGk=", "data:image/png;base64,aGk="])
@pytest.mark.parametrize("name", ["b64_json", "url", "image_url"])
def test_base64_comes_without_its_prefix(name: str, value: str) -> None:
    if name != "b64_json" and not value.startswith("data:"):
        value = f"data:image/jpeg;base64,{value}"
    (picture,) = read_pictures({"data": [{name: value}]}).pictures
    assert (picture.b64, picture.url) == ("aGk=", "")
    assert "aGk=" not in repr(picture)


def test_old_pages_count_differently() -> None:
    old = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 4096, "output_tokens": 4096}
    assert read_pictures({"data": [], "usage": old}).usage == ImageUsage(
        output_tokens=4096, total_tokens=4096
    )
    only = read_pictures({"data": [], "usage": {"total_tokens": 16384}}).usage
    assert only.tokens() == Usage(output_tokens=16384)
    assert read_pictures({"data": []}).usage == ImageUsage()
    rich = {"input_images": 2, "input_tokens": 7, "tool_usage": {"web_search": 1}}
    assert read_pictures({"data": [], "usage": rich}).usage == ImageUsage(
        input_images=2, input_tokens=7, web_searches=1
    )


def test_a_failure_inside_a_group_leaves_the_others() -> None:
    error = {"code": "OutputImageSensitiveContentDetected", "message": "not shown"}
    reply = read_pictures({"data": [{"url": URL}, {"error": error}, {"b64_json": "aGk="}]})
    assert [(picture.index, picture.failed) for picture in reply.pictures] == [
        (0, False),
        (1, True),
        (2, False),
    ]
    failed = reply.pictures[1]
    assert (failed.error_code, failed.error_message) == (error["code"], "not shown")
    assert [picture.index for picture in reply.made] == [0, 2]


@pytest.mark.parametrize("error", [{"code": "X"}, "no", {"message": "no"}, {"odd": 1}], ids=str)
def test_an_error_of_any_shape_is_a_failure_with_words(error: Any) -> None:
    (picture,) = read_pictures({"data": [{"error": error}]}).pictures
    assert picture.failed
    assert picture.error_message


# --- streams ----------------------------------------------------------------------------------

BEGIN = {"model": MODEL, "created": 1775031015}
FIRST = {
    "type": "image_generation.partial_succeeded",
    "image_index": 0,
    "url": URL,
    "size": "2496x1664",
} | BEGIN
FAILED = {
    "type": "image_generation.partial_failed", "image_index": 1,
    "error": {"code": "OutputImageSensitiveContentDetected", "message": "not shown"},
}  # fmt: skip
THIRD = {"type": "image_generation.partial_succeeded", "image_index": 2, "b64_json": "aGk="}
DONE = {"type": "image_generation.completed", "usage": {"generated_images": 2, "output_tokens": 16224}}


def test_a_stream_is_read_picture_by_picture() -> None:
    reader = PicturesReader()
    assert not reader.begun
    new = [[picture.index for picture in reader.read(event)] for event in (FIRST, FAILED, THIRD)]
    assert new == [[0], [1], [2]]
    assert not reader.finished
    assert reader.read(DONE) == []
    assert reader.finished
    reply = reader.reply()
    assert [picture.failed for picture in reply.pictures] == [False, True, False]
    assert reply.pictures[0].width == 2496
    assert reply.usage == ImageUsage(images=2, output_tokens=16224)
    assert (reply.model, reply.created_at) == (MODEL, CREATED)


def test_a_picture_that_is_said_twice_counts_once_and_a_later_success_counts() -> None:
    reader = PicturesReader()
    assert len(reader.read(FIRST)) == 1
    assert reader.read(FIRST) == []
    assert reader.read(FAILED)[0].failed
    assert not reader.read(THIRD | {"image_index": 1})[0].failed
    assert [picture.failed for picture in reader.reply().pictures] == [False, False]


def test_only_the_failure_of_all_ends_a_stream() -> None:
    ends = PicturesReader.ends_in_error
    assert ends({"error": {"message": "internal"}})
    assert ends({"type": "error", "error": {"code": "InternalServiceError"}})
    assert not ends(FAILED)
    assert not ends(FIRST)
    assert not ends(DONE)
    assert PicturesReader().read({"error": {"message": "internal"}}) == []


def test_a_server_that_does_not_stream_is_read_as_well() -> None:
    reader = PicturesReader()
    assert len(reader.read({"data": [{"url": URL}, {"url": URL}]})) == 2
    assert reader.finished


def test_pictures_in_the_making_are_no_pictures() -> None:
    reader = PicturesReader()
    assert reader.read({"type": "image_generation.partial_image", "b64_json": "aGk="}) == []
    assert len(reader.read({"type": "image_generation.completed", "b64_json": "aGk="})) == 1
    assert reader.finished


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "url", "b64_json", "error", "usage", "images", "output", "type", "created",
                         "image_index", "image_url", "size", "code", "message", "generated_images"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["data", "output", "images", "usage", "created", "type", "error", "url"]), json_values
    )
)
def test_no_body_breaks_the_reader(body: dict[str, Any]) -> None:
    reply = read_pictures(body)
    assert all(picture.failed or picture.url or picture.b64 for picture in reply.pictures)
