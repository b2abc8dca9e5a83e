"""Where the ledger is: a file, or a PostgreSQL database; by default a file in the state folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from anyfast_nb.errors import ConfigError

FILE_NAME: Final = "ledger.sqlite3"
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]+)://(?P<rest>.*)", re.DOTALL)
_SQLITE: Final = frozenset({"sqlite", "sqlite+pysqlite"})
_POSTGRESQL: Final = frozenset({"postgresql", "postgresql+psycopg", "postgres"})


@dataclass(frozen=True, slots=True)
class Location:
    """A ledger's place.

    Attributes:
        dialect: ``sqlite`` or ``postgresql``.
        place: what a person is shown: the path, or the URL without password and options.
        path: the file; for PostgreSQL a name in the state folder: journal and lock files lie beside it.
        url: of PostgreSQL, with its password; "" for a file.
    """

    dialect: str
    place: str
    path: Path
    url: str = field(default="", repr=False)


def locate(place: str | Path | None = None, *, environ: Mapping[str, str] = os.environ) -> Location:
    """Find the ledger; nothing is opened.

    Args:
        place: a path, ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or
            ``postgresql://user:password@host/database``; by default what ``ANYFAST_LEDGER_URL`` names,
            else ``ledger.sqlite3`` in the state folder.
        environ: where that variable is looked up.

    Raises:
        ConfigError: the URL is of another database, or names no file or database.
    """
    if place is None:
        place = environ.get("ANYFAST_LEDGER_URL", "").strip() or None
    if place is None:
        return _file(_home() / FILE_NAME)
    url = _URL.fullmatch(place.strip()) if isinstance(place, str) else None
    if url is None:
        return _file(Path(place))
    # A database URL holds a password: only its scheme is ever shown.
    scheme = url["scheme"].lower()
    if scheme in _POSTGRESQL:
        return _postgresql(url["rest"], _home())
    if scheme not in _SQLITE:
        raise ConfigError(
            f"The ledger URL begins with {scheme}://, which is not supported: SQLite and PostgreSQL are.",
            hint="Give a path, sqlite:////absolute/path.sqlite3 or postgresql://user:password@host/database "
            "in ANYFAST_LEDGER_URL; or unset it.",
        )
    return _file(_file_of(url["rest"]))


def ledger_path(place: str | Path | None = None, *, environ: Mapping[str, str] | None = None) -> Path:
    """The file of the ledger; for PostgreSQL the name beside which its journal lies. See `locate`."""
    # No default that is the environment: help prints a signature, and with it the key.
    return locate(place, environ=os.environ if environ is None else environ).path


def _home() -> Path:
    from anyfast_nb.settings import home

    return Path(home())


def _file(path: Path) -> Location:
    path = path.expanduser()
    return Location("sqlite", str(path), path)


def _file_of(rest: str) -> Path:
    name = unquote(rest.partition("?")[0]).removeprefix("/")
    if not name or name == ":memory:":
        raise ConfigError(
            "The ledger URL names no file: a ledger in memory would be lost with the kernel.",
            hint="Give sqlite:////absolute/path.sqlite3 in ANYFAST_LEDGER_URL; or unset it.",
        )
    return Path(name)


def _postgresql(rest: str, home: Path) -> Location:
    # Whatever is in front of the last @ is user and password, also an unquoted password with an @ or a /.
    authority, _, query = rest.partition("?") if "@" not in rest.partition("?")[2] else (rest, "", "")
    login, _, address = authority.rpartition("@")
    user, _, password = (quote(unquote(part), safe="") for part in login.partition(":"))
    place = f"postgresql://{user}{'@' if user else ''}{address}"
    secret = f":{password}" if password else ""
    url = f"postgresql://{user}{secret}{'@' if user else ''}{address}{'?' if query else ''}{query}"
    try:
        parsed = urlsplit(place)
        named = bool(parsed.path.strip("/")) and (parsed.port is None or parsed.port > 0)
    except ValueError:
        named = False
    if not named:
        raise ConfigError(
            "The ledger URL names no PostgreSQL database.",
            hint="Give postgresql://user:password@host:5432/database in ANYFAST_LEDGER_URL. Write @ : / ? # "
            "in the password as %40 %3A %2F %3F %23.",
        )
    mark = hashlib.sha256(f"{place}?{_without_secrets(query)}".encode()).hexdigest()[:16]
    return Location("postgresql", place, home / f"ledger-{mark}", url)


def _without_secrets(query: str) -> str:
    """Of the options those that say where the server is."""
    parts = (part for part in query.split("&") if part.partition("=")[0] in {"host", "port", "dbname"})
    return "&".join(sorted(parts))
