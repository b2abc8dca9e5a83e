"""Records may come twice and in any order: the row they make is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anyfast_nb.ledger import JobStatus, Ledger
from anyfast_nb.ledger.rows import Kept, new_id
from anyfast_nb.wire.values import Source, Status, Usage
from tests.ledger.conftest import request_row, rows_of
from tests.ledger.test_jobs import job_row, later

TEXT = st.none() | st.text(st.characters(categories=["L", "N", "Zs", "P", "S"]), max_size=60)
COUNT = st.none() | st.integers(0, 10**12)
SECONDS = st.none() | st.floats(0, 1e6)
WHEN = st.integers(0, 2**52).map(lambda us: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
SEVERAL = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Heard(Ledger):
    """What it would write is kept in a list."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.heard: list[Kept] = []

    def _write(self, *records: Kept) -> None:
        self.heard += records


@pytest.fixture
def heard(place: str, tmp_path: Path) -> Iterator[Heard]:
    with Heard(place) as ledger:
        yield ledger


def stories(draw: st.DrawFn, heard: Heard) -> tuple[str, str, list[Kept]]:
    """All records of one generation: its request, how that ended, and its job."""
    heard.heard.clear()
    asked = request_row(
        kind="seedance",
        model="seedance",
        time=draw(WHEN),
        title=draw(TEXT),
        thread=draw(TEXT),
        cell=draw(TEXT),
        session=draw(TEXT),
        request_hash="a" * 64,
        notebook="n.ipynb",
    )
    heard.begin(asked)
    job = job_row(
        id=new_id(),
        request_row=asked.id,
        created_at=asked.time,
        updated_at=asked.time,
        base_url=asked.base_url,
        title=asked.title or "",
        notebook=asked.notebook,
        cell=asked.cell,
    )
    heard.begin_job(job)
    source = draw(st.sampled_from([Source.LIVE, Source.SIMULATED]))
    queued = later(job, status=JobStatus.QUEUED, task_id="t1", source=source)
    heard.update_job(queued)
    heard.settle(
        asked.id,
        status=draw(st.sampled_from([Status.OK, Status.SUBMIT_UNKNOWN])),
        source=source,
        duration_s=draw(SECONDS),
        request_id=draw(TEXT),
        attempts=draw(st.integers(1, 5)),
        task_id="t1",
    )
    heard.update_job(later(queued, status=JobStatus.RUNNING, progress=draw(st.integers(0, 100))))
    ended = later(
        queued,
        5,
        status=draw(st.sampled_from([word for word in JobStatus if word.ends])),
        tokens=draw(COUNT),
        video_s=draw(SECONDS),
        finished_at=queued.updated_at + timedelta(seconds=5),
    )
    heard.update_job(ended)
    heard.update_job(later(ended, 6, path="/film.mp4"))
    return asked.id, job.id, list(heard.heard)


@given(data=st.data())
@SEVERAL
def test_the_order_and_the_number_of_times_say_nothing(heard: Heard, data: Any) -> None:
    request_id, job_id, records = stories(data.draw, heard)
    request, job = new_id(), new_id()
    other = [renamed(kept, {request_id: request, job_id: job}) for kept in records]
    shuffled = data.draw(st.permutations(other + data.draw(st.lists(st.sampled_from(other), max_size=4))))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(shuffled)), max_size=3)))

    heard._store().put(records)
    for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        if shuffled[start:end]:
            heard._store().put(shuffled[start:end])

    requests, jobs = rows_of(heard), rows_of(heard, "jobs")
    assert requests[request] == requests[request_id] | {"id": request, "job": job}
    assert jobs[job] == jobs[job_id] | {"id": job, "request_row": request}
    assert len(heard.job_events(job)) == len(heard.job_events(job_id))


def renamed(kept: Kept, names: dict[str, str]) -> Kept:
    record = {key: names.get(str(value), value) for key, value in kept.record.items()}
    if kept.table == "job_events":
        record["id"] = f"{record['id']}x"
    return Kept(kept.table, record)


@given(
    status=st.sampled_from([status for status in Status if status is not Status.UNFINISHED]),
    usage=st.builds(Usage, COUNT, COUNT, COUNT, COUNT),
    seconds=st.tuples(SECONDS, SECONDS, SECONDS),
    texts=st.tuples(TEXT, TEXT, TEXT, TEXT),
    time=WHEN,
)
@SEVERAL
def test_what_goes_in_comes_out_and_unknown_is_never_zero(
    either: Ledger, status: Status, usage: Usage, seconds: Any, texts: Any, time: datetime
) -> None:
    row = replace(request_row(time=time), title=texts[0], thread=texts[1], cell=texts[2])
    either.begin(row)
    either.settle(
        row.id,
        status=status,
        usage=usage,
        duration_s=seconds[0],
        ttft_s=seconds[1],
        video_s=seconds[2],
        error=texts[3],
    )
    kept = rows_of(either)[row.id]
    expected = {
        "time_us": (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
        "status": status.value,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "duration_s": seconds[0],
        "ttft_s": seconds[1],
        "video_s": seconds[2],
        "title": None if either.shared else texts[0],
        "thread": texts[1],
        "cell": texts[2],
        "error": texts[3],
    }
    assert {name: kept[name] for name in expected} == expected
