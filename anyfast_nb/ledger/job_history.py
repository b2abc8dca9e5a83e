"""What earlier jobs say about the next: was this wish made already, and how long does such a one take?"""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import LedgerError
from anyfast_nb.ledger import database
from anyfast_nb.ledger.job_rows import SELECT_JOBS, JobRow, JobStatus, JobTable, row_of
from anyfast_nb.ledger.makers import Makers
from anyfast_nb.ledger.rows import Kept
from anyfast_nb.wire.values import Source

_TROUBLES = (sqlite3.Error, OSError, LedgerError)
_OF_IDENTITY: Final = f"{SELECT_JOBS} WHERE identity = ? ORDER BY created_us DESC, id DESC"
_UNDER_WAY: Final = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.UNKNOWN)
_NEWEST: Final = 200
_FEWEST, _FEWEST_ALIKE = 3, 5
_SIZES: Final = ("resolution", "mode")  # Seedance's word, and Kling's: std or pro


class JobHistory(JobTable):
    """The jobs of a ledger, asked about what was."""

    _makers: Makers | None = None

    # --- one wish, one job ----------------------------------------------------------------

    def maker(self) -> str:
        """The name of this kernel for the rows of its jobs; "" where it cannot be told from a dead one."""
        return self._all_makers().own()

    def maker_lives(self, row: JobRow) -> bool:
        """Is the kernel that sends this job, or sent it, still there?"""
        return self._all_makers().lives(row.maker)

    def standing(self, identity: str) -> JobRow | None:
        """The attempt at a wish that counts: one that was made or is being made, else one in doubt.

        None if there is none, or all of them failed: it may be sent.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return self._standing(self._read(_OF_IDENTITY, [identity]))

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
        with self._held():
            try:
                return self._begun_once(row)
            except _TROUBLES:
                found = self.standing(row.identity or "")
                if found is None:
                    self.begin_job(row)
                return found

    def _begun_once(self, row: JobRow) -> JobRow | None:
        with self._transaction() as connection:
            found = self._standing(connection.execute(_OF_IDENTITY, [row.identity]).fetchall())
            if found is None:
                told = row.event()
                database.put(connection, [Kept("jobs", row.record()), Kept("job_events", told.record())])
            return found

    def _standing(self, values: Sequence[tuple[Any, ...]]) -> JobRow | None:
        rows = [row_of(one) for one in values]
        best: JobRow | None = None
        for row in reversed(rows):  # of equals the newest
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
        rows = [
            row_of(values)
            for values in self._read(
                f"{SELECT_JOBS} WHERE kind = ? AND status = 'succeeded' AND source = ? "
                f"AND finished_us IS NOT NULL ORDER BY created_us DESC LIMIT {_NEWEST}",
                [kind, wanted.value],
            )
        ]
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

    def _all_makers(self) -> Makers:
        if self._makers is None:
            self._makers = Makers(Path(self.path).parent / "kernels")
        return self._makers


def _class_of(row: JobRow) -> tuple[Any, ...]:
    return (row.model, str(row.request.get("duration")), *(row.request.get(name) for name in _SIZES))


def _seconds(row: JobRow) -> float:
    assert row.finished_at is not None
    return (row.finished_at - row.created_at).total_seconds()
