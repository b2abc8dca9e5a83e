"""One POST for a generation, and what is known after it: accepted, refused, or in doubt.

A create costs money and has no idempotency key. What surely did not reach the
work is repeated (no connection, 429, 503, an asset that has not arrived
everywhere); after any doubt it is not. The rows are in the ledger before the
first byte leaves, so that nothing that may be billed is ever forgotten.

Source: wire reference 2.4 (creations are billed, no idempotency key), 6.3 and 7.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, Billed, ProtocolError, StatusError
from anyfast_nb.gateway.bound_generations import generation_bound
from anyfast_nb.gateway.ending import GOOD, ending
from anyfast_nb.http.failures import lost
from anyfast_nb.http.transport import Call, Head
from anyfast_nb.jobs import failures
from anyfast_nb.jobs.poll import Pace, advanced
from anyfast_nb.jobs.record import hash_of, kept_request, without_data
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.ledger.rows import RequestRow, new_id
from anyfast_nb.wire.lag import GENERATION_WAITS_S, is_propagation
from anyfast_nb.wire.tasks import Task, read_created
from anyfast_nb.wire.values import Retrying, Source, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.gate import Admission
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.http.transport import Transport
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.wire.generation import Generation

_LAST_WORDS_S: Final = 20.0  # so long a reply is waited for after an interrupt


class Submission:
    """One create request on its way.

    Args:
        generation: checked.
        gateway: where it goes, and whose ledger gets the rows.
        prompt: what a person wrote, for the title.
        origin: notebook and cell.
        notes: what was uploaded or reused for it.
        pace: clocks.
        opened: makes the job of a row.
        identity: of the wish; see `identity.identity_of`.
        take: which take of the wish.
    """

    def __init__(
        self,
        generation: Generation,
        *,
        gateway: Gateway,
        prompt: str,
        origin: Origin,
        notes: tuple[str, ...] = (),
        pace: Pace,
        opened: Callable[[JobRow, str], Job],
        identity: str | None = None,
        take: int = 1,
    ) -> None:
        self._opened = opened
        self._identity = identity
        self._take = take
        self._generation = generation
        self._gateway = gateway
        self._prompt = prompt
        self._origin = origin
        self._notes = (*generation.notes, *notes)
        self._pace = pace
        self._attempts = 1
        self._stopped = False
        self._resting_until = float("-inf")
        self._head = Head(simulated=False, request_id="")

    async def begin(self, *, once: bool = False) -> JobRow | None:
        """Write it into the ledger. Nothing is sent.

        Args:
            once: not if an attempt at the same wish stands there already.

        Returns:
            That attempt; None if there is none, and `send` is to follow.

        Raises:
            NotAllowedError, BudgetError: it may not be sent.
            LedgerError: with `once`, or where budgets are set, if the ledger cannot be read.
        """
        self._transport = transport = await self._gateway.connection.transport()
        self._described = await asyncio.to_thread(without_data, self._generation.body)  # many bytes to hash
        source = Source.SIMULATED if transport.endpoint.simulated else Source.LIVE
        self._request = self._request_row(transport, source)
        made, gate = self._generation, self._gateway.gate
        admission = await gate.reserve(self._request, lambda: generation_bound(made.kind, made.body))
        self._notes += admission.lines
        try:
            row, ledger = self._job_row(transport, self._request), self._gateway.ledger
            self._job = self._opened(row, transport.redact(self._prompt))  # it is shown
            standing = ledger.begin_job_once(row) if once else None
            if not once:
                ledger.begin_job(row)
        except BaseException:
            gate.withdraw(self._request, admission)
            raise
        if standing is not None:
            gate.withdraw(self._request, admission)
            return standing
        await self._entered(admission)
        gate.noted(admission)
        return None

    async def _entered(self, admission: Admission) -> None:
        """Write the request's row; a job that holds a reservation is not sent without one."""
        try:
            await self._gateway.gate.begin(self._request, admission)
        except BaseException as error:
            what = "interrupted" if isinstance(error, asyncio.CancelledError) else type(error).__name__
            said = f"{what} before it was sent"
            self._job.change(status=JobStatus.FAILED, error=said, finished_at=self._pace.now())
            raise

    async def send(self) -> Job:
        """Send it once, after `begin`.

        An interrupt ends the waiting at once; a reply that is under way is still heard and written
        down, for it holds the id of what may be billed. Nothing is sent after an interrupt.

        Returns:
            The job, accepted by the server.

        Raises:
            AnyFastError: it was refused; or nobody knows, and the error says so. ``partial``
                is the job.
        """
        sending = asyncio.ensure_future(self._sent_and_settled())
        sending.add_done_callback(_looked_at)
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            if not sending.done():
                self._stopped = True
                if not self._rests():
                    await asyncio.wait({sending}, timeout=_LAST_WORDS_S)
                sending.cancel()
                await asyncio.wait({sending})
            raise

    async def _sent_and_settled(self) -> Job:
        transport, job, request = self._transport, self._job, self._request
        ledger, began = self._gateway.ledger, self._pace.clock()
        status, failure, how = Status.OK, "", GOOD
        try:
            task = await self._created(transport, job)
        except asyncio.CancelledError as stopped:
            how = ending(stopped, rests=self._rests())
            status, failure = self._cut_off(job)
            raise
        except AnyFastError as error:
            status, failure = self._failed(error, job, transport)
            how = ending(error)
            raise
        except BaseException as error:
            status, failure, how = Status.SUBMIT_UNKNOWN, type(error).__name__, ending(error)
            job.change(status=JobStatus.SUBMIT_UNKNOWN, error=failure)
            raise
        else:
            job.change(
                **_changes(advanced(job.row, task, redact=transport.redact, now=self._pace.now()), task)
            )
        finally:
            ledger.settle(
                request.id,
                status=status,
                source=job.row.source,
                duration_s=self._pace.clock() - began,
                error=failure or None,
                error_class=how.error_class,
                billed=how.billed if failure else None,  # what was accepted may fail, and is refunded
                request_id=self._head.request_id or None,
                attempts=self._attempts,
                task_id=job.row.task_id or None,
            )
        return job

    # --- sending --------------------------------------------------------------------------

    async def _created(self, transport: Transport, job: Job) -> Task:
        call = Call("POST", self._generation.path, body=self._generation.body, bills=True)
        reply = await self._sent(transport, call, job)
        if self._head.simulated:
            job.change(source=Source.SIMULATED, event=False)
        task = read_created(reply)
        if not task.id:
            raise lost(ProtocolError, "the server answered without a task id", bills=True)
        return task

    async def _sent(self, transport: Transport, call: Call, job: Job) -> dict[str, Any]:
        waits = GENERATION_WAITS_S if _names_an_asset(self._generation.body) else ()
        for wait_s in waits:
            try:
                return await self._once(transport, call)
            except StatusError as error:
                if not is_propagation(error):
                    raise
            job.tell(f"an asset has not arrived everywhere yet: sent again in {wait_s:g} s")
            self._rest(wait_s)
            await self._pace.sleep(wait_s)
        return await self._once(transport, call)

    async def _once(self, transport: Transport, call: Call) -> dict[str, Any]:
        return await transport.json(call, on_retry=self._on_retry, on_head=self._on_head)

    def _on_retry(self, event: Retrying) -> None:
        self._rest(event.delay_s)

    def _rest(self, wait_s: float) -> None:
        """It was refused, and is sent again after a while, unless nobody wants that any more."""
        self._attempts += 1
        self._resting_until = self._pace.clock() + wait_s
        if self._stopped:
            raise asyncio.CancelledError

    def _rests(self) -> bool:
        """Was it refused, and not sent again yet?"""
        return self._pace.clock() < self._resting_until

    def _on_head(self, head: Head) -> None:
        self._head = head

    # --- after a failure ------------------------------------------------------------------

    def _cut_off(self, job: Job) -> tuple[Status, str]:
        """Write down what an interrupt means: a doubt, or nothing where it had been refused."""
        if self._rests():
            failure = "interrupted before it was sent again: it was not accepted"
            job.change(status=JobStatus.FAILED, error=failure, finished_at=self._pace.now())
            return Status.INTERRUPTED, failure
        failure = "interrupted while it was sent"
        job.change(status=JobStatus.SUBMIT_UNKNOWN, error=failure)
        return Status.SUBMIT_UNKNOWN, failure

    def _failed(self, error: AnyFastError, job: Job, transport: Transport) -> tuple[Status, str]:
        """Write down what a failure means, and complete the error; for the request's row: how it ended."""
        if isinstance(error, StatusError) and error.request_id:
            self._head = replace(self._head, request_id=error.request_id)
        said = transport.redact(f"{type(error).__name__}: {error.message}")
        in_doubt = error.billed is not Billed.NO
        if in_doubt:
            sent = job.created_at.astimezone()
            failures.may_be_billed(
                error, id=job.id, request_hash=job.request_hash, when=f"{sent:%Y-%m-%d %H:%M:%S}", adopts=True
            )
            job.change(status=JobStatus.SUBMIT_UNKNOWN, error=said)
        else:
            failures.refused(error, self._generation.arguments)
            job.change(
                status=JobStatus.FAILED,
                error=said,
                error_code=getattr(error, "code", ""),
                finished_at=self._pace.now(),
            )
        error.partial = job
        return Status.SUBMIT_UNKNOWN if in_doubt else Status.ERROR, said

    # --- rows -----------------------------------------------------------------------------

    def _request_row(self, transport: Transport, source: Source) -> RequestRow:
        row = RequestRow(
            kind=self._generation.kind,
            source=source,
            base_url=transport.endpoint.base_url,
            model=_model(self._generation.body),
            title=title_of(self._prompt, redact=transport.redact),
            request_hash=hash_of(self._described),
            job=new_id(),
        )
        return self._origin.signed(row)

    def _job_row(self, transport: Transport, request: RequestRow) -> JobRow:
        made, now = self._generation, self._pace.now()
        return JobRow(
            id=request.job or new_id(),
            kind=made.kind,
            create_path=made.path,
            poll_paths=made.poll_paths,
            base_url=transport.endpoint.base_url,
            key_mark=transport.endpoint.api_key.mark(),
            source=request.source,
            model=request.model,
            mode=made.mode,
            title=request.title or "",
            request_row=request.id,
            request_hash=request.request_hash or "",
            request=kept_request(self._described, redact=transport.redact),
            arguments=made.arguments,
            notes=tuple(transport.redact(note) for note in self._notes),
            notebook=request.notebook,
            cell=request.cell,
            identity=self._identity,
            take=self._take,
            maker=self._gateway.ledger.maker() or None,
            created_at=now,
            updated_at=now,
        )


def title_of(prompt: str, *, redact: Callable[[str], str]) -> str | None:
    """The beginning of a prompt in one line, redacted; None for an empty one."""
    return " ".join(redact(prompt[:2000]).split())[:80] or None


def _changes(row: JobRow, task: Task) -> dict[str, Any]:
    """What an accepted create changes: a status of the server's, and its id."""
    names = ("status", "raw_status", "progress", "error_code", "error", "tokens", "video_s", "finished_at")
    return {name: getattr(row, name) for name in names} | {"task_id": task.id}


def _model(body: Mapping[str, Any]) -> str:
    return str(body.get("model") or body.get("model_name") or "")


def _looked_at(sending: asyncio.Task[Job]) -> None:
    """What went wrong is in the ledger, also if nobody waits for it any more."""
    if not sending.cancelled():
        sending.exception()


def _names_an_asset(value: Any) -> bool:
    if isinstance(value, str):
        return value[:8].lower() == "asset://"
    if isinstance(value, Mapping):
        return any(_names_an_asset(inner) for inner in value.values())
    return isinstance(value, list | tuple) and any(_names_an_asset(inner) for inner in value)
