"""One clock for all jobs: how fast, how many at a time, for whom, and what one job may do to another."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time as real_time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import AnyFastError, ConnectFailed, RateLimitError, ServerError, StillRunning
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs import scheduler as room
from anyfast_nb.jobs.scheduler import Next, Scheduler
from anyfast_nb.jobs.tempo import Tempo
from tests.conftest import Simulator
from tests.jobs.conftest import Time

Ask = Callable[[], Any]


class Film:
    """A job that is finished after so many questions; each may be answered in a way of its own."""

    def __init__(self, time: Time, *, asks: int = 3, answers: tuple[Exception | None, ...] = ()) -> None:
        self.time = time
        self.left = asks
        self.answers = list(answers)
        self.asked: list[float] = []
        self.fetched = 0
        self.hold: asyncio.Event | None = None  # questions and downloads wait for it
        self.at_work = 0
        self.most_at_work = 0

    def _next(self) -> Next:
        if self.fetched:
            return Next.NOTHING
        return Next.ASK if self.left else Next.FETCH

    def _patience_s(self) -> float:
        return 600

    def _gap_s(self) -> float:
        return 3

    async def _ask_once(self, turn: Ask) -> bool:
        await turn()
        self.asked.append(self.time.passed)
        if self.hold is not None:
            await self.hold.wait()
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer
        self.left -= 1
        return True

    async def _fetch_once(self) -> None:
        if self.hold is not None:
            await self.hold.wait()
        self.fetched += 1

    def _told(self, on_change: Callable[[Any], None]) -> None:
        on_change(self)

    def _late(self, what: str) -> AnyFastError:
        return StillRunning(what)


def scheduler_at(time: Time, per_s: float = 5.0) -> Scheduler:
    return Scheduler(pace=time.pace(), polls_per_s=lambda: per_s)


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


def busy(retry_after_s: float | None = None) -> RateLimitError:
    error = RateLimitError("busy", status=429)
    error.retry_after_s = retry_after_s
    return error


async def test_many_jobs_are_asked_for_one_after_another_and_all_finish(time: Time) -> None:
    scheduler = scheduler_at(time, per_s=4)
    films = [Film(time) for _ in range(60)]
    futures = [scheduler.follow(film) for film in films]
    tasks = []
    while not all(future.done() for future in futures):
        tasks.append(len(asyncio.all_tasks()))
        await asyncio.sleep(0)
    await asyncio.gather(*futures)

    asked = sorted(moment for film in films for moment in film.asked)
    assert len(asked) == 60 * 3
    gaps = [after - before for before, after in pairwise(asked)]
    assert min(gaps) >= 0.25 - 1e-9
    assert sum(gaps) == pytest.approx(0.25 * (60 * 3 - 1), rel=0.1)  # nor slower than it may
    assert all(film.fetched == 1 for film in films)
    assert all(film.asked[1] - film.asked[0] >= 3 for film in films)
    assert max(tasks) <= 20  # however many jobs there are
    assert len(scheduler) == 0
    await settled()
    assert len(asyncio.all_tasks()) == 1  # nothing stays behind


async def test_one_job_that_many_wait_for_is_asked_for_once(time: Time) -> None:
    scheduler, film = scheduler_at(time), Film(time)
    whose: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="nobody")
    told: list[str] = []
    futures = []
    for name in ("a", "b", "c"):
        whose.set(name)
        futures.append(scheduler.follow(film, on_change=lambda _: told.append(whose.get())))
    whose.set("later")
    await asyncio.gather(*futures)
    assert len(film.asked) == 3
    assert film.fetched == 1
    assert told == ["a", "b", "c"] * 4  # three answers and a file, each in the context that waits


async def test_a_callback_that_fails_is_its_own_waiter_s_trouble(time: Time) -> None:
    scheduler, film = scheduler_at(time), Film(time)

    def broken(_: Any) -> None:
        raise ZeroDivisionError

    failing, good = scheduler.follow(film, on_change=broken), scheduler.follow(film)
    await good
    with pytest.raises(ZeroDivisionError):
        await failing
    assert film.fetched == 1


async def test_whoever_goes_is_forgotten_and_the_last_one_takes_the_job_along(time: Time) -> None:
    scheduler, film = scheduler_at(time), Film(time)
    film.hold = asyncio.Event()
    first, second = scheduler.follow(film), scheduler.follow(film)
    await settled()
    assert len(film.asked) == 1
    first.cancel()
    await settled()
    assert len(scheduler) == 1
    second.cancel()
    await settled()
    assert len(scheduler) == 0
    assert len(asyncio.all_tasks()) == 1  # the question that was under way is called off

    film.hold.set()
    await scheduler.follow(film)  # and another may come
    assert film.fetched == 1


async def test_a_job_in_the_heap_that_nobody_waits_for_is_not_asked_for(time: Time) -> None:
    scheduler, film, other = scheduler_at(time), Film(time, asks=50), Film(time, asks=10)
    leaving = scheduler.follow(film)
    staying = scheduler.follow(other, on_change=lambda _: leaving.cancel() if len(other.asked) == 2 else None)
    await staying
    assert len(film.asked) <= 3


@pytest.mark.parametrize("timeout_s", [0, 7, 20])
async def test_each_waits_as_long_as_he_wants(time: Time, timeout_s: float) -> None:
    scheduler, film = scheduler_at(time), Film(time, asks=100)
    patient = scheduler.follow(film, timeout_s=60)
    with pytest.raises(StillRunning, match="still running"):
        await scheduler.follow(film, timeout_s=timeout_s)
    assert time.passed == pytest.approx(timeout_s, abs=0.3)
    assert film.asked
    assert not patient.done()
    patient.cancel()


async def test_a_waiter_who_comes_later_and_leaves_earlier_is_told_in_time(time: Time) -> None:
    scheduler, film = scheduler_at(time), Film(time, asks=100)
    late: list[asyncio.Future[None]] = []

    def join(_: Any) -> None:
        if not late:
            late.append(scheduler.follow(film, timeout_s=1))

    first = scheduler.follow(film, timeout_s=60, on_change=join)
    while not late or not late[0].done():
        await asyncio.sleep(0)
    assert time.passed == pytest.approx(1, abs=0.3)
    assert isinstance(late[0].exception(), StillRunning)
    first.cancel()


async def test_where_questions_queue_up_nobody_waits_much_longer_than_he_wanted(time: Time) -> None:
    scheduler = scheduler_at(time, per_s=0.1)
    films = [Film(time, asks=100) for _ in range(50)]
    ended = await asyncio.gather(
        *(scheduler.follow(film, timeout_s=20) for film in films), return_exceptions=True
    )
    assert all(isinstance(one, StillRunning) for one in ended)
    assert time.passed <= 40


@pytest.mark.parametrize("asked_s", [30.0, None])
async def test_what_one_job_is_refused_slows_all(time: Time, asked_s: float | None) -> None:
    scheduler = scheduler_at(time)
    refused = Film(time, asks=1, answers=(busy(asked_s), busy(asked_s)))
    others = [Film(time, asks=1) for _ in range(3)]
    await asyncio.gather(*(scheduler.follow(film) for film in (refused, *others)))
    first, second, _ = refused.asked
    assert second - first >= (asked_s or 2.0)
    assert all(film.asked[0] <= first + 0.9 or film.asked[0] >= first + (asked_s or 2.0) for film in others)
    assert sum(film.asked[0] >= first + 2.0 for film in others) >= 2


async def test_a_busy_server_that_names_a_time_is_left_alone_as_well(time: Time) -> None:
    down = ServerError("busy", status=503)
    down.retry_after_s = 40.0
    scheduler, film = scheduler_at(time), Film(time, asks=1, answers=(down, ConnectFailed("no"), None))
    await scheduler.follow(film)
    assert film.asked[1] - film.asked[0] >= 40
    assert film.asked[2] - film.asked[1] == pytest.approx(3, abs=0.3)  # no connection is no refusal


async def test_what_ends_the_waiting_ends_it_for_all_and_for_no_other_job(time: Time) -> None:
    scheduler = scheduler_at(time)
    broken, good = Film(time, answers=(PermissionError("no"),)), Film(time)
    ended = await asyncio.gather(
        scheduler.follow(broken), scheduler.follow(broken), scheduler.follow(good), return_exceptions=True
    )
    assert [type(one) for one in ended] == [PermissionError, PermissionError, type(None)]
    assert len(scheduler) == 0


async def test_a_question_without_an_answer_is_asked_again(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_QUESTION_S", 0.02)
    scheduler, film = scheduler_at(time), Film(time, asks=1)
    film.hold = asyncio.Event()
    future = scheduler.follow(film)
    while len(film.asked) < 2:
        await asyncio.sleep(0.001)
    film.hold.set()
    await future
    assert film.fetched == 1


async def test_few_questions_and_few_downloads_run_at_a_time(time: Time) -> None:
    scheduler = scheduler_at(time, per_s=1000)
    hold = asyncio.Event()
    films = [Film(time, asks=1) for _ in range(30)]
    made = [Film(time, asks=0) for _ in range(30)]
    for film in (*films, *made):
        film.hold = hold
    futures = [scheduler.follow(film) for film in (*films, *made)]
    await settled()
    assert sum(len(film.asked) for film in films) == 8
    assert len(asyncio.all_tasks()) <= 8 + 4 + 5
    hold.set()
    await asyncio.gather(*futures)
    assert all(film.fetched == 1 for film in (*films, *made))


async def test_a_clock_that_breaks_lets_nobody_wait_for_ever(time: Time) -> None:
    async def broken(seconds: float) -> None:
        raise OSError("no clock")

    scheduler, film = Scheduler(pace=time.pace(sleep=broken)), Film(time)
    with pytest.raises(OSError, match="no clock"):
        await scheduler.follow(film)
    assert len(scheduler) == 0


async def test_waiting_is_ended_from_another_thread(time: Time) -> None:
    scheduler, film = scheduler_at(time), Film(time)
    film.hold = asyncio.Event()
    future = scheduler.follow(film)
    await settled()
    thread = threading.Thread(target=scheduler.let_go, args=(film, "stopped"))
    thread.start()
    with pytest.raises(StillRunning, match="stopped"):
        await future
    thread.join()
    scheduler.let_go(film, "again")  # is nothing
    await settled()
    assert len(asyncio.all_tasks()) == 1


def test_another_loop_begins_anew(time: Time) -> None:
    scheduler = scheduler_at(time)

    async def wait_a_moment() -> None:
        scheduler.follow(Film(time))
        await asyncio.sleep(0)

    async def wait() -> None:
        await scheduler.follow(Film(time))

    asyncio.run(wait_a_moment())  # such as before a fork
    asyncio.run(wait())
    assert len(scheduler) == 0


def test_the_tempo_saves_nothing_up_and_rests_longer_with_each_refusal() -> None:
    tempo = Tempo(4)
    assert [tempo.take(0) for _ in range(3)] == [0, 0.25, 0.5]
    assert [tempo.take(10) for _ in range(3)] == [10, 10.25, 10.5]
    rests = []
    for _ in range(10):
        tempo.free_at = 0
        tempo.slow(0, None, uniform=lambda low, high: low)
        rests.append(tempo.free_at)
    assert rests == [2, 4, 8, 16, 32, 64, 64, 64, 64, 64]
    tempo.ease()
    tempo.free_at = 0
    tempo.slow(0, 3600, uniform=lambda low, high: high)
    assert tempo.free_at == 120
    tempo.slow(0, 1, uniform=lambda low, high: low)
    assert tempo.free_at == 120  # a shorter rest is no leave


# --- with a server --------------------------------------------------------------------------------


async def test_sixty_films_of_the_simulator_keep_to_the_rate(
    simulator: Simulator, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = 100.0
    monkeypatch.setenv("ANYFAST_POLLS_PER_S", str(rate))
    async with AsyncClient(api_key=simulator.key, base_url=simulator.base_url) as client:
        wish = {"resolution": "480p", "duration": 4, "seed": 7, "audio": False}
        jobs = [await client.seedance("sixty films sim:polls=2", **wish) for _ in range(60)]  # type: ignore[arg-type]
        desk = client.desk()
        began = real_time.monotonic()

        async def all_of_them() -> list[float]:
            moments: list[float] = []
            for job in jobs:
                job._pace = desk.pace.__class__(first_s=0.01, most_s=0.05)
            turn = desk.scheduler.tempo.take

            def noted(now: float) -> float:
                moments.append(now)
                return turn(now)

            monkeypatch.setattr(desk.scheduler.tempo, "take", noted)
            await asyncio.gather(*(desk.scheduler.follow(job) for job in jobs))
            return moments

        moments = await io_loop().wait(all_of_them())
        took_s = real_time.monotonic() - began
    assert len(moments) >= 60 * 3
    assert len(moments) - 1 <= rate * took_s
    gaps = [after - before for before, after in pairwise(moments)]
    assert min(gaps) >= 1 / rate - 1e-6
    assert len({job.path.read_bytes() for job in jobs}) == 1
    assert len({job.path for job in jobs}) == 60
