"""A job's card: honest, escaped, and the same for the same job."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from anyfast_nb.jobs.card import Card
from anyfast_nb.jobs.preflight import InputFact, Preflight
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.render.clip import clip_bundle
from anyfast_nb.render.job_card import between, card_bundle, fold_html, span, status_line, usual_words
from anyfast_nb.render.preflight import preflight_bundle
from anyfast_nb.wire.values import Money

HOSTILE = '<script>alert(1)</script><img src=x onerror="x()"> $x^2$ \x1b[31m'
FLIGHT = Preflight(
    "seedance",
    "seedance",
    "from a first frame",
    pixels=(864, 496),
    shape="480p · 16:9",
    seconds=4,
    inputs=(
        InputFact(
            "first_frame", "cat.png", ("image", "400 × 400"), "inside the request", ("will be cropped",)
        ),
    ),
    tokens=40_594,
    notes=("seed may be ignored",),
)
RUNNING = Card(
    "1a2b3c4d",
    "seedance",
    JobStatus.RUNNING,
    model="seedance",
    simulated=True,
    progress=40,
    elapsed_s=75,
    usual_s=(61.0, 119.0),
    prompt="A cat plays",
    preflight=FLIGHT,
    notes=("a note",),
)


def test_a_running_job_tells_what_is_known_and_how_to_come_back() -> None:
    bundle = card_bundle(RUNNING)
    assert bundle["text/plain"].splitlines() == [
        "simulated · seedance · job 1a2b3c4d · running · 40 % · 1 min 15 s · usually 1–2 min",
        "%anyfast resume 1a2b3c4d waits for it again, in any kernel, on any day",
    ]
    html = bundle["text/html"]
    assert "<b>Running</b> · 40 % · 1 min 15 s · usually 1–2 min" in html
    assert "width:40%" in html
    assert "A cat plays" in html
    assert "a note" in html
    assert "from a first frame · 864 × 496 (480p · 16:9) · 4 s · about 40,594 tokens · 1 medium" in html


def test_there_is_no_bar_where_the_server_gives_no_percentage() -> None:
    assert "height:4px" not in card_bundle(replace(RUNNING, progress=None))["text/html"]
    assert "height:4px" in card_bundle(replace(RUNNING, progress=0))["text/html"]


@pytest.mark.parametrize(
    ("elapsed_s", "usual_s", "words"),
    [
        (10, (None, None), []),
        (10, (61, 119), ["usually 1–2 min"]),
        (120, (61, 119), ["usually 1–2 min"]),
        (121, (61, 119), ["longer than usual (1–2 min)"]),
        (0.5, (0.1, 0.2), ["usually about 1 s"]),
        (50, (42, 44.4), ["longer than usual (42–44 s)"]),
    ],
)
def test_longer_than_usual_is_said(
    elapsed_s: float, usual_s: tuple[float | None, float | None], words: list[str]
) -> None:
    assert usual_words(replace(RUNNING, elapsed_s=elapsed_s, usual_s=usual_s)) == words


def test_times_in_words() -> None:
    assert [span(0), span(59.9), span(60), span(3_700)] == ["0 s", "59 s", "1 min 0 s", "1 h 1 min"]
    assert [between(42, 58), between(61, 119), between(70, 80), between(0.1, 0.2)] == [
        "42–58 s", "1–2 min", "about 1 min", "about 1 s",
    ]  # fmt: skip


def test_a_failed_job_says_why_and_which_argument() -> None:
    card = replace(
        RUNNING,
        status=JobStatus.FAILED,
        progress=100,
        trouble=(
            "it failed at 100 %: content[1] (first_frame) may show a real person",
            "Use another picture.",
        ),
        arguments=("first_frame",),
    )
    bundle = card_bundle(card)
    assert "Failed" in bundle["text/html"]
    assert "It is about: first_frame" in bundle["text/html"]
    assert "Use another picture." in bundle["text/plain"]
    assert "resume" not in bundle["text/plain"]
    assert "usually" not in bundle["text/plain"]
    assert "background:var" not in bundle["text/html"].rpartition("</style>")[2]  # no bar


def test_a_job_in_doubt_is_not_waited_for() -> None:
    trouble = ("the reply was lost. It may have been accepted, and may be billed: look in the console",)
    card = replace(RUNNING, status=JobStatus.SUBMIT_UNKNOWN, progress=None, trouble=trouble)
    text = card_bundle(card)["text/plain"]
    assert "in doubt" in text
    assert "may be billed: look in the console" in text
    assert "resume" not in text


def test_no_text_of_anyone_becomes_html() -> None:
    hostile = replace(
        RUNNING,
        model=HOSTILE,
        prompt=HOSTILE,
        notes=(HOSTILE,),
        trouble=(HOSTILE,),
        arguments=(HOSTILE,),
        preflight=replace(
            FLIGHT,
            model=HOSTILE,
            shape=HOSTILE,
            mode=HOSTILE,
            notes=(HOSTILE,),
            inputs=(InputFact(HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, (HOSTILE,)),),
        ),
    )
    assert hostile.preflight is not None
    bundles = [
        card_bundle(hostile, remark=HOSTILE),
        card_bundle(replace(hostile, status=JobStatus.FAILED)),
        preflight_bundle(hostile.preflight, where=HOSTILE, path=HOSTILE),
        clip_bundle(path=HOSTILE, place="a.mp4", preflight=hostile.preflight, remarks=(HOSTILE,)),
    ]
    for bundle in bundles:
        assert "<script" not in bundle["text/html"]
        assert not re.search(r"<[^>]*onerror", bundle["text/html"])
        assert "\x1b" not in bundle["text/html"] + bundle["text/plain"]
        assert "$x" not in bundle["text/html"].replace("<span>$</span>", "")


def test_a_terminal_gets_a_line_when_something_changes_not_each_second() -> None:
    assert status_line(RUNNING) == status_line(replace(RUNNING, elapsed_s=76))
    assert status_line(RUNNING) != status_line(replace(RUNNING, progress=41))
    assert "\n" not in status_line(RUNNING)


def test_a_dry_run_shows_a_row_for_each_fact() -> None:
    bundle = preflight_bundle(FLIGHT, where="https://www.anyfast.ai", path="/v1/video/generations")
    lines = bundle["text/plain"].splitlines()
    assert lines[0] == "not sent: POST /v1/video/generations to https://www.anyfast.ai"
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[1:]]
    assert rows == [
        ["model", "seedance"],
        ["mode", "from a first frame"],
        ["size", "864 × 496 (480p · 16:9)"],
        ["length", "4 s"],
        ["first_frame", "cat.png · image · 400 × 400 · inside the request · will be cropped"],
        ["tokens", "about 40,594 tokens"],
        ["note", "seed may be ignored"],
    ]
    assert bundle["text/html"].count("<dt>") == len(rows)


@pytest.mark.parametrize(
    ("cost", "priced", "said"),
    [
        (Money(420_000_000, "USD"), True, "about 0.42 USD"),
        (None, True, "unknown before it is made"),
        (None, False, "no price set"),
    ],
)
def test_a_dry_run_says_what_it_may_cost(cost: Money | None, priced: bool, said: str) -> None:
    bundle = preflight_bundle(replace(FLIGHT, cost=cost, priced=priced), where="here")
    assert re.search(rf"^\s*cost\s+{said}$", bundle["text/plain"], re.MULTILINE)
    unknown = preflight_bundle(replace(FLIGHT, tokens=None, seconds=None), where="x")["text/plain"]
    assert "unknown before it is made" in unknown
    assert "the model chooses" in unknown


def test_what_was_known_is_folded_below_the_film() -> None:
    html = clip_bundle(path="a.mp4", place="a.mp4", preflight=FLIGHT, remarks=("film of 14:02",))["text/html"]
    assert "<details><summary>" in html
    assert "film of 14:02" in html
    assert html.index("film of 14:02") < html.index("<video") < html.index("<details>")
    assert fold_html(None) == ""


@pytest.mark.parametrize(("size", "width"), [((1280, 720), 640), ((480, 320), 480), ((720, 1280), 270)])
def test_a_film_is_shown_no_larger_than_fits(size: tuple[int, int], width: int) -> None:
    assert f'width="{width}"' in clip_bundle(path="a.mp4", place="a.mp4", size=size)["text/html"]
