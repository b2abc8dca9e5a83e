from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import Billed, InputError
from anyfast_nb.ledger import JobRow, JobStatus, Ledger, StoredAsset
from anyfast_nb.ledger.disk import sqlite_file
from anyfast_nb.ledger.prices.book import Prices
from anyfast_nb.wire.values import Source, Status
from tests.ledger.conftest import held_up, request_row, rows_of

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


def test_a_job_comes_back_as_it_was_written(either: Ledger, place: str) -> None:
    row = job_row(
        task_id="asyntask_1", status=JobStatus.FAILED, raw_status="FAILURE", progress=100, error_code="X",
        error="no", tokens=7, video_s=5.0, path="/a/b.mp4", last_frame_path="/a/b.png", notebook="n.ipynb",
        cell="c", identity="i", take=2, finished_at=NOW, request_row="r",
        user="anna",
    )  # fmt: skip
    assert either.begin_job(row) == row.id
    kept = row.without_words() if either.shared else row
    with Ledger(place) as other:
        assert other.job(row.id) == kept
        assert other.jobs() == [kept]


def test_a_job_is_found_by_its_end_and_by_the_servers_id(either: Ledger) -> None:
    first = job_row(id="0" * 24 + "11112222", task_id="asyntask_A1")
    second = job_row(id="1" * 24 + "33332222", task_id="8602607538602")
    if either.shared:
        first, second = first.without_words(), second.without_words()
    for row in (first, second):
        either.begin_job(row)

    assert either.job("11112222") == either.job(" asyntask_A1 ") == first
    assert either.job("33332222") == either.job("8602607538602") == second
    assert either.job("nothing") is either.job("222") is either.job("%") is None
    with pytest.raises(InputError, match="several jobs"):
        either.job("2222")


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


def test_where_the_file_is_may_be_told_after_the_end_and_is_not_taken_back(either: Ledger) -> None:
    row = job_row(task_id="t", status=JobStatus.SUCCEEDED)
    either.begin_job(row)
    either.update_job(later(row, path="/film.mp4", tokens=7))
    either.update_job(later(row, 2, task_id=""))

    kept = either.job(row.id)
    assert kept is not None
    assert (kept.path, kept.tokens, kept.task_id) == ("/film.mp4", 7, "t")


def test_an_older_state_changes_nothing(either: Ledger) -> None:
    row = job_row()
    either.begin_job(row)
    either.update_job(later(row, 5, status=JobStatus.RUNNING, progress=50))
    either.update_job(later(row, 2, status=JobStatus.QUEUED, progress=10))
    kept = either.job(row.id)
    assert kept is not None
    assert (kept.status, kept.progress) == (JobStatus.RUNNING, 50)


def test_what_happened_is_added_and_never_changed(either: Ledger) -> None:
    row = job_row()
    either.begin_job(row)
    either.update_job(later(row, status=JobStatus.QUEUED, raw_status="NOT_START"))
    either.update_job(later(row, 2, status=JobStatus.QUEUED), event=False)
    either.update_job(later(row, 3, status=JobStatus.RUNNING, progress=50), note="half")

    told = [
        (event.status, event.raw_status, event.progress, event.note) for event in either.job_events(row.id)
    ]
    assert told == [
        (JobStatus.SUBMITTING, "", None, ""),
        (JobStatus.QUEUED, "NOT_START", None, ""),
        (JobStatus.RUNNING, "", 50, "half"),
    ]


def test_jobs_wait_in_the_journal_and_come_back_in_order(either: Ledger, place: str) -> None:
    row = job_row()
    either.begin_job(row)
    either.update_job(later(row, status=JobStatus.RUNNING, progress=50))
    asset = StoredAsset(
        asset_id="asset-1",
        group_id="g",
        sha256="0" * 64,
        asset_type="Video",
        base_url="https://h",
        key_mark="k",
    )
    either.keep_asset(asset)
    either.close()

    with Ledger(place) as other:
        kept = other.job(row.id)
        assert kept is not None
        assert (kept.status, kept.progress) == (JobStatus.RUNNING, 50)
        told = [event.status for event in other.job_events(row.id)]
        assert told == [JobStatus.SUBMITTING, JobStatus.RUNNING]
        found = other.asset(base_url="https://h/", key_mark="k", sha256="0" * 64, asset_type="Video")
        assert found == asset


def test_where_others_read_no_prompt_is_kept(either: Ledger) -> None:
    request = {
        "prompt": "secret plan", "negative_prompt": "secret plan", "duration": 5,
        "content": [{"type": "text", "text": "secret plan"}, {"type": "image_url", "n": None}],
    }  # fmt: skip
    row = job_row(title="secret plan", request=request, request_row="r1", task_id="t")
    either.begin_job(row)
    either.update_job(later(row, status=JobStatus.SUCCEEDED, tokens=1))
    once = replace(row, id="0" * 32, identity="i")
    either.begin_job_once(once)
    everything = repr([rows_of(either, table) for table in ("requests", "jobs", "job_events")])
    assert ("secret plan" in everything) is not either.shared
    kept = either.job(once.id)
    assert kept is not None
    assert kept.request["duration"] == 5
    assert kept.request["content"][1] == {"type": "image_url", "n": None}


def test_one_wish_is_begun_once_whoever_asks(either: Ledger, place: str) -> None:
    wish = job_row(identity="wish")
    won: list[str] = []

    def ask(number: int) -> None:
        with Ledger(place) as ledger:
            row = replace(wish, id=f"{number:032x}", maker=either.maker())
            if ledger.begin_job_once(row) is None:
                won.append(row.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(won) == 1
    standing = either.standing("wish")
    assert standing is not None
    assert standing.id == won[0]
    assert [event.job_id for event in either.job_events(won[0])] == won
    assert either.begin_job_once(replace(wish, id="f" * 32, identity="another")) is None


def test_a_kernel_of_another_home_is_not_taken_for_dead(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    with Ledger(postgres_url) as here:
        monkeypatch.setenv("ANYFAST_HOME", str(tmp_path / "another"))
        with Ledger(postgres_url) as there:
            row = job_row(identity="wish", maker=there.maker(), created_at=now)
            assert row.maker
            assert there.maker_lives(row)
            assert here.maker_lives(row)
            assert here.maker() != row.maker
            assert here.begin_job_once(row) is None
            assert here.maker_lives(here.jobs()[0])
        assert not there.maker_lives(row)  # which sees that it ended
        assert here.maker_lives(row)
        assert not here.maker_lives(replace(row, created_at=now - timedelta(hours=2)))
        assert not here.maker_lives(replace(row, maker=None))


def test_a_wish_is_begun_once_in_a_ledger_that_is_locked_too(
    path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.01)
    with Ledger(path, warn=told.append) as ledger:
        first = job_row(identity="wish", maker=ledger.maker())
        ledger.open()
        locker = held_up(path)
        assert ledger.begin_job_once(first) is None
        found = ledger.begin_job_once(replace(first, id="0" * 32))
        assert found is not None
        assert found.id == first.id
        locker.close()
        assert [row.id for row in ledger.jobs()] == [first.id]


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
    ledger.update_job(later(row, 2), note=text)
    on_disk = b"".join(item.read_bytes() for item in path.parent.rglob("*") if item.is_file())
    ledger.close()

    assert "5ec2e7" not in seen
    assert b"5ec2e7" not in on_disk


# --- what a request's row says of its job -------------------------------------------------------


def test_what_a_film_used_is_in_the_row_of_its_request(either: Ledger) -> None:
    price = Prices().set("seedance", currency="USD", video_token=7)
    asked = request_row(kind="seedance", model="seedance", request_hash="a" * 64, session="s", thread="t")
    either.begin(asked)
    assert either.settle(asked.id, status=Status.OK, task_id="asyntask_1", duration_s=2) is None
    row = job_row(request_row=asked.id, task_id="asyntask_1")
    either.begin_job(row)
    assert either.totals_by_model()[0].output_tokens is None
    assert rows_of(either)[asked.id]["billed"] is None
    either.update_job(later(row, status=JobStatus.SUCCEEDED, tokens=100_000, video_s=5.0))
    either.update_job(later(row, 2, status=JobStatus.SUCCEEDED, path="/film.mp4"))

    total = either.totals_by_model()[0]
    assert (total.requests, total.output_tokens, total.without_usage) == (1, 100_000, 0)
    kept = rows_of(either)[asked.id]
    assert (kept["task_id"], kept["job"], kept["video_s"], kept["billed"]) == (
        "asyntask_1",
        row.id,
        5.0,
        "yes",
    )
    assert (kept["cost_nano"], kept["currency"], kept["price_version"]) == (700_000_000, "USD", price.version)
    assert (kept["session"], kept["thread"], kept["duration_s"]) == ("s", "t", 2)


def test_a_film_that_failed_is_not_billed_and_one_that_was_refused_is_its_requests_matter(
    ledger: Ledger,
) -> None:
    accepted, refused = (request_row(kind="seedance", model="seedance") for _ in range(2))
    for asked, task_id in ((accepted, "t1"), (refused, "")):
        ledger.begin(asked)
        row = job_row(request_row=asked.id, task_id=task_id)
        ledger.update_job(later(row, status=JobStatus.FAILED, tokens=5))
    ledger.settle(accepted.id, status=Status.OK)
    ledger.settle(refused.id, status=Status.ERROR, billed=Billed.NO)

    rows = rows_of(ledger)
    assert (rows[accepted.id]["status"], rows[accepted.id]["billed"]) == ("ok", "no")
    assert (rows[refused.id]["status"], rows[refused.id]["billed"]) == ("error", "no")
    assert rows[accepted.id]["cost_nano"] is None


def test_a_request_in_doubt_is_proved_by_its_job(either: Ledger) -> None:
    asked = request_row(kind="seedance", model="seedance")
    either.begin(asked)
    either.settle(asked.id, status=Status.SUBMIT_UNKNOWN)
    assert rows_of(either)[asked.id]["status"] == "submit_unknown"
    row = job_row(request_row=asked.id, task_id="t1")
    either.update_job(later(row, status=JobStatus.SUCCEEDED, tokens=5))
    assert rows_of(either)[asked.id]["status"] == "ok"


# --- assets -----------------------------------------------------------------------------------


def test_an_asset_is_given_back_for_the_same_file_key_and_gateway_only(either: Ledger) -> None:
    known = {"base_url": "https://h", "key_mark": "k", "sha256": "0" * 64, "asset_type": "Video"}
    first = StoredAsset(asset_id="a1", group_id="g", name="clip", created_at=NOW, **known)
    second = StoredAsset(asset_id="a2", group_id="g", created_at=NOW + timedelta(seconds=1), **known)
    for asset in (first, second, second):
        either.keep_asset(asset)

    assert either.asset(**known) == second
    for name, other in (
        ("base_url", "https://x"),
        ("key_mark", "x"),
        ("sha256", "1"),
        ("asset_type", "Image"),
    ):
        assert either.asset(**(known | {name: other})) is None
    either.forget_asset("a2")
    assert either.asset(**known) == first
    either.keep_asset(second)
    either.forget_asset("a1")
    assert either.asset(**known) is None
