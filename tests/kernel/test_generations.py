"""Films, pictures and assets in a real kernel, against a real built-in AnyFast."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Simulator
from tests.kernels import Kernel, Run

pytestmark = pytest.mark.kernel
SMALL = "--duration 4 --resolution 480p --ratio 16:9 --silent"


@pytest.fixture
def k(kernel: Callable[..., Kernel], simulator: Simulator) -> Iterator[Kernel]:
    started = kernel(ANYFAST_BASE_URL=simulator.base_url, ANYFAST_API_KEY=simulator.key)
    assert started.execute("import anyfast_nb as af\n%load_ext anyfast_nb").status == "ok"
    return started


def ok(run: Run) -> str:
    assert run.status == "ok", run.text
    return run.text


def error(run: Run, name: str = "InputError") -> str:
    assert run.status == "error", run.text
    assert run.reply["content"]["ename"] == name, run.text
    (content,) = [m["content"] for m in run.messages if m["msg_type"] == "error"]
    assert len("\n".join(content["traceback"]).splitlines()) <= 3, content["traceback"]
    return "\n".join(content["traceback"])


def players(run: Run) -> list[str]:
    """The outputs in which a film plays."""
    shown = [str(output.get("data", {}).get("text/html", "")) for output in run.outputs]
    return [html for html in shown if "<video" in html]


def results(run: Run) -> list[Any]:
    return [m for m in run.messages if m["msg_type"] == "execute_result"]


def requests(simulator: Simulator) -> dict[str, Any]:
    """What the built-in AnyFast has accepted, and its latest tasks."""
    url = f"{simulator.base_url.removesuffix('/v1')}/sim/requests"
    headers = {"Authorization": f"Bearer {simulator.key}"}
    found: dict[str, Any] = httpx.get(url, headers=headers, trust_env=False).json()
    return found


def made(simulator: Simulator, kind: str = "seedance") -> int:
    return int(requests(simulator)["accepted"][kind])


# --- one line, one film ---------------------------------------------------------------------------


def test_a_line_leaves_one_film(k: Kernel) -> None:
    run = k.execute(f'%seedance "A cat plays the piano" {SMALL} --to shot')
    ok(run)
    assert len(players(run)) == 1
    assert not results(run)
    told = eval(ok(k.execute("shot.status.value, shot.path.suffix, shot.request['duration'], shot.done")))
    assert told == ("succeeded", ".mp4", 4, True)


def test_assignment_gives_the_job_and_shows_the_film_once(k: Kernel) -> None:
    run = k.execute(f'shot = %seedance "A dog in the rain" {SMALL}')
    ok(run)
    assert len(players(run)) == 1
    assert not results(run)
    assert "mp4" in ok(k.execute("shot.path"))
    run = k.execute("shot")
    assert len(players(run)) == 1
    cell = f"%%seedance {SMALL} --first-frame shot.last_frame --to next_shot\nThe {{{{animal}}}} turns"
    assert "no variable 'animal'" in error(k.execute(cell))
    k.execute("animal = 'dog'")
    run = k.execute(cell)
    ok(run)
    assert len(players(run)) == 1
    assert not results(run)
    assert ok(k.execute("next_shot.prompt, next_shot.mode")) == "('The dog turns', 'first_frame')\n"
    short = eval(ok(k.execute("shot.row.short_id")))
    frames = f"--first-frame {short} --last-frame {short}.last_frame"  # an earlier film by its id
    ok(k.execute(f'%seedance "It is night" {SMALL} {frames} --to third'))
    assert ok(k.execute("third.mode")) == "'first_last_frame'\n"


def test_kling_waits_and_shows_its_film(k: Kernel) -> None:
    run = k.execute('%kling "A cat" --duration 5 --ratio 1:1 --mode std --to cat')
    ok(run)
    assert len(players(run)) == 1
    assert "text2video" in ok(k.execute("cat.mode"))


def test_a_cell_run_again_shows_its_film_and_pays_nothing(k: Kernel, simulator: Simulator) -> None:
    line = f'%seedance "A boat at dawn" {SMALL} --to shot'
    ok(k.execute(line, cell_id="one"))
    first, before = ok(k.execute("shot.id")), made(simulator)
    again = k.execute(line, cell_id="one")
    assert "--take 2` for another" in ok(again)
    assert "film of " in again.text
    assert len(players(again)) == 1
    assert (made(simulator), ok(k.execute("shot.id"))) == (before, first)
    other = k.execute(f"{line} --take 2", cell_id="one")
    assert "for another" not in ok(other)
    assert made(simulator) == before + 1
    assert ok(k.execute("shot.id")) != first
    ok(k.execute(line, cell_id="two"))  # another cell makes another film
    assert made(simulator) == before + 2


def test_a_dry_run_sends_nothing(k: Kernel, simulator: Simulator) -> None:
    before = made(simulator)
    text = ok(k.execute('%seedance "A cat" --duration 8 --ratio 16:9 --resolution 720p --dry-run'))
    assert "1280" in text
    assert "8 s" in text
    assert made(simulator) == before
    assert ok(k.execute("len(af.ledger.frame())")) == "0\n"


def test_confirm_above_refuses_and_says_how_to_go_on(k: Kernel, simulator: Simulator) -> None:
    ok(k.execute("%anyfast config confirm_above=1000"))
    before = made(simulator)
    text = error(k.execute(f'%seedance "A cat" {SMALL}'))
    assert "--yes" in text
    assert "nothing was sent" in text
    assert made(simulator) == before
    assert len(players(k.execute(f'%seedance "A cat" {SMALL} --yes'))) == 1
    text = error(k.execute('%seedance "A cat" --duration 4'))  # the model chooses the ratio
    assert "up to" in text
    assert "--yes" in text
    ok(k.execute("%anyfast config confirm_above="))
    ok(k.execute(f'%seedance "A cat" {SMALL}'))


# --- not waiting, and coming back -----------------------------------------------------------------


def test_without_waiting_the_path_waits_by_itself(k: Kernel) -> None:
    run = k.execute(f'%seedance "A kite" {SMALL} --no-wait --to kite')
    ok(run)
    assert ok(k.execute("kite.path.is_file()")) == "True\n"
    ok(k.execute("%anyfast config wait=false"))
    ok(k.execute(f'cloud = %seedance "A cloud" {SMALL}'))
    assert ok(k.execute("cloud.video.path.is_file()")) == "True\n"
    run = k.execute(f'%seedance "A cloud in the night" {SMALL} --wait')
    assert len(players(run)) == 1


def test_an_interrupt_detaches_and_resume_finds_it(k: Kernel, simulator: Simulator) -> None:
    before = made(simulator)
    asked = k.send(f'%seedance "A cat sim:stuck" {SMALL} --to cat')
    seen = k.wait_for(asked, "running")
    k.interrupt()
    (run,) = k.collect(asked, timeout_s=20)
    run.messages[:0] = seen
    text = error(run, "Interrupted")
    (short,) = re.findall(r"%anyfast resume ([0-9a-f]{8})", text)
    assert "still running" in text
    assert ok(k.execute("cat.row.short_id, cat.status.value")) == f"('{short}', 'running')\n"
    assert short in ok(k.execute("%anyfast resume"))
    listed = ok(k.execute("%anyfast jobs --status running --kind seedance"))
    assert short in listed
    assert "A cat sim:stuck" in listed
    assert made(simulator) == before + 1
    assert "No job fits" in ok(k.execute("%anyfast jobs --status failed"))


def test_another_kernel_resumes(kernel: Callable[..., Kernel], simulator: Simulator) -> None:
    environ = {"ANYFAST_BASE_URL": simulator.base_url, "ANYFAST_API_KEY": simulator.key}
    first, second = kernel(**environ), kernel(**environ)
    ok(first.execute('%load_ext anyfast_nb\n%kling "A boat" --duration 5 --no-wait --to boat'))
    short = eval(ok(first.execute("boat.row.short_id")))
    first.close()
    ok(second.execute("%load_ext anyfast_nb"))
    run = second.execute(f"%anyfast resume {short} --to boat")
    ok(run)
    assert len(players(run)) == 1
    assert not results(run)
    assert ok(second.execute("boat.path.is_file()")) == "True\n"
    assert "Nothing to resume" in ok(second.execute("%anyfast resume"))
    assert "Nothing to resume" in ok(second.execute("%anyfast resume --all"))
    html = second.execute("%anyfast jobs").outputs[0]["data"]["text/html"]
    assert "data:image/jpeg" in html  # its poster
    assert "1 job: 1 succeeded" in html


def test_resume_all_goes_on_with_every_one(k: Kernel) -> None:
    words = ("A cat", "A dog sim:moderated", "A cow")
    ok(k.execute(f"jobs = [af.kling(words, duration=5) for words in {words}]"))  # nobody waits for these
    assert ok(k.execute("%anyfast resume")).count("kling") == 3
    run = k.execute("%anyfast resume --all")
    assert "1 of 3 jobs" in error(run, "AnyFastError")
    assert len(players(run)) == 2
    listed = ok(k.execute("%anyfast jobs --sort status"))
    assert "1 failed, 2 succeeded" in listed
    assert listed.index("failed  ") < listed.index("succeeded  ")
    assert "the last 1 shown" in ok(k.execute("%anyfast jobs --last 1"))
    assert "3 jobs" in ok(k.execute("%anyfast jobs --since 1h --kind kling"))
    assert "No job fits" in ok(k.execute("%anyfast jobs --kind seedance"))


def test_a_lost_reply_is_adopted_and_never_sent_again(k: Kernel, simulator: Simulator) -> None:
    line = f'%seedance "A lamp sim:after-drop" {SMALL} --to lamp'
    before = made(simulator)
    text = error(k.execute(line, cell_id="lamp"), "WireCut")
    assert "client." not in text
    (short,) = re.findall(r"%anyfast resume ([0-9a-f]{8}) --task-id", text)
    assert "may be billed" in text
    again = k.execute(line, cell_id="lamp")
    assert again.status == "error"
    assert "`--take 2` asks for another" in again.text
    assert made(simulator) == before + 1
    assert short in ok(k.execute("%anyfast resume"))
    task_id = requests(simulator)["tasks"][-1]["id"]
    assert "jobs have lost their reply" not in ok(k.execute(f"%anyfast resume --task-id {task_id} --to lamp"))
    assert ok(k.execute("lamp.path.is_file()")) == "True\n"
    assert "needs no task id" in error(k.execute(f"%anyfast resume {short} --task-id {task_id}"))


# --- what goes wrong ------------------------------------------------------------------------------


def test_moderation_names_the_option(k: Kernel) -> None:
    ok(k.execute("from PIL import Image\nface = Image.new('RGB', (400, 400), 'tan')"))
    run = k.execute(f'%seedance "She smiles sim:real-person" --first-frame face {SMALL}')
    text = error(run, "ModerationError")
    assert "--first-frame" in text
    assert "Not billed" in text
    text = error(k.execute(f'%seedance "A cat sim:moderated" {SMALL}'), "ModerationError")
    assert "failed at 100 %" in text
    assert "Not billed" in text
    listed = ok(k.execute("%anyfast jobs --status failed"))
    assert "2 failed" in listed
    assert "did not pass review" in listed  # why there is no film


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ('%seedance "x" --durration 5', "Did you mean --duration?"),
        ('%seedance "x" --ratio 5:4', "--ratio is '5:4'"),
        ("%%seedance --ratio 5:4\nx", "--ratio is '5:4'"),
        ('%seedance "x" --image nothing.png', "--image nothing.png"),
        ('%seedance "x" --first-frame shot.last_frame', "--first-frame shot.last_frame"),
        ('%seedance "x" --last-frame https://x.example/a.png', "--last-frame is given without --first-frame"),
        ('%seedance "x" --take 0', "--take 0"),
        ('%kling "x" --mode fast', "--mode is 'fast'"),
        ('%seedance "x" -m seedanse', "Did you mean seedance"),
        ('%seedream "x" --size 9K', "--size is '9K'"),
        ("%seedance a cat", 'Write %seedance "a cat"'),
        ("%seedance why?", 'Write %seedance "why?"'),
        ("%anyfast seedance", 'Write %seedance "…"'),
        ("%anyfast jobs --status lost", "--status lost"),
        ("%anyfast jobs --sort size", "--sort"),
        ("%anyfast jobs --since soon", "since"),
        ("%anyfast resume 12345678", "no job '12345678'"),
        ("%anyfast assets lst", "Did you mean `%anyfast assets list`?"),
        ("%anyfast assets add nothing", "there is no such file"),
    ],
)
def test_a_wrong_line_is_refused_in_three_lines(k: Kernel, cell: str, says: str) -> None:
    run = k.execute(cell)
    assert says in error(run, "ModelNotFoundError" if " -m " in cell else "InputError")


def test_help_reaches_every_way_of_asking(k: Kernel) -> None:
    for line in ("%seedance --help", "%seedance", "%anyfast help seedance", "%%seedance --help\nx"):
        assert "--return-last-frame" in ok(k.execute(line))
    for line in ("%seedance?", "%%seedance?"):
        assert "--return-last-frame" in str(k.execute(line).reply["content"]["payload"])
    assert "--task-id" in ok(k.execute("%anyfast resume --help"))
    assert "--cfg-scale" in ok(k.execute("%anyfast help kling"))
    assert "%seedream" in ok(k.execute("%anyfast help"))


# --- pictures, assets, secrets --------------------------------------------------------------------


def test_pictures_come_into_their_place_and_become_a_film(k: Kernel) -> None:
    run = k.execute('kites = %seedream "A red kite" --size 2K --count 2')
    ok(run)
    assert len(run.outputs) == 1
    assert not results(run)
    assert run.outputs[0]["data"]["text/html"].count("<img") == 2
    assert eval(ok(k.execute("len(kites), [path.suffix for path in kites.paths]"))) == (2, [".jpeg"] * 2)
    assert "kites[0]" in error(k.execute(f'%seedance "It rises" --first-frame kites {SMALL}'))
    run = k.execute(f'%seedance "It rises" --first-frame kites[1] {SMALL} --to film')
    ok(run)
    assert len(players(run)) == 1
    ok(k.execute('%seedream "A kite at night" --image kites --size 2K --to night'))
    assert ok(k.execute("len(night.request['image']), len(night)")) == "(2, 1)\n"
    run = k.execute(f'%seedance "It falls" --first-frame night {SMALL}')
    assert len(players(run)) == 1


def test_assets_are_added_once_listed_and_removed(k: Kernel) -> None:
    ok(k.execute("from PIL import Image\nImage.effect_noise((400, 400), 90).convert('RGB').save('ada.png')"))
    assert "group-" in ok(k.execute("%anyfast assets groups add hero --to hero"))
    text = ok(k.execute("%anyfast assets add ada.png --group hero --to ada"))
    assert "asset://asset-" in text
    assert "nothing was sent" not in text
    text = ok(k.execute("%anyfast assets add ada.png --to same"))
    assert "nothing was sent" in text
    assert ok(k.execute("ada.id == same.id")) == "True\n"
    named = ok(k.execute("%anyfast assets add ada.png --name Ada --group hero --to named"))
    assert "Ada" in named
    assert "nothing was sent" not in named
    assert "nothing was sent" in ok(k.execute("%anyfast assets add ada.png --name Ada --to same"))
    assert ok(k.execute("named.id == same.id, named.id == ada.id, named.name")) == "(True, False, 'Ada')\n"
    assert "is deleted" in ok(k.execute("%anyfast assets rm named"))
    run = k.execute("%anyfast assets list --group hero --pictures")
    assert eval(ok(k.execute("ada.id"))) in ok(run)
    assert "data:image/" in run.outputs[0]["data"]["text/html"]
    run = k.execute(f'%seedance "@image1 walks" --image ada {SMALL} --to walk')
    ok(run)
    assert "asset://asset-" in ok(k.execute("str(walk.request)"))
    ok(k.execute("noise = Image.effect_noise((400, 400), 50).convert('RGB')"))
    ok(k.execute("%anyfast assets add noise --to two"))
    assert "is deleted" in ok(k.execute("%anyfast assets rm {{ada.id}}"))
    assert "is deleted" in ok(k.execute("%anyfast assets rm two"))
    assert "No asset fits" in ok(k.execute("%anyfast assets list --group hero"))
    assert "Did you mean hero?" in error(k.execute("%anyfast assets list --group heroo"))
    assert "is deleted" in ok(k.execute("%anyfast assets groups rm hero"))


def test_secrets_are_in_no_output(k: Kernel, simulator: Simulator) -> None:
    signed = "https://example.com/a.png?X-Tos-Signature=5ec2e75ec2e75ec2e7"
    cells = [
        f'%seedance "@image1 sim:odd-status" --image {signed} {SMALL} --to shot',
        f'%seedance "@image1" --image {signed} --dry-run',
        f'%seedance "@image1 sim:real-person" --image {signed} {SMALL}',
        f'%kling "x" --image ftp://{signed[8:]}',
        "%anyfast jobs", "%anyfast resume", "shot", "shot.request", "%anyfast config",
    ]  # fmt: skip
    for cell in cells:
        run = k.execute(cell)
        everything = json.dumps([m["content"] for m in run.messages if m["msg_type"] != "execute_input"])
        assert simulator.key not in everything, cell
        assert "5ec2e75ec2e7" not in everything, cell
