"""Tab completion through IPython's own completer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.magics import extension
from anyfast_nb.session import session
from anyfast_nb.wire.values import Source
from tests.shells import extended_shell


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    with extended_shell() as shell:
        yield shell


class Job:
    """Stands for one: completion goes by the name of the type, and asks nothing."""


class Pictures(list[int]):
    """Stands for a group."""


def complete(shell: Any, text: str) -> list[str]:
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(text, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%anyfast do", ["doctor"]),
        ("%anyfast lo", ["login", "logout"]),
        ("%anyfast help mo", ["models"]),
        ("%%anyfast chat --temp", ["--temperature"]),
        ("%%anyfast --thr", ["--thread"]),
        ("%%anyfast --model=pr", ["pro"]),
        ("%anyfast chat --thread nothing", []),
        ("%anyfast chat -m pr", ["pro"]),
        ("%%anyfast chat --model doubao-seed-1-6-v", ["doubao-seed-1-6-vision-250815"]),
        ("%anyfast config foot", ["footer="]),
        ("%anyfast config footer=s", ["footer=short"]),
        ("%anyfast config base_url=s", ["base_url=simulator"]),
        ("%%anyfast chat --image pictur", ["picture"]),
        ("%%anyfast\nTell me about {{pictu", ["picture"]),
        ("%%anyfast chat --thread sto", ["story"]),
        ("%seedance --rat", ["--ratio"]),
        ("%seedance 'a cat' --ratio 16", ["16:9"]),
        ("shot = %seedance --resolution 72", ["720p"]),
        ("%%seedance --resolution=72", ["720p"]),
        ("%%seedance\nTell me about {{pictu", ["picture"]),
        ("%seedance --model seedance-f", ["seedance-fast"]),
        ("%seedance --first-frame shot.", ["shot.last_frame"]),
        ("%seedance --image pics[", ["pics[0]", "pics[1]"]),
        ("%seedance --to pictur", ["picture"]),
        ("%kling --mode ", ["std", "pro"]),
        ("%kling -m kling-v2-6 --duration ", ["5", "10"]),
        ("%kling -m kling-v1-", ["kling-v1-6", "kling-v1-5"]),
        ("%seedream --size 3K", ["3K"]),
        ("%seedream -m doubao-seedream-3", ["doubao-seedream-3-0-t2i-250415"]),
        ("%seedream --response-format b", ["b64_json"]),
        ("%anyfast jobs --status suc", ["succeeded"]),
        ("%anyfast jobs --kind k", ["kling"]),
        ("%anyfast jobs --sort to", ["tokens"]),
        ("%anyfast resume --ta", ["--task-id"]),
        ("%anyfast assets gr", ["groups"]),
        ("%anyfast assets groups ", ["add", "rm"]),
        ("%anyfast assets add x --type A", ["Audio"]),
        ("%anyfast assets add pictur", ["picture"]),
        ("%anyfast help seeda", ["seedance"]),
        ("%anyfast config wai", ["wait="]),
        ("%anyfast config wait=f", ["wait=false"]),
        ("%%anyfast chat --reasoning m", ["minimal", "medium"]),
        ("%%anyfast chat --api r", ["responses"]),
        ("%%anyfast chat --max-r", ["--max-rounds"]),
        ("%%anyfast chat --tools weath", ["weather"]),
        ("%%anyfast chat --tools height,weath", ["weather"]),
        ("%%anyfast chat --tools height,weather --tool-choice we", ["weather"]),
        ("%%anyfast chat --tools=weather --tool-choice re", ["required"]),
        ("%%anyfast chat --file rep", ["report.pdf"]),
        ("%%anyfast chat --file=rep", ["report.pdf"]),
        ("%%anyfast chat --image old/sta", ["old/stamp.png"]),
        ("%%anyfast chat --image ol", ["old/"]),
        ("%%anyfast chat --image nowhere/x", []),
    ],
)
def test_completion(
    shell: Any, text: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    for name in ("report.pdf", ".report", "old/stamp.png"):
        (tmp_path / name).touch()
    shell.user_ns["picture"] = object()
    shell.user_ns["weather"] = lambda: None
    shell.user_ns |= {"shot": Job(), "pics": Pictures([1, 2])}
    session().threads.thread("story", notebook=None)
    assert complete(shell, text) == expected


def test_other_lines_are_left_alone(shell: Any) -> None:
    shell.user_ns["picture"] = object()
    assert "picture" in complete(shell, "pictu")
    assert "doctor" not in complete(shell, "%%anyfast\nplain words do")


def test_unloading_takes_everything_out(shell: Any) -> None:
    before = len(shell.Completer.custom_matchers)
    extension.unload(shell)
    assert len(shell.Completer.custom_matchers) == before - 1
    assert "anyfast" not in shell.magics_manager.magics["line"]
    assert "doctor" not in complete(shell, "%anyfast do")
    extension.load(shell)


def test_resume_completes_the_jobs_that_are_not_done(shell: Any) -> None:
    rows = [
        JobRow(
            kind="seedance", create_path="/v1/video/generations", base_url="https://x.example",
            source=Source.LIVE, model="seedance", request_hash="0" * 64, status=status, path=path,
        )
        for status, path in (
            (JobStatus.RUNNING, None), (JobStatus.SUCCEEDED, "/film.mp4"), (JobStatus.SUBMIT_UNKNOWN, None),
        )
    ]  # fmt: skip
    for row in rows:
        session().gateway.ledger.begin_job(row)
    assert set(complete(shell, "%anyfast resume ")) & {row.short_id for row in rows} == {
        rows[0].short_id,
        rows[2].short_id,
    }
    session().gateway.ledger.close()
