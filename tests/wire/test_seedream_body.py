from __future__ import annotations

from typing import Any

import pytest

from anyfast_nb import catalog
from anyfast_nb.catalog.seedream import default_model, families, family_of
from anyfast_nb.errors import InputError
from anyfast_nb.wire.images import build_seedream, image_tokens

URL = "https://pictures.example/a.png"
DATA = "data:image/png;base64,iVBORw0KGgo="
V3, V4, V45 = "doubao-seedream-3-0-t2i-250415", "doubao-seedream-4-0-250828", "doubao-seedream-4-5-251128"
V5, LITE, PRO = "doubao-seedream-5-0-260128", "seedream-5-0-lite-260128", "doubao-seedream-5-0-pro-260628"


def body(prompt: str = "a kite", **arguments: Any) -> dict[str, Any]:
    return dict(build_seedream(prompt, **arguments).body)


# --- what is sent -----------------------------------------------------------------------------


def test_the_smallest_request_says_no_to_the_watermark() -> None:
    made = build_seedream("a kite")
    assert made.body == {"model": V5, "prompt": "a kite", "response_format": "url", "watermark": False}
    assert (made.kind, made.path, made.mode, made.poll_paths) == (
        "seedream", "/v1/images/generations", "text", (),
    )  # fmt: skip
    assert made.notes == ()


def test_everything_at_once() -> None:
    made = build_seedream(
        "a kite",
        model=V5,
        images=[URL, DATA],
        size="2048X1728",
        count=4,
        response_format="b64_json",
        watermark=True,
        stream=True,
        output_format="png",
        web_search=True,
        strict=False,
        extra={"optimize_prompt_options": {"mode": "fast"}},
    )
    assert made.body == {
        "model": V5,
        "prompt": "a kite",
        "image": [URL, DATA],
        "size": "2048x1728",
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 4},
        "response_format": "b64_json",
        "watermark": True,
        "stream": True,
        "output_format": "png",
        "tools": [{"type": "web_search"}],
        "optimize_prompt_options": {"mode": "fast"},
    }
    assert made.mode == "images"
    assert DATA not in repr(made)


def test_one_reference_is_a_text_and_many_are_a_list() -> None:
    one, two = build_seedream("x", images=[URL]), build_seedream("x", images=(URL, DATA))
    assert (one.body["image"], one.mode) == (URL, "image")
    assert (two.body["image"], two.mode) == ([URL, DATA], "images")
    assert one.arguments["image"] == "images[0]"
    assert two.arguments == {"image[0]": "images[0]", "image[1]": "images[1]"}


def test_one_picture_is_no_group() -> None:
    for count in (None, 1):
        assert not [name for name in body(count=count) if name.startswith("sequential")]


def test_the_default_model_takes_words_and_references_and_is_in_the_catalogue() -> None:
    known = {model.id: model for model in catalog.models()}
    assert {"image generation", "reference images"} <= set(known[default_model()].abilities)


def test_a_model_of_no_family_is_passed_on_with_a_note() -> None:
    made = build_seedream(
        "x", model="qwen-image-plus", size="999x7", images=[URL] * 20, count=15, stream=True
    )
    assert made.body["model"] == "qwen-image-plus"
    assert made.body["size"] == "999x7"
    assert len(made.notes) == 1
    assert "not in the catalogue" in made.notes[0]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (V3, "3.0"), (V4, "4.0"), (V45, "4.5"), ("doubao-seedream-4-5", "4.5"),
        (V5, "5.0"), (LITE, "5.0-lite"),
        (PRO, "5.0-pro"), ("doubao-seedream-5-0-999999", "5.0"), ("Doubao-Seedream-5-0-Pro-1", "5.0-pro"),
    ],
)  # fmt: skip
def test_a_newer_date_is_of_the_same_family(model: str, name: str) -> None:
    family = family_of(model)
    assert family is not None
    assert family.name == name
    assert family.sources


@pytest.mark.parametrize("model", ["gpt-image-2", "doubao-seedream-4-50", "seedance", ""])
def test_other_models_are_of_no_family(model: str) -> None:
    assert family_of(model) is None


def test_every_model_of_the_catalogue_has_its_family() -> None:
    ids = [model.id for model in catalog.models() if "seedream" in model.id]
    assert len(ids) == 6
    assert {family.name for model in ids if (family := family_of(model))} == {
        family.name for family in families().values()
    }


# --- limits -----------------------------------------------------------------------------------

LIMITS: list[tuple[str, dict[str, Any]]] = [
    ("size", {"model": V3, "size": "2K"}),
    ("size", {"model": V4, "size": "3K"}),
    ("size", {"model": V45, "size": "1K"}),
    ("size", {"model": PRO, "size": "4K"}),
    ("size", {"model": V45, "size": "1024x1024"}),
    ("size", {"model": V4, "size": "5000x5000"}),
    ("size", {"model": V45, "size": "16384x900"}),
    ("size", {"model": V4, "size": "big"}),
    ("images", {"model": V3, "images": [URL]}),
    ("images", {"model": PRO, "images": [URL] * 11}),
    ("images", {"model": V45, "images": [URL] * 15}),
    ("count", {"model": V45, "images": [URL] * 14, "count": 2}),
    ("count", {"model": V3, "count": 2}),
    ("count", {"model": PRO, "count": 2}),
    ("count", {"count": 16}),
    ("stream", {"model": V3, "stream": True}),
    ("stream", {"model": PRO, "stream": True}),
    ("guidance_scale", {"model": V45, "guidance_scale": 2.5}),
    ("guidance_scale", {"model": V3, "guidance_scale": 11}),
    ("output_format", {"model": V45, "output_format": "png"}),
    ("web_search", {"model": V4, "web_search": True}),
    ("seed", {"model": V3, "seed": -2}),
    ("seed", {"model": V3, "seed": 2**31}),
]


@pytest.mark.parametrize(("argument", "given"), LIMITS, ids=lambda value: str(value)[:50])
def test_a_breach_names_the_argument_and_is_a_note_if_not_strict(
    argument: str, given: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        build_seedream("x", **given)
    assert caught.value.field == argument
    made = build_seedream("x", **given, strict=False)
    assert any("may refuse" in note for note in made.notes)


@pytest.mark.parametrize(
    "given",
    [
        {"model": V3, "size": "1024x1024", "guidance_scale": 2.5, "seed": 0},
        {"model": V3, "seed": -1},
        {"model": V4, "size": "1k"},
        {"model": V4, "size": "1280x720"},
        {"model": V45, "size": "4K", "images": [URL] * 14, "count": 1},
        {"model": V45, "images": [URL] * 5, "count": 10, "stream": True},
        {"model": V5, "size": "4704x2016", "output_format": "jpeg"},
        {"model": LITE, "size": "3K", "web_search": True},
        {"model": PRO, "size": "2K", "images": [URL] * 10, "count": 1},
    ],
    ids=str,
)
def test_what_the_pages_allow_is_sent_without_a_note(given: dict[str, Any]) -> None:
    assert build_seedream("x", **given).notes == ()


def test_a_size_that_the_page_does_not_list_is_a_note() -> None:
    (note,) = build_seedream("x", model=V5, size="2560x1440").notes
    assert "2560x1440" in note


def test_notes_of_a_seed_and_a_long_prompt() -> None:
    assert "3.0" in build_seedream("x", seed=7).notes[0]
    assert "longer" in build_seedream("北" * 301).notes[0]
    assert "longer" in build_seedream("word " * 601).notes[0]
    assert build_seedream("北" * 300).notes == ()


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("prompt", {"prompt": "  "}),
        ("model", {"model": ""}),
        ("images", {"images": URL}),
        ("images[0]", {"images": ["asset://asset-1"]}),
        ("images[1]", {"images": [URL, 7]}),
        ("size", {"size": ""}),
        ("size", {"size": "0x0", "strict": False}),
        ("count", {"count": True}),
        ("count", {"count": 2.5, "strict": False}),
        ("response_format", {"response_format": "file"}),
        ("watermark", {"watermark": "no"}),
        ("stream", {"stream": 1}),
        ("output_format", {"output_format": "gif"}),
        ("extra.image", {"extra": {"image": URL}}),
        ("extra", {"extra": 5}),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_names_the_argument(argument: str, given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        body(**given)
    assert caught.value.field == argument


def test_a_refusal_shows_no_picture() -> None:
    with pytest.raises(InputError) as caught:
        build_seedream("x", images=["ftp://user:secret@host/x.png"])
    assert "secret" not in str(caught.value)


def test_tokens_of_a_picture_match_the_published_samples() -> None:
    assert image_tokens(2048, 2048) == 16_384
    assert image_tokens(2496, 1664) == 16_224
    assert image_tokens(1760, 2368) == 16_280


def test_pixels_that_nobody_documents_are_noted() -> None:
    made = build_seedream("x", model="doubao-seedream-5-0-pro-260628", size="4097x4096")
    assert any("nothing is documented about the pixels" in note for note in made.notes)
    assert not build_seedream("x", model="doubao-seedream-5-0-pro-260628", size="2K").notes
