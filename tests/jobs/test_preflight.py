"""A request looked at before it is sent: nothing leaves the machine, and what is said of it is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.inputs import Input, Travel
from anyfast_nb.jobs.preflight import Preflight, nearest_ratio, preflight, remembered
from anyfast_nb.jobs.prepare import Prepared
from anyfast_nb.jobs.record import hash_of
from anyfast_nb.wire.pixels import video_tokens
from tests.jobs.conftest import MakeClient, created, png
from tests.jobs.test_uploads import clip, own, store  # noqa: F401 - fixtures
from tests.wire_server import WireServer

PROMPT = "A cat plays the piano"


def prepared(client: Any, kind: str, prompt: str = PROMPT, **options: Any) -> Prepared:
    return io_loop().run(client.desk().prepared(kind, prompt, options))


def seen(client: Any, kind: str, prompt: str = PROMPT, **options: Any) -> Preflight:
    return preflight(prepared(client, kind, prompt, **options))


@pytest.mark.parametrize(
    ("options", "pixels", "seconds"),
    [
        ({"duration": 4, "ratio": "16:9", "resolution": "480p"}, (864, 496), 4),
        ({"ratio": "9:16"}, (720, 1280), 5),
        ({"ratio": "21:9", "resolution": "1080p", "duration": 15}, (2208, 944), 15),
        ({"duration": 4}, None, 4),  # adaptive, and nothing to adapt to
        ({"model": "doubao-seedance-1-0-pro-250528"}, (1280, 720), 5),  # the first ones made 16:9
        ({"ratio": "16:9", "resolution": "2k", "strict": False}, None, 5),
        ({"model": "seedance-2.5", "duration": -1, "ratio": "1:1"}, (960, 960), None),
    ],
)
def test_a_films_size_and_tokens(
    client: MakeClient,
    wire_server: WireServer,
    options: dict[str, Any],
    pixels: tuple[int, int] | None,
    seconds: int | None,
) -> None:
    found = seen(client(), "seedance", **options)
    assert (found.pixels, found.seconds, found.mode, found.cost) == (pixels, seconds, "from words", None)
    expected = None if pixels is None or seconds is None else video_tokens(*pixels, seconds)
    assert found.tokens == expected
    assert wire_server.requests == []


def test_an_adaptive_film_takes_the_nearest_ratio_of_its_first_picture(client: MakeClient) -> None:
    found = seen(client(), "seedance", first_frame=png(size=(820, 600)))
    assert found.pixels == (1112, 834)
    assert found.shape == "720p · adaptive (4:3)"
    assert any("ratio is chosen by the first picture" in note for note in found.notes)
    (frame,) = found.inputs
    assert frame.argument == "first_frame"
    assert frame.facts[:2] == ("image", "820 × 600")
    assert frame.travels == "inside the request"
    assert frame.remarks == ("checked: within the documented limits",)


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((1280, 720), "16:9"), ((1000, 1001), "1:1"), ((2100, 900), "21:9"), ((700, 1280), "9:16")],
)
def test_the_nearest_ratio(size: tuple[int, int], nearest: str) -> None:
    assert nearest_ratio(*size, "480p") == nearest


def test_a_frame_of_another_shape_will_be_cropped(client: MakeClient) -> None:
    found = seen(
        client(),
        "seedance",
        first_frame=png(),
        last_frame=png(size=(860, 496)),
        ratio="16:9",
        resolution="480p",
    )
    square, wide = found.inputs
    assert found.mode == "from a first frame to a last one"
    assert "it is narrower than the film: it will be cropped" in square.remarks
    assert not any("cropped" in remark for remark in wide.remarks)


def test_a_picture_that_is_too_large_is_made_to_fit(client: MakeClient) -> None:
    huge = png(size=(6400, 3600))
    with pytest.raises(InputError, match="6,400 x 3,600"):
        seen(client(), "seedance", first_frame=huge)
    found = seen(client(), "seedance", first_frame=huge, downscale=True)
    (frame,) = found.inputs
    assert frame.facts
    assert any("downscaled from 6400 x 3600" in note for note in found.notes)


def test_a_kling_film_says_what_is_not_documented(client: MakeClient) -> None:
    this = client()
    words = seen(this, "kling", aspect_ratio="9:16", mode="pro", duration=3)
    assert (words.mode, words.model, words.shape) == ("from words", "kling-v3", "pro · 9:16")
    assert (words.pixels, words.tokens, words.seconds) == (None, None, 3)
    assert "exact pixels and tokens are not documented for Kling" in words.notes
    old = seen(this, "kling", image=png(), model="kling-v1", aspect_ratio="16:9")
    assert old.shape == "std · the shape of the picture"
    assert not any("cropped" in remark for remark in old.inputs[0].remarks)
    new = seen(this, "kling", image=png(), aspect_ratio="16:9")
    assert new.mode == "from a picture"
    assert any("cropped" in remark for remark in new.inputs[0].remarks)


def test_pictures_count_by_their_area(client: MakeClient) -> None:
    this = client()
    exact = seen(this, "seedream", size="2048x1024", model="doubao-seedream-4-0-250828", count=3)
    assert (exact.pixels, exact.count, exact.tokens, exact.seconds) == ((2048, 1024), 3, 24_576, None)
    preset = seen(this, "seedream", size="2K")
    assert (preset.pixels, preset.shape, preset.tokens) == (None, "2K", 16_384)
    assert "size 2K: the model chooses the shape" in preset.notes
    after = seen(this, "seedream", images=["https://example.com/a.png", png()])
    assert after.mode == "after several pictures"
    assert [one.travels for one in after.inputs] == ["by its URL", "inside the request"]
    assert after.inputs[0].remarks == ("not checked here: the server looks at it",)


def test_a_dry_run_uploads_nothing(own: Any, store: Any, clip: Path) -> None:  # noqa: F811
    first = prepared(own, "seedance", "Extend @video1", videos=[clip])
    facts = preflight(first)
    assert store.requests == []
    assert facts.mode == "a clip, carried on"
    assert facts.inputs[0].travels == "uploaded as an asset first"
    assert facts.inputs[0].facts[:3] == ("video", "864 × 496", "3.0 s")
    with pytest.raises(InputError, match="ratio"):
        prepared(own, "seedance", "Extend @video1", videos=[clip], ratio="5:4")
    assert store.requests == []

    job = own.seedance("Extend @video1", videos=[clip])
    assert len(store.actions("CreateAsset")) == 1
    again = prepared(own, "seedance", "Extend @video1", videos=[clip.read_bytes()])
    assert preflight(again).inputs[0].travels == "as an asset that was uploaded before"
    # The same wish before and after the upload, and another one of another clip.
    assert hash_of(first.generation.body) == hash_of(again.generation.body) != job.request_hash
    assert "asset-" not in str(again.generation.body)


def test_a_job_of_the_ledger_remembers_what_was_known(client: MakeClient, wire_server: WireServer) -> None:
    wire_server.script(created(), created())
    this = client()
    options: dict[str, Any] = {"first_frame": png(), "ratio": "1:1", "resolution": "480p", "duration": 4}
    job = this.seedance(PROMPT, **options)
    kept = remembered(this.job(job.id).row)
    before = seen(this, "seedance", **options)
    assert replace(kept, inputs=(), notes=()) == replace(before, inputs=(), notes=())
    (frame,) = kept.inputs
    assert (frame.argument, frame.travels) == ("first_frame", "inside the request")
    assert frame.facts[-1] == "png"
    kling = this.kling(PROMPT, image=png(), image_tail="https://example.com/b.png")
    inputs = remembered(this.job(kling.id).row).inputs
    assert [(one.argument, one.travels) for one in inputs] == [
        ("image", "inside the request"),
        ("image_tail", "by its URL"),
    ]


def test_what_is_told_of_a_medium_holds_neither_bytes_nor_address(client: MakeClient) -> None:
    address = "https://example.com/a.png?X-Tos-Signature=5ec2e75ec2e7"
    made = prepared(client(), "seedance", images=[address, png()])
    assert "5ec2e7" not in repr(preflight(made)) + repr(made)
    assert "base64" not in repr(preflight(made)) + repr(made)
    assert made.inputs[0] == Input("images[0]", "image", "a.png on example.com", Travel.URL)
