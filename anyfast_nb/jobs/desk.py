"""Where generations are asked for: one desk for each gateway, on the private loop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import InputError
from anyfast_nb.gateway.exchange import Origin
from anyfast_nb.jobs.drawing import Drawing, OnPicture, with_stream
from anyfast_nb.jobs.job import Job
from anyfast_nb.jobs.poll import Pace
from anyfast_nb.jobs.prepare import Family, Prepared, prepare
from anyfast_nb.jobs.submit import Submission
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.media.limits import Use

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.jobs.pictures import Pictures
    from anyfast_nb.ledger.job_rows import JobRow

_NOWHERE = Origin()


class Desk:
    """Takes wishes for films and pictures, and finds jobs again.

    Args:
        gateway: settings, connection, ledger.
        pace: clocks, and how often to ask.
    """

    def __init__(self, gateway: Gateway, *, pace: Pace | None = None) -> None:
        self._gateway = gateway
        self._pace = pace or Pace()

    async def film(
        self, kind: str, prompt: str, options: Mapping[str, Any], *, origin: Origin = _NOWHERE
    ) -> Job:
        """Create one job of ``seedance`` or ``kling``.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused; or nobody knows, and the error says so.
        """
        made = await self._prepared(kind, prompt, options)
        return await Submission(
            made.generation,
            gateway=self._gateway,
            prompt=prompt,
            origin=origin,
            notes=made.notes,
            pace=self._pace,
        ).run()

    async def pictures(
        self,
        prompt: str,
        options: Mapping[str, Any],
        *,
        origin: Origin = _NOWHERE,
        on_picture: OnPicture | None = None,
    ) -> Pictures:
        """Ask Seedream for pictures; each is on this disk when it is given.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused, or every picture failed, or the reply was lost.
        """
        made = await self._prepared("seedream", prompt, with_stream(options))
        drawing = Drawing(
            made.generation,
            gateway=self._gateway,
            prompt=prompt,
            origin=origin,
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
        job = Job(row, gateway=self._gateway, pace=self._pace)
        if row.status is JobStatus.SUBMITTING:
            # Its kernel ended before the reply came; if it lives after all, its own word comes later.
            job.change(status=JobStatus.SUBMIT_UNKNOWN, error="the kernel ended before the reply came")
        return job

    async def _prepared(self, kind: str, prompt: str, options: Mapping[str, Any]) -> Prepared:
        self._gateway.connection.check()
        return await prepare(family(kind), prompt, options, gateway=self._gateway, pace=self._pace)


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
