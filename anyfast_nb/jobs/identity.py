"""When is a wish the same wish? Whoever runs a cell again wants to see its film, not to pay for it again.

The same wish: of the same user, at the same gateway with the same key, in the same
cell of the same notebook, with the same request, the same take, the same member of
a sweep. Media count by their content, wherever they lie and however they travel.
Without a cell's id the kernel stands for notebook and cell.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyfast_nb.errors import AnyFastError, Billed
from anyfast_nb.jobs.record import hash_of
from anyfast_nb.ledger.guard import plain_url
from anyfast_nb.ledger.rows import new_id

if TYPE_CHECKING:
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.settings import Endpoint
    from anyfast_nb.wire.generation import Generation


@dataclass(frozen=True, slots=True)
class Reused:
    """That a job was not made by this call: it was there already.

    Attributes:
        made_at: when it was sent; aware.
        take: which take of its wish it is.
        note: the same in words, and how to get another.
    """

    made_at: datetime
    take: int
    note: str


def reused(row: JobRow, *, now: datetime) -> Reused:
    """What is said of a job that is shown again."""
    take = row.take or 1
    return Reused(
        row.created_at, take, f"film of {_moment(row.created_at, now)} · `--take {take + 1}` for another"
    )


def identity_of(
    generation: Generation,
    *,
    endpoint: Endpoint | None,
    origin: Origin,
    take: int = 1,
    member: str = "",
    environ: Mapping[str, str] = os.environ,
) -> str:
    """The identity of a wish: 64 hex digits. Hashes what may be many bytes; for a worker thread.

    Args:
        generation: the request as it was prepared, before anything was uploaded for it.
        endpoint: gateway and key; None is the built-in AnyFast, whose port and key change.
        origin: notebook and cell.
        take: another one is another wish.
        member: of a sweep or a storyboard; "" is none.
        environ: names the user on a JupyterHub.
    """
    wish: list[Any] = [
        user(environ),
        *(("simulator", "") if endpoint is None else (plain_url(endpoint.base_url), endpoint.api_key.mark())),
        *_place(origin),
        generation.path,
        hash_of(generation.body),
        take,
        member,
    ]
    text = json.dumps(wish, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def user(environ: Mapping[str, str] = os.environ) -> str:
    """Who is at work: the JupyterHub's user, else the system's."""
    if name := environ.get("JUPYTERHUB_USER"):
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def in_doubt(row: JobRow, *, now: datetime) -> AnyFastError:
    """The error of a wish whose earlier attempt may have been accepted: it is not sent again."""
    short, take = row.short_id, (row.take or 1) + 1
    error = AnyFastError(
        f"nothing was sent: {row.kind} job {short} of {_moment(row.created_at, now)} is the same wish, and "
        "its reply was lost. It may have been accepted, and may be billed: look in the console",
        hint=(
            f"If its task is there: `%anyfast resume {short} --task-id asyntask_…`, "
            f"or client.job({short!r}).adopt('asyntask_…'), goes on with it.\n"
            f"If not: `--take {take}`, or take={take}, asks for another."
        ),
    )
    error.sent, error.billed = True, Billed.MAYBE
    return error


def _place(origin: Origin) -> tuple[str, str]:
    """Notebook and cell, or what stands for them."""
    notebook, cell = origin.place
    if cell is None:
        return _kernel(os.getpid()), ""
    return notebook or str(Path.cwd()), cell


@cache
def _kernel(pid: int) -> str:
    """This process; a forked child is another."""
    return new_id()


def _moment(when: datetime, now: datetime) -> str:
    local = when.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"
