"""Journal first: SQLAlchemy is nobody's wait, and the thread that takes rows over is nobody's burden."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from weakref import ref

import pytest

from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.disk import durable, leaving
from anyfast_nb.ledger.disk.absorber import Absorber
from anyfast_nb.wire.values import Status
from tests.conftest import Simulator
from tests.ledger.conftest import in_file, request_row, stored

ROOT = Path(__file__).parents[2]
AT_WORK = "anyfast-ledger"


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == AT_WORK}


BEGUN = """
from anyfast_nb.ledger import Ledger, StoredAsset
from tests.ledger.conftest import request_row
from tests.ledger.test_jobs import job_row
ledger = Ledger(sys.argv[1])
ledger.begin(request_row())
ledger.update_job(job_row())
ledger.forget_asset("a")
"""


class Worker:
    """Counts how often it worked."""

    def __init__(self, again_s: float | None = None) -> None:
        self.again_s = again_s
        self.times = 0
        self.worked = threading.Event()

    def work(self) -> float | None:
        self.times += 1
        self.worked.set()
        return self.again_s


def test_it_works_a_moment_after_it_was_asked_and_again_by_itself_after_trouble() -> None:
    worker = Worker()
    absorber = Absorber(worker.work, wait_s=0)
    absorber.wake()
    assert worker.worked.wait(60)
    worker.again_s = 0.001
    worker.worked.clear()
    absorber.wake()
    assert worker.worked.wait(60)
    worker.worked.clear()
    assert worker.worked.wait(60)  # nobody asked
    absorber.stop()
    done = worker.times
    absorber.wake()
    absorber.stop()
    assert worker.times == done


def test_requests_that_follow_each_other_go_together() -> None:
    worker = Worker()
    absorber = Absorber(worker.work, wait_s=0.2)
    for _ in range(50):
        absorber.wake()
    assert worker.worked.wait(60)
    absorber.stop()
    assert worker.times <= 2


def test_it_starts_with_the_first_settled_request_and_ends_with_the_ledger(path: Path) -> None:
    before = threads()
    ledger = Ledger(path, wait_s=0)
    row = request_row()
    ledger.begin(row)
    assert threads() == before
    assert not path.exists()
    ledger.settle(row.id, status=Status.OK)
    (thread,) = threads() - before
    assert thread.daemon
    ledger.close()
    assert not thread.is_alive()
    assert {kept["status"] for kept in stored(path).values()} == {"ok"}


def test_rows_come_into_the_file_by_themselves(path: Path) -> None:
    with Ledger(path, wait_s=0) as ledger:
        row = request_row()
        ledger.begin(row)
        ledger.settle(row.id, status=Status.OK)
        journal = path.parent / "journal"
        while list(journal.glob("*.jsonl")):  # the test's time limit is the limit
            threading.Event().wait(0.01)
        assert {kept["status"] for kept in in_file(path).values()} == {"ok"}


def test_it_keeps_no_ledger_alive(path: Path) -> None:
    ledger = Ledger(path, wait_s=0)
    row = request_row()
    ledger.begin(row)
    ledger.settle(row.id, status=Status.OK)
    (thread,) = (found for found in threads() if found.is_alive())
    gone = ref(ledger)
    del ledger
    while gone() is not None:  # the thread holds it while it works
        gc.collect()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("closed", ["", "ledger.close()"])
def test_what_a_short_program_did_is_in_the_file_when_it_ended(path: Path, closed: str) -> None:
    code = (
        "import sys\n"
        "from anyfast_nb.ledger import Ledger\n"
        "from anyfast_nb.wire.values import Status\n"
        "from tests.ledger.conftest import request_row\n"
        "ledger = Ledger(sys.argv[1])\n"
        "for number in range(3):\n"
        "    row = request_row(); ledger.begin(row); ledger.settle(row.id, status=Status.OK)\n"
        f"ledger.begin(request_row())\n{closed}\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(row["status"] for row in in_file(path).values()) == ["ok"] * 3 + ["unfinished"]
    assert not list((path.parent / "journal").glob("*.jsonl"))


def test_the_end_of_a_process_waits_neither_for_a_server_nor_for_much(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []
    monkeypatch.setattr(durable, "_absorb_at_the_end", taken.append)
    monkeypatch.setattr(leaving, "_left", {})
    with Ledger("postgresql://nobody@192.0.2.1/class", wait_s=3600) as far:
        far.begin(request_row())
    with Ledger(path) as near:
        near.begin(request_row())
    assert list(leaving._left) == [path]
    with monkeypatch.context() as patch:
        patch.setattr(leaving, "_MOST_BYTES", 10)
        leaving.take_over()
    assert taken == []
    leaving.leave(path, taken.append)
    leaving.take_over()
    assert taken == [path]
    assert not leaving._left


def test_a_kernel_ends_at_once_and_loses_nothing(path: Path) -> None:
    code = (
        "import sys\n"
        "from anyfast_nb.ledger import Ledger\n"
        "from anyfast_nb.wire.values import Status\n"
        "from tests.ledger.conftest import request_row\n"
        "ledger = Ledger(sys.argv[1], wait_s=3600)\n"
        "for number in range(3):\n"
        "    row = request_row(); ledger.begin(row); ledger.settle(row.id, status=Status.OK)\n"
        "if sys.argv[2:]: ledger.open(); ledger.begin(request_row())\n"
    )

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), *words], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0
        return done.stderr

    assert run() == ""
    assert run("open") == ""
    assert len(in_file(path)) == 7
    assert not list((path.parent / "journal").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import anyfast_nb.ledger.store", {"pandas", "numpy", "sqlalchemy", "matplotlib"}),
        (BEGUN, {"sqlalchemy"}),
    ],
)
def test_no_heavy_import_for_a_request(code: str, absent: set[str], path: Path) -> None:
    probe = f"import sys\n{code}\nprint(sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", probe, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_nobody_waits_for_sqlalchemy_until_the_first_answer_has_ended(simulator: Simulator) -> None:
    code = (
        "import os, sys, threading\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from anyfast_nb.ledger.store import Ledger\n"
        "shell, settle = InteractiveShell.instance(), Ledger.settle\n"
        "def look(where): print('LOOK', where, 'sqlalchemy' in sys.modules, file=sys.stderr)\n"
        "def looking(*a, **b):\n"
        "    look('ended'); return settle(*a, **b)\n"
        "Ledger.settle = looking\n"
        "shell.run_cell('%load_ext anyfast_nb'); look('loaded')\n"
        "[t.join() for t in threading.enumerate() if t.name == 'anyfast-warmup']; look('warm')\n"
        "shell.run_cell_magic('anyfast', '', 'Say hello.')\n"
    )
    environ = {"ANYFAST_BASE_URL": simulator.base_url, "ANYFAST_API_KEY": simulator.key}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ) | environ
    )
    looks = [line for line in done.stderr.splitlines() if line.startswith("LOOK")]
    assert looks == ["LOOK loaded False", "LOOK warm False", "LOOK ended False"], done.stdout + done.stderr
