"""`af.seedance`, `af.kling`, `af.seedream`: films and pictures from Python, with the notebook's session."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Unpack

from anyfast_nb.client.faces import Client
from anyfast_nb.client.generations import (
    KlingOptions,
    OnPicture,
    SeedanceOptions,
    SeedreamOptions,
    run_film,
    run_pictures,
)
from anyfast_nb.gateway.whence import Origin, here
from anyfast_nb.magics.speak import _shell

if TYPE_CHECKING:
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.pictures import Pictures


def seedance(
    prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[SeedanceOptions]
) -> Job:
    """Create a film with Seedance; the job shows itself, and ``.video`` waits for the film.

    Args:
        prompt: what happens; may be empty where media are given.
        take: which take of it; only counts together with `reuse`.
        reuse: give the job that was made for the same wish and take in this cell, running or done,
            instead of another one, which is billed.
        options: see `anyfast_nb.client.generations.SeedanceOptions`.

    Raises:
        InputError: an argument is wrong; nothing was sent.
        AnyFastError: it was refused, or its reply was lost: the error says what to do.

    Example:
        >>> import anyfast_nb as af
        >>> job = af.seedance("A cat plays the piano", duration=4)  # doctest: +SKIP
    """
    desk, origin = _desk()
    return run_film(desk, "seedance", prompt, options, origin=origin, take=take, reuse=reuse)


def kling(prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[KlingOptions]) -> Job:
    """Create a film with Kling; arguments in `KlingOptions`, the rest as in `seedance`."""
    desk, origin = _desk()
    return run_film(desk, "kling", prompt, options, origin=origin, take=take, reuse=reuse)


def seedream(
    prompt: str, *, on_picture: OnPicture | None = None, **options: Unpack[SeedreamOptions]
) -> Pictures:
    """Make pictures with Seedream, and wait for them; they show themselves.

    Args:
        prompt: what to show.
        on_picture: called with each picture as it is saved.
        options: see `anyfast_nb.client.generations.SeedreamOptions`.
    """
    desk, origin = _desk()
    return run_pictures(desk, prompt, options, origin=origin, on_picture=on_picture)


def _desk() -> tuple[Desk, Origin]:
    """The notebook's desk and where the cell is; outside of one, a client's."""
    shell = _shell()
    if shell is None:
        return _client().desk(), here().of_kernel()
    from anyfast_nb.session import session

    return session().desk, here(shell)


@cache
def _client() -> Client:
    """One for the process: a job outlives the call that made it."""
    return Client()
