"""Lines of %seedance, %kling and %seedream to arguments, and to the bodies they make."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.magics.film import Asked
from anyfast_nb.magics.generation_options import GRAMMARS, KINDS, generation_options, plain_arguments
from anyfast_nb.magics.guide import guide
from anyfast_nb.magics.options import split
from anyfast_nb.session import Session
from anyfast_nb.wire.images import build_seedream
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.seedance import build_seedance

BUILD: dict[str, Any] = {"seedance": build_seedance, "kling": build_kling, "seedream": build_seedream}
URL = "https://example.com/a"


def body(kind: str, line: str, **names: Any) -> dict[str, Any]:
    """What a line sends; media as addresses."""
    shell: Any = SimpleNamespace(user_ns=names)
    asked = Asked(Session(), shell, kind, line, None)
    return dict(BUILD[kind](asked.prompt, **asked.arguments).body)


def parts(sent: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part["type"], part.get("role", "")) for part in sent["content"]]


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--duration 8", "duration", 8),
        ("--ratio 9:16", "ratio", "9:16"),
        ("--resolution 1080p", "resolution", "1080p"),
        ("--silent", "generate_audio", False),
        ("--sound", "generate_audio", True),
        ("--web-search", "tools", [{"type": "web_search"}]),
        ("--watermark", "watermark", True),
        ("--seed 7", "seed", 7),
        ("--return-last-frame", "return_last_frame", True),
        ("-m seedance-fast", "model", "seedance-fast"),
        ("--model=seedance-2.5", "model", "seedance-2.5"),
        ("--extra camera_fixed=true", "camera_fixed", True),
        ("--extra note=slow", "note", "slow"),
    ],
)
def test_each_option_of_seedance_reaches_the_body(option: str, field: str, value: Any) -> None:
    assert field == "model" or field not in body("seedance", '"a cat"')
    assert body("seedance", f'"a cat" {option}')[field] == value


def test_media_of_seedance_have_their_roles() -> None:
    sent = body(
        "seedance", f'"@image1 @image2" --image {URL}.jpg --image asset://asset-1 --video {URL} --audio {URL}'
    )
    assert parts(sent) == [
        ("text", ""),
        ("image_url", "reference_image"),
        ("image_url", "reference_image"),
        ("video_url", "reference_video"),
        ("audio_url", "reference_audio"),
    ]
    sent = body("seedance", f"--first-frame {URL} --last-frame {URL}")
    assert parts(sent) == [("image_url", "first_frame"), ("image_url", "last_frame")]
    assert parts(body("seedance", f'"x" --image {URL}'))[1] == ("image_url", "reference_image")


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--duration 5", "duration", "5"),
        ("--mode pro", "mode", "pro"),
        ("--aspect-ratio 1:1", "aspect_ratio", "1:1"),
        ("--ratio 1:1", "aspect_ratio", "1:1"),
        ("--cfg-scale 0.5 -m kling-v1-6", "cfg_scale", 0.5),
        ("--sound", "sound", "on"),
        ("--silent", "sound", "off"),
        ("--negative-prompt 'no {{what}}'", "negative_prompt", "no rain"),
        ("-m kling-v2-6", "model_name", "kling-v2-6"),
        ("--extra callback_url=x", "callback_url", "x"),
        ('--camera-control \'{"type": "simple", "config": {"zoom": 5}}\' -m kling-v1', "camera_control",
         {"type": "simple", "config": {"zoom": 5}}),
    ],
)  # fmt: skip
def test_each_option_of_kling_reaches_the_body(option: str, field: str, value: Any) -> None:
    assert field == "model_name" or field not in body("kling", '"a cat"')
    assert body("kling", f'"a cat" {option}', what="rain")[field] == value


def test_one_image_of_kling_begins_the_film_and_several_make_it() -> None:
    assert body("kling", f'"x" --image {URL}')["image"] == URL
    assert body("kling", f'"x" --image {URL} --image-tail {URL} --mode pro')["image_tail"] == URL
    assert len(body("kling", f'"x" --image {URL} --image {URL}')["image_list"]) == 2


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--size 2K", "size", "2K"),
        ("--count 3", "sequential_image_generation_options", {"max_images": 3}),
        ("--watermark", "watermark", True),
        ("--seed 7 -m doubao-seedream-3-0-t2i-250415", "seed", 7),
        ("--guidance-scale 3 -m doubao-seedream-3-0-t2i-250415", "guidance_scale", 3),
        ("--format png -m doubao-seedream-5-0-260128", "output_format", "png"),
        ("--output-format jpeg -m doubao-seedream-5-0-260128", "output_format", "jpeg"),
        ("--web-search -m doubao-seedream-5-0-260128", "tools", [{"type": "web_search"}]),
        ("--response-format b64_json", "response_format", "b64_json"),
        ("--extra optimize=true", "optimize", True),
    ],
)
def test_each_option_of_seedream_reaches_the_body(option: str, field: str, value: Any) -> None:
    assert body("seedream", '"a kite"').get(field) != value
    assert body("seedream", f'"a kite" {option}')[field] == value


def test_references_of_seedream() -> None:
    assert body("seedream", f'"x" --image {URL}')["image"] == URL
    assert body("seedream", f'"x" --image {URL} --image {URL}')["image"] == [URL, URL]


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_can_be_given_and_is_in_the_help(kind: str) -> None:
    options = generation_options(kind)
    assert not [name for name in options.names() if name not in guide(kind) and name != "--help"]
    grammar = GRAMMARS[kind]
    assert set(grammar.spoken.values()) <= set(options.names())


@pytest.mark.parametrize(
    ("kind", "line", "says"),
    [
        ("seedance", '"x" --durration 5', "Did you mean --duration?"),
        ("seedance", '"x" --first-fram a', "Did you mean --first-frame?"),
        ("kling", '"x" --negative "y"', "Did you mean --negative-prompt?"),
        ("seedream", '"x" --cont 3', "Did you mean --count?"),
        ("seedance", '"x" --duration soon', "--duration"),
        ("seedance", '"x" --duration', "--duration"),
        ("seedance", '"x" --sound --silent', "--sound and --silent"),
        ("seedance", '"x" --wait --no-wait', "--wait and --no-wait"),
        ("kling", "\"x\" --camera-control '[1]'", "--camera-control"),
        ("seedance", '"x" --extra seed', "NAME=VALUE"),
        ("seedance", '"x" --to 1st', "--to 1st"),
        ("seedance", "a cat", 'Write %seedance "a cat"'),
        ("seedance", "--duration 5", "there is no prompt"),
        ("kling", "why?", 'Write %kling "why?"'),
        ("seedance", '"x" --image nothing_here', "--image nothing_here"),
        ("seedance", '"x" --first-frame group', "--first-frame group[0]"),
        ("seedance", '"x" --first-frame group[7]', "--first-frame group[7]: IndexError"),
        ("seedance", '"x" --image grop', "Did you mean group?"),
        ("seedance", '"{{nothing}}"', "no variable 'nothing'"),
    ],
)
def test_a_wrong_line_is_refused_by_its_option(kind: str, line: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        body(kind, line, group=[URL, URL])
    assert says in str(caught.value)
    assert len(caught.value.lines()) <= 3


def test_a_cell_is_the_prompt() -> None:
    shell: Any = SimpleNamespace(user_ns={"what": "a cat"})
    asked = Asked(Session(), shell, "seedance", "--duration 5", "\nShow {{what}}\nin the sun\n")
    assert (asked.prompt, asked.arguments) == ("Show a cat\nin the sun", {"duration": 5})
    raw = Asked(Session(), shell, "seedance", "--no-vars", "Show {{what}}")
    assert raw.prompt == "Show {{what}}"
    with pytest.raises(InputError, match="not 'words' on the line"):
        Asked(Session(), shell, "seedance", "words", "body")


def test_media_are_names_and_parts_of_names() -> None:
    class Shot:
        last_frame = f"{URL}/last"

    names = {"shot": Shot(), "pics": [f"{URL}/0", f"{URL}/1"], "by": {"x": f"{URL}/x"}}
    for word, address in (
        ("shot.last_frame", f"{URL}/last"),
        ("pics[1]", f"{URL}/1"),
        ("{{pics[-1]}}", f"{URL}/1"),
        ("by['x']", f"{URL}/x"),
    ):
        sent = body("seedance", f'--first-frame "{word}"', **names)
        assert sent["content"][0]["image_url"]["url"] == address
    sent = body("seedance", '"x" --image pics', **names)
    assert [part["image_url"]["url"] for part in sent["content"][1:]] == names["pics"]


def test_a_medium_calls_nothing() -> None:
    called: list[int] = []
    shell: Any = SimpleNamespace(user_ns={"f": lambda: called.append(1)})
    asked = Asked(Session(), shell, "seedance", '"x" --image f()', None)
    assert str(asked.arguments["images"][0]) == "f()"  # taken for a path
    assert not called


def test_strictness_is_an_argument() -> None:
    found = generation_options("seedance").read(split('"x" --no-strict'))
    assert plain_arguments("seedance", found) == {"strict": False}
    found = generation_options("seedream").read(split('"x" --no-stream'))
    assert plain_arguments("seedream", found) == {"stream": False}
