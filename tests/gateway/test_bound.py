"""What a request may use at most: never less than what a server may bill."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.catalog.lengths import all_lengths, lengths_of
from anyfast_nb.catalog.video import output_sizes
from anyfast_nb.gateway.bound import MAX_TOKENS, MESSAGE_TOKENS, chat_bound
from anyfast_nb.gateway.bound_generations import generation_bound
from anyfast_nb.gateway.prompt import chat_request
from anyfast_nb.settings import Settings
from anyfast_nb.simulator.tokens import count
from anyfast_nb.wire.images import build_seedream, image_tokens
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.pixels import video_tokens
from anyfast_nb.wire.seedance import build_seedance

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAQAAAABbAUdZAAAADElEQVR42mNgGNwAAACgAAGO+7G0AAAAAElF"
    "TkSuQmCC"
)
PRO_READS, PRO_WRITES = 262_144, 131_072


def body(prompt: Any = "Hello", **options: Any) -> dict[str, Any]:
    return dict(chat_request(prompt, settings=Settings(), **({"model": "pro"} | options)).body)


# --- chats ------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_max_tokens_bounds_what_is_written(api: str) -> None:
    assert chat_bound(body(max_tokens=400, api=api)).output_tokens == 400


def test_without_it_the_catalogue_does() -> None:
    assert chat_bound(body()).output_tokens == PRO_WRITES
    assert lengths_of("pro") == lengths_of("doubao-seed-2.0-pro") == lengths_of("doubao-seed-2-0-pro-260215")


def test_a_model_that_nobody_documents_needs_max_tokens() -> None:
    bound = chat_bound(body(model="of-tomorrow"))
    assert (bound.output_tokens, bound.tokens, bound.fix) == (None, None, MAX_TOKENS)
    assert chat_bound(body(model="of-tomorrow", max_tokens=5)).tokens is not None


def test_several_answers_are_counted_each() -> None:
    assert chat_bound(body(max_tokens=400, extra={"n": 3})).output_tokens == 1200


def test_two_bounds_are_the_larger_one() -> None:
    assert chat_bound(body(max_tokens=400, extra={"max_completion_tokens": 900})).output_tokens == 900


@given(text=st.text(min_size=1, max_size=300).filter(lambda text: bool(text.strip())))
def test_a_token_is_never_shorter_than_a_byte(text: str) -> None:
    for api in ("chat", "responses"):
        read = chat_bound(body(text, model="of-tomorrow", api=api)).input_tokens
        assert read is not None
        assert read >= len(text.encode(errors="replace")) + MESSAGE_TOKENS
        assert read >= count(text)


def test_each_message_and_each_tool_is_counted() -> None:
    one, two = (
        chat_bound(body("Hi", history=[{"role": "user", "content": "x" * 100}] * count)).input_tokens or 0
        for count in (1, 2)
    )
    assert two - one >= 100 + MESSAGE_TOKENS
    tool = {"type": "function", "function": {"name": "look", "description": "y" * 500, "parameters": {}}}
    with_tool = chat_bound(body("Hi", tools=[tool])).input_tokens or 0
    assert with_tool - (chat_bound(body("Hi")).input_tokens or 0) >= 2 * len(json.dumps(tool))


@pytest.mark.parametrize(
    "options",
    [
        {"images": [PICTURE]},
        {"images": [PICTURE], "api": "responses"},
        {"images": ["https://example.com/a.png"]},
        {"videos": ["https://example.com/a.mp4"]},
        {"files": ["https://example.com/a.pdf"]},
        {"api": "responses", "extra": {"previous_response_id": "resp_1"}},
    ],
)
def test_what_cannot_be_counted_may_fill_all_that_the_model_reads(options: dict[str, Any]) -> None:
    assert chat_bound(body("Look", **options)).input_tokens == PRO_READS
    unknown = chat_bound(body("Look", model="of-tomorrow", max_tokens=5, **options))
    assert (unknown.input_tokens, unknown.tokens) == (None, None)
    assert "-m pro" in unknown.fix


def test_no_more_is_read_than_the_model_can() -> None:
    assert chat_bound(body("x" * 1_000_000)).input_tokens == PRO_READS


@pytest.mark.parametrize(
    "extra", [{"web_search_options": {}, "enable_search": True}, {"tools": [{"type": "web_search"}]}]
)
def test_what_searches_on_the_server_has_no_bound(extra: dict[str, Any]) -> None:
    bound = chat_bound(body("news?", max_tokens=10) | extra)
    assert (bound.input_tokens, bound.output_tokens) == (None, None)
    assert "web_search" in bound.fix


def test_the_results_of_tools_are_counted() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "z" * 2000},
    ]
    for api in ("chat", "responses"):
        read = chat_bound(body(said, api=api)).input_tokens or 0
        assert 2000 < read < 5000


def test_every_length_has_a_source() -> None:
    assert all(one.sources and one.match and (one.input or one.output) for one in all_lengths())


# --- films ------------------------------------------------------------------------------------


def film(prompt: str = "A cat", **options: Any) -> Any:
    return generation_bound("seedance", build_seedance(prompt, strict=False, **options).body)


@pytest.mark.parametrize(("resolution", "ratio"), list(output_sizes()))
def test_a_film_is_bounded_exactly(resolution: str, ratio: str) -> None:
    bound = film(resolution=resolution, ratio=ratio, duration=8)
    width, height = output_sizes()[(resolution, ratio)]
    assert 0 <= bound.output_tokens - video_tokens(width, height, 8) <= 1  # rounded up
    assert bound.input_tokens == 0
    assert 8 <= bound.video_s < 8.1


def test_what_the_server_chooses_is_as_large_as_can_be() -> None:
    largest = max(video_tokens(w, h, 5) for (of, _), (w, h) in output_sizes().items() if of == "720p")
    assert 0 <= film().output_tokens - largest <= 1
    assert 0 <= film(ratio="adaptive").output_tokens - largest <= 1
    auto = film(model="seedance-2.5", ratio="16:9", resolution="720p", duration=-1)
    assert (auto.output_tokens, round(auto.video_s)) == (video_tokens(1280, 720, 30), 30)


def test_a_model_of_no_family_needs_size_and_length() -> None:
    bound = film(model="of-tomorrow")
    assert bound.tokens is None
    assert "--resolution" in bound.fix
    assert "--duration" in bound.fix
    known = film(model="of-tomorrow", resolution="720p", ratio="16:9", duration=5)
    assert known.tokens == 108_900


def test_a_resolution_without_documented_pixels_has_no_bound() -> None:
    bound = film(model="seedance-2.0-ultra", resolution="2k", duration=5)
    assert bound.tokens is None
    assert "--resolution 720p" in bound.fix


def test_ultra_is_counted_with_its_enlargement() -> None:
    bound = film(model="seedance-2.0-ultra", resolution="1080p", ratio="16:9", duration=5)
    assert bound.tokens >= 108_900 + 245_025  # as its published sample


def test_parameters_in_the_words_count_as_the_most_there_is() -> None:
    bound = film("A cat --rs 1080p --dur 12", model="doubao-seedance-1-0-pro-250528", resolution="480p")
    assert bound.output_tokens >= video_tokens(2208, 944, 12)


def test_a_clip_among_the_references_may_count_too() -> None:
    size = {"resolution": "720p", "ratio": "16:9", "duration": 5}
    plain, clip = film(**size), film("as @video1", videos=["https://example.com/a.mp4"], **size)
    assert clip.tokens >= plain.tokens + video_tokens(1280, 720, 15) - 1000


def test_kling_is_bounded_in_seconds_and_has_no_tokens() -> None:
    bound = generation_bound("kling", build_kling("A cat", duration=10).body)
    assert bound.tokens == 0
    assert 10.041 <= bound.video_s < 10.1


# --- pictures ---------------------------------------------------------------------------------


def pictures(**options: Any) -> Any:
    return generation_bound("seedream", build_seedream("a kite", strict=False, **options).body)


def test_pictures_are_bounded_by_their_pixels() -> None:
    bound = pictures(size="2048x2048")
    assert (bound.images, bound.tokens) == (1, image_tokens(2048, 2048))
    group = pictures(size="2048x2048", count=4)
    assert (group.images, group.tokens) == (4, 4 * image_tokens(2048, 2048))


@pytest.mark.parametrize(
    ("size", "widest"), [("2K", (3136, 1344)), ("3K", (4704, 2016)), ("4K", (4096, 4096))]
)
def test_a_preset_is_as_large_as_its_largest_shape(size: str, widest: tuple[int, int]) -> None:
    assert pictures(size=size).tokens >= image_tokens(*widest)


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"size": "4K"}, "--size 2048x2048"),
        ({"size": "2048x2048", "model": "doubao-seedream-4-5-251128"}, "--size 1920x1920"),
        ({"size": "2048x2048", "model": "doubao-seedream-4-0-250828"}, "--size 1920x1920"),
        ({"size": "1920x1920", "model": "doubao-seedream-4-5-251128"}, ""),
        ({"size": "1920x1920", "model": "doubao-seedream-4-5-251128", "count": 3}, "--count 1"),
        ({"size": "512x512", "model": "doubao-seedream-3-0-t2i"}, ""),
    ],
)
def test_what_makes_pictures_smaller_is_smaller_than_they_are(options: dict[str, Any], fix: str) -> None:
    found = pictures(**options).fix
    assert found.startswith(fix)
    assert bool(found) is bool(fix)
    assert options["size"] not in found


def test_a_model_of_no_family_has_no_bound_in_tokens() -> None:
    bound = pictures(model="gpt-image-2")
    assert (bound.images, bound.tokens) == (1, None)
    assert "seedream" in bound.fix
