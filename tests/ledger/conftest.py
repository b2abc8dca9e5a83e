from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.wire.values import Source

WRITER = Path(__file__).with_name("writer.py")


def request_row(**changes: Any) -> RequestRow:
    """A row that a test changes where it matters."""
    values: dict[str, Any] = {
        "kind": "chat",
        "source": Source.LIVE,
        "base_url": "https://www.anyfast.ai/v1",
        "model": "doubao-seed-2.0-lite",
        "title": "Hello",
    }
    return RequestRow(**(values | changes))


def start_writer(path: Path | str, rows: int, *, file_size_limit: int = 0) -> subprocess.Popen[str]:
    """A real process that appends to the ledger."""
    command = [sys.executable, str(WRITER), str(path), str(rows), str(file_size_limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def stored(path: Path) -> dict[str, dict[str, Any]]:
    """The rows as another program sees them, by id, once all is taken over."""
    with Ledger(path) as ledger:
        ledger.absorb()
    return in_file(path)


def in_file(path: Path) -> dict[str, dict[str, Any]]:
    """The rows that are in the file by now."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM requests")}
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.sqlite3"


@pytest.fixture
def told() -> list[str]:
    """What the ledger warned of."""
    return []


class FakeClock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(path: Path, told: list[str], clock: FakeClock) -> Iterator[Ledger]:
    with Ledger(path, warn=told.append, clock=clock) as ledger:
        yield ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """An empty ledger of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('path')}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def either(place: str, told: list[str], clock: FakeClock) -> Iterator[Ledger]:
    """What holds of it holds on SQLite and on PostgreSQL."""
    with Ledger(place, warn=told.append, clock=clock) as ledger:
        yield ledger


def rows_of(ledger: Ledger, table: str = "requests") -> dict[str, dict[str, Any]]:
    """All rows of a table, by their key."""
    from sqlalchemy import select

    from anyfast_nb.ledger.disk.tables import METADATA

    with ledger.reading() as connection:
        found = connection.execute(select(METADATA.tables[table])).mappings().all()
    return {str(next(iter(row.values()))): dict(row) for row in found}


def held_up(path: Path) -> sqlite3.Connection:
    """Somebody who holds SQLite's lock until they roll back."""
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    return locker


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Makes a folder unwritable for this process, even if it is root's."""

    @contextmanager
    def unwritable(folder: Path) -> Iterator[None]:
        user = os.geteuid()
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            if user == 0:
                os.seteuid(user)
            for path in paths:
                path.chmod(0o755 if path.is_dir() else 0o644)

    return unwritable


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    rmtree(folder)
