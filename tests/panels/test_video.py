"""The video panel as a person uses it, with plain widgets and the built-in AnyFast."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anyfast_nb.errors import InputError
from anyfast_nb.jobs.job import Job
from anyfast_nb.panels import media_words
from anyfast_nb.panels.as_magic import Name
from anyfast_nb.panels.media_words import media_of, variables
from anyfast_nb.panels.roles import Medium, arguments, assigned, chosen, moved, places, reference_name
from anyfast_nb.panels.video import VideoPanel
from anyfast_nb.panels.video_options import offered
from anyfast_nb.panels.video_queue import SHOWN
from anyfast_nb.panels.words import say
from anyfast_nb.session import Session
from tests.conftest import Simulator
from tests.panels.pressing import eventually, text_of

PROMPT = "A cat plays the piano"
SMALL = {"duration": 4, "resolution": "480p", "ratio": "16:9"}


@pytest.fixture
def session(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    Image.new("RGB", (1280, 720), "navy").save("my cat.png")
    Image.new("RGB", (1280, 720), "teal").save("end.png")
    return Session()


Panels = Callable[..., VideoPanel]


@pytest.fixture
def panels(session: Session) -> Iterator[Panels]:
    """Makes panels of one session, and closes them."""
    made: list[VideoPanel] = []

    def make(kind: str = "seedance", **options: Any) -> VideoPanel:
        made.append(VideoPanel(kind, session=session, **options))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


def about(panel: VideoPanel) -> str:
    return text_of(panel._about)


def press(board: Any, verb: str) -> None:
    """Press the first button of this kind that the board shows."""
    acts = re.findall(r'data-act="([^"]+)"', " ".join(board.pieces.values()))
    board._heard(board, {"kind": "act", "act": next(act for act in acts if act.startswith(verb))}, [])


def written(panel: VideoPanel, text: str = PROMPT) -> VideoPanel:
    panel._composer._heard(None, {"kind": "text", "text": text}, [])
    return panel


def made(panel: VideoPanel, text: str = PROMPT) -> Job:
    """A film, made to its end."""
    panel.create(text)
    panel.wait(20)
    job = panel.jobs[0]
    eventually(lambda: job.file)
    eventually(lambda: "<video" in panel._queue.board.pieces[f"job:{job.id}"])
    return job


# --- what goes in -----------------------------------------------------------------------------


def some(*kinds: str) -> list[Medium]:
    return [Medium(str(at), f"{at}", f"{at}.x", f"{at}.x", (kind,)) for at, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kind", "kinds", "roles"),
    [
        ("seedance", ["image"], ["first_frame"]),
        ("seedance", ["image", "image"], ["first_frame", "last_frame"]),
        ("seedance", ["image"] * 3, ["images"] * 3),
        ("seedance", ["image", "video", "audio"], ["images", "videos", "audios"]),
        ("kling", ["image", "image"], ["image", "image_tail"]),
        ("kling", ["image"] * 3, ["images"] * 3),
        ("kling", ["image", "video"], ["image", ""]),
        ("seedream", ["image", "image", "audio"], ["images", "images", ""]),
    ],
)
def test_media_find_their_roles(kind: str, kinds: list[str], roles: list[str]) -> None:
    assert assigned(kind, some(*kinds)) == roles


@given(
    st.sampled_from(["seedance", "kling"]),
    st.lists(st.sampled_from(["image", "video", "audio"]), max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=4),
)
def test_whatever_is_chosen_nobody_shares_a_frame_and_frames_stand_alone(
    kind: str, kinds: list[str], presses: list[tuple[int, int]]
) -> None:
    media = some(*kinds)
    for at, number in presses:
        if at < len(media) and (can := media[at].can(kind)):
            role = can[number % len(can)]
            chosen(kind, media, media[at].id, role)
            assert assigned(kind, media)[at] == role
    roles = [role for role in assigned(kind, media) if role]
    single = [role for role in roles if role in {"first_frame", "last_frame", "image", "image_tail"}]
    assert len(set(single)) == len(single)
    assert set(places(kind, media)) == {one.id for one in media}


def test_a_chosen_role_swaps_with_who_had_it() -> None:
    media = some("image", "image")
    chosen("seedance", media, "1", "first_frame")
    assert assigned("seedance", media) == ["last_frame", "first_frame"]
    chosen("seedance", media, "0", "images")
    assert assigned("seedance", media) == ["images", "images"]
    assert [reference_name(place) for place in places("seedance", media).values()] == ["@image1", "@image2"]
    assert [one.id for one in moved(media, "1", -1)] == ["1", "0"]
    assert arguments("seedance", moved(media, "1", -1), words=True) == {"images": ["1.x", "0.x"]}
    assert arguments("kling", media[:1]) == {"image": "0.x"}


def test_options_are_what_the_builder_takes() -> None:
    def values(*of: Any) -> dict[str, list[Any]]:
        return {name: [one.value for one in some] for name, some in offered(*of).items()}

    plain = values("seedance", None, {})
    assert plain["duration"] == list(range(4, 16))
    assert plain["web_search"] == [True]
    assert "web_search" not in values("seedance", None, {"first_frame": 1})
    assert values("seedance", "seedance-2.5", {"videos": 1})["ratio"] == ["adaptive"]
    assert values("seedance", "seedance-2.0-ultra", {"first_frame": 1})["resolution"] == [
        "720p",
        "1080p",
        "2k",
    ]
    assert values("kling", "kling-v1", {})["duration"] == [5, 10]
    assert "cfg_scale" not in values("kling", "kling-v2-6", {})
    assert "aspect_ratio" not in values("kling", "kling-v1", {"image": 1})
    assert values("kling", "kling-v2-1", {"image": 1, "image_tail": 1})["mode"] == ["pro"]
    assert "camera_control" not in values("kling", None, {"images": 3})
    doubtful = [one for one in offered("seedance", "seedance-fast", {})["resolution"] if one.doubtful]
    assert [one.value for one in doubtful] == ["1080p"]
    assert values("seedance", "nobody-knows-it", {"first_frame": 1})["duration"]


def test_words_name_media(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("RGB", (400, 400))
    names = {"cat": picture, "shots": {"a": [picture]}, "path": Path("end.png"), "n": 7, "_hidden": picture}
    shell = SimpleNamespace(user_ns=names)
    monkeypatch.setattr(media_words, "running_shell", lambda: shell)

    def one(word: str) -> Medium:
        (found,) = media_of(word, session)
        return found

    assert one("my cat.png").word == Path("my cat.png")
    assert (one("cat").value, one("cat").word) == (picture, Name("cat"))
    assert isinstance(one("shots['a'][-1]").word, Name)
    assert one("path").value == Path("end.png")
    assert one("asset://asset-1").kinds == ("image", "video", "audio")
    assert one("https://example.com/a.mp4?sig=1").kinds == ("video",)
    assert "sig" not in one("https://example.com/a.mp4?sig=1").name
    assert variables() == ["cat", "path"]
    for wrong in ("", "cats", "n", "cat()", "shots['b']", "cat.__class__", "__import__('os')", "no.png"):
        with pytest.raises(InputError):
            media_of(wrong, session)
    with pytest.raises(InputError, match="cat"):
        media_of("cta", session)


def test_a_file_comes_and_its_mode_is_told(panels: Panels, tmp_path: Path) -> None:
    panel = panels()
    assert "Write what the film shows" in eventually(lambda: about(panel))
    data = Path("my cat.png").read_bytes()
    composer = panel._composer
    composer._heard(None, {"kind": "file", "id": "a", "name": "../my cat.png", "size": len(data)}, [])
    composer._heard(None, {"kind": "chunk", "id": "a", "offset": 0}, [memoryview(data)])
    eventually(lambda: "<img" in " ".join(panel._shelf.board.pieces.values()))
    written(panel)
    shown = eventually(lambda: (text := about(panel)) and "begins with your picture" in text and text)
    assert "no price set" in shown
    assert not composer.attached
    eventually(lambda: "1280 × 720" in text_of(panel._shelf.board))
    assert (tmp_path / "anyfast_media" / "inputs" / "my cat.png").read_bytes() == data
    assert panel.as_magic() == f'%seedance "{PROMPT}" --first-frame "anyfast_media/inputs/my cat.png"'
    copied = panel._about._text_of
    assert copied is not None
    assert copied("python:").startswith(f'af.seedance("{PROMPT}", first_frame="anyfast_media')


@pytest.mark.parametrize(
    ("media", "mode", "magic"),
    [
        ([], "From words alone.", ""),
        (["my cat.png"], "begins with your picture", ' --first-frame "my cat.png"'),
        (["my cat.png", "end.png"], "to your last one", ' --first-frame "my cat.png" --last-frame end.png'),
        (
            ["my cat.png", "end.png", "end.png"],
            "after your references",
            ' --image "my cat.png" --image end.png --image end.png',
        ),
    ],
)
def test_each_mode_of_seedance(panels: Panels, media: list[str], mode: str, magic: str) -> None:
    panel = panels()
    panel.choose(**SMALL)
    for path in media:
        panel._shelf.add([media_words.medium_of_file(Path(path))])
    written(panel)
    eventually(lambda: mode in about(panel))
    options = " --duration 4 --ratio 16:9 --resolution 480p"
    assert panel.as_magic() == f'%seedance "{PROMPT}"{magic}{options}'
    job = made(panel)
    assert job.status.value == "succeeded"
    assert "864 × 496" in about(panel)


def test_kling_from_words_and_from_pictures(panels: Panels) -> None:
    panel = panels("kling")
    panel.choose(duration=5, negative_prompt="rain", camera_control={"type": "simple", "config": {"zoom": 5}})
    written(panel, "A boat")
    eventually(lambda: "From words alone." in about(panel))
    assert made(panel, "A boat").mode == "text2video"
    panel.take("my cat.png")
    panel.take("end.png", "last_frame")
    eventually(lambda: "begins with your picture" in about(panel) or "camera_control" in about(panel))
    panel.choose(duration=5)
    assert made(panel, "A boat").mode == "image2video"
    assert panel.as_magic() == '%kling "A boat" --image "my cat.png" --image-tail end.png --duration 5'


# --- what is wrong ----------------------------------------------------------------------------


def test_what_is_wrong_stands_beside_its_field(panels: Panels) -> None:
    panel = written(panels())
    panel.choose(seed="many")
    field = panel._forms["seedance"].fields["seed"]
    eventually(lambda: "no number" in field._wrong.value)
    panel.choose()
    eventually(lambda: not field._wrong.value)
    Image.new("RGB", (40, 40)).save("tiny.png")
    panel.take("tiny.png")
    eventually(lambda: "anyfast-wrong" in " ".join(panel._shelf.board.pieces.values()))
    assert "It cannot be made like this." in about(panel)
    panel._shelf.clear()
    written(panel, "see @image3")
    eventually(lambda: "@image3" in about(panel))
    panel.create("see @image3")
    panel.wait(10)
    assert panel._composer.busy is False


def test_a_wrong_name_or_file_is_told_and_nothing_dies(panels: Panels) -> None:
    panel = panels()
    panel._shelf.add_word("nothing_of_that_name")
    eventually(lambda: "nothing_of_that_name" in text_of(panel._shelf.board))
    Path("words.txt").write_text("no picture")
    panel._shelf.add_word("words.txt")
    eventually(lambda: "words.txt is no picture" in text_of(panel._shelf.board))
    assert made(panel).status.value == "succeeded"


def test_a_refused_film_says_why_and_what_now(panels: Panels) -> None:
    panel = panels()
    panel.create(f"{PROMPT} sim:moderated")  # accepted, and refused later
    panel.wait(20)
    eventually(lambda: "Failed" in text_of(panel._queue.board))
    assert "Not billed" in text_of(panel._queue.board)
    panel.create(f"{PROMPT} sim:bad-words")  # refused at once
    panel.wait(20)
    assert "content was refused" in about(panel)
    assert "Change the words of the prompt." in about(panel)


def test_a_lost_reply_is_told_and_takes_a_task_id(panels: Panels) -> None:
    panel = panels()
    panel.create(f"{PROMPT} sim:after-drop")
    panel.wait(30)
    job = panel.jobs[0]
    assert job.status.value == "submit_unknown"
    assert "may be billed" in text_of(panel._queue.board)
    before = len(panel.jobs)
    panel.create(f"{PROMPT} sim:after-drop")  # the same wish is not sent again
    panel.wait(30)
    assert len(panel.jobs) == before
    press(panel._queue.board, "adopt")
    assert panel._adopt.layout.display == ""
    panel._adopt.field.value = "no task id"
    panel._adopt.go.click()
    assert "no task id" in about(panel)
    panel._adopt.field.value = "asyntask_1234"
    panel._adopt.go.click()
    assert job.task_id == "asyntask_1234"
    assert panel._adopt.layout.display == "none"


# --- asking once ------------------------------------------------------------------------------


def test_one_click_is_one_film_and_the_same_wish_is_the_same_film(panels: Panels, session: Session) -> None:
    panel = panels()
    panel.choose(**SMALL)
    panel.create(PROMPT)
    panel.create(PROMPT)
    panel.stop()  # the second half of a double click
    panel.wait(20)
    assert len(session.desk.jobs()) == 1
    first = made(panel)
    assert [job.id for job in panel.jobs] == [first.id]
    assert "This is the same wish" in about(panel)
    press(panel._about, "another")
    panel.wait(20)
    assert len(panel.jobs) == 2
    assert panel.jobs[0].row.take == 2
    copied = panel._queue.board._text_of
    assert copied is not None
    assert copied(f"magic:{panel.jobs[0].id}").endswith("--take 2")


def test_one_whose_size_the_model_chooses_is_asked_about_by_its_largest(
    panels: Panels, session: Session
) -> None:
    session.configure(confirm_above=1000)
    panel = panels()
    panel.choose(**SMALL | {"ratio": "adaptive"})
    panel.create(PROMPT)
    panel.wait(20)
    assert "Up to" in about(panel)
    assert "more than confirm_above=1,000" in about(panel)
    assert not session.desk.jobs()


def test_a_large_one_is_asked_about(panels: Panels, session: Session) -> None:
    session.configure(confirm_above=1000)
    panel = panels()
    panel.choose(**SMALL)
    panel.create(PROMPT)
    panel.wait(20)
    assert "more than confirm_above=1,000" in about(panel)
    assert not session.desk.jobs()
    press(panel._about, "leave")
    assert "confirm_above" not in about(panel)
    panel.create(PROMPT)
    panel.wait(20)
    press(panel._about, "sure")
    panel.wait(20)
    assert len(session.desk.jobs()) == 1


def test_a_press_gives_back_at_once_and_can_be_stopped(
    panels: Panels, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    async def film(*_: Any, **__: Any) -> Job:
        begun.set()
        await asyncio.sleep(3600)
        raise AssertionError

    monkeypatch.setattr(session.desk, "film", film)
    panel = panels()
    panel.create(PROMPT)
    assert panel._composer.busy
    assert begun.wait(10)
    panel._maker._clock = lambda: float("inf")  # no double click
    panel._composer._heard(None, {"kind": "stop"}, [])
    panel.wait(10)
    assert "may have been accepted and billed" in about(panel)
    assert not panel._composer.busy


# --- films ------------------------------------------------------------------------------------


def test_from_a_film_to_the_next_shot_and_on(panels: Panels) -> None:
    panel = panels()
    panel.choose(**SMALL)
    job = made(panel)
    press(panel._queue.board, "next")
    eventually(lambda: f"last frame of film {job.row.short_id}" in text_of(panel._shelf.board))
    eventually(lambda: "begins with your picture" in about(panel))
    second = made(panel)
    assert second.mode == "first_frame"
    press(panel._queue.board, "extend")
    eventually(lambda: "carried on" in about(panel))
    assert assigned("seedance", panel._shelf.media) == ["videos"]
    assert f'%seedance "Extend @video1:" --video anyfast_media/{second.path.name}' in panel.as_magic()
    press(panel._queue.board, "reuse")
    assert panel._prompt == PROMPT
    assert [one.role or "auto" for one in panel._shelf.media] == ["first_frame"]
    copied = panel._queue.board._text_of
    assert copied is not None
    assert copied(f"path:{second.id}") == str(second.path)


def test_waiting_can_be_stopped_and_taken_up(panels: Panels) -> None:
    panel = panels()
    panel.create(f"{PROMPT} sim:polls=60")
    panel.wait(20)
    job = panel.jobs[0]
    eventually(lambda: "Stop waiting" in text_of(panel._queue.board))
    press(panel._queue.board, "wait")
    assert "goes on and is billed" in about(panel)
    eventually(lambda: job.id not in panel._queue._followed)
    eventually(lambda: "Wait again" in text_of(panel._queue.board))
    press(panel._queue.board, "again")
    assert job.id in panel._queue._followed


def test_another_panel_of_the_kernel_shows_what_is_running(panels: Panels) -> None:
    first = panels()
    first.create(f"{PROMPT} sim:polls=60")
    first.wait(20)
    second = panels()
    eventually(lambda: second.jobs and second.jobs[0].id == first.jobs[0].id)
    assert second.jobs[0] is first.jobs[0]  # one job is one object, and is asked for once
    first.create(f"{PROMPT} again sim:polls=60")
    first.wait(20)
    press(second._queue.board, "look")
    eventually(lambda: [job.id for job in second.jobs] == [job.id for job in first.jobs])


def test_thousands_of_films_are_a_list_of_the_newest(panels: Panels) -> None:
    panel = panels()
    job = made(panel)
    queue = panel._queue
    queue.jobs = {f"{number:032x}": job for number in range(3000)}
    many = {key: SimpleNamespace(id=key) for key in queue.jobs}
    queue._html = lambda one: f"<p>{one.id}</p>"  # type: ignore[method-assign]
    queue.jobs = many  # type: ignore[assignment]
    queue.draw()
    assert len(queue.board.pieces) == SHOWN + 2
    assert say("video.more", n=SHOWN) in text_of(queue.board)


# --- what stays -------------------------------------------------------------------------------


def test_the_essence_holds_films_and_what_runs(panels: Panels) -> None:
    panel = panels()
    assert "Nothing has been asked for" in str(panel.essence()["text/html"])
    panel.choose(**SMALL)
    job = made(panel)
    panel.create(f"{PROMPT} sim:polls=60")
    panel.wait(20)
    bundle: Mapping[str, Any] = panel.essence()
    assert f'src="anyfast_media/{job.path.name}"' in bundle["text/html"]
    assert "poster=" in bundle["text/html"]
    assert "<style>" not in bundle["text/html"]
    assert panel.jobs[0].row.short_id in bundle["text/html"]
    assert str(job.path) in bundle["text/plain"]


def test_nothing_secret_is_in_what_a_page_gets(panels: Panels, simulator: Simulator) -> None:
    panel = panels()
    panel._shelf.add_word("https://example.com/cat.png?X-Tos-Signature=5ec2e7")
    eventually(lambda: panel._shelf.media)
    prompt = "Words that no placeholder has"
    written(panel, prompt)
    eventually(lambda: "begins with your picture" in about(panel))
    shown = " ".join((*panel._shelf.board.pieces.values(), *panel._about.pieces.values()))
    state = repr([getattr(one, "get_state", dict)() for one in panel.children])
    assert "5ec2e7" not in shown
    assert "5ec2e7" not in state
    assert simulator.key not in shown + state
    assert prompt not in state


def test_in_chinese(panels: Panels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_LANGUAGE", "zh")
    panel = panels()
    panel.take("my cat.png")
    written(panel, "猫弹钢琴")
    eventually(lambda: "影片以您的图片开始" in about(panel))
    assert "首帧" in text_of(panel._shelf.board)
    assert "还没有影片" in text_of(panel._queue.board)
