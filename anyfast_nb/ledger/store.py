"""The ledger of one state folder: rows are begun, settled and read here, by any number of kernels at once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import Billed, LedgerError
from anyfast_nb.ledger.assets import AssetTable
from anyfast_nb.ledger.budget.table import BudgetTable
from anyfast_nb.ledger.disk.schema import COLUMNS
from anyfast_nb.ledger.job_history import JobHistory
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.ledger.prices.pricing import Pricing, costing
from anyfast_nb.ledger.rows import (
    Kept,
    ModelTotal,
    Record,
    RequestRow,
    Since,
    kept_count,
    kept_seconds,
    kept_text,
    microseconds,
)
from anyfast_nb.wire.values import Money, Source, Status, Usage

if TYPE_CHECKING:
    from anyfast_nb.ledger.prices.book import Cost

_UNKNOWN: Final = Usage()
_FILMS: Final = frozenset({"seedance", "kling"})


class Ledger(JobHistory, AssetTable, BudgetTable, Pricing):
    """One row per request, per job and per asset; see `durable.Durable` for arguments, and what holds when.

    Example:
        >>> from anyfast_nb.wire.values import Source
        >>> row = RequestRow(kind="chat", source=Source.LIVE, base_url="https://host.cn/v1", model="pro")
        >>> with Ledger() as ledger:
        ...     id = ledger.begin(row)
        ...     cost = ledger.settle(id, status=Status.OK, usage=Usage(input_tokens=3, output_tokens=5))
        ...     ledger.totals_by_model()[0].output_tokens
        5
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._begun: dict[str, Record] = {}
        self._film_costs: dict[str, Money] = {}
        super().__init__(*args, **options)

    def begin(self, row: RequestRow, *, reserved: bool = False) -> str:
        """Write a row before its request is sent.

        Args:
            row: of the request.
            reserved: something is reserved for it: it is written straight into the store, where others
                who reserve see it.

        Returns:
            The row's id, for `settle`. The row is on disk by then.

        Raises:
            LedgerError: with `reserved`, the store cannot take it: do not send the request.
        """
        record = row.record()
        if self.shared:
            record["title"] = None
        if reserved:
            self._begin_in_store(record)
        else:
            self._write(Kept("requests", record))
        self._begun[row.id] = record
        return row.id

    def is_begun_here(self, id: str) -> bool:
        """Has this ledger begun that request, and not settled it?"""
        return id in self._begun

    def _begin_in_store(self, record: Record) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        from anyfast_nb.ledger.disk.engine import put

        try:
            with self.transaction() as connection:
                put(connection, [Kept("requests", record)])
        except (SQLAlchemyError, sqlite3.Error, OSError, LedgerError) as error:
            raise self._unwritable(error) from error

    def settle(
        self,
        id: str,
        *,
        status: Status,
        source: Source | None = None,
        model: str | None = None,
        usage: Usage = _UNKNOWN,
        images: int | None = None,
        video_s: float | None = None,
        duration_s: float | None = None,
        ttft_s: float | None = None,
        error: str | None = None,
        error_class: str | None = None,
        billed: Billed | None = None,
        request_id: str | None = None,
        attempts: int | None = None,
        task_id: str | None = None,
    ) -> Cost | None:
        """Fill in how a request ended; the first time counts, a second changes nothing.

        Args:
            id: what `begin` of this ledger gave.
            status: ok, error, interrupted, truncated, submit_unknown for a generation that may have been
                accepted, or unfinished if nobody can say.
            source: who answered, if that is known only now.
            model: the model that served, if the server said so.
            usage: tokens; None where unknown.
            images: pictures made.
            video_s: seconds of film made.
            duration_s: seconds from sending to the end.
            ttft_s: seconds to the first text or reasoning.
            error: the error in one line, redacted by the caller.
            error_class: of that error.
            billed: may it have cost money? By default what the status says.
            request_id: the server's, for the vendor's support.
            attempts: tries made, retries included.
            task_id: what the server calls the generation that was asked for.

        Returns:
            What it cost; None if that is not known, or it is not billed.
        """
        record = self._begun.pop(id, None)
        if record is None:
            return None
        counted = _counted(usage)
        said = _billed(Status(status), str(record["kind"])) if billed is None else Billed(billed)
        record = record | {
            "status": Status(status).value,
            "source": record["source"] if source is None else Source(source).value,
            "model_served": kept_text(model or None),
            "billed": None if said is None else said.value,
            "input_tokens": counted.input_tokens,
            "cached_tokens": counted.cached_tokens,
            "output_tokens": counted.output_tokens,
            "reasoning_tokens": counted.reasoning_tokens,
            "images": kept_count(images),
            "video_s": kept_seconds(video_s),
            "duration_s": kept_seconds(duration_s),
            "ttft_s": kept_seconds(ttft_s),
            "error": kept_text(error),
            "error_class": kept_text(error_class or None),
            "request_id": kept_text(request_id or None),
            "attempts": kept_count(attempts),
            "task_id": kept_text(task_id or None),
        }
        cost = None if said is Billed.NO else self._cost(record, usage=counted)
        self._write(Kept("requests", record | costing(cost)))
        self._begin_absorbing()
        return cost

    def _figures_of(self, row: JobRow) -> list[Kept]:
        # A job that was refused has no task: how its request ended, `settle` says.
        known = row.tokens is not None or row.video_s is not None
        if not row.request_row or not row.task_id or not (row.status.ends or known):
            return []
        refunded = row.status is JobStatus.FAILED
        cost: Cost | None = None
        empty: Record = dict.fromkeys(COLUMNS)
        record = empty | {
            "id": row.request_row,
            "time_us": microseconds(row.created_at),
            "status": Status.OK.value,
            "output_tokens": kept_count(row.tokens),
        }
        job = self._job_record(row)
        record |= {name: job[name] for name in _OF_THE_JOB}
        record |= {"model_asked": job["model"], "job": row.id}
        if row.status.ends:
            record["billed"] = (Billed.NO if refunded else Billed.YES).value
            if not refunded:
                cost = self._cost(record, usage=Usage(output_tokens=row.tokens))
                record |= costing(cost)
        if cost is not None:
            self._film_costs[row.request_row] = Money(cost.nano, cost.currency)
        return [Kept("requests", record)]

    def film_cost(self, row: JobRow) -> Money | None:
        """What a film cost, as the row of its request says; None if it has not ended, or no price was set.

        Of one that ended in this kernel it is known; else the store is read.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        if row.request_row is None or not row.status.ends or row.status is JobStatus.FAILED:
            return None
        if row.request_row not in self._film_costs:
            from sqlalchemy import select

            from anyfast_nb.ledger.disk.tables import REQUESTS

            known = REQUESTS.c
            asked = select(known.cost_nano, known.currency).where(known.id == row.request_row)
            with self.reading() as connection:
                found = connection.execute(asked).first()
            if found is None or found.cost_nano is None or found.currency is None:
                return None
            self._film_costs[row.request_row] = Money(int(found.cost_nano), found.currency)
        return self._film_costs[row.request_row]

    def totals_by_model(self, since: Since = None) -> list[ModelTotal]:
        """What each model was used for, added up by the database; sources are never mixed.

        Returns:
            By source, and within it the most used model first.

        Raises:
            LedgerError: the ledger cannot be read.
            InputError: ``since`` is no date or time.
        """
        from sqlalchemy import Integer, and_, case, cast, func, select

        from anyfast_nb.ledger.disk.selection import chosen
        from anyfast_nb.ledger.disk.tables import REQUESTS

        row = REQUESTS.c
        model = func.coalesce(row.model_served, row.model_asked).label("model")
        figures = (row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens)
        ended_well = case((row.status == Status.OK.value, 1), else_=0)
        without = case((and_(row.input_tokens.is_(None), row.output_tokens.is_(None)), 1), else_=0)
        asked = (
            select(
                row.source,
                model,
                func.count().label("requests"),
                cast(func.sum(ended_well), Integer),
                cast(func.sum(without), Integer),
                *(func.sum(figure) for figure in figures),
            )
            .where(*chosen(since, {}, time=row.time_us))
            .group_by(row.source, model)
            .order_by(row.source, func.count().desc(), model)
        )
        with self.reading() as connection:
            return [ModelTotal(*_whole(one)) for one in connection.execute(asked)]


_OF_THE_JOB: Final = (
    "kind", "source", "base_url", "title", "video_s", "notebook", "cell", "user_name", "task_id",
    "request_hash",
)  # fmt: skip


def _counted(usage: Usage) -> Usage:
    """The usage as it is kept: what no server can mean is unknown."""
    return Usage(
        input_tokens=kept_count(usage.input_tokens),
        cached_tokens=kept_count(usage.cached_tokens),
        output_tokens=kept_count(usage.output_tokens),
        reasoning_tokens=kept_count(usage.reasoning_tokens),
    )


def _billed(status: Status, kind: str) -> Billed | None:
    if kind in _FILMS and status is Status.OK:
        return None  # its job will say
    return Billed.YES if status in {Status.OK, Status.TRUNCATED} else Billed.MAYBE


def _whole(row: Any) -> list[Any]:
    """PostgreSQL adds up to decimals."""
    return [value if value is None or isinstance(value, str) else int(value) for value in row]
