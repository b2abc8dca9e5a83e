"""Ledgers that were handed in, read as one. They are copied, and only the copies are ever opened.

What lies in a ``journal`` folder beside one, rows that its kernel had not taken over yet, is read with it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    NullPool,
    Table,
    Text,
    case,
    create_engine,
    func,
    select,
)

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.engine import is_open_here
from anyfast_nb.ledger.disk.leaving import journal_of
from anyfast_nb.ledger.disk.schema import TABLES
from anyfast_nb.ledger.disk.sqlite_file import copy_file
from anyfast_nb.ledger.disk.tables import JOBS, METADATA, REQUESTS, upsert
from anyfast_nb.ledger.frames.scan import Readable, compiled
from anyfast_nb.ledger.store import Ledger

if TYPE_CHECKING:
    from anyfast_nb.ledger.rows import Kept

Files = str | Path | Iterable[str | Path] | None

_BESIDE: Final = ("-wal", "-journal")  # what SQLite keeps beside a file, and may hold rows
_SUFFIXES: Final = (*_BESIDE, "-shm")
_TRIES: Final = 5
# What no request of ours ever says; a sum of such numbers would not fit.
_MOST: Final = {"time_us": 2**53, "created_us": 2**53, "finished_us": 2**53, "updated_us": 2**53,
                "cost_nano": 10**15}  # fmt: skip
_MOST_ELSE: Final = 10**12


@contextlib.contextmanager
def opened(
    path: str | Path | None, source_files: Files, *, warn: Callable[[str], None]
) -> Iterator[Readable]:
    """The ledger that is meant: one's own, another, or those that were handed in.

    Raises:
        InputError: both are named, or no file fits the patterns.
    """
    if source_files is None:
        with Ledger(path, warn=warn) as ledger:
            yield ledger
    elif path is not None:
        raise InputError(
            "path and source_files both say which ledger is read.",
            field="source_files",
            hint="Give one of them; source_files also takes a single path.",
        )
    else:
        with HandedIn(source_files, warn=warn) as merged:
            yield merged


class HandedIn:
    """Ledger files as one ledger; a request that is in two of them is one row, of the first file.

    Args:
        files: paths and patterns; ``**`` is any depth.
        warn: is told once which of them are no ledgers.

    Raises:
        InputError: no file fits.
    """

    dialect = "sqlite"

    def __init__(self, files: str | Path | Iterable[str | Path], *, warn: Callable[[str], None]) -> None:
        self.files, strange = found(files)
        self._folder = Path(tempfile.mkdtemp(prefix="anyfast-ledger-"))
        try:
            self._path = self._folder / "merged.sqlite3"
            strange += self._merge()
        except BaseException:
            self.__exit__()
            raise
        if strange:
            warn(f"Passed over, because no ledger could be read there: {', '.join(strange)}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the rows of all files."""
        engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def readable(self) -> Iterator[str]:
        """A file that holds the rows of all."""
        yield str(self._path)

    # --- details --------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.text_factory = _as_text
        return connection

    def _merge(self) -> list[str]:
        """Put all files together; the names of those that are no ledgers."""
        strange: list[str] = []
        with contextlib.closing(self._connect()) as merged:
            merged.execute("PRAGMA journal_mode = OFF")  # it is made anew for each reading
            merged.execute("PRAGMA synchronous = OFF")
            merged.execute("PRAGMA trusted_schema = OFF")  # somebody else made these files
            METADATA.create_all(_engine(merged), tables=[REQUESTS, JOBS])
            for table in (REQUESTS, JOBS):
                merged.execute(f"ALTER TABLE {table.name} ADD COLUMN file TEXT")
            for number, path in enumerate(self.files):
                try:
                    # What leaves the journal meanwhile is in the file: so it is read first.
                    waiting = journal_of(path).records()
                    copy = _copied(path, self._folder / str(number))
                    _take(merged, copy, str(path))
                    if waiting:
                        _take(merged, _staged(waiting, copy.with_name("journal")), str(path))
                    shutil.rmtree(copy.parent)
                except (OSError, sqlite3.Error):
                    strange.append(str(path))
            _fill_from_jobs(merged)
        return strange


def found(files: str | Path | Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """The files that paths and patterns name, in order, and the patterns that name none.

    Raises:
        InputError: there is no file at all.
    """
    patterns = [files] if isinstance(files, str | Path) else list(files)
    paths: dict[Path, None] = {}
    without: list[str] = []
    for pattern in patterns:
        text = str(Path(pattern).expanduser())
        # Path.glob takes no absolute pattern.
        names = [text] if Path(text).is_file() else sorted(glob(text, recursive=True))  # noqa: PTH207
        fitting = [Path(name) for name in names if Path(name).is_file() and not name.endswith(_SUFFIXES)]
        paths |= dict.fromkeys(fitting)
        if not fitting:
            without.append(str(pattern))
    if not paths:
        raise InputError(
            f"source_files: there is no file at {', '.join(map(str, patterns)) or 'any of no paths'}.",
            field="source_files",
            hint="Patterns are looked up from the current folder: hand-in/*/ledger.db, or hand-in/**/*.db.",
        )
    return list(paths), without


def _copied(path: Path, folder: Path) -> Path:
    """A copy of a file, and of what belongs to it, as they were at one moment."""
    copy = folder / "ledger"
    if is_open_here(path):
        folder.mkdir()
        copy_file(path, copy)
        return copy
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        before = _states(path)
        shutil.copyfile(path, copy)
        for suffix in _BESIDE:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        if before == _states(path):
            return copy
    raise OSError(f"{path} is being written")


def _states(path: Path) -> list[tuple[int, int] | None]:
    states: list[tuple[int, int] | None] = []
    for suffix in ("", *_BESIDE):
        try:
            stat = Path(f"{path}{suffix}").stat()
        except FileNotFoundError:
            states.append(None)
        else:
            states.append((stat.st_mtime_ns, stat.st_size))
    return states


def _staged(records: Sequence[Kept], path: Path) -> Path:
    """Lines of a journal that lay beside a ledger, as another file.

    Each is a row there, without any rule: they may say anything.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as staged:
        staged.execute("PRAGMA synchronous = OFF")
        staged.execute("BEGIN")
        for table in (REQUESTS, JOBS):
            names = TABLES[table.name].columns
            staged.execute(f"CREATE TABLE {table.name} ({', '.join(names)})")
            into = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(names))})"  # noqa: S608
            for kept in records:
                if kept.table == table.name:
                    with contextlib.suppress(OverflowError, UnicodeEncodeError):  # no row of ours
                        staged.execute(into, [kept.record[name] for name in names])
        staged.execute("COMMIT")
    return path


def _take(merged: sqlite3.Connection, copy: Path, name: str) -> None:
    merged.execute("ATTACH ? AS given", (str(copy),))
    try:
        _take_table(merged, REQUESTS, name, required=True)
        _take_table(merged, JOBS, name, required=False)  # the first ledgers had none
    finally:
        merged.execute("DETACH given")


def _take_table(merged: sqlite3.Connection, table: Table, name: str, *, required: bool) -> None:
    of_tables = "SELECT 1 FROM given.sqlite_master WHERE type = 'table' AND name = ?"
    real = merged.execute(of_tables, (table.name,))  # a view by that name could do anything
    told = merged.execute(f"PRAGMA given.table_info({table.name})") if real.fetchone() else ()
    there = {row[1] for row in told}
    needed = {column.name for column in table.columns if not column.nullable}
    if not needed <= there:
        if required:
            raise sqlite3.DatabaseError("it has no table of requests")
        return
    given = table.to_metadata(MetaData(), schema="given")
    columns = [column for column in given.columns if column.name in there]
    rows = select(*(_believed(column).label(column.name) for column in columns)).where(
        *(_believed(column).is_not(None) for column in columns if column.name in needed)
    )
    statement: Any = upsert(table, dialect="sqlite").from_select([column.name for column in columns], rows)
    last = merged.execute(f"SELECT COALESCE(MAX(rowid), 0) FROM {table.name}").fetchone()[0]  # noqa: S608
    merged.execute("BEGIN")
    try:
        merged.execute(*compiled(statement, dialect="sqlite"))
        merged.execute(f"UPDATE {table.name} SET file = ? WHERE rowid > ?", (name, last))  # noqa: S608
    except BaseException:
        merged.execute("ROLLBACK")
        raise
    merged.execute("COMMIT")


def _believed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a column holds, if it is of its type: in SQLite it may be anything, by anybody."""
    kind = func.typeof(column)
    if isinstance(column.type, Text):
        return case((kind == "text", column))
    if isinstance(column.type, BigInteger | Integer):
        most = _MOST.get(str(getattr(column, "name", "")), _MOST_ELSE)
        return case(((kind == "integer") & column.between(0, most), column))
    return case((kind.in_(["integer", "real"]), column))


def _fill_from_jobs(merged: sqlite3.Connection) -> None:
    """What a generation used stood with its job only, in earlier versions."""
    merged.execute(
        "UPDATE requests SET output_tokens = COALESCE(requests.output_tokens, jobs.tokens), "
        "video_s = COALESCE(requests.video_s, jobs.video_s), job = COALESCE(requests.job, jobs.id) "
        "FROM jobs WHERE jobs.request_row = requests.id"
    )


def _engine(connection: sqlite3.Connection) -> Any:
    return create_engine("sqlite://", creator=lambda: connection)


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
