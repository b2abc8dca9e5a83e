"""Old rows go by one command, and nothing else goes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import anyfast_nb.ledger
from anyfast_nb.errors import InputError
from anyfast_nb.ledger import JobStatus, Ledger, RequestRow, StoredAsset
from anyfast_nb.ledger.retention import older_than, prune
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.classes import ids, job_row
from tests.ledger.conftest import request_row

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
OLD = NOW - timedelta(days=400)


def written(ledger: Ledger, row: RequestRow, *, tokens: int = 5) -> str:
    ledger.begin(row)
    ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=tokens, output_tokens=tokens))
    return row.id


def test_what_is_older_goes_and_what_is_not_stays(ledger: Ledger) -> None:
    written(ledger, request_row(time=OLD))
    new = written(ledger, request_row(time=NOW))
    told = anyfast_nb.ledger.prune(YEAR, path=ledger.path)
    assert told.done
    assert told.total == 1
    assert "1 request went" in str(told)
    assert ids(ledger, "requests") == {new}


def test_a_rehearsal_counts_and_changes_nothing(ledger: Ledger) -> None:
    old = written(ledger, request_row(time=OLD))
    told = prune(YEAR, path=ledger.path, dry_run=True)
    assert (told.done, told.total) == (False, 1)
    assert "1 request would go" in str(told)
    assert ids(ledger, "requests") == {old}


def test_a_job_goes_with_its_story_when_it_has_ended_and_its_film_stays(
    ledger: Ledger, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    request = written(ledger, request_row(time=OLD, kind="seedance"))
    waiting = written(ledger, request_row(time=OLD, kind="seedance"))
    ended = job_row(created_at=OLD, updated_at=OLD, request_row=request)
    running = job_row(created_at=OLD, updated_at=OLD, request_row=waiting)
    for job in (ended, running):
        ledger.begin_job(job)
    end = {"status": JobStatus.SUCCEEDED, "path": str(film), "updated_at": OLD + timedelta(hours=1)}
    ledger.update_job(replace(ended, **end))
    prune(YEAR, path=ledger.path)
    assert ids(ledger, "jobs") == {running.id}
    assert ids(ledger, "requests") == {waiting}, "the request of a job that has not ended is needed"
    assert film.read_bytes() == b"film"


def test_what_a_running_budget_counts_stays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "_wall", staticmethod(lambda: NOW - timedelta(days=500)))
    budget = ledger.set_budget(1000, "tokens", per="total")
    monkeypatch.undo()
    counted = written(ledger, request_row(time=OLD))
    before = written(ledger, request_row(time=NOW - timedelta(days=600)))
    simulated = written(ledger, request_row(time=OLD, source=Source.SIMULATED))
    spent = ledger.budgets()[0].spent
    told = prune(YEAR, path=ledger.path)
    assert told.counted == 1
    assert "1 request stays: a running budget counts them" in str(told)
    assert ids(ledger, "requests") == {counted}, f"neither {before} nor {simulated} counts"
    assert ledger.budgets()[0].spent == spent
    ledger.end_budget(budget.id)
    prune(YEAR, path=ledger.path)
    assert ids(ledger, "requests") == set()


def test_this_weeks_requests_stay_while_a_weeks_budget_runs(ledger: Ledger) -> None:
    ledger.set_budget(1000, "tokens", per="week")
    written(ledger, request_row(time=NOW - timedelta(days=1)))
    assert prune(NOW, path=ledger.path).rows["requests"] == 0


def test_an_asset_that_anyfast_may_keep_stays(ledger: Ledger) -> None:
    def asset(name: str) -> StoredAsset:
        return StoredAsset(
            asset_id=name, group_id="g", sha256="0" * 64, asset_type="Image", base_url="https://www.anyfast.ai",
            key_mark="m", name=name, created_at=OLD,
        )  # fmt: skip

    ledger.keep_asset(asset("kept"))
    ledger.keep_asset(asset("deleted"))
    ledger.forget_asset("deleted")
    told = prune(datetime.now(UTC) + timedelta(seconds=1), path=ledger.path)
    assert (told.rows["assets"], told.rows["forgotten_assets"]) == (1, 1)
    find: dict[str, Any] = {"base_url": "https://www.anyfast.ai", "key_mark": "m", "sha256": "0" * 64}
    found = ledger.asset(**find, asset_type="Image")
    assert found is not None
    assert found.asset_id == "kept"


def test_what_went_is_not_in_the_file_any_more(ledger: Ledger, path: Path) -> None:
    for _ in range(200):
        written(ledger, request_row(time=OLD, title="the word aardvark"))
    ledger.absorb()
    ledger.close()
    size = path.stat().st_size
    told = prune(YEAR, path=path)
    assert told.compacted
    assert path.stat().st_size < size
    assert b"aardvark" not in path.read_bytes()


def test_a_file_in_use_keeps_its_size_and_says_so(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyfast_nb.ledger.retention._BUSY_S", 0.0)
    written(ledger, request_row(time=OLD))
    ledger.absorb()
    ledger.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM requests").fetchone()
        told = prune(YEAR, path=path)
    assert (told.total, told.compacted) == (1, False)
    assert "Run it again later" in str(told)


def test_copies_beside_it_are_named(ledger: Ledger, path: Path) -> None:
    written(ledger, request_row(time=OLD))
    for ending in (".before-v4-20260101T000000", ".damaged-20260101T000000", ".damaged-20260101T000000-wal"):
        path.with_name(f"{path.name}{ending}").write_bytes(b"")
    told = str(prune(YEAR, path=path))
    assert f"{path.name}.before-v4-20260101T000000, {path.name}.damaged-20260101T000000" in told
    assert "-wal" not in told


def test_rows_that_wait_in_a_journal_go_too(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(request_row(time=OLD))
    told = prune(YEAR, path=path)
    assert told.rows["requests"] == 1
    with Ledger(path) as ledger:
        assert ids(ledger, "requests") == set()


@pytest.mark.parametrize(("text", "days"), [("365d", 365), (" 1d ", 1), ("52w", 364)])
def test_ages(text: str, days: int) -> None:
    assert older_than(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "d", "365", "0d", "-3d", "1y", "1.5d", "99999d", "²d"])
def test_no_ages(text: str) -> None:
    with pytest.raises(InputError):
        older_than(text)


def test_nothing_goes_without_a_date(path: Path) -> None:
    with pytest.raises(InputError, match="before"):
        prune(None, path=path)
