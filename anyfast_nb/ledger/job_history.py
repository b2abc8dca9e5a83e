"""What earlier jobs say about the next: was this wish made already, and how long does such a one take?"""

from __future__ import annotations

import hashlib
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger.disk.makers import Makers
from anyfast_nb.ledger.job_rows import JobRow, JobStatus, JobTable, row_of
from anyfast_nb.ledger.rows import Kept
from anyfast_nb.wire.values import Source

_UNDER_WAY: Final = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.UNKNOWN)
_BELIEVED: Final = timedelta(hours=1)
_NEWEST: Final = 200
_FEWEST, _FEWEST_ALIKE = 3, 5
_SIZES: Final = ("resolution", "mode")  # Seedance's word, and Kling's: std or pro


class JobHistory(JobTable):
    """The jobs of a ledger, asked about what was."""

    _makers: Makers | None = None

    # --- one wish, one job ----------------------------------------------------------------

    def maker(self) -> str:
        """The name of this kernel for the rows of its jobs; "" where it cannot be told from a dead one."""
        own = self._all_makers().own()
        return own + self._home_mark() if own and self.shared else own

    def maker_lives(self, row: JobRow) -> bool:
        """Is the kernel that sends this job, or sent it, still there?

        Of a kernel on another machine that cannot be seen: it is believed to live for an hour.
        """
        maker = row.maker or ""
        if not self.shared or maker.endswith(self._home_mark()):
            return self._all_makers().lives(maker.removesuffix(self._home_mark()))
        return bool(maker) and datetime.now(UTC) - row.created_at < _BELIEVED

    def standing(self, identity: str) -> JobRow | None:
        """The attempt at a wish that counts: one that was made or is being made, else one in doubt.

        None if there is none, or all of them failed: it may be sent.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from anyfast_nb.ledger.disk.tables import JOBS

        return self._standing(self._jobs(JOBS.c.identity == identity, newest=None))

    def begin_job_once(self, row: JobRow) -> JobRow | None:
        """Write a job before its request is sent, unless an attempt at its wish stands already.

        Looking and writing are one step, also beside other kernels.

        Args:
            row: with an identity.

        Returns:
            The attempt that stands, and nothing was written; or None: it is this one's turn.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return self._begun_once(row)
        except (SQLAlchemyError, sqlite3.Error, OSError, LedgerError):
            found = self.standing(row.identity or "")
            if found is None:
                self.begin_job(row)
            return found

    def _begun_once(self, row: JobRow) -> JobRow | None:
        from sqlalchemy import func, select

        from anyfast_nb.ledger.disk.engine import put
        from anyfast_nb.ledger.disk.tables import JOBS

        of_identity = select(JOBS).where(JOBS.c.identity == row.identity)
        with self.transaction() as connection:
            if self.shared:  # a file is locked as a whole
                number = hashlib.sha256(f"anyfast job {row.identity}".encode()).digest()[:8]
                lock = func.pg_advisory_xact_lock(int.from_bytes(number, "big", signed=True))
                connection.execute(select(lock))
            rows = connection.execute(of_identity.order_by(JOBS.c.created_us, JOBS.c.id)).mappings()
            found = self._standing([row_of(one) for one in rows])
            if found is None:
                told = row.event()
                put(connection, [Kept("jobs", self._job_record(row)), Kept("job_events", told.record())])
            return found

    def _standing(self, rows: Sequence[JobRow]) -> JobRow | None:
        best: JobRow | None = None
        for row in rows:  # of equals the newest
            if self._rank(row) and (best is None or self._rank(row) >= self._rank(best)):
                best = row
        return best

    def _rank(self, row: JobRow) -> int:
        if row.status is JobStatus.SUCCEEDED:
            return 3
        if row.status in _UNDER_WAY or (row.status is JobStatus.SUBMITTING and self.maker_lives(row)):
            return 2
        return 0 if row.status.ends else 1

    # --- how long it takes ----------------------------------------------------------------

    def job_durations(
        self, kind: str, *, like: JobRow | None = None, source: Source = Source.LIVE
    ) -> tuple[float | None, float | None]:
        """How long jobs of a kind took, from submission to the end: the median and the 90th percentile.

        Args:
            kind: seedance or kling.
            like: only jobs of the same source count; and, where there are five of them, only those of the
                same model, resolution and length.
            source: live, simulated or replayed, where `like` is not given.

        Returns:
            Seconds, of the newest 200 that succeeded; (None, None) below three of them.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        wanted = source if like is None else like.source
        from anyfast_nb.ledger.disk.tables import JOBS

        known = JOBS.c
        rows = self._jobs(
            known.kind == kind,
            known.status == JobStatus.SUCCEEDED.value,
            known.source == wanted.value,
            known.finished_us.is_not(None),
            newest=_NEWEST,
        )
        if like is not None:
            alike = [row for row in rows if _class_of(row) == _class_of(like)]
            rows = alike if len(alike) >= _FEWEST_ALIKE else rows
        took = [_seconds(row) for row in rows]
        if len(took) < _FEWEST:
            return None, None
        tenths = statistics.quantiles(took, n=10, method="inclusive")
        return tenths[4], tenths[8]

    # --- details --------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files; the ledger opens again when it is used."""
        super().close()
        if self._makers is not None:
            self._makers.close()

    def _home_mark(self) -> str:
        """Tells the kernels of this home from those of another that writes to the same ledger."""
        if not self.shared:
            return ""
        return hashlib.sha256(f"{platform.node()}:{self.path.parent.resolve()}".encode()).hexdigest()[:8]

    def _all_makers(self) -> Makers:
        if self._makers is None:
            self._makers = Makers(self.path.parent / "kernels")
        return self._makers


def _class_of(row: JobRow) -> tuple[Any, ...]:
    return (row.model, str(row.request.get("duration")), *(row.request.get(name) for name in _SIZES))


def _seconds(row: JobRow) -> float:
    assert row.finished_at is not None
    return (row.finished_at - row.created_at).total_seconds()
