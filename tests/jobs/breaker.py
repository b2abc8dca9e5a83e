"""A process that makes one film and ends itself in the middle: by `tests.jobs.broken_off`.

    python breaker.py BASE_URL KEY PHASE SIGNAL DELAY_S

The delay runs from the beginning of the phase: submit, poll or download.
"""

import importlib
import os
import signal
import sys
import threading
from typing import Any

from anyfast_nb.client.faces import Client
from anyfast_nb.client.generations import run_film
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.gateway.whence import Origin
from anyfast_nb.jobs.job import Job
from anyfast_nb.jobs.poll import Pace

PROMPT = "a boat on a lake sim:polls=3 sim:file-drop=1"
WISH: dict[str, Any] = {"resolution": "480p", "duration": 4, "audio": False, "seed": 11}
CELL = Origin("films.ipynb", "cell-1")
PACE = Pace(first_s=0.02, most_s=0.05)


def film(client: Client) -> Job:
    """What a cell asks for; running it again shows the same film."""
    return run_film(client.desk(), "seedance", PROMPT, WISH, origin=CELL, reuse=True)


def main(base_url: str, key: str, phase: str, number: int, delay_s: float) -> None:
    def begins(name: str) -> None:
        if name == phase:
            timer = threading.Timer(delay_s, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()

    def changed(job: Job) -> None:
        if job.done and job.file is None:
            begins("download")

    os.environ["ANYFAST_POLLS_PER_S"] = "100"
    with Client(api_key=key, base_url=base_url) as client:
        client.pace = PACE
        client.models()  # what is imported and opened once would take the most of a phase
        io_loop().run(client.desk().prepared("seedance", PROMPT, WISH))
        client.jobs()
        importlib.import_module("anyfast_nb.media.sniff")
        try:
            begins("submit")
            job = film(client)
            begins("poll")
            job.wait(on_change=changed)
        except KeyboardInterrupt as stopped:  # ours say more; this file may be hit as well
            print(stopped, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(signal.Signals[sys.argv[4]]), float(sys.argv[5]))
