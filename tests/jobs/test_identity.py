"""The same wish, the same film: what is the same, what is another, and what is never paid twice."""

from __future__ import annotations

import dataclasses
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import Client
from anyfast_nb.client.generations import run_film
from anyfast_nb.errors import AnyFastError, Billed, InputError, LedgerError, NotFoundError, WireCut
from anyfast_nb.gateway import connection
from anyfast_nb.gateway.whence import Origin
from anyfast_nb.jobs import identity
from anyfast_nb.jobs.job import Job
from anyfast_nb.ledger import JobStatus, Ledger
from anyfast_nb.ledger.job_rows import JobRow
from anyfast_nb.secret import Secret
from anyfast_nb.settings import Endpoint
from anyfast_nb.wire.values import Source
from tests.jobs.conftest import (
    KEY,
    MakeClient,
    Time,
    created,
    film_reply,
    link,
    png,
    posts,
    refused,
    succeeded,
    task,
)
from tests.wire_server import RESET, Gate, Reply, WireServer

PROMPT = "A cat plays the piano"
CELL = Origin("/home/ada/films.ipynb", "cell-1")


def wish(client: Client, prompt: str = PROMPT, *, origin: Origin = CELL, **changes: Any) -> Job:
    """What a magic does."""
    own = {name: changes.pop(name) for name in ("take", "member") if name in changes}
    from anyfast_nb.gateway.gateway import io_loop

    desk = client.desk()
    return io_loop().run(desk.film("seedance", prompt, changes, origin=origin, reuse=True, **own))


# --- the same ----------------------------------------------------------------------------------------


def test_a_running_job_is_the_same_job_and_one_question_is_for_all(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    mine = client()
    wire_server.script(created(), task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    first = wish(mine, duration=4)
    assert first.reused_from is None
    again = wish(mine, duration=4)
    assert again is first
    assert again.reused_from is not None
    assert again.reused_from.made_at == first.created_at
    sent = first.created_at.astimezone()
    assert again.reused_from.note == f"film of {sent:%H:%M} · `--take 2` for another"
    assert again.wait().path.read_bytes() == film
    assert len(posts(wire_server)) == 1


def test_a_film_is_shown_again_in_another_kernel_on_another_day(
    wire_server: WireServer, client: MakeClient, film: bytes, time: Time
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    first = wish(client(), first_frame=png())
    first.wait()
    before = len(wire_server.requests)

    time.passed += 400 * 86_400
    again = wish(client(), first_frame=png())
    assert (again.id, again.path) == (first.id, first.path)
    assert again.reused_from is not None
    sent = first.created_at.astimezone()
    assert again.reused_from.note.startswith(f"film of {sent:%Y-%m-%d %H:%M} · ")
    assert len(wire_server.requests) == before


def test_a_running_job_of_another_kernel_is_followed_to_its_film(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created())
    first = wish(client())
    wire_server.script(task("IN_PROGRESS"), succeeded(link(wire_server)), film_reply(film))
    again = wish(client())
    assert (again.id, again.reused_from is not None) == (first.id, True)
    assert again.wait().path.read_bytes() == film
    assert len(posts(wire_server)) == 1


# --- another -------------------------------------------------------------------------------------------


OTHERS: dict[str, dict[str, Any]] = {
    "another take": {"take": 2},
    "another cell": {"origin": Origin(CELL.notebook, "cell-2")},
    "another notebook": {"origin": Origin("/home/ada/other.ipynb", CELL.cell)},
    "another prompt": {"prompt": "A dog plays the piano"},
    "another option": {"seed": 5},
    "another picture": {"first_frame": png("blue")},
    "another member of a sweep": {"member": "ratio=1:1"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_another_wish_is_made(wire_server: WireServer, client: MakeClient, name: str) -> None:
    mine = client()
    wire_server.script(created("asyntask_1"), created("asyntask_2"))
    first = wish(mine, first_frame=png("red"))
    other = wish(mine, **{"first_frame": png("red"), **OTHERS[name]})
    assert (first.task_id, other.task_id) == ("asyntask_1", "asyntask_2")
    assert other.reused_from is None
    assert wish(mine, **{"first_frame": png("red"), **OTHERS[name]}) is other
    assert other.row.take == OTHERS[name].get("take", 1)


def test_another_key_and_another_user_have_wishes_of_their_own(
    wire_server: WireServer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire_server.script(*[created(f"asyntask_{number}") for number in range(3)])
    jobs = [wish(client()), wish(client(api_key="sk-another-0123456"))]
    monkeypatch.setenv("JUPYTERHUB_USER", "somebody-else")
    jobs.append(wish(client()))
    assert len({job.id for job in jobs}) == 3
    assert len(posts(wire_server)) == 3


def test_without_a_cell_the_kernel_counts(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created("asyntask_1"), created("asyntask_2"))
    mine = client()
    first = wish(mine, origin=Origin())
    assert wish(mine, origin=Origin("/home/ada/films.ipynb", None)) is first
    identity._kernel.cache_clear()  # as after a restart
    assert wish(mine, origin=Origin()).task_id == "asyntask_2"


def test_without_a_notebook_s_name_its_folder_counts(
    wire_server: WireServer, client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire_server.script(created("asyntask_1"), created("asyntask_2"))
    first = wish(client(), origin=Origin(None, "cell-1"))
    assert wish(client(), origin=Origin(None, "cell-1")).id == first.id
    monkeypatch.chdir(tmp_path)
    assert wish(client(), origin=Origin(None, "cell-1")).id != first.id


def test_python_calls_always_create_unless_told(wire_server: WireServer, client: MakeClient) -> None:
    mine = client()
    wire_server.script(*[created(f"asyntask_{number}") for number in range(4)])
    first, second = mine.seedance(PROMPT), mine.seedance(PROMPT)
    assert first.id != second.id
    assert mine.seedance(PROMPT, reuse=True) is second
    third = mine.kling(PROMPT, reuse=True)
    assert mine.kling(PROMPT, reuse=True) is third
    assert mine.kling(PROMPT, reuse=True, take=2) is not third
    assert len(posts(wire_server)) == 4


@pytest.mark.parametrize("take", [0, -1, True, "2"])
def test_takes_are_counted_from_one(wire_server: WireServer, client: MakeClient, take: Any) -> None:
    with pytest.raises(InputError) as caught:
        client().seedance(PROMPT, take=take)
    assert caught.value.field == "take"
    assert wire_server.requests == []


def test_the_system_s_user_may_have_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    assert identity.user({"JUPYTERHUB_USER": "ada"}) == "ada"
    monkeypatch.setattr(identity.getpass, "getuser", nobody)
    assert identity.user({}).isdigit()


# --- what failed, and what is in doubt ---------------------------------------------------------------


def test_what_failed_is_made_anew(wire_server: WireServer, client: MakeClient, film: bytes) -> None:
    mine = client()
    wire_server.script(created("asyntask_1"), task("FAILURE", "100%", fail_reason="no"), refused("bad"))
    with pytest.raises(AnyFastError, match="no"):
        wish(mine).wait()
    with pytest.raises(AnyFastError, match="bad"):
        wish(mine)
    for status in (JobStatus.CANCELLED, JobStatus.EXPIRED):
        wire_server.script(created(f"asyntask_{status}"))
        job = wish(mine)
        assert job.task_id == f"asyntask_{status}"
        job.change(status=status)
    wire_server.script(created("asyntask_5"), succeeded(link(wire_server)), film_reply(film))
    last = wish(mine)
    assert last.wait().path.read_bytes() == film
    assert wish(client()).id == last.id


def test_what_is_in_doubt_is_never_sent_again_without_another_take(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(Reply(body=(RESET,)))
    with pytest.raises(WireCut):
        wish(client())
    for _ in range(2):
        with pytest.raises(AnyFastError, match="nothing was sent") as caught:
            wish(client())
    error = caught.value
    lost = error.partial
    assert isinstance(lost, Job)
    assert lost.status is JobStatus.SUBMIT_UNKNOWN
    assert error.billed is Billed.MAYBE
    short = lost.id[-8:]
    for part in ("may be billed", "console", f"%anyfast resume {short} --task-id", "`--take 2`", "take=2"):
        assert part in str(error)
    assert len(error.lines()) == 3
    assert len(posts(wire_server)) == 1

    wire_server.script(created("asyntask_2"))
    assert wish(client(), take=2).task_id == "asyntask_2"
    with pytest.raises(AnyFastError, match="nothing was sent"):
        wish(client())

    lost.adopt("asyntask_1")  # the console knew it
    again = wish(client())
    assert (again.id, again.task_id) == (lost.id, "asyntask_1")
    assert len(posts(wire_server)) == 2


def test_while_another_kernel_sends_it_there_is_no_doubt(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    gate = Gate()
    reply = created("asyntask_1")
    wire_server.script(Reply(body=(gate, *reply.body)))
    sending = client()
    thread = threading.Thread(target=wish, args=(sending,))
    thread.start()
    wire_server.wait_for_requests(1)
    other = client()
    found = wish(other)
    assert (found.status, found.reused_from is None) == (JobStatus.SUBMITTING, False)

    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    gate.opened.set()
    thread.join()
    assert found.wait().path.read_bytes() == film  # it learns the task id from the ledger
    assert len(posts(wire_server)) == 1


def test_a_kernel_that_dies_while_it_sends_leaves_a_doubt(
    wire_server: WireServer, client: MakeClient
) -> None:
    gate = Gate()
    wire_server.script(Reply(body=(gate, RESET)))
    sending = client()
    failed: list[BaseException] = []

    def send() -> None:
        try:
            wish(sending)
        except WireCut as error:
            failed.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    wire_server.wait_for_requests(1)
    found = wish(client())
    sending._gateway.ledger.close()  # its lock goes with it, as on kill -9
    with pytest.raises(AnyFastError, match="may be billed"):
        found.wait()
    assert found.status is JobStatus.SUBMIT_UNKNOWN
    with pytest.raises(AnyFastError, match="nothing was sent"):
        wish(client())
    gate.opened.set()
    thread.join()
    assert failed
    assert len(posts(wire_server)) == 1


def test_two_cells_at_once_send_one(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(*[created(f"asyntask_{number}") for number in range(8)])
    clients = [client() for _ in range(4)]
    start = threading.Barrier(8)
    found: list[Job] = []

    def run(own: Client) -> None:
        start.wait()
        found.append(wish(own))

    threads = [threading.Thread(target=run, args=(own,)) for own in clients * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({job.id for job in found}) == 1
    assert sum(job.reused_from is None for job in found) <= 2  # the one that sent it, and its own second cell
    assert len(posts(wire_server)) == 1


def _begin(path: str, row: JobRow, start: Any, answers: Any) -> None:
    with Ledger(path) as ledger:
        ledger.open()
        start.wait()
        mine = dataclasses.replace(row, id=f"{threading.get_native_id():032x}", maker=ledger.maker())
        standing = ledger.begin_job_once(mine)
        answers.put(None if standing is None else standing.id)
        start.wait()  # all have begun before one of them ends


def test_of_several_kernels_one_begins(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    row = job_row()
    start, answers = spawn.Barrier(4), spawn.Queue()
    kernels = [
        spawn.Process(target=_begin, args=(str(tmp_path / "ledger.sqlite3"), row, start, answers))
        for _ in range(4)
    ]
    for kernel in kernels:
        kernel.start()
    said = [answers.get(timeout=60) for _ in kernels]
    for kernel in kernels:
        kernel.join()
    assert said.count(None) == 1
    assert len(set(said)) == 2


def job_row(**changes: Any) -> JobRow:
    values: dict[str, Any] = {
        "kind": "seedance", "create_path": "/v1/x", "base_url": "http://host", "source": Source.LIVE,
        "model": "seedance", "request_hash": "00", "identity": "same",
    }  # fmt: skip
    return JobRow(**(values | changes))


# --- the film is gone ----------------------------------------------------------------------------------


def test_a_film_that_was_removed_is_fetched_again(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    wish(client()).path.unlink()
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    assert wish(client()).path.read_bytes() == film
    assert len(posts(wire_server)) == 1


@pytest.mark.parametrize("how", ["the task", "the link"])
def test_a_film_that_is_gone_for_good_is_said_to_be_and_not_paid_again(
    wire_server: WireServer, client: MakeClient, film: bytes, time: Time, how: str
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    wish(client()).path.unlink()
    time.passed += 3 * 86_400
    missing = Reply.json({"code": "task_not_exist", "message": "task_not_exist", "data": None}, status=400)
    expired = Reply(status=403, body=(b"<Error/>",), content_type="text/xml")
    gone = [missing] if how == "the task" else [succeeded(link(wire_server)), expired] * 2
    wire_server.script(*gone)
    job = wish(client())
    with pytest.raises(NotFoundError, match="is not on this disk, and the gateway does not") as caught:
        job.wait()
    assert "`--take 2`" in caught.value.hint
    assert caught.value.billed is Billed.NO
    assert job.status is JobStatus.SUCCEEDED
    assert len(posts(wire_server)) == 1


def test_a_film_whose_kernel_was_killed_before_it_could_say_so_is_not_fetched_twice(
    wire_server: WireServer, client: MakeClient, film: bytes
) -> None:
    wire_server.script(created(), succeeded(link(wire_server)), film_reply(film))
    first = wish(client()).wait()
    path = first.path
    path.with_suffix(".json").unlink()
    with Ledger() as ledger:
        ledger.absorb()
        database = sqlite3.connect(ledger.path)
    database.execute("UPDATE jobs SET path = NULL")
    database.commit()
    database.close()

    before = len(wire_server.requests)
    wire_server.script(succeeded(link(wire_server)))
    assert wish(client()).path == path
    assert len(wire_server.requests) == before + 1  # asked where it stands; not downloaded
    assert path.with_suffix(".json").exists()

    path.write_bytes(film[:-100])  # what is not whole is not taken for it
    wire_server.script(succeeded(link(wire_server)), film_reply(film))
    with Ledger() as ledger:
        ledger.absorb()
        database = sqlite3.connect(ledger.path)
    database.execute("UPDATE jobs SET path = NULL")
    database.commit()
    database.close()
    assert wish(client()).path.read_bytes() == film


# --- trouble, and the built-in AnyFast -----------------------------------------------------------------


def test_where_the_ledger_cannot_be_read_a_wish_is_not_sent_blindly(
    wire_server: WireServer, client: MakeClient, tmp_path: Path
) -> None:
    place = tmp_path / "in the way" / "ledger.sqlite3"
    place.mkdir(parents=True)
    told: list[str] = []
    ledger = Ledger(place, warn=told.append)
    mine = client(ledger=ledger)
    with pytest.raises(LedgerError, match="cannot be read"):
        wish(mine)
    assert wire_server.requests == []
    ledger.close()


def test_where_the_ledger_cannot_be_written_the_journal_still_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyfast_nb.ledger.disk.sqlite_file.PATIENCE_S", 0.01)
    told: list[str] = []
    with Ledger(tmp_path / "ledger.sqlite3", warn=told.append) as ledger:
        ledger.open()
        lock = sqlite3.connect(ledger.path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        assert ledger.begin_job_once(job_row(maker=ledger.maker())) is None
        standing = ledger.begin_job_once(job_row(maker=ledger.maker()))
        assert standing is not None
        assert told  # it waits in the journal
        lock.execute("ROLLBACK")
        lock.close()
        again = ledger.begin_job_once(job_row(maker=ledger.maker()))
        assert again is not None
        assert again.id == standing.id


def test_a_job_of_a_built_in_anyfast_that_has_ended_is_made_anew(
    wire_server: WireServer, client: MakeClient, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["sk-sim-first"]

    async def built_in(settings: Any) -> Endpoint:
        return Endpoint(base_url=wire_server.url, api_key=Secret(keys[-1]), simulated=True)

    monkeypatch.setattr(connection, "_built_in", built_in)
    wire_server.script(created("asyntask_1"), created("asyntask_2"), succeeded(link(wire_server)))
    wire_server.script(film_reply(film))
    first = wish(client(base_url="simulator", api_key=None))
    assert wish(client(base_url="simulator", api_key=None)).id == first.id
    keys.append("sk-sim-second")
    second = wish(client(base_url="simulator", api_key=None))
    assert second.task_id == "asyntask_2"
    assert client().job(first.id).status is JobStatus.EXPIRED
    second.wait()
    keys.append("sk-sim-third")  # what was made stays, whoever made it
    assert wish(client(base_url="simulator", api_key=None)).path == second.path


def test_nothing_secret_is_in_an_identity(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created())
    job = wish(client())
    assert job.row.identity is not None
    assert len(job.row.identity) == 64
    assert KEY not in repr(job.row)


MakeRow = Callable[..., JobRow]


def test_the_newest_of_equals_stands_and_a_film_before_all(tmp_path: Path) -> None:
    now = datetime(2026, 11, 3, tzinfo=UTC)

    def at(number: int, status: JobStatus) -> JobRow:
        moment = now + timedelta(minutes=number)
        return job_row(id=f"{number:032x}", status=status, created_at=moment, updated_at=moment)

    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        assert ledger.standing("same") is None
        for number, status in enumerate(
            (JobStatus.FAILED, JobStatus.SUBMIT_UNKNOWN, JobStatus.SUBMITTING, JobStatus.EXPIRED)
        ):
            ledger.begin_job(at(number, status))
        standing = ledger.standing("same")
        assert standing is not None
        assert standing.status is JobStatus.SUBMITTING  # of a dead kernel: in doubt as well
        for number, status in ((10, JobStatus.SUCCEEDED), (11, JobStatus.SUCCEEDED), (12, JobStatus.RUNNING)):
            ledger.begin_job(at(number, status))
        standing = ledger.standing("same")
        assert standing is not None
        assert standing.id == f"{11:032x}"
        assert ledger.standing("other") is None


def test_run_film_passes_take_and_reuse_on(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(created())
    mine = client()
    job = run_film(mine.desk(), "seedance", PROMPT, {}, origin=CELL, take=3, reuse=True)
    assert (job.row.take, job.row.cell) == (3, "cell-1")
    assert wish(mine, take=3) is job
