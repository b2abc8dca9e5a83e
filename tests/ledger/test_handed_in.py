from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from anyfast_nb import ledger as room
from anyfast_nb.errors import InputError
from anyfast_nb.ledger import Ledger, by_day, by_model, frame, jobs
from anyfast_nb.ledger.frames import handed_in, scan
from anyfast_nb.ledger.rows import Kept
from tests.ledger.conftest import request_row
from tests.ledger.made import NOON, many, microseconds, record, write

FIRST_SCHEMA = """
CREATE TABLE requests (
    id TEXT PRIMARY KEY, time_us INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    base_url TEXT NOT NULL, model_asked TEXT NOT NULL, model_served TEXT, status TEXT NOT NULL, title TEXT,
    input_tokens INTEGER, cached_tokens INTEGER, output_tokens INTEGER, reasoning_tokens INTEGER,
    cost_nano INTEGER, currency TEXT, duration_s REAL, ttft_s REAL, notebook TEXT, cell TEXT, thread TEXT,
    request_id TEXT, attempts INTEGER, error TEXT
);
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, time_us INTEGER);
INSERT INTO schema_version VALUES (1, 0);
"""
SECOND_SCHEMA = """
ALTER TABLE requests ADD COLUMN request_hash TEXT;
ALTER TABLE requests ADD COLUMN task_id TEXT;
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, request_row TEXT, created_us INTEGER NOT NULL, kind TEXT NOT NULL,
    routes TEXT NOT NULL, base_url TEXT NOT NULL, key_mark TEXT, source TEXT NOT NULL, model TEXT NOT NULL,
    request_hash TEXT NOT NULL, status TEXT NOT NULL, tokens INTEGER, video_s REAL,
    updated_us INTEGER NOT NULL, finished_us INTEGER
);
"""


@pytest.fixture
def hand_in(tmp_path: Path) -> Path:
    folder = tmp_path / "hand-in"
    for number, name in enumerate(["ada", "grace"]):
        rows = [record(1000 * number + row, title=name, input_tokens=row) for row in range(3)]
        write(folder / name / "ledger.db", rows)
        Ledger(folder / name / "ledger.db").close()
    return folder


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file below a folder, by hash and time."""
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_ledgers_that_were_handed_in_are_read_as_one_and_stay_as_they_are(
    hand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(hand_in)
    table = frame(source_files=str(hand_in / "*" / "ledger.db"))
    assert table["title"].tolist() == ["ada"] * 3 + ["grace"] * 3
    assert (
        table["file"].tolist()
        == [str(hand_in / "ada/ledger.db")] * 3 + [str(hand_in / "grace/ledger.db")] * 3
    )
    assert str(table["file"].dtype) == "category"
    assert table.columns[-1] == "file"
    assert table["user"].isna().all()

    monkeypatch.chdir(hand_in.parent)
    for files in (["hand-in/**/*.db"], ["hand-in/ada/ledger.db", Path("hand-in/grace/ledger.db")]):
        found = frame(source_files=files)
        assert found["file"].unique().tolist() == ["hand-in/ada/ledger.db", "hand-in/grace/ledger.db"]
        pd.testing.assert_frame_equal(found.drop(columns="file"), table.drop(columns="file"))
    assert frame(source_files="hand-in/*/*.db", columns=["title"], limit=1).values.tolist() == [
        ["grace", "hand-in/grace/ledger.db"]
    ]
    (total,) = by_model(source_files="hand-in/*/*.db").to_dict("records")
    assert (total["requests"], total["input_tokens"]) == (6, 6)
    assert by_day(source_files="hand-in/ada/*.db", tz="UTC")["requests"].tolist() == [3]
    assert state(hand_in) == before


def test_a_request_in_two_files_is_one_and_its_end_wins(hand_in: Path) -> None:
    again = hand_in / "zoe" / "ledger.db"
    write(
        again,
        [record(0, title="copied"), record(1, status="unfinished"), record(5000, title="own")],
    )
    begun = hand_in / "aaa" / "ledger.db"  # read first
    write(begun, [record(2, status="unfinished", title="ada")])
    table = frame(source_files=hand_in / "*" / "ledger.db", columns="all")
    assert len(table) == 7
    assert table["id"].is_unique
    assert table["status"].tolist() == ["ok"] * 7
    assert table.set_index("id").loc[record(2)["id"], ["title", "input_tokens"]].tolist() == ["ada", 2]
    assert table.set_index("id").loc[record(2)["id"], "file"] == str(begun)
    assert table[table["file"] == str(again)]["title"].tolist() == ["own"]


def test_rows_in_a_copied_log_beside_the_file_are_read(hand_in: Path, tmp_path: Path) -> None:
    mine = tmp_path / "home" / "mine.db"
    write(mine, [record(1, title="stored")])
    source = sqlite3.connect(mine)
    source.execute("UPDATE requests SET title = 'in the log'")
    source.commit()
    late = hand_in / "late"
    late.mkdir()
    for name in ("mine.db", "mine.db-wal"):
        shutil.copy(mine.with_name(name), late / name)
    source.close()
    before = state(hand_in)
    assert frame(source_files=late / "*")["title"].tolist() == ["in the log"]
    assert state(hand_in) == before
    (late / "mine.db").chmod(0o400)
    late.chmod(0o500)
    try:
        assert frame(source_files=late / "mine.db")["title"].tolist() == ["in the log"]
    finally:
        late.chmod(0o700)


def test_rows_that_wait_in_a_journal_beside_the_file_are_read(hand_in: Path) -> None:
    path = shutil.copytree(hand_in / "ada", hand_in / "zoe") / "ledger.db"
    with Ledger(path) as ada:  # its store is never loaded
        begun = request_row(title="begun")
        ada.begin(begun)
        ended = request_row(title="ended")
        ada.begin(ended)
        ada._write(Kept("requests", ended.record() | {"status": "ok", "input_tokens": 7}))
    (journal,) = (path.parent / "journal").glob("*.jsonl")
    mine = json.loads(journal.read_text().splitlines()[1])
    forged = [mine | {"id": f"forged {number}"} | bad for number, bad in enumerate((
        {"input_tokens": 2**70}, {"input_tokens": "many"}, {"title": "\ud800"}, {"time_us": "now"},
    ))]  # fmt: skip
    with journal.open("a") as lines:
        lines.write("\n".join([*map(json.dumps, forged), "[" * 100_000, '"torn']))
    before = state(hand_in)
    table = frame(source_files=path, columns="all").set_index("id")
    assert state(hand_in) == before
    assert table.loc[[begun.id, ended.id], "status"].tolist() == ["unfinished", "ok"]
    assert table.loc[ended.id, ["input_tokens", "file"]].tolist() == [7, str(path)]
    assert set(table.index) - {record(number)["id"] for number in range(3)} == {
        begun.id, ended.id, "forged 1",
    }  # fmt: skip
    assert table.loc["forged 1", "input_tokens"] is pd.NA


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_of_an_earlier_version_is_read(tmp_path: Path, version: int) -> None:
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript(FIRST_SCHEMA)
    old.execute(
        "INSERT INTO requests (id, time_us, kind, source, base_url, model_asked, status, output_tokens) "
        "VALUES ('chat', 1, 'chat', 'live', 'https://x', 'm', 'ok', 4), "
        "('film', 2, 'seedance', 'live', 'https://x', 's', 'ok', NULL)"
    )
    if version == 2:
        old.executescript(SECOND_SCHEMA)
        old.execute(
            "INSERT INTO jobs VALUES ('j', 'film', 2, 'seedance', '{}', 'https://x', NULL, 'live', 's', 'h', "
            "'succeeded', 900, 5.0, 3, 4)"
        )
    old.commit()
    old.close()
    before = state(tmp_path)
    table = frame(source_files=tmp_path / "old.db", columns="all")
    assert table["output_tokens"].tolist() == [4, pd.NA if version == 1 else 900]
    assert table["video_s"].tolist() == [pd.NA, pd.NA if version == 1 else 5.0]
    assert table["billed"].isna().all()
    films = jobs(source_files=tmp_path / "old.db")
    assert films["tokens"].tolist() == ([] if version == 1 else [900])
    assert films["file"].tolist() == ([] if version == 1 else [str(tmp_path / "old.db")])
    assert state(tmp_path) == before


def test_a_ledger_of_a_later_version_is_read_as_far_as_it_is_known(hand_in: Path) -> None:
    path = hand_in / "ada" / "ledger.db"
    later = sqlite3.connect(path)
    later.execute("ALTER TABLE requests ADD COLUMN mood TEXT")
    later.execute("INSERT INTO schema_version VALUES (99, 0)")
    later.commit()
    later.close()
    assert frame(source_files=path)["title"].tolist() == ["ada"] * 3


def test_what_is_no_ledger_is_named_once_and_passed_over(hand_in: Path) -> None:
    (hand_in / "notes.db").write_text("not a database at all" * 100)
    (hand_in / "empty.db").touch()
    other = sqlite3.connect(hand_in / "other.db")
    other.execute("CREATE TABLE requests (id TEXT)")
    other.commit()
    other.close()
    broken = (hand_in / "ada" / "ledger.db").read_bytes()
    (hand_in / "broken.db").write_bytes(broken[:8192] + b"\xff" * (len(broken) - 8192))
    before = state(hand_in)
    with pytest.warns(UserWarning, match="Passed over") as caught:
        table = frame(source_files=[hand_in / "**/*.db", "typed/wrongly.db"])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    told = str(caught[0].message)
    for name in ("notes.db", "empty.db", "other.db", "broken.db", "typed/wrongly.db"):
        assert name in told
    assert "ledger.db" not in told
    assert set(table["title"]) == {"ada", "grace"}
    assert len(table) == 6
    assert state(hand_in) == before


def test_when_no_file_fits_it_is_an_error(tmp_path: Path) -> None:
    for files in (tmp_path / "*.db", [], [str(tmp_path)]):
        with pytest.raises(InputError, match="there is no file at") as caught:
            frame(source_files=files)  # type: ignore[arg-type]
        assert caught.value.field == "source_files"
        assert "hand-in/*/ledger.db" in caught.value.hint
    with pytest.raises(InputError, match="path and source_files"):
        by_model(source_files="*.db", path="mine.db")


def test_a_forged_ledger_harms_nobody(hand_in: Path) -> None:
    path = hand_in / "ada" / "ledger.db"
    forged = sqlite3.connect(path)
    forged.execute("UPDATE requests SET input_tokens = 'many' WHERE input_tokens = 0")
    huge = 2**63 - 1
    forged.execute(f"UPDATE requests SET input_tokens = {huge}, cost_nano = -5 WHERE input_tokens = 1")
    forged.execute("UPDATE requests SET duration_s = 'long', title = x'ff00', thread = CAST(x'ff41' AS TEXT)")
    forged.execute(
        "INSERT INTO requests (id, time_us, kind, source, base_url, model_asked, status) "
        "SELECT 'bad', 'yesterday', kind, source, base_url, model_asked, status FROM requests LIMIT 1"
    )
    forged.execute("CREATE TRIGGER bang AFTER INSERT ON requests BEGIN DELETE FROM requests; END")
    forged.commit()
    forged.close()
    table = frame(source_files=hand_in / "*" / "*.db", columns="all")
    assert len(table) == 6
    mine = table[table["file"] == str(path)]
    assert mine["input_tokens"].tolist() == [pd.NA, pd.NA, 2]
    assert mine[["duration_s", "title", "cost_nano"]].isna().all(axis=None)
    assert mine["thread"].tolist() == ["\ufffdA"] * 3
    (total,) = by_model(source_files=hand_in / "*" / "*.db").to_dict("records")
    assert total["input_tokens"] == 5


def test_a_view_that_is_called_requests_is_no_ledger(hand_in: Path) -> None:
    path = hand_in / "view.db"
    made = sqlite3.connect(path)
    made.executescript(FIRST_SCHEMA.replace("CREATE TABLE requests", "CREATE TABLE hidden"))
    made.execute("CREATE VIEW requests AS SELECT * FROM hidden")
    made.commit()
    made.close()
    with pytest.warns(UserWarning, match="view.db"):
        assert len(frame(source_files=hand_in / "*.db")) == 0


def test_both_ways_of_reading_give_the_same(hand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(hand_in / "big" / "ledger.db", [row | {"id": f"x{row['id']}"} for row in many(2000)])
    files = hand_in / "*" / "*.db"
    quick = frame(source_files=files, columns="all")
    monkeypatch.setattr(scan, "is_fast", lambda dialect: False)
    pd.testing.assert_frame_equal(quick, frame(source_files=files, columns="all"), check_exact=True)


def test_a_ledger_that_is_written_meanwhile_is_copied_again(
    hand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hand_in / "ada" / "ledger.db"
    copy = shutil.copyfile
    copies: list[str] = []

    def busy(source: Any, target: Any) -> Any:
        done = copy(source, target)
        copies.append(str(source))
        if copies == [str(path)]:
            write(path, [record(7, title="meanwhile", time_us=microseconds(NOON) + 9)])
        return done

    monkeypatch.setattr(handed_in.shutil, "copyfile", busy)
    assert frame(source_files=path)["title"].tolist() == ["ada"] * 3 + ["meanwhile"]
    assert copies.count(str(path)) == 2


def test_nothing_is_left_behind(hand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(handed_in.tempfile, "tempdir", str(place))
    room.by_user(source_files=hand_in / "*" / "*.db")
    frame(source_files=hand_in / "*" / "*.db")
    assert list(place.iterdir()) == []
    monkeypatch.setattr(handed_in, "_fill_from_jobs", lambda merged: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        frame(source_files=hand_in / "*" / "*.db")
    assert list(place.iterdir()) == []


def test_one_s_own_rows_are_not_mixed_in(hand_in: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_LEDGER_URL", str(path))
    with Ledger() as ledger:
        ledger.begin(request_row(title="mine"))
    assert "mine" not in set(frame(source_files=hand_in / "*" / "*.db")["title"])
    assert frame()["title"].tolist() == ["mine"]
