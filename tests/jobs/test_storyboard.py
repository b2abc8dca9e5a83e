"""Storyboards: a chain of shots that goes on where it stopped, and becomes one film."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import AnyFastError, Billed, InputError, Interrupted, StatusError
from anyfast_nb.jobs.shots import Shot
from anyfast_nb.jobs.storyboard import Storyboard
from anyfast_nb.ledger.job_rows import JobStatus
from tests.client.conftest import press_ctrl_c
from tests.conftest import Simulator
from tests.jobs.conftest import (
    MakeClient,
    Time,
    created,
    film_reply,
    gets,
    link,
    posts,
    refused,
    succeeded,
    task,
)
from tests.media.films import flashing_film, packets_of, seconds_of
from tests.wire_server import HANG, RESET, Reply, WireServer

THREE = ("A cat sits down", "It plays", "It bows")


def made(server: WireServer, film: bytes, number: int) -> list[Reply]:
    """What the gateway answers to a shot that goes well."""
    return [created(f"asyntask_{number}"), succeeded(link(server, f"{number}.mp4")), film_reply(film)]


def failing(number: int) -> list[Reply]:
    return [created(f"asyntask_{number}"), task("FAILURE", "100%", fail_reason="upstream timeout")]


def first_frame_of(request: Any) -> str | None:
    """The hash of the picture that a shot begins with."""
    for item in request.json()["content"]:
        if item.get("role") == "first_frame":
            import base64

            data = base64.b64decode(item["image_url"]["url"].partition(",")[2])
            return hashlib.sha256(data).hexdigest()
    return None


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the chain --------------------------------------------------------------------------------


def test_each_shot_begins_with_the_last_ones_last_frame(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    for number in range(3):
        wire_server.script(*made(wire_server, film, number))
    seen: list[str] = []
    board = client().storyboard(THREE, duration=4)
    assert board.run(on_change=lambda one: seen.append(repr(one))) is board

    first, second, third = [job for job in board.jobs if job is not None]
    sent = posts(wire_server)
    assert [first_frame_of(request) for request in sent] == [
        None,
        sha256(first.last_frame.path),
        sha256(second.last_frame.path),
    ]
    assert [request.json().get("return_last_frame", False) for request in sent] == [True, True, False]
    assert [request.json()["duration"] for request in sent] == [4, 4, 4]
    assert f"shot 3: begins with the last frame of job {second.row.short_id}" in third.notes
    assert not [note for note in first.notes if "begins with" in note]
    assert seen[-1] == "<Storyboard 3 of 3 shots>"
    assert board.done

    joined = board.joined
    assert (joined.method, joined.frames, joined.seams_s) == ("copied", 144, (2.0, 4.0))
    assert board.film.facts == ("3 shots", "6.0 s", "copied")
    beside = json.loads(joined.path.with_suffix(".json").read_text())
    assert beside["jobs"] == [first.id, second.id, third.id]
    assert beside["films"] == [job.path.name for job in (first, second, third)]
    before = joined.path.stat().st_mtime_ns
    assert board.run().path == joined.path
    assert joined.path.stat().st_mtime_ns == before  # joined once
    assert len(wire_server.requests) == 9  # and asked for once


def test_a_cut_and_a_frame_of_its_own_begin_anew(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    for number in range(3):
        wire_server.script(*made(wire_server, film, number))
    own = "https://pictures.example/own.png"
    board = client().storyboard(["One", Shot("Two", cut=True, duration=6), Shot("Three", first_frame=own)])
    board.run()
    bodies = [request.json() for request in posts(wire_server)]
    assert [len(body["content"]) for body in bodies] == [1, 1, 2]
    assert bodies[1]["duration"] == 6
    assert bodies[2]["content"][1]["image_url"]["url"] == own
    assert not any("return_last_frame" in body for body in bodies)


def test_kling_begins_with_an_image(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    for number in range(2):
        wire_server.script(*made(wire_server, film, number))
    board = client().storyboard(["One", "Two"], kind="kling", duration=5).run()
    one, two = posts(wire_server)
    assert "image" not in one.json()
    assert two.json()["image"]
    assert two.path.endswith("image2video")
    assert [job.kind for job in board.jobs if job is not None] == ["kling", "kling"]


# --- going on ---------------------------------------------------------------------------------


def test_it_goes_on_at_the_link_that_failed(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), *failing(1))
    board = client().storyboard(THREE)
    with pytest.raises(StatusError) as caught:
        board.run()
    said = str(caught.value)
    assert said.startswith("shot 2 of 3 (It plays): seedance job ")
    assert "upstream timeout" in said
    assert said.endswith("run() goes on with shot 2; what is made is not paid for again.")
    assert caught.value.partial is board
    assert len(posts(wire_server)) == 2
    with pytest.raises(AnyFastError, match="2 of 3 shots were asked for"):
        _ = board.film

    kept = board.jobs[0]
    wire_server.script(*made(wire_server, film, 2), *made(wire_server, film, 3))
    board.run()
    assert board.jobs[0] is kept
    assert [request.json()["content"][0]["text"] for request in posts(wire_server)] == [
        "A cat sits down", "It plays", "It plays", "It bows",
    ]  # fmt: skip
    assert board.joined.frames == 144


def test_a_name_finds_the_shots_in_another_kernel(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), *failing(1))
    with pytest.raises(StatusError):
        client().storyboard(THREE, name="recital").run()
    wire_server.script(*made(wire_server, film, 2), *made(wire_server, film, 3))
    whole = client().storyboard(THREE, name="recital").run()
    assert len(posts(wire_server)) == 4
    asked = len(wire_server.requests)

    again = client().storyboard(THREE, name="recital").run()
    assert len(wire_server.requests) == asked
    assert [job.id for job in again.jobs if job] == [job.id for job in whole.jobs if job]
    assert again.path == whole.path
    assert "storyboard-recital-" in whole.path.name

    for number in range(3):
        wire_server.script(*made(wire_server, film, 4 + number))
    client().storyboard(THREE, name="another").run()
    client_without = client().storyboard(THREE)
    for number in range(3):
        wire_server.script(*made(wire_server, film, 7 + number))
    client_without.run()
    assert len(posts(wire_server)) == 10


def test_the_kernel_ends_while_a_shot_is_made(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), created("asyntask_1"), Reply(body=(b"{", HANG)))
    board = client().storyboard(THREE, name="recital")
    threading.Thread(target=_interrupt_after, args=(wire_server, 5), daemon=True).start()
    with pytest.raises(Interrupted) as caught:
        board.run()
    assert "1 of 3 shots are made" in str(caught.value)
    assert caught.value.partial is board

    wire_server.script(succeeded(link(wire_server, "1.mp4")), film_reply(film), *made(wire_server, film, 2))
    after = client().storyboard(THREE, name="recital").run()
    assert len(posts(wire_server)) == 3
    assert after.jobs[1] is not None
    assert after.jobs[1].task_id == "asyntask_1"


def _interrupt_after(server: WireServer, requests: int) -> None:
    server.wait_for_requests(requests)
    press_ctrl_c()


def test_an_interrupt_within_the_create_is_never_followed_by_another(
    wire_server: WireServer,
    client: MakeClient,
    film: bytes,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anyfast_nb.jobs.submit._LAST_WORDS_S", 0.01)
    wire_server.script(*made(wire_server, film, 0), Reply(body=(b"{", HANG)))
    board = client().storyboard(THREE)
    threading.Thread(target=_interrupt_after, args=(wire_server, 4), daemon=True).start()
    with pytest.raises(Interrupted):
        board.run()
    with pytest.raises(AnyFastError, match=r"shot 2 of 3 .*its reply was lost") as caught:
        board.run()
    assert caught.value.billed is Billed.MAYBE
    assert "retake(2)" in str(caught.value)
    assert len(posts(wire_server)) == 2


def test_a_lost_reply_is_not_sent_again_until_somebody_says_so(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), Reply(body=(RESET,)))
    board = client().storyboard(["One", "Two"])
    for _ in range(2):
        with pytest.raises(AnyFastError) as caught:
            board.run()
        assert caught.value.billed is Billed.MAYBE
        assert str(caught.value).startswith("shot 2 of 2 (Two): ")
        assert "retake(2)" in str(caught.value)
    assert len(posts(wire_server)) == 2
    doubtful = board.jobs[1]
    assert doubtful is not None
    assert doubtful.status is JobStatus.SUBMIT_UNKNOWN

    doubtful.adopt("asyntask_1")
    wire_server.script(succeeded(link(wire_server, "1.mp4")), film_reply(film))
    board.run()
    assert len(posts(wire_server)) == 2
    assert board.done


def test_a_retake_makes_what_depends_on_it_as_well(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    for number in range(4):
        wire_server.script(*made(wire_server, film, number))
    board = client().storyboard(["One", "Two", "Three", Shot("Four", cut=True)], name="b").run()
    before = board.jobs
    first_film = board.path
    wire_server.script(*made(wire_server, film, 4))
    assert board.retake(2) is board
    board.run()
    # The same film came, so the shot after it is the same wish, and is not paid for again.
    assert [one is other for one, other in zip(board.jobs, before, strict=True)] == [True, False, True, True]
    assert board.path != first_film
    take = board.jobs[1]
    assert take is not None
    assert take.row.take == 2

    for wrong in (0, 5, True, "2"):
        with pytest.raises(InputError) as caught:
            board.retake(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "number"
    again = client().storyboard(["One", Shot("Two", take=2), "Three", Shot("Four", cut=True)], name="b").run()
    assert again.path == board.path
    assert len(posts(wire_server)) == 5


def test_a_retake_that_ends_otherwise_makes_the_next_shot_anew(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path, tmp_path: Path
) -> None:
    other = flashing_film(tmp_path / "other.mp4", frames=24, size=(640, 480)).read_bytes()
    for number in range(3):
        wire_server.script(*made(wire_server, film, number))
    board = client().storyboard(THREE).run()
    wire_server.script(*made(wire_server, other, 3), *made(wire_server, film, 4), *made(wire_server, film, 5))
    before = board.jobs
    board.retake(1).run()
    texts = [request.json()["content"][0]["text"] for request in posts(wire_server)[3:]]
    assert texts == ["A cat sits down", "It plays"]
    assert board.jobs[2] is before[2]  # the second shot ends as it did
    assert board.joined.method == "re-encoded"
    assert "re-encoded: film 2 differs from the first" in board.film.facts[2]


# --- what is wrong ----------------------------------------------------------------------------


def test_a_wrong_argument_of_any_shot_is_found_before_the_first_is_sent(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    board = client().storyboard(["One", "Two", Shot("Three", duration=99)], ratio="16:9")
    with pytest.raises(InputError, match=r"shot 3 of 3 \(Three\): duration is 99") as caught:
        board.run()
    assert caught.value.field == "duration"
    assert str(caught.value).endswith("No shot was sent.")
    with pytest.raises(InputError, match=r"shot 1 of 2 .*knows no argument 'lenght'") as caught:
        client().storyboard(["One", "Two"], lenght=4).run()
    assert wire_server.requests == []


@pytest.mark.parametrize(
    ("shots", "options", "field"),
    [
        ([], {}, "shots"),
        ("One", {}, "shots"),
        (["One"], {"kind": "seedream"}, "kind"),
        (["One"], {"name": "a:b"}, "name"),
        (["One"], {"name": " a"}, "name"),
        (["One"], {"name": "a" * 81}, "name"),
    ],
)
def test_what_is_no_storyboard(client: MakeClient, shots: Any, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        client().storyboard(shots, **options)
    assert caught.value.field == field


def test_a_refused_first_shot_says_so(wire_server: WireServer, client: MakeClient, folder: Path) -> None:
    wire_server.script(refused("no"))
    board = client().storyboard(["One\n\n" + "x" * 80, "Two"])
    with pytest.raises(StatusError, match=r"shot 1 of 2 \(One x{35}…\)") as caught:
        board.run()
    assert str(caught.value).endswith("run() begins again.")
    assert [job.status for job in board.jobs if job is not None] == [JobStatus.FAILED]


# --- how it shows itself ----------------------------------------------------------------------


def test_it_shows_its_shots_and_then_its_film(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), *failing(1))
    board = client().storyboard(["A <b>cat</b>", "Two", "Three"], name="a & b")
    empty = board._repr_mimebundle_()
    assert empty["text/plain"].splitlines()[0] == "Storyboard a & b"
    assert empty["text/plain"].count("not asked for yet") == 3
    with pytest.raises(StatusError):
        board.run()
    half = board._repr_mimebundle_()
    assert half["text/html"].count("<img ") == 1
    assert half["text/html"].count("<video ") == 0
    assert "A &lt;b&gt;cat&lt;/b&gt;" in half["text/html"]
    assert "<b>cat" not in half["text/html"]
    assert "Storyboard a &amp; b" in half["text/html"]
    assert "upstream timeout" in half["text/html"]
    assert half["text/plain"].splitlines()[2].startswith("shot 2 · Two · failed · seedance job")

    wire_server.script(*made(wire_server, film, 2), *made(wire_server, film, 3))
    whole = board.run()._repr_mimebundle_()
    assert whole["text/html"].count("<video ") == 1
    assert whole["text/html"].count("→ ") == 2
    assert "3 shots · 6.0 s · copied" in whole["text/html"]
    assert whole["text/plain"].endswith(str(board.path))
    assert board.save(folder / "figures" / "all.mp4").read_bytes() == board.path.read_bytes()
    assert gets(wire_server)  # the server was asked, but not by showing


def test_the_front_door_runs_it_in_any_loop(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes, folder: Path
) -> None:
    async def films() -> tuple[Storyboard, Path]:
        async with async_client() as mine:
            board = mine.storyboard(["One", "Two"])
            clip = await board.film_async()
            return await board, clip.path

    for number in range(2):
        wire_server.script(*made(wire_server, film, number))
    board, path = asyncio.run(films())
    assert board.path == path
    assert len(posts(wire_server)) == 2


def test_from_the_front_door(wire_server: WireServer, client: MakeClient, film: bytes, folder: Path) -> None:
    import anyfast_nb as af

    for number in range(2):
        wire_server.script(*made(wire_server, film, number))
    board = af.Storyboard(["One", af.Shot("Two", cut=True)], client=client(), name="x")
    assert isinstance(board, Storyboard)
    assert board.run().joined.frames == 96


# --- with the built-in AnyFast ----------------------------------------------------------------


@pytest.fixture
def studio(simulator: Simulator, folder: Path, time: Time) -> Iterator[Client]:
    with Client(api_key=simulator.key, base_url=simulator.base_url) as made:
        made.pace = time.pace()
        yield made


def test_films_of_the_built_in_anyfast_are_joined_in_step(studio: Client) -> None:
    board = studio.storyboard(
        ["A red kite over the sea", Shot("It falls", audio=False), "A child runs"],
        duration=4, resolution="480p", ratio="16:9",
    ).run()  # fmt: skip
    films = [job.path for job in board.jobs if job is not None]
    joined = board.joined
    assert joined.method == "copied"
    assert joined.frames == sum(len(packets_of(film, "video")) for film in films)
    ends = [seconds_of(film, "video") for film in films]
    assert joined.seams_s == pytest.approx([ends[0], ends[0] + ends[1]])
    assert seconds_of(joined.path, "video") == pytest.approx(sum(ends), abs=0.001)
    assert seconds_of(joined.path, "audio") == pytest.approx(sum(ends), abs=0.05)
    width, height = board.sheet.size
    assert (width, height) == (3 * 12 + 2 * 320, 12 + 2 * (184 + 24 + 12))
    made_at = board.sheet.path.stat().st_mtime_ns
    assert board.sheet.path.stat().st_mtime_ns == made_at  # made once
