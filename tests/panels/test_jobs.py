"""The jobs panel over a ledger with thousands of jobs, and with films of the built-in AnyFast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.ledger import ledger_path
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.panels.jobs import JobsPanel
from anyfast_nb.session import Session
from tests.conftest import Simulator
from tests.ledger import made
from tests.panels.pressing import acts, copied, let_go, own_session, press, rested, text_of, widget

STATES = ("succeeded", "failed", "cancelled", "expired")


def rows(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        made.job(
            number,
            created_us=made.microseconds(made.NOON) + number * 60_000_000,
            kind="kling" if number % 10 == 0 else "seedance",
            status=STATES[number % 4],
            title=f"Scene {number}",
            request=json.dumps({"content": [{"type": "text", "text": f"Scene {number} with a piano"}]}),
            model="seedance" if number % 2 else "seedance-fast",
            notebook=f"lesson {number % 7}.ipynb",
            error="content[0] was refused" if number % 4 == 1 else None,
            **changes,
        )
        for number in range(count)
    ]


@pytest.fixture
def own(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    monkeypatch.chdir(tmp_path)
    own = own_session(monkeypatch)
    yield own
    let_go(own)


@pytest.fixture
def shown(own: Session) -> Iterator[list[JobsPanel]]:
    panels: list[JobsPanel] = []
    yield panels
    for panel in panels:
        panel.close()


def open_panel(own: Session, shown: list[JobsPanel]) -> JobsPanel:
    panel = JobsPanel(session=own)
    shown.append(panel)
    rested(panel)
    return panel


def lines(panel: JobsPanel) -> list[str]:
    return [name for name in panel._list.pieces if name.startswith("job-")]


def test_five_thousand_jobs_are_one_board_and_few_bytes(own: Session, shown: list[JobsPanel]) -> None:
    made.write(ledger_path(), [], jobs=rows(5000))
    panel = JobsPanel(session=own)
    shown.append(panel)
    sent: list[Any] = []
    panel._list.send = lambda content, buffers=None: sent.append(content)
    rested(panel)
    assert len(json.dumps(sent)) < 300_000
    assert len(lines(panel)) == 50
    assert "1–50 of 5,000 jobs" in text_of(panel._list)
    assert lines(panel)[0] == f"job-{4999:032x}"  # the newest first
    assert len(panel.children) < 8
    press(panel._list, "older:")
    assert "51–100 of 5,000 jobs" in text_of(panel._list)
    press(panel._list, "newer:")
    assert "1–50 of 5,000 jobs" in text_of(panel._list)
    assert len(panel.essence()["text/html"]) < 100_000


def test_each_filter_narrows_and_the_magic_says_so(own: Session, shown: list[JobsPanel]) -> None:
    made.write(ledger_path(), [], jobs=rows(140))
    panel = open_panel(own, shown)
    for word, value, count, said in (
        ("Made by", "kling", 14, "--kind kling"),
        ("Status", "failed", 35, "--status failed"),
        ("Model", "seedance-fast", 70, "--model seedance-fast"),
        ("Notebook", "lesson 3.ipynb", 20, "--notebook 'lesson 3.ipynb'"),
        ("Text", "scene 13 WITH", 1, "--text 'scene 13 WITH'"),
    ):
        control = widget(panel, word)
        before, control.value = control.value, value
        assert ("1 job" if count == 1 else f"of {count} jobs") in text_of(panel._list), word
        assert said in panel.as_magic()
        assert copied(panel._list, "list:") == panel.as_magic()
        control.value = before
    assert "of 140 jobs" in text_of(panel._list)
    widget(panel, "Period").value = "2026-11-02"
    rested(panel)
    assert "No job fits." in text_of(panel._list)
    widget(panel, "Period").value = "no such period"
    rested(panel)
    assert "no such period" in text_of(panel._memos.board)
    press(panel._memos.board, "away:trouble")
    assert not panel._memos.board.pieces


def test_details_say_what_was_asked_and_why_it_failed(own: Session, shown: list[JobsPanel]) -> None:
    made.write(ledger_path(), [], jobs=rows(3))
    panel = open_panel(own, shown)
    job = f"{1:032x}"
    press(panel._list, f"details:{job}")
    rested(panel)
    piece = panel._list.pieces[f"job-{job}"]
    assert "Scene 1 with a piano" in piece
    assert "content[0] was refused" in piece
    assert "Not billed" in piece
    assert 'aria-expanded="true"' in piece
    assert copied(panel._list, f"magic:{job}") == "%anyfast resume 00000001"
    assert copied(panel._list, f"prompt:{job}") == "Scene 1 with a piano"
    press(panel._list, f"details:{job}")
    assert "with a piano" not in panel._list.pieces[f"job-{job}"]


def test_a_film_of_a_kernel_that_ended_is_gone_on_with_played_and_fetched_again(
    own: Session, shown: list[JobsPanel]
) -> None:
    """Made at the built-in AnyFast, nobody waits for it; then its file is lost."""
    options = {"duration": 4, "resolution": "480p", "ratio": "16:9"}
    job = io_loop().run(own.desk.film("seedance", "A cat plays", options))
    panel = open_panel(own, shown)
    assert f"resume:{job.id}" in acts(panel._list)
    press(panel._list, f"resume:{job.id}")
    rested(panel)
    assert job.file is not None
    assert "its film is here" in text_of(panel._memos.board)
    piece = panel._list.pieces[f"job-{job.id}"]
    assert "data-medium" in piece  # its poster
    assert ">Play<" in piece
    assert "data:image/jpeg" in panel.essence()["text/html"]
    press(panel._list, f"details:{job.id}")
    rested(panel)
    assert "<video controls" in panel._list.pieces[f"job-{job.id}"]
    assert "done" in panel._list.pieces[f"job-{job.id}"]
    assert str(job.file) == copied(panel._list, f"path:{job.id}")
    press(panel._list, f"details:{job.id}")

    job.file.unlink()
    panel.refresh()
    rested(panel)
    assert "not on this disk" in text_of(panel._list)
    assert ">Download again<" in panel._list.pieces[f"job-{job.id}"]
    panel.resume_all()
    rested(panel)
    assert job.file is not None
    panel.resume_all()
    assert "Nothing to resume" in text_of(panel._memos.board)


def test_a_job_whose_reply_was_lost_takes_a_task_id(own: Session, shown: list[JobsPanel]) -> None:
    options = {"duration": 4, "resolution": "480p", "ratio": "16:9"}
    there = io_loop().run(own.desk.film("seedance", "A dog", options))
    job = f"{7:032x}"
    lost = made.job(
        7,
        status="submit_unknown",
        source="simulated",
        base_url=there.row.base_url,
        routes=json.dumps({"create": there.row.create_path, "poll": list(there.row.poll_paths)}),
        key_mark=there.row.key_mark,
        title="A dog",
    )
    made.write(ledger_path(), [], jobs=[lost])
    panel = open_panel(own, shown)
    assert f"resume:{job}" not in acts(panel._list)
    press(panel._list, f"details:{job}")
    rested(panel)
    assert panel._adopting.box.layout.display == "flex"
    assert "may be billed" in panel._list.pieces[f"job-{job}"]
    widget(panel, "Task id").value = "no id!"
    widget(panel, "Go on with it").click()
    rested(panel)
    assert "that is no task id" in text_of(panel._memos.board)
    widget(panel, "Task id").value = there.task_id
    widget(panel, "Go on with it").click()
    rested(panel)
    rested(panel)
    assert own.desk.job(job).status is JobStatus.SUCCEEDED
    assert panel._adopting.box.layout.display == "none"


def test_what_another_kernel_does_is_seen(own: Session, shown: list[JobsPanel]) -> None:
    made.write(ledger_path(), [], jobs=[made.job(1, status="running", progress=10, title="A cat")])
    panel = open_panel(own, shown)
    assert 'aria-valuenow="10"' in " ".join(panel._list.pieces.values())
    own.desk.job(f"{1:032x}").change(progress=60)
    assert io_loop().run(panel._look())
    assert 'aria-valuenow="60"' in " ".join(panel._list.pieces.values())
    own.desk.job(f"{1:032x}").change(status=JobStatus.FAILED, error="moderated")
    assert io_loop().run(panel._look())
    assert "failed" in text_of(panel._list)
    assert not io_loop().run(panel._look())


def test_a_job_whose_kernel_died_while_it_sent_is_in_doubt(own: Session, shown: list[JobsPanel]) -> None:
    made.write(ledger_path(), [], jobs=[made.job(1, status="submitting", maker="gone", title="A cat")])
    panel = open_panel(own, shown)
    assert "in doubt" in text_of(panel._list)


def test_hostile_words_are_words(own: Session, shown: list[JobsPanel]) -> None:
    made.write(
        ledger_path(),
        [],
        jobs=[made.job(1, status="failed", title="<img src=x onerror=hit()>", error="<b>$x$")],
    )
    panel = open_panel(own, shown)
    html = " ".join(panel._list.pieces.values()) + panel.essence()["text/html"]
    assert "<img src=x" not in html
    assert "<b>" not in html


def test_the_other_language_keeps_what_was_chosen(
    own: Session, shown: list[JobsPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(ledger_path(), [], jobs=rows(40))
    panel = open_panel(own, shown)
    widget(panel, "Status").value = "failed"
    own.configure(language="zh")
    panel.relabel()
    assert widget(panel, "状态").value == "failed"
    assert "共 10 个任务" in text_of(panel._list)
