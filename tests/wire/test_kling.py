from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import InputError
from anyfast_nb.wire.generation import argument_of
from anyfast_nb.wire.kling import build_kling

H = "https://example.com/a.png"
BARE = "iVBORw0KGgoAAAANSUhEUgAA"
ROOT = "/kling/v1/videos"
LAST = (f"{ROOT}/{{id}}", "/v1/video/generations/{id}")


# --- routes ---------------------------------------------------------------------------------


def test_from_text() -> None:
    made = build_kling("A cat plays the piano")
    assert (made.kind, made.mode, made.path) == ("kling", "text2video", f"{ROOT}/text2video")
    assert made.body == {"model_name": "kling-v3", "prompt": "A cat plays the piano"}
    assert made.poll_paths == (f"{ROOT}/text2video/{{id}}", f"{ROOT}/image2video/{{id}}", *LAST)
    assert (made.notes, made.arguments) == ((), {})


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"image": H}, {"image": H}),
        ({"image_tail": H}, {"image_tail": H}),
        ({"image": H, "image_tail": BARE}, {"image": H, "image_tail": BARE}),
    ],
)
def test_from_an_image(arguments: dict[str, Any], fields: dict[str, Any]) -> None:
    made = build_kling("It moves", **arguments)
    assert (made.mode, made.path) == ("image2video", f"{ROOT}/image2video")
    assert made.body == {"model_name": "kling-v3", "prompt": "It moves", **fields}
    assert made.poll_paths == (f"{ROOT}/image2video/{{id}}", f"{ROOT}/text2video/{{id}}", *LAST)
    assert made.arguments == {name: name for name in fields}


def test_from_several_images() -> None:
    made = build_kling("They meet", images=[H, BARE])
    assert (made.mode, made.path) == ("multi-image2video", f"{ROOT}/multi-image2video")
    assert made.body == {
        "model_name": "kling-v1-6",
        "prompt": "They meet",
        "image_list": [{"image": H}, {"image": BARE}],
    }
    assert made.poll_paths[0] == f"{ROOT}/image2video/{{id}}"
    assert made.poll_paths[1:] == (f"{ROOT}/multi-image2video/{{id}}", f"{ROOT}/text2video/{{id}}", *LAST)
    assert argument_of("image_list[1] is too small", made) == "images[1]"


def test_everything_given_is_sent_with_kling_types() -> None:
    made = build_kling(
        " It moves ",
        model="kling-v1-6",
        image=H,
        negative_prompt=" blur ",
        duration=10,
        mode="pro",
        aspect_ratio="9:16",
        cfg_scale=1,
        sound=False,
        camera_control={"type": "simple", "config": {"zoom": -5, "pan": 0}},
        extra={"external_task_id": "mine-1", "static_mask": BARE},
    )
    assert made.body == {
        "model_name": "kling-v1-6",
        "prompt": "It moves",
        "negative_prompt": "blur",
        "image": H,
        "duration": "10",
        "mode": "pro",
        "aspect_ratio": "9:16",
        "cfg_scale": 1.0,
        "sound": "off",
        "camera_control": {"type": "simple", "config": {"zoom": -5, "pan": 0}},
        "external_task_id": "mine-1",
        "static_mask": BARE,
    }
    assert build_kling("x", sound=True).body["sound"] == "on"


@pytest.mark.parametrize("duration", [5, "5", " 5 ", 5.0])
def test_the_duration_is_text(duration: Any) -> None:
    assert build_kling("x", duration=duration).body["duration"] == "5"


def test_an_alias_and_any_other_model() -> None:
    assert build_kling("x", model="kling").body["model_name"] == "kling-v3"
    made = build_kling("x", model="kling-v9", duration=60, mode="4k", cfg_scale=2)
    assert made.body == {
        "model_name": "kling-v9", "prompt": "x", "duration": "60", "mode": "4k", "cfg_scale": 2.0,
    }  # fmt: skip
    assert made.notes[0].startswith("model 'kling-v9' is not in the catalogue")
    assert len(made.notes) == 4


# --- images ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_as",
    [
        BARE,
        f"data:image/png;base64,{BARE}",
        f"DATA:image/png;charset=x;base64,{BARE}",
        f" data:;base64,{BARE} ",
        f"{BARE[:12]}\n{BARE[12:]}",
    ],
)
def test_base64_goes_bare(given_as: str) -> None:
    assert build_kling("x", image=given_as).body["image"] == BARE
    assert build_kling("x", images=[given_as]).body["image_list"] == [{"image": BARE}]


@given(st.binary(min_size=12, max_size=300))
def test_any_picture_arrives_as_it_was(data: bytes) -> None:
    import base64

    encoded = base64.b64encode(data).decode()
    assert build_kling("x", image=f"data:image/jpeg;base64,{encoded}").body["image"] == encoded
    assert build_kling("x", image_tail=encoded).body["image_tail"] == encoded


# --- refusals -------------------------------------------------------------------------------

STRUCTURE: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": ""}, "prompt", "prompt is empty; text2video needs one"),
    ({"prompt": " ", "image": H}, "prompt", "image2video needs one"),
    ({"prompt": "", "images": [H]}, "prompt", "multi-image2video needs one"),
    ({"prompt": None}, "prompt", "must be text"),
    ({"images": [H], "image": H}, "images", "images and image exclude each other"),
    ({"images": [H], "image_tail": H}, "images", "images and image_tail exclude each other"),
    ({"images": H}, "images", "it must be a list"),
    ({"image": "asset://asset-1"}, "image", "image is 'asset://asset-1'; it must be a URL"),
    ({"image": "cat.png"}, "image", "it must be a URL"),
    ({"image": "data/cat"}, "image", "it must be a URL"),
    ({"image": "data:image/png,abc"}, "image", "image is a data URI"),
    ({"image": "data:image/png;base64,"}, "image", "image is a data URI"),
    ({"image_tail": b"\x89PNG"}, "image_tail", "image_tail is bytes"),
    ({"images": [H, ""]}, "images[1]", "images[1] is ''"),
    ({"duration": "5s"}, "duration", "whole number"),
    ({"duration": 5.5}, "duration", "whole number"),
    ({"cfg_scale": "0.5"}, "cfg_scale", "must be a number from 0 to 1"),
    ({"cfg_scale": float("nan")}, "cfg_scale", "from 0 to 1"),
    ({"sound": "on"}, "sound", "True or False"),
    ({"mode": 1}, "mode", "mode is 1"),
    ({"negative_prompt": " "}, "negative_prompt", "must be text"),
    ({"model": ""}, "model", "must be text"),
    ({"strict": None}, "strict", "True or False"),
    ({"camera_control": "simple"}, "camera_control", "must be a mapping"),
    ({"camera_control": {}}, "camera_control.type", "must be text"),
    ({"camera_control": {"type": "simple"}}, "camera_control.config", "must be a mapping"),
    (
        {"camera_control": {"type": "simple", "config": {"pan": "5"}}},
        "camera_control.config.pan",
        "must be a number from -10 to 10",
    ),
    ({"extra": {"model": "x"}}, "extra.model", "extra holds 'model'"),
    ({"extra": {"image_list": []}}, "extra.image_list", "extra holds 'image_list'"),
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("changes", "field", "words"), STRUCTURE)
def test_structure_is_refused(changes: dict[str, Any], field: str, words: str, strict: bool) -> None:
    with pytest.raises(InputError) as caught:
        build_kling(**{"prompt": "It moves", "strict": strict, **changes})
    assert caught.value.field == field
    assert words in caught.value.message
    assert BARE not in str(caught.value)


LIMITS: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": "x" * 2501}, "prompt", "prompt has 2501 characters; allowed are 2500"),
    ({"negative_prompt": "x" * 2501}, "negative_prompt", "negative_prompt has 2501 characters"),
    ({"images": [H] * 5}, "images", "images holds 5 images; allowed are 4"),
    ({"images": [H], "duration": 7}, "duration", "duration is 7; allowed are 5 or 10 seconds"),
    ({"duration": 16}, "duration", "duration is 16; allowed are 3 to 15 seconds"),
    ({"duration": 2, "model": "kling-v1"}, "duration", "allowed are 5 or 10"),
    ({"mode": "4k"}, "mode", "mode is '4k'; allowed is one of std, pro"),
    ({"aspect_ratio": "21:9"}, "aspect_ratio", "allowed is one of 16:9, 9:16, 1:1"),
    ({"cfg_scale": 1.1}, "cfg_scale", "cfg_scale is 1.1; allowed is a number from 0 to 1"),
    ({"image_tail": H, "model": "kling-v2-1"}, "mode", "image_tail with kling-v2-1 needs mode pro"),
    (
        {"image_tail": H, "camera_control": {"type": "forward_up"}},
        "camera_control",
        "camera_control and image_tail exclude each other",
    ),
    ({"images": [H], "camera_control": {"type": "forward_up"}}, "camera_control", "not documented"),
    ({"camera_control": {"type": "spin"}}, "camera_control.type", "one of simple, down_back"),
    (
        {"camera_control": {"type": "down_back", "config": {"pan": 1}}},
        "camera_control.config",
        "for type simple alone",
    ),
    (
        {"camera_control": {"type": "simple", "config": {"pan": 1, "zoom": 1}}},
        "camera_control.config",
        "moves pan and zoom; exactly one move differs from 0",
    ),
    ({"camera_control": {"type": "simple", "config": {"pan": 0}}}, "camera_control.config", "moves nothing"),
    (
        {"camera_control": {"type": "simple", "config": {"pan": 11}}},
        "camera_control.config.pan",
        "number from -10 to 10",
    ),
    (
        {"camera_control": {"type": "simple", "config": {"dolly": 1}}},
        "camera_control.config.dolly",
        "is no move",
    ),
    ({"prompt": "", "extra": {"multi_shot": True}}, "prompt", "text2video needs one beside multi_shot"),
]


@pytest.mark.parametrize(("changes", "field", "words"), LIMITS)
def test_a_limit_is_refused_or_noted(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        build_kling(**{"prompt": "It moves", **changes})
    assert caught.value.field == field
    assert words in caught.value.message
    made = build_kling(**{"prompt": "It moves", "strict": False, **changes})
    assert any(words in note for note in made.notes)


def test_shots_need_no_prompt_beside_an_image() -> None:
    made = build_kling(image=H, extra={"multi_shot": True, "shot_type": "intelligence"})
    assert "prompt" not in made.body
    assert (made.body["multi_shot"], made.notes) == (True, ())


# --- notes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "kling-v2-master", "cfg_scale": 0.5}, "cfg_scale is not supported by kling-v2-master"),
        ({"model": "kling-v2-6", "cfg_scale": 0.5}, "cfg_scale is not supported by kling-v2-6"),
        ({"model": "kling-v1-6", "sound": True}, "sound is documented from kling-v2-6 on"),
        ({"model": "kling-v1", "duration": 8}, "the maker of the model takes 5 or 10"),
        ({"model": "kling-v1", "image": H, "aspect_ratio": "1:1"}, "kling-v1 keeps the image's"),
        ({"images": [H], "cfg_scale": 0.5}, "cfg_scale is not documented for multi-image2video"),
    ],
)
def test_what_may_not_be_heeded_is_sent_with_a_note(changes: dict[str, Any], words: str) -> None:
    made = build_kling("It moves", **changes)
    assert len(made.notes) == 1
    assert words in made.notes[0]
    assert set(changes) - {"model", "images"} <= set(made.body)


@pytest.mark.parametrize(
    "changes",
    [
        {"cfg_scale": 0.5, "duration": 3, "sound": True, "aspect_ratio": "1:1", "image": H},
        {"model": "kling-v1-6", "cfg_scale": 0, "duration": 10},
        {"model": "kling-v2-6", "sound": True, "image": H, "aspect_ratio": "9:16"},
        {"model": "kling-v2-1", "image": H, "image_tail": H, "mode": "pro"},
        {"model": "kling-v1-6", "sound": False},
    ],
)
def test_what_is_documented_needs_no_note(changes: dict[str, Any]) -> None:
    assert build_kling("It moves", **changes).notes == ()
