from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import InputError
from anyfast_nb.wire.generation import Generation, argument_of
from anyfast_nb.wire.images import build_seedream
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.pixels import output_pixels, video_tokens
from anyfast_nb.wire.prompts import measure, named_media
from anyfast_nb.wire.seedance import build_seedance

H = "https://example.com"
PNG = "data:image/png;base64,AAAA"
MP4 = "data:video/mp4;base64,AAAA"
MP3 = "data:audio/mpeg;base64,AAAA"


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def part(kind: str, url: str, role: str) -> dict[str, Any]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role}


def content(made: Generation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.body["content"]
    return found


# --- the vendor's own examples --------------------------------------------------------------

DANCE = "The character from @image1 dances in the scene from @video1, with @audio1 as background music"
SWAP = (
    "Replace the water bottle in @video1 with the perfume bottle from @image1, keep camera movement unchanged"
)
WALK = "The person from @image1 walks along a sunlit street, cinematic quality"
EXAMPLES: dict[str, tuple[str, Generation, dict[str, Any]]] = {
    "asset": (
        "reference",
        build_seedance(WALK, images=["asset://asset-20260427160000-xxxxx"], resolution="720p", duration=5),
        {
            "model": "seedance",
            "content": [
                text(WALK),
                part("image", "asset://asset-20260427160000-xxxxx", "reference_image"),
            ],
            "resolution": "720p",
            "duration": 5,
        },
    ),
    "text": (
        "text",
        build_seedance(
            "A cat playing piano in a sunlit room, cinematic lighting", audio=True, ratio="16:9", duration=8
        ),
        {
            "model": "seedance",
            "content": [text("A cat playing piano in a sunlit room, cinematic lighting")],
            "generate_audio": True,
            "ratio": "16:9",
            "duration": 8,
        },
    ),
    "references": (
        "reference",
        build_seedance(
            DANCE,
            audios=[f"{H}/bgm.mp3"],
            videos=[f"{H}/clip.mp4"],
            images=[f"{H}/character.jpg"],
            audio=True,
            ratio="16:9",
            duration=11,
        ),
        {
            "model": "seedance",
            "content": [
                text(DANCE),
                part("image", f"{H}/character.jpg", "reference_image"),
                part("video", f"{H}/clip.mp4", "reference_video"),
                part("audio", f"{H}/bgm.mp3", "reference_audio"),
            ],
            "generate_audio": True,
            "ratio": "16:9",
            "duration": 11,
        },
    ),
    "edit": (
        "edit",
        build_seedance(
            SWAP,
            images=[f"{H}/perfume.jpg"],
            videos=[f"{H}/original.mp4"],
            audio=True,
            ratio="16:9",
            duration=5,
        ),
        {
            "model": "seedance",
            "content": [
                text(SWAP),
                part("image", f"{H}/perfume.jpg", "reference_image"),
                part("video", f"{H}/original.mp4", "reference_video"),
            ],
            "generate_audio": True,
            "ratio": "16:9",
            "duration": 5,
        },
    ),
    "web search": (
        "text",
        build_seedance(
            "Macro shot of cherry blossoms in spring, petals falling slowly",
            audio=True,
            ratio="16:9",
            duration=11,
            web_search=True,
        ),
        {
            "model": "seedance",
            "content": [text("Macro shot of cherry blossoms in spring, petals falling slowly")],
            "generate_audio": True,
            "ratio": "16:9",
            "duration": 11,
            "tools": [{"type": "web_search"}],
        },
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_vendors_examples_come_out_exactly(name: str) -> None:
    mode, made, body = EXAMPLES[name]
    assert made.body == body
    assert (made.kind, made.path, made.mode) == ("seedance", "/v1/video/generations", mode)
    assert made.poll_paths == ("/v1/video/generations/{id}",)
    assert made.notes == ()


# --- modes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "mode", "roles"),
    [
        ({}, "text", []),
        ({"first_frame": H}, "first_frame", ["first_frame"]),
        ({"prompt": "", "first_frame": H}, "first_frame", ["first_frame"]),
        ({"last_frame": H, "first_frame": H}, "first_last_frame", ["first_frame", "last_frame"]),
        ({"images": [H]}, "reference", ["reference_image"]),
        ({"images": [H], "videos": [H]}, "edit", ["reference_image", "reference_video"]),
        ({"prompt": "", "images": [H], "videos": [H]}, "reference", ["reference_image", "reference_video"]),
        ({"videos": [H, H]}, "extend", ["reference_video"] * 2),
        ({"videos": [H], "audios": [H]}, "reference", ["reference_video", "reference_audio"]),
        ({"images": [H], "audios": [H]}, "reference", ["reference_image", "reference_audio"]),
    ],
)
def test_the_mode_is_inferred_and_every_role_written(
    arguments: dict[str, Any], mode: str, roles: list[str]
) -> None:
    made = build_seedance(**{"prompt": "It rains", **arguments})
    assert made.mode == mode
    assert [item["role"] for item in content(made) if item["type"] != "text"] == roles


@given(
    st.permutations(["images", "videos", "audios"]), st.integers(0, 9), st.integers(1, 3), st.integers(0, 3)
)
def test_order_and_arguments(order: list[str], images: int, videos: int, audios: int) -> None:
    several = {
        "images": [f"{H}/{i}.png" for i in range(images)],
        "videos": [f"{H}/{i}.mp4" for i in range(videos)],
        "audios": [f"{H}/{i}.mp3" for i in range(audios)],
    }
    made = build_seedance("Go", **{name: several[name] for name in order})  # type: ignore[arg-type]
    urls = [item[item["type"]]["url"] for item in content(made)[1:]]
    assert urls == several["images"] + several["videos"] + several["audios"]
    assert content(made)[0] == text("Go")
    for i, item in enumerate(content(made)[1:], start=1):
        name, _, index = made.arguments[f"content[{i}]"].rstrip("]").partition("[")
        assert several[name][int(index)] == item[item["type"]]["url"]
    assert made.arguments["content[0]"] == "prompt"
    assert len(made.arguments) == len(content(made))


def test_without_a_prompt_the_first_item_is_the_image() -> None:
    made = build_seedance("  \n", first_frame=PNG, last_frame=f"{H}/b.png")
    assert content(made) == [part("image", PNG, "first_frame"), part("image", f"{H}/b.png", "last_frame")]
    assert made.arguments == {"content[0]": "first_frame", "content[1]": "last_frame"}


# --- what contradicts itself is refused, strict or not ----------------------------------------

STRUCTURE: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": ""}, "prompt", "prompt is empty, and no media are given"),
    ({"prompt": " \t\n"}, "prompt", "prompt is empty"),
    ({"prompt": None}, "prompt", "prompt is None; it must be text"),
    ({"first_frame": H, "images": [H]}, "images", "first_frame and images exclude each other"),
    ({"first_frame": H, "last_frame": H, "videos": [H]}, "videos", "exclude each other"),
    ({"first_frame": H, "audios": [H]}, "audios", "first_frame and audios exclude each other"),
    ({"last_frame": H}, "first_frame", "last_frame is given without first_frame"),
    ({"images": H}, "images", "images is a URL; it must be a list"),
    ({"videos": b"x"}, "videos", "videos is bytes; it must be a list"),
    ({"audios": 5}, "audios", "audios is 5; it must be a list"),
    ({"images": [H, "cat.png"]}, "images[1]", "images[1] is 'cat.png'; it must be a URL"),
    ({"images": [None]}, "images[0]", "images[0] is None"),
    ({"images": ["asset://"]}, "images[0]", "asset://<id>"),
    ({"first_frame": ""}, "first_frame", "first_frame is ''"),
    ({"images": [MP4]}, "images[0]", "holds a data URI of video, not of image"),
    ({"videos": [PNG]}, "videos[0]", "holds a data URI of image, not of video"),
    ({"audios": [MP4], "images": [H]}, "audios[0]", "holds a data URI of video, not of audio"),
    ({"first_frame": MP3}, "first_frame", "holds a data URI of audio"),
    ({"duration": "five"}, "duration", "duration is 'five'; it must be a whole number"),
    ({"duration": 5.5}, "duration", "whole number"),
    ({"duration": True}, "duration", "whole number"),
    ({"duration": float("nan")}, "duration", "whole number"),
    ({"seed": "x"}, "seed", "seed is 'x'; it must be a whole number"),
    ({"audio": "yes"}, "audio", "audio is 'yes'; it must be True or False"),
    ({"watermark": 1}, "watermark", "True or False"),
    ({"return_last_frame": "no"}, "return_last_frame", "True or False"),
    ({"web_search": 1}, "web_search", "True or False"),
    ({"strict": 0}, "strict", "True or False"),
    ({"resolution": 720}, "resolution", "resolution is 720"),
    ({"ratio": 1.5}, "ratio", "ratio is 1.5"),
    ({"model": " "}, "model", "must be text"),
    ({"extra": [1]}, "extra", "must be a mapping"),
    ({"extra": {"duration": 5}}, "extra.duration", "extra holds 'duration'"),
    ({"extra": {"content": []}}, "extra.content", "extra holds 'content'"),
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("changes", "field", "words"), STRUCTURE)
def test_structure_is_refused(changes: dict[str, Any], field: str, words: str, strict: bool) -> None:
    with pytest.raises(InputError) as caught:
        build_seedance(**{"prompt": "It rains", "strict": strict, **changes})
    assert caught.value.field == field
    assert words in caught.value.message
    assert not caught.value.sent
    assert "base64," not in str(caught.value)


def test_extra_says_which_argument_to_use() -> None:
    with pytest.raises(InputError, match="Use audio=… instead"):
        build_seedance("x", extra={"generate_audio": False})


# --- limits: refused, or noted -----------------------------------------------------------------

LIMITS: list[tuple[dict[str, Any], str, str]] = [
    ({"duration": 3}, "duration", "duration is 3; Seedance 2.0 takes 4 to 15 seconds"),
    ({"duration": "16"}, "duration", "duration is 16"),
    ({"duration": -1}, "duration", "duration is -1"),
    ({"resolution": "540p"}, "resolution", "resolution is '540p'; Seedance 2.0 takes 480p, 720p, 1080p"),
    ({"ratio": "2:1"}, "ratio", "ratio is '2:1'; allowed is one of 16:9, 4:3"),
    ({"images": [H] * 10}, "images", "images holds 10 reference images; allowed are 9"),
    ({"videos": [H] * 4}, "videos", "videos holds 4 reference videos; allowed are 3"),
    ({"audios": [H] * 4, "images": [H]}, "audios", "audios holds 4 reference audios; allowed are 3"),
    ({"audios": [H]}, "audios", "audios are the only references"),
    ({"prompt": "", "audios": [H]}, "audios", "audios are the only references"),
    ({"web_search": True, "images": [H]}, "web_search", "web_search is for text alone; here is images[0]"),
    ({"web_search": True, "first_frame": H}, "web_search", "here is first_frame as well"),
    ({"prompt": "@image2", "images": [H]}, "prompt", "prompt names @image2, but the request has 1 image,"),
    ({"prompt": "@video1", "images": [H]}, "prompt", "names @video1, but the request has 0 videos"),
    ({"prompt": "@image0", "images": [H]}, "prompt", "prompt names @image0"),
    ({"prompt": "@audio1 plays"}, "prompt", "prompt names @audio1"),
    ({"prompt": "像@image2那样", "first_frame": H}, "prompt", "prompt names @image2"),
    ({"prompt": "猫" * 501}, "prompt", "prompt has 501 Chinese characters; allowed are 500"),
    ({"prompt": "cat " * 1001}, "prompt", "prompt has 1001 words; allowed are 1000"),
    ({"model": "seedance-ultra"}, "resolution", "Seedance 2.0 Ultra has no default resolution"),
    ({"model": "seedance-2.0-ultra", "resolution": "480p"}, "resolution", "720p, 1080p, 2k"),
    ({"model": "seedance-fast", "resolution": "2k"}, "resolution", "takes 480p, 720p"),
    ({"model": "seedance-2.5", "duration": 31}, "duration", "4 to 30 seconds, or -1 for the model's choice"),
    ({"model": "seedance-2.5", "images": [H] * 31}, "images", "allowed are 30"),
    (
        {"model": "seedance-2.5", "images": [H] * 30, "videos": [H] * 10, "audios": [H] * 11},
        "audios",
        "allowed are 10",
    ),
    ({"model": "seedance-1.5-pro", "duration": 13}, "duration", "Seedance 1.5 takes 4 to 12"),
    ({"model": "seedance-1.0-pro", "duration": 1}, "duration", "Seedance 1.0 takes 2 to 12"),
]


@pytest.mark.parametrize(("changes", "field", "words"), LIMITS)
def test_a_limit_is_refused_by_the_argument_to_change(
    changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        build_seedance(**{"prompt": "It rains", **changes})
    assert caught.value.field == field
    assert words in caught.value.message
    assert "strict=False lets the server decide" in caught.value.hint


@pytest.mark.parametrize(("changes", "field", "words"), LIMITS)
def test_the_same_limit_is_a_note_where_the_user_says_so(
    changes: dict[str, Any], field: str, words: str
) -> None:
    made = build_seedance(**{"prompt": "It rains", "strict": False, **changes})
    assert any(words in note for note in made.notes)
    assert all("\n" not in note for note in made.notes)
    given = changes.get("duration")
    assert made.body.get("duration") == (None if given is None else int(given))


def test_an_unknown_model_passes_with_notes() -> None:
    made = build_seedance("Go", model="seedance-9", duration=60, resolution="8k", images=[H] * 12)
    assert made.body["model"] == "seedance-9"
    assert (made.body["duration"], made.body["resolution"], len(content(made))) == (60, "8k", 13)
    assert made.notes[0].startswith("model 'seedance-9' is not in the catalogue")
    assert sum("the server may refuse it" in note for note in made.notes) == 3
    with pytest.raises(InputError):
        build_seedance("Go", model="seedance-9", last_frame=H)


@pytest.mark.parametrize(
    ("model", "resolution"),
    [
        ("seedance-fast", "1080p"),
        ("seedance-2.0-mini", "1080P"),
        ("seedance-2.5", "1080p"),
        ("seedance", "4k"),
    ],
)
def test_where_the_sources_disagree_the_server_decides(model: str, resolution: str) -> None:
    made = build_seedance("Go", model=model, resolution=resolution)
    assert made.body["resolution"] == resolution.lower()
    assert len(made.notes) == 1
    assert "the server decides" in made.notes[0]


def test_ultra_takes_2k_in_lower_case() -> None:
    made = build_seedance("Go", model="seedance-ultra", resolution=" 2K ")
    assert (made.body["model"], made.body["resolution"], made.notes) == ("seedance-2.0-ultra", "2k", ())


def test_2_5_has_its_own_limits() -> None:
    made = build_seedance(
        "@audio1", model="seedance-2.5", audios=[H] * 10, duration=-1
    )  # sounds alone, and the model's own length
    assert (made.mode, made.body["duration"]) == ("reference", -1)
    full = build_seedance("", model="seedance-2.5", images=[H] * 30, videos=[H] * 10, audios=[H] * 10)
    assert len(content(full)) == 50
    notes = build_seedance("x", model="seedance-2.5", images=[H], videos=[H], ratio="16:9", duration=5).notes
    assert any("documents adaptive for edit" in note for note in notes)
    assert any("documents -1 for edit" in note for note in notes)
    frame = build_seedance("x", model="seedance-2.5", first_frame=H, ratio="16:9", duration=5).notes
    assert [note.partition(";")[0] for note in frame] == ["ratio is 16:9"]


def test_references_of_1_x_are_not_documented() -> None:
    made = build_seedance("x @image1", model="seedance-1.5-pro", images=[H])
    assert made.notes == ("nothing is documented about reference images for this model; the server decides",)


def test_a_request_too_large_names_the_largest() -> None:
    big = "data:image/png;base64," + "A" * 40_000_000
    with pytest.raises(InputError) as caught:
        build_seedance("", images=[PNG, big, big + "AAAA"])
    assert caught.value.field == "images[2]"
    assert "80 MB" in caught.value.message
    assert len(str(caught.value)) < 400


# --- values --------------------------------------------------------------------------------


def test_only_what_is_given_is_sent() -> None:
    assert build_seedance("Go").body == {"model": "seedance", "content": [text("Go")]}
    sent = build_seedance(
        " Go ",
        duration="5",  # type: ignore[arg-type]
        ratio="Adaptive",
        resolution="720P",
        audio=False,
        watermark=False,
        return_last_frame=True,
        seed=-1,
        extra={"camera_fixed": True, "service_tier": "flex"},
    ).body
    assert sent == {
        "model": "seedance",
        "content": [text("Go")],
        "generate_audio": False,
        "resolution": "720p",
        "ratio": "adaptive",
        "duration": 5,
        "watermark": False,
        "return_last_frame": True,
        "seed": -1,
        "camera_fixed": True,
        "service_tier": "flex",
    }
    assert type(sent["duration"]) is int
    assert type(build_seedance("Go", duration=5.0).body["duration"]) is int  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["Asset://asset-1", "ASSET://asset-1", " asset://asset-1 "])
def test_an_asset_is_written_in_lower_case(written: str) -> None:
    made = build_seedance("@image1", images=[written])
    assert content(made)[1]["image_url"]["url"] == "asset://asset-1"


def test_an_assets_id_keeps_its_case() -> None:
    assert (
        content(build_seedance("", images=["Asset://Asset-Xy"]))[0]["image_url"]["url"] == "asset://Asset-Xy"
    )


def test_a_video_in_the_request_is_noted() -> None:
    assert build_seedance("@video1", videos=[MP4]).notes == (
        "videos[0] is a data URI; the vendor documents a URL or an asset for videos",
    )


def test_what_the_prompt_does_not_name_is_noted() -> None:
    made = build_seedance("@image2 turns", images=[H] * 3, videos=[H])
    assert made.notes == ("prompt does not name @image1, @image3, @video1",)
    assert build_seedance("", images=[H]).notes == ()
    assert build_seedance("It moves", first_frame=H).notes == ()


def test_a_name_in_capitals_and_old_options_are_noted() -> None:
    assert build_seedance("@Image1", images=[H]).notes == ("prompt says @Image1; the vendor writes @image1",)
    made = build_seedance("A cat --dur 5 --rs 720p")
    assert "--dur" in made.notes[0]
    assert build_seedance("A cat --dur 5 ", model="seedance-1.0-pro").notes == ()


def test_a_mixed_prompt_near_both_limits_is_noted() -> None:
    made = build_seedance("猫" * 400 + " cat" * 400)
    assert len(made.notes) == 1
    assert made.notes[0].startswith(
        "prompt mixes 400 Chinese characters and 400 words; the limits (500 or 1000)"
    )
    assert build_seedance("猫" * 500).notes == ()
    assert build_seedance("cat " * 1000).notes == ()


@pytest.mark.parametrize(
    ("prompt", "size"),
    [
        ("", (0, 0)),
        ("one two-three don't @image1 — 3.5%", (0, 5)),
        ("一只猫，很慢。", (5, 0)),
        ("猫cat猫 dog", (2, 2)),
        ("ネコ 고양이", (5, 0)),
        ("𠮷", (1, 0)),
        ("un café à Paris", (0, 4)),
    ],
)
def test_both_kinds_are_counted(prompt: str, size: tuple[int, int]) -> None:
    assert measure(prompt) == size


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("让@image1跳舞,@video2.", ["@image1", "@video2"]),
        ("@image1@image2", ["@image1", "@image2"]),
        ("(@audio10)", ["@audio10"]),
        ("mail me@image1.com @imagery1 @image @image1x @images1 @image12345678901", []),
        ("@IMAGE3", ["@IMAGE3"]),
    ],
)
def test_names_in_a_prompt(prompt: str, named: list[str]) -> None:
    assert [one.written for one in named_media(prompt)] == named


def test_a_broken_character_does_not_break_the_body() -> None:
    assert content(build_seedance("cat \ud83d"))[0]["text"].encode()


@given(st.text(max_size=200))
def test_any_prompt_is_built_or_refused(prompt: str) -> None:
    try:
        made = build_seedance(prompt, images=[H], strict=False)
    except InputError:  # pragma: no cover - nothing of a prompt is structure
        raise AssertionError(prompt) from None
    assert made.mode == "reference"


# --- who made which item ----------------------------------------------------------------------


def test_a_refusal_is_traced_to_the_argument() -> None:
    made = build_seedance("Go", first_frame=H, last_frame=H)
    said = "The input image 'content[{}]' may contain real person."
    assert [argument_of(said.format(i), made) for i in range(4)] == [
        "prompt",
        "first_frame",
        "last_frame",
        "",
    ]
    assert argument_of("see content[9], and content[1].image_url", made) == "first_frame"
    assert argument_of("", made) == ""
    several = build_seedance("", images=[H, H], audios=[H])
    assert argument_of("content[2] is too long", several) == "audios[0]"


def test_media_are_not_in_the_repr() -> None:
    assert "base64" not in repr(build_seedance("Go", first_frame=PNG))


# --- sizes and tokens -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolution", "row"),
    [
        ("480p", "864x496 752x560 640x640 560x752 496x864 992x432"),
        ("720p", "1280x720 1112x834 960x960 834x1112 720x1280 1470x630"),
        ("1080p", "1920x1080 1664x1248 1440x1440 1248x1664 1080x1920 2208x944"),
    ],
)
def test_the_vendors_table_of_sizes(resolution: str, row: str) -> None:
    ratios = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
    found = ["{}x{}".format(*output_pixels(resolution, ratio)) for ratio in ratios]
    assert found == row.split()


@pytest.mark.parametrize(
    ("resolution", "ratio", "field"),
    [("720p", "adaptive", "ratio"), ("2k", "16:9", "resolution"), ("1080P", "5:4", "ratio")],
)
def test_no_size_is_made_up(resolution: str, ratio: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        output_pixels(resolution, ratio)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("size", "seconds", "tokens"),
    [((1280, 720), 5, 108_900), ((1920, 1080), 5, 245_025), ((864, 496), 4, 40_594)],
)
def test_tokens_are_those_of_the_vendors_samples(size: tuple[int, int], seconds: int, tokens: int) -> None:
    assert video_tokens(*size, seconds) == tokens


# --- what a strict server refuses is said before it is sent -------------------------------------


@pytest.mark.parametrize("seed", [-2, 2**32, 10**30])
def test_a_seed_outside_its_range_names_the_argument(seed: int) -> None:
    with pytest.raises(InputError, match="seed is") as caught:
        build_seedance("x", seed=seed)
    assert caught.value.field == "seed"
    assert build_seedance("x", seed=seed, strict=False).body["seed"] == seed


@pytest.mark.parametrize("seed", [-1, 0, 2**32 - 1])
def test_a_seed_within_its_range_is_sent(seed: int) -> None:
    assert build_seedance("x", seed=seed).body["seed"] == seed


@pytest.mark.parametrize(
    ("model", "media", "noted"),
    [
        ("doubao-seedance-1-0-lite-i2v-250428", {}, "first_frame"),
        ("doubao-seedance-1-0-lite-t2v-250428", {"first_frame": "https://e.com/a.png"}, "first_frame"),
        ("doubao-seedance-1-0-lite-t2v-250428", {}, ""),
        ("doubao-seedance-1-0-lite-i2v-250428", {"first_frame": "https://e.com/a.png"}, ""),
    ],
)
def test_a_model_for_text_or_for_images_alone_is_noted(model: str, media: dict[str, Any], noted: str) -> None:
    notes = " ".join(build_seedance("x", model=model, **media).notes)
    assert ("its name" in notes) == bool(noted)
    assert noted in notes


@pytest.mark.parametrize("extra", [{"a": object()}, {"a": float("nan")}, {1: 2}, {"a": b"x"}])
def test_extra_that_is_no_json_is_refused(extra: Any) -> None:
    builders: list[Any] = [build_seedance, build_kling, build_seedream]
    for build in builders:
        with pytest.raises(InputError, match="extra") as caught:
            build("x", extra=extra)
        assert caught.value.field == "extra"


def test_a_camera_that_is_no_json_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        build_kling("x", camera_control={"type": "down_back", "speed": object()})
    assert caught.value.field == "camera_control"
