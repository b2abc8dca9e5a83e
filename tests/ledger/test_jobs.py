from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb import ledger as room
from anyfast_nb.errors import InputError
from anyfast_nb.ledger import JobRow, JobStatus, Ledger, StoredAsset, database, jobs
from anyfast_nb.ledger.schema import JOB_COLUMNS, MIGRATIONS, TABLES
from anyfast_nb.wire.values import Source, Status
from tests.ledger.conftest import FakeClock, request_row, stored

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENDS = [word for word in JobStatus if word.ends]
SECRET_URL = "https://host.cn/a/clip.mp4?X-Tos-Signature=5ec2e7"


def job_row(**changes: Any) -> JobRow:
    """A job that a test changes where it matters."""
    values: dict[str, Any] = {
        "kind": "seedance",
        "create_path": "/v1/video/generations",
        "poll_paths": ("/v1/video/generations/{id}", "/v1/videos/{id}"),
        "base_url": "https://www.anyfast.ai",
        "source": Source.LIVE,
        "model": "seedance",
        "request_hash": "a" * 64,
        "key_mark": "0123456789abcdef",
        "mode": "text",
        "title": "A cat",
        "request": {"model": "seedance", "content": [{"type": "text", "text": "A cat"}]},
        "arguments": {"content[0]": "prompt"},
        "notes": ("one",),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return JobRow(**(values | changes))


def later(row: JobRow, seconds: float = 1, **changes: Any) -> JobRow:
    return replace(row, **({"updated_at": row.updated_at + timedelta(seconds=seconds)} | changes))


def test_a_job_comes_back_as_it_was_written(ledger: Ledger) -> None:
    row = job_row(
        task_id="asyntask_1", status=JobStatus.FAILED, raw_status="FAILURE", progress=100, error_code="X",
        error="no", tokens=7, video_s=5.0, path="/a/b.mp4", last_frame_path="/a/b.png", notebook="n.ipynb",
        cell="c", identity="i", take=2, finished_at=NOW, request_row="r",
    )  # fmt: skip
    assert ledger.begin_job(row) == row.id
    with Ledger(ledger.path) as other:
        assert other.job(row.id) == row
        assert other.jobs() == [row]


def test_a_job_is_found_by_its_end_and_by_the_servers_id(ledger: Ledger) -> None:
    first = job_row(id="0" * 24 + "11112222", task_id="asyntask_A1")
    second = job_row(id="1" * 24 + "33332222", task_id="8602607538602")
    for row in (first, second):
        ledger.begin_job(row)

    assert ledger.job("11112222") == ledger.job(" asyntask_A1 ") == first
    assert ledger.job("33332222") == ledger.job("8602607538602") == second
    assert ledger.job("nothing") is ledger.job("222") is ledger.job("%") is None
    with pytest.raises(InputError, match="several jobs"):
        ledger.job("2222")


@given(
    end=st.sampled_from(ENDS),
    later_words=st.lists(st.tuples(st.sampled_from(list(JobStatus)), st.integers(-5, 5)), max_size=5),
)
def test_an_end_stays_whatever_comes_later_and_in_whichever_order(
    tmp_path_factory: pytest.TempPathFactory, end: JobStatus, later_words: list[tuple[JobStatus, int]]
) -> None:
    with Ledger(tmp_path_factory.mktemp("ledger") / "l.sqlite3") as ledger:
        row = job_row()
        ledger.begin_job(row)
        ended = later(row, 3, status=end, error="why", progress=100, finished_at=NOW)
        ledger.update_job(ended)
        for word, seconds in later_words:
            other = later(row, 3 + seconds, status=word, error="other", progress=5, path="/film.mp4")
            ledger.update_job(other)
        kept = ledger.job(row.id)

    assert kept is not None
    assert (kept.status, kept.error, kept.progress, kept.finished_at) == (end, "why", 100, NOW)


def test_where_the_file_is_may_be_told_after_the_end_and_is_not_taken_back(ledger: Ledger) -> None:
    row = job_row(task_id="t", status=JobStatus.SUCCEEDED)
    ledger.begin_job(row)
    ledger.update_job(later(row, path="/film.mp4", tokens=7))
    ledger.update_job(later(row, 2, task_id=""))

    kept = ledger.job(row.id)
    assert kept is not None
    assert (kept.path, kept.tokens, kept.task_id) == ("/film.mp4", 7, "t")


def test_an_older_state_changes_nothing(ledger: Ledger) -> None:
    row = job_row()
    ledger.begin_job(row)
    ledger.update_job(later(row, 5, status=JobStatus.RUNNING, progress=50))
    ledger.update_job(later(row, 2, status=JobStatus.QUEUED, progress=10))
    kept = ledger.job(row.id)
    assert kept is not None
    assert (kept.status, kept.progress) == (JobStatus.RUNNING, 50)


def test_what_happened_is_added_and_never_changed(ledger: Ledger) -> None:
    row = job_row()
    ledger.begin_job(row)
    ledger.update_job(later(row, status=JobStatus.QUEUED, raw_status="NOT_START"))
    ledger.update_job(later(row, 2, status=JobStatus.QUEUED), event=False)
    ledger.update_job(later(row, 3, status=JobStatus.RUNNING, progress=50), note="half")

    told = [
        (event.status, event.raw_status, event.progress, event.note) for event in ledger.job_events(row.id)
    ]
    assert told == [
        (JobStatus.SUBMITTING, "", None, ""),
        (JobStatus.QUEUED, "NOT_START", None, ""),
        (JobStatus.RUNNING, "", 50, "half"),
    ]


def test_jobs_wait_in_the_journal_and_come_back_in_order(
    ledger: Ledger, path: Path, told: list[str], clock: FakeClock
) -> None:
    path.mkdir(parents=True)  # what is there is no file
    row = job_row()
    ledger.begin_job(row)
    ledger.update_job(later(row, status=JobStatus.RUNNING, progress=50))
    asset = StoredAsset(
        asset_id="asset-1",
        group_id="g",
        sha256="0" * 64,
        asset_type="Video",
        base_url="https://h",
        key_mark="k",
    )
    ledger.keep_asset(asset)
    path.rmdir()
    clock.now += 31
    ledger.begin(request_row())

    assert len(told) == 1
    kept = ledger.job(row.id)
    assert kept is not None
    assert (kept.status, kept.progress) == (JobStatus.RUNNING, 50)
    assert [event.status for event in ledger.job_events(row.id)] == [JobStatus.SUBMITTING, JobStatus.RUNNING]
    assert ledger.asset(base_url="https://h/", key_mark="k", sha256="0" * 64, asset_type="Video") == asset
    assert len(stored(path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        SECRET_URL,
        "data:image/png;base64," + "5ec2e7" * 100,
        "see https://anna:5ec2e7@host/x",
        "Bearer 5ec2e7",
        "sk-5ec2e7Ab3dEf6hIj9lMn2pQr5t",
        "5ec2e7Ab" * 80,  # Kling's pictures: base64 and nothing else
    ],
)
def test_no_secret_reaches_the_disk(path: Path, text: str) -> None:
    ledger = Ledger(path)
    row = job_row(
        request={"content": [{"image_url": {"url": text}}], text: 1}, notes=(text,), arguments={"a": text},
        title=text, error=text, error_code=text, raw_status=text, notebook=text, cell=text, model=text,
        base_url="https://anna:5ec2e7@host/v1?token=5ec2e7", task_id=f"x {text}", mode=text,
    )  # fmt: skip
    ledger.begin_job(row)
    ledger.update_job(later(row), note=text)
    seen = repr((ledger.jobs(), ledger.job_events(row.id)))
    on_disk = b"".join(item.read_bytes() for item in path.parent.iterdir())
    ledger.close()

    assert "5ec2e7" not in seen
    assert b"5ec2e7" not in on_disk


# --- versions ---------------------------------------------------------------------------------


def version_one(path: Path) -> dict[str, Any]:
    """A ledger as the first version made it, with one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    database.migrate(connection, migrations=MIGRATIONS[:1])
    record = request_row(title="old").record()
    old = {name: value for name, value in record.items() if name not in {"request_hash", "task_id"}}
    names = ", ".join(old)
    connection.execute(
        f"INSERT INTO requests ({names}) VALUES ({', '.join('?' * len(old))})", [*old.values()]
    )
    connection.close()
    return old


def test_a_first_versions_ledger_is_migrated_and_keeps_its_rows(path: Path, told: list[str]) -> None:
    old = version_one(path)
    with Ledger(path, warn=told.append) as ledger:
        row = job_row()
        ledger.begin_job(row)
        assert ledger.job(row.id) == row
        ledger.begin(request_row(title="new", request_hash="b" * 64))
    assert not told
    rows = stored(path)
    assert rows[str(old["id"])] == old | {"request_hash": None, "task_id": None}
    assert [kept["request_hash"] for kept in rows.values() if kept["title"] == "new"] == ["b" * 64]


def test_a_first_versions_ledger_that_cannot_be_written_is_read(
    open_folder: Path, told: list[str], read_only: Any
) -> None:
    version_one(open_folder / "ledger.sqlite3")
    with read_only(open_folder), Ledger(open_folder / "ledger.sqlite3", warn=told.append) as ledger:
        assert len(ledger.rows()) == 1
        assert ledger.jobs() == []
        assert ledger.totals_by_model()[0].requests == 1


def test_an_older_kernels_journal_is_merged(path: Path) -> None:
    record = request_row(title="waits").record()
    old = {name: value for name, value in record.items() if name not in {"request_hash", "task_id"}}
    folder = path.parent / "journal"
    folder.mkdir(parents=True)
    line = json.dumps({"schema": 1, **old})
    (folder / "ledger.sqlite3.1-a.jsonl").write_text(f"\n{line}\n")
    with Ledger(path) as ledger:
        assert len(ledger.rows()) == 1
    assert stored(path)[str(old["id"])]["title"] == "waits"
    assert list(folder.iterdir()) == []


def test_the_tables_are_those_of_the_migrations(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    database.migrate(connection)
    for table in TABLES.values():
        found = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        assert [row[1] for row in found] == list(table.columns)
        assert {row[1] for row in found if row[3] or row[5]} == set(table.required)
    assert set(job_row().record()) == set(JOB_COLUMNS)
    connection.close()


# --- what a request's row says of its job -------------------------------------------------------


def test_tokens_of_a_job_count_for_its_request(ledger: Ledger) -> None:
    asked = request_row(kind="seedance", model="seedance", request_hash="a" * 64)
    ledger.begin(asked)
    ledger.settle(asked.id, status=Status.OK, task_id="asyntask_1")
    row = job_row(request_row=asked.id, task_id="asyntask_1")
    ledger.begin_job(row)
    assert ledger.totals_by_model()[0].output_tokens is None
    ledger.update_job(later(row, status=JobStatus.SUCCEEDED, tokens=108_900))

    total = ledger.totals_by_model()[0]
    assert (total.output_tokens, total.without_usage) == (108_900, 0)
    assert 108_900 in ledger.rows()[0]
    assert stored(ledger.path)[asked.id]["task_id"] == "asyntask_1"


# --- assets -----------------------------------------------------------------------------------


def test_an_asset_is_given_back_for_the_same_file_key_and_gateway_only(ledger: Ledger) -> None:
    known = {"base_url": "https://h", "key_mark": "k", "sha256": "0" * 64, "asset_type": "Video"}
    first = StoredAsset(asset_id="a1", group_id="g", name="clip", created_at=NOW, **known)
    second = StoredAsset(asset_id="a2", group_id="g", created_at=NOW + timedelta(seconds=1), **known)
    for asset in (first, second, second):
        ledger.keep_asset(asset)

    assert ledger.asset(**known) == second
    for name, other in (
        ("base_url", "https://x"),
        ("key_mark", "x"),
        ("sha256", "1"),
        ("asset_type", "Image"),
    ):
        assert ledger.asset(**(known | {name: other})) is None
    ledger.forget_asset("a2")
    assert ledger.asset(**known) == first
    ledger.keep_asset(second)
    ledger.forget_asset("a1")
    assert ledger.asset(**known) is None


# --- the frame --------------------------------------------------------------------------------


def test_the_frame_of_jobs(path: Path) -> None:
    empty = jobs(path=path)
    with Ledger(path) as ledger:
        ledger.begin_job(job_row(progress=0))
        done = job_row(
            kind="kling", status=JobStatus.SUCCEEDED, tokens=9, video_s=5, created_at=NOW + timedelta(1),
            finished_at=NOW + timedelta(1, seconds=90), path="/film.mp4",
        )  # fmt: skip
        ledger.begin_job(done)
    full = room.jobs(path=path)

    assert {name: str(kind) for name, kind in full.dtypes.items()} == {
        name: str(kind) for name, kind in empty.dtypes.items()
    }
    assert str(full.dtypes["time"]) == str(full.dtypes["finished"]) == "datetime64[us, UTC]"
    assert str(full.dtypes["progress"]) == str(full.dtypes["tokens"]) == "Int64"
    assert list(full["status"].cat.categories) == [str(word) for word in JobStatus]
    assert full["duration_s"].tolist()[1] == 90
    assert full["progress"][0] == 0
    assert full[["tokens", "finished", "path"]].isna().iloc[0].all()
    assert list(jobs(path=path, kind="kling")["id"]) == [done.id]
    assert list(jobs(path=path, status=["succeeded", "failed"])["path"]) == ["/film.mp4"]
    assert len(jobs(path=path, since=NOW + timedelta(hours=1))) == 1
