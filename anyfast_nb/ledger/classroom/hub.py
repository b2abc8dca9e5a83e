"""What a JupyterHub gives each student's server: the student's own ledger, and what the class shares.

In ``jupyterhub_config.py``::

    from anyfast_nb.ledger.classroom.hub import class_hook

    c.Spawner.pre_spawn_hook = class_hook(
        ledgers="/srv/jupyterhub/ledgers.txt",  # by: anyfast-ledger add URL NAME… --to FILE
        allow="chat:doubao-seed-2.0-mini",
    )

The hub sets ``JUPYTERHUB_USER`` itself. What a server has in its environment its student can read: their
own ledger URL, and the key of the class. Budgets guard against accidents; whoever holds the key can spend.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from anyfast_nb.errors import ConfigError

LEDGERS: Final = "ANYFAST_HUB_LEDGERS"
"""In the hub's environment: the file of ``anyfast-ledger add --to``."""

PASSED_ON: Final = ("ANYFAST_API_KEY", "ANYFAST_BASE_URL", "ANYFAST_ALLOW")
"""What of the hub's own environment its servers get."""

_LINE = re.compile(r"(?P<name>\S+)\s+(?P<url>\S+)")


class Spawning(Protocol):
    """What of a ``jupyterhub.spawner.Spawner`` is used here."""

    @property
    def user(self) -> Any:
        """Whose server it is: ``user.name``."""

    environment: dict[str, Any]


class NoLedgerError(ConfigError):
    """A student has no ledger, or the hub cannot read it: the server is not started.

    Attributes:
        jupyterhub_message: what JupyterHub shows to the student.
    """

    def __init__(self, message: str, *, hint: str = "", told: str = "") -> None:
        super().__init__(message, hint=hint)
        self.jupyterhub_message = told or message


def read_ledgers(path: str | Path) -> dict[str, str]:
    """The students' ledger URLs, from the file that ``anyfast-ledger add --to`` writes.

    Args:
        path: a file that only its owner may read; a line is ``NAME URL``.

    Raises:
        NoLedgerError: it is not there, others may read it, or a line says something else.
    """
    path, told = Path(path), "The ledgers of this class cannot be read. Please tell your teacher."
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise NoLedgerError(
            f"The file of the students' ledgers, {path}, cannot be read: {why}.",
            hint=f"Make it with `anyfast-ledger add URL NAME… --to {path}`.",
            told=told,
        ) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise NoLedgerError(
            f"Others than its owner may read {path}, and it holds passwords.",
            hint=f"chmod 600 {path}",
            told=told,
        )
    urls = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:  # the line may hold a password: it is not shown
            raise NoLedgerError(f"Line {number} of {path} is not `NAME URL`.", told=told)
        urls[found["name"]] = found["url"]
    return urls


def class_hook(
    *,
    ledgers: str | Path | Callable[[str], str | None] | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    allow: str | None = None,
    staff: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> Callable[[Spawning], None]:
    """A ``pre_spawn_hook`` for JupyterHub.

    Args:
        ledgers: the file of the students' ledger URLs, or a function from a user's name to the URL; by
            default what ``ANYFAST_HUB_LEDGERS`` names. It is read at each start: who is added later is in.
        api_key: ``ANYFAST_API_KEY`` of the students' servers; by default the hub's own, if it has one.
        base_url: ``ANYFAST_BASE_URL``, likewise.
        allow: ``ANYFAST_ALLOW``, likewise: kinds and models that students may use.
        staff: users who need no URL of the class; without one their server has a ledger of its own.
        environ: the hub's environment; by default this process's.

    Returns:
        A function that fills ``spawner.environment``. It raises `NoLedgerError` for a student without a
        ledger, so that nobody works outside the class's budget by mistake.

    Source:
        JupyterHub, "Spawners": ``pre_spawn_hook``, ``Spawner.environment``, ``jupyterhub_message``.
    """
    known = os.environ if environ is None else environ
    given = {"ANYFAST_API_KEY": api_key, "ANYFAST_BASE_URL": base_url, "ANYFAST_ALLOW": allow}

    def hook(spawner: Spawning) -> None:
        name = str(spawner.user.name)
        url = _url(name, ledgers or known.get(LEDGERS, "").strip() or None)
        if url is None and name not in staff:
            raise NoLedgerError(
                f"No ledger is known for the user {name!r}.",
                hint=f"`anyfast-ledger add URL {name} --to FILE` makes one.",
                told=f"No ledger is set up for {name}. Please tell your teacher.",
            )
        own = {"ANYFAST_LEDGER_URL": url} if url is not None else {}
        shared = {word: given[word] or known.get(word) for word in PASSED_ON}
        # A dictionary of its own: one that spawners share would hand a student another's password.
        spawner.environment = {
            **spawner.environment,
            **{word: value for word, value in shared.items() if value},
            **own,
        }

    return hook


def pre_spawn_hook(spawner: Spawning) -> None:
    """The hook that the hub's environment alone configures: see `class_hook` and `LEDGERS`."""
    class_hook()(spawner)


def _url(name: str, ledgers: str | Path | Callable[[str], str | None] | None) -> str | None:
    if ledgers is None:
        raise NoLedgerError(
            "The hub does not know where the students' ledgers are.",
            hint=f"Set {LEDGERS} to the file of `anyfast-ledger add --to`, or give class_hook(ledgers=…).",
            told="The ledgers of this class are not set up. Please tell your teacher.",
        )
    return ledgers(name) if callable(ledgers) else read_ledgers(ledgers).get(name)
