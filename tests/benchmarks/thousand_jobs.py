"""A thousand films waited for at once: `python tests/benchmarks/thousand_jobs.py [JOBS]`.

480p, 4 s, one rendering for all, on a simulator that lets each wait for 16 s. Three ways, each in a
process of its own: the scheduler at two rates, and the loop that everybody writes first, a coroutine
for each job that asks every three seconds. The memory is what the process gained from the moment the
jobs were created.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.http.transport import Call, Transport
from anyfast_nb.jobs.job import Job
from anyfast_nb.jobs.scheduler import Next
from tests.environment import clean_environ

KEY = "sk-sim-bench"
JOBS = 1000
WISH: dict[str, Any] = {"resolution": "480p", "duration": 4, "audio": False, "seed": 5}
WAYS = {"scheduler, 50 requests/s": 50.0, "scheduler, 200 requests/s": 200.0, "a coroutine per job": 0.0}
CREATES = 16


class Watch:
    """What the process does meanwhile, sampled from a thread."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.memory: list[int] = []
        self.tasks = 0
        self.threads = 0
        self._over = threading.Event()

    @contextmanager
    def watching(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Count requests, memory, tasks, threads."""
        plain = Transport.json

        async def counted(transport: Transport, call: Call, **more: Any) -> Any:
            if call.method == "GET":
                self.asked.append(time.monotonic())
            return await plain(transport, call, **more)

        Transport.json = counted  # type: ignore[method-assign, assignment]
        sampling = threading.Thread(target=self._sample, args=(loop,))
        sampling.start()
        try:
            yield
        finally:
            Transport.json = plain  # type: ignore[method-assign]
            self._over.set()
            sampling.join()

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._over.wait(0.2):
            self.memory.append(_memory())
            self.tasks = max(self.tasks, len(asyncio.all_tasks(loop)))
            self.threads = max(self.threads, threading.active_count())

    def busiest_second(self) -> int:
        """Requests in the second that had most."""
        most, first = 0, 0
        for last, moment in enumerate(self.asked):
            while moment - self.asked[first] >= 1:
                first += 1
            most = max(most, last - first + 1)
        return most


def main(jobs: int = JOBS) -> None:
    print("| way | finished | seconds | CPU s | polls | busiest second | memory, MB | tasks | threads |")
    print("| --- |" + " ---: |" * 8)
    for way in WAYS:
        with tempfile.TemporaryDirectory() as name:
            print(f"| {way} | " + " | ".join(_measured(way, jobs, Path(name))) + " |", flush=True)


def _measured(way: str, jobs: int, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--port", "0", "--speed", "1", "--key", KEY]
    environ = clean_environ(folder / "simulator")
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        base_url = next(word.rstrip(".") for word in words if word.startswith("http://"))
        try:
            own = clean_environ(folder / "client") | {"ANYFAST_POLLS_PER_S": str(WAYS[way] or 1000)}
            one = [sys.executable, __file__, "--one", way, str(jobs), base_url]
            done = subprocess.run(one, env=own, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                return [f"failed: {done.stderr.splitlines()[-1]}", *[""] * 7]
            return list(json.loads(done.stdout.splitlines()[-1]))
        finally:
            process.terminate()


def one(way: str, count: int, base_url: str) -> None:
    """Create the jobs, wait for them, and print what that took."""
    asyncio.run(_one(way, count, base_url))


async def _one(way: str, count: int, base_url: str) -> None:
    async with AsyncClient(api_key=KEY, base_url=base_url) as client:
        first = await client.seedance("a thousand boats", **WISH)
        await first  # the one rendering, and what is imported once
        jobs = await _created(client, count)
        watch, before = Watch(), _memory()
        began, cpu = time.monotonic(), time.process_time()

        async def wait() -> None:
            with watch.watching(asyncio.get_running_loop()):
                if WAYS[way]:
                    await asyncio.gather(*(client.desk().scheduler.follow(job) for job in jobs))
                else:
                    await asyncio.gather(*(_alone(job) for job in jobs))

        await io_loop().wait(wait())
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    statuses = Counter(str(job.status) for job in jobs)
    whole = sum(job.path.stat().st_size == first.path.stat().st_size for job in jobs)
    print(
        json.dumps(
            [
                f"{whole} of {statuses['succeeded']}",
                f"{took_s:.0f}",
                f"{cpu_s:.1f}",
                f"{len(watch.asked):,}",
                str(watch.busiest_second()),
                f"+{(max(watch.memory) - before) / 1e6:.0f}",
                str(watch.tasks),
                str(watch.threads),
            ]
        )
    )


async def _created(client: AsyncClient, count: int) -> list[Job]:
    places = asyncio.Semaphore(CREATES)

    async def create() -> Job:
        async with places:
            return await client.seedance("a thousand boats", **WISH)

    return list(await asyncio.gather(*(create() for _ in range(count))))


async def _alone(job: Job) -> None:
    """The loop that everybody writes first."""

    async def now() -> None:
        pass

    while job._next() is Next.ASK:
        await job._ask_once(now)
        await asyncio.sleep(3)
    await job._fetch_once()


def _memory() -> int:
    """Resident bytes, or the most so far where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else JOBS)
