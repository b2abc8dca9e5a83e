"""What earlier jobs say: how long such a job takes, and which kernels are alive."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.ledger import JobStatus, Ledger
from anyfast_nb.ledger.disk.makers import Makers
from anyfast_nb.ledger.job_rows import JobRow
from anyfast_nb.wire.values import Source

BEGAN = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)


def took(seconds: float | None, **changes: Any) -> JobRow:
    """A job that took so long; None is one that has not ended."""
    ended = None if seconds is None else BEGAN + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "kind": "seedance", "create_path": "/v1/x", "base_url": "http://host", "source": Source.LIVE,
        "model": "seedance", "request_hash": "00", "request": {"resolution": "720p", "duration": 5},
        "created_at": BEGAN, "finished_at": ended,
        "status": JobStatus.RUNNING if ended is None else JobStatus.SUCCEEDED,
    }  # fmt: skip
    return JobRow(**(values | changes))


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        yield ledger


def test_the_median_and_the_90th_percentile_of_what_succeeded(ledger: Ledger) -> None:
    assert ledger.job_durations("seedance") == (None, None)
    for seconds in (30, 10):
        ledger.begin_job(took(seconds))
    ledger.begin_job(took(None))
    ledger.begin_job(took(5000, status=JobStatus.FAILED))
    ledger.begin_job(took(5000, kind="kling"))
    ledger.begin_job(took(5000, source=Source.SIMULATED))
    assert ledger.job_durations("seedance") == (None, None)  # two say nothing
    ledger.begin_job(took(20))
    assert ledger.job_durations("seedance") == (20, pytest.approx(28))
    for seconds in range(40, 120, 10):
        ledger.begin_job(took(seconds))
    assert ledger.job_durations("seedance") == (60, 100)
    assert ledger.job_durations("seedance", source=Source.SIMULATED) == (None, None)


def test_jobs_that_are_alike_count_where_there_are_enough(ledger: Ledger) -> None:
    like = took(None)
    other = {"request": {"resolution": "1080p", "duration": 15}}
    for seconds in (10, 11, 12, 13):
        ledger.begin_job(took(seconds))
        ledger.begin_job(took(seconds + 1000, **other))
    assert ledger.job_durations("seedance", like=like)[0] == pytest.approx(511.5)
    ledger.begin_job(took(14))
    assert ledger.job_durations("seedance", like=like)[0] == 12
    assert ledger.job_durations("seedance", like=took(None, **other))[0] == 14  # four are too few
    for different in ({"model": "seedance-fast"}, {"request": {"resolution": "720p", "duration": 4}}):
        assert ledger.job_durations("seedance", like=took(None, **different))[0] == 14
    kling = [took(seconds, kind="kling", request={"mode": "pro", "duration": "5"}) for seconds in range(5)]
    for row in kling:
        ledger.begin_job(row)
        ledger.begin_job(took(900, kind="kling", request={"mode": "std", "duration": "5"}))
    assert ledger.job_durations("kling", like=kling[0]) == (2, pytest.approx(3.6))
    assert ledger.job_durations("seedance", like=took(None, source=Source.SIMULATED)) == (None, None)


def test_only_the_newest_count(ledger: Ledger) -> None:
    for number in range(210):
        began = BEGAN + timedelta(minutes=number)
        ledger.begin_job(
            took(1, created_at=began, finished_at=began + timedelta(seconds=1000 if number < 10 else 7))
        )
    assert ledger.job_durations("seedance") == (7, 7)


# --- who is alive ---------------------------------------------------------------------------------------


def test_a_kernel_lives_until_it_ends(tmp_path: Path) -> None:
    own, other = Makers(tmp_path / "kernels"), Makers(tmp_path / "kernels")
    name = own.own()
    assert name
    assert own.own() == name != other.own()
    assert other.lives(name)
    assert own.lives(name)
    for strange in (None, "", "x", "../../etc/passwd"):
        assert not other.lives(strange)
    own.close()
    assert not other.lives(name)
    assert own.own() != name  # and begins anew
    own.close()
    other.close()
    assert list((tmp_path / "kernels").iterdir()) == []


def test_what_a_killed_kernel_leaves_is_dead_and_swept(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    code = (
        "import sys, pathlib; from anyfast_nb.ledger.disk.makers import Makers\n"
        "makers = Makers(pathlib.Path(sys.argv[1])); print(makers.own(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as kernel:
        assert kernel.stdout is not None
        name = kernel.stdout.readline().strip()
        makers = Makers(folder)
        assert makers.lives(name)
        kernel.kill()
        kernel.wait()
        assert not makers.lives(name)
    assert len(list(folder.iterdir())) == 1
    assert makers.own()
    assert [path.stem for path in folder.iterdir()] == [makers.own()]
    makers.close()


def test_where_no_lock_can_be_had_nobody_is_said_to_live(tmp_path: Path) -> None:
    (tmp_path / "kernels").write_text("in the way")
    makers = Makers(tmp_path / "kernels")
    assert makers.own() == ""
    assert not makers.lives("")
    makers.close()


def test_a_forked_child_is_another_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makers = Makers(tmp_path / "kernels")
    name = makers.own()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    child = makers.own()
    assert child not in {"", name}
    makers.close()
    monkeypatch.setattr(os, "getpid", lambda: parent)
    assert makers.lives(name)  # it is not the child's to close
