"""The ledger of one state folder: rows are begun, settled and read here, by any number of kernels at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyfast_nb.ledger.assets import AssetTable
from anyfast_nb.ledger.job_history import JobHistory
from anyfast_nb.ledger.queries import MODEL, SELECT_ROWS, SELECT_TOTALS, where
from anyfast_nb.ledger.rows import (
    ModelTotal,
    Names,
    Record,
    RequestRow,
    Since,
    kept_count,
    kept_seconds,
    kept_text,
)
from anyfast_nb.wire.values import Source, Status, Usage

_log = logging.getLogger("anyfast_nb.ledger")

_UNKNOWN = Usage()


class Ledger(JobHistory, AssetTable):
    """One row per request, per job and per asset; see `durable.Durable` for what holds when.

    Args:
        place: a path or a ``sqlite:///`` URL; by default the ledger of the state folder.
        warn: is told of trouble, once for each kind.
        clock: monotonic seconds.

    Example:
        >>> from anyfast_nb.wire.values import Source
        >>> row = RequestRow(kind="chat", source=Source.LIVE, base_url="https://host.cn/v1", model="pro")
        >>> with Ledger() as ledger:
        ...     id = ledger.begin(row)
        ...     ledger.settle(id, status=Status.OK, usage=Usage(input_tokens=3, output_tokens=5))
        ...     ledger.totals_by_model()[0].output_tokens
        5
    """

    def __init__(
        self,
        place: str | Path | None = None,
        *,
        warn: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(place, warn=warn, clock=clock)
        self._begun: dict[str, Record] = {}

    def begin(self, row: RequestRow) -> str:
        """Write a row before its request is sent.

        Returns:
            The row's id, for `settle`. The row is on disk by then.
        """
        record = row.record()
        self._begun[row.id] = record
        self._write(record)
        return row.id

    def settle(
        self,
        id: str,
        *,
        status: Status,
        source: Source | None = None,
        model: str | None = None,
        usage: Usage = _UNKNOWN,
        duration_s: float | None = None,
        ttft_s: float | None = None,
        error: str | None = None,
        request_id: str | None = None,
        attempts: int | None = None,
        task_id: str | None = None,
    ) -> None:
        """Fill in how a request ended; the first time counts, a second changes nothing.

        Args:
            id: what `begin` of this ledger gave.
            status: ok, error, interrupted, truncated, submit_unknown for a generation that may have been
                accepted, or unfinished if nobody can say.
            source: who answered, if that is known only now.
            model: the model that served, if the server said so.
            usage: tokens; None where unknown.
            duration_s: seconds from sending to the end.
            ttft_s: seconds to the first text or reasoning.
            error: the error in one line, redacted by the caller.
            request_id: the server's, for the vendor's support.
            attempts: tries made, retries included.
            task_id: what the server calls the generation that was asked for.
        """
        record = self._begun.pop(id, None)
        if record is None:
            return
        self._write(
            record
            | {
                "status": Status(status).value,
                "source": record["source"] if source is None else Source(source).value,
                "model_served": kept_text(model or None),
                "input_tokens": kept_count(usage.input_tokens),
                "cached_tokens": kept_count(usage.cached_tokens),
                "output_tokens": kept_count(usage.output_tokens),
                "reasoning_tokens": kept_count(usage.reasoning_tokens),
                "duration_s": kept_seconds(duration_s),
                "ttft_s": kept_seconds(ttft_s),
                "error": kept_text(error),
                "request_id": kept_text(request_id or None),
                "attempts": kept_count(attempts),
                "task_id": kept_text(task_id or None),
            }
        )

    def rows(
        self,
        *,
        since: Since = None,
        model: Names = None,
        status: Names = None,
        source: Names = None,
        thread: Names = None,
        notebook: Names = None,
    ) -> list[tuple[Any, ...]]:
        """The rows as tuples of ``queries.FRAME_COLUMNS``, by time; ``time`` in microseconds since 1970.

        Args:
            since: see `rows.since_us`.
            model: one name or several, None is any; so for all that follow.
            status: ok, error, interrupted, truncated, unfinished.
            source: live, simulated, replayed.
            thread: names of conversations.
            notebook: paths of notebooks.

        Raises:
            LedgerError: the ledger cannot be read.
            InputError: ``since`` is no date or time.
        """
        by = {MODEL: model, "status": status, "source": source, "thread": thread, "notebook": notebook}
        condition, values = where(since, by)
        return self._read(f"{SELECT_ROWS} {condition} ORDER BY time_us, id", values)

    def totals_by_model(self, since: Since = None) -> list[ModelTotal]:
        """What each model was used for, added up by SQLite; sources are never mixed.

        Returns:
            By source, and within it the most used model first.

        Raises:
            LedgerError: the ledger cannot be read.
            InputError: ``since`` is no date or time.
        """
        condition, values = where(since, {})
        rows = self._read(f"{SELECT_TOTALS} {condition} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2", values)
        return [ModelTotal(*row) for row in rows]
