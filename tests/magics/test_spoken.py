"""Errors of the rooms below, in the words of the line."""

from __future__ import annotations

from typing import Any

import pytest

from anyfast_nb.errors import BudgetError, InputError, ModerationError
from anyfast_nb.magics.spoken import in_the_lines_words
from anyfast_nb.wire.images import build_seedream
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.seedance import build_seedance

URL = "https://example.com/a"
ADOPT = "client.job('3f9a01c2').adopt('asyntask_…')"
RESUME = "`%anyfast resume 3f9a01c2 --task-id asyntask_…`"


def told(kind: str, build: Any, given: dict[str, list[str]] | None = None, **arguments: Any) -> str:
    with pytest.raises(InputError) as caught, in_the_lines_words(kind, given):
        build("a cat", **arguments)
    assert len(caught.value.lines()) <= 3
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "says", "not_says"),
    [
        ({"ratio": "5:4"}, "--ratio is '5:4'", ""),
        ({"duration": 99}, "--duration is 99", ""),
        ({"last_frame": URL}, "--last-frame is given without --first-frame", "first_frame"),
        ({"first_frame": URL, "images": [URL]}, "--first-frame and --image exclude", "and images"),
        ({"web_search": True, "images": [URL]}, "--web-search", "web_search"),
        ({"audios": [URL]}, "--image or --video", "images or videos"),
        ({"images": [URL] * 12}, "--image holds 12", ""),
        ({"extra": {"seed": 4}}, "--seed …", "seed=…"),
    ],
)
def test_a_refused_argument_is_told_as_its_option(arguments: Any, says: str, not_says: str) -> None:
    text = told("seedance", build_seedance, **arguments)
    assert says in text
    assert not not_says or not_says not in text


def test_kling_and_seedream() -> None:
    assert "--aspect-ratio is '4:3'" in told("kling", build_kling, aspect_ratio="4:3")
    assert "--cfg-scale is 7" in told("kling", build_kling, cfg_scale=7)
    text = told("seedream", build_seedream, count=99)
    assert "--count" in text
    text = told("seedream", build_seedream, size="9K")
    assert "--size is '9K'" in text
    assert "strict=False" not in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cat.png", "dog.png"], "--image dog.png: it is no image"),
        (["cat.png", "https://x/?signature=5ec2e7"], "--image (the 2nd): it is no image"),
        (["a", "data:image/png;base64,AAAA"], "--image (the 2nd): it is no image"),
        (["a" * 90] * 2, "--image (the 2nd): it is no image"),
    ],
)
def test_a_medium_is_called_as_on_the_line(words: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught, in_the_lines_words("seedance", {"images": words}):
        raise InputError("images[1]: it is no image", field="images[1]")
    assert str(caught.value) == says


def test_advice_for_python_becomes_advice_for_the_line() -> None:
    error = ModerationError(
        "400: refused at content[1] (first_frame)",
        status=400,
        hint="client.job('3f9a01c2').adopt('asyntask_…') goes on with it.",
    )
    with pytest.raises(ModerationError) as caught, in_the_lines_words("seedance"):
        raise error
    assert "content[1] (--first-frame)" in str(caught.value)
    assert "`%anyfast resume 3f9a01c2 --task-id asyntask_…` goes on" in str(caught.value)


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        (f"If so: {ADOPT}, or {RESUME}, goes on with it.", f"If so: {RESUME} goes on with it."),
        (f"{RESUME}, or {ADOPT}, goes on with it.", f"{RESUME} goes on with it."),
        ("If not: `--take 2`, or take=2, asks for another.", "If not: `--take 2` asks for another."),
        (
            "Wait again: job.wait(), or client.job('3f9a01c2').wait() in another kernel.",
            "Wait again: `%anyfast resume 3f9a01c2`.",
        ),
        ("It is at /a/first_frame/shot.last_frame.png.", "It is at /a/first_frame/shot.last_frame.png."),
    ],
)
def test_python_beside_the_magic_is_left_out(hint: str, says: str) -> None:
    with pytest.raises(InputError) as caught, in_the_lines_words("seedance"):
        raise InputError("refused", hint=hint)
    assert caught.value.hint == says


def test_what_is_no_argument_stays() -> None:
    with pytest.raises(InputError) as caught, in_the_lines_words("seedance"):
        raise InputError("the pictures show a model; audio is fine", hint="Use other words, mode=night.")
    assert str(caught.value) == "the pictures show a model; audio is fine\nUse other words, mode=night."


def test_what_an_option_does_is_not_told_a_second_time_in_python() -> None:
    fix = '--resolution 720p --ratio 16:9 (resolution="720p", ratio="16:9") --duration 5 (duration=5)'
    with pytest.raises(BudgetError) as caught, in_the_lines_words("seedance"):
        raise BudgetError("no room", hint=f"What makes it smaller: {fix}. It begins anew.")
    assert caught.value.hint == (
        "What makes it smaller: --resolution 720p --ratio 16:9 --duration 5. It begins anew."
    )
