"""Where the ledger is: a file path or a ``sqlite:///`` URL, or the default in the state folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from anyfast_nb.errors import ConfigError

FILE_NAME = "ledger.sqlite3"
_URL = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]+)://(?P<rest>.*)", re.DOTALL)


def ledger_path(place: str | Path | None = None, *, environ: Mapping[str, str] = os.environ) -> Path:
    """The file of the ledger.

    Args:
        place: a path, ``sqlite:///relative.db`` or ``sqlite:////absolute.db``; by default what
            ``ANYFAST_LEDGER_URL`` names, else ``ledger.sqlite3`` in the state folder.
        environ: where that variable is looked up.

    Raises:
        ConfigError: the URL is of another database, or names no file.
    """
    if place is None:
        place = environ.get("ANYFAST_LEDGER_URL", "").strip() or None
    if place is None:
        from anyfast_nb.settings import home

        return Path(home()) / FILE_NAME
    url = _URL.fullmatch(place) if isinstance(place, str) else None
    return (Path(place) if url is None else _file_of(url)).expanduser()


def _file_of(url: re.Match[str]) -> Path:
    # A database URL holds a password: only its scheme is ever shown.
    scheme = url["scheme"]
    if scheme.lower() not in {"sqlite", "sqlite+pysqlite"}:
        raise ConfigError(
            f"The ledger URL begins with {scheme}://, which is not supported yet: only SQLite files are.",
            hint="Give a path, or sqlite:////absolute/path.sqlite3, in ANYFAST_LEDGER_URL; or unset it.",
        )
    name = unquote(url["rest"].partition("?")[0]).removeprefix("/")
    if not name or name == ":memory:":
        raise ConfigError(
            "The ledger URL names no file: a ledger in memory would be lost with the kernel.",
            hint="Give sqlite:////absolute/path.sqlite3 in ANYFAST_LEDGER_URL; or unset it.",
        )
    return Path(name)
