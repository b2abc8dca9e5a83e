"""Where generations are asked for: one desk for each gateway, on the private loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.jobs.drawing import Drawing, OnPicture
from anyfast_nb.jobs.identity import identity_of, in_doubt, reused
from anyfast_nb.jobs.job import Job
from anyfast_nb.jobs.poll import Pace
from anyfast_nb.jobs.prepare import Family, Prepared, prepare, uploaded
from anyfast_nb.jobs.scheduler import Scheduler
from anyfast_nb.jobs.submit import Submission
from anyfast_nb.ledger.guard import plain_url
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.media.limits import Use
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.jobs.pictures import Pictures
    from anyfast_nb.ledger.job_rows import JobRow


class Desk:
    """Takes wishes for films and pictures, and finds jobs again. One job is one object here.

    Args:
        gateway: settings, connection, ledger.
        pace: clocks, and how often to ask.
        scheduler: asks for the jobs; one of its own unless told otherwise.
    """

    def __init__(
        self, gateway: Gateway, *, pace: Pace | None = None, scheduler: Scheduler | None = None
    ) -> None:
        self._gateway = gateway
        self._pace = pace or Pace()
        self._scheduler = scheduler or Scheduler(
            pace=self._pace, polls_per_s=lambda: gateway.settings().polls_per_s
        )
        self._known: WeakValueDictionary[str, Job] = WeakValueDictionary()
        self._knowing = threading.Lock()

    @property
    def scheduler(self) -> Scheduler:
        """Asks for all jobs of this desk that somebody waits for; for code on the private loop."""
        return self._scheduler

    @property
    def pace(self) -> Pace:
        """Clocks, and how often to ask; a change counts for jobs made or found from then on."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._pace = self._scheduler.pace = pace

    async def film(
        self,
        kind: str,
        prompt: str,
        options: Mapping[str, Any],
        *,
        origin: Origin | None = None,
        take: int = 1,
        reuse: bool = False,
        member: str = "",
    ) -> Job:
        """Create one job of ``seedance`` or ``kling``, or find the one that was made for the same wish.

        Args:
            kind: of the two.
            prompt: what happens.
            options: arguments of the builder, media as they were given.
            origin: notebook and cell; by default those of the caller, and a wish is this kernel's.
            take: another one is another wish.
            reuse: if the same wish is being made or was made, at any age, give that job; what
                failed is made anew. See `anyfast_nb.jobs.identity` for what is the same.
            member: of a sweep or a storyboard: no two of them are the same wish.

        Returns:
            The job; ``reused_from`` tells if it was there already.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused; or nobody knows, and the error says so. With `reuse`, also
                if the same wish may have been accepted before without a reply: nothing was sent.
            LedgerError: with `reuse`, the ledger cannot be read; nothing was sent.
        """
        origin = origin or here().of_kernel()
        made = await self.prepared(kind, prompt, options)
        identity = await self._identity(made, origin=origin, take=take, member=member)
        if reuse and (found := await self._found(identity)) is not None:
            return found
        made = await uploaded(made, gateway=self._gateway, pace=self._pace)
        submission = Submission(
            made.generation,
            gateway=self._gateway,
            prompt=prompt,
            origin=origin,
            notes=made.notes,
            pace=self._pace,
            opened=self._kept,
            identity=identity,
            take=take,
        )
        standing = await submission.begin(once=reuse)
        if standing is not None:  # another cell or kernel was faster
            return self._shown_again(standing)
        return await submission.send()

    async def pictures(
        self,
        prompt: str,
        options: Mapping[str, Any],
        *,
        origin: Origin | None = None,
        on_picture: OnPicture | None = None,
    ) -> Pictures:
        """Ask Seedream for pictures; each is on this disk when it is given.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused, or every picture failed, or the reply was lost.
        """
        made = await self.prepared("seedream", prompt, _with_stream(options))
        drawing = Drawing(
            made.generation,
            gateway=self._gateway,
            prompt=prompt,
            origin=origin or here(),
            notes=made.notes,
            pace=self._pace,
        )
        return await drawing.run(on_picture)

    def job(self, id: str) -> Job:
        """A job found again: by its id, the last digits of it, or its task id.

        Raises:
            InputError: there is no such job in this ledger.
            LedgerError: the ledger cannot be read.
        """
        row = self._gateway.ledger.job(id)
        if row is None:
            raise InputError(
                f"the ledger has no job {id.strip()[:80]!r}",
                field="id",
                hint="af.ledger.jobs() lists them.",
            )
        return self._opened(row)

    def jobs(self, **by: Any) -> list[Job]:
        """Jobs of the ledger, oldest first; arguments as of `Ledger.jobs`."""
        return [self._opened(row) for row in self._gateway.ledger.jobs(**by)]

    def _opened(self, row: JobRow) -> Job:
        job = self._kept(row)
        if row.status is JobStatus.SUBMITTING and not self._gateway.ledger.maker_lives(row):
            job.doubt()
        return job

    def _kept(self, row: JobRow, prompt: str = "") -> Job:
        """The one object of a job, at least as new as the row."""
        with self._knowing:
            job = self._known.get(row.id)
            if job is None:
                job = Job(
                    row, gateway=self._gateway, prompt=prompt, pace=self._pace, scheduler=self._scheduler
                )
                self._known[row.id] = job
        job.renew(row)
        return job

    # --- the same wish again --------------------------------------------------------------

    async def _identity(self, made: Prepared, *, origin: Origin, take: int, member: str) -> str:
        if not isinstance(take, int) or isinstance(take, bool) or take < 1:
            raise InputError(f"take is {take!r}", field="take", hint="Count takes from 1: take=2.")
        connection = self._gateway.connection
        endpoint = None if connection.simulated() else (await connection.transport()).endpoint
        return await asyncio.to_thread(  # many bytes to hash
            identity_of, made.generation, endpoint=endpoint, origin=origin, take=take, member=member
        )

    async def _found(self, identity: str) -> Job | None:
        row = self._gateway.ledger.standing(identity)
        if row is None or await self._has_vanished(row):
            return None
        return self._shown_again(row)

    def _shown_again(self, row: JobRow) -> Job:
        job, now = self._opened(row), self._pace.now()
        if job.status is JobStatus.SUBMIT_UNKNOWN:
            error = in_doubt(job.row, now=now)
            error.partial = job
            raise error
        job.reused_from = reused(job.row, now=now)
        return job

    async def _has_vanished(self, row: JobRow) -> bool:
        """Was it being made by a built-in AnyFast that has ended? Its jobs ended with it, free of charge."""
        connection = self._gateway.connection
        if row.status.ends or row.source is not Source.SIMULATED or not connection.simulated():
            return False
        endpoint = (await connection.transport()).endpoint
        if (row.base_url, row.key_mark) == (plain_url(endpoint.base_url), endpoint.api_key.mark()):
            return False
        why = "the built-in AnyFast that made it has ended"
        self._kept(row).change(status=JobStatus.EXPIRED, error=why, finished_at=self._pace.now())
        return True

    # --- what would be sent ---------------------------------------------------------------

    async def prepared(self, kind: str, prompt: str, options: Mapping[str, Any]) -> Prepared:
        """The request as it would be sent, checked: nothing is uploaded, nothing is sent.

        Raises:
            InputError: names the argument.
            ConfigError: it could not be sent.
            NotAllowedError: it may not be sent.
        """
        self._gateway.connection.check()
        made = await prepare(family(kind), prompt, options, gateway=self._gateway)
        body = made.generation.body
        self._gateway.gate.allow(kind, str(body.get("model") or body.get("model_name") or ""))
        return made


@cache
def family(kind: str) -> Family:
    """How seedance, kling or seedream takes its arguments."""
    if kind == "seedance":
        from anyfast_nb.wire.seedance import build_seedance

        return Family(
            build_seedance,
            {
                "first_frame": Use.SEEDANCE_IMAGE,
                "last_frame": Use.SEEDANCE_IMAGE,
                "images": Use.SEEDANCE_IMAGE,
                "videos": Use.SEEDANCE_VIDEO,
                "audios": Use.SEEDANCE_AUDIO,
            },
        )
    if kind == "kling":
        from anyfast_nb.wire.kling import build_kling

        return Family(
            build_kling,
            {"image": Use.KLING_IMAGE, "image_tail": Use.KLING_IMAGE, "images": Use.KLING_IMAGE},
        )
    from anyfast_nb.wire.images import build_seedream

    return Family(build_seedream, {"images": Use.SEEDREAM_IMAGE})


def _with_stream(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with a stream asked for where several pictures come and the model streams."""
    from anyfast_nb.catalog.seedream import default_model, family_of

    count = options.get("count")
    if options.get("stream") is not None or not isinstance(count, int) or count < 2:
        return dict(options)
    family = family_of(str(options.get("model") or default_model()))
    return {**options, "stream": family is not None and family.streams}
