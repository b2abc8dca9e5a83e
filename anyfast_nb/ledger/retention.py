"""Letting old rows go: what is older than a date leaves the ledger, and nothing else does.

Never goes: a request that a running budget counts, for that would make room in it; a job that has not
ended, with its request; an asset that AnyFast may still keep. Files that jobs have made stay where they are.
"""

from __future__ import annotations

import glob
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from anyfast_nb.errors import InputError, LedgerError
from anyfast_nb.ledger.budget.values import Per
from anyfast_nb.ledger.disk.schema import ENDS
from anyfast_nb.ledger.disk.tables import (
    ASSETS,
    BUDGETS,
    FORGOTTEN_ASSETS,
    JOB_EVENTS,
    JOBS,
    REQUESTS,
    RESERVATIONS,
)
from anyfast_nb.ledger.rows import Since, microseconds, moment_of, since_us

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from anyfast_nb.ledger.store import Ledger

# A week's budget began at most so long ago, whatever its zone.
_LONGEST_WINDOW: Final = timedelta(days=8)
_BUSY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go.

    Attributes:
        place: of the ledger, as a person may see it.
        before: what is older goes.
        rows: how many of each table.
        counted: requests that are old enough, and stay because a running budget counts them.
        done: False for a rehearsal.
        compacted: the file was made smaller; None on PostgreSQL, which does so by itself.
        copies: backups and damaged files beside it, which keep what they have.
    """

    place: str
    before: datetime
    rows: Mapping[str, int] = field(default_factory=dict)
    counted: int = 0
    done: bool = False
    compacted: bool | None = None
    copies: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(self.rows.values())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        went = "went" if self.done else "would go"
        lines = [f"{self.place}, before {self.before:%Y-%m-%d %H:%M} UTC:"]
        lines += [f"  {_line(count, name)} {went}" for name, count in self.rows.items() if count]
        if not self.total:
            lines.append("  nothing is so old" if not self.counted else f"  nothing {went}")
        if self.counted:
            stay = "stays" if self.counted == 1 else "stay"
            lines.append(f"  {_line(self.counted, 'requests')} {stay}: a running budget counts them")
        if self.done and self.compacted is False:
            lines.append("  The file keeps its size: another program is using it. Run it again later.")
        if self.copies:
            lines.append(f"  Copies beside it keep what they have: {', '.join(self.copies)}")
        return "\n".join(lines)


def prune(
    before: Since,
    *,
    path: str | Path | None = None,
    dry_run: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pruned:
    """Let rows go that are older than a time. They are not kept anywhere else.

    Args:
        before: a date, a time, an ISO text (local time without a zone), or a time span back from now.
        path: another ledger; by default ``ANYFAST_LEDGER_URL``, else the state folder's.
        dry_run: only count.
        now: the clock.

    Returns:
        How many rows of each table; it prints itself. Jobs' files stay; so do requests that a running
        budget counts, jobs that have not ended, and assets that were not deleted at AnyFast.

    Raises:
        InputError: ``before`` is no date or time.
        LedgerError: the ledger cannot be changed, or is a class's and not yours.

    Example:
        >>> from datetime import timedelta
        >>> prune(timedelta(days=365), dry_run=True).total
        0
    """
    from anyfast_nb.ledger.store import Ledger

    cut = since_us(before, field="before", now=now)
    if cut is None:
        hint = "Write a date such as '2026-01-01', or timedelta(days=365)."
        raise InputError("before=None is no date", field="before", hint=hint)
    with Ledger(path) as ledger:
        try:
            return _prune(ledger, cut, now(), dry_run=dry_run)
        except SQLAlchemyError as error:
            why = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise LedgerError(
                f"{ledger.place}: {why}", hint="Rows of a shared ledger go by its owner's URL only."
            ) from None


def _prune(ledger: Ledger, cut: int, now: datetime, *, dry_run: bool) -> Pruned:
    if dry_run:
        with ledger.reading() as connection:
            rules, counted = _rules(connection, cut, now)
            rows = {table.name: _count(connection, table, rule) for table, rule in rules}
        return Pruned(ledger.place, moment_of(cut), rows, counted, copies=_copies(ledger))
    ledger.absorb()
    with ledger.transaction() as connection:
        rules, counted = _rules(connection, cut, now)
        rows = {table.name: connection.execute(delete(table).where(rule)).rowcount for table, rule in rules}
    compacted = None if ledger.shared else _compacted(ledger.path)
    return Pruned(
        ledger.place, moment_of(cut), rows, counted, done=True, compacted=compacted, copies=_copies(ledger)
    )


def _copies(ledger: Ledger) -> tuple[str, ...]:
    if ledger.shared:
        return ()
    kinds = (".before-*", ".damaged-*")
    own = glob.escape(ledger.path.name)
    found = {path.name for kind in kinds for path in ledger.path.parent.glob(f"{own}{kind}")}
    return tuple(sorted(name for name in found if not name.endswith(("-wal", "-shm"))))


def _line(count: int, table: str) -> str:
    return f"{count:>9,} {table.removesuffix('s') if count == 1 else table}"


def _count(connection: Connection, table: Table, rule: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(rule)).scalar_one())


def _rules(
    connection: Connection, cut: int, now: datetime
) -> tuple[list[tuple[Table, ColumnElement[bool]]], int]:
    """Which rows of each table go, in this order; and how many requests a budget holds back."""
    request, held = REQUESTS.c, RESERVATIONS.c
    free = min(cut, _counted_from(connection, now, before=cut))
    running = JOBS.c.status.not_in(ENDS)
    busy = select(JOBS.c.request_row).where(running, JOBS.c.request_row.is_not(None))
    old = and_(request.time_us < cut, request.id.not_in(busy))
    counted = _count(connection, REQUESTS, and_(old, request.time_us >= free, request.source == "live"))
    going = and_(old, or_(request.time_us < free, request.source != "live"))
    staying = select(request.id).where(~going)
    forgotten = select(FORGOTTEN_ASSETS.c.asset_id).where(FORGOTTEN_ASSETS.c.time_us < cut)
    open_jobs = select(JOBS.c.id).where(or_(running, JOBS.c.created_us >= cut))
    return [
        (RESERVATIONS, and_(held.time_us < free, held.id.not_in(staying))),
        (REQUESTS, going),
        (JOB_EVENTS, and_(JOB_EVENTS.c.time_us < cut, JOB_EVENTS.c.job_id.not_in(open_jobs))),
        (JOBS, and_(JOBS.c.created_us < cut, ~running)),
        (ASSETS, and_(ASSETS.c.created_us < cut, ASSETS.c.asset_id.in_(forgotten))),
        (FORGOTTEN_ASSETS, FORGOTTEN_ASSETS.c.time_us < cut),
        (BUDGETS, BUDGETS.c.ended_us < cut),
    ], counted


def _counted_from(connection: Connection, now: datetime, *, before: int) -> int:
    """Since when running budgets count requests."""
    query = select(BUDGETS.c.per, BUDGETS.c.created_us).where(BUDGETS.c.ended_us.is_(None))
    window = microseconds(now - _LONGEST_WINDOW)
    begins = [row.created_us if row.per == Per.TOTAL else window for row in connection.execute(query)]
    return min(begins, default=before)


def _compacted(path: Path) -> bool:
    """Give the room of deleted rows back to the system: only then are they gone from the file."""
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error:
        return False
    return not busy


def older_than(text: str) -> timedelta:
    """``365d`` or ``52w`` as a time span.

    Raises:
        InputError: it is neither.
    """
    number, unit = text.strip()[:-1], text.strip()[-1:]
    days = {"d": 1, "w": 7}
    if unit not in days or not number.isdecimal() or not 0 < int(number) <= 36_500:
        raise InputError(f"{text!r} is no age", field="older-than", hint="Write days or weeks: 365d, 52w.")
    return timedelta(days=int(number) * days[unit])
